"""GET and DELETE /v1/jobs/{id}: how far long work has come, and stopping it."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from service.dependencies import ServiceDep
from service.jobs import Job

router = APIRouter(tags=["jobs"])


class JobList(BaseModel):
    """The jobs that the service remembers, newest first."""

    jobs: list[Job]


@router.get("/v1/jobs")
def jobs(service: ServiceDep) -> JobList:
    """List the jobs since the service started."""
    return JobList(jobs=service.jobs.all())


@router.get("/v1/jobs/{job_id}")
def job(job_id: str, service: ServiceDep) -> Job:
    """How far a job has come."""
    return service.jobs.get(job_id)


@router.delete("/v1/jobs/{job_id}", status_code=202)
def cancel(job_id: str, service: ServiceDep) -> Job:
    """Ask a job to stop; nothing half-done is published. A job that has ended is forgotten."""
    return service.jobs.cancel(job_id)
