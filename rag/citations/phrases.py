"""The names (or the title) that stand before a year: every way of reading them, with the entries each may name.

No grammar of names is needed: every place where the phrase may begin is tried, and the list says which reading holds.
Knows brackets and words; nothing of years, nor of which reading is best.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rag.citations.matching import EXACT, Agreement, Phrase, agree
from rag.citations.names import AuthorIndex, Entry, stem, words
from rag.citations.patterns import ABBREVIATED, ET_AL, JOINERS, LINKING, LOCATOR, NOT_AUTHORS, PREPOSITIONS

OPEN, CLOSE = "([（［【", ")]）］】"
_CJK = r"[\u3040-\u30ff\u3400-\u9fff]"
_WORD = rf"(?!{_CJK})[^\W\d_](?:(?:(?!{_CJK})[\w'’‘`´\-‑–])*(?!{_CJK})\w)?(?:['’]s?(?!\w))?"
_TOKEN = re.compile(
    rf"(?P<etal>{ET_AL.pattern})|(?P<cjk>{_CJK}+)|(?P<word>{_WORD})|(?P<dot>\.+)|(?P<mark>[,;&/、，；،؛·・])|(?P<other>\S)",
    re.IGNORECASE,
)
_LETTER = re.compile(r"[^\W\d_]")
_BALANCED = re.compile(r"[(\[（][^()\[\]（）]{0,80}[)\]）]")
_POSSESSIVE = re.compile(r"['’]s?$")
_ELIDED = re.compile(r"(?:l|d|qu|n|s|dell|nell|all|dall|sull|un)['’](?=[^\W\d_])", re.IGNORECASE)
_GLUED = re.compile(r"(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ])")
_HANGUL = re.compile(r"[\uac00-\ud7af]+[와과]")
_MOST_TOKENS = 44
_REMEMBERED = 64
_CLOSING = {"|", ":", "(", "[", "—", "–", "”", '"', "»", "’", "'"}


@dataclass(slots=True)
class Reading:
    """One way of reading what stands before a year; `matches` are the entries whose first author it may name."""

    start: int
    phrase: Phrase
    clean: bool = True
    """Whether nothing that could be one more author is left outside, on the left."""
    sure: bool = True
    """False for looser forms ("Smith's well-known model (2004)"): these count only when author and year both agree."""
    matches: list[tuple[Entry, Agreement]] = field(default_factory=list)


def bounds(text: str, floor: int, year: int) -> tuple[int, int, int]:
    """Where the bracket around the year opens (-1: before `floor`) and between which offsets the names may stand."""
    depth, opening = 0, -1
    for i in range(year - 1, floor - 1, -1):
        char = text[i]
        if char in CLOSE:
            depth += 1
        elif char in OPEN:
            if depth == 0:
                opening = i
                break
            depth -= 1
    if opening < 0:
        return -1, floor, year
    if only_locators(text[opening + 1 : year]):
        return opening, floor, opening
    return opening, opening + 1, year


def only_locators(gap: str) -> bool:
    """Whether nothing but pages, marks and small words stands in `gap`: the next year belongs to the same authors."""
    return not re.search(r"[^\W\d_]", LINKING.sub("", LOCATOR.sub("", gap)))


def readings(
    text: str, start: int, end: int, index: AuthorIndex, shortened: dict[str, tuple[str, ...]]
) -> Iterator[Reading]:
    """Every way the names before a year may begin, longest first; then the title that may stand there instead."""
    if not _LETTER.search(text, start, end):
        yield from _titled(text, start, end, index)
        return
    blanked = _BALANCED.sub(lambda m: " " * len(m[0]), text[start:end]).replace("\t", "|")
    tokens, sure = _trim(list(_TOKEN.finditer(blanked)))
    low = len(tokens)
    while low > 0 and len(tokens) - low < _MOST_TOKENS and _continues(tokens, low - 1):
        low -= 1
    for i in range(low, len(tokens)):
        for offset in _beginnings(tokens, i):
            phrase = _phrase(blanked, tokens[i:], offset, shortened)
            if phrase is None:
                continue
            whole = offset == tokens[i].start() or tokens[i].lastgroup == "cjk"
            reading = Reading(start + offset, phrase, whole and _clean(tokens, i), sure)
            small = tokens[i][0] if tokens[i][0].islower() or tokens[i][0] == "The" else ""
            reading.matches = [(e, a) for e, a in _agreed(phrase, index) if not small or _begins_small(e, small)]
            yield reading
    yield from _titled(text, start, end, index)


def _agreed(phrase: Phrase, index: AuthorIndex) -> list[tuple[Entry, Agreement]]:
    """The entries that a phrase may name; of the last few phrases it is remembered, for texts say the same again."""
    found: list[tuple[Entry, Agreement]] | None = index.remembered.get(phrase)
    if found is None:
        found = [(e, a) for e in index.under(_keys(phrase)) if (a := agree(phrase, e)) is not None]
        while len(index.remembered) >= _REMEMBERED:
            del index.remembered[next(iter(index.remembered))]
        index.remembered[phrase] = found
    return found


def _begins_small(entry: Entry, word: str) -> bool:
    """Whether the list, too, writes the first name with this small word in front."""
    return bool(entry.names) and entry.names[0].family[:1] == words(word)[:1]


def _trim(tokens: list[re.Match[str]]) -> tuple[list[re.Match[str]], bool]:
    """Drop what stands between the names and the year; False when that was more than marks."""
    tokens = _without_marks(tokens)
    sure = True
    for _ in range(4):
        if not tokens or tokens[-1].lastgroup != "word" or _may_end(tokens[-1][0]):
            break
        if not any(_POSSESSIVE.search(t[0]) for t in tokens[-5:-1] if t.lastgroup == "word"):
            return [], False
        tokens, sure = _without_marks(tokens[:-1]), False
    return ([], False) if tokens and tokens[-1].lastgroup == "word" and not _may_end(tokens[-1][0]) else (tokens, sure)


def _without_marks(tokens: list[re.Match[str]]) -> list[re.Match[str]]:
    end = len(tokens)
    while end and (tokens[end - 1].lastgroup in {"dot", "mark"} or tokens[end - 1][0] in _CLOSING):
        end -= 1
    return tokens[:end]


def _capital(word: str) -> bool:
    """Whether a word is written as names are; in a script without capitals, any word is."""
    uncased = not word[0].islower() and not word[0].isupper()
    return word[0].isupper() or uncased or (len(word) > 2 and word[1].isupper())


def _inner(word: str) -> list[int]:
    """Where inside a word a name may begin: behind an elided article, a lost space, an Arabic "and"."""
    elided = _ELIDED.match(word)
    places = [elided.end()] if elided else []
    places += [m.start() for m in _GLUED.finditer(word) if m.start() > 1]
    return [*places, 1] if word[0] == "و" and len(word) > 2 else places


def _may_end(word: str) -> bool:
    return _capital(word) or bool(_inner(word)) or word.lower() in {"al", "jr", "others", "colleagues"}


def _continues(tokens: list[re.Match[str]], i: int) -> bool:
    """Whether token `i` may still belong to the names that end right of it."""
    token = tokens[i]
    if token.lastgroup == "word":
        small = token[0].lower()
        return _capital(token[0]) or small in PREPOSITIONS or small in JOINERS or bool(_inner(token[0]))
    if token.lastgroup == "dot":
        before = tokens[i - 1][0] if i else ""
        after = tokens[i + 1] if i + 1 < len(tokens) else None
        joined = after is not None and (after.lastgroup in {"mark", "etal"} or after[0].lower() in JOINERS)
        return bool(before) and (len(before) == 1 or before.lower() in ABBREVIATED or len(token[0]) > 1 or joined)
    return token.lastgroup in {"etal", "cjk", "mark"}


def _beginnings(tokens: list[re.Match[str]], i: int) -> Sequence[int]:
    """Where inside token `i` a phrase may begin; in a script without spaces, anywhere near its end."""
    token = tokens[i]
    if token.lastgroup == "cjk":
        return range(max(token.start(), token.end() - 24), token.end() - 1)
    if token.lastgroup != "word":
        return ()
    whole = _capital(token[0]) or (token[0].lower() not in JOINERS and i + 1 < len(tokens))
    return [*([token.start()] if whole else []), *(token.start() + n for n in _inner(token[0]))]


def _clean(tokens: list[re.Match[str]], i: int) -> bool:
    """Whether the name at `i` is not the second of two: no joint before it with a name on its other side."""
    joint = tokens[i - 1] if i > 0 else None
    if joint is None or not (joint[0] in {",", "&", "/"} or joint[0].lower() in JOINERS):
        return True
    other = tokens[i - 2] if i > 1 else None
    return other is None or other.lastgroup not in {"word", "etal", "dot"} or not _name_like(tokens, i - 2)


def _name_like(tokens: list[re.Match[str]], i: int) -> bool:
    while i >= 0 and tokens[i].lastgroup == "dot":
        i -= 1
    if i < 0 or tokens[i].lastgroup == "etal":
        return i >= 0
    return _capital(tokens[i][0]) and not _opener(tokens[i][0])


def _opener(word: str) -> bool:
    """Whether a capitalised word begins a sentence and names nobody: "However", "Segundo"."""
    return bool(NOT_AUTHORS & set(words(word)[:1]))


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
            for piece in re.split(r"[和与與及、・]|(?<=[\u3400-\u9fff])と", shown):
                people.append([piece] if piece else [])
                whole.append(piece)
        elif token.lastgroup == "mark" or shown.lower() in JOINERS:
            people.append([])
            whole.extend(words(shown))
        elif token.lastgroup == "word":
            shown = _POSSESSIVE.sub("", shown)
            joined = _HANGUL.fullmatch(shown) is not None and token is not tokens[-1]
            if shown[0] == "و" and len(shown) > 2 and people != [[]]:
                people.append([])
                shown = shown[1:]
            people[-1].append(shown[:-1] if joined else shown)
            whole.extend(words(shown))
            if joined:
                people.append([])
    cleaned: list[tuple[str, ...]] = []
    for person in people:
        comparable = tuple(w for part in person for w in words(part))
        if any(len(w) > 1 for w in comparable):
            cleaned.append(comparable)
        elif comparable and not cleaned:
            return None
        elif comparable:  # "Doe, J.": the initials belong to the name before
            cleaned[-1] = cleaned[-1] + comparable
    if not cleaned:
        return None
    long = shortened.get(cleaned[0][0]) if len(cleaned) == 1 and len(cleaned[0]) == 1 else None
    return Phrase(tuple(cleaned), tuple(whole), et_al, long)


def _keys(phrase: Phrase) -> set[str]:
    first = phrase.people[0]
    return {*first, *phrase.whole[:3], "".join(first), *(phrase.long or ())[:3], *map(stem, first)}


def _titled(text: str, start: int, end: int, index: AuthorIndex) -> Iterator[Reading]:
    """The reading in which a listed title, not a name, stands before the year: "Speech Acts (1969)"."""
    tail = [(w, start + m.start()) for m in re.finditer(r"[^\W_]+", text[start:end]) for w in words(m[0])]
    for drop in (0, 1):
        if drop and (not tail or tail[-1][0] not in {"in", "em", "en", "de", "von", "from"}):
            return
        kept = [w for w, _ in (tail[:-1] if drop else tail)]
        if len(kept) < 2:
            return
        found = [(t, e) for t, e in index.by_title_end.get((kept[-2], kept[-1]), ()) if tuple(kept[-len(t) :]) == t]
        if found:
            longest = max(len(t) for t, _ in found)
            reading = Reading(tail[len(kept) - longest][1], Phrase((), found[0][0], et_al=False), sure=False)
            reading.matches = [(e, Agreement(EXACT, 1, 0, 2, EXACT)) for t, e in found if len(t) == longest]
            yield reading
