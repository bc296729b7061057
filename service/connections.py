"""Connections: how long a client may take to send a request and to take its answer, and how many may be open.

uvicorn waits for ever for the rest of what was begun. Here a head has to come whole in seconds, a body has to keep
moving, and so has the reading of an answer; a request under way, a stream and an idle connection are left alone. Where
as many are open as may be, whoever has kept an idle or half-sent one longest makes room. Knows no route.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, Literal

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from service import problems

Owed = Literal["", "head", "body", "rest", "end"]
"""What a client has not sent: a head, the body of a request under way, that of an answered one; or taken: the last."""


class Connection(H11Protocol):
    """uvicorn's connection, with limits. Times are seconds."""

    head_seconds = 10.0
    """From the first byte, or from the opening, until a request's head is whole."""
    body_seconds, body_bytes = 30.0, 15_000
    """A body has to bring so many bytes in each such spell: 500 a second on average."""
    read_seconds = 60.0
    """Until a client that reads no more of its answer is cut off."""
    most_open = 512
    """Connections of one process: many times the questions it takes on, and within what a process may have open."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  (uvicorn's own)
        super().__init__(*args, **kwargs)
        self._owed: Owed = ""
        self._since = 0.0
        self._came = 0
        self._cut = False
        self._sending: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, where need be in the place of another; the 503 tells that there was no place."""
        super().connection_made(transport)
        self._since = self.loop.time()
        others = [c for c in self.connections if isinstance(c, Connection) and c is not self and not c._cut]  # noqa: SLF001
        if len(others) >= self.most_open:
            idle = [c for c in others if c.cycle is None or c.cycle.response_complete]
            if not idle:
                self._refuse(problems.details("overloaded", f"{self.most_open} connections are in use already."))
                return
            min(idle, key=lambda c: c._since).cut()  # noqa: SLF001
        self._watch()

    def cut(self) -> None:
        """End the connection at once, whatever was still to be sent."""
        self._cut = True
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the timers go with the connection."""
        for timer in (self._sending, self._reading):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, and note what is still owed."""
        self._came += len(data)
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Go on to the next request, which may have begun to come already."""
        super().on_response_complete()
        self._watch()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection."""
        super().timeout_keep_alive_handler()
        self._watch()

    def pause_writing(self) -> None:
        """The client reads more slowly than it is answered: it has so long to catch up."""
        super().pause_writing()
        self._reading = self.loop.call_later(self.read_seconds, self.cut)

    def resume_writing(self) -> None:
        """The client has caught up."""
        if self._reading is not None:
            self._reading.cancel()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP request."""
        self._refuse(problems.details("bad-request", msg))

    def _watch(self) -> None:
        """Begin to count the time when the client begins to owe something, and stop when it owes nothing."""
        owed = self._owes()
        if owed == self._owed:
            return
        if self._sending is not None:
            self._sending.cancel()
        self._owed, self._since, self._came = owed, self.loop.time(), 0
        spell = {"head": self.head_seconds, "end": self.read_seconds}.get(owed, self.body_seconds)
        self._sending = self.loop.call_later(spell, self._late) if owed else None

    def _owes(self) -> Owed:
        if self.transport.is_closing():
            return "end"
        if self.conn.their_state is h11.SEND_BODY:
            return "rest" if self.cycle.response_complete else "body"
        if self.conn.their_state is not h11.IDLE:
            return ""
        # An idle connection has uvicorn's own timer until something comes.
        return "head" if self.timeout_keep_alive_task is None or self.conn.trailing_data[0] else ""

    def _late(self) -> None:
        if self._owed == "body" and (self._came >= self.body_bytes or self.flow.read_paused):  # paused by us
            self._came = 0
            self._sending = self.loop.call_later(self.body_seconds, self._late)
        elif self._owed == "body" or (self._owed == "head" and self.conn.trailing_data[0]):
            self._refuse(problems.details("too-slow"))
        else:
            self.cut()  # never asked, or answered: there is nothing to be told

    def _refuse(self, problem: problems.ProblemDetails) -> None:
        """Say why, where no answer has begun, and close."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            told = problems.response(problem, {"Connection": "close"})
            lines = [f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}".encode()]
            lines += [name + b": " + value for name, value in told.raw_headers]
            self.transport.write(b"\r\n".join([*lines, b"", bytes(told.body)]))
        self.transport.close()
        self._watch()
