"""BibTeX, RIS, CSL-JSON and JATS files → references and problems, whatever the bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from rag.bibliography import bibtex, checks, identifiers, jats, ris, shapes, slugs
from rag.bibliography.entry import parse_entry
from rag.types import Problem, Reference

Kind = Literal["bibtex", "ris", "csl", "jats"]
Item = tuple[str, dict[str, Any], str, str | None]
"""Key in the file, CSL item, printed string, label."""


def read_structured(data: bytes, kind: Kind) -> tuple[tuple[Reference, ...], tuple[Problem, ...]]:
    """Read a bibliography file of its own.

    References come in file order with readable ids (`rag.bibliography.slugs`); the key that the file gives an
    entry stands under ``custom["key"]``, the number a JATS list prints is its label. What cannot be read is
    reported (``unreadable-list``, ``unreadable-entry``). Never raises on any bytes; raises ValueError for an
    unknown `kind`.
    """
    if kind not in {"bibtex", "ris", "csl", "jats"}:
        raise ValueError(f"kind is {kind!r}; known are bibtex, ris, csl and jats")
    items, problems = _items(data, kind)
    references: list[Reference] = []
    taken: set[str] = set()
    for key, item, raw, label in items:
        csl = {k: v for k, v in item.items() if k != "id"}
        if key:
            csl["custom"] = {**(csl["custom"] if isinstance(csl.get("custom"), Mapping) else {}), "key": key}
        name = slugs.unique(slugs.slug(csl), taken)
        found = tuple(
            replace(p, start=None, end=None, reference_id=name)
            for p in checks.entry(raw or key or "x", csl, _identifiers(csl), ())
        )
        references.append(Reference(name, csl, raw, label=label, problems=found))
    marked = checks.duplicates(references)
    return marked, (*problems, *(p for r in marked for p in r.problems))


def _items(data: bytes, kind: Kind) -> tuple[list[Item], list[Problem]]:
    try:
        if kind == "jats":
            return [_jats(ref) for ref in jats.read(data)], []
        text = data.decode("utf-8-sig", errors="replace")
        if kind == "csl":
            return _csl(json.loads(text))
        if kind == "bibtex":
            entries, broken = bibtex.read(text)
            unread = [_unreadable(f"The BibTeX block “{line}” cannot be read.") for line in broken]
            return [(key, csl, "", None) for key, csl in entries], unread
        return [(key, csl, "", None) for key, csl in ris.read(text)], []
    except Exception as error:  # noqa: BLE001 - four foreign parsers meet arbitrary bytes here; the problem says what happened
        return [], [
            Problem(
                "unreadable-list",
                f"This cannot be read as {kind}: {str(error)[:200] or type(error).__name__}.",
                "error",
            )
        ]


def _jats(ref: jats.Ref) -> Item:
    csl = ref.csl or parse_entry(ref.raw)[0]
    return ref.key, csl, ref.raw, ref.label


def _csl(value: object) -> tuple[list[Item], list[Problem]]:
    if isinstance(value, Mapping):
        value = value["items"] if isinstance(value.get("items"), list) else [value]
    if not isinstance(value, list):
        return [], [Problem("unreadable-list", "CSL-JSON is a list of items; this file holds something else.", "error")]
    items: list[Item] = []
    problems: list[Problem] = []
    for number, one in enumerate(value, 1):
        if isinstance(one, Mapping) and one:
            items.append((str(one.get("id") or ""), shapes.shaped(one), "", None))
        else:
            problems.append(_unreadable(f"Item {number} of the CSL-JSON list is no object."))
    return items, problems


def _identifiers(csl: Mapping[str, Any]) -> list[identifiers.Found]:
    tests = {"DOI": identifiers.is_doi, "URL": identifiers.is_url, "ISBN": identifiers.is_isbn}
    return [
        identifiers.Found(k, str(csl[k]), 0, 0, all(test(one) for one in _each(k, str(csl[k]))))
        for k, test in tests.items()
        if csl.get(k)
    ]


def _each(variable: str, value: str) -> list[str]:
    """A record may give two ISBNs (paper and electronic) in one field."""
    return [v for v in value.replace(";", ",").split(",") if v.strip()] if variable == "ISBN" else [value]


def _unreadable(message: str) -> Problem:
    return Problem("unreadable-entry", message, "error")
