"""The service as processes: one, or several that share the index on disk, the jobs and the counters.

Several are started by uvicorn, each from the environment alone; so the settings are handed on as environment variables.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from rag.settings import PREFIX, Settings
from rag.workspace import Workspace
from service import logs, tracing
from service.app import create_app
from service.connections import Connection

KEPT_OPEN = 120
"""Seconds that an idle connection is kept open: longer than clients keep theirs (httpx 5, balancers 60, Go 90), or it
would now and then be closed in the moment in which a question is sent down it."""
SHARED = "ADFONTES_RUNTIME"
"""Names the folder through which the processes of one service share what they know; made and removed with it."""


def serve(workspace: Workspace) -> None:
    """Serve until stopped; requests under way are finished and jobs put away first."""
    settings = workspace.settings
    logs.configure(settings.log_format, settings.log_level)
    how = options(settings)
    if settings.workers == 1:
        tracing.configure()
        uvicorn.run(create_app(workspace), **how)
        return
    create_app(workspace)  # what is wrong with the settings is told once, before any process starts
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if value is not None:
            os.environ[PREFIX + name.upper()] = str(getattr(value, "get_secret_value", lambda v=value: v)())
    with tempfile.TemporaryDirectory(prefix="adfontes-") as folder:
        for part in ("metrics", "jobs"):
            (Path(folder) / part).mkdir()
        os.environ |= {SHARED: folder, "PROMETHEUS_MULTIPROC_DIR": str(Path(folder) / "metrics")}
        uvicorn.run("service.serving:worker", factory=True, workers=settings.workers, **how)


def options(settings: Settings) -> dict[str, Any]:
    """How uvicorn serves."""
    return {
        "host": settings.host,
        "port": settings.port,
        "http": Connection,
        "ws": "none",
        "log_config": None,
        "access_log": False,
        "timeout_graceful_shutdown": settings.shutdown_timeout,
        "server_header": False,
        "timeout_keep_alive": KEPT_OPEN,
    }


def worker() -> FastAPI:
    """The application of one process among several."""
    settings = Settings.load()
    logs.configure(settings.log_format, settings.log_level)
    tracing.configure()
    return create_app(Workspace(settings), shared=Path(os.environ[SHARED]) / "jobs")
