"""A collection's index folder: the write lock, the live pointer, what is listed, pruned and verified."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Iterator, Mapping
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
_MEND = "run `adfontes rebuild`, or `adfontes index rollback` to the generation before"


@dataclass(frozen=True, slots=True)
class GenerationInfo:
    """A generation in a listing."""

    id: str
    built_at: str
    current: bool
    documents: int
    chunks: int
    manifest_sha256: str


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
    for path in folder.glob(f"[!.]*/{MANIFEST}"):
        try:
            body, digest = _manifest(path.parent)
        except IndexDamagedError:
            continue
        found.append(
            GenerationInfo(
                id=path.parent.name,
                built_at=str(body["built_at"]),
                current=path.parent.name == live,
                documents=int(body["counts"]["documents"]),
                chunks=int(body["counts"]["chunks"]),
                manifest_sha256=digest,
            )
        )
    return sorted(found, key=lambda g: (g.built_at, g.id), reverse=True)


def prune(folder: Path, keep: int) -> list[str]:
    """Delete the oldest generations beyond `keep`, never the live one; returns the ids deleted."""
    spare = [g for g in generations(folder) if not g.current][max(0, keep - 1) :]
    for generation in spare:
        # The manifest goes first: a folder half deleted is no generation.
        (folder / generation.id / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(folder / generation.id, ignore_errors=True)
    return [g.id for g in spare]


def verify(folder: Path, generation: str) -> tuple[dict[str, Any], str]:
    """Check every file of a generation against its manifest; return the manifest and its SHA-256.

    Raises IndexDamagedError naming the file that is missing, cut or changed, the manifest itself included.
    """
    where = folder / generation
    manifest, digest = _manifest(where)
    for name, expected in manifest["files"].items():
        path = where / name
        if not path.is_file():
            raise IndexDamagedError(f"generation {generation!r}: file {name!r} is missing; {_MEND}")
        if path.stat().st_size != expected["bytes"] or sha256(path) != expected["sha256"]:
            raise IndexDamagedError(f"generation {generation!r}: file {name!r} is not what was written; {_MEND}")
    return manifest, digest


def sealed(manifest: Mapping[str, Any]) -> str:
    """The text of a manifest with a checksum of itself, so that not one byte of it can change unseen."""
    body = {name: value for name, value in manifest.items() if name != "checksum"}
    return _json({**body, "checksum": hashlib.sha256(_json(body).encode()).hexdigest()})


def _manifest(where: Path) -> tuple[dict[str, Any], str]:
    """The manifest of a generation's folder and its SHA-256. Raises IndexDamagedError."""
    try:
        raw = (where / MANIFEST).read_bytes()
    except FileNotFoundError:
        raise IndexDamagedError(f"generation {where.name!r} has no manifest; {_MEND}") from None
    try:
        manifest = json.loads(raw)
        if manifest["format"] != FORMAT:
            raise IndexDamagedError(
                f"generation {where.name!r} has format {manifest['format']!r}, not {FORMAT}; run `adfontes rebuild`"
            )
        whole = sealed(manifest).encode() == raw and manifest["generation"] == where.name
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        whole = False
    if not whole:
        raise IndexDamagedError(f"the {MANIFEST} of generation {where.name!r} is not what was written; {_MEND}")
    return manifest, hashlib.sha256(raw).hexdigest()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
