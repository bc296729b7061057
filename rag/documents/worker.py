"""The reading process: takes one file after another from its standard input, answers in JSON. Started by `sandbox`.

One way goes a JSON line (`name`, `path` or `size` of the bytes that follow, `known`, `document_id`, `seconds`), the
other way a line with the length of the JSON answer, and the answer. Limits are set before the first file is seen.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

from rag.documents.language import warm

_FORBIDDEN = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.remove", "os.rename")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def main() -> None:
    """Serve until standard input ends."""
    memory_mb = int(sys.argv[1])
    answers = os.fdopen(os.dup(1), "wb")
    # Whatever a library prints goes to the error stream, never between two answers.
    os.dup2(2, 1)
    warm()  # unpacks its model through a temporary file, which is not allowed later
    lock(memory_mb)
    while True:
        line = sys.stdin.buffer.readline()
        if not line:
            return
        answer = json.dumps(_answer(json.loads(line), sys.stdin.buffer)).encode()
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
    """No reader has reason to reach the network, start a program or write a file."""
    if event.startswith(_FORBIDDEN):
        raise PermissionError(f"a reading process may not do this: {event}")
    if event == "open" and len(arguments) > 2 and isinstance(arguments[2], int) and arguments[2] & _WRITING:
        raise PermissionError(f"a reading process may not write: {arguments[0]!r}")


def _answer(asked: dict[str, Any], stream: BinaryIO) -> dict[str, Any]:
    from rag.documents import read
    from rag.documents.wire import to_json
    from rag.errors import DocumentError

    name = str(asked["name"])
    data = stream.read(int(asked["size"])) if asked.get("size") is not None else None
    _allow_seconds(float(asked["seconds"]))
    try:
        if data is None:
            data = Path(asked["path"]).read_bytes()
        found = read(Path(name), data=data, known=asked.get("known"), document_id=asked.get("document_id"))
        return {"document": to_json(found), "peak_mb": _peak()}
    except DocumentError as error:
        return {"error": str(error), "peak_mb": _peak()}
    except OSError as error:
        return {"error": f"{name}: cannot be opened ({error.strerror or error}).", "peak_mb": _peak()}
    except (MemoryError, ImportError):  # a library that no longer fits in is an ImportError
        return {
            "error": f"{name}: needs more memory than a file may take; split it.",
            "peak_mb": _peak(),
            "spent": True,
        }
    except RecursionError:
        return {"error": f"{name}: is nested too deeply to be a document.", "peak_mb": _peak()}
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        said = f"{name}: the reader failed on it ({type(error).__name__}: {str(error)[:200]}); please report the file."
        return {"error": said, "peak_mb": _peak()}


def _allow_seconds(seconds: float) -> None:
    """The processor time for this file: what was used so far and `seconds` more."""
    try:
        import resource
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + seconds) + 2, hard))


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
