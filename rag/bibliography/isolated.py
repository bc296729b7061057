"""Bibliography files read in a process that can be stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rag import bounded, wire
from rag.bibliography.structured import Kind, read_structured
from rag.types import Problem, Reference


def read_structured_isolated(
    content: Path | bytes, kind: Kind, *, name: str, cancelled: Callable[[], bool] = lambda: False
) -> tuple[tuple[Reference, ...], tuple[Problem, ...]]:
    """What `read_structured` gives for a file, or its bytes, called `name`, read in a child process.

    Raises DocumentError, TransientError, CancelledError.
    """
    path, data = (None, content) if isinstance(content, bytes) else (str(content.absolute()), b"")
    said = bounded.shared().run("list", {"path": path, "kind": kind}, data, name=name, cancelled=cancelled)
    with wire.believed(name):
        return wire.references(said["references"], None), wire.problems(said["problems"], None)


def do_list(asked: Mapping[str, Any], data: bytes) -> dict[str, Any]:
    """Read a bibliography file: a task of `rag.bounded`."""
    if asked["path"] is not None:
        data = Path(asked["path"]).read_bytes()
    references, problems = read_structured(data, asked["kind"])
    return {"references": wire.plain(references), "problems": wire.plain(problems)}
