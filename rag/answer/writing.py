"""Sentences with what they cite → the answer's text, its sentences, citations and references, told as they come.

Every citation is a verbatim slice of a stored document with its place, whose claim it is, and the entries behind it.
Words that join sentences ("No.", "Damiani (2024) reports, citing Deng (2024):") stand outside every sentence's span.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rag.answer.attribute import Claim, Sources, attribute
from rag.bibliography import format_reference
from rag.types import (
    Citation,
    CitedReference,
    Document,
    Location,
    Mention,
    Passage,
    Reference,
    Resolution,
    Sentence,
    Span,
    Verdict,
)

_WORST: tuple[Resolution, ...] = ("missing", "ambiguous", "year-mismatch", "author-variant", "exact")
Tell = Callable[[str, Any], None]


@dataclass(frozen=True, slots=True)
class Cited:
    """What a sentence rests on: a span of a document's text, the passage that holds it, the entry that it is."""

    passage: Passage
    span: Span
    entry: Reference | None = None


class Writing:
    """An answer in the making. `tell` hears of each piece of text, citation and sentence as it is added."""

    def __init__(self, sources: Sources, style: str, tell: Tell) -> None:
        self._sources = sources
        self._style = style
        self._tell = tell
        self._documents: dict[str, Document] = {}
        self._by_reference: dict[str, list[Mention]] = {}
        self._last: Claim | None = None
        self.text = ""
        self.sentences: list[Sentence] = []
        self.citations: list[Citation] = []
        self.passages: dict[str, Passage] = {}

    def quote(
        self, cited: Cited, *, beside: Sequence[Cited] = (), lead: str = "", item: bool = False, text: str = ""
    ) -> None:
        """Add a verbatim sentence, after the words that say whose it is where that is not clear already.

        `beside` are the sentences of other documents that say the same; an `item` of a list has a line of its own;
        `text` is shown instead of the span where that is a table's row.
        """
        document = self.document(cited.passage)
        claim = self.claim(cited)
        relayed = claim.attribution == "relayed" or cited.entry is not None
        turns = self._last is not None and self._last.relation != claim.relation
        if turns or (relayed and self._last is None):
            lead += f"{claim.relation[:1].upper()}{claim.relation[1:]}: "
        if item:
            lead = f"{lead.strip()}\n– " if lead else "– "
            lead = f"\n{lead}" if self.text else lead
        self._last = claim if relayed or self._last is not None else None
        quoted = text or " ".join(cited.span.of(document.text).split())
        self.add(quoted, [cited, *beside], "supported", 1.0, lead=lead)

    def add(self, text: str, cited: Sequence[Cited], verdict: Verdict, score: float, *, lead: str = "") -> Sentence:
        """Add a sentence with what it cites; `lead` stands before it and outside its span."""
        glue = "" if not self.text or lead.startswith("\n") else " "
        start = len(self.text) + len(glue) + len(lead)
        self._tell("answer.delta", f"{glue}{lead}{text}")
        self.text = f"{self.text}{glue}{lead}{text}"
        numbers = tuple(dict.fromkeys(self.cite(one) for one in cited))
        sentence = Sentence(start, len(self.text), verdict, round(score, 4), numbers)
        self.sentences.append(sentence)
        self._tell("sentence.verified", sentence)
        return sentence

    def cite(self, cited: Cited) -> int:
        """The number of the citation of this span, added when it is new."""
        document = self.document(cited.passage)
        place = (document.id, cited.span.start, cited.span.end)
        for known in self.citations:
            if (known.document_id, known.location.start_char_index, known.location.end_char_index) == place:
                return known.index
        claim = self.claim(cited)
        for reference_id in claim.reference_ids:
            mentions = [m for m in claim.mentions if m.reference_id == reference_id]
            self._by_reference.setdefault(reference_id, []).extend(mentions)
        section = document.section_at(cited.span.start)
        citation = Citation(
            index=len(self.citations),
            passage_id=cited.passage.id,
            document_id=document.id,
            location=Location(
                start_char_index=cited.span.start,
                end_char_index=cited.span.end,
                page=document.page_at(cited.span.start),
                section=section.title if section else None,
            ),
            cited_text=cited.span.of(document.text),
            attribution=claim.attribution,
            reference_ids=claim.reference_ids,
            relation=claim.relation,
        )
        self.citations.append(citation)
        self.passages.setdefault(cited.passage.id, cited.passage)
        self._tell("citation.added", citation)
        return citation.index

    def references(self) -> tuple[CitedReference, ...]:
        """The entries behind all citations, formatted, with what is wrong with them."""
        return tuple(self._cited(self._sources.reference(i), mentions) for i, mentions in self._by_reference.items())

    def _cited(self, reference: Reference, mentions: Sequence[Mention]) -> CitedReference:
        problems = dict.fromkeys([*reference.problems, *(p for m in mentions for p in m.problems)])
        return CitedReference(
            id=reference.id,
            document_id=reference.document_id,
            csl=reference.csl,
            formatted=format_reference(reference.csl, self._style),
            resolution=min((m.resolution for m in mentions), key=_WORST.index, default="exact"),
            problems=tuple(problems),
        )

    def claim(self, cited: Cited) -> Claim:
        """Whose claim a span is."""
        return attribute(self._sources, self.document(cited.passage), cited.span, cited.entry)

    def document(self, passage: Passage) -> Document:
        """The document that a passage is from, read once."""
        if passage.document_id not in self._documents:
            self._documents[passage.document_id] = self._sources.document(passage.document_id)
        return self._documents[passage.document_id]
