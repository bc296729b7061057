"""What routes ask for by type: the workspace, the jobs, a collection's live generation, a place to do CPU work."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from typing import Annotated, Any, TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread
from fastapi import Depends, Query, Request
from prometheus_client.core import Metric

from rag.errors import CancelledError
from rag.retrieve import Embedded
from rag.store import Generation
from rag.types import Answer, Checked
from rag.workspace import Workspace
from service import tracing
from service.access import Access, caller, collections
from service.answering import Answering, Tell
from service.contract import COLLECTION_PATTERN
from service.jobs import Jobs
from service.metrics import Metrics, gauge
from service.problems import OverloadedError, QuotaError
from service.together import Together

T = TypeVar("T")
SEARCHES = 96
"""Searches under way at a time; the next one is refused instead of being answered too late."""
RERANKED = 32
"""Searches under way at a time where passages are read again, by a model that may take seconds: each in its thread."""
WAITING = 64
"""Questions that may wait; the next one is refused instead of being answered too late."""


@dataclass(slots=True)
class Service:
    """What lives as long as the application: one of each, made when it starts."""

    workspace: Workspace
    jobs: Jobs
    limiter: anyio.CapacityLimiter
    metrics: Metrics
    answering: Answering
    access: Access | None = None
    timeout: float = 120
    """Seconds an answer may take."""
    ready: bool = False
    """Whether a process with its models loaded has been there to answer."""
    failed: bool = False
    """Whether there could be none; the log says why."""
    together: Together = field(init=False)
    reranked: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(RERANKED))

    def __post_init__(self) -> None:
        self.together = Together(self.workspace.embed, SEARCHES)

    async def compute(self, work: Callable[[], T], limiter: anyio.CapacityLimiter | None = None) -> T:
        """Run CPU work in a thread, as many at a time as `limiter` lets, else as there are processors.

        Raises OverloadedError when too much waits, TimeoutError when it takes too long. A thread cannot be killed: work
        that asks `stopped` now and then ends early, other work is waited for.
        """
        within = limiter or self.limiter
        if within.statistics().tasks_waiting >= WAITING:
            raise OverloadedError(f"{WAITING} questions are waiting already")
        return await self._in_time(anyio.to_thread.run_sync(work, limiter=within))

    async def search_for(self, request: Request, query: str, rank: Callable[[Embedded | None], T]) -> T:
        """What `rank` makes of a query embedded with others. Raises what `compute` does, and CancelledError."""
        if self.workspace.settings.reranker != "none":
            return await _for(request, self.compute(lambda: rank(None), self.reranked))
        return await _for(request, self._in_time(self.together.search(query, rank)))

    async def _in_time(self, work: Awaitable[T]) -> T:
        with anyio.move_on_after(self.timeout) as timed:
            return await work
        assert timed.cancelled_caught  # noqa: S101  (else the line before has returned or raised)
        raise TimeoutError(f"no answer came within {self.timeout:g} seconds")

    async def ask(
        self,
        question: str,
        on_event: Tell | None = None,
        **how: Any,  # noqa: ANN401  (the keywords of Workspace.ask)
    ) -> Answer:
        """Answer a question in a process of its own and count the answer; see `Answering.ask`.

        Raises what that raises, OverloadedError when too much waits, TimeoutError when it takes too long.
        """
        with tracing.answering() as told:
            answer = await self._elsewhere(self.answering.ask, question, on_event, how)
            told.append(answer)
        self.metrics.answered(answer)
        return answer

    async def check(
        self,
        text: str,
        on_event: Tell | None = None,
        **how: Any,  # noqa: ANN401  (the keywords of Workspace.check)
    ) -> Checked:
        """Hold a text to the sources in a process of its own; see `Answering.check`. Raises what `ask` raises."""
        return await self._elsewhere(self.answering.check, text, on_event, how)

    async def _elsewhere(
        self, work: Callable[..., Awaitable[T]], text: str, on_event: Tell | None, how: dict[str, Any]
    ) -> T:
        """What an answering process makes of a text for the caller, in time; damage that it comes upon is noted."""
        if self.answering.waiting >= WAITING:
            raise OverloadedError(f"{WAITING} questions are waiting already")
        damaged: list[tuple[str, str, str]] = []
        done = await self._in_time(
            work(text, on_event, allowed=collections(), on_damage=lambda *found: damaged.append(found), **how)
        )
        for found in damaged:
            await anyio.to_thread.run_sync(self.workspace.distrust, *found)
        return done

    async def ask_for(self, request: Request, question: str, **how: Any) -> Answer:  # noqa: ANN401
        """`ask` for a client that may leave: then the work is ended. Raises CancelledError when it left."""
        return await _for(request, self.ask(question, **how))

    async def check_for(self, request: Request, text: str, **how: Any) -> Checked:  # noqa: ANN401
        """`check` for a client that may leave: then the work is ended. Raises CancelledError when it left."""
        return await _for(request, self.check(text, **how))

    def charge(self) -> None:
        """Count a question that came by another door than the guard's. Raises QuotaError."""
        key = caller.get()
        spent = self.access.question(key) if self.access is not None and key is not None else None
        if spent is not None and spent.over:
            raise QuotaError(f"this key may ask {spent.limit} questions a day; the next begins in {spent.resets} s")

    def measures(self) -> Iterator[Metric]:
        """What is live, what waits and what the jobs do, for the metrics."""
        threads = self.limiter.statistics()
        waiting = threads.tasks_waiting + self.answering.waiting
        working = threads.borrowed_tokens + self.answering.working
        yield gauge("adfontes_ready", "Whether the models are loaded.", (), [((), float(self.ready))])
        yield gauge("adfontes_waiting", "Questions waiting.", (), [((), waiting)])
        yield gauge("adfontes_working", "Questions being worked on.", (), [((), working)])
        jobs = Counter(job.status for job in self.jobs.all())
        yield gauge("adfontes_jobs", "Jobs remembered.", ("status",), [((status,), n) for status, n in jobs.items()])
        live = [
            (name, info)
            for name in self.workspace.collections()
            for info in self.workspace.generations(name)
            if info.current
        ]
        labels = ("collection", "generation")
        yield gauge("adfontes_build_info", "The version that runs.", ("version",), [((version("adfontes"),), 1.0)])
        yield gauge(
            "adfontes_index_built_timestamp_seconds",
            "When the live generation was built.",
            labels,
            [((name, info.id), datetime.fromisoformat(info.built_at).timestamp()) for name, info in live],
        )
        yield gauge(
            "adfontes_documents",
            "Documents in the live generation.",
            labels,
            [((name, info.id), info.documents) for name, info in live],
        )
        yield gauge(
            "adfontes_chunks",
            "Chunks in the live generation.",
            labels,
            [((name, info.id), info.chunks) for name, info in live],
        )


async def _for(request: Request, work: Coroutine[Any, Any, T]) -> T:
    with anyio.CancelScope() as scope:
        # No task group: to cancel one that has done its work costs a third of a millisecond.
        watching = asyncio.create_task(_left(request, scope))
        try:
            return await work
        finally:
            watching.cancel()
    raise CancelledError("the client left before the answer was there")


async def _left(request: Request, scope: anyio.CancelScope) -> None:
    """Cancel `scope` when the client leaves."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


def stopped() -> None:
    """Raise, within a thread of `compute`, when nobody waits for its work any more."""
    with suppress(RuntimeError):  # called from no such thread
        anyio.from_thread.check_cancelled()


async def _service(request: Request) -> Service:  # async: what is not would be called in a thread
    service = request.app.state.service
    assert isinstance(service, Service)  # noqa: S101  (app.state is untyped)
    return service


ServiceDep = Annotated[Service, Depends(_service)]
CollectionQuery = Annotated[
    str | None,
    Query(alias="collection", pattern=COLLECTION_PATTERN, description="A collection; else the default one."),
]


def _generation(service: ServiceDep, collection: CollectionQuery = None) -> Generation:
    """The live generation, held by one request from its first to its last read."""
    return service.workspace.generation(collection)


GenerationDep = Annotated[Generation, Depends(_generation)]
