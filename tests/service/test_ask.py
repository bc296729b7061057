"""POST /v1/ask and /v1/search: answers that lead back to the stored characters, as JSON and as events."""

from __future__ import annotations

import json

import httpx
import pytest
from fastapi.testclient import TestClient

USERS = "How many users had Ernie Bot attracted by April 2024?"


def events(text: str) -> list[tuple[str, dict]]:
    """The named events of a server-sent stream, in order."""
    found = []
    for block in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def test_an_answer_leads_to_the_stored_characters(client: TestClient) -> None:
    """Every quote of an answer is a verbatim slice of the document that /v1/documents returns."""
    answer = client.post("/v1/ask", json={"question": USERS}).json()
    assert answer["status"] == "answered"
    assert "200 million" in answer["answer"]
    assert answer["citations"]
    for citation in answer["citations"]:
        text = client.get(f"/v1/documents/{citation['document_id']}").json()["text"]
        place = citation["location"]
        assert text[place["start_char_index"] : place["end_char_index"]] == citation["cited_text"]


def test_an_answer_leads_on_to_the_bibliography(client: TestClient) -> None:
    """A relayed claim names the entry behind it, formatted, and the entry exists in the bibliography."""
    answer = client.post("/v1/ask", json={"question": USERS}).json()
    relayed = [citation for citation in answer["citations"] if citation["attribution"] == "relayed"]
    assert relayed
    shown = {reference["id"]: reference for reference in answer["references"]}
    for reference_id in relayed[0]["reference_ids"]:
        entry = client.get(f"/v1/references/{reference_id}").json()
        assert entry["formatted"] == shown[reference_id]["formatted"]
        assert "Deng" in entry["formatted"]


def test_every_sentence_carries_a_verdict_and_a_citation(client: TestClient) -> None:
    """Sentences are slices of the answer; none stands without a verdict and a way to its source."""
    answer = client.post("/v1/ask", json={"question": USERS}).json()
    assert answer["sentences"]
    for sentence in answer["sentences"]:
        assert answer["answer"][sentence["start"] : sentence["end"]].strip()
        assert sentence["verdict"] in {"supported", "partial"}
        assert 0 <= sentence["score"] <= 1
        assert sentence["citations"]


def test_what_the_sources_do_not_answer_is_said(client: TestClient) -> None:
    """An unanswerable question gets no invented answer, but the passages that came nearest."""
    answer = client.post("/v1/ask", json={"question": "What is the boiling point of nitrogen?"}).json()
    assert answer["status"] == "abstained"
    assert answer["citations"] == []
    assert answer["passages"]


def test_the_answer_names_the_generation_it_came_from(client: TestClient) -> None:
    """The generation of an answer is the live one of /v1/index, manifest hash and all."""
    answer = client.post("/v1/ask", json={"question": USERS}).json()
    live = next(g for g in client.get("/v1/index").json()["generations"] if g["current"])
    assert answer["index"]["generation"] == live["id"]
    assert answer["index"]["manifest_sha256"] == live["manifest_sha256"]


def test_the_style_of_references_is_the_one_asked_for(client: TestClient) -> None:
    """`style` changes how references are formatted, and nothing else of the answer."""
    harvard, apa = (
        client.post("/v1/ask", json={"question": USERS, "style": style}).json() for style in ("harvard", "apa")
    )
    assert harvard["answer"] == apa["answer"]
    assert harvard["references"][0]["formatted"] != apa["references"][0]["formatted"]


def test_a_stream_tells_the_answer_as_it_comes_about(server: str) -> None:
    """The events come in the promised order, and the last one is the whole answer."""
    with httpx.Client(base_url=server) as http:
        response = http.post("/v1/ask", json={"question": USERS, "stream": True})
        whole = http.post("/v1/ask", json={"question": USERS}).json()
    assert response.headers["content-type"].startswith("text/event-stream")
    told = events(response.text)
    names = [name for name, _ in told]
    assert names[0] == "retrieval.completed"
    assert names[-1] == "answer.completed"
    assert {"answer.delta", "citation.added", "sentence.verified"} <= set(names)
    last = told[-1][1]
    assert "".join(data["text"] for name, data in told if name == "answer.delta") == last["answer"] == whole["answer"]
    assert [data for name, data in told if name == "citation.added"] == last["citations"] == whole["citations"]
    assert [data for name, data in told if name == "sentence.verified"] == last["sentences"]


def test_a_stream_for_an_unanswerable_question_ends_well(server: str) -> None:
    """Abstaining is an answer and no error, in a stream as in JSON."""
    with httpx.Client(base_url=server) as http:
        told = events(http.post("/v1/ask", json={"question": "What is the capital of France?", "stream": True}).text)
    assert told[-1][0] == "answer.completed"
    assert told[-1][1]["status"] == "abstained"


def test_a_client_that_leaves_does_not_hurt_the_others(server: str) -> None:
    """Streams broken off at their first bytes leave the service answering."""
    with httpx.Client(base_url=server) as http:
        for _ in range(8):
            with http.stream("POST", "/v1/ask", json={"question": USERS, "stream": True}) as response:
                next(response.iter_bytes())
        assert http.post("/v1/ask", json={"question": USERS}).status_code == 200


def test_a_refused_stream_is_a_problem_and_no_stream(client: TestClient) -> None:
    """What can be refused before the first event is refused with a status, not within a stream."""
    response = client.post("/v1/ask", json={"question": USERS, "stream": True, "collection": "nowhere"})
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


def test_search_returns_passages_best_first(client: TestClient) -> None:
    """A search finds the passage that holds the words, with its scores and exact place."""
    found = client.post("/v1/search", json={"query": "four new AI tigers", "limit": 3}).json()
    assert len(found["passages"]) == 3
    scores = [passage["scores"]["fused"] for passage in found["passages"]]
    assert scores == sorted(scores, reverse=True)
    best = found["passages"][0]
    text = client.get(f"/v1/documents/{best['document_id']}").json()["text"]
    assert text[best["start"] : best["end"]] == best["text"]
    assert client.get(f"/v1/passages/{best['id']}").json()["text"] == best["text"]


def test_a_filter_confines_the_search(client: TestClient) -> None:
    """With a document filter no passage comes from another document."""
    request = {"query": "the keeper of the gate", "collection": "harbour", "filters": {"documents": ["chinese"]}}
    found = client.post("/v1/search", json=request).json()
    assert {passage["document_id"] for passage in found["passages"]} == {"chinese"}


def test_a_filter_that_names_nothing_is_refused(client: TestClient) -> None:
    """A document that does not exist is a 404, not an empty result."""
    response = client.post("/v1/search", json={"query": "tar", "filters": {"documents": ["no-such"]}})
    assert response.status_code == 404


@pytest.mark.parametrize(
    "question", ["南门的守门人每天清点什么？", "🦊?", "¿Quién guarda la puerta norte?", "a" * 2000]
)
def test_questions_in_any_script_are_answered_or_declined(client: TestClient, question: str) -> None:
    """Whatever the script, the reply is an answer object, never an error."""
    response = client.post("/v1/ask", json={"question": question, "collection": "harbour"})
    assert response.status_code == 200
    assert response.json()["status"] in {"answered", "partial", "found", "abstained"}
