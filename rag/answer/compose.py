"""The answer as a whole: from a question and a generation to the object on the wire.

Every sentence of the answer is a verbatim slice of a stored document; it carries a citation to those characters, whose
claim it is, and the bibliography entries behind it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from rag import retrieve
from rag.answer import about, evidence, question, select, verify
from rag.answer.attribute import Claim, attribute
from rag.answer.question import Question
from rag.answer.select import Piece
from rag.answer.sources import Counterparts, Found
from rag.bibliography import format_reference
from rag.encoder import Encoder
from rag.encoder.judge import Judge
from rag.store import Generation
from rag.types import (
    Answer,
    Citation,
    CitedReference,
    Document,
    Location,
    Mention,
    Passage,
    Reference,
    Resolution,
    Sentence,
    Status,
)

_WORST: tuple[Resolution, ...] = ("missing", "ambiguous", "year-mismatch", "author-variant", "exact")
NOT_ANSWERED = "The sources do not answer this."


@dataclass(frozen=True, slots=True)
class Options:
    """What a question may choose."""

    limit: int = 8
    """Passages retrieved."""
    dense_weight: float = 0.6
    style: str = "harvard"
    filters: retrieve.Filters | None = None
    judge: Judge | None = None
    """Reads the most promising passages; without it only form speaks."""
    threshold: float | None = None
    """Least probability for an answer; None takes the calibrated one."""


@dataclass(slots=True)
class _Clock:
    """Milliseconds since the last reading, by stage."""

    started: float = field(default_factory=time.perf_counter)
    timings: dict[str, float] = field(default_factory=dict)

    def read(self, stage: str) -> None:
        now = time.perf_counter()
        self.timings[stage] = round((now - self.started) * 1000, 2)
        self.started = now


@dataclass(slots=True)
class _Told:
    """What was found to say, before it is put into words."""

    pieces: list[Piece]
    entries: dict[tuple[str, int], Reference | None] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    confidence: float = 0.0
    threshold: float = 0.0


def warm(judge: Judge | None = None) -> None:
    """Load what the first answer would otherwise wait for."""
    if judge is not None:
        judge.answers("Ready?", ["Ready."])
    evidence.probability([0.0] * len(evidence.FEATURES))
    format_reference({"type": "book", "title": "ready"})


def ask(
    generation: Generation,
    encoder: Encoder,
    text: str,
    options: Options | None = None,
    *,
    on_event: Callable[[str, Any], None] | None = None,
) -> Answer:
    """Answer `text` from `generation`, extractively. Raises InputError for a question that cannot be asked."""
    chosen = options or Options()
    tell = on_event or (lambda _name, _body: None)
    clock = _Clock()
    asked = question.read(text, _language(generation))
    vector = encoder.encode_question(text)
    clock.read("encode")
    passages = retrieve.search(
        generation,
        encoder,
        text,
        vector=vector,
        limit=chosen.limit,
        dense_weight=chosen.dense_weight,
        filters=chosen.filters,
        # Entries are found by name, in `about`; among running text they would only crowd out what answers.
        kinds=("text",),
    )
    clock.read("retrieve")
    tell("retrieval.completed", passages)

    told = _from_tables(generation, asked, chosen) or _from_passages(
        generation, encoder, asked, vector, passages, chosen
    )
    clock.read("select")

    beside = Counterparts(generation, chosen.judge, encoder.scale, _citable(generation, chosen))
    body, sentences, citations, references, more = _compose(generation, told, chosen.style, tell, beside)
    clock.read("compose")
    if not told.pieces:
        tell("answer.delta", NOT_ANSWERED)
    missing = _missing(asked, told)
    status: Status = "abstained" if not told.pieces else "partial" if missing else "answered"
    notices = [*told.notices, *(f"the passages cited do not speak of “{word}”" for word in missing)]
    shown = {p.id: p for p in [*passages, *(piece.passage for piece in told.pieces), *more]}
    return Answer(
        id=f"ans_{uuid.uuid4().hex}",
        status=status,
        question=text,
        answer=body if told.pieces else NOT_ANSWERED,
        index=generation.state,
        confidence=round(told.confidence, 4),
        sentences=tuple(sentences),
        citations=tuple(citations),
        passages=tuple(shown.values()),
        references=tuple(references),
        models={"encoder": encoder.name} | ({"judge": chosen.judge.name} if chosen.judge else {}),
        settings={
            "limit": chosen.limit,
            "dense_weight": chosen.dense_weight,
            "style": chosen.style,
            "threshold": told.threshold,
        },
        notices=tuple(notices),
        usage={"passages": len(passages), "sentences": len(sentences)},
        timings_ms=clock.timings,
    )


def _from_tables(generation: Generation, asked: Question, options: Options) -> _Told | None:
    """What the document or its bibliography says of itself; None when the question asks for neither."""
    filters = options.filters or retrieve.Filters()
    if filters.within_documents:
        return None
    looked_up = about.look_up(generation, asked, filters.document_ids(generation))
    if looked_up is None:
        return None
    pieces = []
    for found in looked_up.found:
        passage = generation.passage_at(found.document.id, found.span.start)
        if passage is not None:
            pieces.append(Piece(passage, found.span, 1.0))
    entries = {(f.document.id, f.span.start): f.reference for f in looked_up.found}
    notices = [looked_up.notice] if looked_up.notice else []
    return _Told(pieces, entries, notices, confidence=1.0 if pieces else 0.0)


def _from_passages(  # noqa: PLR0917  (one caller)
    generation: Generation,
    encoder: Encoder,
    asked: Question,
    vector: retrieve.Vectors,
    passages: Sequence[Passage],
    options: Options,
) -> _Told:
    """The sentences of the passages that answer, none when no sentence is probable enough."""
    languages = _languages(generation)
    across = encoder.multilingual and question.language_of(asked.text) not in {None, *languages}
    candidates = evidence.candidates(
        asked,
        vector,
        passages,
        vectors_of=generation.sentence_vectors,
        idf=generation.idf,
        titles=generation.titles({p.document_id for p in passages}),
        scale=encoder.scale,
        language=_language(generation),
        across=across,
    )
    how = "across" if across else "within"
    if options.judge is not None and languages == {"en"} and not across:
        how = "judged"
        candidates = evidence.reconsider(asked, candidates, options.judge)
    threshold = select.THRESHOLDS[how] if options.threshold is None else options.threshold
    return _Told(
        select.select(candidates, threshold),
        confidence=candidates[0].probability if candidates else 0.0,
        threshold=threshold,
    )


def _missing(asked: Question, told: _Told) -> list[str]:
    """The names and figures of the question that neither the cited sentences nor what stands around them has."""
    if not told.pieces or told.entries:
        return []
    held: set[str] = set()
    for piece in told.pieces:
        held |= evidence.present(f"{piece.passage.section or ''}\n{piece.passage.text}", asked.language)
    return [w for w in asked.must_have if not evidence.present(w, asked.language) & held]


def _citable(generation: Generation, options: Options) -> Collection[str] | None:
    """The documents that the filters leave for what is cited beside an answer; None for all."""
    filters = options.filters or retrieve.Filters()
    return () if filters.within_documents else filters.document_ids(generation)


def _compose(
    generation: Generation,
    told: _Told,
    style: str,
    tell: Callable[[str, Any], None],
    beside: Counterparts,
) -> tuple[str, list[Sentence], list[Citation], list[CitedReference], list[Passage]]:
    body = ""
    sentences: list[Sentence] = []
    citations: list[Citation] = []
    by_reference: dict[str, list[Mention]] = {}
    documents: dict[str, Document] = {}
    more: list[Passage] = []

    def document_of(passage: Passage) -> Document:
        return documents.setdefault(passage.document_id, generation.document(passage.document_id))

    def cite(found: Found, entry: Reference | None = None) -> tuple[int, Claim]:
        """The number of the citation of a span, added, and whose claim it is."""
        passage, span = found
        document = document_of(passage)
        claim = attribute(generation, document, span, entry)
        for reference_id in claim.reference_ids:
            cited = [m for m in claim.mentions if m.reference_id == reference_id]
            by_reference.setdefault(reference_id, []).extend(cited)
        section = document.section_at(span.start)
        citation = Citation(
            index=len(citations),
            passage_id=passage.id,
            document_id=document.id,
            location=Location(
                start_char_index=span.start,
                end_char_index=span.end,
                page=document.page_at(span.start),
                section=section.title if section else None,
            ),
            cited_text=span.of(document.text),
            attribution=claim.attribution,
            reference_ids=claim.reference_ids,
            relation=claim.relation,
        )
        tell("citation.added", citation)
        citations.append(citation)
        return citation.index, claim

    for piece in told.pieces:
        document = document_of(piece.passage)
        quote = piece.span.of(document.text)
        shown = " ".join(quote.split())
        start = len(body) + (1 if body else 0)
        tell("answer.delta", (" " if body else "") + shown)
        body = f"{body} {shown}" if body else shown
        found = (piece.passage, piece.span)
        entry = told.entries.get((document.id, piece.span.start))
        number, claim = cite(found, entry)
        others = [] if entry is not None else beside.of(document, found, claim)
        more.extend(passage for passage, _ in others)
        numbers = (number, *(cite(other)[0] for other in others))
        verdict, score = verify.verdict(shown, [quote])
        sentence = Sentence(start, len(body), verdict, score, numbers)
        tell("sentence.verified", sentence)
        sentences.append(sentence)
    references = [_cited(generation.reference(i), mentions, style) for i, mentions in by_reference.items()]
    return body, sentences, citations, references, more


def _cited(reference: Reference, mentions: Sequence[Mention], style: str) -> CitedReference:
    resolution: Resolution = min((m.resolution for m in mentions), key=_WORST.index, default="exact")
    problems = dict.fromkeys([*reference.problems, *(p for m in mentions for p in m.problems)])
    return CitedReference(
        id=reference.id,
        document_id=reference.document_id,
        csl=reference.csl,
        formatted=format_reference(reference.csl, style),
        resolution=resolution,
        problems=tuple(problems),
    )


def _language(generation: Generation) -> str:
    """The language to stem a question in when its sources share one, English otherwise."""
    languages = _languages(generation)
    return next(iter(languages)) if len(languages) == 1 else "en"


def _languages(generation: Generation) -> set[str]:
    return {x.split("-")[0] for x in generation.languages if x}
