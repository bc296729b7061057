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
_FEWEST, _MOST = 4, 60
"""Words of a title that is looked for."""
_KEY = 3
_BEGINNING = 200
"""Characters of an entry by whose words it may be cited."""


_CUT = re.compile(r"(?<=[(;\[])\s?([^\W\d_][^()\[\];…\n\d]{1,60}?)\s?(?:…|\.\.\.),?\s?(\d{4})[a-z]?(?=[,;)\]])")
"""An entry without an author, cited by how it begins: "(A HORAS…, 2018)" (ABNT NBR 10520)."""


@dataclass(frozen=True, slots=True)
class Named:
    """A title as it stands in the text, and the entries that bear it."""

    start: int
    end: int
    entries: tuple[Entry, ...]


def find(text: str, entries: Sequence[Entry]) -> list[Named]:
    """Every place where the text writes out a listed title, in order."""
    bearers: dict[tuple[str, ...], dict[str, Entry]] = defaultdict(dict)
    lengths: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for entry in entries:
        for title in main_titles(entry):
            if _FEWEST <= len(title) <= _MOST:
                bearers[title][entry.id] = entry
                lengths[title[:_KEY]].add(len(title))
    if not bearers:
        return []
    tokens = [(w, m.start(), m.end()) for m in _TOKEN.finditer(text) for w in words(m[0])]
    plain = [w for w, *_ in tokens]
    found: list[Named] = []
    for i in range(len(plain) - _FEWEST + 1):
        possible = lengths.get(tuple(plain[i : i + _KEY]), ())
        longest = max((n for n in possible if i + n <= len(plain) and tuple(plain[i : i + n]) in bearers), default=0)
        if not longest:
            continue
        start, end = tokens[i][1], tokens[i + longest - 1][2]
        if text[end : end + 1] == ")" and "(" in text[start:end]:
            end += 1
        if "\n\n" in text[start:end] or (found and start < found[-1].end) or not _looks_like_title(text, start, end):
            continue
        found.append(Named(start, end, tuple(bearers[tuple(plain[i : i + longest])].values())))
    return found


def cut_short(text: str, entries: Sequence[Entry]) -> list[Named]:
    """Every citation by the first words of an entry and its year."""
    matches = list(_CUT.finditer(text))
    begun: dict[str, list[tuple[tuple[str, ...], Entry]]] = defaultdict(list)
    for entry in entries if matches else ():
        said = words(entry.raw[:_BEGINNING])
        if said:
            begun[said[0]].append((said, entry))
    found = []
    for match in matches:
        cut = words(match[1])
        same = begun.get(cut[0], ()) if cut else ()
        meant = tuple(e for said, e in same if said[: len(cut)] == cut and int(match[2]) in e.years)
        if meant:
            found.append(Named(match.start(1), match.end(), meant))
    return found


def _looks_like_title(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - 1) : start], text[end : end + 4].lstrip(")]）,. ")[:1]
    if before and before in _QUOTES and after and after in _QUOTES:
        return True
    shown = [w for w in text[start:end].split() if len(w) > 3]
    capital = sum(w[0].isupper() for w in shown)
    return len(shown) >= 4 and capital == len(shown)
