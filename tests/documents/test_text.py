"""Plain text and raw web exports become documents: nothing of the article is lost, nothing of the page is kept."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rag.documents import is_bibliography, is_document, is_source, known_of, read, slug
from rag.errors import DocumentError
from rag.sentences import split as split_sentences
from rag.types import Document

ARTICLE = Path(__file__).parents[2].parent / "shared" / "corpus" / "article.txt"

EXPORT = """top of page

Home

About

Log in / Sign up

Maria Teles

Jun 3, 2023

5 min read

Rivers of Silicon: Who Pays for the Water of Data Centres?

Updated: Jul 18, 2023


Data centres drink. A single hall of servers may evaporate as much water in a summer's day as a town of ten
thousand people, and few of their owners say how much (Okafor, 2021).\u00a0


Where the water goes\u00a0


Cooling towers lose water to the air. Comments from operators suggest that the share will grow.

Home, says one engineer, is where the meter is.

Advertisement

- evaporation
- blow-down
- leaks


Is there a cheaper way?


Closed loops cost more\u200b electricity (Lindqvist and Amsel, 2020). They save water, and its price rises.


ABOUT THE AUTHOR


Maria Teles is a hydrologist at the University of Coimbra. She writes about rivers.

This article was edited by John Carpenter.


BIBLIOGRAPHY


Lindqvist, B. and Amsel, P., 2020. Loops. Journal of Cooling, 3(2), pp. 1-9.

\u00a0

Okafor, N., 2021. Thirsty machines. Lagos: Delta Press. Available from: https://example.org/thirsty

12 views0 comments

Recent Posts

See All

How the tide turned for small dams

댓글

Write a comment...

bottom of page
"""

GERMAN = """Zum Inhalt springen
Startseite | Über uns | Kontakt

Wem gehört der Regen?

Von Anna Lehmann und Karl Brandt
Veröffentlicht am 12. März 2021 · 7 Min. Lesezeit

Der Regen fällt auf alle, doch das Wasser gehört nicht allen. Seit zwei Jahren streiten die Gemeinden darüber.

Ein alter Streit

Schon im Mittelalter gab es Wasserrechte, die an Mühlen gebunden waren (Vogt 2009). Heute sind es Rechenzentren.

Literatur

Vogt, M. (2009): Mühlen und Macht. München: Beck.
Zander, P. (2015): Regenrecht. In: Zeitschrift für Wasser 12, S. 3–19.

Teilen
Kommentare
© 2021 Regenblatt. Alle Rechte vorbehalten.
Nach oben
"""

CHINESE = """返回首页

数据中心的水从哪里来

作者：王小明
发布时间：2023-05-06
阅读 1024

数据中心消耗大量的水。一个大型机房在夏天一天蒸发的水相当于一座小镇的用水量，而很少有经营者公布数字（李，2020）。

一、冷却塔

冷却塔把水散失到空气中。随着模型变大，用水量还会增加，这是许多工程师的共识。

参考文献

[1] 李明. 冷却的代价[J]. 水利学报, 2020, 12(3): 1-9.
[2] 赵强. 机房用水[M]. 北京: 水利出版社, 2018.

分享
评论
返回顶部
"""

WRAPPED = """ON THE USE OF SMALL DAMS
========================

By R. Q. Fenwick

Small dams were once thought to be harmless.  They hold little water and
flood few fields, and their builders asked nobody's leave.

1. Method

We counted dams on maps drawn between 1900 and 1950, and compared the
counts with the flow at four gauges.

REFERENCES

Harker, J. 1998. Upper valleys and their waters. Journal of Small
    Things 4: 12-40.
Moss, K. & Reed, T. 2001. Gauges. Oxford: Clay Press.
Quill, A. 1987. Maps of nothing much, with an appendix on the valleys
    that nobody visits. London: Ink.
"""


def document(text: str, name: str = "export.txt", **given: object) -> Document:
    """What `read` makes of `text`."""
    return read(Path(name), data=text.encode(), **given)  # type: ignore[arg-type]


def outline(found: Document) -> list[tuple[str, str]]:
    """The sections as (kind, title)."""
    return [(s.kind, s.title) for s in found.sections]


def test_an_export_gives_title_sections_author_and_date() -> None:
    """A raw export has its title, its sections in order with their kinds, its author with the place, its date."""
    found = document(EXPORT)
    title = "Rivers of Silicon: Who Pays for the Water of Data Centres?"
    assert found.title == title
    assert outline(found) == [
        ("front", ""),
        ("body", title),
        ("body", "Where the water goes"),
        ("body", "Is there a cheaper way?"),
        ("author-note", "ABOUT THE AUTHOR"),
        ("bibliography", "BIBLIOGRAPHY"),
    ]
    assert [a.name for a in found.authors] == ["Maria Teles"]
    assert found.text[found.authors[0].start : found.authors[0].end] == "Maria Teles"
    assert found.date == "2023-06-03"
    assert found.language == "en"


def test_furniture_goes_and_is_named() -> None:
    """Buttons, counters and titles of other pages leave the text, and each is quoted in a problem."""
    found = document(EXPORT)
    (problem,) = [p for p in found.problems if p.kind == "furniture-removed"]
    for line in ["top of page", "Log in / Sign up", "5 min read", "Advertisement", "12 views0 comments", "댓글",
                 "How the tide turned for small dams", "bottom of page"]:  # fmt: skip
        assert line not in found.text
        assert line in problem.message


def test_prose_that_speaks_of_furniture_stays() -> None:
    """Sentences that hold words of furniture are sentences."""
    found = document(EXPORT)
    assert "Home, says one engineer, is where the meter is." in found.text
    assert "Comments from operators suggest that the share will grow." in found.text


def test_paragraphs_are_parted_by_one_blank_line() -> None:
    """Wrapped lines are joined, list items keep their lines, and nothing but one blank line parts two blocks."""
    text = document(EXPORT).text
    assert "as a town of ten thousand people" in text
    assert "\n\n- evaporation\n- blow-down\n- leaks\n\n" in text
    assert "\n\n\n" not in text
    assert not re.search(r"[^\S\n]{2}|[^\S\n]\n|[\u00a0\u200b]", text)


@pytest.mark.parametrize(
    ("text", "title", "authors", "date", "language", "entries"),
    [
        (GERMAN, "Wem gehört der Regen?", ["Anna Lehmann", "Karl Brandt"], "2021-03-12", "de", 2),
        (CHINESE, "数据中心的水从哪里来", ["王小明"], "2023-05-06", "zh", 2),
        (WRAPPED, "ON THE USE OF SMALL DAMS", ["R. Q. Fenwick"], None, "en", 3),
    ],
)
def test_other_languages_and_layouts(
    text: str, title: str, authors: list[str], date: str | None, language: str, entries: int
) -> None:
    """German, Chinese and hard-wrapped exports give the same things, the entries of the list one a paragraph."""
    found = document(text)
    assert (found.title, [a.name for a in found.authors], found.date, found.language) == (
        title,
        authors,
        date,
        language,
    )
    (span,) = found.bibliography()
    assert len(span.of(found.text).split("\n\n")) == entries


def test_a_list_and_a_note_without_headings_are_found() -> None:
    """A reference list and a note about the author at the end are sections even when nothing announces them."""
    found = document(
        "The dams are small. They were built by farmers who needed water for a few dry weeks each year.\n\n"
        "Jane Ardley is a senior researcher at the Institute for Small Things in Leeds.\n\n"
        "Harker, J. (1998). Upper valleys and their waters. Journal of Small Things, 4, 12-40.\n\n"
        "Moss, K. (2001). Gauges. Oxford: Clay Press. https://example.org/gauges\n\n"
        "Quill, A. (1987). Maps of nothing much. London: Ink, pp. 1-90.\n"
    )
    assert [s.kind for s in found.sections] == ["body", "author-note", "bibliography"]
    assert [a.name for a in found.authors] == ["Jane Ardley"]
    assert found.bibliography()[0].of(found.text).startswith("Harker")


def test_an_editor_is_no_author() -> None:
    """Whoever edited the text is not among its authors."""
    found = document("A title\n\nSome prose that goes on for long enough to be prose.\n\n"
                     "About the author\n\nThis article was edited by John Carpenter.\n")  # fmt: skip
    assert found.authors == ()


def test_a_date_without_a_year_is_no_date() -> None:
    """The date "Updated: Jun 18" cannot be placed in time; the document has no date and a problem says why."""
    found = document("Dams of the north\n\nUpdated: Jun 18\n\nThey were built by farmers who needed water in May.\n")
    assert found.date is None
    assert [p.kind for p in found.problems] == ["furniture-removed", "date-incomplete"]


def test_what_is_known_wins(tmp_path: Path) -> None:
    """The sidecar's title, authors, date and language stand before what the text says."""
    path = tmp_path / "rivers.txt"
    path.write_text(EXPORT, encoding="utf-8")
    path.with_suffix(".toml").write_text(
        'title = "Rivers"\nauthors = ["Maria Teles", "Ana Sousa"]\ndate = 2024-02-01\nlanguage = "en-GB"\n'
        'address = "https://example.org/rivers"\n'
    )
    found = read(path, known=known_of(path))
    assert (found.title, found.date, found.language) == ("Rivers", "2024-02-01", "en-GB")
    assert found.address == "https://example.org/rivers"
    assert [a.name for a in found.authors] == ["Maria Teles", "Ana Sousa"]
    assert found.text[found.authors[0].start : found.authors[0].end] == "Maria Teles"
    assert found.authors[1].start is None
    assert found.id == "rivers"


@pytest.mark.parametrize("said", ["title = Rivers of", "title = 7", "authors = 7", "authors = [1, 2]"])
def test_a_broken_sidecar_is_named(tmp_path: Path, said: str) -> None:
    """A sidecar that is no TOML, or says a thing in a way that means nothing, is an error that names it."""
    (tmp_path / "rivers.toml").write_text(said)
    with pytest.raises(DocumentError, match=r"rivers\.toml"):
        known_of(tmp_path / "rivers.txt")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
def test_encodings_of_western_text(encoding: str) -> None:
    """The same German text reads the same in every encoding that can hold it."""
    text = GERMAN.replace("–", "-").replace("·", "|")
    assert read(Path("a.txt"), data=text.encode(encoding)).text == document(text).text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("gb18030", CHINESE),
        ("big5", "數據中心消耗大量的水。一個大型機房在夏天一天蒸發的水相當於一座小鎮的用水量。"),
        ("shift_jis", "データセンターは大量の水を使う。夏の一日に町一つ分の水が蒸発することもある。"),
        ("euc_kr", "작은 댐이 다시 늘고 있다. 장어는 강을 거슬러 올라가야 한다. 연구자들은 물길을 따로 내야 한다."),
        ("koi8_r", "Маленькие плотины снова строят. Угри должны подниматься по реке, и плотина для них стена."),
        ("cp1251", "Маленькие плотины снова строят. Угри должны подниматься по реке, и плотина для них стена."),
        ("cp1250", "Zażółć gęślą jaźń. Małe tamy znowu powstają na rzekach, a węgorze muszą płynąć pod prąd."),
        ("cp1253", "Τα μικρά φράγματα χτίζονται ξανά και τα χέλια πρέπει να ανεβαίνουν το ποτάμι."),
        ("cp1252", "Señor Muñoz says “the weir” costs 5 € – more or less – and naïve coöperation. ¿Qué? 3½ cups."),
    ],
)
def test_old_encodings(encoding: str, text: str) -> None:
    """Text in an encoding of its country reads as it does in UTF-8, and the guess is told."""
    found = read(Path("a.txt"), data=text.encode(encoding))
    assert found.text == document(text).text
    assert "encoding-guessed" in [p.kind for p in found.problems]


@pytest.mark.parametrize(
    "data", [b"", b" \n\t\r\n", b"\xef\xbb\xbf", b"\x00" * 100, b"\x00\x01\x02\x03" * 64, b"\x89PNG\r\n\x1a\n...."]
)
def test_what_is_no_text_is_refused(data: bytes) -> None:
    """Empty files, binary files and pictures are refused with an error that names the file."""
    with pytest.raises(DocumentError, match=r"note\.txt"):
        read(Path("note.txt"), data=data)


def test_files_of_a_collection() -> None:
    """Documents and bibliographies are told apart; sidecars, hidden files and READMEs are neither."""
    assert all(is_document(Path(n)) for n in ["a.txt", "b.pdf", "c.unknown", "no-suffix"])
    assert all(is_bibliography(Path(n)) and is_source(Path(n)) for n in ["a.bib", "b.RIS", "c.json"])
    assert not any(is_source(Path(n)) for n in ["a.toml", ".hidden", "README.md", "~$a.docx", "a.txt~"])
    assert slug("Li & Wang (2024) 中文") == "li-wang-2024-中文"
    assert slug("…") == "document"


def check(found: Document) -> None:
    """The promises of every document: sections in order without gaps, spans inside, bylines where they say."""
    text = found.text
    position = 0
    for section in found.sections:
        assert section.start == position
        assert section.start <= section.body_start <= section.end <= len(text)
        assert text[section.start : section.body_start].strip() in {section.title, ""}
        position = section.end
    assert position == len(text)
    for author in found.authors:
        if author.start is not None:
            assert text[author.start : author.end] == author.name
    for page in found.pages:
        assert 0 <= page.start <= page.end <= len(text)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=600))
@example(b"\xff\xfe\x00")
@example(b"PK\x03\x04 not a zip")
@example(b"%PDF-1.7 not a pdf")
@example("Title\n\nBy A\n\n\u2028\x1c\x85 x".encode())
def test_any_bytes(data: bytes) -> None:
    """Whatever the bytes, reading ends in a sound document or in a DocumentError."""
    try:
        check(read(Path("any.txt"), data=data))
    except DocumentError as error:
        assert "any.txt" in str(error)  # noqa: PT017


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=800))
def test_any_text(text: str) -> None:
    """Whatever the characters, the document is sound and the same twice over."""
    for name in ["a.txt", "a.md"]:
        try:
            found = document(text, name)
        except DocumentError:
            continue
        check(found)
        assert document(text, name) == found


_word = st.text(st.characters(codec="utf-8", categories=["Lu", "Ll", "Nd"]), min_size=1, max_size=9)
_sentence = st.lists(_word, min_size=7, max_size=25).map(lambda words: " ".join(words) + ".")
_prose = st.lists(st.lists(_sentence, min_size=2, max_size=5).map(" ".join), min_size=1, max_size=6)


@settings(max_examples=150, deadline=None)
@given(_prose)
def test_every_word_of_prose_survives(paragraphs: list[str]) -> None:
    """Prose keeps all its words in their order, and reading the stored text again changes nothing."""
    raw = "A plain heading\n\n" + "\n\n".join(paragraphs)
    try:
        found = document(raw)
    except DocumentError as error:
        pytest.fail(str(error))
    plain = re.sub("[ﬀ-ﬆ]", lambda m: unicodedata.normalize("NFKC", m[0]), unicodedata.normalize("NFC", raw))
    assert found.text.split() == plain.split()
    assert document(found.text).text == found.text


article = pytest.mark.skipif(not ARTICLE.exists(), reason=f"the article is not here: {ARTICLE}")


@article
def test_the_article_has_its_parts() -> None:
    """The first article: title, sections with their kinds, the author where the text names him, no date, English."""
    found = read(ARTICLE)
    assert found.title == "China’s Vision of Generative Artificial Intelligence"
    assert outline(found) == [
        ("body", "China’s Vision of Generative Artificial Intelligence"),
        ("body", "China’s AI in Context"),
        ("body", "China’s vision of AI"),
        ("body", "What’s next?"),
        ("body", "Conclusion"),
        ("author-note", "ABOUT THE AUTHOR"),
        ("bibliography", "BIBLIOGRAPHY"),
    ]
    (author,) = found.authors
    assert author.name == "Pietro Damiani"
    assert found.text[author.start : author.end] == "Pietro Damiani"
    assert (found.date, found.language) == (None, "en")
    check(found)


@article
def test_the_article_keeps_every_sentence_and_no_furniture() -> None:
    """Each sentence of the article stands in the stored text; what went is page furniture alone."""
    found = read(ARTICLE)
    raw = ARTICLE.read_text(encoding="utf-8")
    begin, end = raw.index("Ever since"), raw.index("138 views")
    for span in split_sentences(raw, begin, end, "en"):
        assert " ".join(span.of(raw).split()) in found.text
    removed = {"top of page", "Updated: Jun 18", "138 views0 comments", "댓글", "bottom of page"}
    assert {line.strip() for line in raw.splitlines() if line.strip()} - removed == set(raw_lines(found, raw))
    assert not any(line in found.text for line in removed)


def raw_lines(found: Document, raw: str) -> list[str]:
    """The raw lines whose words all stand, in order, in the stored text."""
    return [line.strip() for line in raw.splitlines() if line.strip() and " ".join(line.split()) in found.text]


@article
def test_the_article_has_its_whole_bibliography() -> None:
    """All 17 entries stand in the bibliography, one a paragraph, the last ending in "21 May."."""
    found = read(ARTICLE)
    (span,) = found.bibliography()
    entries = span.of(found.text).split("\n\n")
    assert len(entries) == 17
    assert entries[0].startswith("Allen, G. C., 2022.")
    assert entries[-1].endswith("21 May.")
