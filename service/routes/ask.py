"""POST /v1/ask: a question, answered from the sources."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from rag.asked import Turn
from rag.types import Answer
from service import stream
from service.contract import AskRequest
from service.dependencies import ServiceDep

router = APIRouter(tags=["ask"])

_STREAM = {
    "description": "The answer; as server-sent events when `stream` is true: " + ", ".join(stream.EVENTS) + ".",
    "content": {"text/event-stream": {"schema": stream.SCHEMA}},
}


@router.post("/v1/ask", response_model=Answer, responses={200: _STREAM})
async def ask(request: AskRequest, http: Request, service: ServiceDep) -> Answer | Response:
    """Answer a question with sentences that each lead to a passage, and on to the bibliography."""
    question = service.workspace.asked(request.question)
    earlier = service.workspace.earlier([Turn(turn.question, turn.answer) for turn in request.history])

    how = {
        "collection": request.collection,
        "limit": request.limit,
        "filters": request.filters.given(),
        "style": request.style,
        "generator": request.generator,
        "show_unsupported": request.show_unsupported,
        "earlier": earlier,
    }
    if request.stream:
        await service.compute(lambda: service.workspace.generation(request.collection))  # a 404 and no stream
        return stream.response(lambda tell: service.ask(question, tell, **how))
    return await service.ask_for(http, question, **how)
