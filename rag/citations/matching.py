"""A name phrase of the text against an entry's authors: does it name them, and how surely.

Knows one phrase and one entry at a time; nothing of spans, years or brackets.
"""

from __future__ import annotations

from dataclasses import dataclass

from rag.citations.names import GENERATIONS, PARTICLES, Entry, Name, acronyms, stem, words

EXACT, CLOSE, NONE = 3, 2, 0


@dataclass(frozen=True, slots=True)
class Phrase:
    """The authors as a citation names them."""

    people: tuple[tuple[str, ...], ...]
    """Each name's comparable words, in order."""
    whole: tuple[str, ...]
    """All words together, for corporate authors with commas or "and" in their names."""
    et_al: bool
    long: tuple[str, ...] | None = None
    """What the text says the phrase is short for, when it is an acronym."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well a phrase names an entry's authors; compares by `rank`."""

    first: int
    matched: int
    unmatched: int
    counted: int
    """2 when as many authors are named as the entry has, or "et al." stands for two or more; 1 when nearly; else 0."""
    total: int

    @property
    def full(self) -> bool:
        """Every name in the phrase is an author of the entry, and none is left out without "et al."."""
        return self.unmatched == 0 and self.counted > 0


def agree(phrase: Phrase, entry: Entry) -> Agreement | None:
    """Compare; None when the phrase's first name is not the entry's first author."""
    corporate = max(_corporate(w, entry) for w in (phrase.whole, phrase.long or ()))
    if corporate:
        return Agreement(corporate, max(1, len(phrase.people)), 0, counted=2, total=corporate * len(phrase.people) + 1)
    if not phrase.people:
        return None
    if entry.native and (native := [_native("".join(p), entry) for p in phrase.people]) and all(native):
        return Agreement(min(native), len(native), 0, counted=2, total=sum(native))
    found = [a for names in (entry.names, entry.doubtful) if (a := _one_by_one(phrase, entry, names)) is not None]
    return max(found, key=lambda a: (-a.unmatched, a.matched), default=None)


def _one_by_one(phrase: Phrase, entry: Entry, names: tuple[Name, ...]) -> Agreement | None:
    if not names:
        return None
    first = family(phrase.people[0], names[0])
    if not first:
        return None
    total, matched, at = first, 1, 1
    for person in phrase.people[1:]:
        best = max(((family(person, n), -i) for i, n in enumerate(names[at:])), default=(NONE, 0))
        if best[0]:
            total, matched, at = total + best[0], matched + 1, at - best[1] + 1
    unmatched = len(phrase.people) - matched
    if unmatched and matched > 0:
        # "Doe, On Small Rivers (1985)": the title named beside the author
        titled = sum(1 for p in phrase.people[1:] if len(p) > 1 and _within(p, words(entry.raw)))
        if titled:
            return Agreement(first, matched, unmatched - titled, counted=1, total=total)
    if unmatched and (entry.more or not entry.parsed):
        head = set(words(entry.raw[:400]))
        unmatched -= sum(1 for p in phrase.people[1:] if set(p) <= head and not any(family(p, n) for n in names))
    named, listed = len(phrase.people), len(names)
    if phrase.et_al:
        counted = 2 if entry.more or listed > max(named, 2) else int(listed > named)
    else:
        counted = 2 * (named == listed and not entry.more)
    return Agreement(first, matched, max(0, unmatched), counted, total)


def _native(cited: str, entry: Entry) -> int:
    """A name in Chinese, Japanese or Korean script, whole or its family name alone ("山田" of "山田太郎")."""
    if cited in entry.native:
        return EXACT
    return CLOSE if len(cited) > 1 and any(name.startswith(cited) for name in entry.native) else NONE


def _within(part: tuple[str, ...], whole: tuple[str, ...]) -> bool:
    return any(whole[i : i + len(part)] == part for i, w in enumerate(whole) if w == part[0])


def family(found: tuple[str, ...], name: Name) -> int:
    """How well one name in the text is the given author: EXACT, CLOSE (part of it, or given names unsure) or NONE."""
    if not found or not name.family:
        return NONE
    initials = [w for w in found if len(w) == 1]
    if initials and name.given and initials[0] not in {w[0] for w in name.given}:
        return NONE
    listed = _strong(name.family)
    cited = _strong(found)
    if found == name.family or cited == listed or "".join(cited) == "".join(listed):
        return EXACT
    if _unaged(cited) == _unaged(listed) or [*map(stem, cited)] == [*map(stem, listed)]:
        return CLOSE
    extra = len(cited) - len(listed)
    if extra > 0:
        for rest, same in ((cited[len(listed) :], cited[: len(listed)]), (cited[:extra], cited[extra:])):
            if same == listed:
                return _given(rest, name)
        return NONE
    if len(cited) < len(listed) and (cited == listed[-len(cited) :] or cited == listed[: len(cited)]):
        return CLOSE if not name.corporate or len(cited) > 1 or len(listed) <= 3 else NONE
    return NONE


def _given(rest: tuple[str, ...], name: Name) -> int:
    if not name.given:
        return CLOSE
    initials = {w[0] for w in name.given} | set("".join(w for w in name.given if len(w) <= 3))
    return EXACT if rest[0][0] in initials else NONE


def _strong(name: tuple[str, ...]) -> tuple[str, ...]:
    strong = tuple(w for w in name if w not in PARTICLES and len(w) > 1)
    return strong or name


def _unaged(name: tuple[str, ...]) -> tuple[str, ...]:
    """Without "Jr.", "Filho" and the like, when anything else is left."""
    return name[:-1] if len(name) > 1 and name[-1] in GENERATIONS else name


def _corporate(whole: tuple[str, ...], entry: Entry) -> int:
    """Whether the whole phrase is a corporate author: its name, its name behind a country, or its initials."""
    if whole[:1] == ("the",):
        whole = whole[1:]
    if not whole:
        return NONE
    if entry.short and all(w in entry.short for w in whole):
        return EXACT
    if entry.names and entry.names[0].corporate:
        name = entry.names[0].family
        name = name[1:] if name[:1] == ("the",) else name
        if whole == name:
            return EXACT
        if len(whole) == 1 and len(whole[0]) > 1 and whole[0] in acronyms(name):
            return EXACT
        if len(whole) > 1 and (name[-len(whole) :] == whole or name[: len(whole)] == whole):
            return CLOSE if len(name) - len(whole) > 2 else EXACT
    if len(whole) > 2:
        head = words(entry.raw[:200])
        for skip in range(3):
            if head[skip : skip + len(whole)] == whole:
                return EXACT
    return NONE
