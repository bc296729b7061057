"""The child: does one task after another from its standard input, answers in JSON. Started by `rag.bounded.Worker`.

One way goes a JSON line (`task`, what is `asked`, `size` of the bytes that follow, `name` of the file, `seconds`), the
other way a line with the length of the JSON answer, and the answer. Limits are set before the first file is seen.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from rag.errors import DocumentError, TransientError

_PREPARED = "rag.documents.language:warm"
"""Unpacks its model through a temporary file, which is not allowed later."""
_FORBIDDEN = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.remove", "os.rename")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def main() -> None:
    """Serve until standard input ends."""
    memory_mb, tasks = int(sys.argv[1]), json.loads(sys.argv[2])
    answers = os.fdopen(os.dup(1), "wb")
    # Whatever a library prints goes to the error stream, never between two answers.
    os.dup2(2, 1)
    _named(_PREPARED)()
    lock(memory_mb)
    while True:
        line = sys.stdin.buffer.readline()
        if not line:
            return
        answer = _answer(json.loads(line), sys.stdin.buffer, tasks)
        answers.write(b"%d\n" % len(answer) + answer)
        answers.flush()


def lock(memory_mb: int) -> None:
    """Take from this process, for good: memory beyond the limit, the network, other programs, the writing of files."""
    _limit(memory_mb)
    sys.addaudithook(_forbid)


def _limit(memory_mb: int) -> None:
    try:
        import resource
    except ImportError:  # no such limits on Windows: the parent's clock is what remains
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _forbid(event: str, arguments: tuple[object, ...]) -> None:
    """No task has reason to reach the network, start a program or write a file."""
    if event.startswith(_FORBIDDEN):
        raise PermissionError(f"a process at work on a file may not do this: {event}")
    if event == "open" and len(arguments) > 2 and isinstance(arguments[2], int) and arguments[2] & _WRITING:
        raise PermissionError(f"a process at work on a file may not write: {arguments[0]!r}")


def _named(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found


def _answer(said: Mapping[str, Any], stream: BinaryIO, tasks: Mapping[str, str]) -> bytes:
    data = stream.read(int(said["size"]))
    _allow_seconds(float(said["seconds"]))
    try:
        return _json({"result": _named(tasks[said["task"]])(said["asked"], data)})
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        return _json(_failed(error, str(said["name"])))
    finally:
        _allow_seconds(0)


def _json(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer | {"peak_mb": _peak()}).encode()


def _failed(error: BaseException, name: str) -> dict[str, Any]:
    """What is said of a task that raised: about the file itself, or of what may pass."""
    if isinstance(error, DocumentError):
        return {"error": str(error).removeprefix(f"{name}: "), "transient": isinstance(error, TransientError)}
    if isinstance(error, OSError):
        return {"error": f"cannot be opened ({error.strerror or error}).", "transient": True}
    if isinstance(error, MemoryError | ImportError):  # a library that no longer fits in is an ImportError
        return {"error": "needs more memory than a file may take; split it.", "transient": True, "spent": True}
    if isinstance(error, RecursionError):
        return {"error": "is nested too deeply to be a document."}
    return {"error": f"the work on it failed ({type(error).__name__}: {str(error)[:200]}); please report the file."}


def _allow_seconds(seconds: float) -> None:
    """The processor time from now on, beyond which the system ends this process; 0 takes the limit away."""
    if hasattr(signal, "setitimer"):  # on Windows the parent's clock is what there is
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _peak() -> float:
    """The most memory this process held at once, in MiB; 0 where the system does not tell."""
    try:  # Linux: what getrusage says there includes the parent's memory, from before this program began
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    except (OSError, IndexError, ValueError):
        pass
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20) if sys.platform == "darwin" else peak / 1024


if __name__ == "__main__":
    main()
