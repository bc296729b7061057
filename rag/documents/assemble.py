"""Blocks → Document: lays out the text, cuts it into sections, finds authors, date and language.

The stored text is the blocks in order, parted by one blank line. What the caller knows wins over what the text says.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rag.documents.authors import author_in_note, bylines
from rag.documents.blocks import Block, Draft
from rag.documents.clean import clean, one_line
from rag.documents.dates import parse_date
from rag.documents.entries import looks_like_entry, share_of_entries
from rag.documents.language import language_of, normal_tag
from rag.documents.marks import Marks, without_marks
from rag.documents.names import kind_of_title, names_bibliography, names_notes, perhaps_bibliography
from rag.documents.people import SEPARATOR, bare_names
from rag.types import Document, Mark, Page, Section, SectionKind, Span

_GAP = "\n\n"
_Part = tuple[int, int, str, int, SectionKind]
"""First block, first block of the body, title, level, kind of a section to be."""
_FEWEST_ENTRIES = 3
_FRONT_LINES = 8
_LONGEST_FRONT_LINE = 200
_GLUED = re.compile(r"(?<=[.!?)”\"])\s+([^\W\d_a-z][^\W\d_]{4,20}(?:\s[^\W\d_]{2,12}){0,2})\Z")
_DATED = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")
_INNER_BLANK = re.compile(r"\n\s*\n\s*")


def assemble(
    draft: Draft, *, document_id: str, source: str, sha256: str, known: Mapping[str, Any] | None = None
) -> Document:
    """Lay out `draft` as a Document. Offsets of sections, pages and bylines are into its text."""
    known = known or {}
    blocks = _parted(_usable(draft.blocks, draft.marks))
    title = _known_text(known, "title") or one_line(clean(without_marks(draft.title or ""))) or None
    _mark_title(blocks, title)
    _mark_name_below_title(blocks)
    text, spans = _layout(blocks)
    sections = _sections(blocks, spans, text, title)
    title = title or next((one_line(b.text) for b in blocks if b.role == "title"), None)
    notes = [Span(s.body_start, s.end) for s in sections if s.kind == "author-note"]
    body = " ".join(text[s.body_start : s.end] for s in sections if s.kind in {"body", "front"}) or text
    authors = bylines(
        text, _known_authors(known), [n for n in map(_named, draft.authors) if n], _said_by(blocks, spans), notes
    )
    return Document(
        id=document_id,
        text=text,
        title=title,
        authors=authors,
        date=_known_date(known) or draft.date or _date_in(blocks),
        language=normal_tag(_known_text(known, "language")) or normal_tag(draft.language) or language_of(body),
        address=_known_text(known, "address") or draft.address,
        source=source,
        media_type=draft.media_type,
        sha256=sha256,
        reader=draft.reader,
        sections=tuple(sections),
        pages=_pages(blocks, spans, len(text), draft.page_count),
        marks=tuple(
            Mark(span.start + start, span.start + end, kind, target)
            for block, span in zip(blocks, spans, strict=True)
            for start, end, kind, target in block.marks
        ),
        works=tuple(draft.works.values()),
        problems=tuple(draft.problems),
    )


def _usable(blocks: Sequence[Block], marks: Marks) -> list[Block]:
    """Copies with clean text, without empty ones; a blank line inside a block parts it in two."""
    out: list[Block] = []
    for block in blocks:
        page = block.page
        pieces = block.text.split("\f") if page is not None else [block.text]
        parts = _INNER_BLANK.split(clean(block.text).strip()) if len(pieces) == 1 else [""]
        for part in parts:
            single = block.role in {"title", "heading", "byline"}
            text, turns = _turned(pieces, single=single) if len(pieces) > 1 else (part.strip(), ())
            text, marked = (without_marks(text), ()) if single or turns else marks.taken_out(text)
            if text:
                text = one_line(text) if single else text
                out.append(Block(text, block.role, block.level, page, block.kind, block.opens, turns, marked))
    return out


def _parted(blocks: list[Block]) -> list[Block]:
    """Give a list's heading that ran into the paragraph before it, as in PDFs, a block of its own."""
    out: list[Block] = []
    for i, block in enumerate(blocks):
        glued = _GLUED.search(block.text) if block.role == "paragraph" and block.page is not None else None
        following = blocks[i + 1].text if i + 1 < len(blocks) else ""
        if glued and names_bibliography(glued[1]) and _DATED.search(following[:400]):
            out += [replace(block, text=block.text[: glued.start()]), Block(glued[1], "heading", page=block.page)]
        else:
            out.append(block)
    return out


def _turned(pieces: Sequence[str], *, single: bool) -> tuple[str, tuple[int, ...]]:
    """The pieces of a block that runs over pages, joined, and where each page after the first begins."""
    text, turns = "", []
    for i, piece in enumerate(pieces):
        cleaned = re.sub(r"\n\s*\n", "\n", clean(piece).strip())
        cleaned = one_line(cleaned) if single else cleaned
        if i:
            text += " " if text and cleaned else ""
            turns.append(len(text))
        text += cleaned
    return text, tuple(turns)


def _mark_title(blocks: list[Block], title: str | None) -> None:
    """Make the block that is the title the only one with that role."""
    marked = [b for b in blocks if b.role == "title"]
    if title and not any(_same(b.text, title) for b in marked):
        stands = next((b for b in blocks[:12] if b.role in {"heading", "paragraph"} and _same(b.text, title)), None)
        if stands:
            for block in marked:
                block.role = "heading"
            stands.role, stands.level = "title", 1
            return
    for extra in marked[1:]:
        extra.role = "heading"


def _mark_name_below_title(blocks: list[Block]) -> None:
    """A name under the title looks like a heading; a note about that person at the end tells it from one."""
    at = next((i for i, b in enumerate(blocks) if b.role == "title"), None)
    if at is None or at + 1 >= len(blocks) or blocks[at + 1].role != "heading":
        return
    names = bare_names(blocks[at + 1].text)
    if names and any(author_in_note(b.text) in names for b in blocks[at + 2 :] if b.text.startswith(tuple(names))):
        blocks[at + 1].role = "byline"


def _same(a: str, b: str) -> bool:
    return _letters(a) == _letters(b)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _layout(blocks: Sequence[Block]) -> tuple[str, list[Span]]:
    spans: list[Span] = []
    position = 0
    for block in blocks:
        spans.append(Span(position, position + len(block.text)))
        position += len(block.text) + len(_GAP)
    return _GAP.join(b.text for b in blocks), spans


def _sections(blocks: list[Block], spans: list[Span], text: str, title: str | None) -> list[Section]:
    """Sections in order; each ends where the next begins, the first starts at 0, the last ends with the text."""
    opens = [i for i, b in enumerate(blocks) if b.opens or b.role in {"title", "heading"}]
    if not blocks:
        return []
    starts = sorted({0, *opens})
    raw: list[_Part] = []
    bounds = [*starts[1:], len(blocks)]
    inherited: tuple[int, SectionKind] | None = None
    for first, after in zip(starts, bounds, strict=True):
        block = blocks[first]
        has_heading = block.role in {"title", "heading"}
        inner = blocks[first + has_heading : after]
        level = block.level if has_heading else 1
        if block.role == "title" or not has_heading:
            raw.extend(_top(blocks, first, after, title if not has_heading else block.text))
            inherited = None
            continue
        kind = block.kind or _kind(block.text, inner)
        if kind:
            inherited = (level, kind)
        elif inherited and (level > inherited[0] or (inherited[1] == "bibliography" and _entries_only(inner))):
            kind = inherited[1]
        else:
            inherited = None
        raw.append((first, first + 1, block.text, level, kind or "body"))
    raw = _with_unheaded(_settled(raw), blocks)
    return _placed(raw, spans, len(text))


def _settled(raw: list[_Part]) -> list[_Part]:
    """Notes full of references are the reference list only where the document has no other."""
    lists = [part[2] for part in raw if part[4] == "bibliography"]
    if all(names_notes(title) for title in lists):
        return raw
    return [
        (*part[:4], "notes")
        if part[4] == "bibliography" and names_notes(part[2]) and not names_bibliography(part[2])
        else part
        for part in raw
    ]


def _kind(heading: str, inner: Sequence[Block]) -> SectionKind | None:
    paragraphs = [line for b in inner for line in (b.text.split("\n") if b.role == "list" else [b.text])]
    if names_bibliography(heading):
        return "bibliography"
    if perhaps_bibliography(heading) and share_of_entries(paragraphs) >= 0.5:
        return "bibliography"
    kind = kind_of_title(heading)
    if kind == "front" and any(len(p) > 400 for p in paragraphs):
        return None
    return kind


def _entries_only(inner: Sequence[Block]) -> bool:
    return share_of_entries([b.text for b in inner]) >= 0.6


def _top(blocks: list[Block], first: int, after: int, title: str | None) -> list[_Part]:
    """The part under the title: front matter as far as bylines go, then the text before the first heading."""
    headed = blocks[first].role == "title"
    begin = first + headed
    bylines_end = begin
    for i in range(begin, min(after, begin + _FRONT_LINES)):
        if blocks[i].role == "byline":
            bylines_end = i + 1
        elif len(blocks[i].text) > _LONGEST_FRONT_LINE:
            break
    prose = any(
        len(b.text) > 60 or b.text.endswith((".", "。", "!", "?")) or b.role in {"list", "table"}
        for b in blocks[bylines_end:after]
    )
    name = title or ""
    if bylines_end == begin or not prose:
        return [(first, begin, name, 1, "body" if prose else "front")]
    return [(first, begin, name, 1, "front"), (bylines_end, bylines_end, name, 1, "body")]


def _with_unheaded(raw: list[_Part], blocks: list[Block]) -> list[_Part]:
    """Cut off a reference list and a note about the author that stand at the end without a heading."""
    if not raw:
        return raw
    out = list(raw)
    if not any(kind == "bibliography" for *_, kind in out):
        start = _tail_of_entries(blocks)
        if start is not None and start > out[-1][1]:
            out.append((start, start, "", 2, "bibliography"))
    if not any(kind == "author-note" for *_, kind in out):
        for n in reversed([n for n, part in enumerate(out) if part[4] == "body"]):
            end = out[n + 1][0] if n + 1 < len(out) else len(blocks)
            last = n + 1 == len(out) or out[n + 1][4] != "body"
            at = next(
                (i for i in range(max(out[n][1] + 1, end - 2), end) if author_in_note(blocks[i].text, strict=True)),
                None,
            )
            if last and at is not None:
                out.insert(n + 1, (at, at, "", 2, "author-note"))
                break
    return out


def _tail_of_entries(blocks: list[Block]) -> int | None:
    start, misses, found = None, 0, 0
    for i in range(len(blocks) - 1, -1, -1):
        if blocks[i].role in {"heading", "title"}:
            break
        if looks_like_entry(blocks[i].text):
            start, found, misses = i, found + 1, 0
        else:
            misses += 1
            if misses > 1 or len(blocks[i].text) > 400:
                break
    return start if found >= _FEWEST_ENTRIES else None


def _placed(raw: list[_Part], spans: list[Span], length: int) -> list[Section]:
    sections: list[Section] = []
    for n, (first, body, title, level, kind) in enumerate(raw):
        end = spans[raw[n + 1][0]].start if n + 1 < len(raw) else length
        body_start = min(spans[body].start if body < len(spans) else length, end)
        start = 0 if n == 0 else spans[first].start
        sections.append(Section(title, level, kind, start, body_start, end))
    return sections


def _pages(blocks: list[Block], spans: list[Span], length: int, count: int) -> tuple[Page, ...]:
    """Pages as stretches of text without gaps; a page without text is empty and stands where it would."""
    if not count:
        return ()
    starts: dict[int, int] = {}
    for block, span in zip(blocks, spans, strict=True):
        if block.page is not None:
            starts.setdefault(block.page, span.start)
            for number, offset in enumerate(block.turns, start=block.page + 1):
                starts.setdefault(number, span.start + offset)
    pages: list[Page] = []
    end = length
    for number in range(count, 0, -1):
        start = min(starts.get(number, end), end) if number > 1 else 0
        pages.append(Page(number, start, end))
        end = start
    return tuple(reversed(pages))


def _said_by(blocks: Sequence[Block], spans: Sequence[Span]) -> list[Span]:
    return [span for block, span in zip(blocks, spans, strict=True) if block.role == "byline"]


def _date_in(blocks: Sequence[Block]) -> str | None:
    for block in blocks:
        if block.role == "byline":
            for part in [block.text, *SEPARATOR.split(block.text)]:
                date = parse_date(part)
                if date:
                    return date
    return None


def _known_text(known: Mapping[str, Any], key: str) -> str | None:
    value = known.get(key)
    return clean(value).strip() or None if isinstance(value, str) else None


def _known_date(known: Mapping[str, Any]) -> str | None:
    value = known.get("date")
    if isinstance(value, dt.date):  # TOML has dates of its own; a datetime is one too
        return value.isoformat()[:10]
    if isinstance(value, int):
        return str(value)
    return (parse_date(value) or value.strip() or None) if isinstance(value, str) else None


def _known_authors(known: Mapping[str, Any]) -> list[str]:
    value = known.get("authors", known.get("author"))
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, Sequence):
        return []
    return [_named(name) for name in value if isinstance(name, str) and _named(name)]


def _named(name: str) -> str:
    return one_line(clean(without_marks(name)))
