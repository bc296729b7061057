"""A collection's index folder: the write lock, the live pointer, what is listed, pruned and verified."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from rag.errors import BusyError, IndexDamagedError, IndexWriteError, NotFoundError
from rag.files import fsync, sha256, write_text

FORMAT = 6
MANIFEST = "manifest.json"
CURRENT = "current"
BY_ROW = "by row"
"""Said in the manifest of files that `rag.store.rows` checks as they are read."""
BUILDING = ".building-"
"""Before the name of a generation that is written but has not been live."""
_GENERATION = re.compile(r"\d{8}T\d{9}-[0-9a-f]{6}")
_CHECKSUM = re.compile(r'^ "checksum": "[0-9a-f]{64}",\n', re.MULTILINE)
"""The line of a manifest's own checksum. Others come after it, so it ends in a comma."""
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
    """Hold the collection's write lock, and clear away what a killed process left.

    Raises BusyError when another process or thread holds it, IndexWriteError when nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock", timeout=0)
        lock.acquire()
    except Timeout:
        raise BusyError(
            f"collection {folder.name!r} is being rebuilt by somebody else; wait for it, then try again"
        ) from None
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        with written_in(folder):
            _sweep(folder)
        yield
    finally:
        lock.release()


def sweep(folder: Path) -> None:
    """Clear away what a killed process left, unless somebody is writing; nothing happens where nothing can be."""
    if folder.is_dir() and _leftovers(folder):
        with suppress(BusyError, IndexWriteError), writing(folder):
            pass


def _sweep(folder: Path) -> None:
    for leftover in _leftovers(folder):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def _leftovers(folder: Path) -> list[Path]:
    """Unfinished builds, pointers that were never put in place, generations half deleted."""
    half = [p for p in folder.iterdir() if _GENERATION.fullmatch(p.name) and not (p / MANIFEST).exists()]
    return [*folder.glob(f"{BUILDING}*"), *folder.glob(f".{CURRENT}-*"), *half]


@contextmanager
def written_in(folder: Path) -> Iterator[None]:
    """Turn whatever a full disk or a folder that takes no files makes libraries raise into an IndexWriteError."""
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        raise _unwritable(folder, error) from error
    except RuntimeError as error:
        # faiss has no other type; its message names the file of its source that failed.
        if "impl/io" not in str(error) and "index_write" not in str(error):
            raise
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: Exception) -> IndexWriteError:
    reason = getattr(error, "strerror", None) or str(error).strip().splitlines()[-1][:200]
    return IndexWriteError(
        f"the index of collection {folder.name!r} cannot be written in {folder} ({reason}); make room, or let "
        "the folder be written; what was live before is live still"
    )


def publish(folder: Path, generation: str) -> str:
    """Make `generation`, as `Writer.finish` or a listing names it, the live one; return the name it has from now on.

    One atomic rename of the pointer file, after which readers see it. Raises NotFoundError, IndexWriteError.
    """
    if not (folder / generation / MANIFEST).is_file():
        raise NotFoundError(
            f"generation {generation!r} is not in {folder.name!r}; `adfontes index` lists those that are"
        )
    name = generation.removeprefix(BUILDING)
    pointer = folder / f".{CURRENT}-{secrets.token_hex(3)}"
    try:
        with written_in(folder):
            write_text(pointer, name)
            if name != generation:
                (folder / generation).rename(folder / name)
                fsync(folder)
            pointer.replace(folder / CURRENT)
            fsync(folder)
    finally:
        with suppress(OSError):
            pointer.unlink(missing_ok=True)
    return name


def current(folder: Path) -> str | None:
    """The id of the live generation, or None when nothing has been published."""
    try:
        return (folder / CURRENT).read_text(encoding="utf-8", errors="replace").strip() or None
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


def folders(folder: Path) -> list[str]:
    """The ids of all generations that there are folders of, newest first, whole or not."""
    if not folder.is_dir():
        return []
    return sorted((p.name for p in folder.iterdir() if _GENERATION.fullmatch(p.name)), reverse=True)


def prune(folder: Path, keep: int) -> list[str]:
    """Delete the oldest generations beyond `keep`, never the live one; returns the ids deleted."""
    spare = [g for g in generations(folder) if not g.current][max(0, keep - 1) :]
    for generation in spare:
        # The manifest goes first: a folder half deleted is no generation. What cannot be deleted now is left over.
        with suppress(OSError):
            (folder / generation.id / MANIFEST).unlink(missing_ok=True)
            shutil.rmtree(folder / generation.id, ignore_errors=True)
    return [g.id for g in spare]


def verify(folder: Path, generation: str, *, every_byte: bool = True) -> tuple[dict[str, Any], str]:
    """Check every file of a generation against its manifest; return the manifest and its SHA-256.

    Without `every_byte` files whose rows are checked one by one when they are read are only measured. Raises
    IndexDamagedError naming the file that is missing, cut or changed, the manifest itself included.
    """
    where = folder / generation
    if not _GENERATION.fullmatch(generation.removeprefix(BUILDING)):
        raise IndexDamagedError(
            f"the file {CURRENT!r} of {folder.name!r} names no generation ({generation[:60]!r}); {_MEND}"
        )
    manifest, digest = _manifest(where)
    files = manifest["files"]
    for name, expected in files.items():
        path = where / name
        if not path.is_file():
            raise IndexDamagedError(f"generation {generation!r}: file {name!r} is missing; {_MEND}")
        if path.stat().st_size != expected["bytes"]:
            raise _damaged(generation, name)
    hashed = [n for n in files if every_byte or files[n].get("checked") != BY_ROW]
    hashed.sort(key=lambda n: -files[n]["bytes"])
    # Hashing lets other threads run, so that every processor has a file; the largest first.
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        for name, found in zip(hashed, threads.map(lambda n: sha256(where / n), hashed), strict=True):
            if found != files[name]["sha256"]:
                raise _damaged(generation, name)
    return manifest, digest


def _damaged(generation: str, name: str) -> IndexDamagedError:
    return IndexDamagedError(f"generation {generation!r}: file {name!r} is not what was written; {_MEND}")


def sealed(manifest: Mapping[str, Any]) -> str:
    """The text of a manifest with a checksum of itself, so that not one byte of it can change unseen."""
    text = json.dumps({**manifest, "checksum": "0" * 64}, ensure_ascii=False, indent=1, sort_keys=True)
    own = f' "checksum": "{_checksum(text)}",\n'
    return _CHECKSUM.sub(lambda _: own, text)


def _checksum(text: str) -> str:
    """The SHA-256 of a manifest but for the line of its checksum. Raises ValueError when it has not just one."""
    rest, lines = _CHECKSUM.subn("", text)
    if lines != 1:
        raise ValueError(f"{lines} checksums")
    return hashlib.sha256(rest.encode()).hexdigest()


def _manifest(where: Path) -> tuple[dict[str, Any], str]:
    """The manifest of a generation's folder and its SHA-256. Raises IndexDamagedError."""
    try:
        raw = (where / MANIFEST).read_bytes()
    except FileNotFoundError:
        raise IndexDamagedError(f"generation {where.name!r} has no manifest; {_MEND}") from None
    try:
        text = raw.decode()
        manifest = json.loads(text)
        if manifest["format"] != FORMAT:
            raise IndexDamagedError(
                f"the {MANIFEST} of generation {where.name!r} has format {manifest['format']!r}, not {FORMAT}; "
                "run `adfontes rebuild`"
            )
        whole = _checksum(text) == manifest["checksum"] and manifest["generation"] == where.name.removeprefix(BUILDING)
        # A manifest by another hand must not lead outside the folder.
        root = where.resolve()
        whole = whole and all((root / name).resolve().is_relative_to(root) for name in manifest["files"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        whole = False
    if not whole:
        raise IndexDamagedError(f"the {MANIFEST} of generation {where.name!r} is not what was written; {_MEND}")
    return manifest, hashlib.sha256(raw).hexdigest()
