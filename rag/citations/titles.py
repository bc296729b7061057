"""Works that the text names by their title, in a sentence without a citation of its own.

Only whole titles (up to the colon) of several words count, and only where they look like titles: between quotation
marks, or capitalised as the text around them is not. Runs in one pass over the text, whatever the list's length.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from rag.citations.names import Entry, main_titles, words

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)*")
_QUOTES = "\"“”„«»‘’'《》「」『』"
_FEWEST = 4
_KEY = 3


@dataclass(frozen=True, slots=True)
class Named:
    """A title as it stands in the text, and the entries that bear it."""

    start: int
    end: int
    entries: tuple[Entry, ...]


def find(text: str, entries: Sequence[Entry]) -> list[Named]:
    """Every place where the text writes out a listed title, in order."""
    wanted: dict[tuple[str, ...], list[tuple[tuple[str, ...], Entry]]] = defaultdict(list)
    for entry in entries:
        for title in main_titles(entry):
            if len(title) >= _FEWEST:
                wanted[title[:_KEY]].append((title, entry))
    if not wanted:
        return []
    tokens = [(w, m.start(), m.end()) for m in _TOKEN.finditer(text) for w in words(m[0])]
    plain = [w for w, *_ in tokens]
    found: list[Named] = []
    for i in range(len(plain) - _FEWEST + 1):
        here = [(t, e) for t, e in wanted.get(tuple(plain[i : i + _KEY]), ()) if tuple(plain[i : i + len(t)]) == t]
        if not here:
            continue
        longest = max(len(t) for t, _ in here)
        start, end = tokens[i][1], tokens[i + longest - 1][2]
        if text[end : end + 1] == ")" and "(" in text[start:end]:
            end += 1
        if "\n\n" in text[start:end] or (found and start < found[-1].end) or not _looks_like_title(text, start, end):
            continue
        found.append(Named(start, end, tuple({e.id: e for t, e in here if len(t) == longest}.values())))
    return found


def _looks_like_title(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - 1) : start], text[end : end + 4].lstrip(")]）,. ")[:1]
    if before and before in _QUOTES and after and after in _QUOTES:
        return True
    shown = [w for w in text[start:end].split() if len(w) > 3]
    capital = sum(w[0].isupper() for w in shown)
    return len(shown) >= 4 and capital == len(shown)
