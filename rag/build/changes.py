"""Sources put into a collection or taken out of it, whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rag import bibliography, documents, store
from rag.build.pipeline import bring_up_to_date
from rag.build.plan import Plan, stop_if_cancelled
from rag.build.reading import BIBLIOGRAPHY_KINDS, identified
from rag.errors import DocumentError, InputError, NotFoundError
from rag.types import BuildReport, Progress, Skipped


def add(
    plan: Plan, files: Sequence[tuple[str, bytes]], *, overwrite: bool = False
) -> tuple[BuildReport | None, list[Skipped]]:
    """Put files, as (name, content), into the collection and rebuild once. Only the last part of a name is used.

    Returns the report, None when no file could be taken, and the files refused with their reasons: unreadable ones, and
    those whose name is taken by other content while `overwrite` is not set. No file suffers from another. When the
    rebuild itself fails, the collection is put back as it was.
    """
    with store.writing(plan.index):
        before: dict[Path, bytes | None] = {}
        skipped: list[Skipped] = []
        try:
            for done, (name, data) in enumerate(files):
                stop_if_cancelled(plan)
                plan.progress(Progress("reading", done, len(files)))
                try:
                    target = _accepted(plan, name, data, overwrite=overwrite)
                except InputError as error:
                    skipped.append(Skipped(name, str(error)))
                    continue
                old = target.read_bytes() if target.exists() else None
                target.parent.mkdir(parents=True, exist_ok=True)
                before.setdefault(target, old)
                _write_whole(target, data)
            return (bring_up_to_date(plan, force=False) if before else None), skipped
        except BaseException:
            # Sources that break or interrupt the build must not break every later one.
            for path, content in before.items():
                if content is None:
                    path.unlink(missing_ok=True)
                else:
                    _write_whole(path, content)
            raise


def _accepted(plan: Plan, name: str, data: bytes, *, overwrite: bool) -> Path:
    """Where the file is to go. Raises InputError when it cannot be read or would overwrite another unasked."""
    target = plan.corpus / safe_name(name)
    if target.exists() and not overwrite and target.read_bytes() != data:
        raise InputError(
            f"{target.name!r} is in the collection already with other content; replace it on purpose "
            "(--replace) or choose another name"
        )
    if documents.is_document(target):
        documents.read_isolated(target, data=data)
    elif documents.is_bibliography(target):
        entries, problems = bibliography.read_structured(data, BIBLIOGRAPHY_KINDS[target.suffix.lower()])
        if not entries:
            raise DocumentError(f"{target.name}: {problems[0].message if problems else 'it holds no entries'}")
    else:
        raise DocumentError(f"{target.name}: no kind of source that can be read; the README lists those that can")
    return target


def remove(plan: Plan, document_id: str) -> BuildReport:
    """Take a document's file (and sidecar) out of the collection and rebuild. Raises NotFoundError."""
    with store.writing(plan.index):
        found = {i: path for path, i in identified(plan.corpus)}
        if document_id not in found:
            raise NotFoundError(
                f"document {document_id!r} is not in the collection; it holds {', '.join(sorted(found)) or 'none'}"
            )
        path = found[document_id]
        path.unlink()
        path.with_suffix(".toml").unlink(missing_ok=True)
        return bring_up_to_date(plan, force=False)


def safe_name(name: str) -> str:
    """A file name from an untrusted one: its last part, without control characters, never hidden, never a path."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    cleaned = "".join(c for c in last if c.isprintable() and c not in '<>:"|?*\x00').strip().lstrip(".")
    if not cleaned or len(cleaned.encode()) > 200:
        raise InputError(f"{name[:80]!r} cannot be a file's name; give one of 1 to 200 bytes such as 'report.pdf'")
    return cleaned


def _write_whole(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(data)
    temporary.replace(path)
