"""References → a file's text: BibTeX, RIS, CSL-JSON or a formatted list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

from rag.bibliography import bibtex, ris, shapes
from rag.bibliography.formatting import format_reference
from rag.types import Reference


def export(
    references: Sequence[Reference], form: Literal["bibtex", "ris", "csl", "text"], style: str = "harvard"
) -> str:
    """Write `references` in the order given; `style` counts for ``text`` only.

    BibTeX keys and CSL ids are the references' own ids. Raises ValueError for an unknown `form`.
    """
    if form == "csl":
        return json.dumps([_item(r) for r in references], ensure_ascii=False, indent=2, default=str) + "\n"
    if form == "text":
        return "".join(format_reference(r.csl, style) + "\n" for r in references)
    items = [(r.id, shapes.shaped(r.csl)) for r in references]
    if form == "bibtex":
        return bibtex.write(items)
    if form == "ris":
        return ris.write(items)
    raise ValueError(f"form is {form!r}; known are bibtex, ris, csl and text")


def _item(reference: Reference) -> dict[str, Any]:
    return {"id": reference.id, **{k: v for k, v in reference.csl.items() if k != "id"}}
