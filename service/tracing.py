"""Traces of answers, for OpenTelemetry: where the time of one question went.

    POST /v1/ask (FastAPI's own span, within the caller's trace) → answer → encode, retrieve, … one a stage

Without an SDK this costs next to nothing. With the extra `telemetry` and OTEL_EXPORTER_OTLP_ENDPOINT set, spans go to
that collector. Spans hold routes, statuses, stages and counts, never what was asked.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace

from rag.types import Answer

log = logging.getLogger("adfontes.service")
_MILLION = 1_000_000


@contextmanager
def answering() -> Iterator[list[Answer]]:
    """The span of an answer; put the answer into the list, and its stages become spans of their own."""
    with trace.get_tracer("adfontes").start_as_current_span("answer") as span:
        found: list[Answer] = []
        yield found
        if not found or not span.is_recording():
            return
        answer = found[0]
        span.set_attributes(
            {
                "adfontes.collection": answer.index.collection,
                "adfontes.generation": answer.index.generation,
                "adfontes.status": answer.status,
                "adfontes.generator": answer.generator,
                "adfontes.sentences": len(answer.sentences),
                "adfontes.passages": len(answer.passages),
            }
        )
        began = time.time_ns() - int(sum(answer.timings_ms.values()) * _MILLION)  # it may have waited before
        for stage, milliseconds in answer.timings_ms.items():  # in the order they were gone through
            ended = began + int(milliseconds * _MILLION)
            trace.get_tracer("adfontes").start_span(stage, start_time=began).end(ended)
            began = ended


def configure() -> None:
    """Send traces to the collector that the environment names, if it names one."""
    if not (os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")):
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        log.warning("traces are wanted but cannot be sent: install the extra, `pip install 'adfontes[telemetry]'`")
        return
    provider = TracerProvider(resource=Resource.create({"service.name": "adfontes"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
