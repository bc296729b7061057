"""Guards: who may ask this service, and what every response says to a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from rag.workspace import Workspace
from service.app import create_app
from service.guards import hosts_for
from service.keys import Keys


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8000", "localhost", "LOCALHOST:9", "[::1]", "[::1]:8000", "[0:0::1]:65535"]
)
def test_a_local_service_answers_to_local_names(client: TestClient, host: str) -> None:
    """The names of the loopback are answered, with any port."""
    assert client.get("/healthz", headers={"host": host}).status_code == 200


def test_a_service_of_any_name_takes_what_is_a_name(workspace: Workspace, tmp_path: Path) -> None:
    """Bound to all addresses it cannot know its names, but what no name or address is it does not answer to either."""
    Keys(tmp_path / "keys.sqlite").add("Ana")
    changes = {"host": "0.0.0.0", "keys": tmp_path / "keys.sqlite"}  # noqa: S104
    with TestClient(create_app(Workspace(workspace.settings.model_copy(update=changes)))) as wide:
        hosts = ("sources.example", "10.0.0.5:80", "[fe80::1]:8000", "a@b", "a:99999", "a b", "[12:34]", "a/b")
        told = [wide.get("/healthz", headers={"host": host}).status_code for host in hosts]
    assert told == [200, 200, 200, 421, 421, 421, 421, 421]


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8000", "", "[::1", "a@b", "evil@127.0.0.1",
        "evil:pw@127.0.0.1:8000", "127.0.0.1@evil.example", "127.0.0.1:99999", "localhost:65536", "127.0.0.1:-1",
        "127.0.0.1:", "127.0.0.1:8000:8000", "127.0.0.1/", "127.0.0.1?a", "127.0.0.1#a", "127.0.0.1 evil.example",
        "127.0.0.1,evil.example", "[::1]:99999", "[evil@::1]", "[::1]evil.example", "[::1%25lo]", "[127.0.0.1]", "::1",
        "[::ffff:127.0.0.1]", "127.1", "2130706433",
    ],
)  # fmt: skip
def test_a_local_service_does_not_answer_to_foreign_names(client: TestClient, host: str) -> None:
    """A foreign name that points at the loopback (DNS rebinding) reaches nothing."""
    response = client.get("/v1/documents", headers={"host": host})
    assert response.status_code == 421
    assert response.headers["content-type"] == "application/problem+json"


def test_a_service_bound_to_all_addresses_answers_to_any_name() -> None:
    """Who binds to every address has a name that this service cannot know."""
    assert hosts_for("0.0.0.0") is None  # noqa: S104
    assert hosts_for("::") is None
    assert "sources.example" in (hosts_for("sources.example") or ())


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "http://evil@127.0.0.1"},
        {"origin": "http://127.0.0.1:99999", "host": "127.0.0.1:99999"},
        {"origin": "http://evil@127.0.0.1", "host": "evil@127.0.0.1"},
        {"origin": "http://[::1]:99999"},
        {"origin": "http://[::1"},
        {"origin": "http://127.0.0.1/"},
        {"origin": "ftp://127.0.0.1"},
        {"origin": "127.0.0.1"},
        {"origin": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_other_sites_cannot_change_anything(client: TestClient, headers: dict) -> None:
    """A form or script of another site starts no job, even where a browser would send it without asking first."""
    before = len(client.get("/v1/jobs").json()["jobs"])
    assert client.post("/v1/index/rebuild", headers=headers).status_code in (403, 421)
    assert len(client.get("/v1/jobs").json()["jobs"]) == before


def test_the_own_page_may_ask(client: TestClient) -> None:
    """The page's own requests carry its origin and are answered."""
    headers = {"origin": "http://127.0.0.1", "sec-fetch-site": "same-origin"}
    assert client.post("/v1/search", json={"query": "tar"}, headers=headers).status_code == 200


def test_no_other_site_may_read(client: TestClient) -> None:
    """CORS is closed: no response allows another origin to read it."""
    preflight = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    for response in (client.options("/v1/ask", headers=preflight), client.get("/v1/documents", headers=preflight)):
        assert not [name for name in response.headers if name.startswith("access-control-")]


def test_a_request_can_be_found_in_the_log(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """The response names its request, with the client's own name where it is one, and the log line has it."""
    with caplog.at_level("INFO", logger="adfontes.service"):
        named = client.get("/v1/documents/some-secret-name", headers={"x-request-id": "mine-1"})
        made = client.get("/healthz", headers={"x-request-id": "two\twords"})
    assert named.headers["x-request-id"] == "mine-1"
    assert made.headers["x-request-id"] not in ("", "two\twords")
    lines = [record.getMessage() for record in caplog.records if record.name == "adfontes.service"]
    assert any(line.startswith("GET /v1/documents/{document_id} 404") and "request=mine-1" in line for line in lines)
    assert not any("some-secret-name" in line for line in lines)


@pytest.mark.parametrize("path", ["/", "/page/app.js", "/v1/documents", "/nowhere", "/openapi.json"])
def test_every_response_carries_the_security_headers(client: TestClient, path: str) -> None:
    """A strict policy stands on every response, errors and files included."""
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"


def test_sites_that_the_settings_name_may_read_and_ask(workspace: Workspace) -> None:
    """A named origin passes its preflight and gets its headers; every other one is as closed out as before."""
    settings = workspace.settings.model_copy(update={"allow_origins": "https://desk.example, https://two.example"})
    asking = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    with TestClient(create_app(Workspace(settings)), base_url="http://127.0.0.1") as open_to_desk:
        friend, foe = {"origin": "https://desk.example"}, {"origin": "https://evil.example"}
        allowed = open_to_desk.options("/v1/search", headers=friend | asking)
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, "https://desk.example")
        assert "Authorization" in allowed.headers["access-control-allow-headers"]
        found = open_to_desk.post(
            "/v1/search", json={"query": "tar"}, headers=friend | {"sec-fetch-site": "cross-site"}
        )
        assert found.status_code == 200
        assert found.headers["access-control-allow-origin"] == "https://desk.example"
        assert open_to_desk.post("/v1/search", json={"query": "tar"}, headers=foe).status_code == 403
        refused = open_to_desk.options("/v1/search", headers=foe | asking)
        assert "access-control-allow-origin" not in refused.headers
        assert "access-control-allow-credentials" not in allowed.headers


def test_a_service_behind_a_proxy_answers_to_the_names_it_was_given(workspace: Workspace, tmp_path: Path) -> None:
    """Names in the settings are answered besides those of the loopback, and no others."""
    Keys(tmp_path / "keys.sqlite").add("Ana")
    changes = {"hosts": "Sources.example", "keys": tmp_path / "keys.sqlite"}
    settings = workspace.settings.model_copy(update=changes)
    with TestClient(create_app(Workspace(settings)), base_url="http://127.0.0.1") as named:
        statuses = [
            named.get("/healthz", headers={"host": h}).status_code for h in ("sources.example", "localhost", "x")
        ]
    assert statuses == [200, 200, 421]
    assert hosts_for("0.0.0.0", ["sources.example"]) == {"localhost", "127.0.0.1", "::1", "sources.example"}  # noqa: S104
