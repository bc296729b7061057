"""Values ↔ JSON, for the pipe between a process at work on foreign text and its parent, which believes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import pairwise
from typing import Any, get_args

from rag.errors import DocumentError
from rag.types import (
    Byline,
    Document,
    Mark,
    MarkKind,
    Mention,
    MentionKind,
    Page,
    Problem,
    Reference,
    Resolution,
    Section,
    SectionKind,
    Severity,
    Span,
    Work,
    WorkForm,
)


@contextmanager
def believed(name: str) -> Iterator[None]:
    """Say of an answer about the file `name` that does not hold that it makes no sense. Raises DocumentError."""
    try:
        yield
    except (ValueError, KeyError, TypeError) as error:
        said = f"{name}: the answer of the process at work on it makes no sense ({error}); please report the file."
        raise DocumentError(said) from error


def plain(values: Sequence[Reference | Mention | Problem]) -> list[dict[str, Any]]:
    """References, mentions or problems as plain JSON values."""
    return [asdict(value) for value in values]


def of_document(document: Document) -> dict[str, Any]:
    """The document as plain JSON values."""
    return asdict(document)


def document(said: Mapping[str, Any]) -> Document:
    """The document that `of_document` wrote. Raises ValueError for anything else, spans outside the text included."""
    whole = text(said.get("text"))
    sections = []
    for item in items(said.get("sections")):
        start, body_start, end = _span(item, len(whole), "start", "body_start", "end")
        kind: SectionKind = _one_of(item.get("kind"), SectionKind)
        sections.append(Section(text(item.get("title")), _number(item.get("level")), kind, start, body_start, end))
    return Document(
        id=text(said.get("id")),
        text=whole,
        title=_maybe(said.get("title")),
        authors=tuple(Byline(text(a.get("name")), *_optional_span(a, len(whole))) for a in items(said.get("authors"))),
        date=_maybe(said.get("date")),
        language=_maybe(said.get("language")),
        address=_maybe(said.get("address")),
        source=text(said.get("source")),
        media_type=text(said.get("media_type")),
        sha256=text(said.get("sha256")),
        reader=text(said.get("reader")),
        sections=tuple(sections),
        pages=tuple(
            Page(_number(p.get("number")), *_span(p, len(whole), "start", "end")) for p in items(said.get("pages"))
        ),
        marks=tuple(_marks(said.get("marks"), len(whole))),
        works=tuple(
            Work(text(w.get("key")), _one_of(w.get("form"), WorkForm), text(w.get("data")))
            for w in items(said.get("works"))
        ),
        problems=problems(said.get("problems"), whole),
    )


def _marks(said: object, length: int) -> Iterator[Mark]:
    for item in items(said):
        kind: MarkKind = _one_of(item.get("kind"), MarkKind)
        start, end = _span(item, length, "start", "end")
        yield Mark(start, end, kind, text(item.get("target")))


def references(said: object, whole: str | None) -> tuple[Reference, ...]:
    """References of one list, each id once; those with a place are the text at their place. Raises ValueError."""
    found = []
    for item in items(said):
        raw, csl = text(item.get("raw")), item.get("csl")
        start, end = _optional_span(item, len(whole or ""))
        if not isinstance(csl, dict):
            raise ValueError(f"an entry that is no object: {str(csl)[:80]!r}")  # noqa: TRY004
        if start is not None and raw != (whole or "")[start:end]:
            raise ValueError(f"an entry that is not the text at its place: {raw[:80]!r}")
        own = problems(item.get("problems"), whole)
        found.append(Reference(text(item.get("id")), csl, raw, start, end, _maybe(item.get("label")), problems=own))
    if len({r.id for r in found}) < len(found):
        raise ValueError("two entries of one id")
    return tuple(found)


def mentions(said: object, whole: str, listed: Sequence[Reference]) -> tuple[Mention, ...]:
    """The mentions of a text, which lead only to what is listed. Raises ValueError."""
    known = {r.id for r in listed}
    found = []
    for item in items(said):
        start, end = _span(item, len(whole), "start", "end")
        scope_start, scope_end = _span(item, len(whole), "scope_start", "scope_end")
        reference_id = _maybe(item.get("reference_id"))
        candidates = item.get("candidates")
        if not isinstance(candidates, list) or not {*candidates, *([reference_id] if reference_id else [])} <= known:
            raise ValueError(f"a citation of what is not listed: {reference_id!r}, {str(candidates)[:80]}")
        kind: MentionKind = _one_of(item.get("kind"), MentionKind)
        resolution: Resolution = _one_of(item.get("resolution"), Resolution)
        own = problems(item.get("problems"), whole)
        found.append(
            Mention(start, end, kind, reference_id, resolution, scope_start, scope_end, tuple(candidates), own)
        )
    return tuple(found)


def problems(said: object, whole: str | None) -> tuple[Problem, ...]:
    """Problems, whose places are within the text; where there is none they have none. Raises ValueError."""
    return tuple(
        Problem(
            text(item.get("kind")),
            text(item.get("message")),
            _one_of(item.get("severity"), Severity),
            *_optional_span(item, len(whole or "")),
            _maybe(item.get("reference_id")),
            _maybe(item.get("document_id")),
        )
        for item in items(said)
    )


def spans(said: object, within: Span) -> tuple[Span, ...]:
    """Spans, each behind the one before, from their offsets in one row. Raises ValueError."""
    if not isinstance(said, list):
        raise ValueError(f"not a list of offsets: {str(said)[:80]!r}")  # noqa: TRY004
    offsets = [_number(offset) for offset in said]
    ordered = [within.start, *offsets, within.end]
    if len(offsets) % 2 or any(a > b for a, b in pairwise(ordered)):
        raise ValueError(f"spans outside {within.start} to {within.end}, or out of order")
    return tuple(Span(a, b) for a, b in zip(offsets[::2], offsets[1::2], strict=True))


def text(value: object) -> str:
    """A text. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError(f"not a text: {str(value)[:80]!r}")  # noqa: TRY004  (one kind of error for all bad input)
    return value


def items(value: object) -> list[Mapping[str, Any]]:
    """A list of objects. Raises ValueError."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError(f"not a list of objects: {str(value)[:80]!r}")
    return value


def _one_of(value: object, literal: Any) -> Any:  # noqa: ANN401  (a Literal, and one of its values)
    if value not in get_args(literal):
        raise ValueError(f"of unknown kind or severity: {value!r}")
    return value


def _maybe(value: object) -> str | None:
    return None if value is None else text(value)


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"not a number: {str(value)[:80]!r}")  # noqa: TRY004
    return value


def _span(item: Mapping[str, Any], length: int, *keys: str) -> list[int]:
    numbers = [_number(item.get(key)) for key in keys]
    if numbers != sorted(numbers) or not numbers[0] >= 0 or numbers[-1] > length:
        raise ValueError(f"a span outside the text: {numbers}")
    return numbers


def _optional_span(item: Mapping[str, Any], length: int) -> tuple[int | None, int | None]:
    if item.get("start") is None or item.get("end") is None:
        return None, None
    start, end = _span(item, length, "start", "end")
    return start, end
