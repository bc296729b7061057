"""CPU work: off the event loop, as much at a time as there are threads for, and refused when too much waits."""

from __future__ import annotations

import threading

import anyio
import pytest
from anyio.from_thread import start_blocking_portal

from rag.workspace import Workspace
from service import dependencies
from service.answering import Answering
from service.dependencies import Service
from service.jobs import Jobs
from service.metrics import Metrics
from service.problems import OverloadedError


def test_too_many_questions_are_refused_and_the_others_answered(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One works, two wait, the fourth is told to come back; when the first has ended the waiting ones are answered."""
    monkeypatch.setattr(dependencies, "WAITING", 2)
    release = threading.Event()
    answered: list[bool] = []
    refused: list[bool] = []

    async def run() -> None:
        service = Service(workspace, Jobs(), anyio.CapacityLimiter(1), Metrics(), Answering(workspace.settings))

        async def ask() -> None:
            try:
                answered.append(await service.compute(lambda: release.wait(20)))
            except OverloadedError:
                refused.append(True)

        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(ask)
                await anyio.sleep(0.05)
            await ask()
            release.set()
        service.jobs.close()

    with start_blocking_portal() as portal:
        portal.call(run)
    assert (answered, refused) == ([True] * 3, [True])
