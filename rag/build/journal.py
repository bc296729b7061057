"""A collection's files changed together: all of them or none, whatever the process dies of.

    .changes     what is being changed: a line for the start, then one for each file, on disk before the file changes
    .before-N    what a file was
    .part-N      what a file is to become

A journal that stands when somebody begins to write is of a change that did not come to its end. Where the change went
live all the same (another generation than before it is live, and lists just what the files now hold) the files stay;
else they are put back, those excepted that somebody has changed by hand since.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from rag import store
from rag.build.plan import Plan
from rag.errors import BusyError, IndexWriteError, InputError
from rag.files import fsync, read, sha256, write_bytes

JOURNAL, _ASIDE, _PART = ".changes", ".before-", ".part-"
_OTHER = "other"
"""Said instead of a hash of what no change puts in place: a folder, a link, a file that cannot be read."""


@contextmanager
def writing(corpus: Path, index: Path) -> Iterator[None]:
    """Hold the collection's write lock, and put right what a killed process left of its index and its sources.

    Raises BusyError, IndexWriteError.
    """
    with store.writing(index):
        _recover(corpus, index)
        yield


def sweep(corpus: Path, index: Path) -> None:
    """Put right what a killed process left, unless somebody is writing; nothing happens where nothing can be."""
    store.sweep(index)
    if _leftovers(corpus):
        with suppress(BusyError, IndexWriteError), writing(corpus, index):
            pass


@contextmanager
def changing(plan: Plan) -> Iterator[Changes]:
    """Change files of the collection, under the write lock: they stay changed when the context ends without an error.

    Raises BusyError, IndexWriteError.
    """
    with writing(plan.corpus, plan.index):
        changes = Changes(plan.corpus, store.current(plan.index))
        try:
            yield changes
        except BaseException:
            # Sources that break or interrupt the build must not break every later one.
            _recover(plan.corpus, plan.index)
            raise
        changes.keep()


def unwritable(corpus: Path, error: OSError) -> IndexWriteError:
    """Sources that cannot be changed, said in words."""
    return IndexWriteError(
        f"the sources of collection {corpus.name!r} cannot be changed in {corpus} ({error.strerror or error}); make "
        "room, or let the folder be written; nothing has changed"
    )


class Changes:
    """Files of a collection changed one by one, each whole, and on disk before the next."""

    def __init__(self, corpus: Path, live: str | None) -> None:
        """`live` is the generation that is live while nothing has changed."""
        self._corpus, self._live = corpus, live
        self._aside: dict[Path, str | None] = {}

    def put(self, target: Path, content: Path | bytes | None) -> None:
        """Give `target` this content by one rename, or take it away.

        Raises IndexWriteError, InputError for a file in a folder that a link leads to out of the collection.
        """
        if not Path(os.path.realpath(target.parent)).is_relative_to(os.path.realpath(self._corpus)):
            raise InputError(f"{target.name!r} lies where a link leads out of the collection; change it there")
        try:
            self._put(target, content)
        except OSError as error:
            raise unwritable(self._corpus, error) from error

    def keep(self) -> None:
        """Let the changes stand. Raises IndexWriteError."""
        try:
            if self._aside:
                _forget(self._corpus)
        except OSError as error:
            raise unwritable(self._corpus, error) from error

    def _put(self, target: Path, content: Path | bytes | None) -> None:
        if not self._aside:
            self._begin()
        part, becomes = self._corpus / f"{_PART}{len(self._aside)}", None
        if isinstance(content, bytes):
            write_bytes(part, content)
        elif content is not None:
            shutil.copyfile(content, part)
            fsync(part)
        if content is not None:
            becomes = sha256(part)
        if target not in self._aside:
            self._aside[target] = self._set_aside(target, f"{_ASIDE}{len(self._aside)}")
        name = target.relative_to(self._corpus).as_posix()
        self._note({"file": name, "before": self._aside[target], "becomes": becomes})
        fsync(self._corpus)
        if content is None:
            target.unlink(missing_ok=True)
        else:
            part.replace(target)
        fsync(target.parent)

    def _begin(self) -> None:
        self._corpus.mkdir(parents=True, exist_ok=True)
        fsync(self._corpus.parent)
        self._note({"live": self._live})

    def _note(self, line: dict[str, Any]) -> None:
        with (self._corpus / JOURNAL).open("ab") as file:
            file.write(json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _set_aside(self, target: Path, name: str) -> str | None:
        """Keep what `target` is under another name, which is returned; None when it is not there."""
        aside = self._corpus / name
        if not os.path.lexists(target):
            return None
        try:
            os.link(target, aside, follow_symlinks=False)
        except (OSError, NotImplementedError):  # a disk without links, or another user's file
            shutil.copy2(target, aside, follow_symlinks=False)
            if not aside.is_symlink():
                fsync(aside)
        return name


@dataclass(slots=True)
class _Changed:
    """One file of a journal."""

    before: str | None
    """The name under which it was set aside; None where there was none."""
    becomes: list[str | None] = field(default_factory=list)
    """The hashes of what it was to become, one after the other; None for nothing."""


def _recover(corpus: Path, index: Path) -> None:
    """Bring a change that did not end to its end, or undo it. Raises IndexWriteError."""
    if not _leftovers(corpus):
        return
    journal = corpus / JOURNAL
    try:
        if os.path.lexists(journal):
            live, changed = _read(journal)
            if not _went_live(corpus, index, live, changed):
                _undo(corpus, changed)
            _forget(corpus)
    except OSError as error:
        raise unwritable(corpus, error) from error
    for leftover in _leftovers(corpus):
        with suppress(OSError):  # hidden, so in nobody's way
            leftover.unlink(missing_ok=True)


def _went_live(corpus: Path, index: Path, before: str | None, changed: dict[str, _Changed]) -> bool:
    live = store.current(index)
    if live is None or live == before:
        return False
    try:
        listed = json.loads((index / live / store.MANIFEST).read_bytes())["sources"]
        return all(listed.get(name) == _now(corpus / name) == one.becomes[-1] for name, one in changed.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _undo(corpus: Path, changed: dict[str, _Changed]) -> None:
    folders = {corpus}
    for name, one in changed.items():
        target = corpus / name
        # What was put back is set aside no longer; what is neither old nor new is somebody's.
        if _now(target) in one.becomes:
            aside = corpus / one.before if one.before is not None else None
            if aside is None:
                target.unlink(missing_ok=True)
            elif os.path.lexists(aside):
                aside.replace(target)
            folders.add(target.parent)
    for folder in folders:
        fsync(folder)


def _forget(corpus: Path) -> None:
    """The files are as they shall be: take the journal away, then what was set aside."""
    (corpus / JOURNAL).unlink(missing_ok=True)
    fsync(corpus)
    for leftover in _leftovers(corpus):
        leftover.unlink(missing_ok=True)


def _read(journal: Path) -> tuple[str | None, dict[str, _Changed]]:
    """The generation that was live, and the files by name. A line that is not whole has changed nothing yet."""
    live, changed = None, dict[str, _Changed]()
    for line in read(journal).split(b"\n")[:-1]:
        try:
            said = json.loads(line)
            if "live" in said:
                live = said["live"]
                continue
            name, before, becomes = str(said["file"]), said["before"], said["becomes"]
        except (ValueError, KeyError, TypeError, RecursionError):
            break
        # Whoever can put files here could write such a line; it must lead nowhere else.
        outside = PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\0" in name
        if outside or not (before is None or re.fullmatch(rf"{re.escape(_ASIDE)}\d+", str(before))):
            break
        changed.setdefault(name, _Changed(before)).becomes.append(becomes)
    return live, changed


def _leftovers(corpus: Path) -> list[Path]:
    found = [p for mark in (_ASIDE, _PART) for p in corpus.glob(f"{mark}*")]
    journal = corpus / JOURNAL
    return [*([journal] if os.path.lexists(journal) else []), *found]


def _now(target: Path) -> str | None:
    """The hash of what stands there now; None for nothing."""
    if target.is_symlink():
        return _OTHER
    try:
        return sha256(target)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return _OTHER
