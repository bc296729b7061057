"""A process that works on answers, one after the other, for the service that started it, and may be killed over any.

Standard input is a socket. Lines come on it: the settings, then questions and texts to check, each a JSON object.
Lines go back, each a word, a space and JSON: `ready` or `failed` (a message) once; then for each question any number
of `event` (name, data), `log` (logger, level, message) and `damaged` (collection, generation, reason), and one of
`answer`, `error` (the name of an error of `rag.errors`, message) and `failed`.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import resource
import signal
import socket
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

from rag.answer import Turn
from rag.errors import AdFontesError
from rag.settings import Settings
from rag.workspace import Workspace
from service.parent import end_with_parent

_JSON: TypeAdapter[Any] = TypeAdapter(Any)
Say = Callable[[str, object], None]


def main() -> None:
    """Answer until the service is gone."""
    end_with_parent(signal.SIGKILL)
    for number in (signal.SIGINT, signal.SIGTERM):  # sent to all of a service's processes: it stops, answers are ended
        signal.signal(number, signal.SIG_IGN)
    _keep_modest()
    with socket.socket(fileno=0) as link:
        heard = link.makefile("rb")
        settings = Settings.model_validate_json(heard.readline())
        questions: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        threading.Thread(target=_listen, args=(heard, questions), daemon=True).start()
        say = _voice(link)
        _log_to(say, settings.log_level)
        workspace = Workspace(settings)
        try:
            workspace.warm()
        except AdFontesError as error:
            return say("failed", str(error))
        except Exception:  # noqa: BLE001  (whatever it was: the service says why)
            return say("failed", traceback.format_exc())
        say("ready", None)
        while True:
            _answer(workspace, questions.get(), say)


def _keep_modest() -> None:
    """Take no more than half of the machine's memory; where it runs out, we are ended and not the service."""
    half = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (half, half))
        Path("/proc/self/oom_score_adj").write_text("800", encoding="ascii")


def _listen(heard: BinaryIO, questions: queue.SimpleQueue[dict[str, Any]]) -> None:
    """Take questions while one is worked on; when the service is gone, so are we."""
    for line in heard:
        questions.put(json.loads(line))
    os._exit(0)


def _voice(link: socket.socket) -> Say:
    lock = threading.Lock()

    def say(kind: str, data: object) -> None:
        try:
            told = _JSON.dump_json(data)
        except PydanticSerializationError:
            told = json.dumps(data).encode()  # broken Unicode in a message, which may quote what was asked
        line = kind.encode() + b" " + told + b"\n"
        with lock:
            link.sendall(line)

    return say


class _Told(logging.Handler):
    """Has the service log what is logged here: it knows whose question it is, and the form."""

    def __init__(self, say: Say) -> None:
        super().__init__()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        self._say("log", (record.name, record.levelno, self.format(record)))


def _log_to(say: Say, level: str) -> None:
    root = logging.getLogger()
    root.handlers[:] = [_Told(say)]
    root.setLevel(logging.WARNING)
    for name in ("adfontes", "rag"):
        logging.getLogger(name).setLevel(level.upper())


def _answer(workspace: Workspace, asked: Mapping[str, Any], say: Say) -> None:
    allowed, how = asked["allowed"], dict(asked["how"])
    if "earlier" in how:
        how["earlier"] = [Turn(**turn) for turn in how["earlier"]]
    if asked["events"]:
        how["on_event"] = lambda name, data: say("event", (name, data))
    try:
        confined = workspace.confined(lambda: allowed)
        answer = (confined.check if asked["work"] == "check" else confined.ask)(asked["text"], **how)
        for found in workspace.damage():
            say("damaged", found)
        say("answer", answer)
    except AdFontesError as error:
        say("error", (type(error).__name__, str(error)))
    except MemoryError:
        os._exit(1)  # what holds all that memory is hardly let go
    except Exception:  # noqa: BLE001  (the service logs it)
        say("failed", traceback.format_exc())


if __name__ == "__main__":
    main()
