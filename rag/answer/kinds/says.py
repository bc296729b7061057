"""What somebody says: a cited author or body by way of the citations that relay them, a document by its own text."""

from __future__ import annotations

from rag.answer import about, wording
from rag.answer.evidence import bare, covered, present
from rag.answer.gather import Evidence, Piece
from rag.answer.plan import Told, trimmed
from rag.citations import covering
from rag.lexical import terms, words
from rag.types import Document, Reference, Span

_ON_TOPIC, _ALSO = 0.5, 0.34
"""Least share of the topic's words, by weight, in the best sentence that relays somebody on it, and in others."""
_MOST = 6


def tell(found: Evidence) -> Told | None:
    """What the question's author says; None when it asks for nobody's words, or for those of a document."""
    spoken = set(words(found.whole.text))
    publishes = not spoken.isdisjoint(wording.said("publishes")) and _bodies(found)
    if (
        about.asks_field(found.whole)
        or not _meant(found)
        or (spoken.isdisjoint(wording.said("says")) and not publishes)
    ):
        return None
    topic = _topic(found)
    spans: dict[tuple[str, int], Piece] = {}
    unmentioned: list[Reference] = []
    for entry_id in _meant(found):
        entry = found.generation.reference(entry_id)
        own = _relayed(found, entry)
        if not own:
            unmentioned.append(entry)
        for piece in own:
            spans.setdefault((piece.passage.document_id, piece.span.start), piece)
    pieces = list(spans.values())
    if topic:
        weights = {t: found.generation.idf(t) for t in topic}
        shares = [covered(weights, present(_claimed(found, p), found.asked.language)) for p in pieces]
        kept = [p for p, share in zip(pieces, shares, strict=True) if share >= _ALSO]
        if max(shares, default=0.0) < _ON_TOPIC:
            return None
        pieces = kept
    if not pieces and unmentioned and not topic:
        listed = [_entry(found, r) for r in unmentioned]
        return Told(
            [p for p in listed if p],
            kind="says",
            confidence=1.0,
            notices=["the text never cites this entry; this is what the list says of it"],
        )
    chosen = trimmed(sorted(pieces[:_MOST], key=lambda p: (p.passage.document_id, p.span.start)))
    if publishes:
        chosen += [p for r in _meant(found) if (p := _entry(found, found.generation.reference(r)))]
    return Told(chosen, kind="says", confidence=1.0 if chosen else 0.0) if chosen else None


def _bodies(found: Evidence) -> bool:
    """Whether a body is asked about, whose publications the text may name besides the list."""
    entries = [found.generation.reference(i) for i in found.scope.entries]
    return any(p.get("literal") for r in entries for p in r.csl.get("author") or ())


def _meant(found: Evidence) -> list[str]:
    """The entries whose authors the question names; one named by its title alone may be what somebody speaks of."""
    spoken = set(terms(found.whole.text)) | present(found.whole.text)
    return [i for i in found.scope.entries if _names(found.generation.reference(i)) & spoken]


def _topic(found: Evidence) -> list[str]:
    """What somebody is asked about, beside who it is."""
    names = {t for r in found.scope.entries for t in _names(found.generation.reference(r))}
    known = (
        names
        | wording.said_terms("says")
        | wording.said_terms("sources")
        | wording.said_terms("publishes")
        | wording.said_terms("asking")
        | wording.said_terms("overview")
    )
    return [t for t in found.asked.content if t not in known and t in set(terms(found.scope.text))]


def _names(entry: Reference) -> set[str]:
    people = [*(entry.csl.get("author") or ()), *(entry.csl.get("editor") or ())]
    text = " ".join(f"{p.get('given') or ''} {p.get('family') or p.get('literal') or ''}" for p in people)
    return present(f"{text}.")


def _relayed(found: Evidence, entry: Reference) -> list[Piece]:
    """The sentences of the document that relay an entry, in order, and those that name the body behind it."""
    document = found.document(entry.document_id)
    mentions = found.mentions(document.id)
    own = [m for m in mentions if m.reference_id == entry.id]
    spans: set[Span] = set()
    for mention in own:
        for span in found.sentences(document, _paragraph(document, mention.scope_start, mention.scope_end)):
            covers = covering(mentions, span.start, span.end)
            if mention in covers or span.start <= mention.start < span.end:
                spans.add(span)
    spans |= _naming(found, document, entry)
    return [p for s in sorted(spans, key=lambda s: s.start) if (p := found.piece(document.id, s)) is not None]


def _naming(found: Evidence, document: Document, entry: Reference) -> set[Span]:
    """The sentences that name the body that published an entry, in full or by its initials."""
    bodies = [str(p.get("literal")) for p in entry.csl.get("author") or () if p.get("literal")]
    names = {b for b in bodies if len(b.split()) > 1}
    names |= {"".join(w[0] for w in b.split() if w[:1].isupper()) for b in names if len(b.split()) > 2}
    end = min([len(document.text), *(b.start for b in document.bibliography())])
    found_at: set[Span] = set()
    for name in names:
        at = document.text.find(name, 0, end)
        while at >= 0:
            for span in found.sentences(document, _paragraph(document, at, at + len(name))):
                if span.start <= at < span.end:
                    found_at.add(span)
            at = document.text.find(name, at + len(name), end)
    return found_at


def _paragraph(document: Document, start: int, end: int) -> Span:
    """The whole paragraphs that a stretch lies in."""
    begin = document.text.rfind("\n\n", 0, start)
    stop = document.text.find("\n\n", end)
    return Span(max(0, begin + 2) if begin >= 0 else 0, len(document.text) if stop < 0 else stop)


def _claimed(found: Evidence, piece: Piece) -> str:
    """What of a sentence is relayed from the entries: of one that cites several works each has its own stretch."""
    meant = set(_meant(found))
    mentions = found.mentions(piece.passage.document_id)
    own = [m for m in mentions if m.reference_id in meant and piece.span.overlaps(m.scope_start, m.scope_end)]
    if not own:
        return _text(piece)
    start = max(piece.span.start, min(m.scope_start for m in own))
    end = min(piece.span.end, max(m.scope_end for m in own))
    return bare(piece.passage.text[start - piece.passage.start : end - piece.passage.start])


def _text(piece: Piece) -> str:
    passage = piece.passage
    return bare(passage.text[piece.span.start - passage.start : piece.span.end - passage.start])


def _entry(found: Evidence, entry: Reference) -> Piece | None:
    if entry.start is None or entry.end is None:
        return None
    return found.piece(entry.document_id, Span(entry.start, entry.end), entry=entry)
