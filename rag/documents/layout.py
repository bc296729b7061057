"""Segments of a page → lines in reading order → paragraphs: columns, rows of tables, indents, hyphens.

Knows no PDF: a segment is text with a place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from rag.documents.glyphs import HYPHEN, Segment
from rag.documents.names import names_bibliography

_CELL_GAP = 2.2
_LABEL = re.compile(r"^(?:\[\w{1,12}\]\s*|\(?\d{1,3}[.)]\s+)\S|^[•‣▪◦–—-]\s+\S|^[•‣▪◦]\S")
_NUMBER = re.compile(r"^[\[(]?(\d{1,4})[\]).]")
_TERMINAL = re.compile(r"[.!?:;。！？：；][\"'”’»)\]]*$")
_ADDRESS = re.compile(r"(?:https?://|www\.|doi\.org/|doi:\s?10\.)\S{0,600}+$")
_NAME = re.compile(r"^[^\W\d_a-z][\w'’.-]++(?: [^\W\d_][\w'’-]++){0,3},? (?:[^\W\d_a-z]\.|[A-Z]{1,3}\b)")
"""A surname and initials, as an entry of a reference list opens."""
_TAIL = 4000
"""Characters at the end of a paragraph in which the address or word stands that the next line may go on."""
_MOST_SEGMENTS = 5000
"""On a page of running text; a drawing may have more, and has no columns."""
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
            text = spaced(s.text for s in run)
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
    if segment.base != last.base or segment.size != last.size or not 0 < gap < 15 * segment.size:
        return False
    if len(run) == 1:
        return " " not in last.text + segment.text
    return abs(gap - (last.left - run[-2].right)) < 0.1 * segment.size


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
    if not 8 <= len(segments) <= _MOST_SEGMENTS:
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
    return [_line(sorted(row, key=lambda s: s.left), page, column) for row in rows]


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
    """Measure the columns anew, by the lines that are left when running heads are gone, and what only they can tell.

    A lone line with gaps, edge to edge in running text, was stretched by justifying and is no row of a table.
    """
    edges: dict[tuple[int, tuple[float, float]], tuple[float, float]] = {}
    for line in lines:
        left, right = edges.get((line.page, line.column), (line.left, line.right))
        edges[line.page, line.column] = min(left, line.left), max(right, line.right)
    for line in lines:
        line.column = edges[line.page, line.column]
    for i, line in enumerate(lines):
        if line.cells > 1 and _full(line):
            beside = [x for x in (*lines[max(0, i - 1) : i], *lines[i + 1 : i + 2]) if x.column == line.column]
            if beside and all(x.cells == 1 for x in beside) and any(map(_full, beside)):
                line.text, line.cells = line.text.replace(" | ", " "), 1


def _full(line: Line) -> bool:
    """Whether the line reaches the column's right edge."""
    return line.right > line.column[1] - 0.3 * line.size


def paragraphs(lines: Sequence[Line]) -> list[Paragraph]:
    """Group lines in reading order into paragraphs, each by its distance, indent, size and how the line before ends."""
    found: list[Paragraph] = []
    pitch = _pitch(lines)
    listing: float | None = None  # the size of the letters of a reference list, while in it
    opens_inset: bool | None = None  # whether the list's entries open set in, or go on set in; None when neither
    for i, line in enumerate(lines):
        if names_bibliography(line.text):
            listing = median([x.size for x in lines[i + 1 : i + 41]] or [line.size])
            opens_inset = _opens_inset(lines[i + 1 : i + 41])
        elif listing is not None and line.size > 1.12 * listing:
            listing = None
        before = found[-1].lines if found else []
        listed = listing is not None and before and not names_bibliography(before[-1].text)
        if not before:
            begins = True
        elif listed and opens_inset is not None:
            begins = _inset(line) == opens_inset or _opens_item(before, line)
        else:
            begins = _begins(before, line, pitch) or bool(listed and _opens_entry(before[-1], line))
        if not begins:
            found[-1].lines.append(line)
        else:
            found.append(Paragraph([line]))
    return _hanging(found)


def _opens_item(before: Sequence[Line], line: Line) -> bool:
    """Whether a line opens with a label of its own, and not with a number or dash of the sentence before."""
    if not _LABEL.match(line.text):
        return False
    ended = bool(_TERMINAL.search(before[-1].text))
    return ended or _short(before[-1]) or _follows(before[0].text, line.text)


def _opens_entry(last: Line, line: Line) -> bool:
    """Whether, at the turn of a column or page, an entry of a reference list was over and the line opens another."""
    turned = line.page != last.page or line.base < last.base
    over = _TERMINAL.search(last.text) or _ADDRESS.search(last.text)
    return bool(turned and over and _NAME.match(line.text))


def _follows(first: str, second: str) -> bool:
    """Whether two lines open with labels of one list: bullets, keys in brackets, or numbers in a row."""
    a, b = _NUMBER.match(first), _NUMBER.match(second)
    if b is None:
        return second[0] == first[0] or second[0] in "•‣▪◦"
    return a is not None and int(b[1]) == int(a[1]) + 1


def _inset(line: Line) -> bool:
    return line.left - line.column[0] > 0.7 * line.size


def _opens_inset(lines: Sequence[Line]) -> bool | None:
    """Whether the entries of a list open set in (True) or go on set in (False); None when insets do not tell.

    Whichever is more often true: an entry opens with a capital or a label, after a line that was over.
    """
    inset = [_inset(line) for line in lines]
    if len(lines) < 2 or not 0.1 <= sum(inset) / len(lines) < 1:
        return None

    def share(*, inside: bool) -> float:
        pairs = [(a, b) for a, b, x in zip(lines, lines[1:], inset[1:], strict=False) if x == inside]
        good = sum(
            bool((_TERMINAL.search(a.text) or _ADDRESS.search(a.text) or _short(a)) and not b.text[:1].islower())
            for a, b in pairs
        )
        return good / len(pairs) if pairs else 0.0

    hanging, indented = share(inside=False), share(inside=True)
    if max(hanging, indented) < 0.6:
        return None
    return indented > hanging


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
        return _opens_item(before, line)
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
    done, text = [], ""
    for i, line in enumerate(lines):
        if i == 0:
            text = line.text
            continue
        if len(text) > 2 * _TAIL:  # what was joined long ago is not looked at again
            done.append(text[:-_TAIL])
            text = text[-_TAIL:]
        turn = "\f" if line.page != lines[i - 1].page else ""
        if line.cells > 1 or lines[i - 1].cells > 1:
            text += (turn or "\n") + line.text
            continue
        if text.endswith(HYPHEN) and _ADDRESS.search(text):
            text = text.removesuffix(HYPHEN) + "-"  # no printer adds a hyphen to an address
        if _goes_on_address(text, line.text, short=_short(lines[i - 1], 0.15)):
            first, _, rest = line.text.partition(" ")
            text += first + (turn or " " * bool(rest)) + rest
            continue
        text = _joined(text, line.text, turn, vocabulary)
    return "".join([*done, text]).replace(HYPHEN, "-")


def _goes_on_address(text: str, following: str, *, short: bool) -> bool:
    """Whether an address was broken at the end of the line: it ends in a joint, or what follows is no word of prose.

    A `short` line was ended on purpose, unless the address ends in what no address ends in.
    """
    address = _ADDRESS.search(text)
    if not address:
        return False
    first = following.split(" ", 1)[0]
    if address[0][-1] in "-_=&?%#~" and (first[:1].isdigit() or first[:1].islower()):
        return True
    if short:
        return False
    joint = address[0][-1] in "/-_=&?%#~" or (address[0][-1] == "." and first[:1].islower())
    return joint or bool(
        re.search(r"\w[/_=&?%~]|[\w-]\.\w|\d(?:[^\W\d]|-)*-\w|^[a-z0-9]+-[a-z0-9-]+|^[a-z]+[A-Z]", first)
    )


def _joined(text: str, following: str, turn: str, vocabulary: frozenset[str]) -> str:
    broken = re.search(rf"(?<![^\W\d_])([^\W\d_]++)(-|\u2010|{HYPHEN})$", text)
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


def spaced(words: Iterable[str]) -> str:
    """Words of one line with spaces between them, but for scripts that have none."""
    text = ""
    for word in words:
        text += word if not text or (_wide(text[-1]) and _wide(word[:1])) else f" {word}"
    return text


def _wide(char: str) -> bool:
    return "\u2e80" <= char <= "\u9fff" or "\uff00" <= char <= "\uffef"


def vocabulary_of(lines: Sequence[Line]) -> frozenset[str]:
    """The words of a document, for telling hyphens that part a word from those that belong to it."""
    words: set[str] = set()
    for line in lines:
        inner = re.sub(rf"(?<!\S)\S*(?:-|{HYPHEN})$", "", line.text)
        words.update(w.casefold() for w in re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", inner))
    return frozenset(words)
