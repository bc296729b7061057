"""Tasks that do what no task should: for tests of what ends them."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Mapping
from typing import Any

TASKS = {
    name: f"tests.bounded_tasks:{name}"
    for name in ("greet", "never_end", "hang", "eat", "die", "open_nothing", "nest", "fail")
}


def greet(asked: Mapping[str, Any], data: bytes) -> str:
    """Answer."""
    return f"{asked['said']} {len(data)}"


def never_end(asked: Mapping[str, Any], data: bytes) -> bool:
    """Match a pattern for longer than the world stands, and let no other thread of this process run meanwhile."""
    return bool(re.match(r"(a|a)*b", "a" * 60))


def hang(asked: Mapping[str, Any], data: bytes) -> None:
    """Take all the time there is, and no processor."""
    time.sleep(600)


def eat(asked: Mapping[str, Any], data: bytes) -> int:
    """Take all the memory there is."""
    return len(b"x" * (8 << 30))


def die(asked: Mapping[str, Any], data: bytes) -> None:
    """End as a process does that the system kills."""
    os.kill(os.getpid(), signal.SIGKILL)


def open_nothing(asked: Mapping[str, Any], data: bytes) -> bytes:
    """Open what is not there."""
    with open("/no/such/file", "rb") as file:  # noqa: PTH123
        return file.read()


def nest(asked: Mapping[str, Any], data: bytes) -> None:
    """Call itself."""
    nest(asked, data)


def fail(asked: Mapping[str, Any], data: bytes) -> None:
    """Raise what nobody foresaw."""
    raise ArithmeticError("two and two are five")
