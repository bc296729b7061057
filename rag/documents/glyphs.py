"""A PDF page → segments of text with their places, by PDFium. Knows nothing of columns or paragraphs."""

from __future__ import annotations

import ctypes
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rag.documents.clean import raised

HYPHEN = "\x02"
"""What PDFium writes for a hyphen at a line's end that parts one word."""
_UNKNOWN = "\ufffd"
"""For a letter whose font does not say what it is."""
_HAN = "\u3040-\u30ff\u3400-\u9fff\uff00-\uff60\u3000-\u303f"
_SPREAD = re.compile(f"[{_HAN}](?: [{_HAN}]){{2,}}(?![{_HAN}])")
"""Characters of a script without spaces that justifying drove apart."""
_GAP = 1.6
"""Empty space, in font sizes, that parts two segments of one line: a column's gutter or a table's cell."""


@dataclass(slots=True)
class Segment:
    """A run of text on one line. Coordinates in points, x to the right, y downwards from the page's top."""

    text: str
    left: float
    right: float
    base: float
    size: float
    bold: bool = False

    @property
    def top(self) -> float:
        """The upper edge of the letters."""
        return self.base - self.size * 0.8

    @property
    def bottom(self) -> float:
        """The lower edge of the letters."""
        return self.base + self.size * 0.25


@dataclass(slots=True)
class _Glyph:
    char: str
    left: float
    right: float
    base: float
    size: float
    angle: int
    index: int


def segments_of(page: Any) -> list[Segment]:  # noqa: ANN401  (pypdfium2's page)
    """The segments of a page in the order its content draws them, turned so that most text reads horizontally."""
    textpage = page.get_textpage()
    try:
        glyphs = list(_glyphs(textpage))
        upright = Counter(g.angle for g in glyphs if not g.char.isspace()).most_common(1)
        turn = upright[0][0] if upright else 0
        width, height = page.get_width(), page.get_height()
        return list(_segments(textpage, glyphs, turn, width, height))
    finally:
        textpage.close()


def _glyphs(textpage: Any) -> Iterator[_Glyph]:  # noqa: ANN401
    import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

    raw = textpage.raw
    box, x, y = pdfium.FS_RECTF(), ctypes.c_double(), ctypes.c_double()
    size = angle = 0.0
    quarter = 0
    for index in range(textpage.count_chars()):
        char = chr(pdfium.FPDFText_GetUnicode(raw, index) or ord(_UNKNOWN))
        if pdfium.FPDFText_IsGenerated(raw, index) == 1:
            yield _Glyph(" " if char.isspace() else char, math.nan, math.nan, math.nan, size, quarter, index)
            continue
        if not pdfium.FPDFText_GetLooseCharBox(raw, index, box):
            continue
        pdfium.FPDFText_GetCharOrigin(raw, index, x, y)
        angle = pdfium.FPDFText_GetCharAngle(raw, index)
        quarter = round(math.degrees(angle) / 90) % 4 if angle >= 0 else 0
        left, right, low, high = box.left, box.right, box.bottom, box.top
        # The font's own size says nothing when a matrix scales it; the box does.
        size = abs(right - left if quarter % 2 else high - low) or 1.0
        if quarter == 1:
            left, right, base = -high, -low, x.value
        elif quarter == 2:
            left, right, base = -right, -left, -y.value
        elif quarter == 3:
            left, right, base = low, high, -x.value
        else:
            base = y.value
        yield _Glyph(char, left, right, -base, size, quarter, index)


def _segments(textpage: Any, glyphs: list[_Glyph], turn: int, width: float, height: float) -> Iterator[Segment]:  # noqa: ANN401
    """Glyphs joined into segments; text that runs across the rest comes last."""
    across: list[Segment] = []
    run: list[_Glyph] = []
    last: _Glyph | None = None
    origin = {0: height, 1: 0.0, 2: 0.0, 3: width}[turn]

    def close() -> Iterator[Segment]:
        segment = _segment(textpage, run, origin)
        if segment is not None:
            if run[0].angle == turn:
                yield segment
            else:
                across.append(segment)
        run.clear()

    for glyph in glyphs:
        if math.isnan(glyph.base) or glyph.char.isspace():
            if run:
                run.append(glyph)
            continue
        if last is not None and run and _parts(last, glyph):
            yield from close()
        run.append(glyph)
        last = glyph
    yield from close()
    yield from across


def _parts(last: _Glyph, glyph: _Glyph) -> bool:
    size = max(last.size, glyph.size)
    gap = max(glyph.left - last.right, last.left - glyph.right)
    return last.angle != glyph.angle or abs(glyph.base - last.base) > 0.45 * size or gap > _GAP * size


def _segment(textpage: Any, run: list[_Glyph], origin: float) -> Segment | None:  # noqa: ANN401
    placed = [g for g in run if not math.isnan(g.base) and not g.char.isspace()]
    if not placed:
        return None
    size = Counter(round(g.size, 1) for g in placed).most_common(1)[0][0]
    base = Counter(round(g.base, 1) for g in placed if abs(g.size - size) < 0.2).most_common(1)[0][0]
    left, right = min(g.left for g in placed), max(g.right for g in placed)
    text = "".join(
        raised("".join(g.char for g in part)) if up else "".join(g.char for g in part)
        for up, part in groupby(run, lambda g: g.size < 0.85 * size and g.base < base - 0.15 * size)
    )
    shown = _SPREAD.sub(lambda m: m[0].replace(" ", ""), " ".join(text.split()))
    return Segment(shown, left, right, base + origin, size, _bold(textpage, placed[len(placed) // 2].index))


def _bold(textpage: Any, index: int) -> bool:  # noqa: ANN401
    import pypdfium2.raw as pdfium

    if pdfium.FPDFText_GetFontWeight(textpage.raw, index) >= 600:
        return True
    flags = ctypes.c_int()
    length = pdfium.FPDFText_GetFontInfo(textpage.raw, index, None, 0, flags)
    if not 0 < length < 200:
        return False
    buffer = ctypes.create_string_buffer(length)
    pdfium.FPDFText_GetFontInfo(textpage.raw, index, buffer, length, flags)
    name = buffer.value.lower()
    return any(mark in name for mark in (b"bold", b"black", b"heavy", b"cmbx", b"demi", b"sfbx"))
