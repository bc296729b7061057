"""An answer's sentence → what other documents say to the same claim: for it, or against it, never mixed.

Another document's sentence speaks to the same claim when it is near in meaning and answers the same question. Figures
that disagree, or a denial that the judge confirms, stand against; what the judge finds to support stands for. What is
neither is left out. Knows no citation and no prose.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

from rag.answer.evidence import Candidate
from rag.answer.gather import Piece
from rag.answer.question import Question
from rag.encoder.judge import Judge, Support
from rag.function_words import STOP
from rag.lexical import terms

_SAME_CLAIM = 0.5
"""Least cosine between sentences that speak to the same claim."""
_SUPPORTS = 0.34
"""Least probability of support, the judge's own threshold (MODEL_CARD.md)."""
_AGAINST = 0.7
"""Least log-odds of contradiction against support."""
_MOST = 4
"""Sentences of other documents that are compared; each costs the judge one look."""
_FIGURE = re.compile(r"\d[\d.,]*\d|\d")
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
_NAME = re.compile(r"\b[A-ZÀ-Þ][\w’'-]+(?: [A-ZÀ-Þ][\w’'-]+)*")
_OPENING = re.compile(
    r"(?:The|A|An|In|On|At|By|Of|For|This|That|These|It|Its|Their|From|After|Since|During|Until|When|About|Over)\b"
)


@dataclass(frozen=True, slots=True)
class Compared:
    """Sentences of other documents that say the same as the answer's, and those that say otherwise."""

    supporting: tuple[Piece, ...] = ()
    contradicting: tuple[Piece, ...] = ()


def compare(
    asked: Question,
    best: Candidate,
    found: Sequence[Candidate],
    judge: Judge | None,
    titles: Mapping[str, str],
) -> Compared:
    """Set what other documents say beside `best`, the sentence that answers. `found` come most promising first."""
    if judge is None:
        return Compared()
    others: dict[str, Candidate] = {}
    for candidate in found:
        if candidate.passage.document_id == best.passage.document_id:
            continue
        known = others.get(candidate.passage.document_id)
        near = float(candidate.vector @ best.vector)
        if not same_thing(asked, best, candidate, titles):
            continue
        if near >= _SAME_CLAIM and (known is None or near > float(known.vector @ best.vector)):
            others[candidate.passage.document_id] = candidate
    chosen = list(others.values())[:_MOST]
    if not chosen:
        return Compared()
    verdicts = judge.supports([(best.bare, c.bare) for c in chosen], [c.passage.text for c in chosen])
    supporting, contradicting = [], []
    for candidate, verdict in zip(chosen, verdicts, strict=True):
        piece = Piece(candidate.passage, candidate.span, candidate.probability)
        if _disagrees(asked, best, candidate, verdict):
            contradicting.append(piece)
        elif verdict.supported >= _SUPPORTS and verdict.supported > verdict.contradicted:
            supporting.append(piece)
    return Compared(tuple(supporting), tuple(contradicting))


def same_thing(asked: Question, one: Candidate, other: Candidate, titles: Mapping[str, str]) -> bool:
    """Whether two sentences speak of the same thing at the same time; what one leaves out, its title says.

    Two hospitals, two harvests, two years do not disagree: each sentence is about the name it puts first, and where the
    question names somebody both must name them.
    """
    years = [_years(c, titles) for c in (one, other)]
    if all(years) and years[0].isdisjoint(years[1]):
        return False
    names = [_names(c, titles) for c in (one, other)]
    if asked.names:
        held = [set(terms(" ".join(n))) | set(terms(c.bare)) for n, c in zip(names, (one, other), strict=True)]
        return not any(name not in held[0] or name not in held[1] for name in asked.names)
    first = [n[0] for n in names if n]
    if len(first) < 2:
        return True
    return first[0] in " ".join(names[1]) or first[1] in " ".join(names[0])


def _years(candidate: Candidate, titles: Mapping[str, str]) -> set[str]:
    return set(_YEAR.findall(candidate.bare)) or set(_YEAR.findall(titles.get(candidate.passage.document_id, "")))


def _names(candidate: Candidate, titles: Mapping[str, str]) -> list[str]:
    """The proper names of a sentence in order; of its title where it has none."""
    for text in (candidate.bare, titles.get(candidate.passage.document_id, "")):
        found = []
        for match in _NAME.finditer(text):
            name = match.group()
            if opening := _OPENING.match(name):
                name = name[opening.end() :].strip()
            if name and (match.start() or " " in name or name != text.split(" ", 1)[0] or name.casefold() not in STOP):
                found.append(name.casefold())
        if found:
            return found
    return []


def _disagrees(asked: Question, best: Candidate, other: Candidate, verdict: Support) -> bool:
    if asked.expects in {"quantity", "when"}:
        own, theirs = _figures(best.bare, asked), _figures(other.bare, asked)
        if own and theirs:
            return own.isdisjoint(theirs)
    return log(verdict.contradicted + 1e-9) - log(verdict.supported + 1e-9) >= _AGAINST


def _figures(text: str, asked: Question) -> set[str]:
    """The figures of a sentence that the question does not hold already, without separators of thousands."""
    known = set(asked.figures)
    return {m.group().replace(",", "") for m in _FIGURE.finditer(text) if m.group() not in known}
