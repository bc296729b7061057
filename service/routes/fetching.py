"""POST and GET /v1/fetch: a copy of every cited work, as far as it can be had, and what came of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict

from rag.errors import CancelledError
from rag.types import BuildReport, Progress
from service.contract import FetchRequest
from service.dependencies import CollectionQuery, ServiceDep
from service.jobs import Job
from service.routes.index import known

router = APIRouter(tags=["references"])


class FetchOutcome(BaseModel):
    """What came of one bibliography entry when it was last tried."""

    model_config = ConfigDict(from_attributes=True)

    reference_id: str
    state: Literal["saved", "held", "unchanged", "no-address", "failed"]
    address: str
    source: str
    failure: str
    reason: str
    tried_at: str
    again_at: str


class FetchOutcomes(BaseModel):
    """What came of the entries that were tried, whenever it was."""

    collection: str
    outcomes: list[FetchOutcome]


@router.post("/v1/fetch", status_code=202)
def fetch(service: ServiceDep, response: Response, request: FetchRequest | None = None) -> Job:
    """Try to have a copy of every cited work: politely, by its address and DOI; a job does it and rebuilds.

    Cancelling the job keeps what is saved; another one goes on from there.
    """
    wanted = request or FetchRequest()
    name = known(service, wanted.collection)
    generation = service.workspace.generation(name)
    for reference_id in wanted.references or ():
        generation.reference(reference_id)

    def work(progress: Callable[[Progress], None], cancelled: Callable[[], bool]) -> BuildReport:
        run = service.workspace.fetch_sources(
            name,
            only=wanted.references,
            refresh=wanted.refresh,
            retry=wanted.retry,
            progress=progress,
            cancelled=cancelled,
        )
        if run.report is None:
            raise CancelledError("fetching was stopped; what is saved stays")
        return run.report

    job = service.jobs.start("fetch", name, work)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job


@router.get("/v1/fetch")
def outcomes(service: ServiceDep, collection: CollectionQuery = None) -> FetchOutcomes:
    """What came of each entry when it was last tried, and why it could not be had."""
    name = known(service, collection)
    found = [FetchOutcome.model_validate(outcome) for outcome in service.workspace.fetched(name)]
    return FetchOutcomes(collection=name, outcomes=found)
