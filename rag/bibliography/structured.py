"""Bibliography files of all kinds → references and problems, whatever the bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, get_args

from rag.bibliography import bibtex, checks, csl, identifiers, jats, names, rdf, ris, slugs, tagged
from rag.bibliography.entry import parse_entry
from rag.documents.decode import decode, labelled
from rag.documents.latex import entries as bibitems
from rag.types import Csl, Problem, Reference

Kind = Literal["bibtex", "bbl", "ris", "csl", "rdf", "jats"]
"""BibTeX; what BibTeX makes of it for LaTeX; RIS and its relatives (PubMed, EndNote's refer, Web of Science), told by
content; CSL-JSON and its relatives (Crossref, Zotero, CSL YAML), told by content; Zotero RDF; JATS."""
_ENCODING = re.compile(rb"^% ?(?:Encoding|coding): ?([\w-]{1,30})", re.IGNORECASE | re.MULTILINE)
Item = tuple[str, dict[str, Any], str, str | None]
"""Key in the file, CSL item, printed string, label."""


def read_structured(data: bytes, kind: Kind) -> tuple[tuple[Reference, ...], tuple[Problem, ...]]:
    """Read a bibliography file of its own.

    References come in file order with readable ids (`rag.bibliography.slugs`); the key that the file gives an
    entry stands under ``custom["key"]``, the number a JATS list prints is its label. What cannot be read is
    reported (``unreadable-list``, ``unreadable-entry``). Never raises on any bytes; raises ValueError for an
    unknown `kind`.
    """
    if kind not in get_args(Kind):
        raise ValueError(f"kind is {kind!r}; known are {', '.join(get_args(Kind))}")
    items, problems = _items(data, kind)
    references: list[Reference] = []
    taken: set[str] = set()
    for key, item, raw, label in items:
        fields = {k: v for k, v in item.items() if k != "id"}
        if key:
            custom = fields.get("custom")
            fields["custom"] = {**(custom if isinstance(custom, Mapping) else {}), "key": key}
        name = slugs.unique(slugs.slug(fields), taken)
        found = tuple(
            replace(p, start=None, end=None, reference_id=name)
            for p in checks.entry(raw or key or "x", fields, _identifiers(fields), ())
        )
        references.append(Reference(name, fields, raw, label=label, problems=found))
    marked = checks.duplicates(references)
    return marked, (*problems, *(p for r in marked for p in r.problems))


def _items(data: bytes, kind: Kind) -> tuple[list[Item], list[Problem]]:
    try:
        if kind == "jats":
            return [_jats(ref) for ref in jats.read(data)], []
        if kind == "rdf":
            return [(key, item, "", None) for key, item in rdf.read(data)], []
        text = _decoded(data)
        if kind == "csl":
            return _csl(csl.loads(text))
        if kind == "bbl":
            listed = bibitems(text)
            inverted = names.inverted([raw for _, raw in listed])
            return [(key, parse_entry(raw, inverted=inverted)[0], raw, None) for key, raw in listed], []
        if kind == "bibtex":
            entries, broken = bibtex.read(text)
            unread = [_unreadable(f"The BibTeX block “{line}” cannot be read.") for line in broken]
            return [(key, item, "", None) for key, item in entries], unread
        dialect = tagged.dialect(text)
        records = ris.read(text) if dialect == "ris" else tagged.read(text, dialect)
        return [(key, item, "", None) for key, item in records], []
    except Exception as error:  # noqa: BLE001 - four foreign parsers meet arbitrary bytes here; the problem says what happened
        return [], [
            Problem(
                "unreadable-list",
                f"This cannot be read as {kind}: {str(error)[:200] or type(error).__name__}.",
                "error",
            )
        ]


def _decoded(data: bytes) -> str:
    """The characters, in the encoding that JabRef and BibDesk note in a comment, else as any text's are told."""
    named = _ENCODING.search(data[:2000])
    if named:
        try:
            return labelled(data, named[1].decode("ascii"))
        except (LookupError, UnicodeError):
            pass
    return decode(data, "the list")[0].removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _jats(ref: jats.Ref) -> Item:
    return ref.key, ref.csl or parse_entry(ref.raw)[0], ref.raw, ref.label


def _csl(value: object) -> tuple[list[Item], list[Problem]]:
    found = csl.items(value)
    if found is None:
        return [], [Problem("unreadable-list", "CSL-JSON is a list of items; this file holds something else.", "error")]
    items: list[Item] = []
    problems: list[Problem] = []
    for number, one in enumerate(found, 1):
        if isinstance(one, Mapping) and one:
            items.append((*csl.item(one), "", None))
        else:
            problems.append(_unreadable(f"Item {number} of the CSL-JSON list is no object."))
    return items, problems


def _identifiers(item: Csl) -> list[identifiers.Found]:
    tests = {"DOI": identifiers.is_doi, "URL": identifiers.is_url, "ISBN": identifiers.is_isbn}
    return [
        identifiers.Found(k, str(item[k]), 0, 0, all(test(one) for one in _each(k, str(item[k]))))
        for k, test in tests.items()
        if item.get(k)
    ]


def _each(variable: str, value: str) -> list[str]:
    """A record may give two ISBNs (paper and electronic) in one field."""
    return [v for v in value.replace(";", ",").split(",") if v.strip()] if variable == "ISBN" else [value]


def _unreadable(message: str) -> Problem:
    return Problem("unreadable-entry", message, "error")
