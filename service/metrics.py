"""What the service counts, for Prometheus: requests, answers and their verdicts, stages, what waits, what is live.

One registry an application, so that two of them in one process keep apart. Labels hold routes, statuses and
collections, never what anybody asked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from rag.types import Answer

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The counters of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._watched: list[_Read] = []
        self._requests = Counter(
            "adfontes_requests",
            "HTTP requests answered, by route and status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._request_seconds = Histogram(
            "adfontes_request_seconds",
            "Seconds from a request's head to the end of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._refused = Counter(
            "adfontes_refused",
            "Requests refused before any route saw them, by reason.",
            ("reason",),
            registry=self.registry,
        )
        self._answers = Counter(
            "adfontes_answers",
            "Questions answered, in part or whole, or declined.",
            ("collection", "status", "generator"),
            registry=self.registry,
        )
        self._sentences = Counter(
            "adfontes_sentences", "Sentences of answers, by verdict.", ("verdict",), registry=self.registry
        )
        self._stages = Histogram(
            "adfontes_stage_seconds",
            "Seconds of each stage of an answer.",
            ("stage",),
            buckets=_SECONDS,
            registry=self.registry,
        )

    def requested(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that has been answered; `route` is its template, not its path."""
        self._requests.labels(method, route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def refused(self, reason: str) -> None:
        """Count a request that the guard refused."""
        self._refused.labels(reason).inc()

    def answered(self, answer: Answer) -> None:
        """Count an answer, its verdicts and the time of its stages."""
        self._answers.labels(answer.index.collection, answer.status, answer.generator).inc()
        for sentence in answer.sentences:
            self._sentences.labels(sentence.verdict).inc()
        for stage, milliseconds in answer.timings_ms.items():
            self._stages.labels(stage).observe(milliseconds / 1000)

    def watch(self, read: Callable[[], Iterable[Metric]]) -> None:
        """Read more values whenever the metrics are fetched."""
        self._watched.append(_Read(read))
        self.registry.register(self._watched[-1])

    def text(self) -> bytes:
        """All values in Prometheus' text format, those of all processes where several serve."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self.registry)
        gathered = CollectorRegistry()
        MultiProcessCollector(gathered)  # type: ignore[no-untyped-call]
        for read in self._watched:
            gathered.register(read)
        return generate_latest(gathered)


class _Read(Collector):
    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        return self._read()

    def describe(self) -> Iterable[Metric]:
        return ()  # nothing is read before somebody asks


def gauge(name: str, meaning: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    """A gauge with one value for each set of labels."""
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for names, value in values:
        family.add_metric(names, value)
    return family
