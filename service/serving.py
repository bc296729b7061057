"""The service as processes: one, or several that share the index on disk, the jobs and the counters.

Several are started by uvicorn, each from the environment alone; so the settings are handed on as environment variables.
"""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from rag.settings import PREFIX, Settings
from rag.workspace import Workspace
from service import logs, tracing
from service.answering import Answering
from service.app import create_app
from service.connections import Connection
from service.parent import end_with_parent

KEPT_OPEN = 120
"""Seconds that an idle connection is kept open: longer than clients keep theirs (httpx 5, balancers 60, Go 90), or it
would now and then be closed in the moment in which a question is sent down it."""
SHARED = "ADFONTES_RUNTIME"
"""Names the folder through which the processes of one service share what they know; made and removed with it."""


def serve(workspace: Workspace, answering: Answering | None = None) -> None:
    """Serve until stopped; requests under way are finished and jobs put away first.

    `answering` is what answers, where its first process has been started already.
    """
    settings = workspace.settings
    logs.configure(settings.log_format, settings.log_level)
    how = options(settings)
    if settings.workers == 1:
        tracing.configure()
        uvicorn.run(create_app(workspace, answering=answering), **how)
        return
    create_app(workspace)  # what is wrong with the settings is told once, before any process starts
    for name, value in settings.in_plain().items():
        if value is not None:
            os.environ[PREFIX + name.upper()] = str(value)
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
    """The application of one process among several; it ends gently when the one that watches over them is gone."""
    end_with_parent(signal.SIGTERM)
    settings = Settings.load()
    logs.configure(settings.log_format, settings.log_level)
    tracing.configure()
    return create_app(Workspace(settings), shared=Path(os.environ[SHARED]) / "jobs")
