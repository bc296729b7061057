"""Text → the terms that the lexical index counts: stems for alphabets, characters and pairs for Han, kana, Hangul.

Stems lose their accents, which questions are often typed without; where two scripts meet in a word, it is cut.
The same function reads documents and questions; knows no index.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

import Stemmer

_UNSPACED = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af"
_LETTERS = rf"[^\W_{_UNSPACED}]+"
_TOKEN = re.compile(rf"[{_UNSPACED}]+|{_LETTERS}(?:[.'’]{_LETTERS})*")
UNSPACED = re.compile(rf"[{_UNSPACED}]")
"""A character of a script that puts no spaces between words."""
_ACCENTED_LATIN = re.compile(r"[\u00c0-\u024f]")
_SNOWBALL = {
    "ar": "arabic", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish", "fi": "finnish",
    "fr": "french", "hu": "hungarian", "it": "italian", "nl": "dutch", "no": "norwegian", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sv": "swedish", "tr": "turkish",
}  # fmt: skip


def words(text: str) -> list[str]:
    """Case-folded words of `text` (NFKC), scripts without spaces as whole runs; no stemming."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold().replace("’", "'"))


def terms(text: str, language: str | None = "en") -> list[str]:
    """The index terms of `text` in order, repeated as often as they occur."""
    found: list[str] = []
    for word in words(text):
        if UNSPACED.match(word):
            found.extend(word)
            found.extend(a + b for a, b in pairwise(word))
        else:
            found.append(stem(word.removesuffix("'s"), language))
    return found


def question_terms(text: str, languages: Iterable[str | None]) -> list[str]:
    """The terms of a question for an index that holds several languages: each word's stem in each of them."""
    found: dict[str, None] = {}
    for language in dict.fromkeys(languages) or (None,):
        found.update(dict.fromkeys(terms(text, language)))
    return list(found)


@lru_cache(maxsize=200_000)
def stem(word: str, language: str | None) -> str:
    """Snowball's stem of `word` (Porter 2001), without accents; English for languages it does not know."""
    found = str(_stemmer(_SNOWBALL.get((language or "en").split("-")[0].lower(), "english")).stemWord(word))
    if not _ACCENTED_LATIN.search(found):
        return found
    return "".join(c for c in unicodedata.normalize("NFD", found) if not unicodedata.combining(c))


@lru_cache(maxsize=32)
def _stemmer(algorithm: str) -> Stemmer.Stemmer:
    return Stemmer.Stemmer(algorithm)
