"""POST /v1/search: the passages nearest to a query. GET /v1/passages/{id}: one of them again."""

from __future__ import annotations

from fastapi import APIRouter, Request

from rag.retrieve import Embedded
from rag.store import Generation
from rag.types import Passage
from service.contract import SearchRequest, SearchResult
from service.dependencies import GenerationDep, ServiceDep

router = APIRouter(tags=["search"])


@router.post("/v1/search")
async def search(request: SearchRequest, http: Request, service: ServiceDep) -> SearchResult:
    """Find passages by meaning and by words, best first, without wording an answer."""
    query = service.workspace.asked(request.query)
    filters = request.filters.given()

    def found(embedded: Embedded | None) -> tuple[Generation, list[Passage]]:
        return service.workspace.search(
            query, collection=request.collection, limit=request.limit, filters=filters, embedded=embedded
        )

    generation, passages = await service.search_for(http, query, found)
    return SearchResult(index=generation.state, query=query, passages=passages)


@router.get("/v1/passages/{passage_id}")
def passage(passage_id: str, generation: GenerationDep) -> Passage:
    """One passage by its identifier."""
    return generation.passage(passage_id)
