"""Connections: whoever dawdles is let go, whoever moves is served, and a request has one meaning."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import resource
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from rag.workspace import Workspace
from service.connections import Connection

Address = tuple[str, int]


class Quick(Connection):
    """The limits as they are, in times that a test can wait for."""

    head_seconds = 2.0
    body_seconds, body_bytes = 1.0, 500
    read_seconds = 1.0


@pytest.fixture(scope="module")
def quick(workspace: Workspace, serve: Callable[..., AbstractContextManager[str]]) -> Iterator[Address]:
    """The service, impatient."""
    with serve(workspace, http=Quick) as address:
        parts = urlsplit(address)
        yield parts.hostname or "", parts.port or 0


@contextmanager
def serving(limits: type[Connection]) -> Iterator[Address]:
    """Answers that take long or are long, over connections with these limits."""

    async def events() -> object:
        for number in range(15):
            yield {"data": str(number)}
            await asyncio.sleep(0.2)

    routes = [
        Route("/events", lambda _: EventSourceResponse(events())),
        Route("/long", lambda _: PlainTextResponse("x" * 50_000_000)),
        Route("/", lambda _: PlainTextResponse("here")),
    ]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), http=limits, log_level="warning"))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield listener.getsockname()
        finally:
            server.should_exit = server.force_exit = True
            thread.join(timeout=20)


@pytest.fixture
def many_files() -> Iterator[None]:
    """Leave to open as many sockets as a flood takes, both ends of each."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(4096, hard)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def whole(connection: socket.socket, seconds: float = 10) -> bytes:
    """All that comes until the other side closes; TimeoutError where it does not."""
    connection.settimeout(seconds)
    came = b""
    try:
        while block := connection.recv(1 << 16):
            came += block
    except ConnectionResetError:
        pass
    return came


def said(address: Address, request: bytes) -> bytes:
    """What the service says to raw bytes, until it closes."""
    with socket.create_connection(address) as connection:
        connection.sendall(request)
        return whole(connection)


def post(body: bytes, *, told: int | None = None, path: str = "/v1/search", kind: str = "application/json") -> bytes:
    """A request with a body, whose length may be told otherwise than it is."""
    length = len(body) if told is None else told
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {kind}", f"Content-Length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("many_files")
def test_eight_hundred_half_sent_requests_are_let_go(quick: Address) -> None:
    """All of them are closed within the time for a head, and whoever asks meanwhile is answered within a second."""
    with ExitStack() as opened:
        began = time.monotonic()
        flood = [opened.enter_context(socket.create_connection(quick)) for _ in range(800)]
        for connection in flood:
            with suppress(ConnectionError):  # closed already, to make room
                connection.sendall(b"POST /v1/ask HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        sent = time.monotonic()
        while time.monotonic() < sent + Quick.head_seconds / 2:
            asked = time.monotonic()
            assert httpx.get(f"http://127.0.0.1:{quick[1]}/healthz", timeout=5).status_code == 200
            assert time.monotonic() - asked < 1
        for connection in flood:
            whole(connection)
        assert time.monotonic() - began < (sent - began) + Quick.head_seconds + 2


def test_a_body_that_stops_is_told_and_let_go(quick: Address) -> None:
    """A body of which no more comes, and one that trickles, get a 408 with the reason."""
    began = time.monotonic()
    with socket.create_connection(quick) as stopped, socket.create_connection(quick) as trickling:
        stopped.sendall(post(b'{"query": ', told=1000))
        trickling.sendall(post(b'{"query": ', told=1000))
        for _ in range(8):
            trickling.sendall(b" ")
            time.sleep(0.1)
        for connection in (stopped, trickling):
            answer = whole(connection)
            assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["type"] == "/problems/too-slow"
    assert time.monotonic() - began < 4


def test_a_slow_body_that_moves_is_served(quick: Address) -> None:
    """An upload takes as long as it takes, over several of the spells in which it has to move."""
    body = json.dumps({"query": "tar"}).encode() + b" " * 3000
    with socket.create_connection(quick) as connection:
        connection.sendall(post(b"", told=len(body)))
        for start in range(0, len(body), 150):
            connection.sendall(body[start : start + 150])
            time.sleep(0.12)
        assert connection.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")


def _answered(connection: socket.socket) -> bytes:
    """What came until the JSON of an answer is whole."""
    got = b""
    while not got.endswith(b"}"):
        got += connection.recv(4096)
    return got


def test_an_idle_connection_is_kept_and_a_second_half_request_is_not(quick: Address) -> None:
    """Between requests a client may rest longer than a head may take; once it has begun, it has to go on."""
    get = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with socket.create_connection(quick) as connection:
        connection.settimeout(5)
        connection.sendall(get)
        assert b"200 OK" in _answered(connection)
        time.sleep(Quick.head_seconds + 0.5)
        connection.sendall(get)
        assert b"200 OK" in _answered(connection)
        connection.sendall(get[:20])
        began = time.monotonic()
        assert b"408" in whole(connection)
        assert Quick.head_seconds - 0.5 < time.monotonic() - began < Quick.head_seconds + 2


def test_the_rest_of_a_refused_upload_is_not_waited_for(quick: Address) -> None:
    """Who was refused at the head and goes on sending is closed soon, however steadily it sends."""
    with socket.create_connection(quick) as connection:
        connection.sendall(post(b"", told=900_000).replace(b"Content-Type", b"Origin: http://evil.example\r\nX-Type"))
        assert connection.recv(4096).startswith(b"HTTP/1.1 403")
        began = time.monotonic()
        with suppress(ConnectionError):
            while time.monotonic() - began < 5:
                connection.sendall(b" " * 200)
                time.sleep(0.05)
        assert time.monotonic() - began < 3


def test_streams_last_and_who_does_not_read_is_cut_off() -> None:
    """Events come for as long as there are any; an answer that nobody takes is given up."""
    with serving(Quick) as address:
        with httpx.stream("GET", f"http://127.0.0.1:{address[1]}/events") as stream:
            assert len(re.findall(r"data: \d+", "".join(stream.iter_text()))) == 15
        with socket.create_connection(address) as connection:
            connection.sendall(b"GET /long HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            time.sleep(Quick.read_seconds + 1)
            assert len(whole(connection)) < 50_000_000


def test_a_full_house_lets_the_idle_go_first() -> None:
    """A new client takes the place of the one that has been idle longest, and is told 503 only where none is idle."""

    class Small(Quick):
        head_seconds = 20.0
        most_open = 3

    get = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    with serving(Small) as address, ExitStack() as opened:
        idle = [opened.enter_context(socket.create_connection(address)) for _ in range(3)]
        time.sleep(0.2)
        assert b"200 OK" in said(address, get)
        assert whole(idle[0]) == b""
        busy = [opened.enter_context(socket.create_connection(address)) for _ in range(3)]
        for connection in busy:
            connection.sendall(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert b"200 OK" in connection.recv(4096)
        refused = said(address, b"")
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"/problems/overloaded" in refused


# ── one meaning ──────────────────────────────────────────────────────────────────────────────────────────────────

HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
CHUNKED = b"0\r\n\r\n" + HIDDEN


def lengths(*headers: bytes, version: bytes = b"1.1", body: bytes = CHUNKED) -> bytes:
    """A request whose body's end is told so, with another request where one might take it to begin."""
    return b"\r\n".join([b"POST /v1/search HTTP/" + version, b"Host: 127.0.0.1", *headers, b"", body])


@pytest.mark.parametrize(
    "request_",
    [
        lengths(b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        lengths(b"Transfer-Encoding: chunked", b"Content-Length: 48"),
        lengths(b"Content-Length: 5", b"Transfer-Encoding:\r\n chunked"),
        lengths(b"Content-Length: 5", b"Content-Length: 6"),
        lengths(b"Content-Length: 5, 6"),
        lengths(b"Content-Length: -5"),
        lengths(b"Content-Length: +5"),
        lengths(b"Content-Length: 0x5"),
        lengths(b"Content-Length : 5"),
        lengths(b"Content-Length: " + b"9" * 30),
        lengths(b"Transfer-Encoding : chunked"),
        lengths(b" Transfer-Encoding: chunked"),
        lengths(b"Transfer-Encoding: xchunked"),
        lengths(b"Transfer-Encoding: chunked, identity"),
        lengths(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"),
        lengths(b"Transfer-Encoding:\r\n chunked\r\n identity"),
        lengths(b"Transfer-Encoding: \x0bchunked"),
        lengths(b"Transfer-Encoding: chunked", version=b"1.0"),
        lengths(b"Transfer-Encoding: chunked", body=b"zz\r\n" + HIDDEN),
        lengths(b"Transfer-Encoding: chunked", body=b"1\r\nabc\r\n" + CHUNKED),
        b"GET http://127.0.0.1/healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET http://evil.example/healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40 + b"\r\n\r\n",
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(quick: Address, request_: bytes) -> None:
    """One refusal, then the connection ends: no proxy can be made to see other requests than the service does."""
    answer = said(quick, request_)
    assert answer.startswith((b"HTTP/1.1 400 Bad Request\r\n", b"HTTP/1.1 421 Misdirected Request\r\n"))
    assert answer.count(b"HTTP/1.1 ") == 1
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["type"] in ("/problems/bad-request", "/problems/foreign-host")


def test_a_body_in_chunks_is_read(quick: Address) -> None:
    """Chunks alone have one meaning."""
    body = b'10\r\n{"query": "tar"}\r\n0\r\n\r\n'
    request = lengths(b"Transfer-Encoding: chunked", b"Connection: close", b"Content-Type: application/json", body=body)
    assert said(quick, request).startswith(b"HTTP/1.1 200 OK\r\n")


# ── clients that leave ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", [True, False])
def test_an_upload_that_is_broken_off_is_no_error_of_ours(
    quick: Address, form: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The log has one line without a traceback, no file stays behind, and the next request is served."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\n\r\n' if form else b""
    path, kind = ("/v1/documents", "multipart/form-data; boundary=b") if form else ("/v1/documents?name=a.md", "text/x")
    with caplog.at_level("INFO"), socket.create_connection(quick) as connection:
        connection.sendall(post(head + b"The tide. " * 20_000, told=900_000, path=path, kind=kind))
        time.sleep(0.3)
        connection.close()
        for _ in range(100):
            if any(" 499 " in record.getMessage() for record in caplog.records):
                break
            time.sleep(0.05)
    assert [r.getMessage() for r in caplog.records if r.exc_info or r.levelno >= logging.WARNING] == []
    assert sum(" 499 " in record.getMessage() for record in caplog.records) == 1
    assert httpx.get(f"http://127.0.0.1:{quick[1]}/healthz").status_code == 200
    assert list(tmp_path.iterdir()) == []
