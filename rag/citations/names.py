"""The author index of a reference list: who wrote each entry, in words that a citation can be compared with.

An entry's names come from its CSL-JSON; where that has none, from the beginning of the raw string, up to the year.
Words are compared without case, accents, apostrophes and hyphens. Knows nothing of texts and years in texts.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rag.bibliography.shapes import OTHERS
from rag.citations.patterns import word_set
from rag.types import Reference

PARTICLES = word_set(
    "de da do dos das del della di van von der den ter ten te la le el al du des zu zur zum af av bin ibn y e d st"
)
_SMALL = word_set("of the and for de da do e y del la des du et und für in on")
GENERATIONS = word_set("jr sr junior senior filho neto sobrinho ii iii")
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"})
_APOSTROPHES = re.compile(r"['’‘`´ʼ′]")
_WORD = re.compile(r"[^\W_]+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_SHORT = re.compile(r"[(\[]([A-Z][A-Za-z]+(?:[-/][A-Z]+)*)[)\]]|^\W*([A-Z]{2,8})\s+[-–—]\s")
_CJK_RUN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2,}")
_MOST_READ = 4000
"""Characters of an entry that are looked at."""
_MOST_NAMES = 200
"""Authors of an entry that are looked at."""
_YEAR = re.compile(r"(?<![\d/-])(1[4-9]\d\d|20\d\d)(?![\d/])([a-z](?![a-z]))?")
_HEAD_SPLIT = re.compile(r"(?:(?<!\s)\s++)?(?:;|&|,|/|\band\b|\bet\b|\bund\b|\by\b|\be\b)\s*+")


@lru_cache(maxsize=65536)
def words(text: str) -> tuple[str, ...]:
    """The comparable words of a name or title: lower case, no accents, no apostrophes, cut at hyphens."""
    bare = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text))
    bare = "".join(c for c in bare if not unicodedata.combining(c)).casefold().translate(_PLAIN)
    return tuple(_WORD.findall(unicodedata.normalize("NFKC", bare)))


_CASES = re.compile(r"(?:[оеё]го|[оеё]му|ыми|ими|ами|ым|им|ой|ом|ем|ёй|ей|ою|а|у|е|ы|и|я|ю|ая|ий|ый|ь)$")


def stem(word: str) -> str:
    """A Cyrillic word without the ending of its case ("Петровым" → "петров"), any other word as it is."""
    bare = _CASES.sub("", word) if len(word) > 3 and "\u0400" <= word[0] <= "\u04ff" else word
    return bare if len(bare) > 2 else word


@dataclass(frozen=True, slots=True)
class Name:
    """One author as the list gives it, in comparable words."""

    family: tuple[str, ...]
    given: tuple[str, ...] = ()
    corporate: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """What linking needs of one reference."""

    id: str
    names: tuple[Name, ...]
    year: int | None
    suffix: str
    years: frozenset[int]
    """`year` and the years of earlier editions that the entry names."""
    doubtful: tuple[Name, ...]
    """Another reading of the names, off the raw string, where it differs from the parsed one."""
    more: bool
    """Whether the list itself breaks its authors off ("et al.")."""
    parsed: bool
    """Whether the names come from parsed fields; False when read off the raw string."""
    native: frozenset[str]
    """Names in Chinese, Japanese or Korean script, whole."""
    short: frozenset[str]
    """Acronyms that the entry gives for its corporate author."""
    title: str
    raw: str
    position: int


class AuthorIndex:
    """Entries by every word that their first author may be cited under."""

    def __init__(self, references: Sequence[Reference]) -> None:
        self.entries = [read_entry(reference, i) for i, reference in enumerate(references)]
        self.by_word: dict[str, list[Entry]] = defaultdict(list)
        self.by_year: dict[int, list[Entry]] = defaultdict(list)
        self.by_year_and_name: dict[tuple[int, str], list[Entry]] = defaultdict(list)
        """Of persons, by the last word of the first author's family name."""
        self.by_title_end: dict[tuple[str, str], list[tuple[tuple[str, ...], Entry]]] = defaultdict(list)
        self.remembered: dict[Any, Any] = {}
        """For readers of phrases: what they found of late."""
        for entry in self.entries:
            heads = {n[:size] for n in entry.native for size in (2, 3)}
            for word in first_words(entry) | entry.native | heads | entry.short:
                self.by_word[word].append(entry)
            for year in entry.years:
                self.by_year[year].append(entry)
                if entry.names and not entry.names[0].corporate:
                    self.by_year_and_name[year, entry.names[0].family[-1]].append(entry)
            for title in main_titles(entry):
                if len(title) > 1 and sum(map(len, title)) > 7:
                    self.by_title_end[title[-2], title[-1]].append((title, entry))

    def under(self, found: Iterable[str]) -> list[Entry]:
        """The entries whose first author may go by one of the words, in list order, each once."""
        chosen = {e.position: e for word in found for e in self.by_word.get(word, ())}
        return [chosen[i] for i in sorted(chosen)]


def main_titles(entry: Entry) -> set[tuple[str, ...]]:
    """The entry's title in words, whole and up to its colon; of an entry without one, what may be it."""
    if entry.title:
        return {words(entry.title), words(re.split(r"[:：.?!]\s", entry.title)[0])} - {()}
    return {words(piece) for piece in re.split(r"[.:?!]\s", entry.raw[:300])[1:4] if len(piece.split()) > 1} - {()}


def first_words(entry: Entry) -> set[str]:
    """The words that the entry's first author can be looked up under."""
    if not entry.names:
        return set(words(entry.title)[:1])
    first = entry.names[0]
    found = set(first.family) - PARTICLES or set(first.family)
    found |= set(map(stem, found))
    return found | set(acronyms(first.family)) if first.corporate else found


def acronyms(name: tuple[str, ...]) -> set[str]:
    """What a corporate name may be shortened to: its initials, with and without small words."""
    strong = [w for w in name if w not in _SMALL]
    return {"".join(w[0] for w in ws) for ws in (name, strong) if len(ws) > 1}


def read_entry(reference: Reference, position: int) -> Entry:
    """What linking needs of `reference`: parsed fields first, the raw string's beginning where they are missing."""
    csl = reference.csl
    raw = (reference.raw or "")[:_MOST_READ]
    names = tuple(n for n in map(_name, _people(csl)[:_MOST_NAMES]) if n.family)
    parsed = bool(names)
    year, suffix = _issued(csl)
    written = [(int(m[1]), m[2] or "") for m in _YEAR.finditer(raw[:600])]
    if year is None and "original-date" not in csl and written and _YEAR.search(raw[:160]):
        year, suffix = written[0]
    suffix = suffix or next((s for y, s in written if y == year and s), "")
    original = _year_of(csl.get("original-date"))
    years = {y for y in (year, original) if y is not None}
    if not parsed:
        names = _names_of_head(raw)
    doubtful = _names_of_head(raw) if parsed else ()
    if [n.family for n in doubtful] == [n.family for n in names]:
        doubtful = ()
    title = str(csl.get("title") or "")
    more = bool(re.search(r"\bet\.?\s+al\b|\be outros\b|\by otros\b|等", raw[:300])) or any(
        isinstance(p, Mapping) and p.get("literal") == OTHERS["literal"] for p in csl.get("author") or ()
    )
    whole = {str(p.get("family") or "") + str(p.get("given") or "") for p in _people(csl)} | set(
        _CJK_RUN.findall(_head(raw))
    )
    native = frozenset(n for n in whole if _CJK_RUN.fullmatch(n))
    short = {w for m in _SHORT.finditer(_head(raw)) for w in words(m[1] or m[2])}
    short |= {n.family[-1] for n in names if n.corporate and n.family[-1] in acronyms(n.family[:-1])}
    return Entry(
        reference.id,
        names,
        year,
        suffix,
        frozenset(years),
        doubtful,
        more,
        parsed,
        native,
        frozenset(short),
        title,
        raw,
        position,
    )


def _people(csl: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    for role in ("author", "editor", "collection-editor", "translator", "director"):
        people = [p for p in csl.get(role) or () if isinstance(p, Mapping) and p.get("literal") != OTHERS["literal"]]
        if people:
            return people
    return []


def _name(person: Mapping[str, Any]) -> Name:
    if person.get("family"):
        particle = " ".join(str(person.get(k) or "") for k in ("non-dropping-particle", "dropping-particle"))
        return Name(words(f"{particle} {person['family']}"), words(str(person.get("given") or "")))
    return Name(words(str(person.get("literal") or person.get("given") or "")), corporate=True)


def _issued(csl: Mapping[str, Any]) -> tuple[int | None, str]:
    return _year_of(csl.get("issued")), str(csl.get("year-suffix") or "")[:1]


def _year_of(date: object) -> int | None:
    try:
        return int(date["date-parts"][0][0])  # type: ignore[index]
    except (TypeError, KeyError, IndexError, ValueError):
        found = _YEAR.search(str(date.get("raw") or date.get("literal") or "")) if isinstance(date, dict) else None
        return int(found[1]) if found else None


def _head(raw: str) -> str:
    """The beginning of an entry: what stands before its year, or its first 120 characters."""
    head = re.sub(r"^\W*\d{1,3}\W+\s*", "", raw[:300])
    year = _YEAR.search(head)
    return head[: year.start()] if year else head[:120]


def _names_of_head(raw: str) -> tuple[Name, ...]:
    """Names read off the beginning of an entry that nobody could parse: what stands before its year or first stop."""
    names = []
    for piece in _HEAD_SPLIT.split(_head(raw)):
        found = tuple(w for w in words(piece) if len(w) > 1 or _CJK.match(w))
        if found:
            names.append(Name(found, corporate=len(found) > 1))
    return tuple(names[:12])
