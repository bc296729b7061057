"""Work on foreign bytes and texts in a process of its own, which can be stopped whatever it does.

The child has a limit of memory, of time and of what it may touch. It does what stands in a fixed table (`TASKS`) and
answers in JSON, which whoever asked checks before it is believed. It serves one task after another and is started anew
after a crash, a kill, or many tasks. Knows nothing of what the tasks are about.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Self

import rag
from rag.errors import CancelledError, DocumentError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MEMORY_MB", "SECONDS", "TASKS", "Worker", "shared"]

TASKS: Mapping[str, str] = MappingProxyType(
    {
        "read": "rag.documents.isolated:do_read",
        "kind": "rag.documents.isolated:do_kind",
        "list": "rag.bibliography.isolated:do_list",
        "analyse": "rag.analysis:do_analyse",
    }
)
"""What a child can be asked to do: module and function, `(asked, data) -> JSON value`. Nothing is ever added."""
SECONDS = 60.0
"""Of processor time for one task: a busy machine takes none of it."""
PATIENCE = 5.0
"""The clock may show so many times the processor time, for a machine that is busy with other things."""
MEMORY_MB = 1024
_TASKS_PER_CHILD = 4000
_HELD = 0.5
"""Share of the memory limit from which a child that has answered is ended: what it holds is not given back."""
_LONGEST_ANSWER = 256 << 20
_LOOKED_EVERY = 0.1
"""Seconds after which whoever waits sees that the work is no longer wanted."""
_KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT", "LD_LIBRARY_PATH")


class Worker:
    """One child, started when first needed. Use as a context manager, or call `close`."""

    def __init__(self, memory_mb: int = MEMORY_MB, tasks: Mapping[str, str] = TASKS) -> None:
        self.memory_mb = memory_mb
        self.peak_mb = 0.0
        """The child's largest memory so far, as of the last answer."""
        self._tasks = dict(tasks)
        self._child: subprocess.Popen[bytes] | None = None
        self._done = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child, if there is one."""
        with self._lock:
            self._end()

    @property
    def pid(self) -> int | None:
        """The child's process id, None while there is none."""
        child = self._child
        return child.pid if child is not None else None

    def run(
        self,
        task: str,
        asked: Mapping[str, Any],
        data: bytes = b"",
        *,
        name: str,
        seconds: float = SECONDS,
        patience: float = PATIENCE,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Any:  # noqa: ANN401  (a JSON value)
        """What the task answers, for the file called `name`, within `seconds` of processor time.

        Raises DocumentError for what the task says of the file itself, TransientError when the work was ended by a
        limit, a signal or a file that cannot be opened, CancelledError within moments after `cancelled` says so. The
        next task starts afresh.
        """
        said = {"task": task, "asked": dict(asked), "size": len(data), "name": name, "seconds": seconds}
        frame = json.dumps(said, default=str).encode() + b"\n" + data
        wait = _Wait(seconds * patience, cancelled)
        with self._turn(wait):
            if self._done >= _TASKS_PER_CHILD:
                self._end()
            wait.begin()
            answer = self._exchange(frame, name, seconds, wait)
            self.peak_mb = float(answer.get("peak_mb") or 0.0)
            if answer.get("spent") or self.peak_mb > _HELD * self.memory_mb:
                self._end()
        if "error" in answer:
            error = TransientError if answer.get("transient") else DocumentError
            raise error(f"{name}: {answer['error']}")
        return answer.get("result")

    @contextmanager
    def _turn(self, wait: _Wait) -> Iterator[None]:
        while not self._lock.acquire(timeout=_LOOKED_EVERY):
            wait.stop_if_cancelled()
        try:
            yield
        finally:
            self._lock.release()

    def _exchange(self, frame: bytes, name: str, seconds: float, wait: _Wait) -> dict[str, Any]:
        child = self._running()
        self._done += 1
        try:
            _write(child, frame, wait)
            length = int(_read(child, wait, line=True) or b"-1")
            if not 0 <= length <= _LONGEST_ANSWER:
                raise ChildProcessError
            answer = json.loads(_read(child, wait, length))
        except CancelledError:
            self._end()
            raise
        except TimeoutError as error:
            self._end()
            said = f"{name}: the work on it was not done after {wait.seconds:g} seconds; the machine may be busy."
            raise TransientError(said, at_once=True) from error
        except (OSError, ValueError) as error:
            raise self._why(name, seconds) from error
        if not isinstance(answer, dict):
            self._end()
            raise DocumentError(
                f"{name}: the answer of the process at work on it makes no sense; please report the file."
            )
        return answer

    def _why(self, name: str, seconds: float) -> TransientError:
        """What ended the child."""
        child, self._child = self._child, None
        code = child.wait() if child and _ended(child) else _end(child)
        if code == -getattr(signal, "SIGPROF", 0):
            return TransientError(f"{name}: takes more than {seconds:g} seconds of processor time; split it.")
        how = f"signal {-code}" if code < 0 else f"status {code}"
        return TransientError(
            f"{name}: the process at work on it was ended ({how}); it may need more than {self.memory_mb} MiB of "
            "memory, or the machine had none left.",
            at_once=True,
        )

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            _end(self._child)
            self._done = 0
            environment = {k: os.environ[k] for k in _KEPT if k in os.environ}
            # One thread: each would reserve its own stack and arena of the little memory there is.
            environment |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
            environment["MALLOC_ARENA_MAX"] = "2"
            environment["PYTHONPATH"] = str(Path(rag.__file__).parents[1])
            environment["PYTHONDONTWRITEBYTECODE"] = "1"
            environment["PYTHONUTF8"] = "1"
            self._child = subprocess.Popen(  # noqa: S603  (our own module, no shell)
                [sys.executable, "-m", "rag.bounded.child", str(self.memory_mb), json.dumps(self._tasks)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                bufsize=0,
            )
        return self._child

    def _end(self) -> None:
        child, self._child = self._child, None
        _end(child)


@lru_cache(maxsize=4)
def shared(memory_mb: int = MEMORY_MB) -> Worker:
    """The child that a program keeps from one call to the next, so that it need not start anew for each file."""
    worker = Worker(memory_mb)
    atexit.register(worker.close)
    return worker


if hasattr(os, "register_at_fork"):  # a child answers one program: whoever is forked off starts its own
    os.register_at_fork(after_in_child=shared.cache_clear)


class _Wait:
    """How long somebody goes on waiting for a child."""

    def __init__(self, seconds: float, cancelled: Callable[[], bool]) -> None:
        self.seconds, self._cancelled = seconds, cancelled
        self._deadline = 0.0

    def begin(self) -> None:
        """The time runs from now."""
        self._deadline = time.monotonic() + self.seconds

    def stop_if_cancelled(self) -> None:
        """Raise CancelledError when the work is no longer wanted."""
        if self._cancelled():
            raise CancelledError("the work was stopped; the index is as it was before")

    def until_ready(self, selector: selectors.BaseSelector) -> None:
        """Return once a pipe is ready. Raises TimeoutError, CancelledError."""
        while not selector.select(max(0.0, min(_LOOKED_EVERY, self._deadline - time.monotonic()))):
            self.stop_if_cancelled()
            if time.monotonic() >= self._deadline:
                raise TimeoutError


def _ended(child: subprocess.Popen[bytes]) -> bool:
    """Whether the child ends by itself in the moment after it closed its pipe."""
    try:
        child.wait(timeout=2)
    except subprocess.TimeoutExpired:
        return False
    _close(child)
    return True


def _end(child: subprocess.Popen[bytes] | None) -> int:
    if child is None:
        return 0
    if child.poll() is None:
        child.kill()
    _close(child)
    return child.wait()


def _close(child: subprocess.Popen[bytes]) -> None:
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except OSError:
                continue


def _write(child: subprocess.Popen[bytes], frame: bytes, wait: _Wait) -> None:
    if child.stdin is None:
        raise ChildProcessError
    view = memoryview(frame)
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdin, selectors.EVENT_WRITE)
        os.set_blocking(child.stdin.fileno(), False)
        while view:
            wait.until_ready(selector)
            view = view[os.write(child.stdin.fileno(), view[: 1 << 16]) :]


def _read(child: subprocess.Popen[bytes], wait: _Wait, length: int = 0, *, line: bool = False) -> bytes:
    """`length` bytes, or a short line, from the child."""
    if child.stdout is None:
        raise ChildProcessError
    out = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while not (out.endswith(b"\n") if line else len(out) >= length):
            wait.until_ready(selector)
            got = os.read(child.stdout.fileno(), 1 if line else min(1 << 20, length - len(out)))
            if not got or (line and len(out) > 32):
                raise ChildProcessError
            out += got
    return bytes(out)
