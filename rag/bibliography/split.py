"""A reference list as running text → the spans of its entries. Knows nothing of what an entry says.

Four layouts are told apart by what the text itself shows: numbered entries (a chain of labels that counts
up), entries between blank lines, one entry a line, and lines broken at a width (hanging or not). Each line
is judged once against the one before it, so the work is linear.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from rag.bibliography.names import fold

_LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_LABEL = re.compile(
    r"\s*(?:\[(?P<a>\d{1,4})\]|\((?P<b>\d{1,4})\)|(?P<c>\d{1,4})[.)](?=\s|[^\W\d])|(?P<d>\d{1,4})(?=\s+[^\W\d_]))\s*"
)
_KEY = re.compile(r"\s*\[(?P<key>[^\W\d_][\w+&.’'-]{0,15}\d{0,4}[a-z]?|[^\W\d_][^\[\]\n]{0,30}\d{2,4}[a-z]?)\]\s+")
_INLINE = re.compile(r"(?<!\S)\[(\d{1,4})\](?=\s*\S)")
_BULLET = re.compile(r"\s*[•▪●*·‣–-]\s+(?=\S)")
_UPPER = r"[^\W\d_a-zß-öø-ÿ]"
_UNCASED = r"[\u0590-\u06ff\u0900-\u0dff\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
_AUTHOR = re.compile(
    rf"\s*+(?:[“\"'‘«\[(]\s*+)?(?:"
    rf"[—–_-]{{2,}}|"  # the dash that repeats the author before
    rf"(?:(?:de|da|do|dos|van|von|der|den|del|della|la|le|di|el|al|d’|d')\s+){{0,3}}"
    rf"{_UPPER}[\w'’‐‑-]*+(?:\s++[\w'’-]++){{0,3}},?\s++(?:{_UPPER}\.|{_UPPER}{{1,3}}[,.;:\s])|"  # Family, I.
    rf"(?:{_UPPER}\.[\s-]?){{1,4}}\s*{_UPPER}|"  # I. Family
    rf"{_UPPER}[\w'’‐‑-]+(?:\s[\w'’-]+)?,\s+{_UPPER}[\w’'-]+[\s,.;&]|"  # Family, Given
    rf"[^()]{{2,120}}?[\s(,.]\(?(?:1[5-9]|20)\d\d[a-z]?\)?[,.:;)]|"  # Body, 2023.
    # a name in a script without capitals
    rf"{_UNCASED}{{1,20}}(?:\s{_UNCASED}{{1,20}}){{0,2}}\s?[,，、．。.;；:：،·・(（]"
    rf")"
)
_GOES_ON = re.compile(
    r"\s*+(?:[a-zß-öø-ÿ&(),;:.]|https?:|www\.|doi\b|DOI\b|In:?\s|pp?\.|vol\.|Vol\.|No\.|Available|Retrieved|"
    r"Accessed|Disponível|Acesso|"
    r"Disponible|Consultado|Verfügbar|\d{1,4}[-–]\d|[\d,;:()\s.–-]+$)"
)
_CLOSING = re.compile(r"(?:[.。．;；!?)）\]”\"’/\d]|\.\w{2,5})\Z")
_LONGEST_LINE = 160
"""Characters of a line beyond which it was hardly broken at a width."""
_MOST_HEADS = 0.75
"""Share of lines that begin like an entry and end like one, from which on a list is one entry a line."""
_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")
_WEB = re.compile(r"https?://|www\.|\bdoi\b|10\.\d{4,}/", re.IGNORECASE)


class Line(NamedTuple):
    """A line with something on it, without its surrounding white space; `blank_before` tells of an empty line above."""

    start: int
    end: int
    indent: int
    blank_before: bool


class Entry(NamedTuple):
    """The span of one entry, its label if the list numbers it, and where the text behind the label begins."""

    start: int
    end: int
    label: str | None
    body: int


def split(text: str) -> tuple[list[Entry], list[tuple[int, int]]]:
    """Cut `text` into entries; the second value is the spans that stand in the list but look like no entry."""
    lines = _lines(text)
    if not lines:
        return [], []
    starts = _numbered(text, lines)
    if starts is None:
        starts = _keyed(text, lines) or _unnumbered(text, lines)
    first = starts[0][0] if starts else lines[-1].end
    spans: list[Entry] = []
    rest: list[tuple[int, int]] = []
    head = [line for line in lines if line.start < first]
    rest.extend((line.start, line.end) for line in head)
    bounds = [s for s, _, _ in starts[1:]] + [lines[-1].end]
    for (start, label, body), bound in zip(starts, bounds, strict=True):
        end = start + len(text[start:bound].rstrip())
        end, tail = _without_furniture(text, body, end) if label is None else (end, [])
        if label is not None or _looks_like_entry(text[body:end]):
            spans.append(Entry(start, end, label, body))
            rest.extend(tail)
        else:
            rest.append((start, start + len(text[start:bound].rstrip())))
    return spans, [(a, b) for a, b in rest if a < b]


def _lines(text: str) -> list[Line]:
    lines: list[Line] = []
    blank = False
    position = 0
    for match in _LINE.finditer(text):
        blank = blank or text.count("\n", position, match.start()) > 1
        position = match.end()
        content = match[0].strip()
        if not content:
            blank = True
            continue
        indent = len(match[0]) - len(match[0].lstrip())
        start = match.start() + indent
        lines.append(Line(start, start + len(content), indent, blank))
        blank = False
    return lines


def _numbered(text: str, lines: list[Line]) -> list[tuple[int, str | None, int]] | None:
    """Entries by a chain of labels that counts up, None when there is none; a heading or two may stand above it."""
    top = next((i for i, line in enumerate(lines[:4]) if _LABEL.match(text, line.start, line.end)), None)
    if top is None or any(_looks_like_entry(text[line.start : line.end]) for line in lines[:top]):
        return None
    first = _LABEL.match(text, lines[top].start, lines[top].end)
    form = (first and first.lastgroup) or "a"
    chain: list[tuple[int, str | None, int]] = []
    expected = int(first[form]) if first else 1
    if form == "d" and expected > 500:
        return None
    for line in lines[top:]:
        match = _LABEL.match(text, line.start, line.end)
        if match is None or match.lastgroup != form:
            continue
        number = int(match[form])
        # A list may skip a number or two, but then the line must look like the head of an entry.
        if number == expected or (expected < number <= expected + 2 and _author(text[match.end() : line.end])):
            chain.append((line.start, match[form], min(match.end(), line.end)))
            expected = number + 1
    if form == "a":
        inline = _inline(text, lines, int(first["a"]) if first else 1)
        chain = inline if len(inline) > len(chain) else chain
    enough = 2 if form != "d" else 3
    return chain if len(chain) >= enough or (len(lines) == 1 and form != "d") else None


def _inline(text: str, lines: list[Line], expected: int) -> list[tuple[int, str | None, int]]:
    chain: list[tuple[int, str | None, int]] = []
    for match in _INLINE.finditer(text, lines[0].start, lines[-1].end):
        if int(match[1]) == expected:
            body = (
                match.end()
                + len(text[match.end() : match.end() + 20])
                - len(text[match.end() : match.end() + 20].lstrip())
            )
            chain.append((match.start(), match[1], body))
            expected += 1
    return chain


def _keyed(text: str, lines: list[Line]) -> list[tuple[int, str | None, int]] | None:
    """Entries that each begin with a key in brackets, as in ``[Knuth84]``."""
    keys = [(line, match) for line in lines if (match := _KEY.match(text, line.start, line.end))]
    if len(keys) < 2 or keys[0][0] is not lines[0]:
        return None
    return [(line.start, match["key"], match.end()) for line, match in keys]


def _unnumbered(text: str, lines: list[Line]) -> list[tuple[int, str | None, int]]:
    """Entries told by blank lines, indents, line lengths and what a line begins with."""
    layout = _layout(text, lines)
    bulleted = _BULLET.match(text, lines[0].start, lines[0].end) is not None
    verdicts: list[bool | None] = []  # None: the layout does not say
    for previous, line in pairwise([None, *lines]):
        if line is not None:
            bullet = bulleted and _BULLET.match(text, line.start, line.end)
            verdicts.append(True if previous is None or bullet else _begins(text, line, previous, layout))
    _settle(text, lines, verdicts)
    starts: list[tuple[int, str | None, int]] = []
    for line, verdict in zip(lines, verdicts, strict=True):
        if verdict:
            bullet = _BULLET.match(text, line.start, line.end) if bulleted else None
            starts.append((line.start, None, bullet.end() if bullet else line.start))
    return starts


class Layout(NamedTuple):
    """What the lines of a list show together: the width they were broken at (0: were not), indents, blank lines."""

    width: int
    hanging: bool
    spaced: bool


def _layout(text: str, lines: list[Line]) -> Layout:
    # An address longer than the line could not be broken and says nothing of the width.
    lengths = sorted(line.end - line.start for line in lines if text.count(" ", line.start, line.end) > 2) or [0]
    longest = lengths[-1 - len(lengths) // 50]
    heads = [_heads(text[line.start : line.end]) for line in lines]
    broken = (
        len(lines) > 2
        and longest <= _LONGEST_LINE
        and sum(n >= 0.8 * longest for n in lengths) >= 0.3 * len(lengths)
        and sum(heads) < _MOST_HEADS * len(lines)
    )
    indents = [line.indent for line in lines]
    hanging = len(set(indents)) > 1 and min(indents) == lines[0].indent and indents.count(min(indents)) < len(lines)
    blanks = sum(line.blank_before for line in lines[1:])
    return Layout(
        longest if broken else 0, hanging, blanks >= 1 and blanks >= 0.3 * (len(lines) - 1) / (3 if broken else 1)
    )


def _begins(text: str, line: Line, previous: Line, layout: Layout) -> bool | None:
    """Whether `line` begins an entry; None where only the words can tell."""
    here, before = text[line.start : line.end], text[previous.start : previous.end]
    closed = _closed(before) and not before.endswith((" e", " and", " &"))
    if _GOES_ON.match(here) and not (here[0].islower() and not _WEB.match(here) and _author(here)):
        # A broken line stays with its entry even across a blank line, when the entry plainly is not over.
        return line.blank_before and closed and not _WEB.match(here.lstrip("( "))
    if line.blank_before:
        return True
    if layout.hanging:
        return line.indent < previous.indent or (line.indent == previous.indent == 0 and _author(here))
    if not closed:
        return False
    if layout.width:
        # Where the next word would still have fitted on the line before, somebody broke the line on purpose.
        room = layout.width - len(before) - 1 - len(here.split(maxsplit=1)[0])
        if room >= 0.12 * layout.width:
            return not layout.spaced or _author(here)
        return None if _author(here) and not layout.spaced else False
    return True


def _settle(text: str, lines: list[Line], verdicts: list[bool | None]) -> None:
    """Decide the open cases: an entry has a complete one before it and keeps to the alphabet, if its list does."""
    sure = [i for i, verdict in enumerate(verdicts) if verdict]
    keys = [_key(text, lines[i]) for i in sure]
    ordered = sum(a <= b for a, b in pairwise(keys)) >= 0.85 * max(1, len(keys) - 1) and len(keys) > 2
    next_sure = iter([*sure[1:], -1])
    last, following = 0, next(next_sure)
    dated, seen = False, 0  # whether the entry so far, up to line `seen`, has a date or an address
    for i, verdict in enumerate(verdicts):
        if i and i == following:
            following = next(next_sure)
        if verdict:
            last, dated, seen = i, False, i
        elif verdict is None:
            key = _key(text, lines[i])
            after = _key(text, lines[following]) if following > 0 else "\uffff"
            in_order = not ordered or _key(text, lines[last]) <= key <= after
            if not dated:
                more = text[lines[seen].start : lines[i].start]
                dated, seen = bool(_YEAR.search(more) or _WEB.search(more)), i
            if in_order and dated:
                verdicts[i], last, dated, seen = True, i, False, i
            else:
                verdicts[i] = False


def _key(text: str, line: Line) -> str:
    return fold("".join(c for c in text[line.start : line.start + 24] if c.isalpha())[:12])


def _author(line: str) -> bool:
    return _AUTHOR.match(line[:200]) is not None


def _closed(line: str) -> bool:
    """Whether a line may be the end of an entry: it ends in a mark, a number, a file's name or an address."""
    last = line.rsplit(None, 1)[-1]
    return _CLOSING.search(last[-6:]) is not None or any(c in last for c in "/=&?#")


def _heads(line: str) -> bool:
    """Whether a line could be an entry whole: it begins with an author, has a date or an address, and is closed."""
    return bool(_author(line) and _closed(line) and (_YEAR.search(line) or _WEB.search(line) or len(line) < 40))


def _looks_like_entry(raw: str) -> bool:
    """An entry says at least who and what, and nearly always when or where; headings and page furniture do not."""
    if len(raw) < 15:
        return False
    signs = (
        bool(_YEAR.search(raw))
        + bool(_WEB.search(raw))
        + bool(_AUTHOR.match(raw[:200]))
        + (raw.count(". ") + raw.count(", ") >= 2)
    )
    return signs >= 2 or (signs == 1 and len(raw) > 60)


def _without_furniture(text: str, start: int, end: int) -> tuple[int, list[tuple[int, int]]]:
    """Cut lines off the end of an entry that cannot belong to it (page furniture behind the last entry)."""
    lines = [(m.start(), m.end()) for m in _LINE.finditer(text, start, end) if m[0].strip()]
    cut: list[tuple[int, int]] = []
    while len(lines) > 1:
        a, b = lines[-1]
        blank_above = text.count("\n", lines[-2][1], a) > 1
        if not blank_above or _YEAR.search(text[a:b]) or _WEB.search(text[a:b]):
            break
        cut.append((a, b))
        lines.pop()
    return (lines[-1][1] if lines else end), cut[::-1]
