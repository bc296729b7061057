"""Marks in a block's text: how a reader says what stands where before there are offsets.

A mark is written into the text between characters that no text holds (Unicode's noncharacters), with its number in the
draft's list; `taken_out` gives the text without them and their places. A file that holds such characters itself can
say no more of its text than its format allows it to say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from rag.types import MarkKind

_OPEN, _IS, _CLOSE = "\ufdd0", "\ufdd1", "\ufdd2"
_PIECES = re.compile(f"{_OPEN}(\\d{{1,7}}){_IS}|{_CLOSE}|[{_OPEN}{_IS}]")
END = _CLOSE
SIGNS = re.compile(f"{_OPEN}\\d{{0,7}}{_IS}?|[{_IS}{_CLOSE}]")
"""What marks add to a text."""

Said = tuple[MarkKind, str]
Placed = tuple[int, int, MarkKind, str]
"""Start and end in a block's text, kind, target."""


@dataclass(slots=True)
class Marks:
    """What a reader says of places of its text."""

    said: list[Said] = field(default_factory=list)

    def put(self, kind: MarkKind, target: str, text: str) -> str:
        """`text`, marked."""
        if not text.strip():
            return text
        return f"{self.begin(kind, target)}{text}{END}"

    def cited(self, key: str, *, narrative: bool) -> str:
        """A citation by key, as the key; as part of a sentence it begins like a name, so that it may begin one."""
        if narrative:
            return self.put("narrative", key, key[:1].upper() + key[1:])
        return self.put("citation", key, key)

    def begin(self, kind: MarkKind, target: str) -> str:
        """What opens a mark whose text is not known yet; `END` closes the one opened last."""
        self.said.append((kind, target))
        return f"{_OPEN}{len(self.said) - 1}{_IS}"

    def taken_out(self, text: str) -> tuple[str, tuple[Placed, ...]]:
        """The text without its marks, and where they stand in it, in order."""
        if _OPEN not in text and _IS not in text and _CLOSE not in text:
            return text, ()
        out: list[str] = []
        open_: list[tuple[int, int]] = []
        found: list[Placed] = []
        length = position = 0
        for piece in _PIECES.finditer(text):
            out.append(text[position : piece.start()])
            length += len(out[-1])
            position = piece.end()
            if piece[1]:
                open_.append((int(piece[1]), length))
            elif piece[0] == _CLOSE and open_:
                number, start = open_.pop()
                if number < len(self.said) and start < length:
                    found.append((start, length, *self.said[number]))
        return "".join([*out, text[position:]]), tuple(sorted(found))


def without_marks(text: str) -> str:
    """The text alone."""
    return SIGNS.sub("", text)
