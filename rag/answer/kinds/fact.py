"""A narrow question: the fewest sentences that answer it, where one is probable enough; also yes, no and denials."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rag.answer import closest, corroborate, evidence, polarity, question, reading, select, structure
from rag.answer.evidence import Candidate
from rag.answer.gather import Evidence, Piece
from rag.answer.opposites import NEGATION
from rag.answer.plan import Told
from rag.answer.question import Question
from rag.encoder.judge import Judge

_WHICH = re.compile(r"^\W*(?:which|who|what|whose)\b", re.IGNORECASE)
_SURE = 0.9
"""Probability from which on the sentence is an answer by itself; below, what stands around it is quoted too."""
_VAGUE_WORDS = 3
"""Content words below which a question without a name or a figure fits much that does not answer it."""
_CONTEXT_WORDS = 110
_OPEN = frozenset({"any", "manner", "reason"})
_TOLD_APART = 0.15
"""Least probability of a sentence that is said to deny what the question presumes."""
_ON_TOPIC = 0.5
"""Least share of the question's words, by weight, that such a sentence holds itself."""
_ALL_WORDS = 0.9
"""Share from which on it need not be probable besides: a denial lacks the time or the reason that was asked for."""


def tell(found: Evidence) -> Told:
    """The sentences that answer, none when no sentence is probable enough."""
    asked, reader = found.asked, found.reader
    how = "settled" if reader is not None else "across" if found.across else "within"
    every = found.scanned
    candidates = reading.settle(asked, every, reader, found.generation.idf) if reader is not None else every
    least = (select.WORDED if found.worded else select.THRESHOLDS)[how] if found.threshold is None else found.threshold
    confidence = candidates[0].probability if candidates else 0.0
    told = Told(kind="fact", confidence=confidence, threshold=least, wordable=True)
    if reader is not None and (denial := _denial(asked, candidates, reader)):
        told.pieces, told.outcome = select.with_antecedent(denial), "denied"
        return told
    candidates = [c for c in candidates if not _turned(asked, c.bare)]
    if not _specific(asked) and found.threshold is None:
        told.threshold = least = max(least, _SURE)
    told.pieces = _with_lists(found, select.select(asked, candidates, least, every))
    if not told.pieces:
        told.outcome = "none"
        return told
    if asked.expects in _OPEN and confidence < _SURE and not any(p.item for p in told.pieces):
        told.pieces = closest.around(found, told.pieces, _CONTEXT_WORDS)
    told.missing = _missing(asked, told.pieces, candidates[0].bare)
    told.answering = candidates[0].span
    titles = found.generation.titles({c.passage.document_id for c in every})
    told.compared = corroborate.compare(asked, candidates[0], every, reader, titles)
    if reader is not None and asked.expects == "yes-no":
        told.says = polarity.yes_or_no(asked, candidates[0].bare, reader) or ""
        if not told.says and confidence < _SURE and found.threshold is None:
            # What bears on a yes or a no, and gives neither, is no answer.
            told.pieces, told.outcome = closest.around(found, told.pieces, _CONTEXT_WORDS), "found"
    return told


def _with_lists(found: Evidence, pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces, a lead-in with its items, an item of a list with its fellows where the question wants a list."""
    if any(p.item for p in pieces):
        return list(pieces)
    whole: list[Piece] = []
    for piece in pieces:
        document = found.document(piece.passage.document_id)
        section = document.section_at(piece.span.start)
        end = section.end if section else len(document.text)
        start = section.body_start if section else 0
        text = piece.span.of(document.text)
        if not (
            structure.announces(text) or (select.wants_list(found.asked) and structure.is_item(document, piece.span))
        ):
            whole.append(piece)
            continue
        lead, items = structure.list_around(document, piece.span, end, start)
        if not items and structure.announces(text) and select.wants_list(found.asked):
            # "Several obstacles slowed the programme. Roads were closed …": the paragraph is the list.
            paragraph = document.text.find("\n\n", piece.span.end, end)
            stop = end if paragraph < 0 else paragraph
            following = found.sentences(document, replace(piece.span, start=piece.span.end, end=stop))[:8]
            if len(following) > 1 and stop - piece.span.end < 900:
                lead, items = piece.span, following
        if not items:
            whole.append(piece)
            continue
        if lead is not None and (led := found.piece(document.id, lead)) is not None:
            whole.append(replace(piece, passage=led.passage, span=lead))
        whole += [p for i in items if (p := found.piece(document.id, i, item=True, probability=piece.probability))]
    unique = {(p.passage.document_id, p.span.start): p for p in whole}
    return list(unique.values())


def _specific(asked: Question) -> bool:
    """Whether a question says enough of what it is about to tell its answer from what is merely near."""
    return bool(asked.names or asked.figures) or len(asked.content) >= _VAGUE_WORDS


def _turned(asked: Question, sentence: str) -> bool:
    """Whether a sentence says which did not of a question that asks which did, or the other way round."""
    if not _WHICH.match(asked.text):
        return False
    negated = bool(NEGATION.search(asked.text))
    if negated:
        return not NEGATION.search(sentence)
    return polarity.denied(asked, sentence)


def _denial(asked: Question, candidates: Sequence[Candidate], judge: Judge) -> Candidate | None:
    """The sentence that denies what the question presumes, if one does."""
    for candidate in candidates:
        words = candidate.features[evidence.FEATURES.index("words")]
        told_apart = candidate.probability >= _TOLD_APART or words >= _ALL_WORDS
        if told_apart and words >= _ON_TOPIC and polarity.contradicts(asked, candidate.bare, judge):
            return candidate
    return None


def _missing(asked: Question, pieces: Sequence[Piece], said: str) -> list[str]:
    """Names and figures of the question that the passages lack, and a second thing asked for that they do not give."""
    held: set[str] = set()
    for piece in pieces:
        held |= evidence.present(f"{piece.passage.section or ''}\n{piece.passage.text}", asked.language)
    missing = [f"“{w}”" for w in asked.must_have if not evidence.present(w, asked.language) & held]
    for words, expects in asked.besides:
        if question.meets(expects, said, asked) == 0:
            missing.append(f"“{' '.join(words.split())}”")
    return missing
