"""The application: routes, guards and one workspace, put together.

    adfontes serve → create_app(workspace) → guard → routes → workspace

One process or several: `service.serving` starts them.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from fastapi import FastAPI
from starlette.routing import Route

from rag.workspace import Workspace
from service import problems
from service.access import Access, collections, listed, needs
from service.answering import Answering
from service.dependencies import Service
from service.guards import Guard, hosts_for
from service.jobs import Jobs
from service.metrics import Metrics
from service.ondemand import ToolsOnDemand
from service.routes import (
    ask,
    audit,
    chat,
    documents,
    export,
    fetching,
    health,
    index,
    jobs,
    page,
    references,
    search,
    session,
    verify,
)

log = logging.getLogger("adfontes.service")

DESCRIPTION = """
Questions over articles and their sources: every sentence of an answer leads to the characters of a passage,
and where that passage relays somebody, on to the bibliography entry.

Offsets are Unicode code points, 0-based, end exclusive, into the document's stored text.
Errors are RFC 9457 problem details.
"""


class Application(FastAPI):
    """FastAPI whose OpenAPI description also tells the errors as they are."""

    def openapi(self) -> dict[str, Any]:
        """The description, made once."""
        if not self.openapi_schema:
            problems.describe(super().openapi())
            _tell_scopes(self.openapi_schema or {})
        return self.openapi_schema or {}


def create_app(workspace: Workspace, shared: Path | None = None, answering: Answering | None = None) -> FastAPI:
    """The service over `workspace`; `shared` is the folder through which several processes share their jobs.

    `answering` is what answers; left out, processes with the settings of `workspace`. The first loads its models while
    the service already runs; /readyz tells when it has.

    Raises SettingsError where API keys are required and there are none.
    """
    settings = workspace.settings
    metrics, access = Metrics(), Access(settings)
    answerers = answering or Answering(settings.model_copy(update={"models": workspace.exports}))
    if access.required:
        workspace = workspace.confined(collections)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        limiter = anyio.CapacityLimiter(max(2, os.cpu_count() or 2))
        service = Service(workspace, Jobs(shared), limiter, metrics, answerers, access, settings.answer_timeout)
        metrics.watch(service.measures)
        app.state.service = service
        async with anyio.create_task_group() as tasks:
            app.state.tasks = tasks
            tasks.start_soon(_warm, service)
            yield
            tasks.cancel_scope.cancel()
        await service.answering.close()
        await anyio.to_thread.run_sync(service.jobs.close)
        await anyio.to_thread.run_sync(service.together.close)
        access.keys.close()

    app = Application(
        title="Ad Fontes",
        version=version("adfontes"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        responses=problems.RESPONSES,
        separate_input_output_schemas=False,  # an answer is the same whether it comes or goes
    )
    problems.install(app)
    for room in (
        ask, verify, export, search, documents, references, fetching, audit, index, jobs, chat, session, health, page,
    ):  # fmt: skip
        app.include_router(room.router)
    app.mount("/page", page.files, name="page")
    tools = ToolsOnDemand(lambda: app.state.service, lambda: app.state.tasks)
    app.router.routes.append(Route("/mcp", endpoint=tools, include_in_schema=False))
    app.add_middleware(
        Guard,
        hosts=hosts_for(settings.host, listed(settings.hosts)),
        origins=listed(settings.allow_origins),
        upload_limit=settings.max_upload_mb << 20,
        metrics=metrics,
        access=access,
    )
    return app


def _tell_scopes(schema: dict[str, Any]) -> None:
    """Say of each operation which scope it takes where keys are required."""
    schema["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key, where the service requires one."}
    }
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            scope = needs(method.upper(), path)
            operation["security"] = [{}] if scope is None else [{}, {"key": []}]
            operation["x-scope"] = scope or "none"


async def _warm(service: Service) -> None:
    try:
        await anyio.to_thread.run_sync(service.workspace.sweep)
        await service.answering.warm()
    except Exception:  # whatever it was: the service goes on, says that it is not ready, and the log says why
        service.failed = True
        log.exception("the models cannot be loaded")
    else:
        service.ready = True
