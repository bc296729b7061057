"""What a question may be answered from: passages and their sentences, in order of promise.

One `Evidence` belongs to one question and remembers what it has found, so that no kind of question looks twice. Knows
no wording.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from rag import function_words, retrieve
from rag.answer import evidence, nearness, reading
from rag.answer.evidence import Candidate
from rag.answer.question import Question
from rag.answer.scope import Scope
from rag.encoder import Across, Encoder, Reranker, SparseEncoder
from rag.encoder.judge import Judge
from rag.sentences import split
from rag.store import Generation
from rag.types import Document, Mention, Passage, Reference, Span


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence of the answer: a verbatim span of a document, the passage that holds it, and how it is shown."""

    passage: Passage
    span: Span
    probability: float = 1.0
    lead: str = ""
    """Words that stand before it and are the service's own: the side of a comparison, "No."."""
    item: bool = False
    """Whether it is an item of a list and has a line of its own."""
    entry: Reference | None = None
    """The bibliography entry that it is."""
    text: str = ""
    """What is shown of it, where that is not the span as it stands: the cells of a table's row with their headings."""


@dataclass(frozen=True, slots=True)
class Models:
    """What reads questions and passages; those that are None are done without."""

    encoder: Encoder
    judge: Judge | None = None
    sparse: SparseEncoder | None = None
    reranker: Reranker | None = None


@dataclass(slots=True)
class Evidence:
    """What there is for one question."""

    generation: Generation
    models: Models
    asked: Question
    """The question without what it names."""
    whole: Question
    """The question as it was typed."""
    scope: Scope
    filters: retrieve.Filters
    limit: int = 8
    dense_weight: float = 0.5
    notices: list[str] = field(default_factory=list)
    worded: bool = False
    """Whether a language model is to word the answer."""
    threshold: float | None = None
    _memory: dict[str, object] = field(default_factory=dict)

    # ── retrieval ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def within(self) -> retrieve.Filters:
        """The filters, and the documents that the question names."""
        if not self.scope.documents:
            return self.filters
        allowed = self.filters.document_ids(self.generation)
        named = tuple(d for d in self.scope.documents if allowed is None or d in allowed)
        return replace(self.filters, documents=named) if named else self.filters

    @property
    def passages(self) -> list[Passage]:
        """The passages found for the question, best first."""
        if "passages" not in self._memory:
            self._memory["passages"] = self.search(self.asked.text, self.within, self.notices)
        return self._memory["passages"]  # type: ignore[return-value]

    def search(
        self, text: str, filters: retrieve.Filters | None = None, notices: list[str] | None = None, limit: int = 0
    ) -> list[Passage]:
        """Passages of running text for any text."""
        return retrieve.search(
            self.generation,
            self.models.encoder,
            text,
            vector=lambda: self.vector(text),
            limit=limit or self.limit,
            dense_weight=self.dense_weight,
            filters=filters or self.within,
            # Entries are found by name; among running text they would only crowd out what answers.
            kinds=("text",),
            sparse=self.models.sparse,
            reranker=self.models.reranker,
            notices=notices,
        )

    def vector(self, text: str) -> retrieve.Vectors:
        """The vector of a text, made once."""
        key = f"vector {text}"
        if key not in self._memory:
            self._memory[key] = self.models.encoder.encode_question(text)
        return self._memory[key]  # type: ignore[return-value]

    # ── sentences ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def candidates(self) -> list[Candidate]:
        """Every sentence of the passages with its probability by form, best first."""
        if "candidates" not in self._memory:
            self._memory["candidates"] = self.weigh(self.asked, self.passages)
        return self._memory["candidates"]  # type: ignore[return-value]

    @property
    def scanned(self) -> list[Candidate]:
        """The sentences of the most promising passages, as the judge reads them; by form where there is no judge."""
        if "scanned" not in self._memory:
            found = self.candidates
            self._memory["scanned"] = reading.scan(self.asked, found, self.reader) if self.reader else found
        return self._memory["scanned"]  # type: ignore[return-value]

    def weigh(self, asked: Question, passages: Sequence[Passage]) -> list[Candidate]:
        """The sentences of `passages` for another question, best first, by form."""
        across = self.models.encoder if isinstance(self.models.encoder, Across) else None
        return evidence.candidates(
            asked,
            self.vector(asked.text),
            passages,
            vectors_of=self.generation.sentence_vectors,
            idf=self.generation.idf,
            titles=self.generation.titles({p.document_id for p in passages}),
            scale=self.models.encoder.scale,
            language=self.asked.language,
            held=partial(nearness.held, asked.text, meanings=across.words) if across else None,
        )

    @property
    def across(self) -> bool:
        """Whether the question is in another language than the sources."""
        return isinstance(self.models.encoder, Across)

    @property
    def reader(self) -> Judge | None:
        """The judge, where it can read question and sources; it reads English."""
        return None if self.across or not readable(self.generation, self.asked) else self.models.judge

    # ── documents ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def documents(self) -> list[Document]:
        """The documents that the question is about, without their texts: those it names, else all the filters leave."""
        allowed = self.within.document_ids(self.generation)
        return [d for d in self.generation.documents() if allowed is None or d.id in allowed]

    def document(self, document_id: str) -> Document:
        """A document with its text, read once."""
        key = f"document {document_id}"
        if key not in self._memory:
            self._memory[key] = self.generation.document(document_id)
        return self._memory[key]  # type: ignore[return-value]

    def mentions(self, document_id: str) -> list[Mention]:
        """The in-text citations of a document, read once."""
        key = f"mentions {document_id}"
        if key not in self._memory:
            self._memory[key] = self.generation.mentions(document_id)
        return self._memory[key]  # type: ignore[return-value]

    def piece(self, document_id: str, span: Span, **how: object) -> Piece | None:
        """A span of a document as a piece of the answer; None where no passage holds it."""
        passage = self.generation.passage_at(document_id, span.start)
        return None if passage is None else Piece(passage, span, **how)  # type: ignore[arg-type]

    def sentences(self, document: Document, span: Span) -> list[Span]:
        """The sentences of a stretch of a document."""
        return split(document.text, span.start, span.end, document.language)

    def sentence_vectors(self, document: Document, spans: Sequence[Span]) -> dict[Span, np.ndarray]:
        """The vectors of sentences, where the index has them."""
        found: dict[Span, np.ndarray] = {}
        position = min((s.start for s in spans), default=0)
        end = max((s.end for s in spans), default=0)
        wanted = set(spans)
        while position < end:
            passage = self.generation.passage_at(document.id, position)
            if passage is None:
                position = min((s.start for s in wanted if s.start > position), default=end)
                continue
            vectors = self.generation.sentence_vectors(passage.id)
            found.update((s, v) for s, v in zip(passage.sentences, vectors, strict=False) if s in wanted)
            position = max(passage.end, position + 1)
            position = min((s.start for s in wanted if s.start >= position), default=end)
        return found


def readable(generation: Generation, asked: Question) -> bool:
    """Whether the judge can read it: an English question to sources that are, some of them, in English."""
    return "en" in languages_of(generation) and function_words.language_of(asked.text) in {None, "en"}


def language_of(generation: Generation) -> str:
    """The language to stem a question in when its sources share one, English otherwise."""
    languages = languages_of(generation)
    return next(iter(languages)) if len(languages) == 1 else "en"


def languages_of(generation: Generation) -> set[str]:
    """The languages of the sources, without regions."""
    return {x.split("-")[0].lower() for x in generation.languages if x}
