"""The collection itself: which documents there are, how many, which sources they cite."""

from __future__ import annotations

from rag.answer.gather import Evidence, Piece
from rag.answer.plan import Told
from rag.lexical import words
from rag.types import Document, Span

_DOCUMENTS = frozenset(
    ["documents", "document", "files", "texts", "papers", "articles", "reports", "dokumente", "documentos", "fichiers"]
)
_LISTED = frozenset(
    [
        "sources",
        "references",
        "entries",
        "works",
        "bibliography",
        "citations",
        "literature",
        "quellen",
        "fuentes",
        "références",
    ]
)
_ALL = frozenset(
    ["list", "all", "many", "which", "what", "show", "name", "every", "there", "have", "here", "enumerate"]
)
_NOISE = _ALL | frozenset(
    [
        "are",
        "is",
        "in",
        "the",
        "this",
        "collection",
        "index",
        "you",
        "do",
        "does",
        "how",
        "of",
        "its",
        "cited",
        "cite",
        "listed",
        "your",
        "me",
        "a",
        "please",
        "library",
        "it",
        "has",
        "have",
        "got",
        "give",
        "documents",
    ]
)
_MOST = 30


def tell(found: Evidence) -> Told | None:
    """All documents, or all entries of their lists; None when neither is asked for."""
    spoken = words(found.whole.text)
    said = set(spoken)
    wants_documents, wants_entries = said & _DOCUMENTS, said & _LISTED
    if (
        not (wants_documents or wants_entries)
        or said - _NOISE - _DOCUMENTS - _LISTED
        or not said & _ALL
        or len(spoken) < 2
    ):
        return None
    if wants_entries:
        return _entries(found)
    documents = found.documents
    pieces = [p for d in documents[:_MOST] if (p := _headline(found, d)) is not None]
    count = f"the collection holds {len(documents)} documents" + (
        f"; the first {_MOST} are shown" if len(documents) > _MOST else ""
    )
    return Told(pieces, kind="lookup", confidence=1.0, notices=[count])


def _headline(found: Evidence, brief: Document) -> Piece | None:
    """A document by its title where it stands, or by its first words."""
    document = found.document(brief.id)
    start = document.text.find(document.title) if document.title else -1
    span = Span(start, start + len(document.title or "")) if start >= 0 else None
    if span is None:
        span = next(iter(found.sentences(document, Span(0, min(len(document.text), 2000)))), None)
    return found.piece(brief.id, span, item=True) if span else None


def _entries(found: Evidence) -> Told | None:
    entries = [r for d in found.documents for r in found.generation.references(d.id) if r.start is not None]
    if not entries:
        return Told(kind="lookup", outcome="none", notices=["no document of the collection has a bibliography"])
    pieces = [
        p
        for r in entries[:_MOST]
        if (p := found.piece(r.document_id, Span(r.start or 0, r.end or 0), entry=r, item=True)) is not None
    ]
    count = f"the lists hold {len(entries)} entries" + (
        f"; the first {_MOST} are shown" if len(entries) > _MOST else ""
    )
    return Told(pieces, kind="lookup", confidence=1.0, notices=[count])
