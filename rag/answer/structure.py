"""The parts of a text that a reader would quote whole: lists with their lead-in, tables by row, short sections.

All is told from the stored text, in which an item or a row is a line. Knows no question and no index.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.sentences import split
from rag.types import Document, Section, Span

_ITEM = re.compile(r"[ \t]{0,12}(?:[-*•–‣◦▪●]|\(?[0-9]{1,3}[.)]|\(?[a-zA-Z][.)]|\(?[ivx]{1,5}[.)])[ \t]+\S")
_LABELLED = re.compile(r"\W{0,3}[^\s.:][^.:\n]{0,60}: \S")
BAR = " | "
_COUNT = (
    "two|three|four|five|six|seven|eight|nine|ten|several|some|many|various|following|number|dos|tres|cuatro|cinco|zwei|drei|"
    "vier|fünf|deux|trois|quatre|cinq|três|quatro|folgende|suivants|siguientes"
)
_ANNOUNCES = re.compile(
    rf"\b(?:{_COUNT})\b[^.:]{{0,60}}\b[\w-]+(?:s|en|er)\b|\b(?:following|as follows)\b", re.IGNORECASE
)
_MOST_ITEMS = 15


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its rows in order, the first of them the headings, each with the span of its line."""

    rows: tuple[tuple[str, ...], ...]
    lines: tuple[Span, ...]
    caption: Span | None

    @property
    def header(self) -> tuple[str, ...]:
        """The headings of its columns."""
        return self.rows[0]


def lines_of(text: str, start: int, end: int) -> list[Span]:
    """The lines of a stretch that are not blank, without the white space around them."""
    found = []
    position = start
    while position < end:
        stop = text.find("\n", position, end)
        stop = end if stop < 0 else stop
        line = text[position:stop]
        if stripped := line.strip():
            begin = position + len(line) - len(line.lstrip())
            found.append(Span(begin, begin + len(stripped)))
        position = stop + 1
    return found


def items_after(document: Document, lead: Span, end: int) -> list[Span]:
    """The items of the list that stands right behind a lead-in; none where there is no list."""
    found: list[Span] = []
    lines = lines_of(document.text, lead.end, min(end, lead.end + 6000))
    for line in lines:
        if not _ITEM.match(document.text, line.start, line.end):
            break
        found.append(line)
    if not found and lead.of(document.text).rstrip().endswith((":", "：")):
        # Items without a mark: paragraphs that begin with a label of their own.
        for line in lines:
            if not _LABELLED.match(document.text, line.start, line.end):
                break
            found.append(line)
    return found[:_MOST_ITEMS]


def list_around(
    document: Document, span: Span, section_end: int, section_start: int = 0
) -> tuple[Span | None, list[Span]]:
    """The list that `span` announces or is an item of: its lead-in, if it has one, and its items."""
    items = items_after(document, span, section_end)
    if len(items) > 1:
        return span, items
    line_start = document.text.rfind("\n", 0, span.start) + 1
    if not _ITEM.match(document.text, line_start):
        return None, []
    lines = lines_of(document.text, section_start, section_end)
    at = next((i for i, line in enumerate(lines) if line.start <= span.start < line.end), -1)
    if at < 0:
        return None, []
    first = last = at
    while first and _ITEM.match(document.text, lines[first - 1].start, lines[first - 1].end):
        first -= 1
    while last + 1 < len(lines) and _ITEM.match(document.text, lines[last + 1].start, lines[last + 1].end):
        last += 1
    if last == first:
        return None, []
    lead = lines[first - 1] if first else None
    return lead, lines[first : last + 1][:_MOST_ITEMS]


def announces(sentence: str) -> bool:
    """Whether a sentence only announces what follows: "Several obstacles slowed it.", "The partners are:"."""
    return sentence.rstrip().endswith((":", "：")) or (
        len(sentence.split()) <= 14 and bool(_ANNOUNCES.search(sentence))
    )


def tables(document: Document, start: int, end: int) -> list[Table]:
    """The tables of a stretch of a document."""
    found: list[Table] = []
    block: list[Span] = []
    before: Span | None = None
    for line in [*lines_of(document.text, start, end), Span(end, end)]:
        if BAR in line.of(document.text):
            block.append(line)
            continue
        if len(block) > 2:
            rows = tuple(tuple(c.strip() for c in s.of(document.text).split("|")) for s in block)
            found.append(Table(rows, tuple(block), before))
        block = []
        before = line
    return found


def short_body(document: Document, section: Section, most_words: int) -> list[Span]:
    """The sentences and items of a section, where they are few enough to be quoted whole; else none."""
    body = document.text[section.body_start : section.end]
    if not body.strip() or len(body.split()) > most_words:
        return []
    found: list[Span] = []
    prose: list[tuple[int, int]] = []
    for line in lines_of(document.text, section.body_start, section.end):
        if _ITEM.match(document.text, line.start, line.end):
            found.append(line)
        elif BAR not in line.of(document.text):
            prose.append((line.start, line.end))
    for start, end in _joined(prose, found):
        found.extend(split(document.text, start, end, document.language))
    return sorted(found, key=lambda s: s.start)


def is_item(document: Document, span: Span) -> bool:
    """Whether a span is a line that begins as the item of a list."""
    return bool(_ITEM.match(document.text, span.start, span.end)) and (
        span.start == 0 or "\n" in document.text[max(0, span.start - 14) : span.start]
    )


def _joined(lines: Sequence[tuple[int, int]], items: Sequence[Span]) -> list[tuple[int, int]]:
    """Lines of prose that no item parts, together: a sentence may run over several."""
    found: list[tuple[int, int]] = []
    for start, end in lines:
        if found and not any(found[-1][1] <= i.start < start for i in items):
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found
