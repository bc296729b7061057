"""Sources → documents, each linked to its references: new and changed ones are read, the others taken over."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from typing import Any, Literal

from rag import bibliography, citations, documents, store
from rag.build.drafts import Drafts, Read
from rag.build.plan import Plan, stop_if_cancelled
from rag.build.provenance import Placing
from rag.errors import DocumentError
from rag.types import Document, Problem, Progress, Reference, Skipped

BIBLIOGRAPHY_KINDS: dict[str, Literal["bibtex", "ris", "csl"]] = {".bib": "bibtex", ".ris": "ris", ".json": "csl"}


QUESTIONS = "questions.jsonl"
"""The judged questions of a collection, beside its sources and not one of them."""
_AHEAD = 4
"""Documents read before they are asked for: what is held in memory of them."""
ASIDE, PART = ".before-", ".part-"
"""Before the names of files that are kept, or made, aside while the collection changes."""


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
    live: store.Generation | None,
    already: Mapping[str, str],
    fresh: Mapping[Path, Document],
    drafts: Drafts,
) -> list[Skipped]:
    """Read what is not taken over from the live generation; a source that cannot be read is skipped, with its reason.

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
    found = [(path, i, path.relative_to(plan.corpus).as_posix()) for path, i in identified(plan.corpus)]
    taken = {path for path, document_id, source in found if already.get(source) == document_id}
    placed = Placing(plan, live)
    read_in_turn = _read_ahead([path for path, _, _ in found if path not in taken and path not in fresh])
    with closing(read_in_turn):
        for done, (path, document_id, source) in enumerate(found):
            stop_if_cancelled(plan)
            plan.progress(Progress("reading", done, len(found)))
            if live is not None and path in taken:
                drafts.take_over(live, document_id, source)
                continue
            document = fresh.get(path) or next(read_in_turn)
            if isinstance(document, DocumentError):
                skipped.append(Skipped(source, str(document), document_id))
                continue
            read = link(replace(document, id=document_id, source=source), lists)
            drafts.add(replace(read, document=placed(read.document)))
    plan.progress(Progress("reading", len(found), len(found)))
    return skipped


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
