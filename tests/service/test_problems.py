"""Errors: every one a problem detail with a clear 4xx, never a 500, never a word about the machine."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from rag.settings import Settings
from rag.workspace import Workspace
from service.app import create_app
from service.problems import KINDS

ASK = "/v1/ask"
JSON = {"content-type": "application/json"}


def problem(response) -> dict:
    """The problem details of a response, checked for their shape."""
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == response.status_code
    assert {"type", "title", "detail"} <= set(body)
    return body


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"question": ""}', 422),
        ('{"question": "   \\n\\t "}', 422),
        ('{"question": "\\u200b\\u200b"}', 422),
        ('{"question": "a\\u0000b"}', 422),
        ('{"question": "\\ud800"}', 422),
        ('{"question": "\\u001b[31m"}', 422),
        ('{"question": 5}', 422),
        ('{"question": null}', 422),
        ('{"question": ["a"]}', 422),
        ('{"question": {"a": 1}}', 422),
        ("{}", 422),
        ("[]", 422),
        ("null", 422),
        ('"question"', 422),
        ("", 422),
        ("{", 400),
        ("not json", 400),
        ("\xff\xfe", 400),
        ('{"question": ' + "[" * 40_000, 400),
        ('{"question": ' + "[" * 100_000, 413),
        ('{"question": ' + "1" * 5000 + "}", 400),
        ('{"question": "q", "limit": 0}', 422),
        ('{"question": "q", "limit": 101}', 422),
        ('{"question": "q", "limit": NaN}', 422),
        ('{"question": "q", "limit": 1e400}', 422),
        ('{"question": "q", "limit": "many"}', 422),
        ('{"question": "q", "stream": "perhaps"}', 422),
        ('{"question": "q", "style": "handwritten"}', 422),
        ('{"question": "q", "generator": "oracle"}', 422),
        ('{"question": "q", "filters": {"colour": "red"}}', 422),
        ('{"question": "q", "filters": {"documents": "one"}}', 422),
        ('{"question": "q", "filters": 3}', 422),
        ('{"question": "q", "temperature": 1}', 422),
        ('{"question": "q", "\\ud800": 1}', 422),
        ('{"question": "q", "collection": ""}', 422),
        ('{"question": "q", "collection": "../corpus"}', 422),
        ('{"question": "q", "collection": "/etc"}', 422),
        ('{"question": "q", "collection": ".git"}', 422),
        ('{"question": "q", "collection": "a\\\\b"}', 422),
        ('{"question": "q", "collection": "a\\n"}', 422),
        ('{"question": "q", "collection": "nowhere"}', 404),
    ],
)
def test_bad_questions_get_a_clear_refusal(client: TestClient, body: str, status: int) -> None:
    """Whatever the body, the reply is a problem detail with the status that fits."""
    response = client.post(ASK, content=body.encode("latin-1"), headers=JSON)
    assert (response.status_code, problem(response)["detail"] != "") == (status, True)


def test_a_question_over_the_limit_is_refused_with_the_limit(client: TestClient) -> None:
    """The longest question of the settings is taken, one character more is not, and the reply tells the limit."""
    assert client.post(ASK, json={"question": "why " * 500}).status_code == 200
    found = problem(client.post(ASK, json={"question": "why " * 500 + "?"}))
    assert found["status"] == 422
    assert "2,000" in found["detail"] or "2000" in found["detail"]


def test_a_problem_points_to_the_field(client: TestClient) -> None:
    """A misspelt field is named, so that it can be found and is not silently ignored."""
    found = problem(client.post(ASK, json={"question": "q", "colection": "x"}))
    assert [error["where"] for error in found["errors"]] == ["#/colection"]


def test_a_problem_does_not_echo_what_was_sent(client: TestClient) -> None:
    """Values of a refused request may be secret or huge: they are not repeated."""
    response = client.post(ASK, json={"question": {"password": "correct horse"}})
    assert "horse" not in response.text


def test_a_huge_body_is_refused_before_it_is_read(client: TestClient) -> None:
    """A body over a mebibyte gets 413, whether its length is told or not."""
    huge = json.dumps({"question": "a" * (1 << 20)}).encode()
    assert problem(client.post(ASK, content=huge, headers=JSON))["status"] == 413
    blocks = (huge[i : i + 65536] for i in range(0, len(huge), 65536))
    assert problem(client.post(ASK, content=blocks, headers=JSON))["status"] == 413


KEYS = ",".join(f'"k{i:05d}":1' for i in range(80_000))
SOME_KEYS = ",".join(f'"k{i:05d}":1' for i in range(49_000))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        *((path, f"{{{KEYS}}}") for path in (ASK, "/v1/search", "/v1/export", "/v1/fetch", "/v1/session", "/mcp")),
        *((path, f"{{{SOME_KEYS}}}") for path in (ASK, "/v1/search", "/v1/fetch", "/v1/index/rollback")),
        ("/v1/documents", f'{{"address":"http://a",{KEYS}}}'),
        (ASK, f'{{"question":"q","filters":{{{SOME_KEYS}}}}}'),
        (ASK, f'{{"question":"q","history":[{{{SOME_KEYS}}}]}}'),
        (ASK, json.dumps({"question": "q", "filters": {"documents": ["a"] * 100_000}})),
        (ASK, json.dumps({"question": "q", "filters": {"documents": [1] * 49_000}})),
        (
            ASK,
            json.dumps({"question": "q", "filters": {name: [1] * 999 for name in ("documents", "authors", "cites")}}),
        ),
        (ASK, json.dumps({"question": "q", "history": [{}] * 100_000})),
        (ASK, json.dumps({"question": "q", "history": [{}] * 49})),
        (ASK, '{"question":' + '{"a":' * 49_000),
        (ASK, '{"question":"q","limit":' + "9" * 900_000 + "}"),
        (ASK, '{"question":"q","limit":1e' + "9" * 900_000 + "}"),
        (ASK, "{" + '"question":"q",' * 60_000 + '"limit":0}'),
        (ASK, json.dumps({"question": " " * 1_000_000})),
        ("/v1/chat/completions", json.dumps({"model": "adfontes", "messages": [1] * 49_000})),
        (
            "/v1/chat/completions",
            json.dumps({"model": "adfontes", "messages": [{"role": "user", "content": [1] * 49_000}]}),
        ),
        ("/v1/export", json.dumps({"format": "text", "answer": {"sentences": [1] * 49_000}})),
        ("/v1/export", '{"format":"text","answer":{"references":[{"csl":' + '{"a":' * 400 + "1" + "}" * 400 + "}]}}"),
    ],
)
def test_a_body_made_to_take_long_is_refused_at_once(client: TestClient, path: str, body: str) -> None:
    """Many names, many values, deep nesting, long numbers: a clear refusal of a few lines after little work."""
    client.post(path, content=b"{}", headers=JSON)  # what a first request loads is not the body's doing
    began = time.process_time()
    response = client.post(path, content=body.encode(), headers=JSON)
    assert time.process_time() - began < 0.5  # of processor time; it was seconds
    assert 400 <= response.status_code < 500
    assert len(response.content) < 3000


def test_many_faults_are_told_by_their_number(client: TestClient) -> None:
    """Some faults are told one by one, many by how many they are."""
    few = problem(client.post(ASK, json={"question": "q", **{f"k{i}": 1 for i in range(20)}}))
    assert len(few["errors"]) == 20
    many = problem(client.post(ASK, json={"question": "q", **{f"k{i}": 1 for i in range(21)}}))
    assert [error["detail"] for error in many["errors"]] == ["has 21 faults, too many to list"]


def test_another_content_type_is_named(client: TestClient) -> None:
    """A form, as `curl -d` sends it, is told that JSON is wanted."""
    response = client.post(ASK, content=b'{"question": "q"}', headers={"content-type": "text/plain"})
    assert problem(response)["status"] == 415


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/page/nowhere.js", 404),
        ("GET", "/page/../app.py", 404),
        ("GET", "/page/%2e%2e/app.py", 404),
        ("GET", "/v1/ask", 405),
        ("PUT", "/v1/documents", 405),
        ("GET", "/v1/documents/nowhere", 404),
        ("GET", "/v1/documents/..%2F..%2Fetc%2Fpasswd", 404),
        ("GET", "/v1/documents/%00", 404),
        ("GET", "/v1/documents/%ff", 404),
        ("GET", "/v1/references/nowhere", 404),
        ("GET", "/v1/references?format=docx", 422),
        ("GET", "/v1/references?style=none", 422),
        ("GET", "/v1/references?id=nowhere", 404),
        ("GET", "/v1/references?document_id=nowhere", 404),
        ("GET", "/v1/audit?document_id=nowhere", 404),
        ("GET", "/v1/passages/nowhere", 404),
        ("GET", "/v1/jobs/nowhere", 404),
        ("DELETE", "/v1/jobs/nowhere", 404),
        ("DELETE", "/v1/documents/nowhere", 404),
        ("GET", "/v1/index?collection=nowhere", 404),
        ("GET", "/v1/documents?collection=nowhere", 404),
        ("GET", "/v1/documents?collection=..%2Fcorpus", 422),
        ("GET", "/v1/documents?collection=%00", 422),
        ("GET", "/problems/nowhere", 404),
    ],
)
def test_what_is_not_there_is_a_problem_too(client: TestClient, method: str, path: str, status: int) -> None:
    """Unknown paths, methods and names are problem details like all others."""
    assert problem(client.request(method, path))["status"] == status


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/index/rebuild", {"collection": "nowhere"}, 404),
        ("/v1/index/rebuild", {"collection": "../x"}, 422),
        ("/v1/index/rebuild", {"force": True}, 422),
        ("/v1/index/rollback", {"collection": "nowhere"}, 404),
        ("/v1/index/rollback", {"generation": "20000101T000000-000000"}, 404),
        ("/v1/index/rollback", {"generation": "../../etc"}, 422),
        ("/v1/search", {"query": ""}, 422),
        ("/v1/search", {"query": "x" * 3000}, 422),
        ("/v1/search", {"question": "x"}, 422),
    ],
)
def test_bad_bodies_of_the_other_routes(client: TestClient, path: str, body: dict, status: int) -> None:
    """The other routes refuse as clearly as /v1/ask."""
    assert problem(client.post(path, json=body))["status"] == status


def test_a_405_names_the_methods_that_are_allowed(client: TestClient) -> None:
    """HTTP asks for an Allow header, and it helps."""
    assert client.get(ASK).headers["allow"] == "POST"
    assert client.put("/v1/documents").headers["allow"] == "GET, POST"


def test_every_kind_of_problem_is_explained(client: TestClient) -> None:
    """`type` of a problem is a path that tells what it means."""
    for kind, known in KINDS.items():
        assert known.title in client.get(f"/problems/{kind}").text


def test_a_service_without_an_index_says_so(tmp_path: Path) -> None:
    """Before the first rebuild the service starts, is not ready, and tells what to do."""
    (tmp_path / "corpus" / "new").mkdir(parents=True)
    empty = Workspace(Settings(corpus=tmp_path / "corpus", index=tmp_path / "index", collection="new"))
    with TestClient(create_app(empty), base_url="http://127.0.0.1") as client:
        assert client.get("/healthz").status_code == 200
        assert problem(client.get("/readyz"))["status"] == 503
        found = problem(client.post(ASK, json={"question": "who?"}))
        assert found["type"] == "/problems/no-index"
        assert "rebuild" in found["detail"]
        assert str(tmp_path) not in json.dumps(found)


def test_an_unforeseen_error_shows_nothing_of_the_inside(tmp_path: Path, workspace: Workspace) -> None:
    """A fault of ours is a 500 with its problem detail and no path, name or trace of the code."""
    app = create_app(workspace)

    @app.get("/fault")
    def fault() -> None:
        raise RuntimeError(f"secret in {tmp_path}")

    with TestClient(app, base_url="http://127.0.0.1") as client:
        response = client.get("/fault")
    assert problem(response)["status"] == 500
    assert "secret" not in response.text
    assert "content-security-policy" in response.headers
