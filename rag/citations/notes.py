"""Citations kept in notes: the sign in the text leads to a note, the note names the work.

A note names an entry when it begins with its author and goes on with its title (or the beginning of it) or its year;
"ibid." repeats the note before, "op. cit." the author's work cited last, "see note 3" that note. A note that explains,
and cites on its way, is no source of the sentence above it.
Notes are the numbered paragraphs of sections that the reader marked as notes, and Markdown footnotes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from rag.citations.names import AuthorIndex, Entry, main_titles, words
from rag.types import Document, Span

_NOTE = re.compile(r"^[^\S\n]*(?:\[\^?(\d{1,3})\]:?|\^?(\d{1,3})[.):]?)[^\S\n]+(?=\S)", re.MULTILINE)
_RAISED = re.compile(r"^[^\S\n]*([⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3})[^\S\n]*(?=\S)", re.MULTILINE)
_FOOTNOTE = re.compile(r"^\[\^(\d{1,3})\]:[^\S\n]*", re.MULTILINE)
_AGAIN = re.compile(r"\W*(?:ibid(?:em)?|idem|id|ebd|ebenda)\b", re.IGNORECASE)
_OP_CIT = re.compile(r"\b(?:op|ob|art|loc|obra)\.?\s*cit(?:ada|\b)|\ba\.\s?a\.\s?O\b", re.IGNORECASE)
_OTHER_NOTE = re.compile(
    r"\b(?:supra|above|infra|see|in|ver|vide|cf|véase|siehe|voir|oben)\W+(?:foot|fuß|fuss)?(?:note|nota|n|anm|fn)\b\.?\s*"
    r"(?:de\s+rodapé\s+)?(\d{1,3})\b|\((?:foot)?(?:note|nota|n|anm|fn)\b\.?\s*(\d{1,3})\)",
    re.IGNORECASE,
)
_LEAD = 4
"""Words before the author's name, at most: given names, "see also". A note that begins otherwise explains."""
_MOST_READ = 2000
"""Characters of a note's part within which its work is named."""
_SAYS_ENOUGH = 6
"""Letters of a piece of a title by which it is called again."""
_SHORT = 60
"""Characters of a note that says nothing but where the work was named."""
_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


@dataclass(frozen=True, slots=True)
class Note:
    """One note: its number and where its text stands."""

    number: str
    start: int
    end: int


def read(document: Document) -> list[Note]:
    """The numbered notes of a document, in order; those of a second section of notes only where the number is new."""
    text = document.text
    places = [Span(s.body_start, s.end) for s in document.sections if s.kind == "notes"]
    found: dict[str, Note] = {}
    for place in places:
        begun = [*_NOTE.finditer(text, place.start, place.end), *_RAISED.finditer(text, place.start, place.end)]
        _add(found, sorted(begun, key=lambda m: m.start()), place.end)
    if not places:
        for match in [*_FOOTNOTE.finditer(text), *_raised_lines(text)]:
            stop = text.find("\n", match.end())
            number = match[1].translate(_DIGITS)
            found.setdefault(number, Note(number, match.end(), stop if stop >= 0 else len(text)))
    return list(found.values())


def _raised_lines(text: str) -> list[re.Match[str]]:
    """Lines that begin with a raised number, where they count 1, 2, 3 and each has its sign in the text before it."""
    kept: list[re.Match[str]] = []
    for match in _RAISED.finditer(text):
        first = text.find(match[1])
        if int(match[1].translate(_DIGITS)) == len(kept) + 1 and 0 <= first < match.start(1):
            kept.append(match)
    return kept


def signs(text: str, notes: Sequence[Note]) -> list[Span]:
    """Where the notes' own numbers stand before their texts."""
    return [Span(text.rfind("\n", 0, n.start) + 1, n.start) for n in notes]


def _add(found: dict[str, Note], begun: Sequence[re.Match[str]], end: int) -> None:
    for i, match in enumerate(begun):
        number = next(g for g in match.groups() if g).translate(_DIGITS)
        stop = begun[i + 1].start() if i + 1 < len(begun) else end
        found.setdefault(number, Note(number, match.end(), stop))


def works(text: str, notes: Sequence[Note], index: AuthorIndex) -> dict[str, list[Entry]]:
    """The entries that each note names, by the note's number; notes that name none are left out."""
    found: dict[str, list[Entry]] = {}
    before: list[Entry] = []
    last: dict[tuple[str, ...], Entry] = {}
    for note in notes:
        named: list[Entry] = []
        for number, part in enumerate(text[note.start : note.end].split(";")):
            works_of = _named(part, index) or _called_again(part, index, found, before, last)
            if number == 0 and not works_of:
                break  # a note that begins otherwise explains
            named += works_of
        if named:
            found[note.number] = list({e.id: e for e in named}.values())
            last |= {e.names[0].family: e for e in named if e.names}
        before = found[note.number] if named and len(found[note.number]) == 1 else []
    return found


def _called_again(
    part: str,
    index: AuthorIndex,
    found: Mapping[str, list[Entry]],
    before: list[Entry],
    last: Mapping[tuple[str, ...], Entry],
) -> list[Entry]:
    """The work that a part of a note means by what was said before: "ibid.", "op. cit.", "supra note 3", "(n 3)"."""
    if _AGAIN.match(part):
        return before
    if _OP_CIT.search(part):
        return _cited_before(part, index, last)
    other = _OTHER_NOTE.search(part) if len(part) < _SHORT else None
    if other is None:
        return []
    there = found.get(other[1] or other[2], [])
    head = words(part)[: _LEAD + 2]
    own = [e for e in there if e.names and _holds(head, e.names[0].family)]
    return own or there


def _cited_before(said: str, index: AuthorIndex, last: Mapping[tuple[str, ...], Entry]) -> list[Entry]:
    """The work that "Author, op. cit." means: the author's only one, or the one that a note named last."""
    head = words(said)[: _LEAD + 2]
    entries = [e for e in index.under(set(head)) if e.names and _holds(head, e.names[0].family)]
    named = {last[e.names[0].family].id: last[e.names[0].family] for e in entries if e.names[0].family in last}
    chosen = list(named.values()) or entries
    return chosen if len(chosen) == 1 else []


def _named(part: str, index: AuthorIndex) -> list[Entry]:
    """The one entry that a part of a note names, by author and title or, failing that, by author and year."""
    said = words(part[:_MOST_READ])
    years = {int(w) for w in said if len(w) == 4 and w.isdigit()}
    by_title, by_year = [], []
    for entry in index.under(set(said)):
        if not entry.names or not _holds(said[: _LEAD + len(entry.names[0].family)], entry.names[0].family):
            continue
        if any(
            _holds(said, t) or any(_holds(said, begun) for begun in _begun(t)) or _shortens(said, entry, t)
            for t in main_titles(entry)
        ):
            by_title.append(entry)
        elif entry.year in years:
            by_year.append(entry)
    found = by_title or by_year
    return found if len(found) == 1 else []


def _begun(title: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The beginnings by which a title is called again: its first three words, or two that say enough ("Tin Mines")."""
    two = title[1:2] and min(map(len, title[:2])) > 2 and sum(map(len, title[:2])) > 7
    return [*([title[:3]] if len(title) > 3 else []), *([title[:2]] if two else [])]


def _shortens(said: tuple[str, ...], entry: Entry, title: tuple[str, ...]) -> bool:
    """Whether only a piece of the title stands between the author's name and the page: "Smith, Lost Gauges, 7"."""
    family = entry.names[0].family
    at = next(i for i in range(len(said)) if said[i : i + len(family)] == family) + len(family)
    piece = tuple(takewhile(lambda w: not w.isdigit() and w not in {"p", "pp", "s", "at"}, said[at:]))
    return sum(map(len, piece)) >= _SAYS_ENOUGH and _holds(title, piece)


def _holds(said: tuple[str, ...], run: tuple[str, ...]) -> bool:
    return any(said[i : i + len(run)] == run for i, word in enumerate(said) if word == run[0])
