"""POST /v1/chat/completions and GET /v1/models: the same answers for programs that speak to OpenAI's API.

A model is a collection: `adfontes` is the default one, `adfontes/<collection>` another. The question is the last
message of the user, made to stand alone where it leans on the messages before. A citation is a number in the text, an
annotation whose address opens the page at the passage, and whole in the field `adfontes`. Nothing is sent before it has
been verified, so a stream brings whole sentences.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from sse_starlette import EventSourceResponse, ServerSentEvent

from rag.asked import REMEMBERED, Turn
from rag.errors import InputError, NotFoundError
from rag.types import Answer, Citation
from service import contract
from service.contract import COLLECTION_PATTERN, ReadableText
from service.dependencies import Service, ServiceDep
from service.stream import PING_SECONDS, SCHEMA, ping

router = APIRouter(tags=["openai"])

MODEL = "adfontes"
_JSON: TypeAdapter[Any] = TypeAdapter(Any)
_LIST = "\n\n["
"""Where the list of sources begins below an answer."""


class TextPart(BaseModel):
    """A part of a message's content."""

    type: Literal["text"]
    text: ReadableText


class Message(BaseModel):
    """A message of the conversation; the last one of the user is asked, understood in the light of those before."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | Annotated[list[TextPart], Field(max_length=100)] | None = None


class StreamOptions(BaseModel):
    """What a stream shall tell besides the answer."""

    include_usage: bool = False


class ChatRequest(contract.Request):
    """A conversation. Fields of OpenAI's API that say how to sample have no meaning here and are passed over."""

    model_config = ConfigDict(extra="ignore", strict=False)

    model: str = Field(pattern=rf"^{MODEL}(/{COLLECTION_PATTERN[1:-1]})?$")
    messages: Annotated[list[Message], Field(min_length=1, max_length=1000)]
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = None


class UrlCitation(BaseModel):
    """Where a number in the text leads; the indices are those of the number in the content, in code points."""

    start_index: int
    end_index: int
    title: str
    url: str


class Annotation(BaseModel):
    """A citation as OpenAI's clients know it."""

    type: Literal["url_citation"] = "url_citation"
    url_citation: UrlCitation


class ReplyMessage(BaseModel):
    """The answer as a message."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None
    annotations: list[Annotation]


class Choice(BaseModel):
    """The one choice there is."""

    index: int = 0
    message: ReplyMessage
    logprobs: None = None
    finish_reason: Literal["stop"] = "stop"


class Usage(BaseModel):
    """Tokens of a language model; none where none was used."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class Completion(BaseModel):
    """The answer in the shape of OpenAI's API, and whole under `adfontes`."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    adfontes: Answer


class Model(BaseModel):
    """A collection as a model."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "adfontes"


class ModelList(BaseModel):
    """The collections as models."""

    object: Literal["list"] = "list"
    data: list[Model]


@router.get("/v1/models")
def models(service: ServiceDep) -> ModelList:
    """List the collections as models; `adfontes` is the default one."""
    return ModelList(data=[Model(id=name) for name in _names(service)])


@router.get("/v1/models/{model:path}")
def model(model: str, service: ServiceDep) -> Model:
    """One collection as a model."""
    if model not in _names(service):
        raise NotFoundError(f"there is no model {model!r}; GET /v1/models lists those there are")
    return Model(id=model)


@router.post(
    "/v1/chat/completions",
    response_model=Completion,
    responses={200: {"content": {"text/event-stream": {"schema": SCHEMA}}}},
)
async def chat(request: ChatRequest, http: Request, service: ServiceDep) -> Completion | Response:
    """Answer the last message of the user from the sources, for clients of OpenAI's API."""
    *before, last = _questions(request.messages)
    question = service.workspace.asked(last.question)
    earlier = [turn for turn in before[-REMEMBERED:] if _could_be_asked(service, turn)]
    collection = request.model.partition("/")[2] or None
    answer = await service.ask_for(http, question, collection=collection, earlier=earlier)
    pieces = compose(answer, str(http.base_url))
    completion = Completion(
        id=answer.id.replace("ans_", "chatcmpl-"),
        created=int(time.time()),
        model=request.model,
        choices=[Choice(message=_message(pieces))],
        usage=_usage(answer),
        adfontes=answer,
    )
    if not request.stream:
        return completion
    with_usage = request.stream_options is not None and request.stream_options.include_usage
    return EventSourceResponse(
        _chunks(completion, pieces, with_usage=with_usage), ping=PING_SECONDS, ping_message_factory=ping
    )


class Piece(BaseModel):
    """A run of the content; where it is a number, the citation that the number stands for."""

    text: str
    annotation: Annotation | None = None


def compose(answer: Answer, base: str) -> list[Piece]:
    """The answer with a number behind each sentence, then the list of what the numbers stand for.

    `base` is the address of the page, ending in a slash.
    """
    cited = {citation.index: citation for citation in answer.citations}
    titles = {citation.index: _title(answer, citation) for citation in answer.citations}
    pieces: list[Piece] = []
    drawn = length = 0
    for sentence in answer.sentences:
        pieces.append(Piece(text=answer.answer[drawn : sentence.end]))
        length += len(pieces[-1].text)
        drawn = sentence.end
        for index in sentence.citations:
            number = f" [{index + 1}]"
            where = UrlCitation(
                start_index=length + 1,
                end_index=length + len(number),
                title=titles[index],
                url=base + _place(cited[index], answer.index.collection),
            )
            pieces.append(Piece(text=number, annotation=Annotation(url_citation=where)))
            length += len(number)
    rest = answer.answer[drawn:]
    if answer.asked is not None:
        rest += f"\n\n(Understood as: {answer.question})"
    if titles:
        rest += "\n\n" + "\n".join(f"[{index + 1}] {title}" for index, title in titles.items())
    return [*pieces, Piece(text=rest)] if rest else pieces


def _title(answer: Answer, citation: Citation) -> str:
    """What a number stands for: the entries behind it as formatted, and the document that relays them."""
    listed = {reference.id: reference.formatted for reference in answer.references}
    entries = [listed[reference_id] for reference_id in citation.reference_ids if reference_id in listed]
    place = ", ".join(
        part for part in (
            citation.document_id,
            citation.location.section and f"“{citation.location.section}”",
            citation.location.page and f"p. {citation.location.page}",
        ) if part
    )  # fmt: skip
    relayed = " (as reported there)" if citation.attribution == "relayed" else ""
    return f"{place}: {' '.join(entries)}{relayed}" if entries else place


def _place(citation: Citation, collection: str) -> str:
    """The address of a passage within the page; see `service/page/pane.js`."""
    start, end = citation.location.start_char_index, citation.location.end_char_index
    span = f"?collection={quote(collection)}#document/{quote(citation.document_id, safe='')}/{start}-{end}"
    return span + "/" * bool(citation.reference_ids) + ",".join(quote(r, safe="") for r in citation.reference_ids)


def _questions(messages: list[Message]) -> list[Turn]:
    """The user's messages with what the assistant said to each; the last one is the question."""
    turns: list[Turn] = []
    for message in messages:
        content = (
            message.content if isinstance(message.content, str) else "\n".join(p.text for p in message.content or ())
        )
        if message.role == "user":
            turns.append(Turn(content))
        elif message.role == "assistant" and turns:
            turns[-1] = Turn(turns[-1].question, content.partition(_LIST)[0])
    last = next((message for message in reversed(messages) if message.role == "user"), None)
    if last is None or last.content is None:
        raise InputError("the conversation has no message of the user with content; add one with role 'user'")
    return turns


def _could_be_asked(service: Service, turn: Turn) -> bool:
    """Whether an earlier message was a question here: what was refused stays in a client's conversation."""
    try:
        service.workspace.earlier([turn])
    except InputError:
        return False
    return True


def _message(pieces: list[Piece]) -> ReplyMessage:
    return ReplyMessage(
        content="".join(piece.text for piece in pieces),
        annotations=[piece.annotation for piece in pieces if piece.annotation is not None],
    )


def _usage(answer: Answer) -> Usage:
    prompt, completion = answer.usage.get("prompt_tokens", 0), answer.usage.get("completion_tokens", 0)
    return Usage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)


def _names(service: Service) -> list[str]:
    return [MODEL, *(f"{MODEL}/{name}" for name in service.workspace.collections())]


async def _chunks(completion: Completion, pieces: list[Piece], *, with_usage: bool) -> AsyncIterator[ServerSentEvent]:
    head = {
        "id": completion.id,
        "object": "chat.completion.chunk",
        "created": completion.created,
        "model": completion.model,
    }

    def chunk(delta: dict[str, Any] | None, finish: str | None = None, **more: object) -> ServerSentEvent:
        choices = [] if delta is None else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
        return ServerSentEvent(data=_JSON.dump_json({**head, "choices": choices, **more}).decode(), sep="\n")

    yield chunk({"role": "assistant", "content": ""})
    for piece in pieces:
        noted = {"annotations": [piece.annotation]} if piece.annotation else {}
        yield chunk({"content": piece.text, **noted})
    yield chunk({}, "stop", adfontes=completion.adfontes)
    if with_usage:
        yield chunk(None, usage=completion.usage)
    yield ServerSentEvent(data="[DONE]", sep="\n")
