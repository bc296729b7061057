"""Stored JSON ↔ the words of the house."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from rag.errors import IndexDamagedError
from rag.types import (
    Attachment,
    Byline,
    Chunk,
    Document,
    Mention,
    Page,
    Passage,
    Problem,
    Reference,
    Scores,
    Section,
    Span,
)


def to_json(value: object) -> str:
    """Compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_P = ParamSpec("_P")
_R = TypeVar("_R")


def _believed(read: Callable[_P, _R]) -> Callable[_P, _R]:
    """Say of what cannot be read that the index is damaged: it was whole when it was written."""

    @wraps(read)
    def believed(*given: _P.args, **named: _P.kwargs) -> _R:
        try:
            return read(*given, **named)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise IndexDamagedError(f"store.sqlite holds a {read.__name__} that cannot be read ({error})") from error

    return believed


_CHUNK_FIELDS = tuple(f.name for f in fields(Chunk))


def chunk_body(chunk: Chunk) -> str:
    """The JSON of a chunk; `asdict` copies everything deep, which of a hundred thousand takes half a minute."""
    body = {name: getattr(chunk, name) for name in _CHUNK_FIELDS}
    body["sentences"] = [{"start": s.start, "end": s.end} for s in chunk.sentences]
    return to_json(body)


def _problems(items: Iterable[Mapping[str, Any]]) -> tuple[Problem, ...]:
    return tuple(Problem(**item) for item in items)


@_believed
def document(about: str, text: str) -> Document:
    """A document from what is stored about it and its text."""
    body = json.loads(about)
    body["text"] = text
    body |= {"marks": (), "works": ()}
    body["authors"] = tuple(Byline(**a) for a in body["authors"])
    body["attachments"] = tuple(Attachment(**a) for a in body.get("attachments", ()))
    body["sections"] = tuple(Section(**s) for s in body["sections"])
    body["pages"] = tuple(Page(**p) for p in body["pages"])
    body["problems"] = _problems(body["problems"])
    return Document(**body)


@_believed
def problem(raw: str) -> Problem:
    """What the audit found from its stored JSON."""
    return Problem(**json.loads(raw))


@_believed
def reference(raw: str) -> Reference:
    """A bibliography entry from its stored JSON."""
    body = json.loads(raw)
    body["problems"] = _problems(body["problems"])
    return Reference(**body)


@_believed
def mention(raw: str) -> Mention:
    """An in-text citation from its stored JSON."""
    body = json.loads(raw)
    body["candidates"] = tuple(body["candidates"])
    body["problems"] = _problems(body["problems"])
    return Mention(**body)


@_believed
def chunk(raw: str) -> Chunk:
    """A chunk from its stored JSON."""
    body = json.loads(raw)
    body["sentences"] = tuple(Span(**s) for s in body["sentences"])
    body["reference_ids"] = tuple(body["reference_ids"])
    return Chunk(**body)


@_believed
def passage(raw: str, scores: Scores) -> Passage:
    """A chunk's stored JSON as a passage."""
    body = json.loads(raw)
    del body["tokens"]
    body["sentences"] = tuple(Span(**s) for s in body["sentences"])
    body["reference_ids"] = tuple(body["reference_ids"])
    return Passage(scores=scores, **body)
