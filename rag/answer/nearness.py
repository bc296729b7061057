"""How much of a question a sentence in another language says, word by word. Knows no index and no prose.

Words are compared by the vectors that a multilingual encoder gives them ("企业" and "enterprise", "usuarios" and
"users" lie close together). Where a script puts no spaces between words, the question is cut into those stretches that
the words of the sentences say best: what divides words is that each means something.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from rag.function_words import ASKING_CHARACTERS, STOP
from rag.lexical import UNSPACED, words
from rag.retrieve import Vectors

Meanings = Callable[[Sequence[str]], Vectors]
_LONGEST_WORD = 4
"""Characters of a word in a script without spaces."""
_CHARACTER = 0.35
"""What a character by itself is worth, as a cosine: single ones are like too much."""
_SPACED = 2
"""What a word with spaces around it weighs, in characters of a script without."""
_MOST = 200
"""Characters of a stretch without spaces that are cut into words."""


def held(question: str, sentences: Sequence[str], meanings: Meanings) -> list[float]:
    """For each sentence the share of the question's words that it says, 0 to 1.

    A word counts as far as its nearest word in the sentence is near: by the cosine of `meanings`, shape (n, d).
    """
    said = [[w for w in dict.fromkeys(words(s)) if w not in STOP] for s in sentences]
    vocabulary = list(dict.fromkeys(w for own in said for w in own))
    if not vocabulary:
        return [0.0] * len(sentences)
    vectors = meanings(vocabulary)
    asked = _words(question, vectors, meanings)
    if not asked:
        return [0.0] * len(sentences)
    near = meanings(list(asked)) @ vectors.T
    weights = np.array(list(asked.values()), dtype=np.float32)
    place = {word: i for i, word in enumerate(vocabulary)}
    return [
        max(0.0, float(near[:, [place[w] for w in own]].max(axis=1) @ weights / weights.sum())) if own else 0.0
        for own in said
    ]


def _words(question: str, vocabulary: Vectors, meanings: Meanings) -> dict[str, float]:
    """The content words of a question and what each weighs."""
    found: dict[str, float] = {}
    for run in words(question):
        if UNSPACED.match(run):
            cut = _cut(run[:_MOST], vocabulary, meanings)
            found.update((w, len(w)) for w in cut if not ASKING_CHARACTERS.issuperset(w))
        elif run not in STOP and len(run) > 1:
            found[run] = _SPACED
    return found


def _cut(run: str, vocabulary: Vectors, meanings: Meanings) -> list[str]:
    """A stretch without spaces as words, those that the vocabulary says best: the best sum over all ways to cut it."""
    spans = [(i, j) for i in range(len(run)) for j in range(i + 1, min(len(run), i + _LONGEST_WORD) + 1)]
    nearest = (meanings([run[i:j] for i, j in spans]) @ vocabulary.T).max(axis=1)
    worth = {(i, j): near * (j - i) if j - i > 1 else _CHARACTER for (i, j), near in zip(spans, nearest, strict=True)}
    best: list[tuple[float, int]] = [(0.0, 0)]
    for j in range(1, len(run) + 1):
        best.append(max((best[i][0] + worth[i, j], i) for i in range(max(0, j - _LONGEST_WORD), j)))
    cut, j = [], len(run)
    while j > 0:
        cut.append(run[best[j][1] : j])
        j = best[j][1]
    return cut[::-1]
