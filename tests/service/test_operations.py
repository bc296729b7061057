"""Running the service: several processes, shutdown, logs, traces, answers that take too long, clients that leave."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from fastapi.testclient import TestClient
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from rag.workspace import Workspace
from service import logs
from service.answering import Answering
from service.dependencies import Service, stopped
from service.jobs import Job, Jobs
from service.metrics import Metrics

ROOT = Path(__file__).parents[2]
USERS = "How many users had Ernie Bot attracted by April 2024?"


# ── processes ────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def running(workspace: Workspace, *words: str, **more: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """`adfontes serve` as a process of its own, ready to be asked."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folders = {
        "ADFONTES_CORPUS": str(workspace.settings.corpus),
        "ADFONTES_INDEX": str(workspace.settings.index),
        "ADFONTES_PORT": str(port),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "rag.cli", "serve", *words],
        cwd=ROOT,
        env=os.environ | folders | more,
        stderr=subprocess.PIPE,
        text=True,
    )
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
    try:
        for _ in range(1200):
            try:
                if client.get("/readyz").status_code == 200:
                    break
            except httpx.TransportError:
                pass
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            time.sleep(0.1)
        yield process, client
    finally:
        client.close()
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)
        if process.stderr:
            process.stderr.close()


def test_several_processes_share_index_jobs_and_counters_and_stop_gently(workspace: Workspace) -> None:
    """Whichever process is asked knows the job and the sum of the counters; SIGTERM lets the work under way finish."""
    with running(workspace, "--workers", "2", ADFONTES_LOG_FORMAT="json") as (process, client):

        def fresh(method: str, path: str, **how: Any) -> httpx.Response:
            with httpx.Client(base_url=client.base_url, timeout=60) as other:  # a new connection: any of the processes
                return other.request(method, path, **how)

        for _ in range(40):  # both have loaded their models
            if [fresh("GET", "/readyz").status_code for _ in range(6)] == [200] * 6:
                break
            time.sleep(0.5)
        answers = [fresh("POST", "/v1/ask", json={"question": USERS}).json() for _ in range(6)]
        assert {answer["index"]["generation"] for answer in answers} == {answers[0]["index"]["generation"]}
        counted = {_sum(fresh("GET", "/metrics").text, "adfontes_answers_total") for _ in range(4)}
        assert counted == {6.0}
        job = fresh("POST", "/v1/index/rebuild", json={}).json()
        for _ in range(300):
            seen = [fresh("GET", f"/v1/jobs/{job['id']}") for _ in range(4)]
            assert {response.status_code for response in seen} == {200}
            if {response.json()["status"] for response in seen} == {"succeeded"}:
                break
            time.sleep(0.1)
        assert {response.json()["status"] for response in seen} == {"succeeded"}
        with ThreadPoolExecutor(1) as pool:
            last = pool.submit(fresh, "POST", "/v1/ask", json={"question": "Who are the four new AI tigers of China?"})
            time.sleep(0.15)
            process.terminate()
            assert "Baichuan" in last.result().json()["answer"]
        assert process.wait(timeout=60) == 0
        lines = process.stderr.read().splitlines() if process.stderr else []
    told = [json.loads(line) for line in lines if line.startswith("{")]
    asked = [line for line in told if line.get("route") == "/v1/ask"]
    assert len(asked) >= 6
    assert all(line["request"] and line["status"] == 200 and line["ms"] >= 0 for line in asked)
    assert "Ernie" not in "".join(lines)


def _sum(text: str, name: str) -> float:
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name + "{"))


def test_jobs_of_another_process_can_be_read_and_stopped(tmp_path: Path) -> None:
    """A job is listed, refused twice, and stopped from the other process; it ends as cancelled."""
    one, other = Jobs(tmp_path), Jobs(tmp_path)
    begun = threading.Event()

    def work(_progress: Callable, cancelled: Callable[[], bool]) -> Any:
        begun.set()
        while not cancelled():
            time.sleep(0.01)
        from rag.errors import CancelledError

        raise CancelledError("stopped")

    job = one.start("rebuild", "c", work)
    assert begun.wait(5)
    assert [found.id for found in other.all()] == [job.id]
    from rag.errors import BusyError

    with pytest.raises(BusyError):
        other.start("rebuild", "c", work)
    other.cancel(job.id)
    for _ in range(500):
        if not other.get(job.id).active:
            break
        time.sleep(0.01)
    assert isinstance(other.get(job.id), Job)
    assert other.get(job.id).status == "cancelled"
    one.close()
    other.close()


# ── time and clients ─────────────────────────────────────────────────────────────────────────────────────────────


def test_an_idle_connection_outlasts_the_clients_patience(workspace: Workspace) -> None:
    """A question sent down a connection that has been idle as long as clients keep one is answered, not cut off."""
    with running(workspace) as (_, client):
        connection = HTTPConnection(client.base_url.host, client.base_url.port or 0, timeout=10)
        for pause in (0, 5.5):  # httpx keeps one for five seconds
            time.sleep(pause)
            connection.request("GET", "/healthz")
            assert connection.getresponse().read()
            assert connection.sock is not None, "the connection was closed after an answer"
        connection.close()


def test_work_that_does_not_ask_is_waited_for(workspace: Workspace) -> None:
    """A thread that cannot be stopped is not left behind with the next one on top of it."""
    service = Service(
        workspace, Jobs(), anyio.CapacityLimiter(1), Metrics(), Answering(workspace.settings), timeout=0.1
    )
    assert anyio.run(service.compute, lambda: time.sleep(0.3) or "done") == "done"

    def asks() -> None:
        for _ in range(100):
            stopped()
            time.sleep(0.02)

    with pytest.raises(TimeoutError, match=r"0\.1"):
        anyio.run(service.compute, asks)
    stopped()  # outside of such a thread it does nothing
    service.jobs.close()


# ── logs and traces ──────────────────────────────────────────────────────────────────────────────────────────────


def test_log_objects_are_one_line_each() -> None:
    """Time, level, request, fields; an exception and line breaks stay within the line."""
    try:
        int("two\nlines")
    except ValueError:
        record = logging.LogRecord("adfontes.service", logging.ERROR, "", 0, "went %s", ("wrong",), sys.exc_info())
    record.fields = {"route": "/v1/ask", "status": 500}
    line = logs.Objects().format(record)
    assert "\n" not in line
    told = json.loads(line)
    assert (told["level"], told["message"], told["route"], told["request"]) == ("error", "went wrong", "/v1/ask", "-")
    assert "ValueError" in told["exception"]


def test_a_question_is_traced_through_its_stages(client: TestClient) -> None:
    """The request belongs to its caller's trace; below it the answer, below that each stage with its time; no words."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    caller = "0af7651916cd43dd8448eb211c80319c"
    answer = client.post(
        "/v1/ask", json={"question": USERS}, headers={"traceparent": f"00-{caller}-b7ad6b7169203331-01"}
    )
    finished = exporter.get_finished_spans()
    spans = {span.name: span for span in finished}
    answered = spans["answer"]
    assert "POST /v1/ask" in spans
    assert {f"{span.context.trace_id:032x}" for span in spans.values()} == {caller}
    for stage, milliseconds in answer.json()["timings_ms"].items():
        assert spans[stage].parent.span_id == answered.context.span_id
        assert abs((spans[stage].end_time - spans[stage].start_time) / 1e6 - milliseconds) < 1
    assert answered.attributes["adfontes.status"] == "answered"
    assert "Ernie" not in "".join(span.to_json() for span in spans.values())
