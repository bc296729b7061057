"""The bibliography of a document that prints none: the full citations in its notes, as in law and history.

The first note that names a work names it whole: authors, title, year; later ones shorten it and are no entries. What a
note says besides is left out: a part of a note is an entry only where author, title and year are all told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from rag.bibliography import names, slugs
from rag.bibliography.entry import parse_entry
from rag.types import Reference, Span

_PART = re.compile(r"[^;]+")
_LEAD = re.compile(
    r"\s*(?:(?:see also|see|cf\.?|e\.g\.,?|vgl\.|siehe|voir|véase|ver|compare|quoted in|cited in|but see)\s+)?",
    re.IGNORECASE,
)
_NAMES_IN_WHOLE = re.compile(r"[^\W\d_][^,;]{1,80},\s*+(?:[“\"„«‘]|[^\W\d_])")
"""How a full citation in a note begins: names, a comma, the title."""
_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")
_LONGEST = 600
"""Characters of a part of a note that are one citation."""


def entries(text: str, notes: Iterable[Span]) -> tuple[Reference, ...]:
    """The works that the notes of `text` cite in full, in order, each where it is first named."""
    found: list[Reference] = []
    known: set[str] = set()
    taken: set[str] = set()
    for note in notes:
        for part in _PART.finditer(text, note.start, note.end):
            lead = _LEAD.match(text, part.start())
            start = lead.end() if lead else part.start()
            raw = text[start : part.end()].strip()
            if len(raw) > _LONGEST or not _NAMES_IN_WHOLE.match(raw) or not _YEAR.search(raw):
                continue
            csl, problems = parse_entry(raw, inverted=None)
            title = "".join(c for c in names.fold(str(csl.get("title") or "")) if c.isalnum())
            if not (csl.get("author") or csl.get("editor")) or len(title) < 5 or "issued" not in csl or title in known:
                continue
            known.add(title)
            name = slugs.unique(slugs.slug(csl), taken)
            at = text.index(raw, start)
            wrong = tuple(
                replace(p, start=at + (p.start or 0), end=at + (p.end or 0), reference_id=name) for p in problems
            )
            found.append(Reference(name, csl, raw, at, at + len(raw), problems=wrong))
    return tuple(found)
