"""The answer as a whole: from a question and a generation to the object on the wire.

Every sentence of the answer is a verbatim slice of a stored document; it carries a citation to those characters, whose
claim it is, and the bibliography entries behind it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rag import retrieve
from rag.answer import about, evidence, question, select, verify
from rag.answer.attribute import attribute
from rag.answer.select import Piece
from rag.bibliography import format_reference
from rag.encoder import Encoder
from rag.store import Generation
from rag.types import (
    Answer,
    Citation,
    CitedReference,
    Document,
    Location,
    Mention,
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
    documents: Sequence[str] | None = None
    threshold: float = select.THRESHOLD


@dataclass(slots=True)
class _Clock:
    """Milliseconds since the last reading, by stage."""

    started: float = field(default_factory=time.perf_counter)
    timings: dict[str, float] = field(default_factory=dict)

    def read(self, stage: str) -> None:
        now = time.perf_counter()
        self.timings[stage] = round((now - self.started) * 1000, 2)
        self.started = now


def warm() -> None:
    """Load what the first answer would otherwise wait for."""
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
        documents=chosen.documents,
    )
    clock.read("retrieve")
    tell("retrieval.completed", passages)

    notices: list[str] = []
    confidence = 0.0
    looked_up = about.look_up(generation, asked, chosen.documents)
    if looked_up is not None:
        pieces = [p for f in looked_up.found if (p := _piece(generation, f)) is not None]
        entries = {(f.document.id, f.span.start): f.reference for f in looked_up.found}
        confidence = 1.0 if pieces else 0.0
        if looked_up.notice:
            notices.append(looked_up.notice)
    else:
        candidates = evidence.candidates(
            asked,
            vector,
            passages,
            vectors_of=generation.sentence_vectors,
            idf=generation.idf,
            titles={d.id: d.title or "" for d in generation.documents()},
            scale=encoder.scale,
            language=_language(generation),
            across=encoder.multilingual and question.language_of(text) not in {None, *_languages(generation)},
        )
        pieces = select.select(candidates, chosen.threshold)
        entries = {}
        confidence = candidates[0].probability if candidates else 0.0
    clock.read("select")

    body, sentences, citations, references = _compose(generation, pieces, entries, chosen.style, tell)
    clock.read("compose")
    status: Status = "answered" if pieces else "abstained"
    if not pieces:
        tell("answer.delta", NOT_ANSWERED)
    shown = {p.id: p for p in [*passages, *(piece.passage for piece in pieces)]}
    return Answer(
        id=f"ans_{uuid.uuid4().hex}",
        status=status,
        question=text,
        answer=body if pieces else NOT_ANSWERED,
        index=generation.state,
        confidence=round(confidence, 4),
        sentences=tuple(sentences),
        citations=tuple(citations),
        passages=tuple(shown.values()),
        references=tuple(references),
        models={"encoder": encoder.name},
        settings={
            "limit": chosen.limit,
            "dense_weight": chosen.dense_weight,
            "style": chosen.style,
            "threshold": chosen.threshold,
        },
        notices=tuple(notices),
        usage={"passages": len(passages), "sentences": len(sentences)},
        timings_ms=clock.timings,
    )


def _compose(
    generation: Generation,
    pieces: Sequence[Piece],
    entries: dict[tuple[str, int], Reference | None],
    style: str,
    tell: Callable[[str, Any], None],
) -> tuple[str, list[Sentence], list[Citation], list[CitedReference]]:
    body = ""
    sentences: list[Sentence] = []
    citations: list[Citation] = []
    by_reference: dict[str, list[Mention]] = {}
    documents: dict[str, Document] = {}
    for piece in pieces:
        document_id = piece.passage.document_id
        document = documents.setdefault(document_id, generation.document(document_id))
        quote = piece.span.of(document.text)
        entry = entries.get((document_id, piece.span.start))
        attribution, mentions, ids = attribute(generation, document_id, piece.span, entry)
        for reference_id in ids:
            by_reference.setdefault(reference_id, []).extend(m for m in mentions if m.reference_id == reference_id)
        section = document.section_at(piece.span.start)
        citation = Citation(
            index=len(citations),
            passage_id=piece.passage.id,
            document_id=document_id,
            location=Location(
                start_char_index=piece.span.start,
                end_char_index=piece.span.end,
                page=document.page_at(piece.span.start),
                section=section.title if section else None,
            ),
            cited_text=quote,
            attribution=attribution,
            reference_ids=ids,
        )
        shown = " ".join(quote.split())
        start = len(body) + (1 if body else 0)
        tell("answer.delta", (" " if body else "") + shown)
        body = f"{body} {shown}" if body else shown
        tell("citation.added", citation)
        citations.append(citation)
        verdict, score = verify.verdict(shown, [quote])
        sentence = Sentence(start, len(body), verdict, score, (citation.index,))
        tell("sentence.verified", sentence)
        sentences.append(sentence)
    references = [_cited(generation.reference(i), mentions, style) for i, mentions in by_reference.items()]
    return body, sentences, citations, references


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


def _piece(generation: Generation, found: about.Found) -> Piece | None:
    passage = generation.passage_at(found.document.id, found.span.start)
    if passage is None:
        return None
    return Piece(passage, found.span, 1.0)


def _language(generation: Generation) -> str:
    """The language to stem a question in when its sources share one, English otherwise."""
    languages = _languages(generation)
    return next(iter(languages)) if len(languages) == 1 else "en"


def _languages(generation: Generation) -> set[str]:
    return {x.split("-")[0] for x in generation.languages if x}
