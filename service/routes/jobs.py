"""GET and DELETE /v1/jobs/{id}: how far long work has come, and stopping it."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from rag.errors import NotFoundError
from service import access
from service.dependencies import Service, ServiceDep
from service.jobs import Job

router = APIRouter(tags=["jobs"])


class JobList(BaseModel):
    """The jobs that the service remembers, newest first."""

    jobs: list[Job]


@router.get("/v1/jobs")
def jobs(service: ServiceDep) -> JobList:
    """List the jobs since the service started."""
    return JobList(jobs=[job for job in service.jobs.all() if _seen(job)])


@router.get("/v1/jobs/{job_id}")
def job(job_id: str, service: ServiceDep) -> Job:
    """How far a job has come."""
    return _own(service, job_id)


@router.delete("/v1/jobs/{job_id}", status_code=202)
def cancel(job_id: str, service: ServiceDep) -> Job:
    """Ask a job to stop; nothing half-done is published. A job that has ended is forgotten."""
    return service.jobs.cancel(_own(service, job_id).id)


def _seen(job: Job) -> bool:
    allowed = access.collections()
    return allowed is None or job.collection in allowed


def _own(service: Service, job_id: str) -> Job:
    """A job of a collection that the caller may see. Raises NotFoundError."""
    job = service.jobs.get(job_id)
    if not _seen(job):
        raise NotFoundError(f"there is no job {job_id!r} (jobs are forgotten when the service restarts)")
    return job
