"""The shapes of the wire: what requests hold, and what answers hold beyond the words of `rag.types`.

Requests refuse what they do not know, so that a misspelt field is told and not silently ignored.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from rag.answer.check import LONGEST, LONGEST_PASSAGE, MOST_PASSAGES
from rag.asked import LONGEST_VALUE, MOST_VALUES
from rag.types import Attachment, Byline, Csl, IndexState, Mention, Page, Passage, Problem, Section, Severity

COLLECTION_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
"""A name that is one folder's and can be no path: it starts with no dot and holds no separator."""

LONGEST_TEXT = 20_000
"""Characters a question may have whatever the settings say."""

MOST_FAULTS = 20
"""Faults of a request that are told one by one."""

_TEXT = r"[^\u0000-\u0008\u000b\u000c\u000e-\u001f]"
_SEEN = r"[^\s\u0000-\u001f\u007f-\u00a0\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]"
_READABLE = rf"^{_TEXT}*{_SEEN}{_TEXT}*$"
"""At least one character that can be seen, and no control characters: for programs that read the description."""
_VISIBLE = re.compile(_SEEN)


def _readable(text: str) -> str:
    if any(c < " " and c not in "\t\n\r" for c in text):
        raise PydanticCustomError("control", "must not contain NUL or other control characters")
    if not _VISIBLE.search(text):
        raise PydanticCustomError("blank", "must contain at least one visible character")
    return text


ReadableText = Annotated[  # its length first: no pattern sees more
    str,
    Field(min_length=1, max_length=LONGEST_TEXT, json_schema_extra={"pattern": _READABLE}),
    AfterValidator(_readable),
]
CollectionName = Annotated[
    str, Field(pattern=COLLECTION_PATTERN, description="A collection of GET /v1/collections; else the default one.")
]
FilterValues = Annotated[list[Annotated[str, Field(max_length=LONGEST_VALUE)]] | None, Field(max_length=MOST_VALUES)]
Style = Literal["harvard", "apa", "chicago", "mla", "ieee"]


def _number(value: object) -> object:
    if isinstance(value, bool | str):
        raise PydanticCustomError("number", "must be a whole number")
    return value


# A whole number as JSON means it: `8` or `8.0`, neither `"8"` nor `true`.
Limit = Annotated[
    int, Field(ge=1, le=100, strict=False, description="Passages to work with at most."), BeforeValidator(_number)
]
Year = Annotated[int, Field(ge=0, le=9999, strict=False), BeforeValidator(_number)]
Kept = Annotated[int, Field(ge=1, le=100, strict=False), BeforeValidator(_number)]


ReferenceId = Annotated[
    str, Field(min_length=1, max_length=500, description="An entry of another document's bibliography.")
]


class Request(BaseModel):
    """Base of the request bodies. Strict: `true` is no number, and `"5"` is none either."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="wrap")
    @classmethod
    def _in_measure(cls, data: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401
        """Tell many faults by their number: they are found in no time, but listed one by one in seconds."""
        try:
            return validate(data)
        except ValidationError as error:
            count = error.error_count()
            if count <= MOST_FAULTS:
                raise
        raise PydanticCustomError("faults", "has {count} faults, too many to list", {"count": f"{count:,}"})


class Filters(Request):
    """What a search is confined to; a filter that is not given confines nothing."""

    documents: FilterValues = Field(default=None, description="Identifiers of documents.")
    kind: Literal["article", "source"] | None = Field(
        default=None, description="A source is a document that another document of the collection lists."
    )
    authors: FilterValues = Field(
        default=None, description="Names, whole or in part; one of them must have written it."
    )
    year_from: Year | None = Field(default=None, description="First year of publication.")
    year_to: Year | None = Field(default=None, description="Last year of publication.")
    languages: FilterValues = Field(default=None, description="BCP 47 tags; `zh` stands for `zh-Hans` too.")
    sections: FilterValues = Field(default=None, description="Headings; what stands below one belongs to it.")
    cites: FilterValues = Field(default=None, description="Identifiers of references; a passage must cite one.")

    def given(self) -> dict[str, Any]:
        """The filters that were given."""
        return self.model_dump(exclude_none=True)


class SearchRequest(Request):
    """A search for passages."""

    query: ReadableText
    collection: CollectionName | None = None
    limit: Limit = 10
    filters: Filters = Filters()


class Turn(Request):
    """A question asked before in this conversation, and its answer where that is at hand."""

    question: ReadableText
    answer: Annotated[str, Field(max_length=LONGEST_TEXT)] | None = None


class AskRequest(Request):
    """A question to be answered from the sources."""

    question: ReadableText
    history: list[Turn] = Field(
        default=[],
        max_length=50,
        description="What was asked before, oldest first: a question that leans on it (`When was it launched?`) is "
        "made to stand alone. The answer's `question` is the one answered, `asked` the one typed.",
    )
    collection: CollectionName | None = None
    limit: Limit | None = None
    filters: Filters = Filters()
    style: Style | None = Field(default=None, description="How references are formatted.")
    generator: Literal["extractive", "llm"] | None = Field(
        default=None, description="Who words the answer: the sources themselves, or the language model of the settings."
    )
    show_unsupported: bool = Field(
        default=False, description="Show what a language model says without support, marked; else it is left out."
    )
    stream: bool = Field(default=False, description="Answer with server-sent events as the answer comes about.")


class CheckRequest(Request):
    """A text whose sentences are held to passages, or to a collection."""

    text: Annotated[
        str,
        Field(min_length=1, max_length=LONGEST, json_schema_extra={"pattern": _READABLE}),
        AfterValidator(_readable),
    ] = Field(description="At most 200 sentences.")
    passages: (
        list[
            Annotated[
                str,
                Field(min_length=1, max_length=LONGEST_PASSAGE, json_schema_extra={"pattern": _READABLE}),
                AfterValidator(_readable),
            ]
        ]
        | None
    ) = Field(
        default=None,
        max_length=MOST_PASSAGES,
        description="What the text is held to; without them each sentence's passages are searched for.",
    )
    collection: CollectionName | None = None
    filters: Filters = Filters()
    style: Style | None = Field(default=None, description="How references are formatted.")
    stream: bool = Field(default=False, description="Tell each verdict as it is reached, as server-sent events.")


class RebuildRequest(Request):
    """Which collection to rebuild."""

    collection: CollectionName | None = None


class RollbackRequest(Request):
    """Which earlier generation to make the live one again; the previous one when none is named."""

    collection: CollectionName | None = None
    generation: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")


class AddressRequest(Request):
    """An address of the web to fetch into a collection."""

    address: Annotated[str, Field(min_length=1, max_length=2000, description="http or https; public addresses only.")]
    reference: ReferenceId | None = None
    replace: bool = Field(default=False, description="Overwrite a source of the same name.")


class FetchRequest(Request):
    """Which cited works to try to have a copy of."""

    collection: CollectionName | None = None
    references: list[str] | None = Field(default=None, max_length=1000, description="Entries; all when not given.")
    refresh: bool = Field(default=False, description="Ask for what is newer than the copies held.")
    retry: bool = Field(default=False, description="Ask again for what failed for good before.")


class AttachRequest(Request):
    """Which bibliography entry a document is."""

    reference: ReferenceId | None = Field(
        default=None, description="The entry; without one it is left to be found out by itself."
    )


class VerifyRequest(Request):
    """Which generation to check; all of them when none is named."""

    collection: CollectionName | None = None
    generation: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")


class PruneRequest(Request):
    """How many generations are to stay, the live one included; the setting when not given."""

    collection: CollectionName | None = None
    keep: Kept | None = None


class SearchResult(BaseModel):
    """The passages found, and the generation they were found in."""

    index: IndexState
    query: str
    passages: list[Passage]


class DocumentSummary(BaseModel):
    """A document without its text."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    title: str | None
    authors: tuple[Byline, ...]
    date: str | None
    language: str | None
    address: str | None
    source: str
    media_type: str
    sha256: str = Field(description="Of the original file, which is kept: GET /v1/documents/{id}/original.")
    text_sha256: str = Field(description="Of the stored text in UTF-8.")
    reader: str
    origin: str = Field(description="The address it was fetched from, else the name it was added under.")
    added: str = Field(description="When it was fetched, or first indexed with these bytes; UTC.")
    attachments: tuple[Attachment, ...] = Field(description="The bibliography entries that this document is.")
    state: Literal["indexed", "stale"] = Field(
        default="indexed",
        description="`stale` where the file could not be read again and an earlier form is kept; a problem says why.",
    )
    problems: tuple[Problem, ...]


class SkippedSource(BaseModel):
    """A file of the collection that could not be indexed, and why."""

    source: str
    id: str = Field(default="", description="By which it can be deleted; empty for a bibliography.")
    state: Literal["skipped"] = "skipped"
    reason: str
    again: bool = Field(default=False, description="Whether the failure may pass: the next rebuild tries again.")
    dropped: bool = Field(default=False, description="Whether an earlier generation had it.")


class DocumentText(DocumentSummary):
    """A document as it is stored: offsets everywhere are code points into this `text`."""

    text: str
    sections: tuple[Section, ...]
    pages: tuple[Page, ...]
    mentions: list[Mention]
    index: IndexState


class DocumentList(BaseModel):
    """The documents of a collection."""

    index: IndexState
    documents: list[DocumentSummary]
    skipped: list[SkippedSource] = Field(default=[], description="Files that could not be indexed.")


class ReferenceEntry(BaseModel):
    """A bibliography entry: verbatim, understood, formatted, and how often the text cites it."""

    id: str
    document_id: str
    label: str | None
    raw: str
    start: int | None
    end: int | None
    csl: Csl
    formatted: str
    mentions: int = Field(description="In-text citations that resolve to this entry.")
    documents: list[str] = Field(default=[], description="Documents of the collection that are this work itself.")
    problems: list[Problem]


class ReferenceList(BaseModel):
    """The bibliography of a collection or of one document."""

    index: IndexState
    references: list[ReferenceEntry]


class ProblemKind(BaseModel):
    """What a kind of problem means."""

    severity: Severity
    title: str
    explanation: str


class Audit(BaseModel):
    """Everything found wrong in the bibliography and the citations, and the meaning of each kind of problem."""

    index: IndexState
    problems: list[Problem]
    counts: dict[str, int] = Field(description="Problems by kind.")
    kinds: dict[str, ProblemKind] = Field(description="What each kind found here means.")


class CollectionState(BaseModel):
    """A collection by name, with its live generation when it has one."""

    name: str
    default: bool
    index: IndexState | None


class CollectionList(BaseModel):
    """The collections that can be asked."""

    collections: list[CollectionState]


class Health(BaseModel):
    """Whether the service is up."""

    status: Literal["ok"] = "ok"
    version: str | None = None
    notices: list[str] | None = Field(
        default=None, description="What somebody should look after although questions are answered."
    )
