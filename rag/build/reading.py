"""Sources → documents, each linked to its references: new and changed ones are read, the others taken over."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from typing import Any, Literal

from rag import bibliography, citations, documents, files, store
from rag.build.drafts import Drafts, Read
from rag.build.folder import identified
from rag.build.plan import Plan, stop_if_cancelled
from rag.build.provenance import Placing
from rag.errors import DocumentError
from rag.files import sha256
from rag.types import Document, Problem, Progress, Reference, Skipped

BIBLIOGRAPHY_KINDS: dict[str, Literal["bibtex", "ris", "csl"]] = {".bib": "bibtex", ".ris": "ris", ".json": "csl"}
_UNKNOWN = ""
"""The hash of a file of which nobody knows what was in it, so that the next rebuild looks again."""
_AHEAD = 4
"""Documents read before they are asked for: what is held in memory of them."""


def hashed(plan: Plan, sources: Sequence[Path]) -> tuple[dict[str, str], dict[Path, str]]:
    """The SHA-256 of sources and their sidecars by name, and why the others cannot be opened."""
    hashes: dict[str, str] = {}
    unread: dict[Path, str] = {}
    for path in sources:
        parts = (path, *(p for p in documents.sidecars_of(path) if os.path.isfile(p)))  # noqa: PTH113  (never raises)
        try:
            found = {
                p.relative_to(plan.corpus).as_posix(): sha256(p, plan.root, most=documents.MAX_BYTES) for p in parts
            }
        except OSError as error:
            unread[path] = _why_unread(path, error)
        else:
            hashes |= found
    return hashes, unread


def already_read(live: store.Generation | None, about: Mapping[str, Any]) -> dict[str, str]:
    """The live generation's documents whose sources have not changed, by file name, if the same code read them.

    A list file (.bib, .ris, .json) may serve any document, so when one changed nothing is taken over.
    """
    if live is None or live.manifest.get("code") != about["code"]:
        return {}
    old, new = live.manifest.get("sources", {}), about["sources"]
    changed = {name for name in {*old, *new} if old.get(name) != new.get(name)}
    if any(documents.is_bibliography(Path(name)) for name in changed):
        return {}
    found = {}
    for known in live.manifest["provenance"]:
        source = known["source"]
        beside = (p.as_posix() for p in documents.sidecars_of(Path(source)))
        if source in new and not {source, *beside} & changed:
            found[source] = known["id"]
    return found


def read_all(  # noqa: PLR0917  (one caller)
    plan: Plan,
    sources: Sequence[Path],
    hashes: dict[str, str],
    unread: Mapping[Path, str],
    live: store.Generation | None,
    already: Mapping[str, str],
    fresh: Mapping[Path, Document],
    drafts: Drafts,
) -> list[Skipped]:
    """Read what is not taken over from the live generation; a source that cannot be read is skipped, with its reason.

    `hashes` and `unread` are what `hashed` found; of a file that changed since then the hash becomes that of what was
    read. `fresh` holds documents that were read a moment ago, when their files were let in.
    """
    skipped: list[Skipped] = []
    lists: dict[Path, tuple[tuple[Reference, ...], tuple[Problem, ...]]] = {}
    for path in sources:
        if not documents.is_document(path):
            source = path.relative_to(plan.corpus).as_posix()
            try:
                references, problems = _list_in(plan, path, hashes, unread)
            except DocumentError as error:
                skipped.append(Skipped(source, str(error)))
                continue
            if references:
                lists[path] = (references, problems)
            else:
                why = problems[0].message if problems else "it holds no entries"
                skipped.append(Skipped(source, why))
    found = [(path, i, path.relative_to(plan.corpus).as_posix()) for path, i in identified(plan.corpus, sources)]
    taken = {path for path, document_id, source in found if already.get(source) == document_id}
    known = {
        path: document
        for path, document in fresh.items()
        if hashes.get(path.relative_to(plan.corpus).as_posix()) == document.sha256
    }
    placed = Placing(plan, live)
    read_in_turn = _read_ahead(plan, [p for p, _, _ in found if p not in taken and p not in known], hashes, unread)
    with closing(read_in_turn):
        for done, (path, document_id, source) in enumerate(found):
            stop_if_cancelled(plan)
            plan.progress(Progress("reading", done, len(found)))
            if live is not None and path in taken:
                drafts.take_over(live, document_id, source)
                continue
            document = known.get(path) or next(read_in_turn)
            if isinstance(document, DocumentError):
                skipped.append(Skipped(source, str(document), document_id))
                continue
            read = link(replace(document, id=document_id, source=source), lists)
            drafts.add(replace(read, document=placed(read.document)))
    plan.progress(Progress("reading", len(found), len(found)))
    return skipped


def _list_in(
    plan: Plan, path: Path, hashes: dict[str, str], unread: Mapping[Path, str]
) -> tuple[tuple[Reference, ...], tuple[Problem, ...]]:
    """What a list file holds. Raises DocumentError."""
    data = _content(plan, path, hashes, unread)
    return bibliography.read_structured(data, BIBLIOGRAPHY_KINDS[path.suffix.lower()])


def _read_ahead(
    plan: Plan, paths: Sequence[Path], hashes: dict[str, str], unread: Mapping[Path, str]
) -> Generator[Document | DocumentError]:
    """What each file holds, or why it cannot be read; the next ones are read while the caller is at work on one."""

    def read(path: Path) -> Document | DocumentError:
        try:
            data = _content(plan, path, hashes, unread)
            return documents.read_isolated(path, data=data, known=documents.known_of(path, plan.root))
        except DocumentError as error:
            return error

    pool = ThreadPoolExecutor(1, thread_name_prefix="reading")
    try:
        ahead: deque[Future[Document | DocumentError]] = deque()
        for place in range(len(paths)):
            while len(ahead) < _AHEAD and place + len(ahead) < len(paths):
                ahead.append(pool.submit(read, paths[place + len(ahead)]))
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _content(plan: Plan, path: Path, hashes: dict[str, str], unread: Mapping[Path, str]) -> bytes:
    """The bytes of a source. Raises DocumentError.

    One that is no longer what was listed is read once more, and taken when it is the same both times.
    """
    if path in unread:
        raise DocumentError(unread[path])
    name = path.relative_to(plan.corpus).as_posix()
    listed = hashes[name]
    try:
        for _ in range(2):
            data = files.read(path, plan.root, most=documents.MAX_BYTES)
            hashes[name] = hashlib.sha256(data).hexdigest()
            if hashes[name] == listed:
                return data
            listed = hashes[name]
    except OSError as error:
        hashes[name] = _UNKNOWN
        raise DocumentError(_why_unread(path, error)) from error
    hashes[name] = _UNKNOWN
    raise DocumentError(f"{path.name}: changes while it is read; it is left for the next rebuild")


def _why_unread(path: Path, error: OSError) -> str:
    went = isinstance(error, FileNotFoundError) and not os.path.lexists(path)
    why = "went while the collection was read" if went else f"cannot be opened ({error.strerror or error})"
    return f"{path.name}: {why}."


def link(document: Document, lists: Mapping[Path, tuple[tuple[Reference, ...], tuple[Problem, ...]]]) -> Read:
    """The document with its own bibliography, else with the list file of its name, else with every list file."""
    references: list[Reference] = []
    problems: list[Problem] = []
    for span in document.bibliography():
        entries, found = bibliography.parse(span.of(document.text), offset=span.start, language=document.language)
        references.extend(entries)
        problems.extend(found)
    if not references:
        own = [v for path, v in lists.items() if path.stem == Path(document.source).stem]
        for entries, found in own or lists.values():
            references.extend(entries)
            problems.extend(found)
    references = [replace(r, document_id=document.id) for r in _distinct_ids(references)]
    mentions, unresolved = citations.link(document, references)
    audited = citations.audit(document, references, mentions)
    seen = dict.fromkeys([*document.problems, *problems, *unresolved, *audited])
    return Read(document, tuple(references), mentions, tuple(replace(p, document_id=document.id) for p in seen))


def _distinct_ids(references: Sequence[Reference]) -> list[Reference]:
    taken: set[str] = set()
    found = []
    for reference in references:
        candidates = chain((reference.id,), (f"{reference.id}-{n}" for n in count(2)))
        name = next(c for c in candidates if c not in taken)
        taken.add(name)
        found.append(replace(reference, id=name))
    return found
