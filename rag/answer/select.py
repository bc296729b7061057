"""Candidate sentences → the few that make the answer, in readable order, or none.

Knows no index and no citation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.answer.evidence import Candidate
from rag.types import Passage, Span

THRESHOLDS = {"judged": 0.2, "within": 0.2, "across": 0.1}
"""Least probability for a sentence to answer at all, by how it was found out: read by the judge, told by form, told by
meaning alone. Below it the sources are said not to answer."""
_NEAR_BEST = 0.8
_MOST = 3
_SAME = 0.92
"""Cosine above which two sentences say the same."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence of the answer: a verbatim span of a document, and the passage that holds it."""

    passage: Passage
    span: Span
    probability: float


def select(candidates: Sequence[Candidate], threshold: float) -> list[Piece]:
    """The fewest sentences that answer: the best, those about as good that add something, and what they lean on.

    Empty when no candidate reaches the threshold. `candidates` come best first.
    """
    chosen: list[Candidate] = []
    for candidate in candidates:
        if candidate.probability < threshold or len(chosen) == _MOST:
            break
        if chosen and candidate.probability < _NEAR_BEST * chosen[0].probability:
            break
        if all(float(candidate.vector @ c.vector) < _SAME for c in chosen):
            chosen.append(candidate)
    pieces: dict[tuple[str, int], Piece] = {}
    for candidate in chosen:
        if candidate.hangs and candidate.before is not None:
            key = (candidate.passage.document_id, candidate.before.start)
            pieces.setdefault(key, Piece(candidate.passage, candidate.before, candidate.probability))
        key = (candidate.passage.document_id, candidate.span.start)
        pieces[key] = Piece(candidate.passage, candidate.span, candidate.probability)
    first: dict[str, int] = {}
    for i, candidate in enumerate(chosen):
        first.setdefault(candidate.passage.document_id, i)
    return sorted(pieces.values(), key=lambda p: (first[p.passage.document_id], p.span.start))
