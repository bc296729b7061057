"""POST /v1/verify: a text that somebody wrote or was given, each sentence held to the sources."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from rag.types import Checked
from service import stream
from service.contract import CheckRequest
from service.dependencies import ServiceDep

router = APIRouter(tags=["ask"])

_STREAM = {
    "description": "The verdicts; as server-sent events when `stream` is true: " + ", ".join(stream.CHECKING) + ".",
    "content": {"text/event-stream": {"schema": stream.SCHEMA}},
}


@router.post("/v1/verify", response_model=Checked, responses={200: _STREAM})
async def verify(request: CheckRequest, http: Request, service: ServiceDep) -> Checked | Response:
    """Say of each sentence whether the passages given, or those of a collection, carry it, and which do."""
    how = {
        "passages": request.passages,
        "collection": request.collection,
        "filters": request.filters.given(),
        "style": request.style,
    }
    if request.stream:
        if request.passages is None:
            await service.compute(lambda: service.workspace.generation(request.collection))  # a 404 and no stream
        return stream.response(lambda tell: service.check(request.text, tell, **how))
    return await service.check_for(http, request.text, **how)
