"""Sources over HTTP: upload or address in, provenance and state out, attached and detached, original kept."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from rag.settings import Settings
from rag.workspace import Workspace
from service.app import create_app

sys.path.insert(0, str(Path(__file__).parents[1] / "fetch"))

from misbehaving import PAGE, Site, serving

TIDES = """# Tidal power

The bay has a turbine (Marlowe, 2019). It was dear (Osei, 2021).

## References

Marlowe, T., 2019. Turning tides. Harbour Review, 12(3), pp. 4-19.

Osei, A., 2021. What tidal power costs. Bergen: Fjord Press.
"""
Finished = Callable[[TestClient, dict], dict]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A site on loopback."""
    yield from serving(Site())


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service over one small article, which may fetch from this machine."""
    base = tmp_path_factory.mktemp("documents")
    (base / "corpus/c").mkdir(parents=True)
    (base / "corpus/c/tides.md").write_text(TIDES)
    (base / "corpus/c/broken.docx").write_bytes(b"PK\x03\x04 no archive")
    workspace = Workspace(
        Settings(corpus=base / "corpus", index=base / "index", collection="c", fetch_loopback=True, max_upload_mb=1)
    )
    workspace.rebuild()
    with TestClient(create_app(workspace), base_url="http://127.0.0.1") as made:
        yield made


def listed(client: TestClient) -> dict[str, dict]:
    """The documents by id."""
    return {d["id"]: d for d in client.get("/v1/documents").json()["documents"]}


def test_the_listing_tells_state_and_reason(client: TestClient) -> None:
    """Indexed documents with their provenance; files left out with the reason, and an id by which they can go."""
    body = client.get("/v1/documents").json()
    (document,) = [d for d in body["documents"] if d["id"] == "tides"]
    assert (document["state"], document["origin"], document["attachments"]) == ("indexed", "tides.md", [])
    assert document["sha256"] == hashlib.sha256(TIDES.encode()).hexdigest()
    text = client.get("/v1/documents/tides").json()["text"]
    assert document["text_sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert document["added"]
    assert document["reader"]
    (skipped,) = body["skipped"]
    assert (skipped["source"], skipped["state"], skipped["id"]) == ("broken.docx", "skipped", "broken")
    assert "broken.docx" in skipped["reason"]


def test_an_address_becomes_a_source(client: TestClient, site: Site, finished: Finished) -> None:
    """JSON with an address is fetched by a job, kept, and attached to the entry it is; where it came from is told."""
    address = site.page("/turning.html", PAGE)
    started = client.post("/v1/documents", json={"address": address})
    assert (started.status_code, started.json()["subject"]) == (202, address)
    assert finished(client, started.json())["status"] == "succeeded"
    document = listed(client)["turning"]
    assert (document["origin"], document["address"]) == (address, address)
    (attachment,) = document["attachments"]
    assert (attachment["reference_id"], attachment["how"]) == ("marlowe-2019", "title, authors, year")
    saved = client.get("/v1/documents/turning/original")
    assert saved.content == PAGE
    assert saved.headers["content-type"] == "application/octet-stream"
    assert saved.headers["content-disposition"].startswith("attachment")


def test_an_attachment_is_made_and_revoked(client: TestClient, site: Site, finished: Finished) -> None:
    """PUT says which entry a document is, DELETE that it is none, PUT without one leaves it to be found out."""
    if "turning" not in listed(client):
        finished(client, client.post("/v1/documents", json={"address": site.page("/turning.html", PAGE)}).json())
    path = "/v1/documents/turning/reference"
    assert finished(client, client.delete(path).json())["status"] == "succeeded"
    assert listed(client)["turning"]["attachments"] == []
    assert finished(client, client.put(path, json={"reference": "osei-2021"}).json())["status"] == "succeeded"
    assert [a["how"] for a in listed(client)["turning"]["attachments"]] == ["given"]
    assert client.put(path, json={"reference": "nobody"}).status_code == 404
    assert client.put("/v1/documents/nothing/reference", json={}).status_code == 404
    assert finished(client, client.put(path, json={}).json())["status"] == "succeeded"
    assert [a["reference_id"] for a in listed(client)["turning"]["attachments"]] == ["marlowe-2019"]


@pytest.mark.parametrize("form", ["form", "body"])
def test_an_upload_is_attached_as_it_comes(client: TestClient, finished: Finished, form: str) -> None:
    """An upload may say which entry it is; an entry nobody lists fails the job and keeps nothing."""
    data = f"Costs in {form}\n\nThe board paid thirty-one million crowns for it.".encode()

    def send(name: str, reference: str) -> dict:
        if form == "form":
            reply = client.post("/v1/documents", params={"reference": reference}, files={"file": (name, data)})
        else:
            reply = client.post("/v1/documents", params={"reference": reference, "name": name}, content=data)
        return finished(client, reply.json())

    assert send(f"{form}.txt", "osei-2021")["status"] == "succeeded"
    assert [a["reference_id"] for a in listed(client)[form]["attachments"]] == ["osei-2021"]
    failed = send(f"{form}-2.txt", "nobody")
    assert (failed["status"], failed["problem"]["type"].rpartition("/")[2]) == ("failed", "unreadable-document")
    assert f"{form}-2" not in listed(client)


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "http://user:pass@example.org/",
        "http://2130706433/", "http://[::ffff:10.0.0.1]/", "http://example.org:22/", "http://db.internal/",
    ],
)  # fmt: skip
def test_the_service_cannot_be_aimed_at_its_network(client: TestClient, finished: Finished, address: str) -> None:
    """What notation forbids is refused at once, the rest by the job; nothing is added."""
    before = set(listed(client))
    reply = client.post("/v1/documents", json={"address": address})
    problem = reply.json() if reply.status_code == 422 else finished(client, reply.json())["problem"]
    assert problem["type"].endswith("/not-fetched")
    assert set(listed(client)) == before


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"address": 1}', b'{"address": ""}', b'{"address": "http://x.org", "more": 1}']
)
def test_a_request_that_is_none_is_told(client: TestClient, body: bytes) -> None:
    """A body that is no address request is a problem, with the field it is about."""
    reply = client.post("/v1/documents", content=body, headers={"content-type": "application/json"})
    assert reply.status_code in {400, 422}
    assert reply.headers["content-type"] == "application/problem+json"


def test_a_page_that_is_too_large_fails_its_job(client: TestClient, site: Site, finished: Finished) -> None:
    """The limit of uploads holds for what is fetched, too."""
    address = site.page("/large", b"x" * (2 << 20), "text/plain")
    job = finished(client, client.post("/v1/documents", json={"address": address}).json())
    assert (job["status"], job["problem"]["type"].rpartition("/")[2]) == ("failed", "not-fetched")
    assert "1,048,576" in job["problem"]["detail"]


def test_what_could_not_be_indexed_can_be_deleted(client: TestClient, finished: Finished) -> None:
    """A skipped file goes by the id that the listing gives it."""
    assert finished(client, client.delete("/v1/documents/broken").json())["status"] == "succeeded"
    assert client.get("/v1/documents").json()["skipped"] == []
    assert client.delete("/v1/documents/broken").status_code == 404


def test_uploads_leave_nothing_in_the_temporary_folder(
    client: TestClient, finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken, refused by its name, empty or too large: the folder of an upload is gone afterwards."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    finished(client, client.post("/v1/documents", params={"name": "tmp.txt"}, content=b"A few words on gulls.").json())
    for name, data in (("../x.txt", b"words"), ("empty.txt", b""), ("big.txt", b"x" * ((1 << 20) + 1))):
        assert client.post("/v1/documents", params={"name": name}, content=data).status_code in {413, 422}
    assert list(tmp_path.iterdir()) == []


def test_cited_works_are_fetched_by_a_job(client: TestClient, site: Site, finished: Finished) -> None:
    """The job tries every entry, what could be had is at hand, and what could not is told with its reason."""
    works = site.page("/works.html", PAGE.replace(b"Turning tides", b"Currents under ice"))
    article = (
        "# Ice\n\nCurrents run below (Nansen, 2020; Amundsen, 2021).\n\n## References\n\n"
        f"Nansen, F., 2020. Currents under ice. Oslo: Fram. Available at: {works}\n\n"
        f"Amundsen, R., 2021. Dogs on ice. Oslo: Fram. Available at: {site.origin}/nothing\n"
    )
    finished(client, client.post("/v1/documents", params={"name": "ice.md"}, content=article.encode()).json())
    assert client.post("/v1/fetch", json={"references": ["nobody"]}).status_code == 404
    started = client.post("/v1/fetch", json={"references": ["nansen-2020", "amundsen-2021"]})
    job = finished(client, started.json())
    assert (started.status_code, job["status"], job["kind"]) == (202, "succeeded", "fetch")
    told = {o["reference_id"]: o for o in client.get("/v1/fetch").json()["outcomes"]}
    assert (told["nansen-2020"]["state"], told["nansen-2020"]["source"]) == ("saved", "nansen-2020.html")
    assert (told["amundsen-2021"]["state"], told["amundsen-2021"]["failure"]) == ("failed", "status")
    assert "404" in told["amundsen-2021"]["reason"]
    assert client.get("/v1/references/nansen-2020").json()["documents"] == ["nansen-2020"]
