"""What was read of the sources, until all of it is known and can be written: on disk, not in memory."""

from __future__ import annotations

import pickle
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from os import SEEK_END
from pathlib import Path
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Any, Self, overload

from rag.store import Generation, written_in
from rag.types import Document, Mention, Problem, Reference, Span

STALE = "stale"
"""The kind of problem of a document whose source could not be read again: its earlier form is kept."""
_IN_MEMORY = 16 << 20
"""Bytes of what was read up to which no file is made."""


@dataclass(frozen=True, slots=True)
class Read:
    """A source, read and linked: the document, its bibliography, its citations, what the audit found."""

    document: Document
    references: tuple[Reference, ...]
    mentions: tuple[Mention, ...]
    problems: tuple[Problem, ...]
    sentences: tuple[tuple[Span, ...], ...] | None = None
    """As `chunks.sentences` gives them; None where the live generation's chunks are taken over."""


@dataclass(frozen=True, slots=True)
class _Draft:
    """Where a source lies."""

    document_id: str
    source: str
    entries: range
    """Its entries, as those of all sources are numbered."""
    live: Generation | None
    """Where it was left; None where it lies in the file."""
    begin: int = 0
    rest: int = 0
    """Where it begins in the file, and where what comes after its entries does."""
    stale: Problem | None = None
    """What is said of a source that could not be read again."""


class Drafts:
    """The sources in their order, each read now or left in the live generation until it is asked for.

    Ids of entries that two documents share get their document's name in front; the others stay short. So what is got
    is right only when all have been added.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._drafts: list[_Draft] = []
        self._entries = array("q")
        """Where each entry begins in the file."""
        self._listed: Counter[str] = Counter()
        """How many lists use an id."""

    def __enter__(self) -> Self:
        """Begin. Raises IndexWriteError."""
        with written_in(self._folder):
            # It has no name: nobody else can write into it, and a killed process leaves none.
            self._file = SpooledTemporaryFile(_IN_MEMORY, dir=str(self._folder))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of all."""
        self._file.close()

    def add(self, read: Read) -> None:
        """Keep what was read of the next source. Raises IndexWriteError."""
        first = len(self._entries)
        with written_in(self._folder):
            self._file.seek(0, SEEK_END)
            begin = self._put(read.document)
            self._entries.extend([self._put(reference) for reference in read.references])
            rest = self._put((read.mentions, read.problems, read.sentences))
            self._file.flush()
        entries = range(first, len(self._entries))
        self._drafts.append(_Draft(read.document.id, read.document.source, entries, None, begin, rest))
        self._listed.update(r.id for r in read.references)

    def take_over(self, live: Generation, document_id: str, source: str, stale: Problem | None = None) -> None:
        """The next source is as it is in the live generation; `stale` says why, where it should be otherwise."""
        ids = [_plain(i, document_id) for i in live.reference_ids(document_id)]
        first = len(self._entries)
        self._entries.extend([-1] * len(ids))
        self._drafts.append(_Draft(document_id, source, range(first, len(self._entries)), live, stale=stale))
        self._listed.update(ids)

    @property
    def as_live(self) -> bool:
        """Whether every source is taken over."""
        return all(d.live is not None for d in self._drafts)

    @property
    def sources(self) -> list[tuple[str, str]]:
        """The document's id and its file's name, of each."""
        return [(d.document_id, d.source) for d in self._drafts]

    def __len__(self) -> int:
        return len(self._drafts)

    def __iter__(self) -> Iterator[Read]:
        return map(self._read, self._drafts)

    def documents(self) -> Iterator[Document]:
        """The document of each."""
        return map(self._document, self._drafts)

    def references(self) -> Sequence[Reference]:
        """The entries of all, of which none is held in memory."""
        return _References(len(self._entries), self._reference, self._references)

    def _reference(self, number: int) -> Reference:
        draft = self._drafts[bisect_right(self._drafts, number, key=lambda d: d.entries.stop)]
        if draft.live is not None:
            found = draft.live.reference_at(draft.document_id, number - draft.entries.start)
        else:
            found = self._get(self._entries[number])
        return _entry_renamed(found, self._names(draft, [found]))

    def _references(self) -> Iterator[Reference]:
        for draft in self._drafts:
            found = self._as_listed(draft)
            names = self._names(draft, found)
            yield from (_entry_renamed(reference, names) for reference in found)

    def _read(self, draft: _Draft) -> Read:
        if draft.live is not None:
            own = draft.document_id
            mentions, sentences = tuple(draft.live.mentions(own)), None
            problems = _with_stale(draft.live.problems(own), draft.stale)
        else:
            mentions, problems, sentences = self._get(draft.rest)
        references = self._as_listed(draft)
        read = Read(self._document(draft), references, mentions, problems, sentences)
        return _renamed(read, self._names(draft, references))

    def _document(self, draft: _Draft) -> Document:
        if draft.live is None:
            found: Document = self._get(draft.begin)
            return found
        document = draft.live.document(draft.document_id)
        return replace(document, problems=_with_stale(document.problems, draft.stale))

    def _as_listed(self, draft: _Draft) -> tuple[Reference, ...]:
        """The entries under the ids that they have where they lie."""
        if draft.live is not None:
            return tuple(draft.live.references(draft.document_id))
        return tuple(self._get(self._entries[number]) for number in draft.entries)

    def _names(self, draft: _Draft, references: Sequence[Reference]) -> dict[str, str]:
        """What each id becomes that cannot stay as it is."""
        names = {}
        for reference in references:
            plain = reference.id if draft.live is None else _plain(reference.id, draft.document_id)
            name = f"{draft.document_id}:{plain}" if self._listed[plain] > 1 else plain
            if name != reference.id:
                names[reference.id] = name
        return names

    def _put(self, part: object) -> int:
        begin: int = self._file.tell()
        pickle.dump(part, self._file, pickle.HIGHEST_PROTOCOL)
        return begin

    def _get(self, begin: int) -> Any:  # noqa: ANN401  (whatever was put there)
        self._file.seek(begin)
        return pickle.load(self._file)  # noqa: S301  (put there by this object, in a file that has no name)


class _References(Sequence[Reference]):
    """So many entries, got one by one or gone through in turn."""

    def __init__(self, count: int, one: Callable[[int], Reference], each: Callable[[], Iterator[Reference]]) -> None:
        self._count, self._one, self._each = count, one, each

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Reference]:
        return self._each()

    @overload
    def __getitem__(self, number: int) -> Reference: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Reference]: ...
    def __getitem__(self, number: int | slice) -> Reference | Sequence[Reference]:
        """One entry, or some."""
        if isinstance(number, slice):
            return [self[n] for n in range(*number.indices(self._count))]
        if not 0 <= number < self._count:
            raise IndexError(number)
        return self._one(number)


def _with_stale(problems: Sequence[Problem], stale: Problem | None) -> tuple[Problem, ...]:
    """The problems with the word that is now to be said of the source in place of the one said before."""
    kept = (p for p in problems if p.kind != STALE)
    return (*kept, *([stale] if stale is not None else []))


def _plain(reference_id: str, document_id: str) -> str:
    return reference_id.removeprefix(f"{document_id}:")


def _renamed(read: Read, names: Mapping[str, str]) -> Read:
    """The same with its references under other ids."""
    if not names:
        return read
    return Read(
        read.document,
        tuple(_entry_renamed(r, names) for r in read.references),
        tuple(
            replace(
                m,
                reference_id=names.get(m.reference_id or "", m.reference_id),
                candidates=tuple(names.get(c, c) for c in m.candidates),
                problems=_problems_renamed(m.problems, names),
            )
            for m in read.mentions
        ),
        _problems_renamed(read.problems, names),
        read.sentences,
    )


def _entry_renamed(reference: Reference, names: Mapping[str, str]) -> Reference:
    if not names:
        return reference
    name = names.get(reference.id, reference.id)
    return replace(reference, id=name, problems=_problems_renamed(reference.problems, names))


def _problems_renamed(problems: Sequence[Problem], names: Mapping[str, str]) -> tuple[Problem, ...]:
    return tuple(replace(p, reference_id=names.get(p.reference_id or "", p.reference_id)) for p in problems)
