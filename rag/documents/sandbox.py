"""Reading in a process of its own, so that no file can take the service down.

The child has a limit of memory, of time and of what it may touch; it answers in JSON, which is checked before it is
believed. It serves one file after another and is started anew after a crash, a kill, or many files.
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
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import rag
from rag.documents.wire import from_json
from rag.errors import DocumentError
from rag.types import Document

SECONDS = 60.0
MEMORY_MB = 1024
MAX_BYTES = 256 << 20
"""Size of a file that is still tried."""
_FILES_PER_CHILD = 200
_LONGEST_ANSWER = 256 << 20
_KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT", "LD_LIBRARY_PATH")


def read_isolated(
    path: Path,
    *,
    data: bytes | None = None,
    known: Mapping[str, Any] | None = None,
    document_id: str | None = None,
    name: str | None = None,
    seconds: float = SECONDS,
    memory_mb: int = MEMORY_MB,
    max_bytes: int = MAX_BYTES,
) -> Document:
    """What `rag.documents.read` gives, read in a child process that gets `seconds` and `memory_mb`.

    `name` is what the file is called where that is not the last part of `path`. The child is kept for the next call.
    Raises DocumentError, with its reason, for every file that cannot be read within the limits, whatever it does to
    the reader.
    """
    return _shared(memory_mb).read(
        path, data=data, known=known, document_id=document_id, name=name, seconds=seconds, max_bytes=max_bytes
    )


class Sandbox:
    """One reading process, started when first needed. Use as a context manager, or call `close`."""

    def __init__(self, memory_mb: int = MEMORY_MB) -> None:
        self.memory_mb = memory_mb
        self.peak_mb = 0.0
        """The child's largest memory so far, as of the last answer."""
        self._child: subprocess.Popen[bytes] | None = None
        self._files = 0
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

    def read(
        self,
        path: Path,
        *,
        data: bytes | None = None,
        known: Mapping[str, Any] | None = None,
        document_id: str | None = None,
        name: str | None = None,
        seconds: float = SECONDS,
        max_bytes: int = MAX_BYTES,
    ) -> Document:
        """Read one file. Raises DocumentError as `read_isolated` does; the next file starts afresh."""
        name = name or path.name
        size = _size(path, data)
        if size > max_bytes:
            raise DocumentError(f"{name}: has {size >> 20} MiB, more than the {max_bytes >> 20} allowed; split it.")
        asked = {
            "name": name,
            "path": None if data is not None else str(path.absolute()),
            "size": None if data is None else len(data),
            "known": dict(known) if known else None,
            "document_id": document_id,
            "seconds": seconds,
        }
        frame = json.dumps(asked, default=str).encode() + b"\n" + (data or b"")
        with self._lock:
            if self._files >= _FILES_PER_CHILD:
                self._end()
            answer = self._exchange(frame, name, seconds)
            self.peak_mb = float(answer.get("peak_mb") or 0.0)
            if answer.get("spent"):
                self._end()
        if "error" in answer:
            raise DocumentError(str(answer["error"]))
        try:
            return from_json(answer["document"])
        except (ValueError, KeyError, TypeError) as error:
            raise DocumentError(f"{name}: the reader's answer makes no sense ({error}).") from error

    def _exchange(self, frame: bytes, name: str, seconds: float) -> dict[str, Any]:
        child = self._running()
        self._files += 1
        deadline = time.monotonic() + seconds
        try:
            _write(child, frame, deadline)
            length = int(_read(child, deadline, line=True) or b"-1")
            if not 0 <= length <= _LONGEST_ANSWER:
                raise ChildProcessError
            answer = json.loads(_read(child, deadline, length))
        except TimeoutError as error:
            self._end()
            raise DocumentError(f"{name}: took longer than {seconds:g} seconds to read; split it.") from error
        except (OSError, ValueError) as error:
            raise DocumentError(self._why(name)) from error
        if not isinstance(answer, dict):
            self._end()
            raise DocumentError(f"{name}: the reader's answer makes no sense.")
        return answer

    def _why(self, name: str) -> str:
        """What ended the child, in words."""
        child, self._child = self._child, None
        code = child.wait() if child and _ended(child) else _end(child)
        if code == -getattr(signal, "SIGXCPU", 0):
            return f"{name}: took more processor time than a file may take; split it."
        how = f"signal {-code}" if code < 0 else f"status {code}"
        return (
            f"{name}: broke the reading process ({how}), or needs more than {self.memory_mb} MiB of memory; "
            "the file is damaged or made to do harm."
        )

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            _end(self._child)
            self._files = 0
            environment = {k: os.environ[k] for k in _KEPT if k in os.environ}
            # One thread: each would reserve its own stack and arena of the little memory there is.
            environment |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
            environment["MALLOC_ARENA_MAX"] = "2"
            environment["PYTHONPATH"] = str(Path(rag.__file__).parents[1])
            environment["PYTHONDONTWRITEBYTECODE"] = "1"
            environment["PYTHONUTF8"] = "1"
            self._child = subprocess.Popen(  # noqa: S603  (our own module, no shell)
                [sys.executable, "-m", "rag.documents.worker", str(self.memory_mb)],
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


def _size(path: Path, data: bytes | None) -> int:
    if data is not None:
        return len(data)
    try:
        return path.stat().st_size
    except OSError as error:
        raise DocumentError(f"{path.name}: cannot be opened ({error.strerror or error}).") from error


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


def _write(child: subprocess.Popen[bytes], frame: bytes, deadline: float) -> None:
    if child.stdin is None:
        raise ChildProcessError
    view = memoryview(frame)
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdin, selectors.EVENT_WRITE)
        os.set_blocking(child.stdin.fileno(), False)
        while view:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            view = view[os.write(child.stdin.fileno(), view[: 1 << 16]) :]


def _read(child: subprocess.Popen[bytes], deadline: float, length: int = 0, *, line: bool = False) -> bytes:
    """`length` bytes, or a short line, from the child before `deadline`."""
    if child.stdout is None:
        raise ChildProcessError
    out = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while not (out.endswith(b"\n") if line else len(out) >= length):
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            got = os.read(child.stdout.fileno(), 1 if line else min(1 << 20, length - len(out)))
            if not got or (line and len(out) > 32):
                raise ChildProcessError
            out += got
    return bytes(out)


_sandboxes: dict[int, Sandbox] = {}
_sandboxes_lock = threading.Lock()


def _shared(memory_mb: int) -> Sandbox:
    with _sandboxes_lock:
        if memory_mb not in _sandboxes:
            _sandboxes[memory_mb] = Sandbox(memory_mb)
            atexit.register(_sandboxes[memory_mb].close)
        return _sandboxes[memory_mb]
