"""Does a claim made of a passage's own words say what the passage says? By what is next to what, not by meaning.

A model that has learned to trust shared words lets pass what shares them all: two names exchanged, "may" left out, a
figure moved to another noun. So a claim that takes most of its words from a passage is laid beside the sentence it
took them from, and must keep their order, their neighbours and what qualifies them. What is put in other words is none
of this module's business. Knows English function words and no model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.function_words import STOP
from rag.lexical import terms

NEAR = 0.75
"""Least share of a claim's telling words that the passage has, for the claim to be held to their order."""
_SKIPPED = 2
"""Telling words that may be left out between two that are kept, without a comma on either side."""
_TOKEN = re.compile(r"\w[\w.,’'-]*\w|\w|[,;:()–—]")
_BREAK = frozenset(",;:()–—")
_NUMBERS = {
    "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15",
    "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19", "twenty": "20",
}  # fmt: skip
_QUALIFIERS: dict[str, tuple[str, ...]] = {
    "negation": ("not", "no", "never", "none", "neither", "nor", "without", "cannot", "nobody", "nothing"),
    "modality": (
        "may", "might", "could", "would", "will", "must", "should", "can", "shall", "whether", "if", "unless",
        "probably", "possibly", "perhaps", "likely", "reportedly", "allegedly", "apparently",
    ),
    "quantity": (
        "all", "every", "each", "most", "many", "some", "few", "several", "half", "nearly", "almost", "only", "both",
        "any", "always", "often", "sometimes", "rarely",
    ),
}  # fmt: skip
_OPEN = re.compile(
    r"(?:intend|plan|propos|expect|suspect|believ|doubt|den[iy]|refus|fail|lack|alleg|hope|demand)(?:e?s|e?d|n?ed|n?ing|e)?"
)
"""Words under which nothing is said to be so."""
_LEANING = frozenset(
    {
        "it",
        "its",
        "they",
        "their",
        "them",
        "he",
        "his",
        "him",
        "she",
        "her",
        "this",
        "that",
        "these",
        "those",
        "such",
        "both",
    }
)
_RELATIVE = frozenset({"which", "who", "that"})
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d")
_DATE = re.compile(
    rf"{_YEAR.pattern}|januari|februari|march|april|may|june|juli|august|septemb|octob|novemb|decemb|earli|late"
)
"""Stems of words that tell a date."""
_BY = re.compile(r"\b(?:was|were|is|are|been|be|being)\b.{0,40}\bby\b")


@dataclass(frozen=True, slots=True)
class _Word:
    said: str
    key: str
    """By which the same word is known again; empty for words that tell nothing."""


def faithful(claim: str, sentences: Sequence[str], best: int) -> bool:
    """Whether a claim keeps to the words it took; True as well where it took too few for that to be told.

    `sentences` are the passage's, and `sentences[best]` is the one the claim is nearest to.
    """
    asked = _words(claim)
    telling = [w.key for w in asked if w.key]
    evidence = _words(sentences[best])
    here = {w.key for w in evidence if w.key}
    anywhere = here | {w.key for s in sentences for w in _words(s) if w.key}
    if not telling or sum(k in anywhere for k in telling) < NEAR * len(telling):
        return True
    leaning = any(w.said in _LEANING for w in evidence[:3])
    before = {w.key for w in _words(sentences[best - 1])} if best and leaning else set()
    kept = [k for k in telling if k in here]
    if any(k not in here and k not in before for k in telling) or len(kept) < 2:
        return False  # a word from elsewhere stands in the place of one that was there
    if len({w.key for w in evidence if _YEAR.fullmatch(w.key)}) < 2:  # the only date may stand anywhere
        kept = [k for k in kept if not _DATE.fullmatch(k)] or kept
    places = _laid(kept, evidence)
    if (places is None) != _turned(claim, sentences[best]):
        return False  # order and voice change together: doer, deed, done to → done to, deed, doer
    if places is None:
        turned = (kept[n + 1 :] + kept[n : n + 1] + kept[:n] for n in range(1, len(kept) - 1))
        places = next(filter(None, (_laid(t, evidence, loosely=True) for t in turned)), None)
    return places is not None and _qualified(asked) == _qualified(_region(evidence, places))


def _region(evidence: Sequence[_Word], places: Sequence[int]) -> Sequence[_Word]:
    """What stands between the words that were taken, and before them up to the last mark."""
    start = places[0]
    while start and evidence[start - 1].said not in _BREAK:
        start -= 1
    return evidence[start : places[-1] + 1]


def _words(text: str) -> list[_Word]:
    found = []
    for token in _TOKEN.findall(text):
        said = token.casefold().rstrip(".,")
        number = _NUMBERS.get(said, said if said[:1].isdigit() else "")
        stems = terms(said) if said and said not in STOP else ()
        found.append(_Word(said or token, number.replace(",", "") or (stems[0] if stems else "")))
    return found


def _laid(kept: Sequence[str], evidence: Sequence[_Word], *, loosely: bool = False) -> list[int] | None:
    """Where the words stand in the sentence, in order and with little left out between; None where they do not."""
    best: list[int] | None = None
    for first in [n for n, w in enumerate(evidence) if w.key == kept[0]]:
        places = [first]
        for key in kept[1:]:
            at = next((n for n in range(places[-1] + 1, len(evidence)) if evidence[n].key == key), None)
            if at is None:
                break
            places.append(at)
        else:
            if loosely or all(_joined(evidence[a + 1 : b]) for a, b in pairwise(places)):
                best = places  # the last one that holds is the tightest
    return best


def _joined(between: Sequence[_Word]) -> bool:
    """Whether what is left out between two words is short, or set off by marks on both sides."""
    if sum(bool(w.key) for w in between) <= _SKIPPED and not any(w.said in _BREAK for w in between):
        return True
    if not between or between[0].said not in _BREAK:
        return False
    if len(between) == 2 and between[1].said in _RELATIVE:
        return True
    return [w for w in between if w.key or w.said in _BREAK][-1].said in _BREAK and len(between) > 1


def _turned(claim: str, evidence: str) -> bool:
    """Whether one is in the passive voice, with who did it, and the other is not."""
    return bool(_BY.search(claim)) != bool(_BY.search(evidence))


def _qualified(words: Sequence[_Word]) -> dict[str, frozenset[str]]:
    said = [w.said for w in words]
    found = {
        kind: frozenset(w for w in said if w in members or (kind == "negation" and w.endswith(("n't", "n’t"))))
        for kind, members in _QUALIFIERS.items()
    }
    found["open"] = frozenset(w[:5] for w in said if _OPEN.fullmatch(w))
    return found
