"""Sources put into a collection, attached to an entry, or taken out of it: whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rag import attachments, bibliography, documents, store
from rag.build.folder import identified, survey
from rag.build.journal import Changes, changing
from rag.build.pipeline import bring_up_to_date
from rag.build.plan import Incoming, Plan, stop_if_cancelled
from rag.errors import DocumentError, IndexDamagedError, IndexMissingError, InputError, NotFoundError
from rag.files import sha256
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
    fresh: dict[Path, Document] = {}
    reasons: list[str] = []
    with changing(plan) as changes:
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
    return report, reasons


def save(plan: Plan, incoming: Incoming, *, instead_of: Path | None = None) -> Path:
    """Put one source into the collection without rebuilding and return where it is.

    `instead_of` is a file that it takes the place of, whatever its name. Raises InputError with the reason when it
    cannot be taken, BusyError when another process writes.
    """
    with changing(plan) as changes:
        target, _ = _taken(plan, incoming, changes, overwrite=instead_of is not None)
        if instead_of is not None and instead_of != target:
            changes.put(instead_of, None)
            changes.put(instead_of.with_name(f"{instead_of.name}.toml"), None)
    return target


def remove(plan: Plan, document_id: str) -> BuildReport:
    """Take a document's file and what was known of it out of the collection and rebuild. Raises NotFoundError."""
    with changing(plan) as changes:
        files = _files(plan)
        path = _file_of(files, document_id)
        changes.put(path, None)
        people, ours = path.with_suffix(".toml"), path.with_name(f"{path.name}.toml")
        # A note by a person stays where another file of that stem still needs it.
        others = [p for i, p in files.items() if p.with_suffix(".toml") == people and i != document_id]
        for sidecar in {ours} if others else {ours, people}:
            changes.put(sidecar, None)
        return bring_up_to_date(plan, force=False)


def attach(plan: Plan, document_id: str, reference_id: str | None) -> BuildReport:
    """Say which bibliography entry a document is and rebuild; "" says none, None leaves it to be found out.

    Raises NotFoundError for a document or an entry that is not there.
    """
    with changing(plan) as changes:
        path = _file_of(_files(plan), document_id)
        reference = _qualified(plan, reference_id, document_id) if reference_id else reference_id
        said = documents.written(path, {"reference": reference}, plan.root)
        changes.put(path.with_name(f"{path.name}.toml"), said)
        return bring_up_to_date(plan, force=False)


def safe_name(name: str) -> str:
    """A file name from an untrusted one: its last part, without control characters, never hidden, never a path."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    cleaned = "".join(c for c in last if c.isprintable() and c not in '<>:"|?*\x00').strip().lstrip(".")
    if not cleaned or len(cleaned.encode()) > 200:
        raise InputError(f"{name[:80]!r} cannot be a file's name; give one of 1 to 200 bytes such as 'report.pdf'")
    return cleaned


def _taken(plan: Plan, incoming: Incoming, changes: Changes, *, overwrite: bool) -> tuple[Path, Document | None]:
    """Put one file in its place. Raises InputError when it cannot be read or would overwrite another unasked."""
    target = plan.corpus / safe_name(incoming.name)
    same = target.exists() and not target.is_symlink() and _sha256(target) == _sha256(incoming.content)
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
        changes.put(target.with_name(f"{target.name}.toml"), documents.written(target, said, plan.root))
    changed_meanwhile = document is not None and _sha256(target) != document.sha256
    return target, None if changed_meanwhile else document


def _readable(plan: Plan, target: Path, content: Path | bytes, said: Mapping[str, Any]) -> Document | None:
    """The document in a file of which `said` is now known, None for a bibliography. Raises DocumentError for others."""
    data = content if isinstance(content, bytes) else None
    if documents.is_document(target):
        known = documents.known_of(target, plan.root) | dict(said)
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
    kind = documents.BIBLIOGRAPHY_KINDS[target.suffix.lower()]
    entries, problems = bibliography.read_structured_isolated(content, kind, name=target.name, cancelled=plan.cancelled)
    if not entries:
        raise DocumentError(f"{target.name}: {problems[0].message if problems else 'it holds no entries'}")
    return None


def _files(plan: Plan) -> dict[str, Path]:
    """The documents' files by id."""
    seen = survey(plan.corpus, follow_links=plan.follow_links)
    return {document_id: path for path, document_id in identified(plan.corpus, seen.files)}


def _file_of(files: Mapping[str, Path], document_id: str) -> Path:
    if document_id not in files:
        raise NotFoundError(
            f"document {document_id!r} is not in the collection; it holds {', '.join(sorted(files)) or 'none'}"
        )
    return files[document_id]


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
        return sha256(content)
    except OSError as error:
        raise DocumentError(f"{content.name}: cannot be opened ({error.strerror or error}).") from error
