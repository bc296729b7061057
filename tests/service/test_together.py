"""Searches that come together: embedded together, ranked each as its own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from rag.retrieve import Embedded
from rag.workspace import Workspace
from service.keys import Keys
from service.problems import OverloadedError
from service.together import MOST, THREADS, Together

QUESTIONS = (
    "How many users had Ernie Bot attracted by April 2024?",
    "Who are the four new AI tigers of China?",
    "文心一言吸引了多少用户？",
    "What did the white paper warn about, and who wrote it?",
)
asker: ContextVar[str] = ContextVar("asker")


class Embeds:
    """An embedding that can be held up, and says what it was given at once."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.go = threading.Event()
        self.go.set()

    def __call__(self, questions: Sequence[str]) -> list[Embedded]:
        """What `Workspace.embed` does: here, a vector of the question's length."""
        self.batches.append(list(questions))
        self.go.wait(20)
        if "bad" in questions:
            raise ValueError("the encoder broke")
        return [Embedded(np.full(1, len(q), dtype=np.float32), None) for q in questions]


@contextmanager
def together(embeds: Embeds, most: int = 96) -> Iterator[Together]:
    """A gathering of searches, ended afterwards."""
    made = Together(embeds, most)
    try:
        yield made
    finally:
        made.close()


def run(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """What a coroutine gives, within ten seconds."""
    return asyncio.run(asyncio.wait_for(work(), 10))


async def occupied(made: Together, embeds: Embeds) -> list[asyncio.Task[None]]:
    """Keep every thread in the encoder until `embeds.go` is set."""
    embeds.go.clear()
    busy, before = [], len(embeds.batches)
    for n in range(THREADS):
        busy.append(asyncio.create_task(made.search(f"busy {n}", lambda _: None)))
        while len(embeds.batches) <= before + n:
            await asyncio.sleep(0.005)
    return busy


def test_what_comes_while_both_threads_work_goes_together() -> None:
    """The first searches begin at once, alone; those that come meanwhile are embedded in as few runs as can be."""
    embeds = Embeds()

    async def work() -> list[float]:
        first = await occupied(made, embeds)
        rest = [asyncio.create_task(made.search("x" * n, lambda e: float(e.vector[0]))) for n in range(1, MOST + 3)]
        await asyncio.sleep(0.05)
        embeds.go.set()
        await asyncio.gather(*first)
        return await asyncio.gather(*rest)

    with together(embeds) as made:
        assert run(work) == [float(n) for n in range(1, MOST + 3)]
    assert [len(b) for b in embeds.batches[:THREADS]] == [1] * THREADS
    assert sorted(map(len, embeds.batches[THREADS:])) == [2, MOST]


def test_each_is_ranked_as_its_own_caller() -> None:
    """In one batch, each search sees the context of whoever asked it: what they may see is told by it."""
    embeds = Embeds()

    async def ask(name: str) -> str:
        asker.set(name)
        return await made.search(name, lambda _: asker.get())

    async def work() -> list[str]:
        busy = await occupied(made, embeds)
        tasks = [asyncio.create_task(ask(f"caller {n}")) for n in range(12)]
        await asyncio.sleep(0.05)
        embeds.go.set()
        await asyncio.gather(*busy)
        return await asyncio.gather(*tasks)

    with together(embeds) as made:
        assert run(work) == [f"caller {n}" for n in range(12)]
    assert max(map(len, embeds.batches)) == 12


def test_an_error_reaches_who_asked_and_the_next_are_answered() -> None:
    """A question that cannot be embedded or ranked costs nobody else's answer, also in one batch; then all goes on."""
    embeds = Embeds()

    def breaks(_: Embedded) -> None:
        raise LookupError("no such collection")

    async def work() -> list[Any]:
        broken = await asyncio.gather(made.search("bad", lambda _: 1), return_exceptions=True)
        mixed = await asyncio.gather(
            made.search("a", breaks), made.search("b", lambda _: "fine"), return_exceptions=True
        )
        busy = await occupied(made, embeds)
        beside = [asyncio.create_task(made.search(q, lambda _: "answered")) for q in ("d", "bad", "e")]
        await asyncio.sleep(0.05)
        embeds.go.set()
        neighbours = await asyncio.gather(*beside, return_exceptions=True)
        await asyncio.gather(*busy)
        return [*broken, *mixed, await made.search("c", lambda _: "again"), *neighbours]

    with together(embeds) as made:
        error, missing, fine, again, *neighbours = run(work)
    assert ["d", "bad", "e"] in embeds.batches
    assert [type(n) for n in neighbours] == [str, ValueError, str]
    assert isinstance(error, ValueError)
    assert isinstance(missing, LookupError)
    assert (fine, again) == ("fine", "again")


def test_too_many_are_refused_and_who_left_is_not_searched_for() -> None:
    """Beyond the number allowed a search is refused at once; one whose client has left gives its place back."""
    embeds = Embeds()
    ranked: list[str] = []

    async def work() -> None:
        busy = await occupied(made, embeds)
        left = asyncio.create_task(made.search("left", lambda _: ranked.append("left")))
        await asyncio.sleep(0.02)
        with pytest.raises(OverloadedError):
            await made.search("one too many", lambda _: None)
        left.cancel()
        await asyncio.sleep(0.02)
        stays = asyncio.create_task(made.search("stays", lambda _: ranked.append("stays")))
        await asyncio.sleep(0.02)
        embeds.go.set()
        await asyncio.gather(*busy, stays)

    with together(embeds, THREADS + 1) as made:
        run(work)
    assert ranked == ["stays"]
    assert all("left" not in batch for batch in embeds.batches)


def test_its_threads_end_with_it() -> None:
    """After closing, no thread is left, also where nothing was ever searched for."""
    embeds, others = Embeds(), set(threading.enumerate())
    with together(embeds):
        pass
    with together(embeds) as made:
        run(lambda: made.search("a", lambda _: None))
        assert len(set(threading.enumerate()) - others) >= THREADS
    assert not [t for t in set(threading.enumerate()) - others if t.name.startswith("adfontes-search")]


def test_a_crowd_gets_what_each_would_get_alone(
    workspace: Workspace, application: Callable[[Workspace], AbstractContextManager[TestClient]]
) -> None:
    """Questions of two languages and of several parts, many at once: the same passages in the same order."""
    with application(workspace) as client:

        def found(question: str) -> list[tuple[str, float]]:
            answer = client.post("/v1/search", json={"query": question})
            assert answer.status_code == 200, answer.text
            return [(p["id"], p["scores"]["fused"]) for p in answer.json()["passages"]]

        alone = {q: found(q) for q in QUESTIONS}
        with ThreadPoolExecutor(16) as threads:
            crowd = list(threads.map(found, QUESTIONS * 16))
    for question, one in zip(QUESTIONS * 16, crowd, strict=True):
        assert [i for i, _ in one] == [i for i, _ in alone[question]]
        assert np.allclose([s for _, s in one], [s for _, s in alone[question]], atol=1e-4)


def test_a_crowd_of_two_keys_sees_each_its_own(
    workspace: Workspace, tmp_path: Path, application: Callable[[Workspace], AbstractContextManager[TestClient]]
) -> None:
    """Whoever is searched together with others still sees only the collections of their own key."""
    path = tmp_path / "keys.sqlite"
    secrets = [Keys(path).add("all")[1], Keys(path).add("harbour only", collections=["harbour"])[1]]
    changes = {"keys": path, "require_keys": "always", "rate_limit": 0}
    guarded = Workspace(workspace.settings.model_copy(update=changes))
    with application(guarded) as client:

        def status(number: int) -> int:
            headers = {"authorization": f"Bearer {secrets[number % 2]}"}
            body = {"query": QUESTIONS[0], "collection": "china-generative-ai"}
            return client.post("/v1/search", json=body, headers=headers).status_code

        with ThreadPoolExecutor(16) as threads:
            assert list(threads.map(status, range(128))) == [200, 404] * 64


def test_searches_that_are_read_again_do_not_wait_for_each_other(
    workspace: Workspace,
    application: Callable[[Workspace], AbstractContextManager[TestClient]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a re-ranker that takes its time, as many searches wait for theirs side by side as come."""

    class Slow:
        """A re-ranker that waits for a server."""

        name = "slow"
        weight = None

        def relevance(self, _: str, passages: Sequence[str]) -> list[float]:
            """Half a second, and no opinion."""
            time.sleep(0.5)
            return [0.0] * len(passages)

    slow = Workspace(workspace.settings.model_copy(update={"reranker": "judge"}))
    monkeypatch.setattr(slow, "reranker", Slow)
    with application(slow) as client:
        client.post("/v1/search", json={"query": QUESTIONS[0]})
        started = time.monotonic()
        with ThreadPoolExecutor(12) as threads:
            bodies = [{"query": f"{QUESTIONS[0]} {n}"} for n in range(12)]
            answers = list(threads.map(lambda body: client.post("/v1/search", json=body).status_code, bodies))
    assert answers == [200] * 12
    assert time.monotonic() - started < 4
