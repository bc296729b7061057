"""Document → what is found in it: its entries, its citations and what is wrong with them, its sentences.

All of this is work on text that somebody else wrote, so it is done in a process that can be stopped
(`analyse_isolated`). Knows no file and no index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import Any

from rag import bibliography, bounded, chunks, citations, wire
from rag.bibliography import noted, works
from rag.types import Document, Mention, Problem, Reference, Span

Listed = tuple[Sequence[Reference], Sequence[Problem]]
"""The entries of a list that is a file of its own, and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is found in a document."""

    references: tuple[Reference, ...]
    mentions: tuple[Mention, ...]
    problems: tuple[Problem, ...]
    sentences: tuple[tuple[Span, ...], ...]
    """As `chunks.sentences` gives them."""


def analyse(document: Document, listed: Iterable[Listed] = ()) -> Analysis:
    """Read the document's own list, else take the entries that are `listed`, else those that its notes cite in full.

    Link, audit and cut into sentences.
    """
    lists = tuple(listed)
    found = _analysed(document, None, alone=not lists)
    return found if found.references or not lists else _analysed(document, _joined(lists))


def analyse_isolated(
    document: Document,
    listed: Iterable[Listed] = (),
    *,
    seconds: float = bounded.SECONDS,
    worker: bounded.Worker | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Analysis:
    """What `analyse` gives, found in a child process (`worker`, else one that is kept for the next call).

    Raises TransientError when a limit or a signal ended the work, DocumentError where it failed, CancelledError.
    """
    lists = tuple(listed)

    def found(given: Listed | None) -> Analysis:
        asked = {
            "document": wire.of_document(document),
            "alone": not lists,
            "given": given and {"references": wire.plain(given[0]), "problems": wire.plain(given[1])},
        }
        name = document.source or document.id
        said = (worker or bounded.shared()).run("analyse", asked, name=name, seconds=seconds, cancelled=cancelled)
        with wire.believed(name):
            return _believed(document, given, said)

    if lists and not document.bibliography() and not document.works:
        return found(_joined(lists))
    own = found(None)
    return own if own.references or not lists else found(_joined(lists))


def do_analyse(asked: Mapping[str, Any], data: bytes) -> dict[str, Any]:  # noqa: ARG001  (as every task)
    """Analyse a document: a task of `rag.bounded`."""
    given = asked["given"]
    if given is not None:
        given = wire.references(given["references"], None), wire.problems(given["problems"], None)
    found = _analysed(wire.document(asked["document"]), given, alone=bool(asked["alone"]))
    return {
        "references": wire.plain(found.references) if given is None else None,
        "mentions": wire.plain(found.mentions),
        "problems": wire.plain(found.problems),
        "sentences": [[offset for s in stretch for offset in (s.start, s.end)] for stretch in found.sentences],
    }


def _analysed(document: Document, given: Listed | None, *, alone: bool = False) -> Analysis:
    """What is found with the entries that are given, else with its own; `alone`, where there are no others."""
    references: list[Reference] = []
    problems: list[Problem] = []
    if given is None:
        for span in document.bibliography():
            entries, wrong = bibliography.parse(span.of(document.text), offset=span.start, language=document.language)
            references.extend(entries)
            problems.extend(wrong)
        references = _distinct_ids(
            works.keyed(references, document.works)
            or works.references(document.works)
            or (noted.entries(document.text, _notes(document)) if alone else ())
        )
    else:
        references.extend(given[0])
        problems.extend(given[1])
    references = [replace(r, document_id=document.id) for r in references]
    mentions, unresolved = citations.link(document, references)
    audited = citations.audit(document, references, mentions)
    return Analysis(
        tuple(references),
        mentions,
        _of(document, [*document.problems, *problems, *unresolved, *audited]),
        tuple(tuple(stretch) for stretch in chunks.sentences(document, references)),
    )


def _notes(document: Document) -> list[Span]:
    return [Span(note.start, note.end) for note in citations.notes_of(document)]


def _believed(document: Document, given: Listed | None, said: Mapping[str, Any]) -> Analysis:
    """The child's answer, checked. Raises ValueError, KeyError, TypeError."""
    text = document.text
    found = given[0] if given is not None else wire.references(said["references"], text)
    references = tuple(replace(r, document_id=document.id) for r in found)
    stretches = list(chunks.regions(document, references))
    sentences = said["sentences"]
    if len(sentences) != len(stretches):
        raise ValueError(f"{len(sentences)} stretches of text where there are {len(stretches)}")
    return Analysis(
        references,
        wire.mentions(said["mentions"], text, references),
        _of(document, wire.problems(said["problems"], text)),
        tuple(wire.spans(own, within) for own, (_, within) in zip(sentences, stretches, strict=True)),
    )


def _of(document: Document, problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(replace(p, document_id=document.id) for p in dict.fromkeys(problems))


def _joined(lists: Iterable[Listed]) -> Listed:
    references: list[Reference] = []
    problems: list[Problem] = []
    for entries, wrong in lists:
        references.extend(entries)
        problems.extend(wrong)
    return _distinct_ids(references), problems


def _distinct_ids(references: Sequence[Reference]) -> list[Reference]:
    taken: set[str] = set()
    found = []
    for reference in references:
        candidates = chain((reference.id,), (f"{reference.id}-{n}" for n in count(2)))
        name = next(c for c in candidates if c not in taken)
        taken.add(name)
        found.append(replace(reference, id=name))
    return found
