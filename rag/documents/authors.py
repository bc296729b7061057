"""Who wrote a document, and where it says so: bylines and notes about the author. Editors are no authors."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.documents.dates import parse_date
from rag.documents.lexicon import alternatives
from rag.documents.names import kind_of_title
from rag.documents.people import PROFESSION, bare_names, clean_name, names_in_byline
from rag.types import Byline, Span

_WORD = r"[^\W\d_][\w’'.\-]*"
_NAME = rf"(?:(?:Dr|Prof|Professor|Mr|Ms|Mrs)\.?\s+)*(?P<name>{_WORD}(?:\s+{_WORD}){{0,5}}?)"
_IS = alternatives("is")
_NOTE = re.compile(rf"^{_NAME}(?:,\s[^.]{{2,80}},|\s*\([^)]*\))?,?\s+{_IS}\b")
_NOTE_DASHED = re.compile(rf"^{_NAME}(?:\s*[:：–—|]\s+\S|,\s+(?:who|which|a|an|the)\s)")
_NOTE_CJK = re.compile(
    r"^(?:作者(?:简介|簡介)?\s*[:：]\s*)?(?P<name>[\u4e00-\u9fff\uac00-\ud7af\u3040-\u30ff·・]{2,12}?)\s*(?:[,，、:：(（]|是|系|は|은|는)"
)
_NOT_A_NAME = frozenset(
    "he she they it this the these that there we our i a an his her their in at what which who".split()  # noqa: SIM905
)


def bylines(
    text: str, known: Sequence[str], told: Sequence[str], lines: Sequence[Span], notes: Sequence[Span]
) -> tuple[Byline, ...]:
    """The authors, best source first: what the caller knows, what the format tells, bylines, notes about the author.

    Every name carries the span where the text has it, none when the text does not.
    """
    if known or told:
        return tuple(_placed(text, name, [*lines, *notes]) for name in dict.fromkeys(known or told))
    found: dict[str, Byline] = {}
    for span in lines:
        line = span.of(text)
        for name in names_in_byline(line) or ([] if parse_date(line) else bare_names(line)):
            found.setdefault(name, _placed(text, name, [span]))
    if found:
        return tuple(found.values())
    for note in notes:
        for start, paragraph in _paragraphs(text, note):
            author = author_in_note(paragraph)
            if author:
                at = start + paragraph.find(author)
                found.setdefault(author, Byline(author, at, at + len(author)))
    return tuple(found.values())


def author_in_note(paragraph: str, *, strict: bool = False) -> str | None:
    """The name that opens a note about an author ("Ana Sousa is a lecturer …"), None without one.

    `strict` also asks for at least two words and a profession: for notes that no heading announces.
    """
    head = paragraph.lstrip("*_ ")[:400]
    label, colon, rest = head.partition(":")
    announced = bool(colon) and kind_of_title(label) == "author-note"
    if announced:  # "About the author: Ana Sousa is …"
        head, strict = rest.lstrip(), False
    found = _NOTE.match(head) or _NOTE_CJK.match(head) or (None if strict else _NOTE_DASHED.match(head))
    if not found:
        return None
    name = clean_name(found["name"])
    if not name or name.split()[0].casefold() in _NOT_A_NAME or name not in paragraph:
        return None
    if strict and (len(name.split()) < 2 or len(paragraph) > 900 or not PROFESSION.search(head[: found.end() + 90])):
        return None
    return name


def _placed(text: str, name: str, hints: Sequence[Span]) -> Byline:
    for span in hints:
        at = text.find(name, span.start, span.end)
        if at >= 0:
            return Byline(name, at, at + len(name))
    at = text.find(name)
    return Byline(name, at, at + len(name)) if at >= 0 else Byline(name)


def _paragraphs(text: str, span: Span) -> list[tuple[int, str]]:
    found = re.finditer(r"\S(?:.|\n(?!\n))*", text[span.start : span.end])
    return [(span.start + m.start(), m[0]) for m in found]
