"""One set under one setting: every question searched, and asked where its answer is judged.

Everything is done through the same `search` and `ask` that the service uses; the figures name the index and the
settings they come from. Knows no file and no settings table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from random import Random
from typing import Any, Protocol

from rag.evaluate import answers, ranking, risk, statistics
from rag.evaluate.answers import Outcome
from rag.evaluate.sets import EvaluationSet, Query
from rag.store import Generation
from rag.types import Answer, Document, Passage

_PASSAGES = 3 * ranking.DEPTH
"""Passages searched for a ranking of `DEPTH` documents: several passages of one document count once."""
ANSWERS = ("answered", "string", "evidence", "references", "coverage", "declined", "right")


class Searching(Protocol):
    """A search as the service does it."""

    def __call__(self, query: str, *, limit: int) -> Sequence[Passage]:
        """At most `limit` passages, best first."""


@dataclass(frozen=True, slots=True)
class Run:
    """The figures of one set under one setting."""

    settings: Mapping[str, Any]
    models: Mapping[str, str]
    values: Mapping[str, Mapping[str, float]]
    """Measure → question → value."""
    outcomes: tuple[Outcome, ...]
    separation: float | None
    """How well confidence tells answerable from unanswerable questions: area under the ROC curve."""
    search_ms: tuple[float, ...]
    curve: tuple[risk.Point, ...] = ()
    """Risk by coverage, each confidence as the threshold."""
    threshold: float | None = None
    """The threshold that stood."""

    def estimates(self) -> dict[str, statistics.Estimate]:
        """Every measure's mean with its 95% interval."""
        found = {name: statistics.estimate(list(own.values())) for name, own in self.values.items()}
        return {name: value for name, value in found.items() if value is not None}


def sampled(given: EvaluationSet, questions: int | None, documents: int | None = None, seed: int = 0) -> EvaluationSet:
    """The set with so many of its questions, and so many documents: those that are right, and others beside them."""
    draw = Random(seed)  # noqa: S311  (a sample, no secret)
    queries: Sequence[Query] = given.queries
    if questions is not None and questions < len(queries):
        chosen = set(draw.sample(range(len(queries)), questions))
        queries = [q for i, q in enumerate(queries) if i in chosen]
    kept: Sequence[Document] = given.documents
    if documents is not None and documents < len(kept):
        right = {d for q in queries for d in q.relevant}
        others = [d.id for d in kept if d.id not in right]
        right.update(draw.sample(others, min(len(others), max(0, documents - len(right)))))
        kept = [d for d in kept if d.id in right]
    return replace(given, documents=tuple(kept), queries=tuple(queries))


def run(
    given: EvaluationSet,
    generation: Generation,
    search: Searching,
    ask: Callable[[str], Answer] | None,
    *,
    settings: Mapping[str, Any],
    models: Mapping[str, str],
    quality: Callable[[Answer], Mapping[str, float]] = lambda _: {},
    unheld: Callable[[str], Answer] | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Run:
    """Search, and with `ask` also ask, every question of the set; `quality` measures each answer by itself.

    `unheld` asks without a threshold, to tell what the declined questions would have been answered: the curve.
    """
    qualities: dict[str, dict[str, float]] = {}
    relevant: dict[str, dict[str, int]] = {}
    rankings: dict[str, list[str]] = {}
    outcomes: list[Outcome] = []
    free: list[Outcome] = []
    threshold: float | None = None
    texts = {d.id: answers.squeezed(generation.document(d.id).text) for d in generation.documents()} if ask else {}
    places = _Places(generation) if not given.documents else None
    total = len(given.queries) * (2 if ask else 1)
    took = []
    for done, query in enumerate(given.queries, 1):
        right = places.of(query) if places else query.relevant
        if right:
            started = time.perf_counter()
            passages = search(query.text, limit=_PASSAGES)
            took.append(round((time.perf_counter() - started) * 1000, 2))
            relevant[query.id] = dict(right)
            rankings[query.id] = [p.id for p in passages][: ranking.DEPTH] if places else ranking.by_document(passages)
        progress(done, total)
    if ask is not None:
        for done, query in enumerate(given.queries, len(given.queries) + 1):
            if query.judged is not None:
                started = time.perf_counter()
                answer = ask(query.text)
                outcomes.append(answers.judge(query.judged, answer, texts, (time.perf_counter() - started) * 1000))
                threshold = float(answer.settings.get("threshold") or 0.0) or threshold
                held = unheld is not None and answer.status == "abstained" and not answer.sentences
                free.append(
                    answers.judge(query.judged, unheld(query.text), texts, 0.0) if held and unheld else outcomes[-1]
                )
                for name, value in quality(answer).items():
                    qualities.setdefault(name, {})[outcomes[-1].id] = value
            progress(done, total)
    values = ranking.measured(relevant, rankings) if relevant else {}
    return Run(
        settings,
        models,
        values | _of_answers(outcomes) | qualities,
        tuple(outcomes),
        _separation(outcomes),
        tuple(took),
        tuple(risk.risk_coverage(free)) if unheld else (),
        threshold,
    )


class _Places:
    """Which passages of a collection hold the evidence of a question."""

    def __init__(self, generation: Generation) -> None:
        self._texts = {d.id: answers.squeezed(generation.document(d.id).text) for d in generation.documents()}
        self._passages = generation.passages(range(generation.size))

    def of(self, query: Query) -> dict[str, int]:
        evidence = query.judged.evidence if query.judged else None
        if not evidence:
            return {}
        spans = {i: answers.places(text, evidence) for i, text in self._texts.items()}
        return {
            p.id: 1
            for p in self._passages
            if any(p.start < end and start < p.end for start, end in spans[p.document_id])
        }


def _of_answers(outcomes: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    values: dict[str, dict[str, float]] = {name: {} for name in ANSWERS}
    for o in outcomes:
        declined = o.status in answers.UNSURE
        if o.answerable:
            values["answered"][o.id] = float(not declined)
            for name, value in (("string", o.string), ("evidence", o.evidence), ("references", o.references),
                                ("coverage", o.coverage)):  # fmt: skip
                if value is not None:
                    values[name][o.id] = float(value)
        else:
            values["declined"][o.id] = float(declined)
        values["right"][o.id] = float(not o.failures)
    return {name: own for name, own in values.items() if own}


def _separation(outcomes: Sequence[Outcome]) -> float | None:
    able = [o.confidence for o in outcomes if o.answerable]
    unable = [o.confidence for o in outcomes if not o.answerable]
    if not able or not unable:
        return None
    won = sum((a > b) + 0.5 * (a == b) for a in able for b in unable)
    return round(won / (len(able) * len(unable)), 4)


def differences(first: Run, second: Run) -> dict[str, statistics.Difference]:
    """By measure how `second` differs from `first` on the questions both have."""
    found = {}
    for name, own in first.values.items():
        shared = [q for q in own if q in second.values.get(name, {})]
        apart = statistics.compare([own[q] for q in shared], [second.values[name][q] for q in shared])
        if apart is not None:
            found[name] = apart
    return found


def as_json(given: EvaluationSet, runs: Sequence[Run], *, timings: bool = True) -> dict[str, Any]:
    """Everything as JSON-ready values; without `timings` two runs of the same thing are equal."""
    body: dict[str, Any] = {
        "set": {"name": given.name, "kind": given.kind, "sha256": given.sha256,
                "documents": len(given.documents), "questions": len(given.queries)},
        "runs": [
            {
                "settings": dict(r.settings),
                "models": dict(r.models),
                "measures": {name: asdict(value) for name, value in r.estimates().items()},
                "separation": r.separation,
                "threshold": r.threshold,
                "risk_coverage": [asdict(point) for point in r.curve],
                "questions": {name: dict(own) for name, own in r.values.items()},
                "outcomes": [_outcome(o, timings=timings) for o in r.outcomes],
                **({"search_ms": _spread(r.search_ms)} if timings else {}),
            }
            for r in runs
        ],
    }  # fmt: skip
    if len(runs) == 2:
        body["comparison"] = {name: asdict(value) for name, value in differences(*runs).items()}
    return body


def _outcome(outcome: Outcome, *, timings: bool) -> dict[str, Any]:
    body = asdict(outcome)
    return body if timings else {name: value for name, value in body.items() if name != "milliseconds"}


def _spread(values: Sequence[float]) -> dict[str, float] | None:
    ordered = sorted(values)
    return {"p50": ordered[len(ordered) // 2], "p95": ordered[int(len(ordered) * 0.95)]} if ordered else None
