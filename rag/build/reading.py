"""Sources → documents, each linked to its references: new and changed ones are read, the others taken over.

Reading, linking and cutting into sentences happen in processes that can be stopped (`rag.bounded`). What cannot be read
now and could be before stays in the form it has in the live generation, and is said to be stale.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from queue import LifoQueue
from typing import Any, TypeVar

from rag import bibliography, bounded, documents, files, store
from rag.analysis import Listed, analyse_isolated
from rag.build.drafts import STALE, Drafts, Read
from rag.build.folder import Survey, identified
from rag.build.plan import Plan, stop_if_cancelled
from rag.build.provenance import Placing
from rag.documents.language import language_of
from rag.errors import DocumentError, TransientError
from rag.files import sha256
from rag.types import Document, Problem, Progress, Skipped

_UNKNOWN = ""
"""The hash of a file of which nobody knows what was in it, so that the next rebuild looks again."""
_MOST_READERS = 4
"""Processes that read at once; each may take `bounded.MEMORY_MB`."""
_EACH = 4
"""Documents for which another process is worth its start."""
_AHEAD = 4
"""Documents read before they are asked for: what is held in memory of them."""
_T = TypeVar("_T")


def hashed(plan: Plan, sources: Sequence[Path]) -> tuple[dict[str, str], dict[Path, str]]:
    """The SHA-256 of sources and their sidecars by name, and why the others cannot be opened, whose hash is unknown."""
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
            found = {path.relative_to(plan.corpus).as_posix(): _UNKNOWN}
        hashes |= found
    return hashes, unread


def already_read(live: store.Generation | None, about: Mapping[str, Any]) -> dict[str, str]:
    """The documents of `live` whose sources have not changed and could be read, by file name.

    A list file (.bib, .ris and their like) may serve any document, so when one changed, or is worth another try,
    nothing is taken over.
    """
    if live is None:
        return {}
    old, new = live.manifest.get("sources", {}), about["sources"]
    changed = {name for name in {*old, *new} if old.get(name) != new.get(name)}
    tried_again = {s["source"] for s in live.manifest.get("skipped", ()) if s.get("again")}
    if any(documents.is_bibliography(Path(name)) for name in changed | tried_again):
        return {}
    stale = {s["source"] for s in live.manifest.get("stale", ())}
    found = {}
    for known in live.manifest["provenance"]:
        source = known["source"]
        beside = (p.as_posix() for p in documents.sidecars_of(Path(source)))
        if source in new and source not in stale and not {source, *beside} & changed:
            found[source] = known["id"]
    return found


@dataclass(slots=True)
class Left:
    """The sources that could not be read: those that are left out, and those of which an earlier form is kept."""

    skipped: list[Skipped] = field(default_factory=list)
    stale: list[Skipped] = field(default_factory=list)

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Left:
        """Those of a generation."""
        return cls(*([Skipped(**s) for s in manifest.get(kind, ())] for kind in ("skipped", "stale")))

    @property
    def again(self) -> bool:
        """Whether one of them is worth another try."""
        return any(s.again for s in (*self.skipped, *self.stale))

    def same_as(self, other: Left) -> bool:
        """Whether these are the same sources, whatever the reasons."""
        ours, theirs = ([[replace(s, reason="") for s in y] for y in (x.skipped, x.stale)] for x in (self, other))
        return ours == theirs


def read_all(  # noqa: PLR0917  (one caller)
    plan: Plan,
    seen: Survey,
    hashes: dict[str, str],
    unread: Mapping[Path, str],
    live: store.Generation | None,
    already: Mapping[str, str],
    fresh: Mapping[Path, Document],
    drafts: Drafts,
) -> Left:
    """Read what is not taken over from the live generation.

    A source that cannot be read is taken over as it was if it was live, else skipped, in either case with its reason.
    `hashes` and `unread` are what `hashed` found; of a file that changed since then the hash becomes that of what was
    read. `fresh` holds documents that were read a moment ago, when their files were let in.
    """
    before = _Before(live)
    left = Left()
    lists = _Lists()
    left.skipped += [replace(s, dropped=before.had(s.source)) for s in seen.refused]
    contents = _Contents(plan, hashes, unread)
    for path in seen.files:
        if not documents.is_document(path):
            stop_if_cancelled(plan)
            name = path.relative_to(plan.corpus).as_posix()
            try:
                lists.found[path] = _list(plan, path, name, contents)
            except DocumentError as error:
                left.skipped.append(before.skipped(name, error))
                if left.skipped[-1].dropped:
                    lists.dropped[path] = error
    found = [(path, i, path.relative_to(plan.corpus).as_posix()) for path, i in identified(plan.corpus, seen.files)]
    taken = {path for path, document_id, source in found if already.get(source) == document_id}
    known = {
        path: document
        for path, document in fresh.items()
        if hashes.get(path.relative_to(plan.corpus).as_posix()) == document.sha256
    }
    placed = Placing(plan, live)
    asked = [(path, i, source, known.get(path)) for path, i, source in found if path not in taken]
    with closing(_in_turn(plan, asked, lambda one, *how: _read(one, lists, contents, *how))) as read_in_turn:
        for done, (path, document_id, source) in enumerate(found):
            stop_if_cancelled(plan)
            plan.progress(Progress("reading", done, len(found)))
            if live is not None and path in taken:
                drafts.take_over(live, document_id, source)
                continue
            outcome = next(read_in_turn)
            if live is not None and outcome.error is not None and before.documents.get(source) == document_id:
                stale = before.skipped(source, outcome.error, document_id)
                left.stale.append(replace(stale, dropped=False))
                drafts.take_over(live, document_id, source, _stale(stale))
            elif outcome.read is not None:
                drafts.add(replace(outcome.read, document=placed(outcome.read.document)))
            elif outcome.error is not None:
                left.skipped.append(before.skipped(source, outcome.error, document_id))
    plan.progress(Progress("reading", len(found), len(found)))
    left.skipped.sort(key=lambda s: s.source)
    return left


def analysed(plan: Plan, given: Sequence[Document]) -> Generator[Read]:
    """Documents that are read already, each linked and cut; a language that none names is told.

    Raises DocumentError for one with which that cannot be done.
    """

    def analyse(document: Document, worker: bounded.Worker, cancelled: Callable[[], bool]) -> _Outcome:
        return _attempt(lambda: _linked(_with_language(document), (), worker, cancelled))

    with closing(_in_turn(plan, given, analyse)) as outcomes:
        for outcome in outcomes:
            if outcome.read is None:
                raise outcome.error or AssertionError
            yield outcome.read


class _Before:
    """What the live generation had."""

    def __init__(self, live: store.Generation | None) -> None:
        manifest = live.manifest if live is not None else {}
        self.documents: dict[str, str] = {d["source"]: d["id"] for d in manifest.get("provenance", ())}
        out = {s["source"] for s in manifest.get("skipped", ()) if not s.get("dropped")}
        self._had = manifest.get("sources", {}).keys() - out

    def had(self, source: str) -> bool:
        """Whether a source was indexed."""
        return source in self._had

    def skipped(self, source: str, error: DocumentError, document_id: str = "") -> Skipped:
        """A source left out for this reason."""
        return Skipped(
            source, str(error), document_id, again=isinstance(error, TransientError), dropped=self.had(source)
        )


@dataclass(slots=True)
class _Lists:
    """The bibliographies that are files of their own."""

    found: dict[Path, Listed] = field(default_factory=dict)
    dropped: dict[Path, DocumentError] = field(default_factory=dict)
    """Those that were there before and cannot be read now: whatever leans on them keeps its earlier form."""

    def of(self, source: str) -> tuple[list[Listed], DocumentError | None]:
        """The list of a source's name, else every list; and why one of them is no longer there."""
        there = [*self.found, *self.dropped]
        wanted = [path for path in there if path.stem == Path(source).stem] or there
        missing = next((self.dropped[path] for path in wanted if path in self.dropped), None)
        return [self.found[path] for path in wanted if path in self.found], missing


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of reading a source; of one whose bibliography could not be read both are there."""

    read: Read | None = None
    error: DocumentError | None = None


@dataclass(frozen=True, slots=True)
class _Contents:
    """What stands in the sources; `hashes` and `unread` are what `hashed` found, and the first is kept true."""

    plan: Plan
    hashes: dict[str, str]
    unread: Mapping[Path, str]

    def of(self, path: Path) -> bytes:
        """The bytes of a source. Raises DocumentError, TransientError.

        One that is no longer what was listed is read once more, and taken when it is the same both times.
        """
        if path in self.unread:
            # The next rebuild tries again only when it opens: a list that does not would have all read anew each time.
            raise DocumentError(self.unread[path])
        name = path.relative_to(self.plan.corpus).as_posix()
        listed = self.hashes[name]
        try:
            for _ in range(2):
                data = files.read(path, self.plan.root, most=documents.MAX_BYTES)
                self.hashes[name] = hashlib.sha256(data).hexdigest()
                if self.hashes[name] == listed:
                    return data
                listed = self.hashes[name]
        except OSError as error:
            self.hashes[name] = _UNKNOWN
            raise TransientError(_why_unread(path, error)) from error
        self.hashes[name] = _UNKNOWN
        raise TransientError(f"{path.name}: changes while it is read; it is left for the next rebuild")


def _why_unread(path: Path, error: OSError) -> str:
    went = isinstance(error, FileNotFoundError) and not os.path.lexists(path)
    why = "went while the collection was read" if went else f"cannot be opened ({error.strerror or error})"
    return f"{path.name}: {why}."


def _list(plan: Plan, path: Path, name: str, contents: _Contents) -> Listed:
    """The entries of a bibliography file. Raises DocumentError, TransientError, CancelledError."""
    kind = documents.BIBLIOGRAPHY_KINDS[path.suffix.lower()]

    def read() -> Listed:
        return bibliography.read_structured_isolated(contents.of(path), kind, name=name, cancelled=plan.cancelled)

    try:
        references, problems = read()
    except TransientError as error:
        if not error.at_once:
            raise
        references, problems = read()
    if not references:
        raise DocumentError(problems[0].message if problems else "it holds no entries")
    return references, problems


def _read(
    one: tuple[Path, str, str, Document | None],
    lists: _Lists,
    contents: _Contents,
    worker: bounded.Worker,
    cancelled: Callable[[], bool],
) -> _Outcome:
    path, document_id, source, fresh = one
    listed, missing = lists.of(source)

    def read() -> Read:
        document = fresh
        if document is None:
            known = documents.known_of(path, contents.plan.root)
            data = contents.of(path)
            document = documents.read_isolated(path, data=data, known=known, worker=worker, cancelled=cancelled)
        return _linked(replace(document, id=document_id, source=source), listed, worker, cancelled)

    outcome = _attempt(read)
    if missing is None or outcome.read is None or any(r.start is not None for r in outcome.read.references):
        return outcome
    return replace(outcome, error=missing)


def _attempt(read: Callable[[], Read]) -> _Outcome:
    try:
        return _Outcome(read())
    except DocumentError as error:
        return _Outcome(error=error)


def _linked(
    document: Document, listed: Sequence[Listed], worker: bounded.Worker, cancelled: Callable[[], bool]
) -> Read:
    found = analyse_isolated(document, listed, worker=worker, cancelled=cancelled)
    return Read(document, found.references, found.mentions, found.problems, found.sentences)


def _with_language(document: Document) -> Document:
    if document.language is not None:
        return document
    body = document.text[document.sections[0].body_start if document.sections else 0 :]
    return replace(document, language=language_of(body))


def _stale(source: Skipped) -> Problem:
    said = f"The source could not be read again, and is shown as it was read before: {source.reason}"
    return Problem(STALE, said, document_id=source.id)


def _in_turn(
    plan: Plan,
    given: Sequence[_T],
    work: Callable[[_T, bounded.Worker, Callable[[], bool]], _Outcome],
) -> Generator[_Outcome]:
    """What comes of the work on each, in order; some are worked on ahead, each in a process of its own.

    Work that was ended where the machine may be at fault is done once more, when nothing else is under way.
    """
    count = max(1, min(plan.workers, _MOST_READERS, len(given) // _EACH))
    over = threading.Event()
    idle: LifoQueue[bounded.Worker] = LifoQueue()

    def cancelled() -> bool:
        return over.is_set() or plan.cancelled()

    def done(one: _T) -> _Outcome:
        worker = idle.get()
        try:
            return work(one, worker, cancelled)
        finally:
            idle.put(worker)

    with ExitStack() as opened:
        for _ in range(count - 1):
            idle.put(opened.enter_context(bounded.Worker()))
        idle.put(bounded.shared())  # on top: it may be at hand already
        pool = ThreadPoolExecutor(count, thread_name_prefix="reading")
        try:
            ahead: deque[Future[_Outcome]] = deque()
            waiting: Iterator[_T] = iter(given)
            for one in given:
                ahead.extend(pool.submit(done, coming) for coming in islice(waiting, _AHEAD - len(ahead)))
                outcome = ahead.popleft().result()
                if isinstance(outcome.error, TransientError) and outcome.error.at_once and outcome.read is None:
                    wait(ahead)
                    outcome = done(one)
                yield outcome
        finally:
            over.set()
            pool.shutdown(cancel_futures=True)
