"""Author–page citations, as the MLA style has them: "(Barthes 109)", "(Butler, *Gender Trouble* 25)".

Without a year nothing but the list tells such a bracket from any other, so a part counts only where its names are a
listed entry's and, where that author has several, its title words are that entry's too. Never reports what is missing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.citations.matching import Agreement, Phrase, agree
from rag.citations.names import AuthorIndex, Entry, words
from rag.citations.patterns import ET_AL, JOINERS

_BRACKET = re.compile(r"\(([^()\n]{3,160})\)")
_PART = re.compile(
    r"\s*+(?:(?:see(?:\s++also)?|cf\.|qtd\. in|quoted in|also)\s++)?(?=[^\W\d_])(?P<work>[^;\d]++)(?<=[\s.])"
    r"(?P<pages>(?!(?:1[5-9]|20)\d\d\s*+$)\d{1,4}(?:\s?[-–]\s?\d{1,4})?(?:,\s?\d{1,4}(?:\s?[-–]\s?\d{1,4})?)*+)\s*+$"
)
"""Neither names nor titles hold digits, so the first one begins the pages."""
_BEFORE_PAGES = re.compile(r"(?:(?<=\s)pp?\.\s*+)?\Z")
_TITLE = re.compile(r"[“\"‘*_]?[^\W\d_]")
_JOINT = re.compile(rf" ?, ?| (?:{'|'.join(re.escape(j) for j in sorted(JOINERS))}) | ?& ?")
_FEWEST = 2
"""Such citations in a text below which they are taken for chance."""


@dataclass(frozen=True, slots=True)
class Paged:
    """One work of a bracket, and the entries it may be: one, or several of the same author."""

    start: int
    end: int
    entries: tuple[Entry, ...]


def find(text: str, index: AuthorIndex) -> list[Paged]:
    """Every author–page citation of listed works, in order; none where there are hardly any."""
    found: list[Paged] = []
    for bracket in _BRACKET.finditer(text):
        at = bracket.start(1)
        for piece in bracket[1].split(";"):
            match = _PART.match(piece)
            work = _work(match["work"]) if match else None
            if match and work and (entries := _entries(*work, index)):
                found.append(Paged(at + match.start("work"), at + match.end("pages"), entries))
            at += len(piece) + 1
    return found if len(found) >= _FEWEST else []


def _work(said: str) -> tuple[str, str] | None:
    """Names and title (or "") of what stands before the pages; None where no blank parts the two."""
    mark = _BEFORE_PAGES.search(said, max(0, len(said.rstrip()) - 3))
    said = said[: mark.start()] if mark else said
    if said == said.rstrip():
        return None
    names, _, title = said.rstrip().removesuffix(",").partition(",")
    title = title.strip()
    return (names.rstrip(), title) if not title or _TITLE.match(title) else None


def _entries(names: str, title: str, index: AuthorIndex) -> tuple[Entry, ...]:
    phrase = _phrase(names)
    agreed = [(e, a) for e in index.under(phrase.people[0]) if (a := agree(phrase, e)) and _whole(a)] if phrase else []
    best = max((a.counted for _, a in agreed), default=0)
    entries = [e for e, a in agreed if a.counted == best]
    said = words(title)
    if said:
        begun = [e for e in entries if words(e.title)[: len(said)] == said]
        entries = begun or [e for e in entries if set(said) <= set(words(e.title)[:6])]
    return tuple(entries)


def _whole(agreement: Agreement) -> bool:
    return agreement.unmatched == 0 and agreement.counted > 0


def _phrase(names: str) -> Phrase | None:
    bare = ET_AL.sub(" ", names)
    pieces = re.split(_JOINT, " ".join(bare.split()))
    people = tuple(w for p in pieces if (w := words(p)))
    if not people or not names[0].isupper() or any(len(p) > 4 for p in people):
        return None
    return Phrase(people, words(bare), et_al=bare != names)


def prevails(found: Sequence[Paged], exact: int) -> bool:
    """Whether a text cites by author and page, given how many of its author–year citations lead into the list."""
    return len(found) > exact
