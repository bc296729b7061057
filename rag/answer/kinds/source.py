"""Who says this, which source is it from: a claim → the sentence that makes it → the citation → the entry."""

from __future__ import annotations

from collections.abc import Sequence

from rag.answer import about, wording
from rag.answer.evidence import Candidate, covered, present
from rag.answer.gather import Evidence, Piece
from rag.answer.plan import Told
from rag.citations import covering
from rag.lexical import terms, words

_COVERED = 0.5
"""Least share of the claim's words, by weight, in the sentence that is taken for it."""
_NEAR_BEST = 0.85
_MOST = 3


def tell(found: Evidence) -> Told | None:
    """The sentences that make the claim with what they cite; None when no source is asked for."""
    topic = _claim(found)
    if not topic:
        return None
    weights = {t: found.generation.idf(t) for t in topic}
    unknown = found.generation.idf("\0")
    if any(w >= unknown for t, w in weights.items() if t in found.asked.names):
        return None  # nobody of that name: whether anything speaks of it is not for this kind to say
    relayed: list[tuple[float, Candidate]] = []
    for candidate in found.candidates:
        mentions = found.mentions(candidate.passage.document_id)
        if not covering(mentions, candidate.span.start, candidate.span.end):
            continue
        near = present(_with_before(candidate), found.asked.language)
        share = 0.8 * covered(weights, present(candidate.text, found.asked.language)) + 0.2 * covered(weights, near)
        relayed.append((share + 0.3 * candidate.features[0], candidate))
    relayed.sort(key=lambda x: (-x[0], x[1].span.start))
    best = [c for score, c in relayed if score >= _NEAR_BEST * relayed[0][0]][:_MOST]
    best = [c for c in best if covered(weights, present(_with_before(c), found.asked.language)) >= _COVERED]
    if not best:
        return None
    pieces = [Piece(c.passage, c.span, c.probability) for c in sorted(best[:2], key=lambda c: c.span.start)]
    return Told(pieces, kind="source", confidence=min(1.0, relayed[0][0]))


def _claim(found: Evidence) -> Sequence[str]:
    """The words of the claim whose source is asked for; none when the question asks for no source."""
    spoken = words(found.scope.text)
    asks = [w for w in spoken[:6] if w in wording.said("sources")]
    backs = [w for w in spoken if w in wording.said("supports")]
    if not asks or not backs or about.asks_field(found.whole):
        return ()
    if asks == ["who"] and set(backs) <= wording.said("deeds"):
        return ()  # who did it is asked, not who says so
    if spoken[0] in {"what", "when", "why", "how", "where"} and "source" not in asks and "sources" not in asks:
        return ()
    known = wording.said_terms("sources") | wording.said_terms("supports")
    return tuple(t for t in found.asked.content if t not in known and t in set(terms(found.scope.text)))


def _with_before(candidate: Candidate) -> str:
    passage = candidate.passage
    start = candidate.before.start if candidate.before and candidate.hangs else candidate.span.start
    return passage.text[start - passage.start : candidate.span.end - passage.start]
