"""GET /v1/index, POST /v1/index/rebuild and /rollback, GET /v1/collections: the state of what is asked."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel

from rag.errors import IndexMissingError, NotFoundError
from rag.store import GenerationInfo
from rag.types import IndexState
from service.contract import CollectionList, CollectionState, RebuildRequest, RollbackRequest
from service.dependencies import CollectionQuery, Service, ServiceDep
from service.jobs import Job

router = APIRouter(tags=["index"])


class Index(BaseModel):
    """The generations of a collection, newest first; the live one with what its manifest says of its making."""

    collection: str
    generations: list[GenerationInfo]
    manifest: dict[str, Any] | None


@router.get("/v1/index")
def index(service: ServiceDep, collection: CollectionQuery = None) -> Index:
    """The generations of a collection; one of them is live."""
    name = known(service, collection)
    try:
        # What it says of each file and document is as long as the collection is large.
        manifest = {
            k: v for k, v in service.workspace.generation(name).manifest.items() if k not in {"files", "provenance"}
        }
    except IndexMissingError:
        manifest = None
    return Index(collection=name, generations=service.workspace.generations(name), manifest=manifest)


@router.post("/v1/index/rebuild", status_code=202)
def rebuild(service: ServiceDep, response: Response, request: RebuildRequest | None = None) -> Job:
    """Start a rebuild; questions are answered from the live generation until the new one is swapped in."""
    name = known(service, request.collection if request else None)
    job = service.jobs.start(
        "rebuild",
        name,
        lambda progress, cancelled: service.workspace.rebuild(name, progress=progress, cancelled=cancelled),
    )
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job


@router.post("/v1/index/rollback")
def rollback(service: ServiceDep, request: RollbackRequest | None = None) -> GenerationInfo:
    """Make an earlier generation the live one again."""
    wanted = request or RollbackRequest()
    return service.workspace.rollback(known(service, wanted.collection), wanted.generation)


@router.get("/v1/collections")
def collections(service: ServiceDep) -> CollectionList:
    """The collections that can be asked, with their live generations."""
    default = service.workspace.named(None)
    states = [
        CollectionState(name=name, default=name == default, index=_live(service, name))
        for name in service.workspace.collections()
    ]
    return CollectionList(collections=states)


def known(service: Service, collection: str | None) -> str:
    """The name of a collection that exists; the default one for None. Raises NotFoundError."""
    name = service.workspace.named(collection)
    there = service.workspace.collections()
    if name not in there:
        raise NotFoundError(f"there is no collection {name!r}; there are: {', '.join(there) or 'none yet'}")
    return name


def _live(service: Service, name: str) -> IndexState | None:
    try:
        return service.workspace.generation(name).state
    except IndexMissingError:
        return None
