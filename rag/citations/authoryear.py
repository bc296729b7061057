"""Author–year citations: every year of the text, the names that stand before it, and the entry both mean.

The search starts from years, since a citation of this kind cannot do without one ("n.d." and "forthcoming" count).
`phrases` reads what stands left of each; the reading that names an entry's authors best, with its year, wins.
What names nobody listed is looked at a second time, when it is known which entries are cited for certain.
"""

from __future__ import annotations

import difflib
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rag.citations.cues import CUES
from rag.citations.matching import EXACT, Agreement, Phrase, family
from rag.citations.names import AuthorIndex, Entry, Name, words
from rag.citations.patterns import CREDITS, IBID, MORE_SUFFIXES, NOT_AUTHORS, PRINTED_ENTRY, SECOND_HAND, YEAR
from rag.citations.phrases import CLOSE, OPEN, Reading, bounds, only_locators, readings
from rag.types import MentionKind, Resolution

_REACH = 260
"""Characters left of a year in which its authors must begin."""
_LIFE_DATES = re.compile(r"\s?[-–—]\s?(?:\d|\?|\))")
_NAMED = re.compile(r"(?<![\w(])[A-ZÀ-ÖØ-ÞА-Я][\w'’-]{2,}")
_POSSESSIVE = re.compile(r"['’]s?$")
_PAGE = re.compile(r"[,:]\s*(?:pp?\.|S\.|n\.\s?p)")
_PLACE = re.compile(r"\b(?:in|im|em|en|à|au|aux|na|no|nas|nos|from|across)\s+$", re.IGNORECASE)
"""Words before the name of a place, and hardly ever of an author."""
_SAYS = re.compile(
    rf"[)\]）］]\s*(?:[,，][^,()]{{2,40}}[,，]\s*)?(?:[^\W\d_]+\s+){{0,2}}?(?!not\b)"
    rf"(?:{'|'.join(c.verbs for c in CUES.values())})",
    re.IGNORECASE,
)
"""Behind a narrative citation: somebody says, shows, argues."""
_BEFORE = 250
"""Characters before a bracket with nothing but a year in which its author may be named."""
_LONGEST_NAME = 60
"""Letters of a name that may be spelt otherwise."""
_MOST_COMPARED = 100_000
"""Entries that the names of one text are compared with, by their spelling."""
_BREAK = re.compile(r"\n\s*+")
_NEAR = 60
"""Characters between two works of one bracket, at most."""


@dataclass(slots=True)
class Part:
    """One citation part as it was found: who, when and where, and the entry it was given."""

    start: int
    end: int
    kind: MentionKind
    year: int | None
    suffix: str
    cited: str
    """The citation as it would stand alone, for messages."""
    phrase: Phrase
    bracketed: bool
    """Whether the year stands in a bracket."""
    entry: Entry | None = None
    resolution: Resolution = "missing"
    candidates: tuple[Entry, ...] = ()
    agreement: Agreement | None = None
    repeats: bool = False
    """Whether it only says "ibid."."""


def find(text: str, index: AuthorIndex, shortened: dict[str, tuple[str, ...]]) -> list[Part]:
    """Every author–year citation of `text`, in order; one that names nobody listed only where its form is clear.

    `shortened` maps an acronym to the words it stands for in this text.
    """
    parts: list[Part] = []
    last_end, last, last_opening = 0, None, -1
    for match in YEAR.finditer(text):
        start = match.start()
        floor = max(last_end, start - _REACH, 0)
        floor = max(floor, text.rfind("\n\n", floor, start) + 2 if "\n\n" in text[floor:start] else 0)
        opening, begin, end = bounds(text, floor, start)
        inside = opening >= 0 or (last_opening >= 0 and floor == last_end and not _closed(text, floor, start))
        found = list(readings(text, begin, end, index, shortened))
        again = not found and last is not None and floor == last_end and only_locators(text[floor:start])
        if again and last is not None:
            found = [last]
        if not found and opening >= 0 and end <= opening and (lone := _lone(text, match, index)) is not None:
            found, again = [lone], True
        if not found or (not inside and PRINTED_ENTRY.search(text[max(found[0].start, start - _REACH) : start])):
            continue
        new = list(_resolve(text, match, found, inside=inside, again=again, bracketed=inside or again))
        if not new:
            last = last if again else None
            continue
        narrative = not again and opening >= 0 and end <= opening
        for part in new:
            part.kind = "parenthetical" if inside and not narrative else "narrative"
        if narrative and len(new) == 1 and text.startswith(tuple(CLOSE), new[0].end):
            new[0].end += 1
        parts.extend(new)
        last_end = max(match.end(), new[-1].end)
        last_opening = opening if opening >= 0 else (last_opening if inside else -1)
        last = next((r for r in found if r.start == new[0].start), found[0])
    return parts


def _closed(text: str, start: int, end: int) -> bool:
    depth = 0
    for char in text[start:end]:
        depth += (char in OPEN) - (char in CLOSE)
        if depth < 0:
            return True
    return False


def _resolve(
    text: str, match: re.Match[str], found: list[Reading], *, inside: bool, again: bool, bracketed: bool
) -> Iterator[Part]:
    """The parts that one year (with further suffix letters) stands for, each with its entry where there is one."""
    year = int(match["year"]) if match["year"] else None
    earlier = re.search(r"\d{4}", match["original"] or "")
    for i, (letter, begin, end) in enumerate(_letters(text, match)):
        best = _best(found, year, letter, int(earlier[0]) if earlier else None, bracketed=bracketed)
        reading = best[0] if best else _plausible(found, text, end, inside=inside, again=again)
        if reading is None:
            continue
        start = begin if again or i else reading.start
        named = text[reading.start : min(match.start(), reading.start + _REACH)]
        names = " ".join(named.split()).rstrip(" ,([")
        part = Part(
            start, end, "parenthetical", year, letter, f"{names}, {year or match[0]}{letter}", reading.phrase, bracketed
        )
        if best:
            _, part.entry, part.agreement, ties = best
            part.candidates = tuple(ties)
            part.resolution = "ambiguous" if ties else "exact" if part.agreement.full else "author-variant"
        else:
            part.candidates = tuple(e for e, a in reading.matches if a.unmatched == 0)
        yield part


def _letters(text: str, match: re.Match[str]) -> list[tuple[str, int, int]]:
    """The year's letters with their places: "2004a, b" gives two."""
    found = [((match["suffix"] or "").strip().lower(), match.start(), match.end())]
    while found[-1][0]:
        further = MORE_SUFFIXES.match(text, found[-1][2])
        if further is None or further["suffix"] <= found[-1][0]:
            break
        found.append((further["suffix"], further.start("suffix"), further.end()))
    return found


def _best(
    found: list[Reading], year: int | None, suffix: str, earlier: int | None, *, bracketed: bool
) -> tuple[Reading, Entry, Agreement, list[Entry]] | None:
    """The entry whose authors and year agree best, over all readings; None where no entry agrees in both."""
    agreed: list[tuple[tuple[int, ...], Reading, Entry, Agreement]] = []
    for reading in found:
        loose = not bracketed and len(reading.phrase.whole) < 4
        for entry, agreement in reading.matches:
            if loose and entry.names and entry.names[0].corporate and reading.phrase.people:
                continue  # "the Academy 2023 report" is no citation; "Department of Letters and Doe, 2023" is
            dated = 0 if agreement.unmatched else _year_agrees(entry, year, suffix, earlier)
            if dated and (reading.sure or agreement.counted):
                key = (dated, agreement.matched, agreement.counted, agreement.total, reading.clean)
                agreed.append((key, reading, entry, agreement))
    if not agreed:
        return None
    top = max(key for key, *_ in agreed)
    first = [(r, e, a) for key, r, e, a in agreed if key == top]
    reading, entry, agreement = first[0]
    return reading, entry, agreement, [e for _, e, _ in first[1:] if e is not entry]


def _year_agrees(entry: Entry, year: int | None, suffix: str, earlier: int | None) -> int:
    if year is None:
        return int(entry.year is None) * 3
    if year == entry.year:
        if suffix == entry.suffix:
            return 3
        return 2 if not suffix or not entry.suffix else 0
    return int(year in entry.years or (earlier is not None and earlier in entry.years))


def _plausible(found: list[Reading], text: str, end: int, *, inside: bool, again: bool) -> Reading | None:
    """The reading to report as missing: only where the form leaves little doubt that this is a citation."""
    usual = [] if again else [r for r in found if r.clean and r.sure and not any(map(_no_name, r.phrase.people))]
    listed = [r for r in usual if any(a.unmatched == 0 for _, a in r.matches)]
    whole = [r for r in usual if text[r.start].isupper() and (inside or _credited(text, r, end))]
    return next(iter([r for r in listed if not whole or r.start <= whole[0].start] + whole + listed), None)


def _credited(text: str, reading: Reading, end: int) -> bool:
    """Whether the words around a narrative citation say that somebody is credited with something."""
    people = reading.phrase.people
    if any(len(p) > 3 for p in people) or len(people) > 4:
        return False
    return reading.phrase.et_al or _told(text, reading.start, end)


def _told(text: str, start: int, end: int) -> bool:
    """Whether a name at `start` is credited by the words before it, or says something behind the bracket at `end`."""
    before = max(0, start - 30)
    if _PLACE.search(text, before, start):
        return False
    return bool(CREDITS.search(text, before, start) or _SAYS.match(text, end))


def _lone(text: str, match: re.Match[str], index: AuthorIndex) -> Reading | None:
    """The reading of "(1987, p. 19)" whose author stands a few words before: the one entry of that year it can be."""
    year = int(match["year"]) if match["year"] else None
    start = max(0, match.start() - _BEFORE)
    start = max(start, text.rfind("\n\n", start, match.start()) + 2 if "\n\n" in text[start : match.start()] else 0)
    shown = _NAMED.finditer(text, start, match.start())
    named = {one for word in shown for one in words(_POSSESSIVE.sub("", word[0]))}
    suffix = (match["suffix"] or "").strip().lower()
    cited = {
        e.id: e
        for name in named
        if len(name) > 2
        for e in index.by_year_and_name.get((year or 0, name), ())
        if suffix in {"", e.suffix}
    }
    if len(cited) != 1:
        return None
    (entry,) = cited.values()
    agreement = Agreement(EXACT, 1, 0, 2, EXACT)
    return Reading(match.start(), Phrase((entry.names[0].family,), (), et_al=False), matches=[(entry, agreement)])


def _no_name(person: tuple[str, ...]) -> bool:
    return person[0] in NOT_AUTHORS or person[-1] in NOT_AUTHORS


def settle(text: str, parts: list[Part], index: AuthorIndex) -> list[Part]:
    """Second look at what found no entry: another year, another spelling; what is then too doubtful is dropped."""
    sure = [p for p in parts if p.entry is not None and p.phrase.people]
    taken = {p.entry.id for p in sure if p.entry is not None}
    commas = [_comma(text, p) for p in sure if p.kind == "parenthetical"]
    usual = sum(commas) * 2 >= len(commas) if len(commas) >= 3 else None
    kept = []
    spelling = _Spelling(index)
    for part in parts:
        if part.entry is None and _like_citation(text, part):
            if part.candidates:
                _other_year(part, taken)
            elif part.year is not None:
                _other_spelling(part, spelling)
            if part.entry is None and part.kind == "parenthetical" and usual not in {None, _comma(text, part)}:
                continue
            if part.entry is None and SECOND_HAND.match(text, part.end):
                continue  # only the work it was read in need be listed
        if part.entry is not None or _like_citation(text, part):
            kept.append(part)
    return kept


def _comma(text: str, part: Part) -> bool:
    """Whether a comma (or an opening bracket, for "[2004]") stands before the year."""
    return bool(re.search(r"[,，]\s*\S{1,12}$", text[part.start : part.end]))


def _like_citation(text: str, part: Part) -> bool:
    """Whether a part that leads nowhere has a form that hardly anything but a citation has."""
    people = part.phrase.people
    if _LIFE_DATES.match(text, part.end) or any(c.isdigit() for p in people for w in p for c in w):
        return False
    several = part.phrase.et_al or len(people) > 1
    if part.kind == "parenthetical" or several or not part.bracketed:
        return part.bracketed or several
    end = part.end - 1 if text[part.end - 1] in CLOSE else part.end
    if _told(text, part.start, end):
        return True
    return any(not e.names[0].corporate for e in part.candidates if e.names) or bool(_PAGE.match(text, part.end))


def repeat(text: str, parts: list[Part]) -> list[Part]:
    """Add the "ibid."s: each means the one work cited just before it, at most a paragraph (or a note) earlier."""
    added: list[Part] = []
    starts = [p.start for p in parts]
    breaks = [m.start() for m in _BREAK.finditer(text)]
    for match in IBID.finditer(text):
        start, end = match.span("ibid")
        at = bisect_left(starts, start)
        last = parts[at - 1] if at else None
        if last is None or last.entry is None or bisect_left(breaks, start) - bisect_left(breaks, last.end) > 1:
            continue
        gap = text[max(parts[at - 2].end, last.start - _NEAR) : last.start] if at > 1 else ""
        if ";" in gap and last.start - parts[at - 2].end < _NEAR:
            continue
        added.append(replace(last, start=start, end=end, kind="parenthetical", repeats=True))
    return sorted([*parts, *added], key=lambda p: (p.start, p.end))


def _other_year(part: Part, taken: set[str]) -> None:
    """Same authors, another year: the nearest entry, if it is the only one or near, and nothing else cites it."""
    ranked = sorted(part.candidates, key=lambda e: (e.id in taken, _apart(e, part)))
    nearest = ranked[0]
    apart = _apart(nearest, part)
    if any((e.id in taken, _apart(e, part)) == (nearest.id in taken, apart) for e in ranked[1:]):
        return
    several = len(part.phrase.people) > 1
    printed = [e for e in ranked if re.search(rf"\b{part.year}\b", e.raw)]
    if len(printed) == 1 and printed[0] is not nearest:
        nearest, apart = printed[0], 0
    if nearest.id in taken:
        near = apart <= 1 and (several or len(ranked) == 1)
    else:
        near = len(ranked) == 1 or apart <= (3 if several or len(ranked) == 2 else 1)
    if near:
        part.entry, part.resolution = nearest, "year-mismatch"
        part.candidates = tuple(e for e in ranked if e is not nearest)


def _apart(entry: Entry, part: Part) -> int:
    return abs(entry.year - part.year) if entry.year is not None and part.year is not None else 2


class _Spelling:
    """Looks for names spelt nearly alike; each is compared with a year's entries once, and all together so often."""

    def __init__(self, index: AuthorIndex) -> None:
        self._index = index
        self._known: dict[tuple[tuple[tuple[str, ...], ...], int], list[Entry]] = {}
        self._left = _MOST_COMPARED

    def close(self, people: tuple[tuple[str, ...], ...], year: int) -> list[Entry]:
        """The entries of the year whose authors are spelt nearly so."""
        if (people, year) not in self._known:
            entries = self._index.by_year.get(year, ()) if people and self._left > 0 else ()
            self._left -= len(entries)
            self._known[people, year] = [
                e
                for e in entries
                if e.names
                and _alike(people[0], e.names[0])
                and all(any(_alike(p, n) for n in e.names[1:]) for p in people[1:])
            ]
        return self._known[people, year]


def _other_spelling(part: Part, spelling: _Spelling) -> None:
    """Same year, names spelt nearly alike: one entry only, or none."""
    close = spelling.close(part.phrase.people, part.year or 0)
    if len(close) == 1:
        part.entry, part.resolution = close[0], "author-variant"
    else:
        part.candidates = tuple(close)


def _alike(cited: tuple[str, ...], name: Name) -> bool:
    if family(cited, name):
        return True
    one, other = "".join(cited), "".join(name.family)
    return 3 < len(one) <= _LONGEST_NAME >= len(other) and difflib.SequenceMatcher(None, one, other).ratio() >= 0.8
