"""API keys: who may ask, what they may do and see, how much; and that there is no way around."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from rag.errors import InputError, NotFoundError, SettingsError
from rag.workspace import Workspace
from service.access import needs
from service.app import create_app
from service.keys import Keys

USERS = "How many users had Ernie Bot attracted by April 2024?"


@pytest.fixture(scope="module")
def guarded(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The shared collections, behind keys."""
    path = tmp_path_factory.mktemp("keys") / "keys.sqlite"
    Keys(path).add("first")
    changes = {"keys": path, "require_keys": "always", "rate_limit": 0}
    return Workspace(workspace.settings.model_copy(update=changes))


@pytest.fixture(scope="module")
def keys(guarded: Workspace) -> Keys:
    """The keys of the guarded service, as another process sees them."""
    return Keys(guarded.settings.keys)


@pytest.fixture(scope="module")
def door(
    guarded: Workspace, keys: Keys, application: Callable[[Workspace], AbstractContextManager[TestClient]]
) -> Iterator[TestClient]:
    """The guarded application; a request without a key is a stranger's."""
    with application(guarded) as client:
        yield client


def bearer(secret: str) -> dict[str, str]:
    """The header that carries a key."""
    return {"authorization": f"Bearer {secret}"}


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_key_is_kept_as_a_hash_only(tmp_path: Path) -> None:
    """The file holds nothing with which anybody could ask, and only its owner may read it."""
    path = tmp_path / "keys.sqlite"
    keys = Keys(path)
    key, secret = keys.add("Ana", scopes=["ask", "write"], collections=["field-notes"], rate=5, quota=7, days=2)
    keys.close()
    held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert secret.encode() not in held
    assert secret.split("_", 2)[2].encode() not in held
    assert path.stat().st_mode & 0o077 == 0
    assert Keys(path).check(secret) == key
    assert Keys(path).all() == [key]


def test_what_is_no_key_opens_nothing(tmp_path: Path) -> None:
    """A wrong secret, a foreign key, a revoked and an expired one are all the same: none."""
    keys = Keys(tmp_path / "keys.sqlite")
    key, secret = keys.add("Ana")
    _, late = keys.add("Bo", days=1)
    keys._file().execute("UPDATE keys SET expires_at = '2020-01-01T00:00:00+00:00' WHERE name = 'Bo'")
    for wrong in ("", "af_", secret[:-1], secret[:-1] + ("A" if secret[-1] != "A" else "B"), secret.upper(), late):
        assert keys.check(wrong) is None
    keys.revoke(key.id)
    assert keys.check(secret) is None
    assert [bool(k.revoked_at) for k in keys.all() if k.id == key.id] == [True]
    with pytest.raises(NotFoundError, match="nobody"):
        keys.revoke("nobody")


@pytest.mark.parametrize(
    "how", [{"scopes": ["root"]}, {"collections": ["../etc"]}, {"name": " "}, {"name": "a\nb"}, {"name": "x" * 200}]
)
def test_a_key_of_nonsense_is_not_made(tmp_path: Path, how: dict) -> None:
    """A wrong scope, collection or name is told, and no key is left."""
    keys = Keys(tmp_path / "keys.sqlite")
    with pytest.raises(InputError):
        keys.add(**{"name": "Ana", **how})
    assert keys.all() == []


def test_a_file_that_holds_no_keys_is_told(tmp_path: Path) -> None:
    """A damaged file is an error with its name, not a service without a lock."""
    path = tmp_path / "keys.sqlite"
    path.write_bytes(b"not a database, not at all" * 50)
    with pytest.raises(SettingsError, match=r"keys\.sqlite"):
        Keys(path).all()


# ── who must have one ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "sources.example"])  # noqa: S104
def test_a_service_that_others_reach_does_not_start_without_a_key(
    workspace: Workspace, tmp_path: Path, host: str
) -> None:
    """Bound elsewhere than on the loopback it is refused to start, with the mend; with a key it starts."""
    path = tmp_path / "keys.sqlite"
    elsewhere = Workspace(workspace.settings.model_copy(update={"host": host, "keys": path}))
    with pytest.raises(SettingsError, match="adfontes keys add"):
        create_app(elsewhere)
    key, _ = Keys(path).add("Ana")
    create_app(elsewhere)
    Keys(path).revoke(key.id)
    with pytest.raises(SettingsError, match="adfontes keys add"):
        create_app(elsewhere)


@pytest.mark.parametrize("hosts", ["sources.example", "localhost, sources.example", "10.0.0.5", "[2001:db8::1]"])
def test_a_service_with_a_public_name_does_not_start_without_a_key(
    workspace: Workspace, tmp_path: Path, hosts: str
) -> None:
    """Behind a proxy everybody comes in by the loopback: the name that the proxy passes on makes keys required."""
    path = tmp_path / "keys.sqlite"
    behind = Workspace(workspace.settings.model_copy(update={"hosts": hosts, "keys": path}))
    with pytest.raises(SettingsError, match=re.escape(hosts.rpartition(", ")[2])):
        create_app(behind)
    Keys(path).add("Ana")
    with TestClient(create_app(behind), base_url="http://127.0.0.1") as stranger:
        assert stranger.get("/v1/documents").status_code == 401


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "localhost"])
def test_on_the_loopback_no_key_is_needed(workspace: Workspace, host: str) -> None:
    """The default needs no key, nor do more names of the loopback."""
    create_app(Workspace(workspace.settings.model_copy(update={"host": host, "hosts": "127.0.0.1, LOCALHOST, [::1]"})))


def test_no_operation_is_open_by_accident(door: TestClient) -> None:
    """Every operation of the description refuses a stranger, but those that everybody may see."""
    described = door.get("/openapi.json").json()["paths"]
    public = set()
    for path, operations in described.items():
        for method, operation in operations.items():
            answer = door.request(method, path.replace("{", "").replace("}", ""))
            if answer.status_code == 401:
                assert answer.headers["www-authenticate"].startswith("Bearer")
                assert operation["x-scope"] in ("ask", "write", "admin")
            else:
                public.add((method, path))
    assert public == {("get", "/healthz"), ("get", "/readyz")} | {
        (method, "/v1/session") for method in ("get", "post", "delete") if (method, "/v1/session") in public
    }
    assert door.post("/mcp", json={}).status_code == 401
    assert door.get("/").status_code == door.get("/page/app.js").status_code == 200


def test_a_stranger_learns_only_whether_it_is_ready(
    door: TestClient, guarded: Workspace, keys: Keys, tmp_path: Path
) -> None:
    """Without an admin's key /readyz tells yes or no, and the same no for whatever reason."""
    _, reader = keys.add("reader", scopes=["ask", "write"])
    _, keeper = keys.add("keeper", scopes=["admin"])
    _, confined = keys.add("confined", scopes=["admin"], collections=["china-generative-ai"])
    guarded._damaged["harbour"] = f"{tmp_path} is not what was written"
    try:
        for headers in ({}, bearer(reader), bearer("af_wrong")):
            assert door.get("/readyz", headers=headers).json() == {"status": "ok"}
        assert "harbour" in door.get("/readyz", headers=bearer(keeper)).json()["notices"][0]
        assert door.get("/readyz", headers=bearer(confined)).json()["notices"] == []
    finally:
        guarded._damaged.clear()
    (tmp_path / "corpus" / "new").mkdir(parents=True)
    empty = guarded.settings.model_copy(
        update={"corpus": tmp_path / "corpus", "index": tmp_path / "index", "collection": "new"}
    )
    with TestClient(create_app(Workspace(empty)), base_url="http://127.0.0.1") as bare:
        told = set()
        for _ in range(200):
            told.add(bare.get("/readyz").text)
            if bare.get("/readyz", headers=bearer(keeper)).json()["type"] == "/problems/no-index":
                break
            time.sleep(0.05)
        told.add(bare.get("/readyz").text)
    assert len(told) == 1
    assert json.loads(told.pop())["type"] == "/problems/not-ready"


def test_the_table_of_scopes() -> None:
    """Reading and asking, writing, and what is left to those who run the service; the unknown is theirs."""
    assert [needs(*one) for one in (("GET", "/v1/documents"), ("POST", "/v1/ask"), ("POST", "/mcp"))] == ["ask"] * 3
    written = (("POST", "/v1/documents"), ("DELETE", "/v1/documents/x"), ("POST", "/v1/index/rebuild"))
    assert [needs(*one) for one in (*written, ("DELETE", "/v1/jobs/x"))] == ["write"] * 4
    assert [needs(*one) for one in (("POST", "/v1/index/rollback"), ("GET", "/metrics"))] == ["admin"] * 2
    assert needs("PUT", "/v1/whatever") == needs("POST", "/v1/documentsx") == "admin"


@pytest.mark.parametrize(("scopes", "allowed"), [(["ask"], 1), (["write"], 2), (["admin"], 4), (["ask,write"], 3)])
def test_a_key_does_what_its_scopes_say(door: TestClient, keys: Keys, scopes: list[str], allowed: int) -> None:
    """Reading, removing, rolling back: each takes its own scope, and the refusal names it."""
    _, secret = keys.add("scoped", scopes=scopes)
    did = [
        door.get("/v1/documents", headers=bearer(secret)).status_code,
        door.delete("/v1/documents/nowhere", headers=bearer(secret)).status_code,
        door.post("/v1/index/rollback", headers=bearer(secret), json={"generation": "20000101"}).status_code,
    ]
    opened = sum(1 << i for i, status in enumerate(did) if status != 403)
    assert opened == allowed, did
    assert set(did) <= {200, 403, 404}


def test_a_revoked_key_is_refused_at_once(door: TestClient, keys: Keys) -> None:
    """The next request after the revocation fails, without a restart."""
    key, secret = keys.add("gone")
    assert door.get("/v1/documents", headers=bearer(secret)).status_code == 200
    keys.revoke(key.id)
    assert door.get("/v1/documents", headers=bearer(secret)).status_code == 401


def test_a_cookie_is_a_key_too(door: TestClient, keys: Keys) -> None:
    """The page signs in: the cookie goes to no script and no other site, and signing out forgets it."""
    _, secret = keys.add("Ana", collections=["harbour"])
    assert door.post("/v1/session", json={"key": "af_00000000_" + "x" * 43}).status_code == 401
    assert door.get("/v1/session").json()["scopes"] == []
    signed = door.post("/v1/session", json={"key": secret})
    assert signed.status_code == 204
    assert {"HttpOnly", "SameSite=strict"} <= set(signed.headers["set-cookie"].split("; "))
    assert door.get("/v1/session").json()["name"] == "Ana"
    assert door.get("/v1/documents").status_code == 200
    assert door.delete("/v1/session").status_code == 204
    assert door.get("/v1/documents").status_code == 401


def test_no_key_is_ever_logged(door: TestClient, keys: Keys, caplog: pytest.LogCaptureFixture) -> None:
    """Log lines name the key by its id; the secret is in none, nor in any answer."""
    key, secret = keys.add("Ana")
    with caplog.at_level("DEBUG"):
        answers = [
            door.get("/v1/documents", headers=bearer(secret)),
            door.get("/v1/documents", headers=bearer(secret + "x")),
            door.post("/v1/session", json={"key": [secret]}),
        ]
    whole = caplog.text + "".join(answer.text for answer in answers)
    assert f"key={key.id}" in caplog.text
    assert secret.split("_", 2)[2] not in whole


# ── private collections ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_confined_key_sees_its_own_collections_only(door: TestClient, keys: Keys) -> None:
    """Whichever way it asks, the others do not exist; the default is one of its own."""
    _, secret = keys.add("harbour only", scopes=["ask", "write", "admin"], collections=["harbour"])
    mine = bearer(secret)
    listed = door.get("/v1/collections", headers=mine).json()["collections"]
    assert [(one["name"], one["default"]) for one in listed] == [("harbour", True)]
    models = [one["id"] for one in door.get("/v1/models", headers=mine).json()["data"]]
    assert models == ["adfontes", "adfontes/harbour"]
    assert {d["id"] for d in door.get("/v1/documents", headers=mine).json()["documents"]} == {"chinese", "traps"}
    other = "china-generative-ai"
    said = {"model": f"adfontes/{other}", "messages": [{"role": "user", "content": USERS}]}
    refused = [
        door.get("/v1/documents", params={"collection": other}, headers=mine),
        door.get("/v1/documents/damiani-2024", params={"collection": other}, headers=mine),
        door.get("/v1/references", params={"collection": other}, headers=mine),
        door.get("/v1/audit", params={"collection": other}, headers=mine),
        door.get("/v1/index", params={"collection": other}, headers=mine),
        door.post("/v1/ask", json={"question": USERS, "collection": other}, headers=mine),
        door.post("/v1/ask", json={"question": USERS, "collection": other, "stream": True}, headers=mine),
        door.post("/v1/search", json={"query": USERS, "collection": other}, headers=mine),
        door.post("/v1/chat/completions", json=said, headers=mine),
        door.post("/v1/index/rebuild", json={"collection": other}, headers=mine),
        door.post("/v1/index/rollback", json={"collection": other}, headers=mine),
        door.post("/v1/documents?name=a.md", params={"collection": other}, content=b"# A\n\nb", headers=mine),
        door.delete("/v1/documents/damiani-2024", params={"collection": other}, headers=mine),
    ]
    assert [answer.status_code for answer in refused] == [404] * len(refused)
    assert all(f"no collection {other!r}" in answer.json()["detail"] for answer in refused)
    call = {"name": "search", "arguments": {"query": USERS, "collection": other}}
    told = door.post(
        "/mcp",
        json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call},
        headers=mine | {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18"},
    )
    assert told.json()["result"]["isError"], told.text
    assert f"no collection {other!r}" in told.text


def test_jobs_of_other_collections_are_not_seen(door: TestClient, keys: Keys, finished: Callable) -> None:
    """A job is its collection's: another key can neither look at it nor stop it."""
    _, secret = keys.add("all", scopes=["ask", "write"])
    _, confined = keys.add("harbour only", scopes=["ask", "write"], collections=["harbour"])
    job = door.post("/v1/index/rebuild", headers=bearer(secret)).json()
    assert door.get(f"/v1/jobs/{job['id']}", headers=bearer(confined)).status_code == 404
    assert door.delete(f"/v1/jobs/{job['id']}", headers=bearer(confined)).status_code == 404
    assert door.get("/v1/jobs", headers=bearer(confined)).json()["jobs"] == []
    door.headers.update(bearer(secret))
    try:
        assert finished(door, job)["status"] == "succeeded"
    finally:
        del door.headers["authorization"]


# ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_requests_a_minute_are_limited(door: TestClient, keys: Keys) -> None:
    """The headers count down; the one too many is a 429 with the time to wait, for this key alone."""
    _, secret = keys.add("slow", rate=3)
    if time.time() % 60 > 57:  # the minute must not turn in the middle
        time.sleep(3.5)
    answers = [door.get("/v1/collections", headers=bearer(secret)) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert answers[0].headers["ratelimit-policy"] == '"minute";q=3;w=60'
    assert answers[0].headers["ratelimit"].startswith('"minute";r=2;t=')
    assert 0 < int(answers[3].headers["retry-after"]) <= 60
    assert answers[3].json()["type"] == "/problems/too-many"
    _, other = keys.add("another")
    assert door.get("/v1/collections", headers=bearer(other)).status_code == 200


def test_questions_a_day_are_limited_by_whatever_door(door: TestClient, keys: Keys) -> None:
    """The quota counts questions and not reading, over every process and over MCP."""
    _, secret = keys.add("frugal", quota=2)
    mine = bearer(secret)
    assert door.get("/v1/documents", headers=mine).status_code == 200
    first = door.post("/v1/search", json={"query": "tar"}, headers=mine)
    assert (first.status_code, first.headers["ratelimit-policy"]) == (200, '"day";q=2;w=86400')
    mcp = mine | {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18"}
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "search", "arguments": {"query": "a"}},
    }
    assert not door.post("/mcp", json=call, headers=mcp).json()["result"]["isError"]
    refused = door.post("/v1/search", json={"query": "tar"}, headers=mine)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 86_400
    assert "questions a day" in door.post("/mcp", json=call, headers=mcp).text
    assert door.get("/v1/documents", headers=mine).status_code == 200
