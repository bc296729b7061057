"""The words of the house: frozen values that pass from room to room.

Every offset is a Unicode code point, 0-based, end exclusive, into the *stored text* of a document
(`Document.text`). A value built from a slice keeps the slice's offsets, so
`document.text[x.start:x.end]` is always the text that `x` talks about.

This module imports nothing of ours and knows no file, no index and no HTTP.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

Severity = Literal["error", "warning", "info"]
SectionKind = Literal["front", "body", "notes", "author-note", "bibliography"]
MentionKind = Literal["parenthetical", "narrative", "numeric", "note", "title"]
WorkForm = Literal["csl", "endnote", "word", "bibtex"]
MarkKind = Literal["citation", "narrative", "note", "entry"]
Resolution = Literal["exact", "year-mismatch", "author-variant", "ambiguous", "missing"]
Attribution = Literal["own", "relayed"]
Verdict = Literal["supported", "partial", "unsupported", "contradicted"]
Status = Literal["answered", "partial", "found", "abstained"]
"""Sure; sure of a part, the rest named; spoken of but not surely answered, the closest quoted; not spoken of."""
ChunkKind = Literal["text", "reference", "about"]
Csl = Mapping[str, Any]
"""One CSL-JSON item (https://citeproc-js.readthedocs.io/en/latest/csl-json/markup.html)."""


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of code points in a document's stored text."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The characters this span covers in `text`."""
        return text[self.start : self.end]

    def overlaps(self, start: int, end: int) -> bool:
        """Whether the span shares at least one character with `start:end`."""
        return self.start < end and start < self.end


@dataclass(frozen=True, slots=True)
class Problem:
    """Something found wrong in a source, named and placed, never repaired silently."""

    kind: str
    """A stable slug, for example ``year-mismatch`` or ``missing-date``."""
    message: str
    """What a person should know: the thing, the value, what may be done."""
    severity: Severity = "warning"
    start: int | None = None
    end: int | None = None
    reference_id: str | None = None
    document_id: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of a document; `start` is where its heading begins, `body_start` where its text does."""

    title: str
    level: int
    kind: SectionKind
    start: int
    body_start: int
    end: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a paged source. `number` counts from 1, as a reader of the file would."""

    number: int
    start: int
    end: int


_Part = TypeVar("_Part", Section, Page)


def _holding(parts: Sequence[_Part], offset: int) -> _Part | None:
    """The part of a text that holds `offset`; of parts within each other, which come in order, the innermost."""
    for n in range(bisect_right(parts, offset, key=lambda part: part.start) - 1, -1, -1):
        if offset < parts[n].end:
            return parts[n]
    return None


@dataclass(frozen=True, slots=True)
class Mark:
    """What the format itself says of a place in the text: a fact, where a look at the text could only guess."""

    start: int
    end: int
    kind: MarkKind
    """It cites the work of this key (as part of the sentence: `narrative`), is the sign of this note, or is the list's
    entry of this key."""
    target: str
    """The key, or the note's number."""


@dataclass(frozen=True, slots=True)
class Work:
    """A cited work whose data the file itself holds, as a reference manager put it beside the citation."""

    key: str
    """What marks of citations call it."""
    form: WorkForm
    data: str
    """The item: CSL-JSON, or XML as EndNote and as Word write it; a whole list in BibTeX."""


@dataclass(frozen=True, slots=True)
class Byline:
    """Who wrote a document, as its own text says; the span is where it says so."""

    name: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A document that is a listed work itself: the source behind an entry of another document's bibliography."""

    reference_id: str
    confidence: float
    """Probability that it is that work, 0 to 1; 1 when somebody said so."""
    how: str
    """What told it: ``given`` by a person, else the agreements, for example ``doi`` or ``title, authors, year``."""


@dataclass(frozen=True, slots=True)
class Document:
    """A source, read: clean text with the places of its parts. `text` never changes after reading."""

    id: str
    text: str
    title: str | None = None
    authors: tuple[Byline, ...] = ()
    date: str | None = None
    """ISO 8601, as precise as known: ``2024``, ``2024-06`` or ``2024-06-18``."""
    language: str | None = None
    """BCP 47 tag, or None when it could not be told."""
    address: str | None = None
    """Where it was published (URL or DOI), None when unknown."""
    source: str = ""
    """The file's name within its collection."""
    media_type: str = "text/plain"
    sha256: str = ""
    """Of the original bytes."""
    reader: str = ""
    """Name and version of the reader, for example ``text/1``."""
    text_sha256: str = ""
    """Of the stored text in UTF-8."""
    origin: str = ""
    """Where the file came from: the address it was fetched from, else the name it was added under."""
    added: str = ""
    """When it came into the collection: fetched, or first indexed with these bytes. ISO 8601, UTC."""
    attachments: tuple[Attachment, ...] = ()
    """The entries of other documents' bibliographies that this document is."""
    sections: tuple[Section, ...] = ()
    pages: tuple[Page, ...] = ()
    marks: tuple[Mark, ...] = ()
    """In order; told by the reader for linking, not stored."""
    works: tuple[Work, ...] = ()
    """What the file holds of the works it cites; likewise."""
    problems: tuple[Problem, ...] = ()

    def section_at(self, offset: int) -> Section | None:
        """The innermost section that holds `offset`, or None before the first."""
        return _holding(self.sections, offset)

    def page_at(self, offset: int) -> int | None:
        """The number of the page that holds `offset`, None for sources without pages."""
        page = _holding(self.pages, offset)
        return page.number if page else None

    def bibliography(self) -> tuple[Span, ...]:
        """The body spans of every section that is a reference list."""
        return tuple(Span(s.body_start, s.end) for s in self.sections if s.kind == "bibliography")


@dataclass(frozen=True, slots=True)
class Reference:
    """A bibliography entry: what it says (`raw`, verbatim) and what it means (`csl`, CSL-JSON)."""

    id: str
    csl: Csl
    raw: str = ""
    start: int | None = None
    """Where `raw` stands in the document's text; None for lists kept in a file of their own."""
    end: int | None = None
    label: str | None = None
    """The number or key the list gives it, for numeric styles."""
    document_id: str = ""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Mention:
    """An in-text citation: a span that points to one reference, or to none (`missing`).

    A bracket that cites three works makes three mentions, each with the span of its own part.
    `scope_start:scope_end` is the text whose claim the citation covers (see ARCHITECTURE.md, "Scope").
    """

    start: int
    end: int
    kind: MentionKind
    reference_id: str | None
    resolution: Resolution
    scope_start: int
    scope_end: int
    candidates: tuple[str, ...] = ()
    """The other references it may mean, when `ambiguous` or `missing`."""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is embedded: whole sentences of one document within a token budget.

    `text` is exactly `document.text[start:end]`. `sentences` are spans in document offsets.
    """

    id: str
    document_id: str
    kind: ChunkKind
    start: int
    end: int
    text: str
    section: str | None
    page: int | None
    tokens: int
    sentences: tuple[Span, ...]
    reference_id: str | None = None
    """For `kind == "reference"`: the bibliography entry that the chunk is."""
    reference_ids: tuple[str, ...] = ()
    """The entries that the in-text citations within the chunk point to."""


@dataclass(frozen=True, slots=True)
class Scores:
    """How a passage was found; None where that stage did not see it. Higher is better."""

    dense: float | None = None
    """Cosine similarity, -1 to 1."""
    sentence: float | None = None
    """Cosine of the passage's best sentence."""
    lexical: float | None = None
    """BM25, 0 and up."""
    sparse: float | None = None
    """Learned terms: the share of what the question's best match reaches, 0 to 1."""
    fused: float | None = None
    rerank: float | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk retrieved for a question."""

    id: str
    document_id: str
    text: str
    start: int
    end: int
    section: str | None
    page: int | None
    kind: ChunkKind
    scores: Scores
    sentences: tuple[Span, ...] = ()
    reference_id: str | None = None
    reference_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Location:
    """Where a quote stands, in code points of the document's stored text."""

    start_char_index: int
    end_char_index: int
    page: int | None = None
    section: str | None = None
    type: Literal["char_location"] = "char_location"


@dataclass(frozen=True, slots=True)
class Citation:
    """From an answer's sentence to the exact characters that carry it, and on to the bibliography."""

    index: int
    passage_id: str
    document_id: str
    location: Location
    cited_text: str
    attribution: Attribution
    reference_ids: tuple[str, ...] = ()
    relation: str = ""
    """Whose claim it is, as a clause that can stand before it: "the article reports, citing Deng (2024)"."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the answer: `answer[start:end]`, its verdict and the citations that carry it."""

    start: int
    end: int
    verdict: Verdict
    score: float
    """Calibrated probability of support, 0 to 1."""
    citations: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckedSentence:
    """A sentence of a text that was held to the sources: `text[start:end]`."""

    start: int
    end: int
    verdict: Verdict | Literal["unchecked"]
    """`unchecked` where it states nothing: a question, a heading, an order."""
    score: float
    """Calibrated probability of support, 0 to 1."""
    citations: tuple[int, ...] = ()
    missing: tuple[str, ...] = ()
    """Numbers, names and quotations that the passages nearest to it do not have."""


@dataclass(frozen=True, slots=True)
class Corroboration:
    """What other documents say to a claim of the answer, for and against it apart; numbers are those of citations."""

    sentence: int
    """The sentence of the answer that makes the claim."""
    supporting: tuple[int, ...] = ()
    contradicting: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far long work has come: `done` of `total` units of a stage."""

    stage: Literal["fetching", "reading", "chunking", "embedding", "indexing", "checking", "publishing"]
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A source that could not be indexed as it is, and why."""

    source: str
    reason: str
    id: str = ""
    """The id the document has or would have, by which it can be removed; empty for a bibliography."""
    again: bool = False
    """Whether the failure may pass, so that the next rebuild tries again."""
    dropped: bool = False
    """Whether an earlier generation had it."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a rebuild did. `embedded + reused` is the number of vectors in the generation."""

    collection: str
    generation: str
    unchanged: bool
    documents: int
    references: int
    mentions: int
    problems: int
    chunks: int
    embedded: int
    reused: int
    skipped: tuple[Skipped, ...]
    """Sources that are not in the generation."""
    seconds: float
    stale: tuple[Skipped, ...] = ()
    """Sources that are in it as they were read before, because they could not be read again."""


@dataclass(frozen=True, slots=True)
class CitedReference:
    """A bibliography entry as an answer shows it."""

    id: str
    document_id: str
    csl: Csl
    formatted: str
    resolution: Resolution
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class IndexState:
    """The generation an answer came from."""

    collection: str
    generation: str
    manifest_sha256: str
    built_at: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer object of the wire contract, complete and reproducible."""

    id: str
    status: Status
    question: str
    answer: str
    index: IndexState
    confidence: float = 0.0
    """Learned probability that the sources answer the question, 0 to 1."""
    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    passages: tuple[Passage, ...] = ()
    references: tuple[CitedReference, ...] = ()
    corroboration: tuple[Corroboration, ...] = ()
    """Where several documents speak to the same claim; a conflict is never averaged away."""
    generator: str = "extractive"
    models: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    usage: Mapping[str, int] = field(default_factory=dict)
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    asked: str | None = None
    """What was typed, where `question` was made of it and of the questions before; else None."""
    object: Literal["answer"] = "answer"


@dataclass(frozen=True, slots=True)
class Checked:
    """A text held to the sources, sentence by sentence; citations, passages and references are as in an answer."""

    id: str
    text: str
    index: IndexState | None
    """None where the passages were given with the text."""
    sentences: tuple[CheckedSentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    passages: tuple[Passage, ...] = ()
    references: tuple[CitedReference, ...] = ()
    models: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    usage: Mapping[str, int] = field(default_factory=dict)
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    object: Literal["verification"] = "verification"
