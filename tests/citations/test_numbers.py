"""Numbered citations in every notation, and the numbers that are none."""

from __future__ import annotations

import pytest

from rag.citations import link
from rag.types import Document, Reference

NAMES = ["Adler", "Berg", "Crane", "Dorn", "Egan", "Frith", "Gould", "Hahn", "Irwin", "Joyce"]
NUMBERED = [
    Reference(f"r{i}", {"author": [{"family": n, "given": "A."}], "issued": {"date-parts": [[1990 + i]]}}, label=str(i))
    for i, n in enumerate(NAMES, 1)
]
PLAIN = [Reference(r.id, r.csl) for r in NUMBERED]


def links(text: str, references: list[Reference] = NUMBERED) -> list[tuple[str, str | None]]:
    """The characters of each mention and the entry it leads to."""
    mentions, _ = link(Document("d", text, language="en"), references)
    return [(text[m.start : m.end], m.reference_id) for m in mentions]


def test_brackets_lists_and_ranges() -> None:
    """Every number of a bracket has its own span; each member of a range has the range's."""
    text = "One [1]. Two [2, 4]. Three [5–7]. Four [8]–[10]. Five [3, p. 12]. Six [see 9]."
    assert links(text) == [
        *[("1", "r1"), ("2", "r2"), ("4", "r4")],
        *[("5–7", "r5"), ("5–7", "r6"), ("5–7", "r7")],
        *[("8]–[10", "r8"), ("8]–[10", "r9"), ("8]–[10", "r10")],
        *[("3", "r3"), ("9", "r9")],
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Seas rise¹. Ice melts.² Winds turn³,⁴ and rains⁵⁻⁷ fall. Fogs⁸, hails⁹ and snows¹⁰.",
        "Seas rise^1. Ice melts.^2 Winds turn^3,4 and rains^5-7 fall. Fogs^8, hails^9 and snows^10.",
        "Seas rise1. Ice melts.2 Winds turn3,4 and rains5-7 fall. Fogs8, hails9 and snows10.",
        "Seas rise (1). Ice melts (2). Winds turn (3, 4) and rains (5-7) fall. Fogs (8), hails (9) and snows (10).",
    ],
)
@pytest.mark.parametrize("references", [NUMBERED, PLAIN])
def test_superscripts_in_all_their_written_forms(text: str, references: list[Reference]) -> None:
    """Raised digits, carets, digits glued to words and round brackets lead to the same ten entries."""
    assert [reference for _, reference in links(text, references)] == [f"r{i}" for i in range(1, 11)]


def test_numbers_that_are_no_citations_stay_out() -> None:
    """Intervals, years, formulas, figures and decimals are not read as numbers of the list."""
    text = "So [1], [2] and [3]. At [4, 5] mm, in [0.2, 0.8], NbCl5 (Figure 6), since [2009], [sic] in file S7."
    assert links(text) == [("1", "r1"), ("2", "r2"), ("3", "r3")]


def test_a_number_past_the_list_is_cited_and_not_listed() -> None:
    """A bracket whose number the list lacks is reported, in its place, and leads nowhere."""
    text = "So [1], [2], [3] and [12]."
    mentions, problems = link(Document("d", text, language="en"), NUMBERED)
    assert [(m.reference_id, m.resolution) for m in mentions][-1] == (None, "missing")
    assert [(p.kind, text[p.start : p.end]) for p in problems] == [("cited-but-not-listed", "12")]


def test_a_text_that_cites_by_year_keeps_its_bracketed_notes_apart() -> None:
    """Against an unnumbered list cited by author and year, a stray "[1]" is no citation."""
    text = "Salt (Adler, 1991). Tin (Berg, 1992; Crane, 1993). Lead [1] is grey."
    assert links(text, PLAIN) == [("Adler, 1991", "r1"), ("Berg, 1992", "r2"), ("Crane, 1993", "r3")]


def test_an_unnumbered_list_counts_entries_that_were_run_together() -> None:
    """Where the text cites past the list's end, an entry with a blank line in it counts as two."""
    merged = [*PLAIN[:2], Reference("both", {}, "Crane, A. Winds.\n\nhttps://dorn.example/winds"), *PLAIN[4:6]]
    assert links("So [1], [2], [3], [4], [5] and [6].", merged) == [
        *[("1", "r1"), ("2", "r2"), ("3", "both"), ("4", "both"), ("5", "r5"), ("6", "r6")]
    ]


def test_lists_with_keys_are_cited_by_key() -> None:
    """A bracket of keys leads to the entries that the list labels so; other brackets stay words."""
    keyed = [
        Reference(r.id, r.csl, label=f"{n[:3]}{91 + i}") for i, (r, n) in enumerate(zip(PLAIN[:3], NAMES, strict=False))
    ]
    text = "Salt [Adl91]. Tin [Ber92, Cra93, p. 4]. Lead [sic] and so on [see above]."
    assert links(text, keyed) == [("Adl91", "r1"), ("Ber92", "r2"), ("Cra93", "r3")]


def test_exponents_and_charges_are_no_citations() -> None:
    """A raised number behind a figure, a unit, a symbol or before a charge belongs to it."""
    text = "Seas rise¹. Of 12 km² and 10⁶ m³ most went²; R² was high, Ca²⁺ low, and ice fell by 3 cm³ a year⁴."
    assert links(text) == [("¹", "r1"), ("²", "r2"), ("⁴", "r4")]
