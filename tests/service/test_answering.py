"""Answers come from processes of their own: their time is kept, and whatever happens to one, the service goes on.

The faults are real ones, in a real process (`faulty.py`): Python that never ends, a pattern that holds Python's lock, a
process that ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import anyio
import httpx
import pytest
from answerers import answerers, children, spent
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from rag.errors import InputError, ModelError
from rag.settings import Settings
from rag.types import Answer
from rag.workspace import Workspace
from service import answering
from service.answering import Answering

USERS = "How many users had Ernie Bot attracted by April 2024?"
FAULTY = (sys.executable, str(Path(__file__).parent / "faulty.py"))
LIMIT = 1.5
"""Seconds an answer may take here."""


def faulty(workspace: Workspace, most: int = 2) -> Answering:
    """Processes that go wrong where a question says so."""
    settings = workspace.settings.model_copy(update={"models": workspace.exports})
    return Answering(settings, most, FAULTY)


@pytest.fixture(scope="module")
def server(workspace: Workspace, serve: Callable[..., AbstractContextManager[str]]) -> Iterator[httpx.Client]:
    """A client of a service whose answering processes can be made to go wrong; one answers at a time."""
    with serve(workspace, faulty(workspace, 1)) as address, httpx.Client(base_url=address, timeout=120) as client:
        yield client


@pytest.fixture(scope="module")
def hasty(workspace: Workspace, serve: Callable[..., AbstractContextManager[str]]) -> Iterator[httpx.Client]:
    """The same where an answer may not take long."""
    hurried = Workspace(workspace.settings.model_copy(update={"answer_timeout": LIMIT}))
    with serve(hurried, faulty(workspace, 1)) as address, httpx.Client(base_url=address, timeout=120) as client:
        yield client


@contextmanager
def watched(client: httpx.Client) -> Iterator[list[float]]:
    """Ask all the while whether the service answers; yields the seconds that each time took."""
    took: list[float] = []
    stop = threading.Event()

    def look() -> None:
        with httpx.Client(base_url=client.base_url, timeout=60) as other:
            while not stop.wait(0.02):
                began = time.monotonic()
                assert other.get("/healthz").status_code == 200
                took.append(time.monotonic() - began)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield took
    finally:
        stop.set()
        thread.join()


def test_an_answer_is_the_same_from_another_process(workspace: Workspace, client: TestClient) -> None:
    """What comes over HTTP is what the workspace answers, field by field, but for its number and its times."""
    varying = {"id", "timings_ms"}
    for question in (USERS, "Who wrote this article?", "What is the capital of Peru?"):
        answer = client.post("/v1/ask", json={"question": question}).json()
        own = TypeAdapter(Answer).dump_python(workspace.ask(question), mode="json")
        assert {k: v for k, v in answer.items() if k not in varying} == {
            k: v for k, v in own.items() if k not in varying
        }
        assert list(answer["timings_ms"]) == list(own["timings_ms"])


CHAT = {"model": "adfontes", "messages": [{"role": "user", "content": "X pattern?"}]}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/ask", {"question": "X loop?"}),
        ("/v1/ask", {"question": "X pattern?", "stream": True}),
        ("/v1/chat/completions", CHAT),
    ],
)
def test_an_answers_time_is_kept_whatever_python_does(hasty: httpx.Client, path: str, body: dict) -> None:
    """504 in time, the service answers within a second all the while, then the processor is free and all goes on."""
    others = at_hand(hasty)  # the process is there: its start is not measured
    began = time.monotonic()
    with watched(hasty) as took:
        late = hasty.post(path, json=body)
        seconds = time.monotonic() - began
    if body.get("stream"):
        assert "/problems/timed-out" in late.text
    else:
        assert (late.status_code, late.json()["type"]) == (504, "/problems/timed-out")
    assert LIMIT <= seconds < LIMIT + 2
    assert max(took) < 1
    gone(others)
    assert hasty.get("/readyz").status_code == 200
    at_hand(hasty)


def at_hand(client: httpx.Client) -> set[int]:
    """Wait until a process works on questions, whose start may take longer than an answer may; those that there are."""
    for _ in range(60):
        answer = client.post("/v1/ask", json={"question": "X wrong?"})  # no answer takes less time
        if answer.status_code != 504:
            break
    assert answer.status_code == 500
    return answerers()


def answered(client: httpx.Client) -> set[int]:
    """A question is answered; the processes that there are."""
    answer = client.post("/v1/ask", json={"question": USERS})
    assert (answer.status_code, answer.json()["status"]) == (200, "answered")
    return answerers()


def gone(before: set[int]) -> None:
    """Wait until one of these processes has been ended."""
    deadline = time.monotonic() + answering.GRACE + 2
    while before <= answerers():
        assert time.monotonic() < deadline, "a process that nobody waits for is at work"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/ask", {"question": "tell loop?", "stream": True}),
        ("/v1/chat/completions", CHAT),
    ],
)
def test_a_client_that_leaves_ends_its_question(server: httpx.Client, path: str, body: dict) -> None:
    """Who gives up waiting frees the processor, long before the answer's time is up."""
    before = answered(server)
    with pytest.raises(httpx.ReadTimeout), server.stream("POST", path, json=body, timeout=0.5) as response:
        list(response.iter_bytes())
    gone(before)
    answered(server)


def test_an_answer_that_ends_by_itself_costs_no_process(server: httpx.Client) -> None:
    """A client that leaves a question which soon ends leaves the process to the next one."""
    before = answered(server)
    with pytest.raises(httpx.ReadTimeout):
        server.post("/v1/ask", json={"question": "X late?"}, timeout=0.2)
    answered(server)
    assert answerers() == before


@pytest.mark.parametrize("fault", ["leave", "memory"])
def test_a_process_that_ends_costs_its_question_alone(server: httpx.Client, fault: str) -> None:
    """A question is tried twice, then a problem says so; the service stays ready, and the next is answered."""
    with watched(server) as took:
        told = server.post("/v1/ask", json={"question": f"X {fault}?"})
    assert (told.status_code, told.json()["type"]) == (503, "/problems/broken-off")
    assert told.headers["retry-after"]
    assert max(took) < 1
    assert server.get("/readyz").status_code == 200
    answered(server)


def test_what_has_been_told_is_not_told_again(server: httpx.Client) -> None:
    """A stream whose process ends says so and is not begun anew."""
    streamed = server.post("/v1/ask", json={"question": "tell killed?", "stream": True}).text
    assert streamed.count("so far") == 1
    assert "/problems/broken-off" in streamed


def test_a_question_is_asked_again_where_its_process_ended(
    workspace: Workspace,
    application: Callable[..., AbstractContextManager[TestClient]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process that was ended by chance, at work or idle, is not noticed by whoever asks."""
    monkeypatch.setenv("FAULTY_ONCE", str(tmp_path / "once"))
    others = answerers()
    with application(workspace, faulty(workspace)) as client:
        assert client.post("/v1/ask", json={"question": "Who did that once?"}).status_code == 200
        assert (tmp_path / "once").exists()
        for pid in answerers() - others:
            os.kill(pid, signal.SIGKILL)
        assert client.post("/v1/ask", json={"question": USERS}).json()["status"] == "answered"


def test_errors_pass_from_one_process_to_the_other(server: httpx.Client) -> None:
    """What the caller did wrong is told in the same words; what we did wrong is logged and not told."""
    unknown = server.post("/v1/ask", json={"question": USERS, "filters": {"documents": ["nothing"]}})
    assert (unknown.status_code, "nothing" in unknown.json()["detail"]) == (404, True)
    server_missing = server.post("/v1/ask", json={"question": USERS, "generator": "llm"})
    assert (server_missing.status_code, "ADFONTES_LLM_URL" in server_missing.json()["detail"]) == (422, True)
    assert server.post("/v1/ask", json={"question": USERS, "collection": "nowhere"}).status_code == 404
    wrong = server.post("/v1/ask", json={"question": "X wrong?"})
    assert (wrong.status_code, wrong.json()["type"]) == (500, "/problems/internal-error")
    assert "secret" not in wrong.text


def test_more_processes_come_when_questions_wait_and_go_when_none_do(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One at first, another where a question has waited, none beyond the number allowed; in the end one is left."""
    monkeypatch.setattr(answering, "SPARE", 0.5)

    async def run() -> None:
        others = answerers()
        seen = set()

        async def ask() -> None:
            with pytest.raises(InputError, match="too late"):
                await pool.ask("X late?")

        pool = faulty(workspace)
        await pool.warm()
        assert len(answerers() - others) == 1
        async with anyio.create_task_group() as tasks:
            for _ in range(6):
                tasks.start_soon(ask)
            while pool.waiting or pool.working or not seen:
                await anyio.sleep(0.02)
                seen.add(len(answerers() - others))
        assert seen <= {1, 2}
        assert 2 in seen
        for _ in range(1200):
            if len(answerers() - others) == 1:
                break
            await anyio.sleep(0.05)
        assert len(answerers() - others) == 1
        assert (await pool.ask(USERS)).status == "answered"
        await pool.close()
        assert answerers() == others

    anyio.run(run)


def test_a_process_that_cannot_start_says_why(workspace: Workspace, tmp_path: Path) -> None:
    """Models that are not there are told as in one process, and nothing is tried without end."""

    async def run() -> None:
        changes = {"models": workspace.exports, "judge": str(tmp_path / "nothing")}
        pool = Answering(workspace.settings.model_copy(update=changes))
        for attempt in (pool.warm(), pool.ask(USERS)):
            with pytest.raises(ModelError, match="nothing"):
                await attempt
        assert (pool.waiting, pool.working) == (0, 0)
        await pool.close()

    anyio.run(run)


def test_damage_that_one_process_finds_is_known_to_the_service(
    application: Callable[..., AbstractContextManager[TestClient]], fresh: Workspace
) -> None:
    """An answer from an earlier generation, because the live one is damaged, shows in /readyz of the service."""
    before, live = fresh.rebuild().generation, fresh.rebuild(force=True).generation
    rows = fresh.settings.index / "c" / live / "sentences.npy"
    homes = {"question": "How many homes does the turbine power?"}
    with application(Workspace(fresh.settings)) as client:
        assert client.post("/v1/ask", json=homes).json()["index"]["generation"] == live
        with rows.open("r+b") as file:  # only who reads the rows comes upon it
            data = bytearray(file.read())
            for at in range(300, len(data), 1536):
                data[at] ^= 16
            file.seek(0)
            file.write(data)
        assert client.post("/v1/ask", json=homes).json()["index"]["generation"] == before
        assert any("sentences.npy" in notice for notice in client.get("/readyz").json()["notices"])
        assert client.get("/v1/documents").json()["index"]["generation"] == before


def test_no_process_outlives_a_service_that_was_killed(workspace: Workspace) -> None:
    """After SIGKILL of the service its answering process is gone too, also where a pattern holds Python's lock."""
    folders = {
        "ADFONTES_CORPUS": str(workspace.settings.corpus),
        "ADFONTES_INDEX": str(workspace.settings.index),
    }
    script = (
        "import anyio, sys; from rag.settings import Settings; from service.answering import Answering\n"
        f"pool = Answering(Settings.load(), 1, {FAULTY!r})\n"
        "async def run():\n"
        "    await pool.warm()\n"
        "    print('ready', flush=True)\n"
        "    await pool.ask('X pattern?')\n"
        "anyio.run(run)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], env=os.environ | folders, stdout=subprocess.PIPE, text=True
    ) as service:
        assert service.stdout is not None
        assert service.stdout.readline() == "ready\n"
        (child,) = children(service.pid)
        idle = spent(child)
        while spent(child) < idle + 0.2:  # at work on the pattern
            time.sleep(0.02)
        service.kill()
    for _ in range(100):
        if not Path(f"/proc/{child}").exists():
            break
        time.sleep(0.02)
    assert not Path(f"/proc/{child}").exists() or " Z " in Path(f"/proc/{child}/stat").read_text()


def test_secrets_stand_neither_in_arguments_nor_in_the_environment(workspace: Workspace) -> None:
    """The key of a language model reaches the process through its socket."""
    settings = workspace.settings.model_copy(
        update={"models": workspace.exports, "llm_key": Settings(llm_key="hush-hush").llm_key}
    )

    async def run() -> None:
        pool = Answering(settings, 1).begin()
        await pool.warm()
        (child,) = pool._children
        for name in ("cmdline", "environ"):
            assert b"hush-hush" not in Path(f"/proc/{child.process.pid}/{name}").read_bytes()
        assert int(Path(f"/proc/{child.process.pid}/oom_score_adj").read_text()) > 0
        await pool.close()

    anyio.run(run)
    assert Settings.model_validate(settings.in_plain()) == settings
