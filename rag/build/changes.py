"""Sources put into a collection, attached to an entry, or taken out of it: whole or not at all."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rag import attachments, bibliography, documents, store
from rag.build.pipeline import bring_up_to_date
from rag.build.plan import Incoming, Plan, stop_if_cancelled
from rag.build.reading import ASIDE, BIBLIOGRAPHY_KINDS, PART, clear_leftovers, identified
from rag.errors import DocumentError, IndexDamagedError, IndexMissingError, IndexWriteError, InputError, NotFoundError
from rag.types import BuildReport, Document, Progress

_LONGEST_LIST = 64 << 20
"""Bytes of a bibliography file that is still read."""


def add(plan: Plan, files: Sequence[Incoming], *, overwrite: bool = False) -> tuple[BuildReport | None, list[str]]:
    """Put files into the collection and rebuild once.

    Returns the report, None when no file could be taken, and for each file why it was refused, "" where it was not:
    unreadable ones, those whose name is taken by other content while `overwrite` is not set, those said to be an entry
    that is not listed. No file suffers from another. When the rebuild itself fails, the collection is put back as it
    was.
    """
    with store.writing(plan.index):
        changes = _Changes(plan.corpus)
        fresh: dict[Path, Document] = {}
        reasons: list[str] = []
        try:
            for done, incoming in enumerate(files):
                stop_if_cancelled(plan)
                plan.progress(Progress("reading", done, len(files)))
                try:
                    target, document = _taken(plan, incoming, changes, overwrite=overwrite)
                except InputError as error:
                    reasons.append(str(error))
                    continue
                reasons.append("")
                if document is not None:
                    fresh[target] = document
            report = bring_up_to_date(plan, force=False, fresh=fresh) if "" in reasons else None
        except BaseException:
            # Sources that break or interrupt the build must not break every later one.
            changes.undo()
            raise
        changes.keep()
        return report, reasons


def save(plan: Plan, incoming: Incoming, *, overwrite: bool = False) -> Path:
    """Put one source into the collection without rebuilding and return where it is.

    Raises InputError with the reason when it cannot be taken, BusyError when another process writes.
    """
    with store.writing(plan.index):
        changes = _Changes(plan.corpus)
        try:
            target, _ = _taken(plan, incoming, changes, overwrite=overwrite)
        except BaseException:
            changes.undo()
            raise
        changes.keep()
        return target


def discard(plan: Plan, path: Path) -> None:
    """Take a file and what we wrote of it out of the collection without rebuilding."""
    with store.writing(plan.index):
        try:
            path.unlink(missing_ok=True)
            path.with_name(f"{path.name}.toml").unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(plan.corpus, error) from error


def remove(plan: Plan, document_id: str) -> BuildReport:
    """Take a document's file and what was known of it out of the collection and rebuild. Raises NotFoundError."""
    with store.writing(plan.index):
        path = _file_of(plan, document_id)
        changes = _Changes(plan.corpus)
        try:
            changes.put(path, None)
            people, ours = path.with_suffix(".toml"), path.with_name(f"{path.name}.toml")
            # A note by a person stays where another file of that stem still needs it.
            others = [p for p, _ in identified(plan.corpus) if p.with_suffix(".toml") == people]
            for sidecar in {ours} if others else {ours, people}:
                changes.put(sidecar, None)
            report = bring_up_to_date(plan, force=False)
        except BaseException:
            changes.undo()
            raise
        changes.keep()
        return report


def attach(plan: Plan, document_id: str, reference_id: str | None) -> BuildReport:
    """Say which bibliography entry a document is and rebuild; "" says none, None leaves it to be found out.

    Raises NotFoundError for a document or an entry that is not there.
    """
    with store.writing(plan.index):
        path = _file_of(plan, document_id)
        reference = _qualified(plan, reference_id, document_id) if reference_id else reference_id
        changes = _Changes(plan.corpus)
        try:
            changes.put(path.with_name(f"{path.name}.toml"), documents.written(path, {"reference": reference}))
            report = bring_up_to_date(plan, force=False)
        except BaseException:
            changes.undo()
            raise
        changes.keep()
        return report


def safe_name(name: str) -> str:
    """A file name from an untrusted one: its last part, without control characters, never hidden, never a path."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    cleaned = "".join(c for c in last if c.isprintable() and c not in '<>:"|?*\x00').strip().lstrip(".")
    if not cleaned or len(cleaned.encode()) > 200:
        raise InputError(f"{name[:80]!r} cannot be a file's name; give one of 1 to 200 bytes such as 'report.pdf'")
    return cleaned


def _taken(plan: Plan, incoming: Incoming, changes: _Changes, *, overwrite: bool) -> tuple[Path, Document | None]:
    """Put one file in its place. Raises InputError when it cannot be read or would overwrite another unasked."""
    target = plan.corpus / safe_name(incoming.name)
    same = target.exists() and _sha256(target) == _sha256(incoming.content)
    if target.exists() and not same and not overwrite:
        raise InputError(
            f"{target.name!r} is in the collection already with other content; replace it on purpose "
            "(--replace) or choose another name"
        )
    reference = _qualified(plan, incoming.reference) if incoming.reference else incoming.reference
    said = ({} if reference is None else {"reference": reference}) | (
        {"origin": dict(incoming.origin)} if incoming.origin else {}
    )
    document = _readable(plan, target, incoming.content, said)
    if not same:
        changes.put(target, incoming.content)
    if said:
        changes.put(target.with_name(f"{target.name}.toml"), documents.written(target, said))
    changed_meanwhile = document is not None and _sha256(target) != document.sha256
    return target, None if changed_meanwhile else document


def _readable(plan: Plan, target: Path, content: Path | bytes, said: Mapping[str, Any]) -> Document | None:
    """The document in a file of which `said` is now known, None for a bibliography. Raises DocumentError for others."""
    data = content if isinstance(content, bytes) else None
    if documents.is_document(target):
        known = documents.known_of(target) | dict(said)
        return documents.read_isolated(
            content if isinstance(content, Path) else target,
            data=data,
            known=known,
            name=target.name,
            cancelled=plan.cancelled,
        )
    if not documents.is_bibliography(target):
        raise DocumentError(f"{target.name}: no kind of source that can be read; the README lists those that can")
    if isinstance(content, Path) and content.stat().st_size > _LONGEST_LIST:
        raise DocumentError(f"{target.name}: has more than {_LONGEST_LIST >> 20} MiB; split it")
    kind = BIBLIOGRAPHY_KINDS[target.suffix.lower()]
    entries, problems = bibliography.read_structured_isolated(content, kind, name=target.name, cancelled=plan.cancelled)
    if not entries:
        raise DocumentError(f"{target.name}: {problems[0].message if problems else 'it holds no entries'}")
    return None


def _file_of(plan: Plan, document_id: str) -> Path:
    found = {i: path for path, i in identified(plan.corpus)}
    if document_id not in found:
        raise NotFoundError(
            f"document {document_id!r} is not in the collection; it holds {', '.join(sorted(found)) or 'none'}"
        )
    return found[document_id]


def _qualified(plan: Plan, reference_id: str, document_id: str = "") -> str:
    """The entry's lasting id. Raises NotFoundError when no list, or only the document's own, has it."""
    try:
        references = store.Generation.open(plan.index).references()
    except (IndexMissingError, IndexDamagedError):
        references = []
    others = [r for r in references if r.document_id != document_id]
    meant = attachments.named(others, reference_id)
    if len(meant) == 1:
        return attachments.qualified_id(meant[0])
    if meant:
        raise NotFoundError(f"several lists use the id {reference_id!r}; say which: {_some([r.id for r in meant])}")
    raise NotFoundError(
        f"entry {reference_id!r} is in no bibliography of the collection; `adfontes references` lists them: "
        f"{_some([r.id for r in others])}"
    )


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:8]) + (f" and {len(ids) - 8} more" if len(ids) > 8 else "") if ids else "there are none yet"


def _sha256(content: Path | bytes) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    try:
        with content.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DocumentError(f"{content.name}: cannot be opened ({error.strerror or error}).") from error


def _unwritable(corpus: Path, error: OSError) -> IndexWriteError:
    return IndexWriteError(
        f"the sources of collection {corpus.name!r} cannot be changed in {corpus} ({error.strerror or error}); make "
        "room, or let the folder be written; nothing has changed"
    )


class _Changes:
    """Files of a collection changed one by one, each whole, and put back together when the work fails."""

    def __init__(self, corpus: Path) -> None:
        self._corpus = corpus
        self._before: dict[Path, Path | None] = {}
        clear_leftovers(corpus)

    def put(self, target: Path, content: Path | bytes | None) -> None:
        """Give `target` this content by one rename, or take it away. Raises IndexWriteError."""
        part = self._corpus / f"{PART}{len(self._before)}"
        try:
            self._put(target, content, part)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise _unwritable(self._corpus, error) from error

    def _put(self, target: Path, content: Path | bytes | None, part: Path) -> None:
        self._corpus.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            part.write_bytes(content)
        elif content is not None:
            shutil.copyfile(content, part)
        if target not in self._before:
            aside = self._corpus / f"{ASIDE}{len(self._before)}"
            if target.exists():
                shutil.copyfile(target, aside)
            self._before[target] = aside if aside.exists() else None
        if content is None:
            target.unlink(missing_ok=True)
        else:
            part.replace(target)

    def keep(self) -> None:
        """Let the changes stand."""
        for aside in self._before.values():
            if aside is not None:
                aside.unlink(missing_ok=True)

    def undo(self) -> None:
        """Put everything back as it was."""
        for target, aside in self._before.items():
            if aside is None:
                target.unlink(missing_ok=True)
            else:
                aside.replace(target)
