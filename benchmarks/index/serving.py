"""Start-up, memory and serving of the default collection, against the bare encoder in the same run.

    python -m benchmarks.index.serving        start, memory, one client and 32, overload; a soak: soaking.py

Prints JSON. The collection is built into a temporary folder first, so nothing of it is cached but the operating
system's files. Client and service share the machine's processors.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
COLLECTION = "china-generative-ai"
QUESTIONS = (
    "How many users had Ernie Bot attracted by April 2024?",
    "Who are the four new AI tigers of China?",
    "What do the interim measures ask of providers?",
    "Which law was drafted in 2024?",
    "What did the white paper warn about?",
    "How do companies get around export controls?",
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("starting", "serving"), help="this part alone")
    parser.add_argument("--repeat", type=int, default=5, help="cold starts of which the median and the best are told")
    arguments = parser.parse_args()
    report: dict[str, Any] = {}
    with collection() as environment:
        if arguments.only != "serving":
            report |= starting(environment, arguments.repeat)
        if arguments.only != "starting":
            report |= serving(environment)
    report["load"] = os.getloadavg()[0]
    print(json.dumps(report, indent=1))


@contextmanager
def collection() -> Iterator[dict[str, str]]:
    """The default collection built into a folder of its own: an environment whose settings name it."""
    with tempfile.TemporaryDirectory(prefix="serving-") as folder:
        base = Path(folder)
        shutil.copytree(ROOT / "corpus" / COLLECTION, base / "corpus" / COLLECTION)
        environment = {
            **os.environ,
            "ADFONTES_CORPUS": str(base / "corpus"),
            "ADFONTES_INDEX": str(base / "index"),
            "ADFONTES_RATE_LIMIT": "0",
        }
        _run(environment, "rebuild")
        yield environment


def starting(environment: dict[str, str], repeat: int) -> dict[str, Any]:
    """Seconds, and seconds of CPU, from nothing to an answer on the command line; to a ready service; memory."""
    took, cpu = [], []
    for _ in range(repeat):
        before, started = os.times(), time.perf_counter()
        _run(environment, "ask", QUESTIONS[0])
        took.append(time.perf_counter() - started)
        after = os.times()
        cpu.append(after.children_user + after.children_system - before.children_user - before.children_system)
    ready = []
    for _ in range(repeat):
        with service(environment) as (_, process, seconds):
            ready.append(seconds)
            idle = _memory(process.pid)
    return {
        "ask_cold_s": _spread(took),
        "ask_cold_cpu_s": _spread(cpu),
        "service_ready_s": _spread(ready),
        "idle_mb": idle,
    }


def serving(environment: dict[str, str]) -> dict[str, Any]:
    """Milliseconds of /v1/search with one client and with 32, of the bare encoder, and what overload gets.

    One client and the bare encoder take turns, so that both meet the same machine. The encoder is asked in two ways:
    one question upon the other, and with the pause that it has in the service while its client reads one answer and
    sends the next question; memory that its weights share with others has then let go of them. What a service can be at
    its best is told by one whose only route embeds the question in a thread and does nothing else. Four crowds come six
    seconds apart, so that they meet connections as old as their clients let them become.
    """
    bare: list[float] = []
    paced: list[float] = []
    crowd: Counter[str] = Counter()
    alone: list[float] = []
    seconds_alone = 0.0
    served: list[float] = []
    with (
        service(environment) as (address, process, _),
        service(environment, ("-c", _SERVED)) as (embedding, _, _),
        _bare(environment) as encode,
    ):
        _load(address, 1, 60)
        _load(embedding, 1, 60)
        for _ in range(10):
            bare += encode(30, 0)
            served += _load(embedding, 1, 30)[0]
            took, rate, _ = _load(address, 1, 30)
            paced += encode(30, max(statistics.median(took) - statistics.median(bare), 0) / 1000)
            alone += took
            seconds_alone += len(took) / rate
        alone_rate = len(alone) / seconds_alone
        many, many_rate, _ = _load(address, 32, 1200)
        with _clients(address, 250) as clients:
            for _ in range(4):
                crowd.update(_load(address, 250, 1500, clients)[2])
                time.sleep(6)
        after, _, _ = _load(address, 1, 100)
        memory = _memory(process.pid)
    return {
        "bare_embedding_p50_ms": round(statistics.median(bare), 2),
        "search_p50_ms_one_client": round(statistics.median(alone), 2),
        "paced_embedding_p50_ms": round(statistics.median(paced), 2),
        "served_embedding_p50_ms": round(statistics.median(served), 2),
        "ratio_to_served": round(statistics.median(alone) / statistics.median(served), 2),
        "ratio_of_served_to_bare": round(statistics.median(served) / statistics.median(bare), 2),
        "ratio_to_paced": round(statistics.median(alone) / statistics.median(paced), 2),
        "ratio_to_bare": round(statistics.median(alone) / statistics.median(bare), 2),
        "ratio_to_bare_p10": round(statistics.quantiles(alone, n=10)[0] / statistics.quantiles(bare, n=10)[0], 2),
        "throughput_one_client": round(alone_rate, 1),
        "throughput_32_clients": round(many_rate, 1),
        "throughput_ratio": round(many_rate / alone_rate, 2),
        "search_p99_ms_32_clients": round(statistics.quantiles(many, n=100)[98], 1),
        "statuses_250_clients": dict(crowd),
        "search_p50_ms_after_overload": round(statistics.median(after), 2),
        "busy_mb": memory,
    }


_SERVED = """
import sys
import anyio.to_thread, uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from rag.settings import Settings
from rag.workspace import Workspace

class Asked(BaseModel):
    query: str

app, encoder = FastAPI(), Workspace(Settings.load()).encoder()

@app.get("/readyz")
async def readyz(): return {}

@app.post("/v1/search")
async def search(asked: Asked):
    return {"first": float((await anyio.to_thread.run_sync(encoder.encode_question, asked.query))[0])}

uvicorn.run(app, port=int(sys.argv[-1]), log_config=None, access_log=False)
"""
_BARE = f"""
import json, sys, time
from rag.settings import Settings
from rag.workspace import Workspace
encoder = Workspace(Settings.load()).encoder()
questions = {QUESTIONS!r}
for line in sys.stdin:
    times = []
    count, pause = line.split()
    for n in range(int(count) + 3):
        time.sleep(float(pause))
        started = time.perf_counter()
        encoder.encode_question(questions[n % len(questions)])
        times.append((time.perf_counter() - started) * 1000)
    print(json.dumps(times[3:]), flush=True)
"""


@contextmanager
def _bare(environment: dict[str, str]) -> Iterator[Callable[[int, float], list[float]]]:
    """The encoder in a process of its own: milliseconds of so many questions, with so many seconds before each."""
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", _BARE], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    asked, told = process.stdin, process.stdout

    def encode(count: int, pause: float) -> list[float]:
        asked.write(f"{count} {pause}\n")
        asked.flush()
        return list(json.loads(told.readline()))

    try:
        encode(30, 0)
        yield encode
    finally:
        asked.close()
        process.wait(30)


@contextmanager
def service(
    environment: dict[str, str], started_as: Sequence[str] = ("-m", "rag.cli", "serve")
) -> Iterator[tuple[str, subprocess.Popen[bytes], float]]:
    """A service in a process of its own: its address, its process, and the seconds until it was ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, *started_as, "--port", str(port)]
    started = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=address) as client:
            while True:
                try:
                    if client.get("/readyz").status_code == 200:
                        break
                except httpx.HTTPError:
                    pass
                assert process.poll() is None, "the service ended"
                assert time.perf_counter() - started < 120, "the service is not ready within two minutes"
                time.sleep(0.02)
        yield address, process, time.perf_counter() - started
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def _clients(address: str, clients: int) -> Iterator[httpx.Client]:
    """So many connections, kept."""
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    with httpx.Client(base_url=address, timeout=60, limits=limits) as client:
        yield client


def _load(
    address: str, clients: int, requests: int, kept: httpx.Client | None = None
) -> tuple[list[float], float, dict[str, int]]:
    """Milliseconds of each request answered, requests a second, and how often each status came.

    Clients of their own are as lean as Python has them, for they share the processors with the service: httpx spends
    0.7 ms on a request where `http.client` spends 0.1. Kept ones are httpx, which looks whether its connection is old.
    """
    took: list[float] = []
    statuses: Counter[str] = Counter()
    own = threading.local()

    def post(body: dict[str, str]) -> tuple[int, bool]:
        if kept is not None:
            answer = kept.post("/v1/search", json=body)
            return answer.status_code, "retry-after" in answer.headers
        if not hasattr(own, "client"):
            own.client = HTTPConnection(address.removeprefix("http://"), timeout=60)
        own.client.request("POST", "/v1/search", json.dumps(body), {"Content-Type": "application/json"})
        response = own.client.getresponse()
        response.read()
        return response.status, response.headers["retry-after"] is not None

    def one(number: int) -> None:
        started = time.perf_counter()
        try:
            status, retry = post({"query": QUESTIONS[number % len(QUESTIONS)]})
        except (httpx.TransportError, OSError, HTTPException) as error:
            statuses[type(error).__name__] += 1
            return
        statuses[f"{status}{' retry' if retry else ''}"] += 1
        if status == 200:
            took.append((time.perf_counter() - started) * 1000)

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        list(threads.map(one, range(requests)))
    seconds = time.perf_counter() - started
    return took, len(took) / seconds, dict(statuses)


def _run(environment: dict[str, str], *arguments: str, python: bool = False) -> str:
    command = [sys.executable, *arguments] if python else [sys.executable, "-m", "rag.cli", *arguments]
    done = subprocess.run(  # noqa: S603
        command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout


def answering(pid: int) -> list[int]:
    """The answering processes of a service."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            parent = int((folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
            if parent == pid and b"service.answerer" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


def _memory(pid: int) -> float:
    """MB that a service takes with its answering processes; what they share is counted once."""
    rolled = [Path(f"/proc/{one}/smaps_rollup").read_text(encoding="utf-8") for one in (pid, *answering(pid))]
    return round(sum(int(told.split("Pss:")[1].split()[0]) for told in rolled) / 1024, 1)


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": round(statistics.median(values), 3), "best": round(min(values), 3)}


if __name__ == "__main__":
    main()
