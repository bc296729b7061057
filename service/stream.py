"""An answer as server-sent events, as it comes about, and a text that is checked.

    retrieval.completed → answer.delta* → citation.added* → sentence.verified* → answer.completed, or error
    citation.added* → sentence.checked* → verification.completed, or error

When the client leaves, the answering is cancelled.
"""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from pydantic import TypeAdapter
from sse_starlette import EventSourceResponse, ServerSentEvent

from rag.types import Answer, Checked
from service import problems
from service.answering import Tell

log = logging.getLogger("adfontes.service")

PING_SECONDS = 15
_JSON: TypeAdapter[Any] = TypeAdapter(Any)
SCHEMA = {
    "type": "object",
    "properties": {
        "event": {"type": "string"},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["data"],
}
"""One event, as OpenAPI describes streams: event by event."""
EVENTS = ("retrieval.completed", "answer.delta", "citation.added", "sentence.verified", "answer.completed", "error")
CHECKING = ("citation.added", "sentence.checked", "verification.completed", "error")


def response(work: Callable[[Tell], Awaitable[Answer | Checked]]) -> EventSourceResponse:
    """The streamed response to a question or a text; `work` is called with the function that takes its events."""
    send, receive = anyio.create_memory_object_stream[ServerSentEvent](math.inf)  # an answer has few events
    return EventSourceResponse(
        _drain(receive),
        data_sender_callable=partial(_produce, work, send),
        ping=PING_SECONDS,
        ping_message_factory=ping,
        headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
    )


def ping() -> ServerSentEvent:
    """A comment that keeps the connection open while nothing happens."""
    return ServerSentEvent(comment="ping", sep="\n")


async def _drain(receive: MemoryObjectReceiveStream[ServerSentEvent]) -> AsyncIterator[ServerSentEvent]:
    async with receive:  # closed also when the client leaves
        async for event in receive:
            yield event


async def _produce(
    work: Callable[[Tell], Awaitable[Answer | Checked]], send: MemoryObjectSendStream[ServerSentEvent]
) -> None:
    def emit(name: str, data: Any) -> None:  # noqa: ANN401  (events of every shape)
        send.send_nowait(_event(name, data))

    async with send:
        try:
            done = await work(emit)
        except Exception as error:  # noqa: BLE001  (the status line is long gone: the stream has to tell)
            problem = problems.of_error(error)
            await send.send(_event("error", problem.model_dump(exclude_defaults=True)))
        else:
            await send.send(_event(f"{done.object}.completed", done))


def _event(name: str, data: Any) -> ServerSentEvent:  # noqa: ANN401
    payload = {"text": data} if name == "answer.delta" else {"passages": data} if isinstance(data, list) else data
    return ServerSentEvent(event=name, data=_JSON.dump_json(payload).decode(), sep="\n")
