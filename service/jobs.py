"""Long work in the background: rebuilds and uploads, one after the other, with progress and cancellation.

A job is a frozen value; each step replaces it, so a reader never sees half a change. Where several processes serve,
they read each other's jobs as files of one folder. Knows no HTTP.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from rag.errors import BusyError, CancelledError, NotFoundError
from rag.types import BuildReport, Progress
from service import problems

log = logging.getLogger("adfontes.service")

JobKind = Literal["rebuild", "add", "remove", "attach", "fetch"]
JobStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]
Work = Callable[[Callable[[Progress], None], Callable[[], bool]], BuildReport]
"""What a job does: called with a progress callback and a question whether it should stop."""

KEPT = 200
"""Finished jobs that can still be looked up."""
WAITING = 100
"""Jobs that may wait for their turn."""


@dataclass(frozen=True, slots=True)
class Job:
    """Work that goes on after its request was answered."""

    id: str
    kind: JobKind
    collection: str
    subject: str | None
    """The document it is about, None for the whole collection."""
    status: JobStatus
    created_at: str
    started_at: str | None = None
    finished_at: str | None = None
    progress: Progress | None = None
    report: BuildReport | None = None
    problem: problems.ProblemDetails | None = None

    @property
    def active(self) -> bool:
        """Whether there is still something to come."""
        return self.status in ("queued", "running")


class Jobs:
    """The jobs of this process: one worker, so that they never dispute the write lock among themselves."""

    def __init__(self, folder: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._folder = folder
        self._jobs: dict[str, Job] = {}
        self._stops: dict[str, threading.Event] = {}
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="adfontes-job")

    def start(self, kind: JobKind, collection: str, work: Work, *, subject: str | None = None) -> Job:
        """Queue `work` and return its job at once.

        Raises BusyError when the collection is already being rebuilt whole, or when too much is waiting.
        """
        job = Job(
            id=f"job_{secrets.token_hex(8)}",
            kind=kind,
            collection=collection,
            subject=subject,
            status="queued",
            created_at=_now(),
        )
        elsewhere = [other for other in self._others() if other.active]
        with self._lock:
            active = [*elsewhere, *(other for other in self._jobs.values() if other.active)]
            same = [other for other in active if other.collection == collection and other.kind == kind == "rebuild"]
            if same:
                raise BusyError(
                    f"collection {collection!r} is already being rebuilt by job {same[0].id}; see /v1/jobs/{same[0].id}"
                )
            if len(active) >= WAITING:
                raise BusyError(f"{len(active)} jobs are waiting already; try again when some have finished")
            for finished in [other.id for other in self._jobs.values() if not other.active][: -KEPT or None]:
                del self._jobs[finished]
            self._jobs[job.id] = job
            stop = self._stops[job.id] = threading.Event()
            self._tell(job)
        self._worker.submit(self._run, job.id, work, stop)
        return job

    def get(self, job_id: str) -> Job:
        """The job as it stands. Raises NotFoundError."""
        with self._lock:
            job = self._jobs.get(job_id)
        job = job or next((other for other in self._others() if other.id == job_id), None)
        if job is None:
            raise NotFoundError(f"there is no job {job_id!r} (jobs are forgotten when the service restarts)")
        return job

    def all(self) -> list[Job]:
        """All jobs that are known, newest first."""
        others = self._others()
        with self._lock:
            own = list(self._jobs.values())
        return sorted([*own, *others], key=lambda job: job.created_at, reverse=True) if others else own[::-1]

    def cancel(self, job_id: str) -> Job:
        """Ask a job to stop, or forget one that has ended. Raises NotFoundError.

        A job that goes on ends as `cancelled` when it comes to a place where it may.
        """
        job = self.get(job_id)
        with self._lock:
            stop = self._stops.get(job_id)
            if stop is not None:
                stop.set()
            elif self._jobs.pop(job_id, None) is None and job.active and self._folder is not None:
                (self._folder / f"{job_id}.stop").touch()
            elif self._folder is not None:
                (self._folder / f"{job_id}.json").unlink(missing_ok=True)
        return job

    def close(self) -> None:
        """Stop all jobs and wait until the running one has put everything away."""
        with self._lock:
            for stop in self._stops.values():
                stop.set()
        self._worker.shutdown(wait=True)

    def _change(self, job_id: str, **changes: object) -> None:
        with self._lock:
            self._jobs[job_id] = replace(self._jobs[job_id], **changes)  # type: ignore[arg-type]
            self._tell(self._jobs[job_id])

    def _tell(self, job: Job) -> None:
        """Let the other processes read the job."""
        if self._folder is not None:
            written = self._folder / f".{job.id}"
            written.write_bytes(_SHAPE.dump_json(job))
            written.replace(self._folder / f"{job.id}.json")

    def _others(self) -> list[Job]:
        """The jobs of the other processes."""
        if self._folder is None:
            return []
        with self._lock:
            paths = [path for path in self._folder.glob("*.json") if path.stem not in self._jobs]
        found = []
        for path in paths:
            with suppress(FileNotFoundError):  # forgotten meanwhile
                found.append(_SHAPE.validate_json(path.read_bytes()))
        return found

    def _stopped(self, job_id: str, stop: threading.Event) -> Callable[[], bool]:
        asked = None if self._folder is None else self._folder / f"{job_id}.stop"
        return lambda: stop.is_set() or (asked is not None and asked.exists())

    def _run(self, job_id: str, work: Work, stop: threading.Event) -> None:
        try:
            if stop.is_set():
                self._finish(job_id, status="cancelled")
                return
            self._change(job_id, status="running", started_at=_now())
            report = work(lambda progress: self._change(job_id, progress=progress), self._stopped(job_id, stop))
            self._finish(job_id, status="succeeded", report=report)
        except CancelledError:
            self._finish(job_id, status="cancelled")
        except Exception as error:  # noqa: BLE001  (whatever happened, the job must tell and the worker go on)
            self._finish(job_id, status="failed", problem=problems.of_error(error))

    def _finish(self, job_id: str, **changes: object) -> None:
        self._change(job_id, finished_at=_now(), **changes)
        with self._lock:
            del self._stops[job_id]


_SHAPE: TypeAdapter[Job] = TypeAdapter(Job)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
