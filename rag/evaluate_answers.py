"""Judged answers → correctness, coverage, citation recall and precision, abstention, length, each with its interval.

Citation recall and precision are ALCE's (Gao et al. 2023), sentence by sentence: a sentence is recalled when what it
cites, taken together, supports it; a citation is precise when its sentence is recalled and the citation alone supports
it, or the others without it do not. Copying the top passage scores nearly 1 in both, so neither is told without
correctness and coverage beside it. Intervals are the middle 95% over resampled questions. Knows no HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rag.answer.verify import carries
from rag.encoder.judge import Judge
from rag.evaluate import Outcome
from rag.evaluate.answers import UNSURE
from rag.evaluate.risk import Point, is_right, risk_coverage
from rag.types import Answer

__all__ = ["Measure", "Point", "citations", "measures", "of_answer", "our_verifier", "risk_coverage"]
Supports = Callable[[str, Sequence[str]], bool]
"""Whether cited texts, taken together, support a sentence."""
_RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Measure:
    """A mean over questions or sentences with its 95% interval; `of` is how many questions bear on it."""

    value: float | None
    low: float | None
    high: float | None
    of: int


def our_verifier(judge: Judge | None) -> Supports:
    """The same verifier that answers are held to, as the judge of citations."""
    return lambda sentence, texts: carries(sentence, texts, judge)


def citations(answer: Answer, supports: Supports) -> tuple[list[bool], list[bool]]:
    """For each sentence whether its citations carry it, and for each citation whether it is needed or enough."""
    recalled: list[bool] = []
    precise: list[bool] = []
    for sentence in answer.sentences:
        said = answer.answer[sentence.start : sentence.end]
        texts = [answer.citations[i].cited_text for i in sentence.citations]
        carried = bool(texts) and supports(said, texts)
        recalled.append(carried)
        for i, text in enumerate(texts):
            rest = [*texts[:i], *texts[i + 1 :]]
            precise.append(carried and (not rest or supports(said, [text]) or not supports(said, rest)))
    return recalled, precise


def of_answer(answer: Answer, supports: Supports) -> dict[str, float]:
    """One answer's citation recall and precision and its length in sentences and words; nothing of one declined."""
    if answer.status == "abstained" or not answer.sentences:
        return {}
    recalled, precise = citations(answer, supports)
    return {
        "citation recall": sum(recalled) / len(recalled),
        "citation precision": sum(precise) / len(precise) if precise else 0.0,
        "sentences": float(len(answer.sentences)),
        "words": float(len(answer.answer.split())),
    }


def measures(outcomes: Sequence[Outcome], answers: Sequence[Answer], supports: Supports) -> dict[str, Measure]:
    """Every measure of a set of judged answers; `outcomes` and `answers` go together."""
    able = [o for o in outcomes if o.answerable]
    judged = [citations(a, supports) for a in answers if a.sentences and a.status != "abstained"]
    return {
        "correctness": _mean([float(is_right(o)) for o in able]),
        "coverage": _mean([o.coverage for o in able if o.coverage is not None]),
        "references": _mean([float(o.references) for o in able if o.references is not None]),
        "citation_recall": _ratio([([float(x) for x in recalled]) for recalled, _ in judged]),
        "citation_precision": _ratio([([float(x) for x in precise]) for _, precise in judged]),
        "answered": _mean([float(o.status not in UNSURE) for o in able]),
        "declined": _mean([float(o.status in UNSURE) for o in outcomes if not o.answerable]),
        "sentences": _mean([float(len(a.sentences)) for a in answers if a.status != "abstained"]),
        "words": _mean([float(len(a.answer.split())) for a in answers if a.status != "abstained"]),
    }


def _mean(values: Sequence[float]) -> Measure:
    return _ratio([[v] for v in values])


def _ratio(groups: Sequence[Sequence[float]]) -> Measure:
    """The mean over all members of the groups; what is resampled are the groups, since members hang together."""
    groups = [g for g in groups if g]
    if not groups:
        return Measure(None, None, None, 0)
    sums, sizes = np.array([sum(g) for g in groups]), np.array([len(g) for g in groups])
    picks = np.random.default_rng(1).integers(0, len(groups), (_RESAMPLES, len(groups)))
    low, high = np.percentile(sums[picks].sum(1) / sizes[picks].sum(1), [2.5, 97.5])
    return Measure(round(float(sums.sum() / sizes.sum()), 4), round(float(low), 4), round(float(high), 4), len(groups))
