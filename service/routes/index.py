"""The generations over HTTP: list, rebuild, roll back, compare, verify, prune; and the collections."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from rag.errors import IndexMissingError, NotFoundError
from rag.store import Difference, GenerationInfo
from rag.types import IndexState
from service.contract import (
    CollectionList,
    CollectionState,
    PruneRequest,
    RebuildRequest,
    RollbackRequest,
    VerifyRequest,
)
from service.dependencies import CollectionQuery, Service, ServiceDep
from service.jobs import Job

router = APIRouter(tags=["index"])


class Index(BaseModel):
    """The generations of a collection, newest first; the live one with what its manifest says of its making."""

    collection: str
    generations: list[GenerationInfo]
    manifest: dict[str, Any] | None


class Verification(BaseModel):
    """What was found of each generation's files."""

    collection: str
    whole: bool
    generations: dict[str, str] = Field(description="By generation what is wrong, empty where nothing is.")


class Pruned(BaseModel):
    """The generations that are gone."""

    collection: str
    deleted: list[str]


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


@router.get("/v1/index/diff")
def diff(
    service: ServiceDep,
    collection: CollectionQuery = None,
    old: Annotated[str | None, Query(description="A generation; the one before `new` when not given.")] = None,
    new: Annotated[str | None, Query(description="A generation; the live one when not given.")] = None,
) -> Difference:
    """What changed from one generation to another."""
    return service.workspace.diff(known(service, collection), old, new)


@router.post("/v1/index/verify")
def verify(service: ServiceDep, request: VerifyRequest | None = None) -> Verification:
    """Check every byte of every generation, or of the one named, against its manifest."""
    wanted = request or VerifyRequest()
    name = known(service, wanted.collection)
    found = service.workspace.verify(name, wanted.generation)
    return Verification(collection=name, whole=not any(found.values()), generations=found)


@router.post("/v1/index/prune")
def prune(service: ServiceDep, request: PruneRequest | None = None) -> Pruned:
    """Delete the oldest generations, never the live one."""
    wanted = request or PruneRequest()
    name = known(service, wanted.collection)
    return Pruned(collection=name, deleted=service.workspace.prune(name, wanted.keep))


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
