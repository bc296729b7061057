"""An answering process that goes wrong where a question says how: what a bad pattern, library or machine would do."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import rag.answer
from rag.errors import InputError
from service import answerer

REAL = rag.answer.ask


def loop() -> None:
    """Python that never ends."""
    while True:
        pass


def pattern() -> None:
    """A pattern that never ends and holds on to Python's lock meanwhile."""
    re.match(r"(a+)+$", "a" * 64 + "b")


def memory() -> None:
    """All the memory that can be had."""
    held = []
    while True:
        held.append(bytes(1 << 28))  # asked for and never touched, so the machine keeps it


def killed() -> None:
    """What the system does to a process when memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)


def leave() -> None:
    """A library that ends the process."""
    os._exit(3)


def once() -> None:
    """End the process the first time, and never again."""
    mark = Path(os.environ["FAULTY_ONCE"])
    if not mark.exists():
        mark.touch()
        os._exit(3)


def wrong() -> None:
    """A mistake of ours."""
    raise ZeroDivisionError("a secret of the inside")


def late() -> None:
    """Something that takes a while and then ends by itself."""
    time.sleep(0.6)
    raise InputError("too late")


FAULTS = {fault.__name__: fault for fault in (loop, pattern, memory, killed, leave, once, wrong, late)}


def ask(generation: Any, encoder: Any, text: str, options: Any = None, *, on_event: Any = None) -> Any:
    """Go wrong as the question's last word says, after an event where it begins with `tell`; else answer it."""
    fault = FAULTS.get(text.rstrip("?").split()[-1])
    if fault is not None:
        if text.startswith("tell"):
            on_event("answer.delta", "so far")
        fault()
    return REAL(generation, encoder, text, options, on_event=on_event)


if __name__ == "__main__":
    rag.answer.ask = ask
    answerer.main()
