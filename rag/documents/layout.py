"""Segments of a page → lines in reading order → paragraphs: columns, rows of tables, indents, hyphens.

Knows no PDF: a segment is text with a place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from rag.documents.glyphs import HYPHEN, Segment
from rag.documents.names import names_bibliography

_CELL_GAP = 2.2
_LABEL = re.compile(r"^(?:\[\w{1,12}\]\s*|\(?\d{1,3}[.)]\s+)\S|^[•‣▪◦–—-]\s+\S|^[•‣▪◦]\S")
_NUMBER = re.compile(r"^[\[(]?(\d{1,4})[\]).]")
_TERMINAL = re.compile(r"[.!?:;。！？：；][\"'”’»)\]]*$")
_STAYS_HYPHENATED = frozenset(
    ["self", "non", "well", "long", "short", "high", "low", "half", "cross", "ex", "all", "quasi"]
)


@dataclass(slots=True)
class Line:
    """One line of running text, or one row of a table (`cells` more than 1)."""

    text: str
    left: float
    right: float
    base: float
    size: float
    bold: bool
    page: int
    column: tuple[float, float]
    """Left and right edge of the text around it."""
    cells: int = 1


@dataclass(slots=True)
class Paragraph:
    """Lines that belong together."""

    lines: list[Line]

    @property
    def size(self) -> float:
        """The size of most of its letters."""
        sizes: Counter[float] = Counter()
        for line in self.lines:
            sizes[round(line.size * 2) / 2] += len(line.text)
        return sizes.most_common(1)[0][0]

    @property
    def bold(self) -> bool:
        """Whether all of it is set in bold."""
        return all(line.bold for line in self.lines)


def lines_in_order(segments: Sequence[Segment], page: int) -> list[Line]:
    """The lines of a page as a reader takes them: column after column, tables row by row."""
    found: list[Line] = []
    _order(sorted(segments, key=lambda s: (s.base, s.left)), page, found, 0)
    return found


def _unstretched(segments: Sequence[Segment]) -> list[Segment]:
    """Words that justifying drove apart put together again: neighbours on a line, the gaps between them all alike.

    The cells of a table stand at equal places, so that words of unequal length leave unequal gaps.
    """
    out: list[Segment] = []
    run: list[Segment] = []

    def close() -> None:
        widths = [s.right - s.left for s in run]
        if len(run) > 2 and max(widths) - min(widths) > 2:
            text = " ".join(s.text for s in run)
            out.append(replace(run[0], text=text, right=run[-1].right, bold=all(s.bold for s in run)))
        else:
            out.extend(run)
        run.clear()

    for segment in segments:
        if run and not _goes_on_stretched(run, segment):
            # A gap of another width is a gutter: the word behind it begins the next column.
            close()
        run.append(segment)
    close()
    return out


def _goes_on_stretched(run: Sequence[Segment], segment: Segment) -> bool:
    last = run[-1]
    gap = segment.left - last.right
    if segment.base != last.base or segment.size != last.size or not 0 < gap < 6 * segment.size:
        return False
    if " " in segment.text or " " in last.text:
        return False
    return len(run) == 1 or abs(gap - (last.left - run[-2].right)) < 0.05 * segment.size


def _order(segments: list[Segment], page: int, out: list[Line], depth: int) -> None:
    if not segments:
        return
    gutter = _gutter(_unstretched(segments)) if depth < 6 else None
    if gutter is None:
        out.extend(_rows(_unstretched(segments), page))
        return
    left: list[Segment] = []
    right: list[Segment] = []
    for segment in segments:
        if segment.right <= gutter + 1:
            left.append(segment)
        elif segment.left >= gutter - 1:
            right.append(segment)
        else:
            # A line across both columns: what stands above it is read first.
            _order(left, page, out, depth + 1)
            _order(right, page, out, depth + 1)
            left, right = [], []
            out.extend(_rows([segment], page))
    _order(left, page, out, depth + 1)
    _order(right, page, out, depth + 1)


def _gutter(segments: list[Segment]) -> float | None:
    """The x of an empty band between two columns of running text, None when there is none."""
    if len(segments) < 8:
        return None
    edge_left, edge_right = min(s.left for s in segments), max(s.right for s in segments)
    width = edge_right - edge_left
    if width <= 0:
        return None
    best: tuple[float, float] | None = None
    for x in sorted({round(s.left, 1) for s in segments}):
        at = x - 0.5
        if not edge_left + 0.15 * width < at < edge_right - 0.15 * width:
            continue
        left = [s for s in segments if s.right <= at]
        right = [s for s in segments if s.left >= at]
        crossing = len(segments) - len(left) - len(right)
        if len(left) < 4 or len(right) < 4 or crossing > 0.35 * len(segments):
            continue
        if not (_is_column(left) and _is_column(right) and _overlap(left, right)):
            continue
        score = len(left) + len(right) - 2 * crossing + min(len(left), len(right))
        if best is None or score > best[0]:
            best = (score, (max(s.right for s in left) + at) / 2)
    return best[1] if best else None


def _is_column(side: list[Segment]) -> bool:
    """Running text fills its column; the cells of a table do not. Measured where its middle letter stands."""
    edge = max(s.right for s in side) - min(s.left for s in side)
    by_width = sorted((s.right - s.left, len(s.text)) for s in side)
    half, seen = sum(length for _, length in by_width) / 2, 0
    for width, length in by_width:
        seen += length
        if seen >= half:
            return edge > 0 and width >= 0.5 * edge and length >= 16
    return False


def _overlap(left: list[Segment], right: list[Segment]) -> bool:
    top = max(min(s.top for s in left), min(s.top for s in right))
    bottom = min(max(s.bottom for s in left), max(s.bottom for s in right))
    return bottom - top > 3 * median(s.size for s in left)


def _rows(segments: list[Segment], page: int) -> list[Line]:
    rows: list[list[Segment]] = []
    for segment in sorted(segments, key=lambda s: (s.base, s.left)):
        row = rows[-1] if rows else None
        if row and abs(segment.base - row[0].base) <= 0.4 * min(segment.size, row[0].size):
            row.append(segment)
        else:
            rows.append([segment])
    column = (min(s.left for s in segments), max(s.right for s in segments))
    lines = [_line(sorted(row, key=lambda s: s.left), page, column) for row in rows]
    for i, (line, row) in enumerate(zip(lines, rows, strict=True)):
        # Two words at the edges of a column of running text are a line that justifying stretched, no row of a table.
        if line.cells == 2 == len(row) and line.right > column[1] - 0.3 * line.size and not any(" " in s.text for s in row):
            beside = [lines[j] for j in (i - 1, i + 1) if 0 <= j < len(lines)]
            if all(b.cells == 1 for b in beside) and any(b.right > column[1] - 0.3 * b.size for b in beside):
                line.text, line.cells = " ".join(s.text for s in sorted(row, key=lambda s: s.left)), 1
    return lines


def _line(row: list[Segment], page: int, column: tuple[float, float]) -> Line:
    text, cells = row[0].text, 1
    for before, segment in pairwise(row):
        wide = segment.left - before.right > _CELL_GAP * max(before.size, segment.size)
        # A number far from its heading is still the heading's: only real rows get bars.
        cells += wide
        text += (" | " if wide and not _LABEL.match(before.text + " x") else " ") + segment.text
    main = max(row, key=lambda s: len(s.text))
    return Line(text, row[0].left, row[-1].right, main.base, main.size, all(s.bold for s in row), page, column, cells)


def fit_columns(lines: Sequence[Line]) -> None:
    """Measure the columns anew, by the lines that are left when running heads are gone."""
    edges: dict[tuple[int, tuple[float, float]], tuple[float, float]] = {}
    for line in lines:
        left, right = edges.get((line.page, line.column), (line.left, line.right))
        edges[line.page, line.column] = min(left, line.left), max(right, line.right)
    for line in lines:
        line.column = edges[line.page, line.column]


def paragraphs(lines: Sequence[Line]) -> list[Paragraph]:
    """Group lines in reading order into paragraphs, each by its distance, indent, size and how the line before ends."""
    found: list[Paragraph] = []
    pitch = _pitch(lines)
    hangs: float | None = None  # the size of the letters of a reference list whose entries hang, while in it
    for i, line in enumerate(lines):
        if names_bibliography(line.text):
            hangs = _hanging_size(lines[i + 1 : i + 41])
        elif hangs is not None and line.size > 1.12 * hangs:
            hangs = None
        listed = hangs is not None and found and not names_bibliography(found[-1].lines[-1].text)
        begins = (not _inset(line) or bool(_LABEL.match(line.text))) if listed else None
        if begins is None:
            begins = not found or _begins(found[-1].lines, line, pitch)
        if not begins:
            found[-1].lines.append(line)
        else:
            found.append(Paragraph([line]))
    return _hanging(found)


def _follows(first: str, second: str) -> bool:
    """Whether two lines open with labels of one list: bullets, keys in brackets, or numbers in a row."""
    a, b = _NUMBER.match(first), _NUMBER.match(second)
    if b is None:
        return second[0] not in "–—-" or second[0] == first[0]
    return a is not None and int(b[1]) == int(a[1]) + 1


def _inset(line: Line) -> bool:
    return line.left - line.column[0] > 0.7 * line.size


def _hanging_size(lines: Sequence[Line]) -> float | None:
    """The size of a list's letters when the lines that go on an entry are set in, else None."""
    if len(lines) < 2 or not 0.3 <= sum(map(_inset, lines)) / len(lines) < 1:
        return None
    return median(line.size for line in lines)


def _pitch(lines: Sequence[Line]) -> float:
    steps = [
        (b.base - a.base) / max(a.size, 1)
        for a, b in pairwise(lines)
        if a.page == b.page and 0 < b.base - a.base < 3 * a.size
    ]
    return median(steps) if steps else 1.3


def _begins(before: list[Line], line: Line, pitch: float) -> bool:
    last = before[-1]
    if line.cells > 1 or last.cells > 1:
        # Rows of one table stay together.
        return not (line.cells > 1 and last.cells > 1 and line.page == last.page)
    if abs(line.size - last.size) > 0.12 * max(line.size, last.size) and not (len(line.text) < 4 or len(last.text) < 4):
        return True
    if line.bold != last.bold and (line.bold or len(before) == 1 or all(b.bold for b in before)):
        return True
    ended = bool(_TERMINAL.search(last.text))
    if _LABEL.match(line.text):
        # A dash at the start of a line may be one in the middle of a sentence, and a number the end of a page range.
        return ended or _short(last) or _follows(before[0].text, line.text)
    same_column = line.page == last.page and line.base > last.base
    if same_column and line.base - last.base > 1.35 * pitch * line.size:
        return True
    indent = line.left - line.column[0]
    indented = 0.7 * line.size < indent < 6 * line.size and last.left - last.column[0] < 0.5 * last.size
    if not same_column:
        # The turn of a column or page: text goes on unless the last sentence was over and this one opens anew.
        return ended and (indented or (line.text[:1].isupper() and _short(last)))
    return (
        (indented and (ended or _short(last)))
        or (ended and _short(last))
        or (_short(last, 0.45) and line.text[:1].isupper())
    )


def _short(line: Line, share: float = 0.12) -> bool:
    """Whether the line stops well before the column's right edge."""
    return line.column[1] - line.right > share * max(1.0, line.column[1] - line.column[0])


def _hanging(found: list[Paragraph]) -> list[Paragraph]:
    """Part paragraphs whose first lines stick out to the left, as the entries of a reference list do."""
    out: list[Paragraph] = []
    for paragraph in found:
        lines = paragraph.lines
        inset = [_inset(line) for line in lines]
        if (
            len(lines) < 3
            or inset[0]
            or not 0.3 <= sum(inset) / len(lines) < 1
            or any(line.cells > 1 for line in lines)
        ):
            out.append(paragraph)
            continue
        starts = [i for i, inside in enumerate(inset) if not inside]
        out.extend(Paragraph(lines[a:b]) for a, b in zip(starts, [*starts[1:], len(lines)], strict=True))
    return out


def join(lines: Sequence[Line], vocabulary: frozenset[str]) -> str:
    """The text of a paragraph: lines joined, hyphens at their ends mended, a form feed where the page turns.

    A hyphen goes when the joined word stands elsewhere in the document, and stays when the hyphenated one does.
    """
    text = ""
    for i, line in enumerate(lines):
        if i == 0:
            text = line.text
            continue
        turn = "\f" if line.page != lines[i - 1].page else ""
        if line.cells > 1 or lines[i - 1].cells > 1:
            text += (turn or "\n") + line.text
            continue
        if not turn and not _short(lines[i - 1], 0.15) and _goes_on_address(text, line.text):
            text += line.text
            continue
        text = _joined(text, line.text, turn, vocabulary)
    return text.replace(HYPHEN, "-")


def _goes_on_address(text: str, following: str) -> bool:
    """Whether an address was broken at the end of the line: it ends in a joint, or what follows is no word of prose."""
    address = re.search(r"(?:https?://|www\.|doi\.org/|doi:\s?10\.)\S*$", text)
    if not address:
        return False
    first = following.split(" ", 1)[0]
    joint = address[0][-1] in "/-_=&?%#~" or (address[0][-1] == "." and first[:1].islower())
    return joint or bool(re.search(r"\w[/_=&?%~]|[\w-]\.\w|\d[\w-]*-\w|^[a-z0-9]+-[a-z0-9-]+", first))


def _joined(text: str, following: str, turn: str, vocabulary: frozenset[str]) -> str:
    broken = re.search(rf"([^\W\d_]+)(-|\u2010|{HYPHEN})$", text)
    rest = re.match(r"[^\W\d_]+", following)
    if broken and rest:
        first, second = broken[1], rest[0]
        whole, hyphenated = (first + second).casefold(), f"{first}-{second}".casefold()
        keep = not second[0].islower() or (hyphenated in vocabulary and whole not in vocabulary)
        if whole not in vocabulary:
            words = first.casefold() in vocabulary and second.casefold() in vocabulary and len(first) > 2 < len(second)
            keep = keep or words or first.casefold() in _STAYS_HYPHENATED
        head = text[:-1] + ("-" if keep else "")
        if not turn:
            return head + following
        word, _, tail = following.partition(" ")
        return f"{head}{word}{turn}{tail}"
    gap = "" if _wide(text[-1:]) and _wide(following[:1]) else " "
    return text + (turn or gap) + following


def _wide(char: str) -> bool:
    return "\u2e80" <= char <= "\u9fff" or "\uff00" <= char <= "\uffef"


def vocabulary_of(lines: Sequence[Line]) -> frozenset[str]:
    """The words of a document, for telling hyphens that part a word from those that belong to it."""
    words: set[str] = set()
    for line in lines:
        inner = re.sub(rf"[^\s]*(?:-|{HYPHEN})$", "", line.text)
        words.update(w.casefold() for w in re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", inner))
    return frozenset(words)
