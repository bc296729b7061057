"""A span of a document → whose claim it is: the document's own, or relayed from a listed work.

A sentence is `relayed` when the scope of an in-text citation covers it (ARCHITECTURE.md, "Scope"); the references are
those citations' targets, in text order. Knows no question and no model.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.citations import covering
from rag.store import Generation
from rag.types import Attribution, Mention, Reference, Span


def attribute(
    generation: Generation, document_id: str, span: Span, entry: Reference | None = None
) -> tuple[Attribution, tuple[Mention, ...], tuple[str, ...]]:
    """Whose claim `span` is, the in-text citations that say so, and the ids of the entries behind it.

    An entry of the bibliography (`entry`) is the document's own statement about the work it lists.
    """
    if entry is not None:
        return "own", (), (entry.id,)
    mentions: Sequence[Mention] = covering(generation.mentions(document_id), span.start, span.end)
    ids = tuple(dict.fromkeys(m.reference_id for m in mentions if m.reference_id))
    return ("relayed" if mentions else "own"), tuple(mentions), ids
