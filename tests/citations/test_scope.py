"""Which text a citation covers: own claims stay the text's own, relayed ones go to their source."""

from __future__ import annotations

import pytest

from rag.citations import covering, link
from rag.types import Document, Reference

LIST = [
    Reference(n.lower(), {"author": [{"family": n, "given": "A."}], "issued": {"date-parts": [[2001]]}})
    for n in ("Adler", "Berg", "Crane")
] + [
    Reference(
        "atlas",
        {
            "author": [{"literal": "River Board"}],
            "issued": {"date-parts": [[2003]]},
            "title": "Atlas of the Lower Rivers",
        },
    )
]


def relayed(text: str, language: str = "en", references: list[Reference] = LIST) -> list[tuple[str, str]]:
    """Every scope of the text with what it leads to, in order, each once."""
    mentions, _ = link(Document("d", text, language=language), references)
    found = [(text[m.scope_start : m.scope_end], m.reference_id or "?") for m in mentions]
    return list(dict.fromkeys(found))


def test_a_closing_citation_covers_its_sentence() -> None:
    """The sentence that a citation closes is relayed, its neighbours are not."""
    text = "Dikes are dear. Storms broke four of them (Adler, 2001). Nobody knows why."
    assert relayed(text) == [("Storms broke four of them (Adler, 2001).", "adler")]


def test_each_of_several_citations_covers_its_own_clause() -> None:
    """Between two citations in a sentence the claim changes hands."""
    text = "The river rose in May (Adler, 2001), but it fell again in June (Berg, 2001)."
    assert relayed(text) == [
        ("The river rose in May (Adler, 2001", "adler"),
        ("but it fell again in June (Berg, 2001).", "berg"),
    ]


def test_works_side_by_side_cover_the_same_text() -> None:
    """Two works in one bracket carry one claim together."""
    text = "Dikes leak (Adler, 2001; Berg, 2001)."
    assert relayed(text) == [(text, "adler"), (text, "berg")]


def test_what_goes_on_behind_a_citation_is_the_texts_own() -> None:
    """A clause after the citation belongs to the author, unless only a lead-in stands before it."""
    text = "Storms broke four of the dikes (Adler, 2001), which was to be expected after such a winter."
    assert relayed(text) == [("Storms broke four of the dikes (Adler, 2001", "adler")]
    text = "According to the yearbook (Adler, 2001), storms broke four of the dikes."
    assert relayed(text) == [(text, "adler")]


@pytest.mark.parametrize(
    ("language", "text", "covered"),
    [
        ("en", "Adler (2001) blames storms. They broke dikes. The author also says that sand is weak. It is late.", 3),
        ("en", "Adler (2001) blames storms. She argues that sand is weak. Dikes are dear.", 2),
        ("en", "Storms broke the dikes (Adler, 2001). According to this view, sand is weak. Dikes are dear.", 2),
        ("es", "Adler (2001) culpa a la tormenta. Según ella, la arena es débil. Los diques son caros.", 2),
        ("pt", "Adler (2001) culpa a tempestade. A autora afirma que a areia é fraca. Os diques são caros.", 2),
        ("de", "Adler (2001) nennt den Sturm. Die Autorin betont auch den Sand. Deiche sind teuer.", 2),
        ("fr", "Adler (2001) accuse la tempête. Selon elle, le sable est faible. Les digues sont chères.", 2),
    ],
)
def test_a_narrative_citation_covers_the_sentences_that_go_on_reporting(language: str, text: str, covered: int) -> None:
    """As long as “the author also says …” it is still Adler; the first sentence that no longer reports is not."""
    sentences = [s.strip() + "." for s in text.rstrip(".").split(". ")]
    found = relayed(text, language)
    expected = 1 if covered == 3 else covered  # "They broke dikes" reports nothing, so the chain ends there
    assert found == [(" ".join(sentences[:expected]), "adler")]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "A new gauge was set up in 1990. However, the gauge is too small (Adler, 2001)."),
        ("en", "The board bought twelve barges. These giants now lie in port (Adler, 2001)."),
        ("en", "The board wants dry cellars. To achieve this, the mayor hired divers (Adler, 2001)."),
        ("en", "A gauge was set up at the mill. Readings of the gauge are kept in a tin box (Adler, 2001)."),
        ("es", "Se instaló un medidor nuevo. Sin embargo, es pequeño (Adler, 2001)."),
        ("pt", "Um novo medidor foi instalado. Esse medidor é pequeno (Adler, 2001)."),
        ("de", "Ein neuer Pegel wurde gebaut. Dieser Pegel ist zu klein (Adler, 2001)."),
        ("fr", "Un nouveau repère fut posé. Cependant, le repère est petit (Adler, 2001)."),
    ],
)
def test_a_closing_citation_reaches_back_while_sentences_hang_together(language: str, text: str) -> None:
    """A sentence that cannot stand without the one before it takes that one under its citation."""
    assert relayed(text, language) == [(text, "adler")]


@pytest.mark.parametrize(
    "text",
    [
        "We set up a new gauge in 1990. However, the gauge is too small (Adler, 2001).",
        "A new gauge was set up in 1990. Ships come from Utopia (Adler, 2001).",
        "A new gauge was set up in 1990.\n\nHowever, the gauge is too small (Adler, 2001).",
        "A new gauge was set up. However, the gauge was read as described by the makers (Adler, 2001).",
        "Is the gauge too small? However, the gauge is read twice a day (Adler, 2001).",
        "Both gauges were read by hand. These readings follow the handbook of Adler (Adler, 2001).",
    ],
)
def test_it_does_not_reach_over_what_is_the_texts_own(text: str) -> None:
    """First persons, an unconnected sentence, a new paragraph, a method or a question stop it at its own sentence."""
    ((scope, _),) = relayed(text)
    assert scope == text.replace("?", ".").replace("\n\n", " ").split(". ", 1)[1]


def test_it_stops_at_another_citations_text() -> None:
    """A sentence with its own citation, or one that points back at it, is not taken over by the next citation."""
    text = "Dikes leak (Berg, 2001). Such leaks are rare. However, the leaks are deep (Adler, 2001)."
    assert relayed(text) == [
        ("Dikes leak (Berg, 2001).", "berg"),
        ("However, the leaks are deep (Adler, 2001).", "adler"),
    ]


def test_a_title_covers_its_sentence_and_what_reports_on() -> None:
    """A work named by its title is the source of the sentences that go on about "the report"."""
    text = (
        "Another source is the “Atlas of the Lower Rivers” of that year. The report also shows the dikes. "
        "Dikes are dear."
    )
    assert relayed(text) == [(text.removesuffix(" Dikes are dear."), "atlas")]


def test_covering_wants_most_of_the_sentence() -> None:
    """A sentence is relayed when its citations cover at least half of it, and its author's own otherwise."""
    text = "Rain fell on all dikes (Adler, 2001), and so it seems wise to plan for a far wetter spring than the last."
    mentions, _ = link(Document("d", text, language="en"), LIST)
    assert covering(mentions, 0, len(text)) == ()
    text = "The river rose in May (Adler, 2001), but it fell in June (Berg, 2001)."
    mentions, _ = link(Document("d", text, language="en"), LIST)
    assert [m.reference_id for m in covering(mentions, 0, len(text))] == ["adler", "berg"]
    assert [m.reference_id for m in covering(mentions, 0, text.index(","))] == ["adler"]
    assert [m.reference_id for m in covering(mentions, text.index("but"), len(text))] == ["berg"]
