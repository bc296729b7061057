"""A language model's server on the loopback that says, and misbehaves, exactly as a test wants it to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Script = Callable[[dict[str, Any], int], "Reply"]
"""From a request's body and its number (from 0) to what the server does with it."""


@dataclass(frozen=True)
class Reply:
    """What comes back: the pieces of a stream, or a status with a body."""

    pieces: Sequence[str] | Iterator[str] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str = '{"error": {"message": "no"}}'
    pause: float = 0.0
    """Seconds of silence before each piece."""
    raw: bytes | None = None
    """Sent as it is instead of a stream of events."""
    cut: bool = False
    """Whether the connection is dropped after the pieces, without an end."""


@dataclass
class Server:
    """Where it listens, and what it was asked."""

    address: str
    requests: list[dict[str, Any]]


def said(*sentences: tuple[str, list[int]], answerable: bool = True) -> Reply:
    """A well-behaved reply, cut into small pieces as servers cut them."""
    body = {"answerable": answerable, "sentences": [{"text": t, "passages": p} for t, p in sentences]}
    text = json.dumps(body, ensure_ascii=False)
    return Reply([text[i : i + 7] for i in range(0, len(text), 7)])


@contextmanager
def serving(script: Script) -> Iterator[Server]:
    """Serve `script` at a free port of the loopback."""
    requests: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            requests.append(body | {"authorization": self.headers.get("Authorization")})
            reply = script(body, len(requests) - 1)
            with suppress(BrokenPipeError, ConnectionResetError):  # a client that has heard enough
                self._send(reply)

        def _send(self, reply: Reply) -> None:
            self.close_connection = True
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            streams = reply.status == 200 and reply.raw is None
            self.send_header("Content-Type", "text/event-stream" if streams else "application/json")
            self.end_headers()
            if not streams:
                self.wfile.write(reply.raw if reply.raw is not None else reply.body.encode())
                return
            for piece in reply.pieces:
                time.sleep(reply.pause)
                event = {
                    "id": "c",
                    "object": "chat.completion.chunk",
                    "created": 0,
                    "model": "m",
                    "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}],
                }
                self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
                self.wfile.flush()
            if not reply.cut:
                self.wfile.write(b"data: [DONE]\n\n")

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{server.server_address[1]}/v1", requests)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
