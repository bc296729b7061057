"""A whole reference list: entries found, read, named and compared with each other."""

from __future__ import annotations

import re
from dataclasses import replace

from rag.bibliography import checks, names, slugs
from rag.bibliography.entry import parse_entry
from rag.bibliography.split import split
from rag.types import Problem, Reference

_SAME_AUTHOR = re.compile(r"\s*(?:[—–―]+|[-_]{2,}|\*{3,}|Idem\b|Id\.)[\s.,:;]*", re.IGNORECASE)


def parse(
    text: str,
    *,
    offset: int = 0,
    language: str | None = None,  # noqa: ARG001 - part of the door; lists cite works in any language, and the tagger reads all alike
) -> tuple[tuple[Reference, ...], tuple[Problem, ...]]:
    """Read a reference list that stands as running text.

    `offset` is where `text` begins in its document, so that spans of references and problems are the
    document's; ``raw`` is the exact slice. A dash in place of the authors repeats those of the entry before.
    The second value is the problems of the list as a whole; those of an entry are on the reference too.
    Never raises; time grows linearly with the text.
    """
    entries, rest = split(text)
    inverted = names.inverted([text[item.body : item.end] for item in entries])
    references: list[Reference] = []
    taken: set[str] = set()
    for item in entries:
        raw = text[item.start : item.end]
        body = raw[item.body - item.start :]
        repeated = _SAME_AUTHOR.match(body)
        shift = item.body - item.start
        if repeated and references and repeated.end() and (before := references[-1].csl.get("author")):
            csl, found = parse_entry(f"X.{' ' * max(0, repeated.end() - 2)}{body[repeated.end() :]}", inverted=inverted)
            csl["author"] = before
            shift -= max(0, 2 - repeated.end())
        else:
            csl, found = parse_entry(body, inverted=inverted)
        name = slugs.unique(slugs.slug(csl), taken)
        start = offset + item.start
        problems = tuple(
            replace(
                p,
                start=start + shift + (p.start or 0),
                end=min(start + shift + (p.end or 0), start + len(raw)),
                reference_id=name,
            )
            for p in found
        )
        references.append(Reference(name, csl, raw, start, offset + item.end, item.label, problems=problems))
    marked = checks.duplicates(references)
    remainder = tuple(
        Problem(
            "unparsed-remainder",
            f"“{' '.join(text[a:b].split())[:80]}” stands in the reference list but does not look like an entry.",
            "info",
            offset + a,
            offset + b,
        )
        for a, b in rest
    )
    return marked, (*remainder, *(p for r in marked for p in r.problems))
