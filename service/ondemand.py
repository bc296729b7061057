"""The tools at /mcp, imported by whoever asks for them first: the library takes a fourth of the service's start.

Knows no tool; `service.tools` has them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType

import anyio
import anyio.abc
from starlette.types import ASGIApp, Receive, Scope, Send

from service.dependencies import Service


class ToolsOnDemand:
    """An application that becomes the MCP server's at its first request."""

    def __init__(self, service: Callable[[], Service], tasks: Callable[[], anyio.abc.TaskGroup]) -> None:
        """`tasks` is where the server's sessions run: the group that lives as long as the service."""
        self._service, self._tasks = service, tasks
        self._app: ASGIApp | None = None
        self._making = anyio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        async with self._making:
            if self._app is None:
                tools = await anyio.to_thread.run_sync(importlib.import_module, "service.tools")
                self._app = await self._tasks().start(self._running, tools)
        await self._app(scope, receive, send)

    async def _running(self, tools: ModuleType, *, task_status: anyio.abc.TaskStatus[ASGIApp]) -> None:
        server, app = tools.over_http(self._service)
        try:
            async with server.session_manager.run():
                task_status.started(app)
                await anyio.sleep_forever()
        finally:
            self._app = None
