"""A real workspace on real collections, built once a session; a real server; a real browser."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page, sync_playwright

from rag.settings import Settings
from rag.workspace import Workspace
from service.answering import Answering
from service.app import create_app
from service.serving import options

DIGEST = Path(__file__).parents[2] / "corpus" / "china-generative-ai"

# Text that would do harm as markup, and characters outside the Basic Multilingual Plane before what is quoted: offsets
# count code points, a browser counts UTF-16 units.
TRAPS = """<img src=x onerror="document.title='broken'"> A manual of traps

The northern gate

The 🦊🦊🦊 fox <script>document.title='broken'</script> guards the northern gate of the harbour with 𝒻𝑜𝓇𝓉𝓎 \
lanterns (Okafor, 2019). The keeper of the southern gate counts “seventeen & a half” barrels of tar every morning.

References

Okafor, B., 2019. <b>Lanterns</b> of the northern gate. Lagos: Harbour Press. Available from: javascript:alert(1).
"""
CHINESE = """# 港口志

南门的守门人每天早上清点十七桶焦油。北门由四十盏灯笼照亮。

The keeper of the old lighthouse is called Tamsin Vale, and she has kept it for thirty years.
"""


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two built collections: the digest (the default one) and `harbour`, full of traps."""
    root = tmp_path_factory.mktemp("workspace")
    shutil.copytree(DIGEST, root / "corpus" / DIGEST.name)
    harbour = root / "corpus" / "harbour"
    harbour.mkdir()
    (harbour / "traps.txt").write_text(TRAPS, encoding="utf-8")
    (harbour / "chinese.md").write_text(CHINESE, encoding="utf-8")
    built = Workspace(Settings(corpus=root / "corpus", index=root / "index", max_upload_mb=1))
    built.rebuild(DIGEST.name)
    built.rebuild("harbour")
    return built


@pytest.fixture(scope="session")
def client(workspace: Workspace) -> Iterator[TestClient]:
    """The application in this process, its models loaded."""
    with _application(workspace) as opened:
        yield opened


def _ready(client: httpx.Client | TestClient) -> None:
    for _ in range(2400):
        told = client.get("/readyz").json()
        if told.get("type") != "/problems/not-ready":
            return
        if "cannot" in told["detail"]:
            break
        time.sleep(0.05)
    pytest.fail(f"the service is not ready: {client.get('/readyz').text}")


@contextmanager
def _application(workspace: Workspace, answering: Answering | None = None) -> Iterator[TestClient]:
    with TestClient(create_app(workspace, answering=answering), base_url="http://127.0.0.1") as opened:
        _ready(opened)
        yield opened


@pytest.fixture(scope="session")
def application() -> Callable[..., AbstractContextManager[TestClient]]:
    """A function that opens the application over a workspace in this process, its models loaded."""
    return _application


def _finished(client: httpx.Client | TestClient, job: dict) -> dict:
    for _ in range(1200):
        job = client.get(f"/v1/jobs/{job['id']}").json()
        if job["status"] not in ("queued", "running"):
            return job
        time.sleep(0.05)
    return pytest.fail(f"the job does not end: {job}")


@pytest.fixture(scope="session")
def finished() -> Callable[[httpx.Client | TestClient, dict], dict]:
    """A function that waits for a job and returns it as it ended."""
    return _finished


@contextmanager
def serving(workspace: Workspace, answering: Answering | None = None, **how: Any) -> Iterator[str]:
    """The service on a free port of the loopback, `how` it differs from how it is served; yields its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        how = {"timeout_graceful_shutdown": 5} | how
        app = create_app(workspace, answering=answering)
        server = uvicorn.Server(uvicorn.Config(app, **options(workspace.settings) | how))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=address, timeout=60) as client:
            for _ in range(200):
                if server.started:
                    break
                time.sleep(0.05)
            _ready(client)
        try:
            yield address
        finally:
            server.should_exit = True
            thread.join(timeout=20)


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractContextManager[str]]:
    """A function that serves a workspace on a free port of the loopback; yields the address."""
    return serving


@pytest.fixture(scope="session")
def server(workspace: Workspace) -> Iterator[str]:
    """The address of a running service."""
    with serving(workspace) as address:
        yield address


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A real Chromium, driven by Playwright."""
    quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    quiet += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=quiet)
        yield opened
        opened.close()


class Watched:
    """What a page did that it should not: console errors, page errors, requests to elsewhere."""

    def __init__(self, page: Page, server: str) -> None:
        self.faults: list[str] = []
        page.on("console", lambda message: self._on_console(message.type, message.text))
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("request", lambda request: self._on_request(request.url, server))

    def _on_console(self, kind: str, text: str) -> None:
        refused = "the server responded with a status of 4" in text  # logged by Chromium itself; the page tells it too
        if kind in ("error", "warning") and not refused:
            self.faults.append(f"console {kind}: {text}")

    def _on_request(self, url: str, server: str) -> None:
        if not url.startswith((server, "blob:")):
            self.faults.append(f"request to {url}")


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    """A fresh page in its own profile; the test fails if the page complains or asks anybody else."""
    context = browser.new_context(base_url=server, viewport={"width": 1360, "height": 860}, locale="en-GB")
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server)
    opened = context.new_page()
    opened.set_default_timeout(10_000)
    watched = Watched(opened, server)
    yield opened
    context.close()
    assert watched.faults == []
