"""What there is to say, before it is put into words: the plan that a kind of question makes and `compose` writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from rag.answer.corroborate import Compared
from rag.answer.gather import Piece
from rag.types import Span

Outcome = Literal["answered", "found", "denied", "none"]
"""Sure; the closest passages; what the question takes for granted is denied; nothing speaks of it."""
MOST_WORDS = 140
"""Words of an answer, unless a list needs more."""


@dataclass(slots=True)
class Told:
    """What there is to say. No pieces: nothing."""

    pieces: list[Piece] = field(default_factory=list)
    outcome: Outcome = "answered"
    kind: str = "fact"
    notices: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """What the question asks for and the pieces do not cover, in words."""
    open: list[str] = field(default_factory=list)
    """Of several questions in one, those that the sources do not answer."""
    confidence: float = 0.0
    threshold: float = 0.0
    says: str = ""
    """"Yes" or "No", where the question wants one and the sentence gives it."""
    answering: Span | None = None
    """The piece that answers best."""
    compared: Compared = field(default_factory=Compared)
    """What other documents say to it."""
    wordable: bool = False
    """Whether a language model may word it; what is looked up is not its to word."""
    sure: bool = False
    """Whether it is known that there is nothing: nobody else need look."""


def trimmed(pieces: list[Piece], most: int = MOST_WORDS) -> list[Piece]:
    """The first pieces, as many as `most` words hold; at least one."""
    kept: list[Piece] = []
    total = 0
    for piece in pieces:
        total += len(words_of(piece))
        if kept and total > most:
            break
        kept.append(piece)
    return kept


def words_of(piece: Piece) -> list[str]:
    """The words that a piece shows."""
    passage = piece.passage
    return (piece.text or passage.text[piece.span.start - passage.start : piece.span.end - passage.start]).split()
