"""Thousands of mixed requests, hostile ones among them, while the index is rebuilt and rolled back all the time.

    python -m benchmarks.index.soaking                  5,000 requests, 20 rebuilds
    python -m benchmarks.index.soaking --requests 20000 --rebuilds 80

Prints JSON: what was answered wrongly, how long `/healthz` took at worst meanwhile, and what grew. Every rebuild has a
document of its own to tell, with text that is made to make patterns run away below it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.index import serving

CLIENTS = 8
SOAKED = (*serving.QUESTIONS, "Which lamp burns oil?")
LONG = 1_990
"""Characters of a hostile question: as long as are taken."""
QUIET = 20
"""Looks at a service that nobody asks anything, a tenth of a second apart; the least of each figure is what stays."""
_PIECES = (" ", "(", "[", ",", '"', "'", "1", "2020 ", "a", "and ", "et al. ", "does a ", "(Smith, 2020; ", "x x xy")
_LEADS = ("", "and ", "who wrote this article ", "what did ", "does a ", "compare ", "why ")
_TAIL = "\n\n".join(
    ("A b (Smith, 2020). " + "2020 " * 2_000, "(" + "Smith, 2020; " * 1_000, "%" * 2_000, "[" * 2_000, "a, " * 2_000)
)


def main() -> None:
    """Soak and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=5_000)
    parser.add_argument("--rebuilds", type=int, default=20)
    arguments = parser.parse_args()
    with serving.collection() as environment:
        told = soak(environment, arguments.requests, arguments.rebuilds)
    print(json.dumps(told | {"load": os.getloadavg()[0]}, indent=1))


@dataclass(frozen=True, slots=True)
class Attack:
    """A request made to do harm, and the statuses that are right for it; none where the client leaves."""

    name: str
    path: str
    body: bytes
    right: frozenset[int]
    patience: float = 60
    """Seconds after which the client leaves."""


def attacks() -> Iterator[Attack]:
    """Questions, turns, messages, filters, bodies and exports made to keep a service busy."""
    for lead in _LEADS:
        for piece in _PIECES:
            text = (lead + piece * LONG)[:LONG] + "x"
            asked = {"question": text}
            yield _attack(f"question {lead}{piece}", "/v1/ask", asked, 200)
            yield _attack(f"left {lead}{piece}", "/v1/ask", asked, 200, patience=0.05)
            yield _attack(f"query {lead}{piece}", "/v1/search", {"query": text}, 200)
            turns = [{"question": text, "answer": text * 4}] * 6
            yield _attack(f"turns {lead}{piece}", "/v1/ask", {"question": "Why?", "history": turns}, 200)
            said = [{"role": "user", "content": text}, {"role": "assistant", "content": text * 9}]
            chat = {"model": "adfontes", "messages": [*said * 9, {"role": "user", "content": text}]}
            yield _attack(f"messages {lead}{piece}", "/v1/chat/completions", chat, 200)
    yield _attack("long question", "/v1/ask", {"question": "a" * 400_000}, 422)
    many = {"authors": [f"{'ab ' * 160}{n}" for n in range(1_000)]}
    yield _attack("filters", "/v1/search", {"query": "Ernie Bot", "filters": many}, 200)
    yield _attack("keys", "/v1/ask", {"question": "a", **{f"k{n}": n for n in range(80_000)}}, 422)
    yield Attack("nested", "/v1/ask", b'{"question": ' + b"[" * 100_000, frozenset({413, 422}))
    yield Attack("no JSON", "/v1/search", b"\xff\xfe" * 50_000, frozenset({400, 422}))
    yield Attack("too large", "/v1/ask", b" " * (8 << 20), frozenset({413}))
    exported = {"answer": {"citations": [{"number": n} for n in range(50_000)]}, "format": "docx"}
    yield _attack("export", "/v1/export", exported, 422)


def _attack(name: str, path: str, body: dict[str, Any], right: int, patience: float = 60) -> Attack:
    return Attack(name, path, json.dumps(body).encode(), frozenset({right, 413}), patience)  # 413: too many values


@dataclass(slots=True)
class Soak:
    """A soak under way: what was done and what was told."""

    address: str
    said: Said
    document: Path
    requests: int
    rebuilds: int
    first: int = 0
    """Rebuilds before this soak."""
    done: int = 0
    built: int = 0
    swaps: int = 0
    hostile: Counter[str] = field(default_factory=Counter)
    slow: dict[str, float] = field(default_factory=dict)
    """The longest that each kind of hostile request took, in seconds."""
    guard: threading.Lock = field(default_factory=threading.Lock)
    stop: threading.Event = field(default_factory=threading.Event)

    def swap(self) -> None:
        """Rebuild until told to stop, and roll back after each third time."""
        with httpx.Client(base_url=self.address, timeout=60) as client:
            while not self.stop.is_set():
                number = self.first + self.built + 1
                text = f"# Extra\n\nThe lamp number {number} burns oil.\n\n{_TAIL}\n"
                self.document.write_text(text, encoding="utf-8")
                job = client.post("/v1/index/rebuild").json()
                while job["status"] in ("queued", "running"):
                    time.sleep(0.05)
                    job = client.get(f"/v1/jobs/{job['id']}").json()
                if job["status"] != "succeeded":
                    self.said.failed("rebuild")
                    continue
                self.said.built[job["report"]["generation"]] = number
                self.built += 1
                self.swaps += 1
                if number % 3 == 0:
                    client.post("/v1/index/rollback").raise_for_status()
                    self.swaps += 1

    def ask(self, hostile: list[Attack]) -> None:
        """Be one client: a hostile request after each fourth, one half sent and left now and then."""
        with httpx.Client(base_url=self.address, timeout=60) as client:
            while True:
                with self.guard:
                    if (self.done >= self.requests and self.built >= self.rebuilds) or self.stop.is_set():
                        return
                    number, self.done = self.done, self.done + 1
                if number % 5 == 4:
                    self._attacked(client, hostile[number // 5 % len(hostile)])
                elif number % 100 == 0:
                    self._half_sent()
                else:
                    self._asked(client, number)

    def _asked(self, client: httpx.Client, number: int) -> None:
        question = SOAKED[number % len(SOAKED)]
        path, body = ("/v1/search", {"query": question}) if number % 3 else ("/v1/ask", {"question": question})
        try:
            response = client.post(path, json=body)
            told = response.json()
        except (httpx.HTTPError, ValueError) as error:
            self.said.failed(type(error).__name__)
            return
        if response.status_code == 200:
            self.said.add(f"{path} {question}", told)
        else:
            self.said.failed(f"status {response.status_code}")

    def _attacked(self, client: httpx.Client, attack: Attack) -> None:
        started = time.perf_counter()
        try:
            response = client.post(
                attack.path,
                content=attack.body,
                headers={"Content-Type": "application/json"},
                timeout=attack.patience,
            )
        except httpx.TimeoutException:
            found = "left" if attack.patience < 1 else f"{attack.name}: no answer"
        except httpx.HTTPError as error:
            found = f"{attack.name}: {type(error).__name__}"
        else:
            right = response.status_code in attack.right
            found = str(response.status_code) if right else f"{attack.name}: {response.status_code}"
        took = time.perf_counter() - started
        kind = attack.name.split()[0]
        with self.guard:
            self.hostile[found] += 1
            self.slow[kind] = max(self.slow.get(kind, 0), round(took, 2))
            if ":" in found:
                self.said.wrong[found] += 1

    def _half_sent(self) -> None:
        host, port = self.address.removeprefix("http://").split(":")
        with suppress(OSError), socket.create_connection((host, int(port)), timeout=5) as half:
            half.sendall(b"POST /v1/ask HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{")


def soak(environment: dict[str, str], requests: int, rebuilds: int) -> dict[str, Any]:
    """So many requests, and on until there were so many rebuilds: what went wrong, what froze, what grew.

    What a service holds is told at rest, after the first rebuild and the first request of each kind, and at the end.
    """
    document = Path(environment["ADFONTES_CORPUS"]) / serving.COLLECTION / "extra.md"
    hostile = sorted(attacks(), key=lambda a: hash_of(a.name))
    with serving.service(environment) as (address, process, _):
        said = Said()
        _run(Soak(address, said, document, 6 * len(SOAKED), rebuilds=3), hostile)
        before = _at_rest(address, process.pid)
        soaked = Soak(address, said, document, requests, rebuilds, first=len(said.built))
        started = time.perf_counter()
        with _watched(address) as health:
            _run(soaked, hostile)
        seconds = time.perf_counter() - started
        after = _at_rest(address, process.pid)
    return {
        "requests": soaked.done,
        "seconds": round(seconds),
        "rebuilds": soaked.built,
        "swaps": soaked.swaps,
        "generations_seen": len(said.lamps),
        "wrong": said.judged(),
        "hostile": dict(soaked.hostile.most_common()),
        "hostile_seconds": soaked.slow,
        "healthz": health,
        "before": before,
        "after": after,
    }


def hash_of(name: str) -> int:
    """An order of names that mixes kinds and is the same in every run."""
    return int.from_bytes(name.encode()[::-1], "big") % 9_973


def _run(soak: Soak, hostile: list[Attack]) -> None:
    swapping = threading.Thread(target=soak.swap)
    swapping.start()
    try:
        with ThreadPoolExecutor(CLIENTS) as threads:
            list(threads.map(lambda _: soak.ask(hostile), range(CLIENTS)))
    finally:
        soak.stop.set()
        swapping.join()


_WATCH = """
import json, sys, threading, time
from http.client import HTTPConnection
host, port = sys.argv[1].removeprefix("http://").split(":")
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
took = []
while not ended.wait(0.05):
    started = time.perf_counter()
    try:
        client = HTTPConnection(host, int(port), timeout=30)
        client.request("GET", "/healthz")
        status = client.getresponse().status
        client.close()
    except OSError:
        status = 0
    took.append((time.perf_counter() - started) if status == 200 else 30.0)
print(json.dumps(took))
"""


@contextmanager
def _watched(address: str) -> Iterator[dict[str, float]]:
    """Seconds that `/healthz` took while the block ran, asked by a process of its own twenty times a second."""
    watch = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", _WATCH, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    told: dict[str, float] = {}
    try:
        yield told
    finally:
        took = json.loads(watch.communicate()[0])
        told["asked"] = len(took)
        told["median_s"] = round(statistics.median(took), 4)
        told["worst_s"] = round(max(took), 3)


class Said:
    """All that was answered, and what of it cannot be right.

    Every generation holds a lamp with a number of its own. An answer is wrong when a citation is no slice of its
    passage or the lamp is not the one of the generation that the answer names, and mixed when two answers from one
    generation to one question differ.
    """

    def __init__(self) -> None:
        self.wrong: Counter[str] = Counter()
        self.built: dict[str, int] = {}
        """Generation → its lamp."""
        self.lamps: dict[str, set[int]] = {}
        """Generation → the lamps told from it."""
        self._answers: dict[tuple[str, str], set[str]] = {}
        self._guard = threading.Lock()

    def failed(self, how: str) -> None:
        """Count a request that got no answer."""
        with self._guard:
            self.wrong[how] += 1

    def add(self, asked: str, told: dict[str, Any]) -> None:
        """Look at one answer, and keep what must be the same in the next one."""
        try:
            generation = told["index"]["generation"]
            passages = {p["id"]: p for p in told["passages"]}
            kept = json.dumps([told.get("answer"), [(i, p["text"]) for i, p in passages.items()]])
            sliced = all(_sliced(passages[c["passage_id"]], c) for c in told.get("citations", []))
        except (KeyError, TypeError) as error:
            self.failed(type(error).__name__)
            return
        with self._guard:
            self.wrong["no passages"] += not passages
            self.wrong["citation"] += not sliced
            self._answers.setdefault((generation, asked), set()).add(kept)
            self.lamps.setdefault(generation, set()).update(map(int, re.findall(r"lamp number (\d+)", kept)))

    def judged(self) -> dict[str, int]:
        """What was wrong, and how often; nothing where all was right."""
        found = Counter(self.wrong)
        found["lamp"] += sum(bool(told - {self.built.get(generation)}) for generation, told in self.lamps.items())
        found["mixed"] += sum(len(answers) - 1 for answers in self._answers.values())
        return dict(+found)


def _sliced(passage: dict[str, Any], citation: dict[str, Any]) -> bool:
    place = citation["location"]
    begin, end = (place[name] - passage["start"] for name in ("start_char_index", "end_char_index"))
    return bool(passage["text"][begin:end] == citation["cited_text"])


def _at_rest(address: str, pid: int) -> dict[str, float]:
    """Memory in MB (all, what no file backs, the largest answering process's), files and threads while nobody asks."""
    httpx.post(f"{address}/v1/search", json={"query": SOAKED[0]}, timeout=60)
    looks = []
    for _ in range(QUIET):
        time.sleep(0.1)
        status = _status(pid)
        looks.append({
            "memory_mb": _mb(status, "VmRSS"),
            "anonymous_mb": _mb(status, "RssAnon"),
            "file_handles": _handles(pid),
            "threads": int(status["Threads"]),
            "answering_mb": max((_mb(_status(one), "VmRSS") for one in serving.answering(pid)), default=0.0),
            "answering_handles": max(map(_handles, serving.answering(pid)), default=0),
        })  # fmt: skip
    return {name: min(look[name] for look in looks) for name in looks[0]}


def _handles(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _status(pid: int) -> dict[str, str]:
    return dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines())


def _mb(status: dict[str, str], name: str) -> float:
    return round(int(status[name].split()[0]) / 1024, 1)


if __name__ == "__main__":
    main()
