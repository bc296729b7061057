"""In-text citations by author and year, by title and in notes, each with its exact span and its entry."""

from __future__ import annotations

import pytest

from rag.citations import link
from rag.types import Document, Mention, Reference, Section


def entry(key: str, raw: str, *people: str, year: int | None = None, suffix: str = "", title: str = "") -> Reference:
    """An entry as a parser would give it: "Family, Given" for persons, "=Name" for bodies."""
    authors = [
        {"literal": p[1:]} if p.startswith("=") else dict(zip(("family", "given"), p.split(", "), strict=False))
        for p in people
    ]
    csl: dict[str, object] = {"author": authors, "title": title}
    if year:
        csl["issued"] = {"date-parts": [[year]]}
    if suffix:
        csl["year-suffix"] = suffix
    return Reference(key, csl, raw)


LIST = [
    entry("adler", "Adler, B., 2011. Salt.", "Adler, B.", year=2011, title="Salt"),
    entry("adler-crane", "Adler, B. and Crane, D., 2011. Tin.", "Adler, B.", "Crane, D.", year=2011, title="Tin"),
    entry(
        "adler-and-more",
        "Adler, B., Egan, F., Frith, G., 2011. Zinc.",
        "Adler, B.",
        "Egan, F.",
        "Frith, G.",
        year=2011,
        title="Zinc",
    ),
    entry("hahn-a", "Hahn, I., 2004a. One.", "Hahn, I.", year=2004, suffix="a", title="One"),
    entry("hahn-b", "Hahn, I., 2004b. Two.", "Hahn, I.", year=2004, suffix="b", title="Two"),
    entry("hahn-2009", "Hahn, I., 2009. Three.", "Hahn, I.", year=2009, title="Three"),
    entry("berg", "van der Berg, K., 1999. Dikes.", "van der Berg, K.", year=1999, title="Dikes"),
    entry("lopez", "López García, M., 2015. Ríos.", "López García, M.", year=2015, title="Ríos"),
    entry("obrien", "O’Brien, P., 2018. Bogs.", "O’Brien, P.", year=2018, title="Bogs"),
    entry("chen", "Chen, W. 陈伟, Lin, M. 林美, 2020. Rivers.", "Chen, W.", "Lin, M.", year=2020, title="Rivers"),
    entry("office", "Utopia. Office of River Affairs, 2016. Plan.", "=Utopia. Office of River Affairs", year=2016),
    entry("academy", "National Academy of Dikes (NAD), 2017. Norms.", "=National Academy of Dikes", year=2017),
    entry("undated", "Moss, R., n.d. Peat.", "Moss, R.", title="Peat"),
    entry("classic", "Weir, T., 1988 [1934]. Locks.", "Weir, T.", year=1988, title="Locks and Levels"),
]


def links(text: str, references: list[Reference] = LIST, language: str | None = "en") -> list[tuple[str, str | None]]:
    """What was found: the characters of each mention and the entry it leads to."""
    mentions, _ = link(Document("d", text, language=language), references)
    return [(text[m.start : m.end], m.reference_id) for m in mentions]


def only(text: str, references: list[Reference] = LIST) -> Mention:
    """The single mention of a text."""
    (mention,) = link(Document("d", text, language="en"), references)[0]
    return mention


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Salt keeps (Adler, 2011).", [("Adler, 2011", "adler")]),
        ("Salt keeps (Adler 2011).", [("Adler 2011", "adler")]),
        ("Tin melts (Adler & Crane, 2011).", [("Adler & Crane, 2011", "adler-crane")]),
        ("Tin melts (Adler and Crane 2011: 14).", [("Adler and Crane 2011", "adler-crane")]),
        ("Estanho funde (ADLER; CRANE, 2011, p. 7).", [("ADLER; CRANE, 2011", "adler-crane")]),
        ("El estaño (Adler y Crane, 2011).", [("Adler y Crane, 2011", "adler-crane")]),
        ("Zinn (Adler und Crane 2011, S. 4).", [("Adler und Crane 2011", "adler-crane")]),
        ("L’étain (Adler et Crane, 2011).", [("Adler et Crane, 2011", "adler-crane")]),
        ("Zinc rusts (Adler et al., 2011).", [("Adler et al., 2011", "adler-and-more")]),
        ("O zinco (Adler e colaboradores, 2011).", [("Adler e colaboradores, 2011", "adler-and-more")]),
        ("Adler, Egan and Frith (2011) say so.", [("Adler, Egan and Frith (2011)", "adler-and-more")]),
        ("According to Adler (2011, p. 3) it does.", [("Adler (2011", "adler")]),
        ("See Adler’s (2011) book.", [("Adler’s (2011)", "adler")]),
        ("It follows Adler’s well-known test (2011) here.", [("Adler’s well-known test (2011)", "adler")]),
        ("Two (Hahn, 2004a, b).", [("Hahn, 2004a", "hahn-a"), ("b", "hahn-b")]),
        ("Three (Hahn, 2004b, 2009).", [("Hahn, 2004b", "hahn-b"), ("2009", "hahn-2009")]),
        ("Hahn (2004a) and (2009).", [("Hahn (2004a)", "hahn-a"), ("2009", "hahn-2009")]),
        ("Dikes (van der Berg, 1999).", [("van der Berg, 1999", "berg")]),
        ("Dikes (Berg, 1999).", [("Berg, 1999", "berg")]),
        ("Ríos (López García, 2015; Lopez, 2015).", [("López García, 2015", "lopez"), ("Lopez, 2015", "lopez")]),
        ("Salt (B. Adler, 2011; Adler, B., 2011).", [("B. Adler, 2011", "adler"), ("Adler, B., 2011", "adler")]),
        ("Adler et al.’s (2011) zinc.", [("Adler et al.’s (2011)", "adler-and-more")]),
        ("研究表明（Adler等，2011）。", [("Adler等，2011", "adler-and-more")]),
        ("Bogs (O'Brien, 2018).", [("O'Brien, 2018", "obrien")]),
        ("Wei Chen and Mei Lin (2020) agree.", [("Wei Chen and Mei Lin (2020)", "chen")]),
        ("Chen Wei and Lin Mei (2020) agree.", [("Chen Wei and Lin Mei (2020)", "chen")]),
        ("研究表明（陈伟、林美，2020）。", [("陈伟、林美，2020", "chen")]),
        ("The plan (Office of River Affairs, 2016).", [("Office of River Affairs, 2016", "office")]),
        ("The norms (NAD, 2017).", [("NAD, 2017", "academy")]),
        ("The National Academy of Dikes (2017) says.", [("National Academy of Dikes (2017)", "academy")]),
        ("Peat (Moss, n.d.).", [("Moss, n.d.", "undated")]),
        ("Locks (Weir, 1988 [1934]).", [("Weir, 1988 [1934]", "classic")]),
        ("As Locks and Levels (1988) has it.", [("Locks and Levels (1988)", "classic")]),
        ("A (see Adler, 2011; cf. Hahn, 2009, p. 4).", [("Adler, 2011", "adler"), ("Hahn, 2009", "hahn-2009")]),
        ("B (Berg, 1999, apud Hahn, 2009).", [("Berg, 1999", "berg"), ("Hahn, 2009", "hahn-2009")]),
        ("C (Adler, 2011, Hahn, 2009).", [("Adler, 2011", "adler"), ("Hahn, 2009", "hahn-2009")]),
        ("D (Adler, 2011). E (ibid., p. 4).", [("Adler, 2011", "adler"), ("ibid.", "adler")]),
    ],
)
def test_every_form_leads_to_its_entry(text: str, found: list[tuple[str, str]]) -> None:
    """Whatever the style and language, each part has its exact span and its own entry."""
    assert links(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "The Office (ORA) opened in May 2016 with the norms (NAD).",
        "In 2011 Adler moved away, and 2009 was dry.",
        "The canal was dug (1999).",
        "Adler (1851–1920) was a painter.",
        "A value of 2011 in Table 4 (Figure 2, 2009).",
        "It closed in Utopia in 2016 (March 2016).",
    ],
)
def test_what_only_looks_like_a_citation_is_none(text: str) -> None:
    """Acronyms in brackets, years of events, dates of lives and months with a year link to nothing."""
    assert links(text) == []


def test_an_acronym_introduced_by_the_text_is_understood() -> None:
    """Once “Office of River Affairs (ORA)” has been said, “(ORA, 2016)” cites that office."""
    text = "The Office of River Affairs (ORA) met. It agreed (ORA, 2016)."
    assert links(text) == [("ORA, 2016", "office")]


@pytest.mark.parametrize(
    ("text", "reference", "resolution", "kind"),
    [
        ("(Berg, 2001)", "berg", "year-mismatch", "year-mismatch"),
        ("(Moss, 2001)", "undated", "year-mismatch", "cannot-tell"),
        ("(Hahn, 2009a)", "hahn-2009", "exact", "suffix-mismatch"),
        ("(Obrian, 2018)", "obrien", "author-variant", "author-mismatch"),
        ("(Egan, 2011)", None, "missing", "cited-but-not-listed"),
        ("(Nobody, 2001)", None, "missing", "cited-but-not-listed"),
        ("(Hahn, 2004)", "hahn-a", "ambiguous", "ambiguous-citation"),
    ],
)
def test_a_disagreement_is_named(text: str, reference: str | None, resolution: str, kind: str) -> None:
    """What does not agree resolves to the nearest entry or to none, and says what is wrong, with its place."""
    mention = only("So it is " + text + ".")
    assert (mention.reference_id, mention.resolution) == (reference, resolution)
    (problem,) = mention.problems
    assert problem.kind == kind
    assert (problem.start, problem.end) == (mention.start, mention.end)


def test_the_other_entries_it_may_mean_are_candidates() -> None:
    """A citation without its letter names one entry and keeps the other as a candidate."""
    assert only("So it is (Hahn, 2004).").candidates == ("hahn-b",)


def test_initials_tell_namesakes_apart() -> None:
    """Of two entries by a Kim in one year, the initial that the text gives picks one."""
    kims = [entry("s", "Kim, S., 2010.", "Kim, S.", year=2010), entry("j", "Kim, J., 2010.", "Kim, J.", year=2010)]
    assert links("Dew (Kim, J., 2010). Hail (S. Kim, 2010).", kims) == [("Kim, J., 2010", "j"), ("S. Kim, 2010", "s")]


def test_two_authors_are_not_three() -> None:
    """A second name that is no author of the entry keeps the citation away from it."""
    only_three = [r for r in LIST if r.id == "adler-and-more"]
    assert links("So it is (Adler, Zorn, 2011).", only_three) == [("Adler, Zorn, 2011", None)]


def test_a_cited_year_beside_the_right_one_is_not_stretched() -> None:
    """An entry that other citations name rightly is not given to one of a distant year by the same author."""
    text = "First (Berg, 1999). Then (Berg, 2012)."
    assert links(text) == [("Berg, 1999", "berg"), ("Berg, 2012", None)]


def test_entries_without_parsed_names_are_found_by_their_raw_beginning() -> None:
    """A list that nobody could parse still links, from what stands before its years."""
    raw = [Reference("x", {}, "Quill, A. & Reed, B. (1987) Marshes."), Reference("y", {}, "Quill, A. (1990) Fens.")]
    assert links("Wet (Quill & Reed, 1987; Quill, 1990).", raw) == [("Quill & Reed, 1987", "x"), ("Quill, 1990", "y")]


def test_a_work_read_in_another_need_not_be_listed() -> None:
    """Of "Old, 1890, cited in Hahn, 2009" only Hahn is looked for."""
    assert links("So it was (Old, 1890, cited in Hahn, 2009).") == [("Hahn, 2009", "hahn-2009")]


def test_a_work_is_recognised_by_its_title() -> None:
    """A whole title in quotation marks is a mention of kind `title`; a few common words in a row are not."""
    listed = [
        entry("w", "Moss, R., 2001. A Short History of Peat.", "Moss, R.", year=2001, title="A Short History of Peat")
    ]
    text = "The “Short History of Peat” is cheap. “A Short History of Peat” is dear, as a short history of peat is."
    mentions, _ = link(Document("d", text, language="en"), listed)
    assert [(m.kind, text[m.start : m.end]) for m in mentions] == [("title", "A Short History of Peat")]


def test_an_entry_without_an_author_is_cited_by_how_it_begins() -> None:
    """Its first words, an ellipsis and its year lead to it; other words or another year lead nowhere."""
    listed = [entry("hours", "A HORAS de la votación, el Gobierno vetó la ley. El Faro, 1 jun. 2018.", year=2018)]
    assert links("El veto fue inmediato (A HORAS…, 2018).", listed, "es") == [("A HORAS…, 2018", "hours")]
    assert links("El veto fue inmediato (A HORAS..., 2018; ver p. 3).", listed, "es")[0][1] == "hours"
    assert links("El veto fue inmediato (A DIAS…, 2018) y después (A HORAS…, 2019).", listed, "es") == []


def test_a_printed_entry_is_no_citation() -> None:
    """A full entry standing in the text, with the initials behind the names, is not linked to itself."""
    assert links("Further reading: Adler B, Crane D. 2011. Tin. Metals 4: 1-9.") == []


def test_the_bibliography_is_not_read_for_citations() -> None:
    """Sections that are reference lists hold no mentions."""
    text = "Salt (Adler, 2011).\n\nReferences\n\nAdler, B., 2011. Salt (Hahn, 2009)."
    start = text.index("References")
    section = Section("References", 1, "bibliography", start, start + 12, len(text))
    mentions, _ = link(Document("d", text, sections=(section,), language="en"), LIST)
    assert [text[m.start : m.end] for m in mentions] == ["Adler, 2011"]


NOTED = """Peat burns.[1] It smells.[2] It is cheap.[3] Few like it.[4]

Notes

[1] Rosa Moss, A Short History of Peat (Marsh Press 2001), 12.
[2] Ibid., 14.
[3] Prices were asked by letter in March; for other goods see Adler (2011).
[4] Ivo Hahn, Three, 77; Adler, Salt, 5.
"""


def test_a_note_sign_leads_to_the_work_its_note_names() -> None:
    """Signs lead through their notes, "ibid." repeats, and a note that only explains is no source."""
    listed = [
        entry(
            "peat", "Moss, R., 2001. A Short History of Peat.", "Moss, R.", year=2001, title="A Short History of Peat"
        ),
        entry("three", "Hahn, I., 2009. Three Fires at Sea.", "Hahn, I.", year=2009, title="Three Fires"),
        entry("adler", "Adler, B., 2011. Salt.", "Adler, B.", year=2011, title="Salt"),
    ]
    start = NOTED.index("Notes")
    notes = Section("Notes", 1, "notes", start, start + 7, len(NOTED))
    mentions, _ = link(Document("d", NOTED, sections=(notes,), language="en"), listed)
    signs = [(NOTED[m.start : m.end], m.reference_id) for m in mentions if m.kind == "note"]
    assert signs == [("1", "peat"), ("2", "peat")]
    assert [m.reference_id for m in mentions if m.kind == "narrative"] == ["adler"]


SOURCES = [
    Reference(
        "adler", {"author": [{"family": "Adler", "given": "R."}], "title": "Salt and Its Uses"}, "Adler, R. Salt."
    ),
    Reference(
        "berg", {"author": [{"family": "Berg", "given": "A."}], "title": "Tin Mines of the North"}, "Berg, A. Tin."
    ),
]


@pytest.mark.parametrize(
    ("note", "wanted"),
    [
        ("Ibid., 14.", "berg"),
        ("Adler, op. cit., 15.", "adler"),
        ("Adler, ob. cit., p. 15.", "adler"),
        ("Berg, Tin Mines, 3.", "berg"),
        ("For reference, see footnote 1.", "adler"),
        ("Ver nota 1.", "adler"),
        ("A knot that is hard to untie.", None),
    ],
)
def test_a_note_may_call_a_work_again(note: str, wanted: str | None) -> None:
    """Ibid., op. cit., a title cut short and the number of an earlier note lead to the work named before."""
    body = "Salt is old.1 Tin is older.2 So it is.3\n\nNotes\n"
    text = body + f"1. R. Adler, Salt and Its Uses (Quay, 2011), 12.\n2. Berg, Tin Mines of the North, 3.\n3. {note}\n"
    at = text.index("Notes")
    sections = (Section("Notes", 1, "notes", at, len(body), len(text)),)
    mentions, _ = link(Document("d", text, language="en", sections=sections), SOURCES)
    third = [m for m in mentions if m.start == text.index("3\n\nNotes")]
    assert [m.reference_id for m in third] == ([wanted] if wanted else [])
    assert {m.kind for m in mentions} == {"note"}


def test_the_definition_of_a_footnote_is_no_citation() -> None:
    """In Markdown the sign in the text counts, not the one that begins the note."""
    text = "Salt is old.[^1]\n\n[^1]: R. Adler, *Salt and Its Uses*, 12.\n"
    mentions, _ = link(Document("d", text, language="en"), SOURCES)
    assert [text[m.start : m.end] for m in mentions if m.kind == "note"] == [
        text[text.index("[^1]") + 2 : text.index("[^1]") + 3]
    ]
