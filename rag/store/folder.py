"""A collection's index folder: the write lock, the live pointer, what is listed, pruned and verified."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from rag.errors import BusyError, IndexDamagedError, NotFoundError
from rag.files import fsync, sha256, write_text

FORMAT = 2
MANIFEST = "manifest.json"
CURRENT = "current"
BUILDING = ".building-"


@dataclass(frozen=True, slots=True)
class GenerationInfo:
    """A generation in a listing."""

    id: str
    built_at: str
    current: bool
    documents: int
    chunks: int
    manifestsha256: str


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold the collection's write lock. Raises BusyError when another process or thread holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise BusyError(
            f"collection {folder.name!r} is being rebuilt by somebody else; wait for it, then try again"
        ) from None
    try:
        for leftover in folder.glob(f"{BUILDING}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield
    finally:
        lock.release()


def publish(folder: Path, generation: str) -> None:
    """Make `generation` the live one: one atomic rename of the pointer file."""
    if not (folder / generation / MANIFEST).is_file():
        raise NotFoundError(
            f"generation {generation!r} is not in {folder.name!r}; `adfontes index` lists those that are"
        )
    pointer = folder / f".{CURRENT}-{secrets.token_hex(3)}"
    write_text(pointer, generation)
    pointer.replace(folder / CURRENT)
    fsync(folder)


def current(folder: Path) -> str | None:
    """The id of the live generation, or None when nothing has been published."""
    try:
        return (folder / CURRENT).read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def generations(folder: Path) -> list[GenerationInfo]:
    """All complete generations of a collection, newest first."""
    live = current(folder)
    found = []
    for manifest in folder.glob(f"*/{MANIFEST}"):
        if manifest.parent.name.startswith("."):
            continue
        raw = manifest.read_bytes()
        try:
            body = json.loads(raw)
            found.append(
                GenerationInfo(
                    id=manifest.parent.name,
                    built_at=str(body["built_at"]),
                    current=manifest.parent.name == live,
                    documents=int(body["counts"]["documents"]),
                    chunks=int(body["counts"]["chunks"]),
                    manifestsha256=hashlib.sha256(raw).hexdigest(),
                )
            )
        except (ValueError, KeyError, TypeError):
            continue
    return sorted(found, key=lambda g: (g.built_at, g.id), reverse=True)


def prune(folder: Path, keep: int) -> list[str]:
    """Delete the oldest generations beyond `keep`, never the live one; returns the ids deleted."""
    spare = [g for g in generations(folder) if not g.current][max(0, keep - 1) :]
    for generation in spare:
        # The manifest goes first: a folder half deleted is no generation.
        (folder / generation.id / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(folder / generation.id, ignore_errors=True)
    return [g.id for g in spare]


def verify(folder: Path, generation: str) -> dict[str, Any]:
    """Check every file of a generation against its manifest and return the manifest.

    Raises IndexDamagedError naming the file that is missing, cut, changed or not in the manifest.
    """
    where = folder / generation
    mend = "run `adfontes rebuild`, or `adfontes index rollback` to the generation before"
    try:
        manifest: dict[str, Any] = json.loads((where / MANIFEST).read_bytes())
        files, found_format = manifest["files"], manifest["format"]
    except FileNotFoundError:
        raise IndexDamagedError(f"generation {generation!r} has no manifest; {mend}") from None
    except (ValueError, KeyError, TypeError):
        raise IndexDamagedError(f"the manifest of generation {generation!r} is damaged; {mend}") from None
    if found_format != FORMAT:
        raise IndexDamagedError(
            f"generation {generation!r} has format {found_format!r}, not {FORMAT}; run `adfontes rebuild`"
        )
    for name, expected in files.items():
        path = where / name
        if not path.is_file():
            raise IndexDamagedError(f"generation {generation!r}: file {name!r} is missing; {mend}")
        if path.stat().st_size != expected["bytes"] or sha256(path) != expected["sha256"]:
            raise IndexDamagedError(f"generation {generation!r}: file {name!r} is not what was written; {mend}")
    return manifest
