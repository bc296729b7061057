"""What a term means: its glossary line, what it is short for, the sentence that says what it is."""

from __future__ import annotations

import re

from rag.answer.gather import Evidence, Piece
from rag.answer.orders import orders
from rag.answer.plan import Told
from rag.types import Passage, Span

_ASKS = re.compile(
    r"^\W*(?:what\s+(?:is|are|does)|what's|define|definition of|explain|was\s+(?:ist|sind|bedeutet|heißt)|qu[eé]\s+(?:es|significa)|"
    r"qu['’]est-ce\s+que|que\s+signifie|o\s+que\s+(?:é|significa))\s+"
    r"(?:meant\s+by\s+|the\s+(?:meaning|definition)\s+of\s+|the\s+term\s+)?(?:the\s+|an?\s+)?(?P<term>[^?]{2,60}?)"
    r"(?P<how>\s+(?:stand(?:s)?\s+for|mean(?:s)?|short\s+for|an?\s+abbreviation\s+of))?\s*\?*\s*$",
    re.IGNORECASE,
)
_MEANT = re.compile(
    r"\b(?:meant by|stands? for|means?|define|definition|short for|abbreviat\w*|meaning|bedeutet|significa|signifie)\b",
    re.IGNORECASE,
)
_BLANK = re.compile(r"\W+")


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
    name = r"\s+".join(re.escape(w) for w in term.split())
    if re.match(rf"\W*{name}\s*[:=–—]\s*\S", text, re.IGNORECASE):
        return 1.0
    if short:
        initials = "".join(
            rf"{re.escape(c)}[\w’'-]*[\s-]+(?:(?:of|and|for|the|de|und|et|y)\s+)*"
            for c in term.rstrip("s")
            if c.isalpha()
        )[: -len(r"[\s-]+(?:(?:of|and|for|the|de|und|et|y)\s+)*")]
        if re.search(rf"\b{initials}\s*\(\s*{name}\b", text, re.IGNORECASE) or re.search(
            rf"\b{name}\s*\(\s*{initials}", text, re.IGNORECASE
        ):
            return 0.95
        if re.search(rf"\b[A-Z][\w’'-]*(?:\s+[\w’'-]+){{0,7}}\s*\(\s*{name}\b", text):
            return 0.85
    if re.search(
        rf"\b{name}\b[”\"’]?\s*(?:\([^)]{{1,40}}\)\s*)?(?:is|are|means?|refers? to|stands? for|denotes?|aims? to|consists? of|describes?)\s",
        text,
        re.IGNORECASE,
    ):
        return 0.8
    if re.search(
        rf"\b{name}\b[”\"’]?(?:\s+initiative|\s+plan|\s+programme)?\s+(?:aims?|seeks?|is|was|are|were|means?)\b",
        text,
        re.IGNORECASE,
    ):
        return 0.7
    return 0.0
