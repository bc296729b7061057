"""A real service for the examples."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import httpx
import pytest
import uvicorn

from rag.workspace import Workspace
from service.app import create_app


@contextmanager
def _serving(workspace: Workspace) -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(workspace), log_level="warning", timeout_graceful_shutdown=5))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            for _ in range(1200):
                if server.started and httpx.get(f"{address}/readyz").status_code == 200:
                    break
                time.sleep(0.05)
            yield address
        finally:
            server.should_exit = True
            thread.join(timeout=20)


@pytest.fixture(scope="session")
def serving() -> Callable[[Workspace], AbstractContextManager[str]]:
    """A function that serves a workspace on a free port; yields its address when it is ready."""
    return _serving
