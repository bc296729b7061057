"""A question → the verbatim sentences that answer it, or none: looked up in tables, or chosen among passages.

Knows what to say, not how it is worded, cited or sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from rag import function_words, retrieve
from rag.answer import about, corroborate, evidence, listed, nearness, polarity, question, reading, select
from rag.answer.corroborate import Compared
from rag.answer.evidence import Candidate
from rag.answer.question import Question
from rag.answer.select import Piece
from rag.encoder import Across, Encoder
from rag.encoder.judge import Judge
from rag.store import Generation
from rag.types import Passage, Reference, Span

_TOLD_APART = 0.15
"""Least probability of a sentence that is said to deny what the question presumes."""
_ON_TOPIC = 0.5
"""Least share of the question's words, by weight, that such a sentence holds itself."""
_ALL_WORDS = 0.9
"""Share from which on it need not be probable besides: a denial lacks the time or the reason that was asked for."""


@dataclass(slots=True)
class Told:
    """What was found to say, before it is put into words."""

    pieces: list[Piece]
    entries: dict[tuple[str, int], Reference | None] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """What the question asks for and the pieces do not cover, in words."""
    open: list[str] = field(default_factory=list)
    """Of several questions in one, those that the sources do not answer."""
    confidence: float = 0.0
    threshold: float = 0.0
    verbatim_from: float = 0.0
    """The threshold for the sentences themselves; that for asking a language model may be another."""
    says: str = ""
    """"Yes" or "No", where the question wants one and the sentence gives it."""
    denies: bool = False
    """The pieces do not answer: they deny what the question takes for granted."""
    items: int = 0
    """How many of the pieces, the last ones, are the items of a list."""
    answering: Span | None = None
    """The piece that answers best."""
    compared: Compared = field(default_factory=Compared)
    """What other documents say to it."""

    def withdraw(self) -> None:
        """Say nothing after all."""
        self.pieces, self.missing, self.says, self.answering, self.compared = [], [], "", None, Compared()


def from_tables(generation: Generation, asked: Question, filters: retrieve.Filters | None) -> Told | None:
    """What a document or its bibliography says of itself; None when the question asks for neither."""
    confined = filters or retrieve.Filters()
    if confined.within_documents:
        return None
    documents = confined.document_ids(generation)
    looked_up = listed.look_up(generation, asked, documents) or about.look_up(generation, asked, documents)
    if looked_up is None:
        return None
    pieces = []
    for found in looked_up.found:
        passage = generation.passage_at(found.document.id, found.span.start)
        if passage is not None:
            pieces.append(Piece(passage, found.span, 1.0))
    entries = {(f.document.id, f.span.start): f.reference for f in looked_up.found}
    notices = [looked_up.notice] if looked_up.notice else []
    items = len(pieces) if looked_up.listed and len(pieces) > 1 else 0
    return Told(pieces, entries, notices, confidence=1.0 if pieces else 0.0, items=items)


def from_passages(  # noqa: PLR0917  (one caller)
    generation: Generation,
    encoder: Encoder,
    asked: Question,
    vector: retrieve.Vectors,
    passages: Sequence[Passage],
    judge: Judge | None,
    threshold: float | None = None,
    *,
    worded: bool = False,
) -> Told:
    """The sentences of the passages that answer, none when no sentence is probable enough.

    `worded` says that a language model is to word them, which has a threshold of its own.
    """
    across = encoder if isinstance(encoder, Across) else None
    candidates = evidence.candidates(
        asked,
        vector,
        passages,
        vectors_of=generation.sentence_vectors,
        idf=generation.idf,
        titles=generation.titles({p.document_id for p in passages}),
        scale=encoder.scale,
        language=language_of(generation),
        held=partial(nearness.held, asked.text, meanings=across.words) if across else None,
    )
    how = "across" if across else "within"
    reader = judge if across is None and readable(generation, asked) else None
    every = candidates
    if reader is not None:
        how = "settled"
        every = reading.scan(asked, candidates, reader)
        candidates = reading.settle(asked, every, reader, generation.idf)
    least, verbatim = (
        (select.WORDED if worded else select.THRESHOLDS)[how] if threshold is None else threshold,
        select.THRESHOLDS[how] if threshold is None else threshold,
    )
    confidence = candidates[0].probability if candidates else 0.0
    told = Told([], confidence=confidence, threshold=least, verbatim_from=verbatim)
    if reader is not None and (denial := _denial(asked, candidates, reader)):
        told.pieces, told.denies = select.with_antecedent(denial), True
        return told
    told.pieces, told.items = select.select(asked, candidates, least, every)
    if told.pieces:
        told.missing = _missing(asked, told.pieces, candidates[0].bare)
        told.answering = candidates[0].span
        told.compared = corroborate.compare(asked, candidates[0], every, reader)
        if reader is not None and asked.expects == "yes-no":
            told.says = polarity.yes_or_no(asked, candidates[0].bare, reader) or ""
    return told


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


def readable(generation: Generation, asked: Question) -> bool:
    """Whether the judge can read it: an English question to sources that are, some of them, in English."""
    return "en" in languages_of(generation) and function_words.language_of(asked.text) in {None, "en"}


def language_of(generation: Generation) -> str:
    """The language to stem a question in when its sources share one, English otherwise."""
    languages = languages_of(generation)
    return next(iter(languages)) if len(languages) == 1 else "en"


def languages_of(generation: Generation) -> set[str]:
    """The languages of the sources, without regions."""
    return {x.split("-")[0] for x in generation.languages if x}
