"""Reading, and telling a file's kind, in a process that can be stopped, so that no file can take the service down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rag import bounded, wire
from rag.errors import DocumentError, TransientError
from rag.types import Document

MAX_BYTES = 256 << 20
"""Size of a file that is still tried."""


def read_isolated(
    path: Path,
    *,
    data: bytes | None = None,
    known: Mapping[str, Any] | None = None,
    document_id: str | None = None,
    name: str | None = None,
    seconds: float = bounded.SECONDS,
    max_bytes: int = MAX_BYTES,
    worker: bounded.Worker | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Document:
    """What `rag.documents.read` gives, read in a child process (`worker`, else one that is kept for the next call).

    `name` is what the file is called where that is not the last part of `path`. Raises DocumentError, with its reason,
    for every file that cannot be read, TransientError where that may pass, CancelledError.
    """
    name = name or path.name
    _check_size(path, data, name, max_bytes)
    asked = {
        "name": name,
        "path": None if data is not None else str(path.absolute()),
        "known": dict(known) if known else None,
        "document_id": document_id,
    }
    said = (worker or bounded.shared()).run("read", asked, data or b"", name=name, seconds=seconds, cancelled=cancelled)
    with wire.believed(name):
        return wire.document(said)


def kind_isolated(path: Path, name: str, *, cancelled: Callable[[], bool] = lambda: False) -> str:
    """The media type of the file at `path`, as `kind_of` tells it for one called `name`, told in a child process.

    Raises DocumentError, TransientError, CancelledError.
    """
    _check_size(path, None, name, MAX_BYTES)
    asked = {"path": str(path.absolute()), "name": name}
    with wire.believed(name):
        return wire.text(bounded.shared().run("kind", asked, name=name, cancelled=cancelled))


def do_read(asked: Mapping[str, Any], data: bytes) -> dict[str, Any]:
    """Read a document: a task of `rag.bounded`."""
    from rag.documents import read

    if asked["path"] is not None:
        data = Path(asked["path"]).read_bytes()
    found = read(Path(asked["name"]), data=data, known=asked["known"], document_id=asked["document_id"])
    return wire.of_document(found)


def do_kind(asked: Mapping[str, Any], data: bytes) -> str:  # noqa: ARG001  (as every task)
    """Tell a file's kind: a task of `rag.bounded`."""
    from rag.documents.kinds import kind_of

    return kind_of(Path(asked["path"]).read_bytes(), asked["name"])


def _check_size(path: Path, data: bytes | None, name: str, most: int) -> None:
    try:
        size = path.stat().st_size if data is None else len(data)
    except OSError as error:
        raise TransientError(f"{name}: cannot be opened ({error.strerror or error}).") from error
    if size > most:
        raise DocumentError(f"{name}: has {size >> 20} MiB, more than the {most >> 20} allowed; split it.")
