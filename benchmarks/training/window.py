"""A long passage → the part of it that a small cross-encoder should read for a question.

Reading takes time in proportion to length, and most of a passage says nothing to one question. The window is
a run of whole sentences that fits, chosen by the question's words, the long ones counting more: no index and
no other passage is needed, so training and search lay a pair out alike. Knows no model.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from rag.encoder.judge import Frame, frame
from rag.lexical import stem, words

_SHORTEST, _LONGEST = 3, 8


def keys(text: str) -> frozenset[str]:
    """The stems of the words of `text` that have three characters or hold a digit."""
    return frozenset(
        stem(word.removesuffix("'s"), "en")
        for word in words(text)
        if len(word) >= _SHORTEST or any(c.isdigit() for c in word)
    )


@dataclass(frozen=True, slots=True)
class Cut:
    """A passage as it is laid out: each sentence's tokens, and its keys."""

    tokens: Sequence[Sequence[int]]
    keys: Sequence[Collection[str]]


def laid_out(
    question: Sequence[int], asked: Collection[str], title: Sequence[int], passage: Cut, room: Mapping[str, int]
) -> Frame:
    """`[CLS] question [SEP] title window [SEP]`, the window being the focus and the title what stands around it.

    `asked` are the question's keys; `room` has the most tokens of "question", "title" and "passage", the title's
    being part of the passage's.
    """
    head, first = list(title[: room["title"]]), list(question[: room["question"]])
    left = room["passage"] - len(head)
    chosen = best_window(asked, passage.keys, [len(one) for one in passage.tokens], left)
    focus = [token for sentence in passage.tokens[chosen] for token in sentence][:left]
    return frame(first, head, focus, [], len(first) + len(head) + len(focus) + 3)


def best_window(asked: Collection[str], sentences: Sequence[Collection[str]], sizes: Sequence[int], room: int) -> slice:
    """The run of sentences, at most `room` tokens, that holds most of `asked`; the earliest of equals.

    `sentences[i]` are sentence i's keys, `sizes[i]` its tokens. A first sentence longer than `room` stands alone.
    """
    best, most = slice(0, 0), -1
    for first in range(len(sentences)):
        size, last = sizes[first], first + 1
        found = {word for word in sentences[first] if word in asked}
        while last < len(sentences) and size + sizes[last] <= room:
            size += sizes[last]
            found.update(word for word in sentences[last] if word in asked)
            last += 1
        worth = sum(min(len(word), _LONGEST) for word in found)
        if worth > most:
            best, most = slice(first, last), worth
        if last == len(sentences):
            break
    return best
