"""Two things set side by side, and which of several has the most: each side is answered by itself."""

from __future__ import annotations

import re

from rag.answer import question, wording
from rag.answer.evidence import Candidate, covered, present
from rag.answer.gather import Evidence, Piece
from rag.answer.plan import Told
from rag.lexical import terms, words
from rag.retrieve import compared

_FIGURE = re.compile(r"\d[\d.,]*\d|\d")
_NAME = r"[A-Z][\w’'-]{0,30}(?: [A-Z][\w’'-]{0,30}){0,3}"
_NAMES_JOINED = re.compile(rf"(?<![\w’'-])({_NAME}),? (?:and|or|y|und|et|e) ({_NAME})(?![\w’'-])")
_OF_A_SIDE = 2
_HELD = 0.5


def tell(found: Evidence) -> Told | None:
    """Both sides of a comparison, or the extreme of several; None when nothing is compared."""
    return _extreme(found) or _sides(found)


def _sides(found: Evidence) -> Told | None:
    text = found.scope.text
    sides = compared(text)
    if not sides and found.asked.expects in {"quantity", "when", "any"} and (match := _NAMES_JOINED.search(text)):
        first, second = match.groups()
        sides = [(n, text[: match.start()] + n + text[match.end() :]) for n in (first, second)]
        if _together(found, first, second):
            return None
    if len(sides) < 2:
        return None
    pieces: list[Piece] = []
    missing: list[str] = []
    taken: set[tuple[str, int]] = set()
    others = [set(terms(thing)) for thing, _ in sides]
    for n, (thing, asked) in enumerate(sides):
        telling = others[n] - set().union(*(o for i, o in enumerate(others) if i != n))
        own = _of_side(found, asked, telling, taken)
        if not own:
            missing.append(f"“{thing}”")
        for i, c in enumerate(own):
            taken.add((c.passage.document_id, c.span.start))
            lead = "" if i else f"{thing[:1].upper()}{thing[1:]}: "
            pieces.append(Piece(c.passage, c.span, c.probability, lead, item=not i))
    if not pieces or len(missing) == len(sides):
        return None
    return Told(pieces, kind="comparison", confidence=max(p.probability for p in pieces), missing=missing)


def _of_side(found: Evidence, asked: str, telling: set[str], taken: set[tuple[str, int]]) -> list[Candidate]:
    """The best sentences on one side: those that hold what tells it from the other."""
    read = question.read(asked, found.asked.language)
    candidates = found.weigh(read, found.search(asked, limit=6))
    weights = {t: found.generation.idf(t) for t in telling}
    fitting = [
        c
        for c in candidates
        if (c.passage.document_id, c.span.start) not in taken
        and (not weights or covered(weights, present(c.text, found.asked.language)) >= _HELD)
    ]
    best = fitting[:1]
    best += [c for c in fitting[1:4] if best and c.probability >= 0.6 * best[0].probability][: _OF_A_SIDE - 1]
    return sorted(best, key=lambda c: (c.passage.document_id, c.span.start))


def _together(found: Evidence, first: str, second: str) -> bool:
    """Whether one sentence speaks of both: then nothing need be taken apart."""
    wanted = set(terms(first)), set(terms(second))
    return any(all(w <= present(c.text, found.asked.language) for w in wanted) for c in found.candidates[:6])


def _extreme(found: Evidence) -> Told | None:
    """Of sentences that give the same measure of several things the largest or smallest; in total, all of them."""
    spoken = set(words(found.scope.text))
    most, least = bool(spoken & wording.said("most")), bool(spoken & wording.said("least"))
    total = bool(spoken & wording.said("total"))
    if not total and (most == least or spoken.isdisjoint(wording.said("which"))):
        return None
    measured = _measured(found)
    frames = {_frame(c.bare) for _, c in measured}
    if len(measured) < 2 or len(frames) > max(1, len(measured) // 2):
        return None
    if total:
        pieces = [Piece(c.passage, c.span, c.probability, item=True) for _, c in measured]
        return Told(
            pieces, kind="comparison", confidence=0.7, notices=["no passage gives a total; these are its parts"]
        )
    ordered = sorted(measured, key=lambda m: m[0], reverse=most)
    if ordered[0][0] == ordered[1][0]:
        return None
    best = ordered[0][1]
    compared_with = f"compared with {len(ordered) - 1} more of the kind"
    return Told(
        [Piece(best.passage, best.span, best.probability)], kind="comparison", confidence=0.9, notices=[compared_with]
    )


def _measured(found: Evidence) -> list[tuple[float, Candidate]]:
    """The sentences with one figure that speak of the measure, one a document, with the figure."""
    known = wording.said_terms("most") | wording.said_terms("least") | wording.said_terms("total")
    weights = {
        t: found.generation.idf(t) for t in found.asked.content if t not in known and t not in found.asked.figures
    }
    measured: dict[str, tuple[float, Candidate]] = {}
    for candidate in found.candidates:
        held = present(f"{candidate.passage.section or ''} {candidate.text}", found.asked.language)
        figure = _figure(candidate.bare)
        if figure is None or covered(weights, held) < _HELD:
            continue
        if any(orders in candidate.bare.casefold() for orders in ("total", "altogether")):
            return []
        measured.setdefault(candidate.passage.document_id, (figure, candidate))
    return list(measured.values())


def _figure(text: str) -> float | None:
    """The only figure of a sentence that is no year."""
    figures = [m.group() for m in _FIGURE.finditer(text) if not re.fullmatch(r"(?:1[5-9]|20)\d\d", m.group())]
    try:
        return float(figures[0].replace(",", "")) if len(figures) == 1 else None
    except ValueError:
        return None


def _frame(text: str) -> str:
    """What a sentence says of whatever it is about: its words without names and figures."""
    return " ".join(w for w in text.split() if w[:1].islower())
