"""Words that the sources do not have, read as words that they have, one slip of the finger away.

Every word one edit away (Damerau 1964: a letter too many, too few, wrong, or two swapped) is looked up in the index's
own vocabulary; nothing is corrected to what the sources do not say, and whoever asked is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from rag.answer import wording
from rag.function_words import STOP, language_of
from rag.lexical import question_terms, stem
from rag.store import Generation

_WORD = re.compile(r"(?<![^\W_])(?:[^\W\d_]{5,24}|[A-Z][^\W\d_]{3})(?![^\W_])")
_LETTERS = "abcdefghijklmnopqrstuvwxyzäöüßáéíóúñçãõàèêâîôû"


def corrected(
    text: str, generation: Generation, language: str | None, is_word: Callable[[str], bool]
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """`text` with its slips mended, and each slip with what it was taken for.

    English only: a word that `is_word` knows is no slip, whether or not the sources have it, and of other languages
    nobody here knows the words.
    """
    if language_of(text) not in {None, "en"}:
        return text, ()
    unknown = generation.idf("\0")
    mended: list[tuple[str, str]] = []

    def known(word: str) -> bool:
        return any(generation.idf(term) < unknown for term in question_terms(word, generation.languages))

    def mend(match: re.Match[str]) -> str:
        typed = match.group()
        word = typed.casefold()
        if word in STOP or word in wording.known() or is_word(word) or known(word):
            return typed
        best: tuple[float, str] | None = None
        for other in _edits(word):
            rarity = generation.idf(stem(other, language))
            if rarity < unknown and (best is None or rarity < best[0]):
                best = (rarity, other)
        if best is None:
            return typed
        taken = best[1].capitalize() if typed[0].isupper() else best[1]
        mended.append((typed, taken))
        return taken

    return _WORD.sub(mend, text), tuple(mended)


def _edits(word: str) -> Iterator[str]:
    """The words one edit away; the first letter is seldom wrong, and stays."""
    for i in range(1, len(word)):
        yield word[:i] + word[i + 1 :]
        if i + 1 < len(word):
            yield word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    for letter in _LETTERS:
        for i in range(1, len(word)):
            yield word[:i] + letter + word[i + 1 :]
            yield word[:i] + letter + word[i:]
        yield word + letter
