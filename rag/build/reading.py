"""Sources → documents, each linked to its references: new and changed ones are read, the others taken over."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import Any, Literal

from rag import bibliography, citations, documents, store
from rag.build.plan import Plan, stop_if_cancelled
from rag.errors import DocumentError
from rag.types import Document, Mention, Problem, Progress, Reference, Skipped

BIBLIOGRAPHY_KINDS: dict[str, Literal["bibtex", "ris", "csl"]] = {".bib": "bibtex", ".ris": "ris", ".json": "csl"}


QUESTIONS = "questions.jsonl"
"""The judged questions of a collection, beside its sources and not one of them."""
_AHEAD = 4
"""Documents read before they are asked for: what is held in memory of them."""
ASIDE, PART = ".before-", ".part-"
"""Before the names of files that are kept, or made, aside while the collection changes."""


@dataclass(frozen=True, slots=True)
class Read:
    """A source, read and linked: the document, its bibliography, its citations, what the audit found."""

    document: Document
    references: tuple[Reference, ...]
    mentions: tuple[Mention, ...]
    problems: tuple[Problem, ...]


def sources_of(corpus: Path) -> list[Path]:
    """Every file of a collection's folder that is a source, sorted; hidden ones are left alone."""
    return sorted(
        path
        for path in corpus.rglob("*")
        if path.is_file()
        and path != corpus / QUESTIONS
        and not any(part.startswith(".") for part in path.relative_to(corpus).parts)
        and documents.is_source(path)
    )


def clear_leftovers(corpus: Path) -> None:
    """Take away what a process left that was killed while it changed the collection: the files are in place by then."""
    for mark in (ASIDE, PART):
        for leftover in corpus.glob(f"{mark}*"):
            with suppress(PermissionError):  # hidden, so in nobody's way
                leftover.unlink(missing_ok=True)


def identified(corpus: Path) -> list[tuple[Path, str]]:
    """Every document file with its id: the slug of its name, with its suffix or a number only where two would clash."""
    taken: set[str] = set()
    found = []
    for path in sources_of(corpus):
        if not documents.is_document(path):
            continue
        base = documents.slug(path.relative_to(corpus).with_suffix("").as_posix())
        numbered = (f"{base}-{n}" for n in count(2))  # made when asked for: most names are free at once
        candidates = chain((base, f"{base}-{path.suffix.lstrip('.').lower()}"), numbered)
        document_id = next(c for c in candidates if c not in taken)
        taken.add(document_id)
        found.append((path, document_id))
    return found


def already_read(live: store.Generation | None, about: Mapping[str, Any]) -> dict[str, Read]:
    """What the live generation holds of sources that have not changed, by file name, if the same code read them.

    A list file (.bib, .ris, .json) may serve any document, so when one changed nothing is taken over.
    """
    if live is None or live.manifest.get("code") != about["code"]:
        return {}
    old, new = live.manifest.get("sources", {}), about["sources"]
    changed = {name for name in {*old, *new} if old.get(name) != new.get(name)}
    if any(documents.is_bibliography(Path(name)) for name in changed):
        return {}
    found = {}
    for brief in live.documents():
        beside = (p.as_posix() for p in documents.sidecars_of(Path(brief.source)))
        if {brief.source, *beside} & changed or brief.source not in new:
            continue
        references = live.references(brief.id)
        plain = {r.id: r.id.removeprefix(f"{brief.id}:") for r in references}
        read = Read(
            live.document(brief.id), tuple(references), tuple(live.mentions(brief.id)), tuple(live.problems(brief.id))
        )
        found[brief.source] = _renamed(read, plain)
    return found


def read_all(
    plan: Plan, sources: Sequence[Path], already: Mapping[str, Read], fresh: Mapping[Path, Document]
) -> tuple[list[Read], list[Skipped]]:
    """Read what is not taken over from the live generation; a source that cannot be read is skipped with its reason.

    `fresh` holds documents that were read a moment ago, when their files were let in.
    """
    skipped: list[Skipped] = []
    lists: dict[Path, tuple[tuple[Reference, ...], tuple[Problem, ...]]] = {}
    for path in sources:
        if not documents.is_document(path):
            kind = BIBLIOGRAPHY_KINDS[path.suffix.lower()]
            references, problems = bibliography.read_structured(path.read_bytes(), kind)
            if references:
                lists[path] = (references, problems)
            else:
                why = problems[0].message if problems else "it holds no entries"
                skipped.append(Skipped(path.relative_to(plan.corpus).as_posix(), why))
    found: list[Read] = []
    found_sources = identified(plan.corpus)
    taken: dict[Path, Read] = {}
    for path, document_id in found_sources:
        kept = already.get(path.relative_to(plan.corpus).as_posix())
        if kept is not None and kept.document.id == document_id:
            taken[path] = kept
    read_in_turn = _read_ahead([path for path, _ in found_sources if path not in taken and path not in fresh])
    with closing(read_in_turn):
        for done, (path, document_id) in enumerate(found_sources):
            stop_if_cancelled(plan)
            plan.progress(Progress("reading", done, len(found_sources)))
            if path in taken:
                found.append(taken[path])
                continue
            source = path.relative_to(plan.corpus).as_posix()
            document = fresh.get(path) or next(read_in_turn)
            if isinstance(document, DocumentError):
                skipped.append(Skipped(source, str(document), document_id))
                continue
            found.append(link(replace(document, id=document_id, source=source), lists))
    plan.progress(Progress("reading", len(found_sources), len(found_sources)))
    return found, skipped


def _read_ahead(paths: Sequence[Path]) -> Generator[Document | DocumentError]:
    """What each file holds, or why it cannot be read; the next ones are read while the caller is at work on one."""

    def read(path: Path) -> Document | DocumentError:
        try:
            return documents.read_isolated(path, known=documents.known_of(path))
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


def with_unique_references(read: Sequence[Read]) -> list[Read]:
    """Reference ids that two documents share get their document's name in front; the others stay short."""
    shared: dict[str, int] = {}
    for r in read:
        for reference in r.references:
            shared[reference.id] = shared.get(reference.id, 0) + 1
    return [
        _renamed(r, {x.id: f"{r.document.id}:{x.id}" if shared[x.id] > 1 else x.id for x in r.references}) for r in read
    ]


def _renamed(read: Read, names: Mapping[str, str]) -> Read:
    """The same with its references under other ids."""

    def renamed(problem: Problem) -> Problem:
        return replace(problem, reference_id=names.get(problem.reference_id or "", problem.reference_id))

    return Read(
        read.document,
        tuple(replace(x, id=names[x.id], problems=tuple(map(renamed, x.problems))) for x in read.references),
        tuple(
            replace(
                m,
                reference_id=names.get(m.reference_id or "", m.reference_id),
                candidates=tuple(names.get(c, c) for c in m.candidates),
                problems=tuple(map(renamed, m.problems)),
            )
            for m in read.mentions
        ),
        tuple(map(renamed, read.problems)),
    )
