"""/metrics: counters an operator can watch, and nothing a reader asked."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

USERS = "How many users had Ernie Bot attracted by April 2024?"


def value(client: TestClient, name: str, **labels: str) -> float:
    """The sum of a metric's values that bear these labels."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


@pytest.mark.parametrize("stream", [False, True])
def test_answers_and_their_verdicts_are_counted(client: TestClient, stream: bool) -> None:
    """An answer adds one to the answers, its sentences to their verdicts, and its stages to their times."""
    labels = {"collection": "china-generative-ai", "status": "answered", "generator": "extractive"}
    answers = value(client, "adfontes_answers_total", **labels)
    sentences = value(client, "adfontes_sentences_total", verdict="supported")
    stages = value(client, "adfontes_stage_seconds_count", stage="retrieve")
    client.post("/v1/ask", json={"question": USERS, "stream": stream})
    assert value(client, "adfontes_answers_total", **labels) == answers + 1
    assert value(client, "adfontes_sentences_total", verdict="supported") > sentences
    assert value(client, "adfontes_stage_seconds_count", stage="retrieve") == stages + 1


def test_requests_are_counted_by_route_and_status(client: TestClient) -> None:
    """The label is the route's template: no identifier and no stray path makes a new one."""
    labels = {"method": "GET", "route": "/v1/documents/{document_id}", "status": "404"}
    before = value(client, "adfontes_requests_total", **labels)
    client.get("/v1/documents/nowhere")
    client.get("/v1/documents/elsewhere")
    client.get("/stray/path")
    assert value(client, "adfontes_requests_total", **labels) == before + 2
    assert value(client, "adfontes_requests_total", route="other", status="404") >= 1
    assert "stray" not in client.get("/metrics").text


def test_the_live_generations_are_named(client: TestClient) -> None:
    """What is live is a label of its size."""
    live = next(g for g in client.get("/v1/index").json()["generations"] if g["current"])
    labels = {"collection": "china-generative-ai", "generation": live["id"]}
    assert value(client, "adfontes_documents", **labels) == 1
    assert value(client, "adfontes_ready") == 1


def test_no_metric_tells_what_was_asked(client: TestClient) -> None:
    """The words of a question are in no label."""
    client.post("/v1/ask", json={"question": "What about the xylophone?"})
    assert "xylophone" not in client.get("/metrics").text
