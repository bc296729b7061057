"""BibTeX, RIS, CSL-JSON and JATS: what is read, and that a round trip loses nothing."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.bibliography import export, read_structured
from rag.types import Reference

BIBTEX = rb"""
@string{sprg = "Springer"}
@article{knuth84,
  author = {Knuth, Donald E. and van der Berg, Jan and {The {\AE}sop Users Group}},
  title = "Literate {Programming} in M{\"u}nchen \& elsewhere",
  journal = {The Computer Journal}, volume = 27, number = {2}, pages = {97--111},
  year = 1984, month = may, doi = {https://doi.org/10.1093/comjnl/27.2.97}
}
@incollection{key:2, editor = {M{\"u}ller, J.}, author = {Paul Erd\H{o}s}, title = {A chapter}, booktitle = {The book},
  publisher = sprg, address = {Berlin}, date = {2020-03-04}, isbn = {978-3-16-148410-0}}
@book{broken, title = {never closed
"""

RIS = b"""TY  - JOUR
AU  - Silva, Maria
AU  - World Health Organization
TI  - Um estudo
JO  - Revista
VL  - 12
IS  - 3
SP  - 101
EP  - 110
PY  - 2019
DO  - 10.1590/abc.123
ER  -
"""

JATS = """<?xml version="1.0"?><!DOCTYPE article [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<article xmlns:xlink="http://www.w3.org/1999/xlink"><back><ref-list>
<ref id="B1"><label>1</label><element-citation publication-type="journal"><person-group person-group-type="author">
<name><surname>Marini</surname><given-names>M.Â.</given-names></name><etal/></person-group><year>2005b</year>
<article-title>Conservação de <italic>aves</italic></article-title><source>Megadiversidade</source><volume>1</volume>
<issue>1</issue><fpage>95</fpage><lpage>101</lpage>
<pub-id pub-id-type="doi">10.1000/xyz</pub-id></element-citation></ref>
<ref id="B2"><label>2</label>
<mixed-citation>Lloyd, C. (1995). As estruturas da história. Rio de Janeiro: Zahar.</mixed-citation></ref>
<ref id="B3"><mixed-citation>&x;</mixed-citation></ref>
</ref-list></back></article>""".encode()


def test_bibtex_is_read_with_its_names_accents_and_strings() -> None:
    """Particles, bodies in braces, TeX accents, @string and month macros come out as what they mean."""
    references, problems = read_structured(BIBTEX, "bibtex")
    first, second = references[:2]
    assert first.csl["author"] == [
        {"family": "Knuth", "given": "Donald E."},
        {"family": "Berg", "given": "Jan", "non-dropping-particle": "van der"},
        {"literal": "The Æsop Users Group"},
    ]
    assert first.csl["title"] == "Literate Programming in München & elsewhere"
    assert first.csl["issued"] == {"date-parts": [[1984, 5]]}
    assert (first.csl["page"], first.csl["issue"], first.csl["DOI"]) == ("97-111", "2", "10.1093/comjnl/27.2.97")
    assert second.csl["author"] == [{"family": "Erdős", "given": "Paul"}]
    assert second.csl["publisher"] == "Springer"
    assert second.csl["issued"] == {"date-parts": [[2020, 3, 4]]}
    assert first.id == "knuth-1984"
    assert first.csl["custom"] == {"key": "knuth84"}
    assert "unreadable-entry" in {p.kind for p in problems}


def test_ris_is_read() -> None:
    """People and bodies, the page range and the journal are told from their tags."""
    (reference,), problems = read_structured(RIS, "ris")
    assert reference.csl["author"] == [{"family": "Silva", "given": "Maria"}, {"literal": "World Health Organization"}]
    assert (reference.csl["container-title"], reference.csl["page"]) == ("Revista", "101-110")
    assert reference.csl["issued"] == {"date-parts": [[2019]]}
    assert problems == ()


def test_jats_is_read_without_touching_the_network_or_the_disk() -> None:
    """Parsed fields are taken as they are, plain strings are parsed, and an external entity stays closed."""
    references, _ = read_structured(JATS, "jats")
    first, second, third = references
    assert (first.label, first.id) == ("1", "marini-2005b")
    assert first.csl["title"] == "Conservação de aves"
    assert (first.csl["page"], first.csl["DOI"], first.csl["year-suffix"]) == ("95-101", "10.1000/xyz", "b")
    assert first.csl["custom"] == {"et-al": True, "key": "B1"}
    assert second.csl["publisher"] == "Zahar"
    assert "root:" not in str(third)


def test_csl_json_is_kept_and_odd_items_are_named() -> None:
    """Items come back as they were; what is no item is a problem, not an exception."""
    item = {
        "id": "x",
        "type": "book",
        "title": "T",
        "author": [{"family": "A"}],
        "issued": {"date-parts": [["2020", 13]]},
    }
    references, problems = read_structured(json.dumps([item, 3, {"author": 7, "title": [["no"]]}]).encode(), "csl")
    assert references[0].csl["issued"] == {"date-parts": [[2020]]}
    assert references[0].csl["title"] == "T"
    assert references[1].csl == {"type": "document"}
    assert "unreadable-entry" in {p.kind for p in problems}


def test_the_same_doi_twice_is_a_duplicate() -> None:
    """Two entries of one DOI, whatever its case, are reported on the second."""
    items = [{"title": "One thing said", "DOI": "10.1/AB"}, {"title": "Another thing", "DOI": "10.1/ab"}]
    references, problems = read_structured(json.dumps(items).encode(), "csl")
    duplicate = next(p for p in problems if p.kind == "duplicate-entry")
    assert duplicate.reference_id == references[1].id


@pytest.mark.parametrize("kind", ["bibtex", "bbl", "ris", "csl", "rdf", "jats"])
@given(data=st.binary(max_size=300) | st.text(alphabet=string.printable, max_size=300).map(str.encode))
@settings(max_examples=60, deadline=None)
def test_no_bytes_raise(kind: Any, data: bytes) -> None:
    """Whatever the bytes, there is an answer."""
    references, problems = read_structured(data, kind)
    assert isinstance(references, tuple)
    assert isinstance(problems, tuple)


@pytest.mark.parametrize("kind", ["bibtex", "ris", "csl", "jats"])
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_no_damaged_file_raises(kind: Any, data: st.DataObject) -> None:
    """A good file with a piece cut out and a piece put in is read as far as it goes."""
    good = {
        "bibtex": BIBTEX,
        "ris": RIS,
        "csl": b'[{"id": "a", "title": "T", "author": [{"family": "B"}]}]',
        "jats": JATS,
    }[kind]
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 40)))
    damaged = good[:start] + data.draw(st.binary(max_size=8)) + good[end:]
    references, _ = read_structured(damaged, kind)
    assert len({r.id for r in references}) == len(references)


_letters = st.characters(codec="utf-8", categories=("Lu", "Ll", "Lo", "Nd"))
_words = st.text(
    st.sampled_from("abcXYZ éüñßł黄日涵аб09.,:;!?()[]{}$&%#_~^\\'\"<>|`@=+-/*–—“”"), min_size=1, max_size=40
)
_text = _words.map(lambda s: " ".join(s.split())).filter(lambda s: any(c.isalnum() for c in s))
_name_part = (
    st.text(st.sampled_from("abcdeABCDéüÑłß黄-’ "), min_size=1, max_size=12)
    .map(lambda s: " ".join(s.split()))
    .filter(lambda s: any(c.isalpha() for c in s))
)
_person = st.fixed_dictionaries({"family": _name_part, "given": _name_part}) | st.fixed_dictionaries(
    {"literal": _name_part}
)
_day = st.dates().filter(lambda d: d.year > 999).map(lambda d: [d.year, d.month, d.day])
_date = (_day | _day.map(lambda d: d[:2]) | _day.map(lambda d: d[:1])).map(lambda d: {"date-parts": [d]})
_token = st.text(st.sampled_from("abcXYZ0123456789"), min_size=1, max_size=8)
_item = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            [
                "article-journal",
                "article-newspaper",
                "book",
                "chapter",
                "paper-conference",
                "thesis",
                "report",
                "webpage",
                "dataset",
                "document",
            ]
        ),
        "title": _text,
    },
    optional={
        "author": st.lists(_person, min_size=1, max_size=3),
        "editor": st.lists(_person, min_size=1, max_size=2),
        "translator": st.lists(_person, min_size=1, max_size=2),
        "container-title": _text,
        "collection-title": _text,
        "publisher": _text,
        "publisher-place": _text,
        "volume": _token,
        "issue": _token,
        "number": _token,
        "edition": _text,
        "note": _text,
        "genre": _text,
        "medium": _text,
        "language": _token,
        "abstract": _text,
        "event-title": _text,
        "number-of-pages": st.integers(1, 2000).map(str),
        "page": st.from_regex(r"[A-Z]?[1-9][0-9]{0,4}(-[A-Z]?[1-9][0-9]{0,4})?", fullmatch=True).filter(
            lambda p: "-" not in p or len(set(p.split("-"))) == 2
        ),
        "DOI": st.from_regex(r"10\.[1-9][0-9]{3}/[a-z0-9._()/-]{2,20}", fullmatch=True),
        "URL": st.from_regex(r"https://[a-z]{2,9}\.org/[a-zA-Z0-9_~%#?=&./-]{0,30}", fullmatch=True),
        "ISBN": st.just("978-3-16-148410-0"),
        "issued": _date,
        "accessed": _date,
        "original-date": _date,
    },
)


@pytest.mark.parametrize(
    "forms", [("bibtex",), ("ris",), ("csl",), ("bibtex", "ris", "csl", "bibtex"), ("ris", "csl", "bibtex", "ris")]
)
@given(item=_item)
@settings(max_examples=120, deadline=None)
def test_a_round_trip_loses_no_field(forms: tuple[Any, ...], item: dict[str, Any]) -> None:
    """CSL → BibTeX → RIS → CSL and back: every field that all of them can hold is what it was."""
    csl = item
    for form in forms:
        text = export([Reference("the-id", csl)], form)
        (reference,), problems = read_structured(text.encode("utf-8"), form)
        assert not [p for p in problems if p.severity == "error"], text
        csl = {k: v for k, v in reference.csl.items() if k != "custom"}
    assert csl == item


_odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda v: (
        st.lists(v, max_size=3)
        | st.dictionaries(st.sampled_from(["family", "literal", "date-parts", "x"]), v, max_size=3)
    ),
    max_leaves=6,
)
_keys = st.sampled_from(
    ["type", "title", "author", "editor", "issued", "accessed", "page", "URL", "DOI", "custom", "keyword", "note"]
)


@pytest.mark.parametrize("form", ["bibtex", "ris", "csl", "text"])
@given(csl=st.dictionaries(_keys, _odd, max_size=6), key=st.text(max_size=6))
@settings(max_examples=60, deadline=None)
def test_no_item_is_too_odd_to_be_written(form: Any, csl: dict[str, Any], key: str) -> None:
    """Whatever stands in an item, the file is written, and it holds one entry."""
    text = export([Reference(key, csl)], form)
    if form != "text":
        assert len(read_structured(text.encode("utf-8", "replace"), form)[0]) == 1


def test_an_unknown_form_is_refused() -> None:
    """A form nobody knows is the caller's slip and is said so."""
    with pytest.raises(ValueError, match="known are"):
        export([], "docx")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="known are"):
        read_structured(b"", "docx")  # type: ignore[arg-type]
