"""POST /v1/verify: a text held to the sources over HTTP."""

from __future__ import annotations

import json

from fastapi.testclient import TestClient

TEXT = "Ernie Bot had attracted more than 200 million users by April 2024. Alibaba launched it in 2019."


def test_a_text_is_checked_over_http(client: TestClient) -> None:
    """Each sentence has a verdict; what carries it is a slice of a document, and leads on to the entry behind it."""
    told = client.post("/v1/verify", json={"text": TEXT}).json()
    assert told["object"] == "verification"
    assert [s["verdict"] for s in told["sentences"]] == ["supported", "unsupported"]
    citation = told["citations"][told["sentences"][0]["citations"][0]]
    place = citation["location"]
    document = client.get(f"/v1/documents/{citation['document_id']}").json()
    assert document["text"][place["start_char_index"] : place["end_char_index"]] == citation["cited_text"]
    assert [r["id"] for r in told["references"]] == citation["reference_ids"]


def test_verdicts_come_as_they_are_reached(client: TestClient) -> None:
    """Streamed: one event a sentence, then the whole, which is the same as without a stream."""
    with client.stream("POST", "/v1/verify", json={"text": TEXT, "stream": True}) as response:
        lines = list(response.iter_lines())
    names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    assert names.count("sentence.checked") == 2
    assert names[-1] == "verification.completed"
    whole = json.loads([line.removeprefix("data: ") for line in lines if line.startswith("data: ")][-1])
    alone = client.post("/v1/verify", json={"text": TEXT}).json()
    assert whole["sentences"] == alone["sentences"]


def test_what_cannot_be_checked_is_refused_by_name(client: TestClient) -> None:
    """Too many sentences, an unknown collection and unknown fields are refused, streamed or not."""
    many = client.post("/v1/verify", json={"text": "It rose. " * 201})
    assert many.status_code == 422
    assert "201 sentences" in many.json()["detail"]
    assert client.post("/v1/verify", json={"text": TEXT, "collection": "nowhere", "stream": True}).status_code == 404
    assert client.post("/v1/verify", json={"text": TEXT, "passage": "a"}).status_code == 422
