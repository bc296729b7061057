"""Reading and writing lists takes time that grows with them and no faster, whatever stands in them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from growth import grows_with

from rag.attachments import attach
from rag.bibliography import STYLES, export, format_reference, parse, read_structured
from rag.bibliography.slugs import unique
from rag.types import Document, Reference

PIECES = (
    "(", "[", "{", ")", ", ", ". ", '"', "%", "1", "1-", "2020 ", " ", "\n", "A", "a ", "A. ", "-", "·", "et al. ",
    " and ",
    "Smith, J., ", "Smith, J. (2020). A title of it.\n", "doi: ", "10.1000/a ", "10.1000.", "http://a.b/ ", "accessed ",
)  # fmt: skip
FORMS = ("@a{b, ", "@a{b,\n", "@a{b, c={d}}\n", "TY  - ", "TY  - JOUR\nER  - \n", "<ref>", "[", '{"a":')


def _item(text: str) -> dict[str, Any]:
    person = {"family": text, "given": text}
    return {"type": "book", "title": text, "page": text, "URL": text, "DOI": text, "note": text, "author": [person]}


def test_lists_in_running_text() -> None:
    """No text makes the reader of lists run away."""
    assert [piece for piece in PIECES if not grows_with(parse, piece)] == []


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("bibtex", "@article{{a, author={{{}}}, title={{x}}}}"),
        ("ris", "TY  - JOUR\nAU  - {0}\nTI  - {0}\nER  - \n"),
        ("jats", "<ref-list><ref><mixed-citation>{}</mixed-citation></ref></ref-list>"),
        ("csl", ""),
        ("csl", "references:\n- id: a\n  title: '{0}'\n  note: {0}\n"),
        ("bbl", "\\bibitem[{{{0}}}]{{a}} {0}"),
        ("ris", "PMID- 1\nTI  - {0}\nFAU - {0}\nDP  - {0}\n"),
        ("ris", "%0 Book\n%A {0}\n%D {0}\n"),
        ("rdf", "<r xmlns:z='z'><a><z:itemType>book</z:itemType><title>{0}</title><date>{0}</date></a></r>"),
    ],
)
def test_files_of_references(kind: Any, form: str) -> None:
    """No file of references does, whatever stands in a field or in place of one."""

    def within(text: str) -> object:
        data = form.format(text) if form else json.dumps([{"id": "a", **_item(text)}])
        return read_structured(data.encode(), kind)

    def bare(text: str) -> object:
        return read_structured(text.encode(), kind)

    assert [piece for piece in PIECES if not grows_with(within, piece)] == []
    assert [piece for piece in (*FORMS, "{", "%") if not grows_with(bare, piece)] == []


@pytest.mark.parametrize("style", STYLES)
def test_one_formatted_reference(style: str) -> None:
    """Nor one reference whose fields are long, or whose authors are many."""

    def many(text: str) -> object:
        return format_reference(
            {"title": "T", "author": [{"family": "Smith", "given": "J."}] * (len(text) // 20)}, style
        )

    pieces = ("{", "1", " ", "A", "a ", "1-")
    assert [p for p in pieces if not grows_with(lambda text: format_reference(_item(text), style), p)] == []
    assert grows_with(many, "a")


def test_writing_and_attaching() -> None:
    """Nor what writes references to files, nor what finds the document that is one."""

    def work(text: str) -> object:
        listed = (Reference("r", _item(text), text, document_id="e"),)
        return export(listed, "bibtex"), export(listed, "ris"), attach([Document("d", text, title=text)], listed, {})

    assert [piece for piece in PIECES if not grows_with(work, piece)] == []


def test_an_id_is_found_though_its_number_is_taken() -> None:
    """A name that was used more often than there are letters gets a number that is free."""
    taken = {"a-nd", *(f"a-nd-{letter}" for letter in "bcdefghijklmnopqrstuvwxyz"), "a-nd-27"}
    assert unique("a-nd", taken) == "a-nd-28"
