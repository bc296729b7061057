"""Where no passage surely answers: whether anything speaks of it at all, and what is closest.

`speaks` decides between "found" and "abstained"; `closest` chooses what is quoted, said to be no sure answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.answer import structure, wording
from rag.answer.evidence import Candidate, covered, present
from rag.answer.gather import Evidence, Piece
from rag.answer.plan import MOST_WORDS, Told, words_of
from rag.answer.reading import log_odds_of

_NEIGHBOURS = 0.6
"""What the sentences beside one count for: what answers stands among what speaks of it."""
_MOST = 7
_SPOKEN_OF, _SPOKEN_OF_WITHIN = 0.75, 0.55
"""Least nearness and half the share of words together for the sources to speak of a matter; the second where the
question names the documents it is put to."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What tells whether the sources speak of a question's matter."""

    words: float
    """Share of the question's words, by rarity, that the best passages hold between them."""
    unknown_names: int
    """Names of the question that no passage has."""
    nearness: float
    """Cosine of the best sentence, by the encoder's own scale."""
    probability: float
    """Of the best sentence to answer."""


def tell(found: Evidence) -> Told:
    """The closest sentences, or nothing where the sources do not speak of it."""
    signs = read(found)
    within = bool(found.scope.documents or found.filters.documents)
    if not speaks(signs, within=within):
        return Told(kind="closest", outcome="none", confidence=signs.probability)
    pieces = closest(found)
    return Told(pieces, kind="closest", outcome="found" if pieces else "none", confidence=signs.probability)


def speaks(signs: Signs, *, within: bool = False) -> bool:
    """Whether anything in the passages is about what is asked: a name that they lack says that nothing is."""
    least = _SPOKEN_OF_WITHIN if within else _SPOKEN_OF
    return not signs.unknown_names and signs.nearness + signs.words / 2 >= least


def read(found: Evidence) -> Signs:
    """The signs for one question."""
    asked, passages = found.asked, found.passages[:6]
    vague = wording.said_terms("asking")
    held: set[str] = set()
    titles = found.generation.titles({p.document_id for p in passages})
    for passage in passages:
        held |= present(
            f"{titles.get(passage.document_id, '')}\n{passage.section or ''}\n{passage.text}", asked.language
        )
    weights = {t: found.generation.idf(t) for t in asked.content if t not in vague}
    unknown = [n for n in asked.names if n not in held and n.rstrip("s") not in held]
    best = found.candidates[0].probability if found.candidates else 0.0
    near = max((c.features[0] for c in found.candidates), default=0.0)
    return Signs(covered(weights, held), len(unknown), near, best)


def closest(found: Evidence, most_words: int = MOST_WORDS) -> list[Piece]:
    """The most promising sentences, each judged with its neighbours, in the order of the text, no more than fit."""
    merit = merits(found.scanned if found.reader else found.candidates)
    taken: list[Candidate] = []
    total = 0
    for candidate, _ in sorted(merit, key=lambda m: -m[1]):
        length = len(candidate.text.split())
        if len(taken) == _MOST:
            break
        if total + length > most_words:
            continue
        taken.append(candidate)
        total += length
    return _readable(found, taken)


def around(found: Evidence, pieces: Sequence[Piece], most_words: int) -> list[Piece]:
    """The pieces with what comes closest beside them, no more than fit; in the order of the text."""
    total = sum(len(words_of(p)) for p in pieces)
    kept = list(pieces)
    have = [p.span for p in pieces]
    near = closest(found, max(0, most_words - total))
    kept += [p for p in near if not any(p.span.overlaps(s.start, s.end) for s in have)]
    first = pieces[0].passage.document_id
    return sorted(kept, key=lambda p: (p.passage.document_id != first, p.passage.document_id, p.span.start))


def merits(candidates: Sequence[Candidate]) -> list[tuple[Candidate, float]]:
    """Each candidate with its log-odds and a share of its neighbours'."""
    by_passage: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        by_passage.setdefault(candidate.passage.id, []).append(candidate)
    merit: list[tuple[Candidate, float]] = []
    for own in by_passage.values():
        own.sort(key=lambda c: c.span.start)
        odds = [log_odds_of(c.probability) for c in own]
        for i, candidate in enumerate(own):
            beside = [odds[k] for k in (i - 1, i + 1) if 0 <= k < len(own)]
            merit.append((candidate, odds[i] + _NEIGHBOURS * (sum(beside) / len(beside) if beside else odds[i])))
    return merit


def _readable(found: Evidence, taken: Sequence[Candidate]) -> list[Piece]:
    """Best document first, each in its text's order."""
    first: dict[str, int] = {}
    for i, candidate in enumerate(taken):
        first.setdefault(candidate.passage.document_id, i)
    ordered = sorted(taken, key=lambda c: (first[c.passage.document_id], c.span.start))
    return [
        Piece(c.passage, c.span, c.probability, item=structure.is_item(found.document(c.passage.document_id), c.span))
        for c in ordered
    ]
