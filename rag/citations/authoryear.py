"""Author–year citations: every year of the text, the names that stand before it, and the entry both mean.

The search starts from years, since a citation of this kind cannot do without one ("n.d." and "forthcoming" count).
Left of each year stands the phrase of names; every place where it may begin is tried, and the reading that names an
entry's authors best wins. So no grammar of names is needed: the list says which words are authors.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from rag.citations.matching import Agreement, Phrase, agree
from rag.citations.names import AuthorIndex, Entry, words
from rag.citations.patterns import ET_AL, JOINERS, LOCATOR, MORE_SUFFIXES, NOT_AUTHORS, PREPOSITIONS, YEAR
from rag.types import MentionKind, Resolution

_TOKEN = re.compile(
    rf"(?P<etal>{ET_AL.pattern})|(?P<cjk>[\u3040-\u30ff\u3400-\u9fff]+)|(?P<word>[^\W\d_](?:[\w'’‘`´\-‑–]*\w)?(?:['’]s\b)?)|(?P<dot>\.+)"
    r"|(?P<mark>[,;&/、，；])|(?P<other>\S)",
    re.IGNORECASE,
)
_OPEN, _CLOSE = "([（［【", ")]）］】"
_BALANCED = re.compile(r"[(\[（][^()\[\]（）]{0,80}[)\]）]")
_REACH = 260
"""Characters left of a year in which its authors must begin."""
_MOST_WORDS = 22


@dataclass(slots=True)
class Part:
    """One citation part as it was found: who, when and where, and the entry it was given."""

    start: int
    end: int
    kind: MentionKind
    year: int | None
    suffix: str
    earlier: int | None
    names: str
    """The comparable words of the names, spaced."""
    cited: str
    """The citation as it would stand alone, for messages."""
    entry: Entry | None = None
    resolution: Resolution = "missing"
    candidates: tuple[Entry, ...] = ()
    agreement: Agreement | None = None


@dataclass(slots=True)
class _Reading:
    """One way of reading the phrase before a year."""

    start: int
    phrase: Phrase
    clean: bool
    """Whether nothing that could be another author is left outside, on the left."""
    matches: list[tuple[Entry, Agreement]] = field(default_factory=list)


def find(text: str, index: AuthorIndex, shortened: dict[str, tuple[str, ...]]) -> list[Part]:
    """Every author–year citation of `text`, in order; one that names nobody listed only where its form is clear.

    `shortened` maps an acronym to the words it stands for in this text.
    """
    parts: list[Part] = []
    last_end, last_reading, last_opening = 0, None, -1
    for match in YEAR.finditer(text):
        start = match.start()
        floor = max(last_end, text.rfind("\n\n", 0, start) + 2, start - _REACH, 0)
        opening, phrase_start, phrase_end = _phrase_bounds(text, floor, start)
        inside = opening >= 0 or (last_opening >= 0 and floor == last_end and not _closed(text, floor, start))
        readings = list(_readings(text, phrase_start, phrase_end, index, shortened))
        same = False
        if not readings and last_reading is not None and floor == last_end and _only_locators(text[floor:start]):
            readings, same = [last_reading], True
        if not readings:
            continue
        found = list(_resolve(text, match, readings, inside=inside, same=same))
        if not found:
            if not same:
                last_reading = None
            continue
        narrative = not same and opening >= 0 and phrase_end <= opening
        for part in found:
            part.kind = "parenthetical" if inside and not narrative else "narrative"
        if narrative and text[found[-1].end : found[-1].end + 1] in _CLOSE and len(found) == 1:
            found[0].end += 1
        parts.extend(found)
        last_end = max(match.end(), found[-1].end)
        last_opening = opening if opening >= 0 else (last_opening if inside else -1)
        last_reading = _reading_of(found[0], readings)
    return parts


def _reading_of(part: Part, readings: list[_Reading]) -> _Reading:
    return next((r for r in readings if r.start == part.start), readings[0])


def _closed(text: str, start: int, end: int) -> bool:
    depth = 0
    for char in text[start:end]:
        if char in _OPEN:
            depth += 1
        elif char in _CLOSE:
            depth -= 1
            if depth < 0:
                return True
    return False


def _phrase_bounds(text: str, floor: int, year: int) -> tuple[int, int, int]:
    """Where the bracket around the year opens (-1: before `floor`) and between which offsets the names may stand."""
    depth, opening = 0, -1
    for i in range(year - 1, floor - 1, -1):
        char = text[i]
        if char in _CLOSE:
            depth += 1
        elif char in _OPEN:
            if depth == 0:
                opening = i
                break
            depth -= 1
    if opening < 0:
        return -1, floor, year
    if _only_locators(text[opening + 1 : year]):
        return opening, floor, opening
    return opening, opening + 1, year


def _only_locators(gap: str) -> bool:
    return not re.search(r"[^\W\d_]", re.sub(r"\b(?:and|e|y|und|et|&|or|ou|o|also|again)\b", "", LOCATOR.sub("", gap)))


def _readings(
    text: str, start: int, end: int, index: AuthorIndex, shortened: dict[str, tuple[str, ...]]
) -> Iterator[_Reading]:
    """Every way the names before a year may begin, longest first."""
    blanked = _BALANCED.sub(lambda m: " " * len(m[0]), text[start:end])
    tokens = list(_TOKEN.finditer(blanked))
    while tokens and (tokens[-1].lastgroup in {"dot", "mark"} or tokens[-1][0] in {":", "(", "[", "—", "–"}):
        tokens.pop()
    if not tokens or (tokens[-1].lastgroup == "word" and not _may_end(tokens[-1][0])):
        return
    low = len(tokens)
    while low > 0 and len(tokens) - low < _MOST_WORDS * 2 and _continues(tokens, low - 1):
        low -= 1
    seen = 0
    for i in range(low, len(tokens)):
        token = tokens[i]
        if token.lastgroup == "cjk":
            offsets = range(max(token.start(), token.end() - 24), token.end() - 1)
        elif token.lastgroup == "word" and (
            _capital(token[0]) or (token[0].lower() not in JOINERS and i + 1 < len(tokens))
        ):
            offsets = range(token.start(), token.start() + 1)
        else:
            continue
        for offset in offsets:
            phrase = _phrase(blanked, tokens[i:], offset, shortened)
            if phrase is None:
                continue
            before = tokens[i - 1] if i > low else None
            clean = before is None or not (before[0] in {",", "&", "/"} or before[0].lower() in JOINERS)
            reading = _Reading(start + offset, phrase, clean)
            looked_up = [phrase.people[0], phrase.whole[:3]] if phrase.people else [phrase.whole[:3]]
            for entry in index.under({w for ws in looked_up for w in ws} | {"".join(p) for p in phrase.people[:1]}):
                agreement = agree(phrase, entry)
                if agreement is not None:
                    reading.matches.append((entry, agreement))
            seen += 1
            yield reading


def _capital(word: str) -> bool:
    return word[0].isupper() or (len(word) > 2 and word[1].isupper())


def _may_end(word: str) -> bool:
    return _capital(word) or word.lower() in {"al", "jr", "others", "colleagues"}


def _continues(tokens: list[re.Match[str]], i: int) -> bool:
    """Whether token `i` may still belong to the names that end right of it."""
    token = tokens[i]
    if token.lastgroup == "word":
        return _capital(token[0]) or token[0].lower() in PREPOSITIONS or token[0].lower() in JOINERS
    if token.lastgroup == "dot":
        previous = tokens[i - 1] if i else None
        return previous is not None and (len(previous[0]) <= 3 or len(token[0]) > 1 or previous.lastgroup == "etal")
    return token.lastgroup in {"etal", "cjk", "mark"}


def _phrase(
    text: str, tokens: list[re.Match[str]], offset: int, shortened: dict[str, tuple[str, ...]]
) -> Phrase | None:
    """The tokens from `offset` on as names; None where they cannot be any."""
    people: list[list[str]] = [[]]
    whole: list[str] = []
    et_al = False
    for token in tokens:
        shown = text[max(offset, token.start()) : token.end()]
        if token.lastgroup == "etal":
            et_al = True
        elif token.lastgroup == "cjk":
            for piece in re.split(r"[和与與及、]", shown):
                people.append([piece] if piece else [])
                whole.append(piece)
        elif token.lastgroup == "mark" or shown.lower() in JOINERS:
            people.append([])
            if token.lastgroup == "word":
                whole.extend(words(shown))
        elif token.lastgroup == "word":
            shown = re.sub(r"['’]s$", "", shown)
            people[-1].append(shown)
            whole.extend(words(shown))
    cleaned = []
    for person in people:
        comparable = tuple(w for part in person for w in words(part))
        if any(len(w) > 1 for w in comparable):
            cleaned.append(comparable)
        elif comparable and not cleaned:
            return None
    if not cleaned:
        return None
    if len(cleaned) == 1 and len(cleaned[0]) == 1 and cleaned[0][0] in shortened:
        whole = list(shortened[cleaned[0][0]])
    return Phrase(tuple(cleaned), tuple(whole), et_al)


def _resolve(text: str, match: re.Match[str], readings: list[_Reading], *, inside: bool, same: bool) -> Iterator[Part]:
    """The parts that one year (with further suffix letters) stands for, each with its entry where there is one."""
    year = int(match["year"]) if match["year"] else None
    suffix = (match["suffix"] or "").strip().lower()
    earlier = None
    if match["original"]:
        earlier = int(re.search(r"\d{4}", match["original"])[0])  # type: ignore[index]
    dates: list[tuple[str, int, int]] = [(suffix, match.start(), match.end())]
    at = match.end()
    while suffix and (further := MORE_SUFFIXES.match(text, at)) and further["suffix"] > dates[-1][0]:
        dates.append((further["suffix"], further.start("suffix"), further.end()))
        at = further.end()
    for i, (letter, begin, end) in enumerate(dates):
        best = _best(readings, year, letter, earlier)
        start = begin if same or i else (best[0].start if best else readings[0].start)
        names = " ".join(best[0].phrase.whole) if best else ""
        shown = (
            text[(best[0] if best else readings[0]).start : match.start()].strip(" ,(")
            + f", {year or match[0]}{letter}"
        )
        part = Part(start, end, "parenthetical", year, letter, earlier, names, " ".join(shown.split()))
        if best:
            _, part.entry, part.agreement, ties = best
            part.candidates = tuple(ties)
            part.resolution = "ambiguous" if ties else "exact" if part.agreement.full else "author-variant"
            yield part
        elif (reading := _plausible(readings, text, inside=inside, same=same)) is not None:
            part.start = begin if same or i else reading.start
            part.names = " ".join(reading.phrase.whole)
            part.candidates = tuple(e for e, a in reading.matches if a.unmatched == 0)
            yield part


def _best(
    readings: list[_Reading], year: int | None, suffix: str, earlier: int | None
) -> tuple[_Reading, Entry, Agreement, list[Entry]] | None:
    """The entry whose authors and year agree best, over all readings; None where no entry agrees in both."""
    found: list[tuple[tuple[int, ...], _Reading, Entry, Agreement]] = []
    for reading in readings:
        for entry, agreement in reading.matches:
            if agreement.unmatched:
                continue
            dated = _year_agrees(entry, year, suffix, earlier)
            if dated:
                found.append(((dated, *_rank(agreement), reading.clean), reading, entry, agreement))
    if not found:
        return None
    top = max(key for key, *_ in found)
    first = [(r, e, a) for key, r, e, a in found if key == top]
    reading, entry, agreement = first[0]
    return reading, entry, agreement, [e for _, e, _ in first[1:] if e is not entry]


def _rank(agreement: Agreement) -> tuple[int, ...]:
    return agreement.matched, agreement.counted, agreement.total


def _year_agrees(entry: Entry, year: int | None, suffix: str, earlier: int | None) -> int:
    if year is None:
        return int(entry.year is None) * 3
    if year == entry.year:
        if suffix == entry.suffix:
            return 3
        return 2 if not suffix or not entry.suffix else 0
    return int(year in entry.years or (earlier is not None and earlier in entry.years))


def _plausible(readings: list[_Reading], text: str, *, inside: bool, same: bool) -> _Reading | None:
    """The reading to report as missing: only where the form leaves little doubt that this is a citation."""
    if same:
        return None
    for reading in readings:
        listed = any(a.unmatched == 0 for _, a in reading.matches)
        strange = any(w in NOT_AUTHORS for p in reading.phrase.people for w in p)
        if strange or not reading.clean:
            continue
        if listed or (inside and text[reading.start].isupper()):
            return reading
    return None


def settle(parts: list[Part], index: AuthorIndex) -> list[Part]:
    """Second look at what found no entry: another year, another spelling; drops what is then too doubtful to report."""
    taken = {p.entry.id for p in parts if p.entry is not None}
    for part in parts:
        if part.entry is not None:
            continue
        if part.candidates:
            _other_year(part, taken)
        elif part.year is not None:
            _other_spelling(part, index)
    return parts


def _other_year(part: Part, taken: set[str]) -> None:
    """Same authors, another year: the nearest entry, if it is near or nothing else cites it."""
    ranked = sorted(part.candidates, key=lambda e: (e.id in taken, _distance(e.year, part.year)))
    nearest = ranked[0]
    apart = _distance(nearest.year, part.year)
    rivals = [e for e in ranked[1:] if (e.id in taken, _distance(e.year, part.year)) == (nearest.id in taken, apart)]
    if rivals:
        return
    if apart <= 1 or (nearest.id not in taken and apart <= 3) or (nearest.year is None and nearest.id not in taken):
        part.entry, part.resolution = nearest, "year-mismatch"
        part.candidates = tuple(ranked[1:])


def _distance(listed: int | None, cited: int | None) -> int:
    return abs(listed - cited) if listed is not None and cited is not None else 2


def _other_spelling(part: Part, index: AuthorIndex) -> None:
    """Same year, first author spelt nearly alike: one entry only, or none."""
    cited = words(part.names)[:1]
    if not cited or len(cited[0]) < 4:
        return
    close = []
    for entry in index.by_year.get(part.year or 0, ()):
        listed = "".join(entry.names[0].family[:2]) if entry.names else ""
        if listed and difflib.SequenceMatcher(None, cited[0], listed).ratio() >= 0.8:
            close.append(entry)
    if len(close) == 1:
        part.entry, part.resolution = close[0], "author-variant"
    else:
        part.candidates = tuple(close)
