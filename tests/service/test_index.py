"""Rebuilding, uploading, removing, rolling back: long work as jobs, and readers that never notice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from rag.settings import Settings
from rag.workspace import Workspace

Application = Callable[[Workspace], AbstractContextManager[TestClient]]
Finished = Callable[[TestClient, dict], dict]
Upload = Callable[[str, bytes], dict]
NOTE = "# A note on lamps\n\nThe lamp of the {n}th pier burns {n} litres of rape oil a night.\n"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, application: Application) -> Iterator[TestClient]:
    """A service over a small collection of its own, that these tests may change."""
    root = tmp_path_factory.mktemp("changing")
    folder = root / "corpus" / "lamps"
    folder.mkdir(parents=True)
    (folder / "first.md").write_text(NOTE.format(n=1), encoding="utf-8")
    workspace = Workspace(
        Settings(corpus=root / "corpus", index=root / "index", collection="lamps", max_upload_mb=1, keep_generations=4)
    )
    workspace.rebuild()
    with application(workspace) as opened:
        yield opened


def long(line: str, lines: int) -> str:
    """A text that takes a while to embed."""
    return "# A log\n\n" + "\n\n".join(line.format(n=n) for n in range(lines))


def live(client: TestClient) -> str:
    """The live generation."""
    return next(g["id"] for g in client.get("/v1/index").json()["generations"] if g["current"])


@pytest.fixture
def upload(client: TestClient, finished: Finished) -> Upload:
    """A function that sends a file as a form sends it and returns the job at its end."""

    def send(name: str, data: bytes) -> dict:
        response = client.post("/v1/documents", files={"file": (name, data)})
        assert response.status_code == 202
        assert response.headers["location"] == f"/v1/jobs/{response.json()['id']}"
        return finished(client, response.json())

    return send


def test_a_rebuild_without_changes_embeds_nothing_and_says_so(client: TestClient, finished: Finished) -> None:
    """The job of a rebuild that has nothing to do succeeds, and its report tells so."""
    before = live(client)
    started = client.post("/v1/index/rebuild")
    assert started.status_code == 202
    job = finished(client, started.json())
    assert (job["status"], job["report"]["unchanged"], job["report"]["embedded"]) == ("succeeded", True, 0)
    assert live(client) == before


def test_an_upload_becomes_an_answer(client: TestClient, upload: Upload) -> None:
    """A file sent to the service is read, indexed and answered from, and the job tells how far it came."""
    job = upload("second.md", NOTE.format(n=2).encode())
    assert job["status"] == "succeeded"
    assert job["progress"]["stage"] == "publishing"
    assert "second" in [document["id"] for document in client.get("/v1/documents").json()["documents"]]
    found = client.post("/v1/search", json={"query": "lamp of the 2th pier", "limit": 1}).json()
    assert found["index"]["generation"] == job["report"]["generation"]
    assert found["passages"][0]["document_id"] == "second"


def test_an_upload_may_be_the_body_itself(client: TestClient, finished: Finished) -> None:
    """`curl --data-binary` with a name does what a form does."""
    started = client.post("/v1/documents", params={"name": "third.md"}, content=NOTE.format(n=3).encode())
    assert finished(client, started.json())["status"] == "succeeded"
    assert client.get("/v1/documents/third").status_code == 200


def test_a_removed_document_is_gone_after_its_job(client: TestClient, upload: Upload, finished: Finished) -> None:
    """A document that is removed can no longer be asked, and the rest still can."""
    upload("fleeting.md", NOTE.format(n=9).encode())
    started = client.delete("/v1/documents/fleeting")
    assert started.status_code == 202
    assert finished(client, started.json())["status"] == "succeeded"
    assert client.get("/v1/documents/fleeting").status_code == 404
    assert client.get("/v1/documents/first").status_code == 200


def test_a_rollback_brings_the_earlier_generation_back(client: TestClient, upload: Upload) -> None:
    """After a rollback the earlier generation answers; rolling forward again is a rollback to the newer one."""
    before = live(client)
    upload("regretted.md", NOTE.format(n=4).encode())
    after = live(client)
    assert client.post("/v1/index/rollback", json={"generation": before}).json()["id"] == before
    assert client.get("/v1/documents/regretted").status_code == 404
    assert client.post("/v1/index/rollback", json={"generation": after}).json()["current"]
    assert client.get("/v1/documents/regretted").status_code == 200


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("broken.pdf", b"%PDF-1.7 this is no PDF", "broken.pdf"),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(64), "picture.png"),
        ("binary.md", bytes(range(256)) * 40, "binary.md"),
    ],
)
def test_a_file_that_cannot_be_read_fails_with_its_reason(
    client: TestClient, name: str, data: bytes, reason: str, upload: Upload
) -> None:
    """A broken file ends its job with a problem that names it, and leaves collection and index as they were."""
    before, documents = live(client), client.get("/v1/documents").json()["documents"]
    job = upload(name, data)
    assert job["status"] == "failed"
    assert job["problem"]["status"] == 422
    assert reason in job["problem"]["detail"]
    assert (live(client), client.get("/v1/documents").json()["documents"]) == (before, documents)


@pytest.mark.parametrize(
    "name",
    ["../outside.md", "/etc/outside.md", "..\\outside.md", ".hidden.md", "a\0b.md", "line\nfeed.md", "x" * 300 + ".md"],
)
def test_a_name_is_never_a_path(client: TestClient, name: str) -> None:
    """A name that could leave the collection's folder is refused before anything is written."""
    response = client.post("/v1/documents", params={"name": name}, content=b"text")
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "request_",
    [{"params": {"name": "empty.md"}, "content": b""}, {"content": b"text"}, {"files": {"other": ("a.md", b"x")}}],
)
def test_an_upload_without_name_or_content_is_refused(client: TestClient, request_: dict) -> None:
    """An upload needs a name and bytes."""
    assert client.post("/v1/documents", **request_).status_code == 422


def test_an_upload_over_the_limit_is_refused(client: TestClient, finished: Finished) -> None:
    """The settings' limit is taken and one byte more refused, as form and as body, its length told or not."""
    most = b"a " * (1 << 19)
    job = client.post("/v1/documents", files={"file": ("most.md", most)})
    assert job.status_code == 202
    client.delete(f"/v1/jobs/{job.json()['id']}")
    assert finished(client, job.json())["status"] in {"cancelled", "failed"}
    big = most + b"a"
    assert client.post("/v1/documents", params={"name": "big.md"}, content=big).status_code == 413
    assert client.post("/v1/documents", files={"file": ("big.md", big)}).status_code == 413
    blocks = (big[i : i + 65536] for i in range(0, len(big), 65536))
    assert client.post("/v1/documents", params={"name": "big.md"}, content=blocks).status_code == 413


def test_questions_during_a_rebuild_are_answered(client: TestClient) -> None:
    """While a new generation is built the old one answers; each answer comes from exactly one of the two."""
    before = live(client)
    text = "# Log\n\n" + "\n\n".join(
        f"On day {n} the harbour master counted {n * 7} ships at anchor." for n in range(60)
    )
    started = client.post("/v1/documents", files={"file": ("log.md", text.encode())}).json()
    seen = set()
    while client.get(f"/v1/jobs/{started['id']}").json()["status"] in ("queued", "running"):
        reply = client.post("/v1/search", json={"query": "lamp of the first pier", "limit": 1})
        assert reply.status_code == 200
        seen.add(reply.json()["index"]["generation"])
    after = live(client)
    assert before in seen
    assert seen <= {before, after}
    assert after != before


def test_a_cancelled_job_publishes_nothing(client: TestClient, finished: Finished) -> None:
    """A job that is stopped ends as `cancelled`, and the live generation stays."""
    before = live(client)
    text = "# Ledger\n\n" + "\n\n".join(
        f"In year {n} the toll of the bridge was {n * 3} shillings." for n in range(300)
    )
    started = client.post("/v1/documents", files={"file": ("ledger.md", text.encode())}).json()
    assert client.delete(f"/v1/jobs/{started['id']}").status_code == 202
    assert finished(client, started)["status"] == "cancelled"
    assert live(client) == before
    assert client.get("/v1/documents/ledger").status_code == 404


def test_a_finished_job_can_be_forgotten(client: TestClient, finished: Finished) -> None:
    """Deleting a job that has ended takes it off the list."""
    job = finished(client, client.post("/v1/index/rebuild").json())
    assert client.delete(f"/v1/jobs/{job['id']}").status_code == 202
    assert client.get(f"/v1/jobs/{job['id']}").status_code == 404


def test_a_second_rebuild_of_the_same_collection_is_refused(client: TestClient, finished: Finished) -> None:
    """Two rebuilds of one collection make no sense: the second gets 409 and the name of the first."""
    text = long("Cart {n} paid {n}5 pence at the eastern gate.", 200)
    first = client.post("/v1/documents", files={"file": ("tolls.md", text.encode())}).json()
    waiting = client.post("/v1/index/rebuild").json()
    refused = client.post("/v1/index/rebuild")
    assert refused.status_code == 409
    assert waiting["id"] in refused.json()["detail"]
    client.delete(f"/v1/jobs/{first['id']}")
    assert finished(client, first)["status"] == "cancelled"
    assert finished(client, waiting)["status"] == "succeeded"


def test_a_new_collection_begins_with_its_first_file(client: TestClient, finished: Finished) -> None:
    """A file sent to a collection of a new name makes it."""
    started = client.post(
        "/v1/documents", params={"collection": "new-one", "name": "a.md"}, content=NOTE.format(n=5).encode()
    )
    assert finished(client, started.json())["status"] == "succeeded"
    assert [d["id"] for d in client.get("/v1/documents?collection=new-one").json()["documents"]] == ["a"]


def test_many_readers_at_once_are_all_answered(client: TestClient) -> None:
    """Twenty threads asking at once get twenty answers."""
    replies = []

    def ask() -> None:
        replies.append(client.post("/v1/search", json={"query": "rape oil", "limit": 1}).status_code)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert replies == [200] * 20


def test_the_service_stops_while_a_job_runs(tmp_path: Path, application: Application) -> None:
    """Shutting down cancels what runs and leaves no half-built generation."""
    folder = tmp_path / "corpus" / "lamps"
    folder.mkdir(parents=True)
    text = "# Log\n\n" + "\n\n".join(
        f"On day {n} the harbour master counted {n * 7} ships at anchor." for n in range(300)
    )
    (folder / "log.md").write_text(text, encoding="utf-8")
    workspace = Workspace(Settings(corpus=tmp_path / "corpus", index=tmp_path / "index", collection="lamps"))
    with application(workspace) as client:
        client.post("/v1/index/rebuild")
    assert workspace.generations() == []
    assert not [path for path in (tmp_path / "index" / "lamps").iterdir() if path.is_dir()]


def test_generations_are_compared_verified_and_pruned(client: TestClient, upload: Upload) -> None:
    """What changed is told by document; every byte is checked; old generations go, the live one never."""
    upload("newest.md", NOTE.format(n=6).encode())
    told = client.get("/v1/index/diff").json()
    assert (told["documents_added"], told["documents_removed"]) == (["newest"], [])
    assert told["new"] == live(client)
    back = client.get("/v1/index/diff", params={"old": told["new"], "new": told["old"]}).json()
    assert back["documents_removed"] == ["newest"]
    whole = client.post("/v1/index/verify").json()
    assert whole["whole"]
    assert set(whole["generations"]) == {g["id"] for g in client.get("/v1/index").json()["generations"]}
    assert told["old"] in client.post("/v1/index/prune", json={"keep": 1}).json()["deleted"]
    assert [g["id"] for g in client.get("/v1/index").json()["generations"]] == [told["new"]]
    assert client.get("/v1/index/diff", params={"old": told["old"]}).status_code == 404
    assert client.post("/v1/index/prune", json={"keep": 0}).status_code == 422


def test_the_service_steps_back_from_a_damaged_generation(tmp_path: Path, application: Application) -> None:
    """A byte that changed on disk is noticed before it serves an answer; readyz says so and questions are answered."""
    folder = tmp_path / "corpus" / "lamps"
    folder.mkdir(parents=True)
    (folder / "first.md").write_text(NOTE.format(n=1), encoding="utf-8")
    workspace = Workspace(Settings(corpus=tmp_path / "corpus", index=tmp_path / "index", collection="lamps"))
    before = workspace.rebuild().generation
    damaged = workspace.rebuild(force=True).generation
    path = tmp_path / "index" / "lamps" / damaged / "chunks.faiss"
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    with application(Workspace(workspace.settings)) as client:
        asked = client.post("/v1/ask", json={"question": "How much oil does the lamp burn a night?"})
        assert asked.status_code == 200
        assert asked.json()["index"]["generation"] == before
        (notice,) = client.get("/readyz").json()["notices"]
        assert "chunks.faiss" in notice
        verified = client.post("/v1/index/verify").json()
        assert not verified["whole"]
        assert "chunks.faiss" in verified["generations"][damaged]
        assert verified["generations"][before] == ""
