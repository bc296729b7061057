"""A long passage → the part of it that a small cross-encoder should read for a question.

Reading takes time in proportion to length, and most of a passage says nothing to one question. The window is
a run of whole sentences that fits, chosen by the question's words, the long ones counting more: no index and
no other passage is needed, so training and search cut alike. Knows no model.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rag.lexical import stem, words

_SHORTEST, _LONGEST = 3, 8


def keys(text: str) -> frozenset[str]:
    """The stems of the words of `text` that have three characters or hold a digit."""
    return frozenset(
        stem(word.removesuffix("'s"), "en")
        for word in words(text)
        if len(word) >= _SHORTEST or any(c.isdigit() for c in word)
    )


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
