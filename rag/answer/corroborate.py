"""An answer's sentence → what other documents say to the same claim: for it, or against it, never mixed.

Another document's sentence speaks to the same claim when it is near in meaning and answers the same question. Figures
that disagree, or a denial that the judge confirms, stand against; what the judge finds to support stands for. What is
neither is left out. Knows no citation and no prose.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from rag.answer.evidence import Candidate
from rag.answer.question import Question
from rag.answer.gather import Piece
from rag.encoder.judge import Judge, Support

_SAME_CLAIM = 0.5
"""Least cosine between sentences that speak to the same claim."""
_SUPPORTS = 0.34
"""Least probability of support, the judge's own threshold (MODEL_CARD.md)."""
_AGAINST = 0.7
"""Least log-odds of contradiction against support."""
_MOST = 4
"""Sentences of other documents that are compared; each costs the judge one look."""
_FIGURE = re.compile(r"\d[\d.,]*\d|\d")


@dataclass(frozen=True, slots=True)
class Compared:
    """Sentences of other documents that say the same as the answer's, and those that say otherwise."""

    supporting: tuple[Piece, ...] = ()
    contradicting: tuple[Piece, ...] = ()


def compare(asked: Question, best: Candidate, found: Sequence[Candidate], judge: Judge | None) -> Compared:
    """Set what other documents say beside `best`, the sentence that answers. `found` come most promising first."""
    if judge is None:
        return Compared()
    others: dict[str, Candidate] = {}
    for candidate in found:
        if candidate.passage.document_id == best.passage.document_id:
            continue
        known = others.get(candidate.passage.document_id)
        near = float(candidate.vector @ best.vector)
        if near >= _SAME_CLAIM and (known is None or near > float(known.vector @ best.vector)):
            others[candidate.passage.document_id] = candidate
    chosen = list(others.values())[:_MOST]
    if not chosen:
        return Compared()
    verdicts = judge.supports([(best.bare, c.bare) for c in chosen], [c.passage.text for c in chosen])
    supporting, contradicting = [], []
    for candidate, verdict in zip(chosen, verdicts, strict=True):
        piece = Piece(candidate.passage, candidate.span, candidate.probability)
        if _disagrees(asked, best, candidate, verdict):
            contradicting.append(piece)
        elif verdict.supported >= _SUPPORTS and verdict.supported > verdict.contradicted:
            supporting.append(piece)
    return Compared(tuple(supporting), tuple(contradicting))


def _disagrees(asked: Question, best: Candidate, other: Candidate, verdict: Support) -> bool:
    if asked.expects in {"quantity", "when"}:
        own, theirs = _figures(best.bare, asked), _figures(other.bare, asked)
        if own and theirs:
            return own.isdisjoint(theirs)
    return log(verdict.contradicted + 1e-9) - log(verdict.supported + 1e-9) >= _AGAINST


def _figures(text: str, asked: Question) -> set[str]:
    """The figures of a sentence that the question does not hold already, without separators of thousands."""
    known = set(asked.figures)
    return {m.group().replace(",", "") for m in _FIGURE.finditer(text) if m.group() not in known}
