"""The words by which questions of a kind are told, one file a language, behind one door.

`said(kind)` is the union over languages: a word of one language that means another thing in the next is left out of
the lists instead of being guarded against here.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from rag.lexical import UNSPACED, terms, words

LANGUAGES = ("en", "de", "es", "fr", "pt", "zh")


@cache
def said(kind: str) -> frozenset[str]:
    """The words of a kind, case-folded, of all languages."""
    return frozenset(w for language in LANGUAGES for w in _lists(language).get(kind, "").split())


@cache
def known() -> frozenset[str]:
    """Every word that tells a kind: none of them is a slip."""
    return frozenset().union(*(said(kind) for language in LANGUAGES for kind in _lists(language)))


@cache
def said_terms(kind: str) -> frozenset[str]:
    """The same as index terms."""
    return frozenset(t for w in said(kind) for t in terms(w))


def speaks(kind: str, text: str) -> bool:
    """Whether a text has a word of the kind; of a script without spaces, any stretch of it."""
    if not said(kind).isdisjoint(words(text)):
        return True
    return any(UNSPACED.match(w) and w in text for w in said(kind))


@cache
def _lists(language: str) -> dict[str, str]:
    found = json.loads(files("rag.answer").joinpath(f"words/{language}.json").read_text(encoding="utf-8"))
    return {str(k): str(v) for k, v in found.items()}
