"""Streams under way: pings while nothing happens, errors told within, work stopped when the client leaves."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from rag.errors import InputError
from rag.types import Answer, IndexState
from service import stream
from service.answering import Tell

ANSWER = Answer("ans_1", "abstained", "q", "The sources do not answer this.", IndexState("c", "g", "0" * 64, "2026"))


@contextmanager
def streaming(ask: Callable[[Tell], Awaitable[Answer]]) -> Iterator[str]:
    """A server whose only route streams what `ask` does."""

    async def endpoint(_: Any) -> Any:
        return stream.response(ask)

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(Starlette(routes=[Route("/", endpoint)]), log_level="warning", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join(timeout=20)


def test_a_slow_answer_is_kept_alive_by_pings(monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing happens comments keep proxies and clients from giving up."""
    assert stream.PING_SECONDS == 15
    monkeypatch.setattr(stream, "PING_SECONDS", 0.1)

    async def slow(emit: Tell) -> Answer:
        await anyio.sleep(0.8)
        emit("answer.delta", "slowly")
        return ANSWER

    with streaming(slow) as address:
        text = httpx.get(address).text
    assert text.count(": ping") >= 2
    assert text.index(": ping") < text.index("event: answer.delta")
    assert "event: answer.completed" in text


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (InputError("the filter 'x' is not known"), "invalid-input", "the filter 'x' is not known"),
        (RuntimeError("secret"), "internal-error", "X-Request-ID"),
    ],
)
def test_an_error_on_the_way_is_told_as_the_last_event(error: Exception, kind: str, told: str) -> None:
    """A stream that cannot go on ends with an `error` event: the problem details, and nothing of the inside."""

    async def failing(emit: Tell) -> Answer:
        emit("answer.delta", "so far")
        raise error

    with streaming(failing) as address:
        text = httpx.get(address).text
    assert "answer.completed" not in text
    last = text.strip().split("\n\n")[-1]
    assert last.startswith("event: error")
    assert f"/problems/{kind}" in last
    assert told in last
    assert "secret" not in text


def test_work_stops_when_the_client_leaves() -> None:
    """The answering is cancelled once nobody listens."""
    ended = threading.Event()

    async def endless(emit: Tell) -> Answer:
        try:
            for _ in range(600):
                emit("answer.delta", "and ")
                await anyio.sleep(0.05)
        finally:
            ended.set()
        return ANSWER

    with streaming(endless) as address:
        with httpx.stream("GET", address) as response:
            events = response.iter_bytes()  # kept: httpx closes the connection with it
            next(events)
            assert not ended.is_set()
        assert ended.wait(timeout=10)
