"""Answers are worked on in processes of their own, which can be ended whatever Python is doing in them.

    Service.ask → Answering.ask → a process that is free, else one more → service.answerer → Workspace.ask

A process works on one question at a time. The first starts with the service, others where questions wait, as many as
there are processors; one that has had nothing to do for long is ended. When nobody waits for an answer any more, its
process may still end it within `GRACE` seconds; then it is killed. So an answer's time is kept, and a client that
leaves frees the machine, also where a pattern or a model holds on to Python's lock. Knows no HTTP and no index.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
import weakref
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

import rag
from rag import errors
from rag.settings import PREFIX, Settings
from rag.types import Answer, Checked

log = logging.getLogger("adfontes.service")

COMMAND = (sys.executable, "-P", "-m", "service.answerer")  # -P: what lies where we were started is none of ours
GRACE = 1.0
"""Seconds that a process has to end an answer that nobody waits for: most end by themselves, and a start costs more."""
PATIENCE = 0.25
"""Seconds that a question waits for a process under way before another is started."""
SPARE = 300.0
"""Seconds after which a process that has had nothing to do is ended, the last one excepted."""
LONGEST_LINE = 256 << 20
_plain = TypeAdapter(Any).dump_python
_ANSWER: TypeAdapter[Answer] = TypeAdapter(Answer)
_CHECKED: TypeAdapter[Checked] = TypeAdapter(Checked)

Tell = Callable[[str, Any], None]


class BrokenOffError(errors.AdFontesError):
    """The process that worked on an answer ended before the answer was there."""


class Answering:
    """The processes that answer with some settings, at most `most` of them. For one event loop."""

    def __init__(self, settings: Settings, most: int | None = None, command: Sequence[str] = COMMAND) -> None:
        self._most = most or max(1, max(2, os.cpu_count() or 2) // settings.workers)
        self._settings, self._command = settings, command
        self._begun: _Child | None = None
        self._children: set[_Child] = set()
        self._idle: list[_Child] = []
        """Those with nothing to do; the last one has been idle for the shortest time and is asked next."""
        self._waiting: deque[asyncio.Future[_Child]] = deque()
        self._tasks: set[asyncio.Task[object]] = set()

    @property
    def waiting(self) -> int:
        """Questions that wait for a process."""
        return len(self._waiting)

    @property
    def working(self) -> int:
        """Processes that are at work on an answer."""
        return sum(child.busy for child in self._children)

    def begin(self) -> Answering:
        """Start the first process while the caller does something else, before there is an event loop."""
        self._begun = _Child(self._settings, self._command)
        return self

    async def warm(self) -> None:
        """Have a process ready. Raises ModelError when its models cannot be loaded, BrokenOffError when it ends."""
        await self._open(self._new())

    async def ask(
        self,
        question: str,
        on_event: Tell | None = None,
        *,
        allowed: Collection[str] | None = None,
        on_damage: Callable[[str, str, str], None] | None = None,
        **how: Any,  # noqa: ANN401  (the keywords of Workspace.ask, as JSON has them)
    ) -> Answer:
        """What `Workspace.ask` answers for who may see the collections `allowed` (None is all), from another process.

        `on_event` is told what `Workspace.ask` tells, as JSON values; `on_damage` the collection, its live generation
        and the reason where the process comes upon an index that is not whole. When the caller is cancelled, the work
        is ended. Raises what `Workspace.ask` raises, and BrokenOffError when the process ends over the question twice,
        or after something has been told.
        """
        return _ANSWER.validate_json(await self._work("ask", question, how, on_event, allowed, on_damage))

    async def check(
        self,
        text: str,
        on_event: Tell | None = None,
        *,
        allowed: Collection[str] | None = None,
        on_damage: Callable[[str, str, str], None] | None = None,
        **how: Any,  # noqa: ANN401  (the keywords of Workspace.check, as JSON has them)
    ) -> Checked:
        """What `Workspace.check` finds, from another process; everything else is as in `ask`."""
        return _CHECKED.validate_json(await self._work("check", text, how, on_event, allowed, on_damage))

    async def _work(  # noqa: PLR0917  (two callers)
        self,
        work: str,
        text: str,
        how: dict[str, Any],
        on_event: Tell | None,
        allowed: Collection[str] | None,
        on_damage: Callable[[str, str, str], None] | None,
    ) -> bytes:
        told = False

        def tell(name: str, data: object) -> None:
            nonlocal told
            told = True
            if on_event is not None:
                on_event(name, data)

        seen = None if allowed is None else sorted(allowed)
        asked = {"work": work, "text": text, "allowed": seen, "events": on_event is not None, "how": how}
        line = json.dumps(asked, default=_plain).encode() + b"\n"
        for again in (True, False):
            try:
                return await self._worked(line, tell, on_damage or (lambda *_: None))
            except BrokenOffError:
                log.warning("an answering process has ended over a question")
                if told or not again:
                    raise
        raise AssertionError  # the loop returns or raises

    async def close(self) -> None:
        """End all processes, whatever they are doing."""
        children = [*self._children, *([self._begun] if self._begun else [])]
        for child in children:
            child.end()
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        for child in children:
            await asyncio.to_thread(child.process.wait)

    async def _worked(self, line: bytes, tell: Tell, on_damage: Callable[[str, str, str], None]) -> bytes:
        child = await self._free()
        try:
            return await child.ask(line, tell, on_damage)
        finally:
            if not child.busy:
                self._offer(child)
            elif child.gone:
                self._replace(child)
            else:
                self._do(self._wind_up(child))

    async def _free(self) -> _Child:
        """A process that has nothing to do, when there is one."""
        while self._idle:
            child = self._idle.pop()
            child.spare(None)
            if child.alive:
                return child
            self._end(child)
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[_Child] = loop.create_future()
        self._waiting.append(mine)
        if not self._children:
            self._grow()
        growing = loop.call_later(PATIENCE, self._grow)
        try:
            return await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled() and not mine.exception():  # it came in the same moment
                self._offer(mine.result())
            raise
        finally:
            growing.cancel()
            with suppress(ValueError):
                self._waiting.remove(mine)

    def _grow(self) -> None:
        """Start one more process, unless as many as may be are there, or on their way for all who wait."""
        starting = sum(not child.ready for child in self._children)
        if len(self._children) < self._most and len(self._waiting) > starting:
            self._start()

    def _start(self) -> None:
        try:
            self._do(self._opened(self._new()))
        except OSError as error:  # no more processes, or no memory for one
            self._refuse(BrokenOffError(f"no process can be started to answer ({error.strerror})"))

    def _new(self) -> _Child:
        child, self._begun = self._begun or _Child(self._settings, self._command), None
        self._children.add(child)
        return child

    async def _open(self, child: _Child) -> None:
        try:
            await child.open()
        except BaseException:
            self._end(child)
            raise
        self._offer(child)

    async def _opened(self, child: _Child) -> None:
        try:
            await self._open(child)
        except errors.AdFontesError as error:
            self._refuse(error)

    def _refuse(self, error: errors.AdFontesError) -> None:
        """Tell those who wait that no process starts; the next question tries again."""
        log.warning("an answering process cannot start: %s", error)
        while self._waiting:
            mine = self._waiting.popleft()
            if not mine.done():
                mine.set_exception(error)

    def _offer(self, child: _Child) -> None:
        """Give a process that has nothing to do to whoever waits for one, else keep it."""
        while self._waiting:
            mine = self._waiting.popleft()
            if not mine.done():
                mine.set_result(child)
                return
        self._idle.append(child)
        child.spare(asyncio.get_running_loop().call_later(SPARE, self._spare, child))

    def _spare(self, child: _Child) -> None:
        if len(self._children) > 1:
            self._end(child)

    async def _wind_up(self, child: _Child) -> None:
        """Let a process end an answer that nobody waits for, or kill it."""
        try:
            async with asyncio.timeout(GRACE):
                await child.finish()
        except (TimeoutError, BrokenOffError):
            self._replace(child)
        else:
            self._offer(child)

    def _replace(self, child: _Child) -> None:
        self._end(child)
        if self._waiting or not self._children:
            self._start()

    def _end(self, child: _Child) -> None:
        self._children.discard(child)
        if child in self._idle:
            self._idle.remove(child)
        child.end()
        self._do(asyncio.to_thread(child.process.wait))

    def _do(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _reap(process: subprocess.Popen[bytes]) -> None:
    """Leave neither a process nor a zombie behind."""
    if process.poll() is None:
        process.kill()
        process.wait()


class _Child:
    """One process and the lines that go to it and come from it."""

    def __init__(self, settings: Settings, command: Sequence[str]) -> None:
        self.ready = self.busy = self.gone = False
        self._timer: asyncio.TimerHandle | None = None
        environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        environment.setdefault("OPENBLAS_NUM_THREADS", "1")
        home = str(Path(rag.__file__).parents[1])
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (home, environment.get("PYTHONPATH"))))
        self._socket, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603  (our own module, no shell)
                [*command], stdin=theirs.fileno(), stdout=subprocess.DEVNULL, env=environment
            )
        weakref.finalize(self, _reap, self.process)  # one that nobody has ended, as when a start fails half-way
        # Not as arguments or environment, which other users of the machine may see: there are secrets among them.
        self._socket.sendall(json.dumps(settings.in_plain()).encode() + b"\n")
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def spare(self, timer: asyncio.TimerHandle | None) -> None:
        """Have a timer end it, or none."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = timer

    async def open(self) -> None:
        """Wait until it is ready. Raises ModelError when it says that it cannot be, BrokenOffError when it ends."""
        self._reader, self._writer = await asyncio.open_connection(sock=self._socket, limit=LONGEST_LINE)
        while not self.ready:
            kind, data = await self._line()
            if kind == "failed":
                raise errors.ModelError(json.loads(data))
            self.ready = kind == "ready"

    async def ask(self, line: bytes, tell: Tell, on_damage: Callable[[str, str, str], None]) -> bytes:
        """The answer to a question, as JSON. Raises the error told instead, and BrokenOffError when it ends."""
        assert self._writer is not None  # noqa: S101  (opened before it is asked)
        self.busy = True
        self._writer.write(line)
        while True:
            kind, data = await self._line()
            match kind:
                case "answer":
                    return data
                case "error":
                    name, message = json.loads(data)
                    raise getattr(errors, name)(message)
                case "failed":
                    raise RuntimeError(json.loads(data))
                case "event":
                    tell(*json.loads(data))
                case "damaged":
                    on_damage(*json.loads(data))

    async def finish(self) -> None:
        """Wait for the end of what it is doing. Raises BrokenOffError when it ends itself."""
        while self.busy:
            await self._line()

    def end(self) -> None:
        """Kill it."""
        self.spare(None)
        self.process.kill()
        if self._writer is None:
            self._socket.close()
        else:
            self._writer.close()

    async def _line(self) -> tuple[str, bytes]:
        """What it says next; what it logs is logged here. May be cancelled and called again."""
        assert self._reader is not None  # noqa: S101
        while True:
            try:
                line = await self._reader.readline()
            except (OSError, ValueError):  # ValueError: a line without an end
                line = b""
            if not line.endswith(b"\n"):
                self.gone = True
                raise BrokenOffError("the process that worked on the answer has ended")
            kind, _, data = line.partition(b" ")
            if kind != b"log":
                break
            name, level, message = json.loads(data)
            logging.getLogger(name).log(level, "%s", message)
        if kind in (b"answer", b"error", b"failed"):
            self.busy = False
        return kind.decode(), data
