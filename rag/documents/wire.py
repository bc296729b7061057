"""Document ↔ JSON, for the pipe between a reading process and its parent. The parent trusts nothing it gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, get_args

from rag.types import Byline, Document, Page, Problem, Section, SectionKind, Severity


def to_json(document: Document) -> dict[str, Any]:
    """The document as plain JSON values."""
    return asdict(document)


def from_json(said: Mapping[str, Any]) -> Document:
    """The document that `to_json` wrote. Raises ValueError for anything else, spans outside the text included."""
    text = _text(said.get("text"))

    def span(value: Mapping[str, Any], *keys: str) -> list[int]:
        numbers = [value.get(k) for k in keys]
        good = all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n <= len(text) for n in numbers)
        if not good or numbers != sorted(numbers):  # type: ignore[type-var]
            raise ValueError(f"a span outside the text: {numbers}")
        return [int(n) for n in numbers if n is not None]

    def optional_span(value: Mapping[str, Any]) -> tuple[int | None, int | None]:
        if value.get("start") is None or value.get("end") is None:
            return None, None
        start, end = span(value, "start", "end")
        return start, end

    sections = []
    for item in _items(said.get("sections")):
        start, body_start, end = span(item, "start", "body_start", "end")
        if item.get("kind") not in get_args(SectionKind):
            raise ValueError(f"a section of unknown kind: {item.get('kind')!r}")
        title, level = _text(item.get("title")), _number(item.get("level"))
        sections.append(Section(title, level, item["kind"], start, body_start, end))
    problems = []
    for item in _items(said.get("problems")):
        if item.get("severity") not in get_args(Severity):
            raise ValueError(f"a problem of unknown severity: {item.get('severity')!r}")
        kind, message = _text(item.get("kind")), _text(item.get("message"))
        problems.append(Problem(kind, message, item["severity"], *optional_span(item)))
    return Document(
        id=_text(said.get("id")),
        text=text,
        title=_maybe(said.get("title")),
        authors=tuple(Byline(_text(a.get("name")), *optional_span(a)) for a in _items(said.get("authors"))),
        date=_maybe(said.get("date")),
        language=_maybe(said.get("language")),
        address=_maybe(said.get("address")),
        source=_text(said.get("source")),
        media_type=_text(said.get("media_type")),
        sha256=_text(said.get("sha256")),
        reader=_text(said.get("reader")),
        sections=tuple(sections),
        pages=tuple(Page(_number(p.get("number")), *span(p, "start", "end")) for p in _items(said.get("pages"))),
        problems=tuple(problems),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"not a text: {str(value)[:80]!r}")  # noqa: TRY004  (one kind of error for all bad input)
    return value


def _maybe(value: object) -> str | None:
    return None if value is None else _text(value)


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"not a number: {str(value)[:80]!r}")  # noqa: TRY004
    return value


def _items(value: object) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError(f"not a list of objects: {str(value)[:80]!r}")
    return value
