"""Questions made to make patterns run away are answered, or refused, as quickly as any other."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from answerers import spent_together
from fastapi.testclient import TestClient

SECONDS = 2.0
ATTACKS = Path(__file__).parents[3] / "shared/trials/attack"


def _answered(client: TestClient, body: dict) -> tuple[int, float]:
    """The status, and the seconds of processor time that it took: a busy machine is no fault of ours."""
    path = "/v1/chat/completions" if "messages" in body else "/v1/ask"
    started = spent_together()
    status = client.post(path, json=body).status_code
    return status, spent_together() - started


@pytest.mark.parametrize("name", [p.name for p in sorted(ATTACKS.glob("*.json"))] or ["none"])
def test_recorded_attacks_are_answered_at_once(name: str, client: TestClient) -> None:
    """What once stopped the whole service for minutes is answered or refused within two seconds."""
    if name == "none":
        pytest.skip("the recorded attacks (../shared/trials/attack) are absent")
    body = json.loads((ATTACKS / name).read_text(encoding="utf-8"))
    status, spent = _answered(client, body)
    assert status in (200, 422)
    assert spent < SECONDS


def test_the_turns_before_are_bounded(client: TestClient) -> None:
    """A turn whose question is too long to have been asked is refused by name; turns long ago are not looked at."""
    long = "does a " * 400
    refused = client.post("/v1/ask", json={"question": "Why?", "history": [{"question": long}]})
    assert refused.status_code == 422
    assert "history[0].question has 2,800 characters" in refused.json()["detail"]
    before = [{"question": long}, *[{"question": "Who makes Ernie Bot?"}] * 6]
    assert client.post("/v1/ask", json={"question": "Who makes Doubao?", "history": before}).status_code == 200


def test_a_conversation_outlives_a_message_that_was_refused(client: TestClient) -> None:
    """In /v1/chat/completions long answers are taken, and an earlier message that no question can be is passed over."""
    asked = {"role": "user", "content": "Who makes Ernie Bot?"}
    said = {"role": "assistant", "content": "Baidu does. " + "It says so at length. " * 5_000}
    refused = {"role": "user", "content": "does a " * 400}
    last = {"role": "user", "content": "When  was it\n launched?"}
    reply = client.post("/v1/chat/completions", json={"model": "adfontes", "messages": [refused, asked, said, last]})
    assert reply.status_code == 200
    assert reply.json()["adfontes"]["question"] == "When was Ernie Bot launched?"
    alone = client.post("/v1/chat/completions", json={"model": "adfontes", "messages": [refused]})
    assert alone.status_code == 422


def test_white_space_makes_no_difference(client: TestClient) -> None:
    """A question means the same on one line and on several, whatever stands between its words."""
    plain = client.post("/v1/ask", json={"question": "Who makes Ernie Bot?"}).json()
    spaced = client.post("/v1/ask", json={"question": "\n Who\u2003makes \t\r\n  Ernie\u00a0Bot? "}).json()
    assert spaced["question"] == plain["question"] == "Who makes Ernie Bot?"
    assert spaced["answer"] == plain["answer"]


def test_filters_are_bounded(client: TestClient) -> None:
    """A filter takes a thousand short texts and no more; what is too long or too many is refused."""
    for authors in (["a" * 501], ["a"] * 1001):
        body = {"query": "Ernie Bot", "filters": {"authors": authors}}
        assert client.post("/v1/search", json=body).status_code == 422
    started = time.process_time()
    body = {"query": "Ernie Bot", "filters": {"authors": [f"{'ab ' * 160}{n}" for n in range(1000)]}}
    assert client.post("/v1/search", json=body).json()["passages"] == []
    assert time.process_time() - started < SECONDS
