"""The audit: one list of what is wrong between a text and its bibliography."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rag.citations import KINDS, audit, link
from rag.types import Document, Problem, Reference


def entry(key: str, family: str, *date: int, problems: tuple[Problem, ...] = ()) -> Reference:
    """An entry of one author; `date` is year, month, day as far as known."""
    csl = {"author": [{"family": family, "given": "A."}], **({"issued": {"date-parts": [list(date)]}} if date else {})}
    return Reference(key, csl, f"{family}, A.", problems=problems)


def kinds(text: str, *references: Reference, language: str = "en") -> list[str]:
    """The kinds found, in order."""
    document = Document("d", text, language=language)
    mentions, _ = link(document, references)
    return [p.kind for p in audit(document, references, mentions)]


def test_a_clean_text_has_no_problems() -> None:
    """Where text and list agree, nothing is reported."""
    assert kinds("Salt (Adler, 2011).", entry("a", "Adler", 2011)) == []


def test_cited_and_listed_are_held_against_each_other() -> None:
    """What is cited and not listed, and what is listed and never cited, are both found."""
    found = kinds("Salt (Adler, 2011). Tin (Zorn, 2003).", entry("a", "Adler", 2011), entry("b", "Berg", 1999))
    assert found == ["cited-but-not-listed", "listed-but-never-cited"]


def test_without_any_citation_it_cannot_tell() -> None:
    """A text in which nothing could be read gets one "cannot tell", not an accusation for each entry."""
    assert kinds("Nothing is cited here.", entry("a", "Adler", 2011), entry("b", "Berg", 1999)) == ["cannot-tell"]


def test_without_a_bibliography_it_cannot_tell() -> None:
    """Where no list was read, no citation is accused of missing from it."""
    assert kinds("Salt (Adler, 2011). Tin (Zorn, 2003).") == ["cannot-tell"]


def test_problems_of_the_entries_are_in_the_same_list() -> None:
    """What parsing found wrong with an entry stands beside what linking found."""
    own = Problem("missing-title", "No title could be told.", start=40, end=60, reference_id="a")
    assert kinds("Salt (Adler, 2012).", entry("a", "Adler", 2011, problems=(own,))) == [
        "year-mismatch",
        "missing-title",
    ]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("On 16 April the board met (Adler, 2024).", "en"),
        ("On April 16, 2024, the board met (Adler, 2024).", "en"),
        ("The board met in May 2024 (Adler, 2024).", "en"),
        ("La junta se reunió el 16 de abril de 2024 (Adler, 2024).", "es"),
        ("O conselho reuniu-se em 16 de abril (Adler, 2024).", "pt"),
        ("Am 16. April trat der Rat zusammen (Adler, 2024).", "de"),
        ("Le conseil s’est réuni le 16 avril (Adler, 2024).", "fr"),
    ],
)
def test_an_entry_cannot_report_what_came_after_it(text: str, language: str) -> None:
    """An entry of 6 April cited for what happened later is reported, in six ways of writing a date."""
    assert kinds(text, entry("a", "Adler", 2024, 4, 6), language=language) == ["entry-dated-before-event"]


def test_a_year_alone_is_held_against_a_dated_event_of_the_year_behind_it() -> None:
    """An entry of 2023 cannot report a day of 2024; of other years, and among other citations, nothing is said."""
    entries = (entry("a", "Adler", 2023), entry("b", "Berg", 2023))
    assert kinds("On 16 April 2024 the board met (Adler, 2023).", entries[0]) == ["entry-dated-before-event"]
    assert kinds("In 2024 the board met (Adler, 2023).", entries[0]) == []
    assert kinds("On 16 April 2034 the board met (Adler, 2023).", entries[0]) == []
    assert kinds("On 16 April 2024 the board met (Adler, 2023; Berg, 2023).", *entries) == []


@pytest.mark.parametrize(
    "text",
    [
        "On 3 April the board met (Adler, 2024).",
        "The board met in April 2024 (Adler, 2024).",
        "The board met in 2025 (Adler, 2024).",
        "The board will meet on 16 April (Adler, 2024).",
        "The board met on 16 April. It rained in March 2024 (Adler, 2024).",
        "The board may meet (Adler, 2024).",
    ],
)
def test_dates_that_agree_or_cannot_be_compared_are_left_alone(text: str) -> None:
    """Earlier days, the entry's own month, bare years, plans and other sentences' dates are no contradiction."""
    assert kinds(text, entry("a", "Adler", 2024, 4, 6)) == []


def test_every_kind_is_explained_and_none_accuses() -> None:
    """Each kind has a severity, a title and whole sentences; no message calls a work invented."""
    for kind, (severity, title, explanation) in KINDS.items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind)
        assert severity in {"error", "warning", "info"}
        assert title
        assert explanation.endswith(".")
        assert not re.search(r"fake|invented|fabricat|fraud", title + explanation, re.IGNORECASE)


def test_the_table_knows_every_kind_that_parsing_reports() -> None:
    """No kind named in the bibliography room is missing from the table that people are shown."""
    sources = (Path(__file__).parents[2] / "rag/bibliography").glob("*.py")
    pattern = re.compile(r'(?:Problem|report)\(\s*"([a-z]+(?:-[a-z]+)+)"')
    named = {kind for source in sources for kind in pattern.findall(source.read_text(encoding="utf-8"))}
    assert {"missing-date", "duplicate-entry"} <= named
    assert named <= KINDS.keys()
