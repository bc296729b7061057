"""What a term means: its glossary line, what it is short for, the sentence that says what it is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answer.gather import Evidence, Piece
from rag.answer.orders import orders
from rag.answer.plan import Told
from rag.function_words import STOP
from rag.types import Passage, Span

_ASKS = re.compile(
    r"^\W{0,3}(?:what (?:is|are|does)|what's|define|definition of|explain|was (?:ist|sind|bedeutet|heißt)|"
    r"qu[eé] (?:es|significa)|qu['’]est-ce que|que signifie|o que (?:é|significa)) "
    r"(?:meant by |the (?:meaning|definition) of |the term )?(?:the |an? )?(?P<term>[^?]{2,60}?)"
    r"(?: (?:stands? for|means?|short for|an? abbreviation of))? ?[?]{0,3}$",
    re.IGNORECASE,
)
_MEANT = re.compile(
    r"\b(?:meant by|stands? for|means?|define|definition|short for|abbreviat\w*|meaning|bedeutet|significa|signifie)\b",
    re.IGNORECASE,
)
_COLON = re.compile(r"\s{0,3}[:=–—]\s{0,3}\S")
_WORD = re.compile(r"[^\W_]+")
_IS = re.compile(
    r"[”\"’]?\s{0,2}(?:\([^)]{1,40}\)\s{0,2})?"
    r"(?:is|are|means?|refers? to|stands? for|denotes?|aims? to|consists? of|describes?)\s",
    re.IGNORECASE,
)
_AIMS = re.compile(
    r"[”\"’]?(?:\s(?:initiative|plan|programme))?\s(?:aims?|seeks?|is|was|are|were|means?)\b", re.IGNORECASE
)


def tell(found: Evidence) -> Told | None:
    """The place that says what the term is; None when no term is asked for or nothing says so."""
    text = found.scope.text
    match = _ASKS.match(text)
    if match is None:
        return None
    term = match["term"].strip(" .,“”\"'")
    short = term.isupper() or (len(term) <= 8 and sum(c.isupper() for c in term) > 1)
    if not short and not _MEANT.search(text) and len(term.split()) > 3:
        return None
    best: tuple[float, Piece] | None = None
    for passage in found.passages:
        for span in _sentences(passage):
            said = passage.text[span.start - passage.start : span.end - passage.start]
            score = 0.0 if orders(said) else _defines(term, said, short=short)
            if score and (best is None or score > best[0]):
                best = (score, Piece(passage, span, score))
    if best is None or (best[0] < 0.8 and not (short or _MEANT.search(text))):
        return None
    return Told([best[1]], kind="definition", confidence=best[0])


def _sentences(passage: Passage) -> list[Span]:
    """The sentences of a passage, and its lines where a sentence runs over several: a glossary is one."""
    found = []
    for span in passage.sentences:
        text = passage.text[span.start - passage.start : span.end - passage.start]
        position = span.start
        for line in text.split("\n"):
            if line.strip():
                found.append(Span(position, position + len(line.rstrip())))
            position += len(line) + 1
    return found


def _defines(term: str, text: str, *, short: bool) -> float:
    """How surely a sentence says what a term is, 0 to 1."""
    plain, name = text.casefold(), term.casefold()
    if len(plain) != len(text):
        plain = text.lower()
    best = 0.0
    at = plain.find(name)
    while at >= 0:
        before, after = text[:at], text[at + len(name) :]
        if not (before[-1:].isalnum() or after[:1].isalnum()):
            best = max(best, _said_at(term, before, after[:80], short=short))
        at = plain.find(name, at + len(name))
    return best


def _said_at(term: str, before: str, after: str, *, short: bool) -> float:
    """The same for one place of the term, by what stands before and behind it."""
    if not any(c.isalnum() for c in before) and _COLON.match(after):
        return 1.0
    if short:
        letters = [c for c in term.casefold().rstrip("s") if c.isalpha()]
        if before.rstrip().endswith("(") and (words := _WORD.findall(before[-160:])):
            return 0.95 if _begin_with(words, letters) else 0.85 if words[-1][:1].isupper() else 0.0
        if after.lstrip().startswith("(") and _begin_with(_WORD.findall(after.partition(")")[0]), letters):
            return 0.95
    if _IS.match(after):
        return 0.8
    return 0.7 if _AIMS.match(after) else 0.0


def _begin_with(words: Sequence[str], letters: Sequence[str]) -> bool:
    """Whether the last words begin with these letters, small words between them aside."""
    initials = [w[0].casefold() for w in words if w.casefold() not in STOP or w[0].isupper()]
    return bool(letters) and initials[-len(letters) :] == list(letters)
