"""Outcomes → the risk–coverage curve: what each threshold on the confidence buys, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.evaluate.answers import UNSURE, Outcome


@dataclass(frozen=True, slots=True)
class Point:
    """What a threshold on the confidence buys: the share of questions answered, and of those the share not right."""

    threshold: float
    coverage: float
    risk: float


def risk_coverage(outcomes: Sequence[Outcome]) -> list[Point]:
    """The risk–coverage curve over all questions: each confidence as the threshold, from the strictest down.

    An answer to an unanswerable question, and one that is not right, are the risk. Meaningful where the answers were
    asked for with threshold 0, so that none was held back; what is declined even so is covered by no threshold.
    """
    points = []
    ordered = sorted((o for o in outcomes if o.status not in UNSURE), key=lambda o: -o.confidence)
    for i, outcome in enumerate(ordered, 1):
        if i < len(ordered) and ordered[i].confidence == outcome.confidence:
            continue
        wrong = sum(not is_right(o) for o in ordered[:i])
        points.append(Point(outcome.confidence, round(i / len(outcomes), 4), round(wrong / i, 4)))
    return points


def is_right(outcome: Outcome) -> bool:
    """Whether an answer was given, to a question that has one, with the right words from the right place."""
    given = outcome.answerable and outcome.status != "abstained"
    return given and False not in (outcome.string, outcome.evidence)
