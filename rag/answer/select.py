"""Candidate sentences → the few that make the answer, in readable order, or none.

Knows no index and no citation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answer.evidence import Candidate
from rag.answer.gather import Piece
from rag.answer.question import Question

THRESHOLDS = {"settled": 0.3, "within": 0.2, "across": 0.2}
"""Least probability for a sentence to answer at all, by how it was found out: looked at by the judge, told by form,
told by meaning alone. Below it the sources are said not to answer. The first is chosen on our own collections ("risk"
in weights.json: what a threshold costs)."""
WORDED = {"settled": 0.3, "within": 0.2, "across": 0.2}
"""The same for a language model to be asked at all, measured apart (benchmarks/answers/README.md)."""
_NEAR_BEST = 0.8
_MOST = 3
_SAME = 0.92
"""Cosine above which two sentences say the same."""
_LIST_WANTED = re.compile(
    r"^\W*(?:list|name|enumerate)\b|\b(?:what|which)\s+(?:are|were|do|does|did|\w+\s+)?(?:\w+\s+){0,3}?\w+s\b|"
    r"\b(?:two|three|four|five|six|seven)\b|\b(?:recommend|propose|suggest|options?|choices?|steps?|reasons?|tasks?)\w*\b",
    re.IGNORECASE,
)
_ORDINALS = tuple(
    re.compile(rf"^\W*(?:{said})\b", re.IGNORECASE)
    for said in (
        r"(?:the |a )?first(?:ly)?|one|in the first place|on (?:the )?one hand|for one(?: thing)?",
        r"(?:the |a )?second(?:ly)?|another|(?:the |an)other|on the other hand|for another",
        r"(?:the |a )?third(?:ly)?|(?:yet )?another",
        r"(?:the |a )?fourth(?:ly)?|another",
        r"(?:the |a )?fifth(?:ly)?|another",
        r"(?:the |a )?sixth(?:ly)?|another",
    )
)
_LAST = re.compile(r"^\W*(?:finally|lastly|(?:the )?last)\b", re.IGNORECASE)

_GIVES_REASON = re.compile(
    r"^\W*(?:(?:this|that|it) (?:is|was) because|(?:the|one|its|their) (?:main |chief )?(?:reason|cause)s?\b|because|"
    r"(?:the|this|that) (?:increase|rise|growth|gain|fall|decline|drop|decrease|change|delay|difference|shift)\b.{0,40}"
    r"\b(?:from|due|because|owing|reflect\w*|result\w*|driven|thanks|caused|attribut\w*|explain\w*))",
    re.IGNORECASE,
)


def wants_list(asked: Question) -> bool:
    """Whether a question asks for several things."""
    return bool(_LIST_WANTED.search(asked.text))


def select(
    asked: Question, candidates: Sequence[Candidate], threshold: float, every: Sequence[Candidate] = ()
) -> list[Piece]:
    """The fewest sentences that answer: the best, those about as good that add something, and what they lean on.

    Empty when no candidate reaches the threshold; `candidates` come best first. A list told by its ordinals is followed
    from its first item to its last through `every` sentence read.
    """
    chosen: list[Candidate] = []
    for candidate in candidates:
        if candidate.probability < threshold or len(chosen) == _MOST:
            break
        if chosen and candidate.probability < _NEAR_BEST * chosen[0].probability:
            break
        if all(float(candidate.vector @ c.vector) < _SAME for c in chosen):
            chosen.append(candidate)
    if chosen and wants_list(asked):
        for candidate in chosen:
            items = _items(candidate, every or candidates)
            if len(items) > 1:
                announces = items[0].span == candidate.span and not _ORDINALS[0].match(candidate.text)
                return [
                    Piece(c.passage, c.span, candidate.probability, item=n >= announces) for n, c in enumerate(items)
                ]
    pieces: dict[tuple[str, int], Piece] = {}
    for candidate in chosen:
        for piece in (*with_antecedent(candidate), *_reasons(asked, candidate, every)):
            pieces[piece.passage.document_id, piece.span.start] = piece
    first: dict[str, int] = {}
    for i, candidate in enumerate(chosen):
        first.setdefault(candidate.passage.document_id, i)
    return sorted(pieces.values(), key=lambda p: (first[p.passage.document_id], p.span.start))


def with_antecedent(candidate: Candidate) -> list[Piece]:
    """The sentence, with the one before it where a pronoun hangs on that."""
    own = Piece(candidate.passage, candidate.span, candidate.probability)
    if candidate.hangs and candidate.before is not None:
        return [Piece(candidate.passage, candidate.before, candidate.probability), own]
    return [own]


def _reasons(asked: Question, candidate: Candidate, every: Sequence[Candidate]) -> list[Piece]:
    """For a "why": the next sentence, where it says of itself that it gives the reason."""
    if asked.expects != "reason":
        return []
    return [
        Piece(c.passage, c.span, candidate.probability)
        for c in every
        if c.before == candidate.span and c.passage.id == candidate.passage.id and _GIVES_REASON.match(c.text)
    ]


def _items(candidate: Candidate, every: Sequence[Candidate]) -> list[Candidate]:
    """The sentences of the list that `candidate` announces or belongs to, itself the first when it announces it.

    A list is told by its ordinals: "First, …", "The second …", "Another …".
    """
    own = sorted((c for c in every if c.passage.id == candidate.passage.id), key=lambda c: c.span.start)
    at = next((i for i, c in enumerate(own) if c.span == candidate.span), -1)
    near = range(at + 1, max(-1, at - 6), -1)
    first = next((i for i in near if 0 <= i < len(own) and _ORDINALS[0].match(own[i].text)), -1)
    if at < 0 or first < 0:
        return []
    found = [first]
    for i in range(first + 1, len(own)):
        ordinal = _ORDINALS[len(found)] if len(found) < len(_ORDINALS) else _LAST
        if ordinal.match(own[i].text) or _LAST.match(own[i].text):
            found.append(i)
    if len(found) < 2 or at > found[-1]:
        return []
    return [own[i] for i in ([at, *found] if at < first else found)]
