"""Reference lists as running text: entries found in every layout, exact slices, readable ids, never an exception."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.bibliography import parse, parse_entry

HARVARD = [
    "Abrams, T., 2019. On rivers and their names. Journal of Hydrology, 12(3), pp. 45-67. https://doi.org/10.1234/jh.2019.45.",
    "Brandão, M.C. & Leite, P. 2007. Frutos do cerrado: uma síntese. Revista do Campo 30: 374-381.",
    "Ministry of Water, 2020. Annual report on reservoirs. Lisbon: Ministry of Water. Available from: https://www.example.org/report.",
    "Zhou, W., 2021. Dams and their discontents. River Times [Online], 4 May. Available from: https://river.example.org/2021/05/04/dams.",
]
VANCOUVER = [
    "Melo LL, Maia EB, Luz JH. Play as a technology of care. Rev Enferm. 2017;70(6):1244-9.",
    "Tao S, Li J, Zhang M, et al. The effects of quiet on aggression: a review. Mindfulness. 2021;12:1301-15.",
    "World Health Organization. Health for all [Internet]. Geneva: WHO; 2019 [cited 2024 Feb 08]. Available from: https://who.example.org/h",
]


def _wrapped(entry: str, width: int, indent: str) -> str:
    lines = [""]
    for word in entry.split():
        if len(lines[-1]) + len(word) + 1 > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return f"\n{indent}".join(lines)


_LAYOUTS = {
    "one a line": "\n".join(HARVARD),
    "blank lines between": "\n\n".join(HARVARD),
    "blank lines of non-breaking spaces": "\n\n\u00a0\n\n".join(HARVARD),
    "Windows line ends": "\r\n\r\n".join(HARVARD),
    "a heading above": "References\n\n" + "\n\n".join(HARVARD),
    "broken at a width, blank lines between": "\n\n".join(_wrapped(e, 60, "") for e in HARVARD),
    "broken at a width": "\n".join(_wrapped(e, 60, "") for e in HARVARD),
    "hanging": "\n".join(_wrapped(e, 60, "    ") for e in HARVARD),
    "bullets": "\n".join(f"• {e}" for e in HARVARD),
    "numbers in brackets": "\n".join(f"[{i}] {e}" for i, e in enumerate(HARVARD, 1)),
    "numbers with full stops, broken": "\n".join(_wrapped(f"{i}. {e}", 60, "   ") for i, e in enumerate(HARVARD, 1)),
    "numbers under a heading": "Literature\n\n" + "\n".join(f"{i}. {e}" for i, e in enumerate(HARVARD, 1)),
    "numbers in one running line": " ".join(f"[{i}] {e}" for i, e in enumerate(HARVARD, 1)),
    "page furniture below": "\n\n".join(HARVARD) + "\n\n12 views0 comments\n\nbottom of page\n",
}


@pytest.mark.parametrize("layout", _LAYOUTS)
def test_every_layout_gives_the_same_entries(layout: str) -> None:
    """However the list is laid out, its four entries are found and named alike."""
    references, _ = parse(_LAYOUTS[layout])
    assert [r.id for r in references] == ["abrams-2019", "brandao-2007", "ministry-of-water-2020", "zhou-2021"]
    assert [r.label for r in references] == (
        [str(i) for i in range(1, 5)] if layout.startswith("numbers") else [None] * 4
    )


def test_spans_count_from_the_offset() -> None:
    """Spans are the document's: the offset of the list is added to every one of them."""
    document = "Some text before.\n\n" + "\n\n".join(HARVARD)
    offset = document.index("Abrams")
    references, problems = parse(document[offset:], offset=offset)
    assert all(document[r.start : r.end] == r.raw for r in references)
    assert all(
        p.start is not None and p.end is not None and offset <= p.start <= p.end <= len(document) for p in problems
    )


def test_numbered_medical_style() -> None:
    """Vancouver entries: names without commas, year, volume, issue and pages run together, days of access aside."""
    references, _ = parse("\n".join(f"{i}. {e}" for i, e in enumerate(VANCOUVER, 1)))
    first, second, third = (r.csl for r in references)
    assert [a["family"] for a in first["author"]] == ["Melo", "Maia", "Luz"]
    assert (first["title"], first["container-title"]) == ("Play as a technology of care", "Rev Enferm")
    assert (first["volume"], first["issue"], first["page"]) == ("70", "6", "1244-9")
    assert second["custom"] == {"et-al": True}
    assert third["author"] == [{"literal": "World Health Organization"}]
    assert third["issued"] == {"date-parts": [[2019]]}
    assert third["accessed"] == {"date-parts": [[2024, 2, 8]]}


def test_a_list_may_skip_a_number() -> None:
    """A number left out swallows no entry, and the printed labels are kept."""
    text = "\n".join(f"{n}. {entry}" for n, entry in zip((1, 2, 4, 5), HARVARD, strict=True))
    assert [r.label for r in parse(text)[0]] == ["1", "2", "4", "5"]


def test_keys_in_brackets_are_labels() -> None:
    """Entries that begin with a key of letters and digits are told by their keys."""
    text = "[Abr19] Abrams, T. (2019). On rivers. Oxford: Polity.\n[Li 2020] Li, W. (2020). On lakes.\nOxford: Polity."
    assert [r.label for r in parse(text)[0]] == ["Abr19", "Li 2020"]


def test_a_dash_repeats_the_author() -> None:
    """A dash where the authors should stand means the authors of the entry before."""
    references, _ = parse("Lloyd, C. 1995. On structures. Oxford: Polity.\n———. 1998. On agency. Oxford: Polity.")
    assert references[1].csl["author"] == references[0].csl["author"]
    assert references[1].raw.startswith("———")
    assert [r.id for r in references] == ["lloyd-1995", "lloyd-1998"]


def test_ids_never_clash() -> None:
    """Works of one author and year get letters in list order; a letter that the list itself gives is kept."""
    text = "\n".join(f"Kim, H., 2020. Book number {word}. Seoul: Press." for word in ("one", "two", "three"))
    assert [r.id for r in parse(text)[0]] == ["kim-2020", "kim-2020b", "kim-2020c"]
    text = "Kim, H., 2020b. A second book. Seoul: Press.\nKim, H., 2020a. A first book. Seoul: Press."
    assert [r.id for r in parse(text)[0]] == ["kim-2020b", "kim-2020a"]


def test_what_is_no_entry_is_said() -> None:
    """A heading inside the list joins no reference and is reported with its place."""
    text = "Primary sources\n\n" + HARVARD[0] + "\n\n" + HARVARD[3]
    references, problems = parse(text)
    assert len(references) == 2
    rest = [p for p in problems if p.kind == "unparsed-remainder"]
    assert [text[p.start : p.end] for p in rest] == ["Primary sources"]


@given(text=st.text(max_size=400))
@settings(max_examples=150, deadline=None)
def test_no_text_raises(text: str) -> None:
    """Whatever the characters, there is an answer, its slices are exact and its ids are unique."""
    references, problems = parse(text, offset=7)
    assert all(text[(r.start or 0) - 7 : (r.end or 0) - 7] == r.raw for r in references)
    assert len({r.id for r in references}) == len(references)
    assert all(p.message for p in problems)


def test_half_a_surrogate_pair_is_survived() -> None:
    """Text cut in the middle of a character keeps its length and its offsets."""
    text = "Silva, A. 2020. A \ud83d title. Journal of Owls 12: 3-9."
    (reference,), _ = parse(text)
    assert reference.raw == text
    assert reference.id == "silva-2020"


_pieces = st.sampled_from(
    [
        "Silva, A. B.",
        "(2020)",
        "2019a.",
        " ",
        "\n",
        "\n\n",
        "[1]",
        "2.",
        "“A title”",
        "A title.",
        "In: ",
        "et al.",
        "&",
        "黄日涵",
        "pp. 1–9",
        "12(3)",
        "https://example.org/2020/01/02/x",
        "doi:10.1000/x",
        "doi: nonsense",
        "ISBN 123",
        "[Online],",
        "6 April.",
        "Available from:",
        "———.",
        "n.d.",
        "(eds.)",
        "Beijing: Press",
        "Accessed 3 May 2020",
        "‘",
        ")",
        "…",
        "\u00a0",
        "x" * 90,
        "IV",
        "\u2028",
        "٣",
        "²",
        "１２",
    ]
)


@given(pieces=st.lists(_pieces, max_size=40))
@settings(max_examples=250, deadline=None)
def test_no_jumble_of_real_pieces_raises(pieces: list[str]) -> None:
    """Pieces of real entries in any order are read as far as they go."""
    text = " ".join(pieces)
    references, _ = parse(text)
    assert all(text[r.start : r.end] == r.raw for r in references)
    csl, problems = parse_entry(text)
    assert csl["type"]
    assert all(p.start is not None and p.end is not None and 0 <= p.start <= p.end <= len(text) for p in problems)


@pytest.mark.parametrize(
    "hostile",
    [
        "(" * 20_000,
        "[1] " * 5_000,
        "Silva, A., " * 4_000,
        "10.1000/" + "x" * 30_000,
        "https://" * 4_000,
        "2020 " * 8_000,
        "\n" * 50_000,
        "a. " * 15_000,
        "Available from: " * 3_000,
        "6 April, " * 5_000,
        "«“‘" * 8_000,
        "— " * 20_000,
        "A" * 60_000,
        "- \n" * 15_000,
    ],
)
def test_hostile_text_takes_no_long_time(hostile: str) -> None:
    """Text made to send a parser astray is through in seconds."""
    begun = time.process_time()
    parse(hostile)
    assert time.process_time() - begun < 5


def test_time_grows_with_the_list_and_no_faster() -> None:
    """Four times the entries take about four times the time."""

    def seconds(count: int) -> float:
        text = "\n".join(
            f"Kim{i}, H., 2020. A book on the number {i}. Journal of Numbers, {i}(2), pp. 1-9." for i in range(count)
        )
        begun = time.process_time()
        assert len(parse(text)[0]) == count
        return time.process_time() - begun

    seconds(20)
    small, large = min(seconds(100) for _ in range(3)), min(seconds(400) for _ in range(2))
    assert large < 4 * small * 2.5
