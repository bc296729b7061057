"""A question that joins several → what is told to each of them, together, and which of them the sources leave open.

"When was it released, and how many users does it have?" is two questions: one may be answered and the other not, which
one sentence's probability for both does not show. Knows no wording.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rag.answer.followup import stand_alone
from rag.answer.gather import Piece
from rag.answer.plan import Told
from rag.asked import Turn


def answer_each(questions: Sequence[str], tell: Callable[[str], Told]) -> Told | None:
    """What `tell` has for each of the questions, in their order; None when it has nothing for any.

    A later question that leans on an earlier one ("… does it have?") is made to stand alone first.
    """
    turns: list[Turn] = []
    told: list[tuple[str, Told]] = []
    for question in questions:
        alone = stand_alone(question, turns)
        turns.append(Turn(alone))
        told.append((question, tell(alone)))
    answered = [t for _, t in told if t.pieces and t.outcome == "answered"]
    if not answered:
        return None
    pieces: dict[tuple[str, int], Piece] = {}
    for one in answered:
        for piece in one.pieces:
            pieces.setdefault((piece.passage.document_id, piece.span.start), piece)
    first = answered[0]
    together = Told(
        list(pieces.values()),
        notices=list(dict.fromkeys(n for one in answered for n in one.notices)),
        missing=list(dict.fromkeys(m for one in answered for m in one.missing)),
        confidence=min(one.confidence for one in answered),
        threshold=max(one.threshold for one in answered),
        kind=first.kind,
        wordable=all(one.wordable for one in answered),
        says=first.says if first is told[0][1] else "",
        answering=first.answering,
        compared=first.compared,
    )
    together.open = [question for question, one in told if not one.pieces or one.outcome != "answered"]
    return together
