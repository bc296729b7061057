"""What people type, before anything reads it: on one line, and no longer than the settings allow.

One door for questions, searches, the turns before a question and the values of filters. The patterns that read
questions count on it: runs of white space are one space, and there is no line break. Knows no index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.errors import InputError

MOST_VALUES, LONGEST_VALUE = 1_000, 500
"""Values that a filter may have, and characters that one of them may have."""
REMEMBERED = 6
"""Turns that are looked back on."""
_ANSWER = 2_000
"""Characters of an earlier answer that are looked at: it is asked for the first name in it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question asked before, and what was answered when that is known."""

    question: str
    answer: str | None = None


def line(text: str) -> str:
    """`text` with every run of white space, line breaks included, as one space, and none around it."""
    return " ".join(text.split())


def question(text: str, longest: int, name: str = "the question") -> str:
    """A question on one line. Raises InputError when it has more than `longest` characters or is no plain text."""
    if len(text) > longest:
        raise InputError(f"{name} has {len(text):,} characters; at most {longest:,} are taken: ask in fewer words")
    if any((ord(c) < 32 and c not in "\t\n\r") or 0xD800 <= ord(c) <= 0xDFFF for c in text):
        raise InputError(f"{name} holds control characters or broken Unicode; send plain text")
    folded = line(text)
    if not folded:
        raise InputError(f"{name} is empty; ask something in words")
    return folded


def earlier(turns: Sequence[Turn], longest: int) -> list[Turn]:
    """The turns that are looked back on, oldest first; of a long answer its beginning.

    Raises InputError naming the turn whose question could not have been asked.
    """
    first = max(0, len(turns) - REMEMBERED)
    return [turn(one, longest, f"history[{place}].question") for place, one in enumerate(turns[first:], first)]


def turn(given: Turn, longest: int, name: str = "an earlier question") -> Turn:
    """A turn whose question is on one line, and of whose answer the beginning is kept. Raises InputError."""
    answer = None if given.answer is None else line(given.answer[: 2 * _ANSWER])[:_ANSWER]
    return Turn(question(given.question, longest, name), answer)
