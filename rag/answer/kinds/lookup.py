"""What a document or its bibliography says of itself: author, title, a field of an entry, the entries of a kind."""

from __future__ import annotations

from rag.answer import about, listed
from rag.answer.gather import Evidence
from rag.answer.plan import Told


def tell(found: Evidence) -> Told | None:
    """What is looked up; None when the question asks for no such thing."""
    if found.filters.within_documents:
        return None
    documents = found.within.document_ids(found.generation)
    looked_up = listed.look_up(found.generation, found.whole, documents) or about.look_up(
        found.generation, found.whole, documents
    )
    if looked_up is None:
        return None
    many = looked_up.listed and len(looked_up.found) > 1
    pieces = [
        p
        for f in looked_up.found
        if (p := found.piece(f.document.id, f.span, entry=f.reference, item=many)) is not None
    ]
    notices = [looked_up.notice] if looked_up.notice else []
    return Told(
        pieces,
        kind="lookup",
        outcome="answered" if pieces else "none",
        notices=notices,
        confidence=1.0 if pieces else 0.0,
        sure=not looked_up.listed and bool(looked_up.notice),
    )
