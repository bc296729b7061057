"""Single entries: fields in several styles and languages, and the faults that are named, never repaired."""

from __future__ import annotations

import pytest

from rag.bibliography import checks, parse, parse_entry
from rag.bibliography.segments import Segment


def kinds(raw: str) -> dict[str, str]:
    """Kind and severity of every problem of an entry."""
    return {p.kind: p.severity for p in parse_entry(raw)[1]}


_ENTRIES = {
    "Harvard": "Abrams, T. and Li, W. (2019) ‘On rivers’, Journal of Hydrology, 12(3), pp. 45–67. doi: 10.1234/jh.45.",
    "APA": "Abrams, T., & Li, W. (2019). On rivers. Journal of Hydrology, 12(3), 45–67. https://doi.org/10.1234/jh.45",
    "Chicago": "Abrams, T., and W. Li. 2019. “On rivers.” Journal of Hydrology 12 (3): 45–67. doi:10.1234/jh.45.",
    "MLA": "Abrams, T., and W. Li. “On rivers.” Journal of Hydrology, vol. 12, no. 3, 2019, pp. 45-67, 10.1234/jh.45.",
    "IEEE": "T. Abrams and W. Li, “On rivers,” Journal of Hydrology, vol. 12, no. 3, pp. 45–67, 2019, 10.1234/jh.45.",
    "Vancouver": "Abrams T, Li W. On rivers. Journal of Hydrology. 2019;12(3):45–67. doi: 10.1234/jh.45.",
    "ABNT": "ABRAMS, T.; LI, W. On rivers. Journal of Hydrology, v. 12, n. 3, p. 45-67, 2019. DOI: 10.1234/jh.45.",
}


@pytest.mark.parametrize("style", _ENTRIES)
def test_one_article_in_seven_styles(style: str) -> None:
    """The same article comes out of every style as the same item."""
    csl, problems = parse_entry(_ENTRIES[style])
    assert [a["family"].title() for a in csl["author"]] == ["Abrams", "Li"]
    assert csl["issued"]["date-parts"][0][0] == 2019
    assert (csl["title"], csl["container-title"]) == ("On rivers", "Journal of Hydrology")
    assert (csl["volume"], csl["issue"], csl["page"]) == ("12", "3", "45-67")
    assert csl["DOI"] == "10.1234/jh.45"
    assert csl["type"] == "article-journal"
    assert problems == ()


def test_a_book_and_a_chapter() -> None:
    """Places, publishers, editors and the pages of a chapter are told apart."""
    csl, _ = parse_entry("Lloyd, C. As estruturas da história. Rio de Janeiro: Zahar, 1995.")
    assert (csl["type"], csl["title"], csl["publisher-place"], csl["publisher"]) == (
        "book", "As estruturas da história", "Rio de Janeiro", "Zahar"
    )  # fmt: skip
    csl, _ = parse_entry(
        "Silva, A. (2012). Water. In B. Costa & C. Reis (Eds.), The elements (pp. 10–20). New York, NY: Norton."
    )
    assert csl["type"] == "chapter"
    assert [e["family"] for e in csl["editor"]] == ["Costa", "Reis"]
    assert (csl["container-title"], csl["page"], csl["publisher"]) == ("The elements", "10-20", "Norton")


def test_words_broken_at_the_end_of_a_line() -> None:
    """A hyphen that only breaks the line goes, one that belongs to the word stays."""
    csl, _ = parse_entry(
        "Kim, H. (2010). Two-\nsided markets and unobserved differentia-\ntion. Journal of Markets, 12(3), 4-9."
    )
    assert csl["title"] == "Two-sided markets and unobserved differentiation"


def test_a_body_under_its_country() -> None:
    """The name of a body is kept as printed; the country it is entered under is known apart."""
    csl, _ = parse_entry("France. Ministry of Culture, 2018. A plan for libraries. Paris: Ministry of Culture.")
    assert csl["author"] == [{"literal": "France. Ministry of Culture"}]
    assert csl["custom"]["jurisdiction"] == "France"
    assert (
        parse("France. Ministry of Culture, 2018. A plan for libraries. Paris: Ministry of Culture.")[0][0].id
        == "ministry-of-culture-2018"
    )


def test_a_well_formed_entry_has_no_problems() -> None:
    """Nothing is reported where nothing is wrong."""
    assert (
        kinds(
            "Ye, J., 2023. Shares tumble. Reuters [Online], 24 October. Available from: https://www.reuters.com/x-2023-10-24/."
        )
        == {}
    )


_FAULTS = {
    "missing-date": (
        "Water Institute of Kenya. A framework for rivers [Online]. Nairobi: Water Institute. Available from: https://wi.org/a.",
        "warning",
    ),
    "missing-address": ("Zhuang, S., 2024. A model of thought. South China Morning Post [Online], 21 May.", "warning"),
    "malformed-doi": (
        "Abrams, T. (2019). On rivers. Journal of Hydrology, 12(3), 45–67. doi: 11.1234/jh.45",
        "warning",
    ),
    "malformed-isbn": ("Lloyd, C. (1995). On structures. Oxford: Polity. ISBN 978-3-16-148410-1.", "warning"),
    "malformed-address": ("Abrams, T., 2019. On rivers. Available from: http//www.example.org/rivers.", "warning"),
    "date-contradiction": (
        "Feng, C., 2023. A launch. Global Times [Online], 5 March. Available from: https://www.gt.cn/page/202403/13.shtml.",
        "warning",
    ),
}


@pytest.mark.parametrize("kind", _FAULTS)
def test_faults_are_named(kind: str) -> None:
    """Each kind of fault is found where it is, and alone."""
    raw, severity = _FAULTS[kind]
    assert kinds(raw) == {kind: severity}


def test_said_to_have_no_date_is_not_the_same_as_forgotten() -> None:
    """“n.d.” is an answer; the audit only mentions it."""
    raw = "Water Institute of Kenya, n.d. A framework [Online]. Nairobi: Water Institute. Available from: https://wi.org/a."
    assert kinds(raw) == {"missing-date": "info"}


@pytest.mark.parametrize(
    ("raw", "severity"),
    [
        (
            "Huang, J., 2023. Firms win. Bloomberg [Online], 31 August. Available from: https://b.com/articles/2023-08-30/firms.",
            "info",
        ),
        (
            "Huang, J., 2023. Firms win. Bloomberg [Online], 31 August. Available from: https://b.com/articles/2023-05-30/firms.",
            "warning",
        ),
        (
            "Huang, J., 2022. Firms win. Bloomberg [Online], 31 August. Available from: https://b.com/uploads/2023/05/f.pdf.",
            "info",
        ),
        (
            "Yao, H. (2022). On security. Security Studies, 41(4), 82–106. https://doi.org/10.1000/j.cnki.d.2023.04.004",
            "warning",
        ),
        (
            "Li, Q., 2022. A talk. Xinhua [Online], 31 December. Available from: https://x.cn/2023-01/01/c_1.htm.",
            "info",
        ),
    ],
)
def test_dates_inside_addresses(raw: str, severity: str) -> None:
    """A day's difference, an upload folder or the turn of the year may be innocent; another year or month is not."""
    assert kinds(raw) == {"date-contradiction": severity}


@pytest.mark.parametrize(
    "raw",
    [
        "Rocha, B. (2020). On owls. Revista de Aves, 63, 308–315. https://doi.org/10.1016/j.rbe.2019.07.004",
        "Deng, I., 2024. Claims. Morning Post [Online], 6 April. Available from: https://www.post.com/article/3259205/claims.",
        "Kim, H., 2011. Laws. Seoul: State. Available from: https://law.example.org/20115678901/laws.",
    ],
)
def test_no_contradiction_is_invented(raw: str) -> None:
    """A DOI given out the year before, or digits that are no date, contradict nothing."""
    assert "date-contradiction" not in kinds(raw)


def test_the_same_work_twice() -> None:
    """The second entry of one work is reported, with the first one's id."""
    entry = "Abrams, T. (2019). On rivers and lakes. Journal of Hydrology, 12(3), 45–67."
    references, problems = parse(f"{entry}\n\n{entry}")
    assert [(p.kind, p.reference_id) for p in problems] == [("duplicate-entry", references[1].id)]
    assert references[0].id in problems[0].message


def test_a_stretch_that_no_field_explains_is_said() -> None:
    """Words that were read into no field are shown with their place, not dropped unseen."""
    raw = "Kim, H. 2010. A book. Prepared for the annual picnic of the society. Seoul: Press."
    title, place = raw.index("A book"), raw.index("Seoul")
    read = [
        Segment("author", 0, 7),
        Segment("date", 8, 12),
        Segment("title", title, title + 6),
        Segment("place", place, len(raw)),
    ]
    csl = {"author": [{"family": "Kim"}], "title": "A book", "issued": {"date-parts": [[2010]]}}
    (problem,) = checks.entry(raw, csl, [], read)
    assert problem.kind == "unparsed-remainder"
    assert raw[problem.start : problem.end].strip() == "Prepared for the annual picnic of the society."


def test_problems_point_at_their_place() -> None:
    """The span of a bad DOI or contradicting address is that address."""
    raw, _ = _FAULTS["date-contradiction"]
    (problem,) = parse_entry(raw)[1]
    assert raw[problem.start : problem.end].startswith("https://www.gt.cn/page/202403")
