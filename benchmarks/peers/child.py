"""One step of one tool, in a process of its own: `python -m benchmarks.peers.child TOOL STEP FOLDER RESULT`.

    build       the whole set into FOLDER/index
    change      one document changed; FOLDER/index is a copy
    first       one question, to be timed from outside; writes a line when it is answered
    questions   every question, timed; what is in memory

RESULT gets JSON. Imported in the environment of each tool, so it needs nothing but Python itself.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Self

from benchmarks.peers.tool import Material, Tool

TOOLS = {
    "adfontes": "AdFontes",
    "txtai": "Txtai",
    "llamaindex": "LlamaIndex",
    "haystack": "Haystack",
    "langchain": "LangChain",
}


def main() -> None:
    """Do one step and write what it took."""
    name, step, folder, result = sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])
    material = Material.load(folder.parent / "material.json")
    made: type[Tool] = getattr(import_module(f"benchmarks.peers.tools.{name}"), TOOLS[name])
    index = folder / "index"
    index.mkdir(parents=True, exist_ok=True)
    tool = made(index)
    steps: dict[str, Callable[[Tool, Material], dict[str, Any]]] = {
        "build": build, "change": change, "first": first, "questions": questions,
    }  # fmt: skip
    told = steps[step](tool, material)
    result.write_text(json.dumps(told | {"versions": {p: _version(p) for p in made.packages}}), encoding="utf-8")
    sys.stdout.flush()
    os._exit(0)  # what a library still does at its end is not measured


def build(tool: Tool, material: Material) -> dict[str, Any]:
    """Seconds to index the whole set, the model loaded before."""
    tool.load()
    with _Watch() as took:
        chunks = tool.build(material.documents)
    return {"documents": len(material.documents), "chunks": chunks, **took.seconds()}


def change(tool: Tool, material: Material) -> dict[str, Any]:
    """Seconds to take in one changed document, model and index open before; whether it is then found, read anew."""
    tool.load()
    tool.open()
    tool.search("ready")
    after = [material.changed if d.id == material.changed.id else d for d in material.documents]
    with _Watch() as took:
        tool.change(material.before, material.changed, after)
    tool.open()
    return {**took.seconds(), "found": material.changed.id in tool.search(material.added)[:10]}


def first(tool: Tool, material: Material) -> dict[str, Any]:
    """The first answer, told as soon as it is there."""
    tool.load()
    tool.open()
    found = tool.search(material.questions[0][1])
    print(f"\nfirst answer: {len(found)}", flush=True)
    return {"found": len(found)}


def questions(tool: Tool, material: Material) -> dict[str, Any]:
    """Rankings and milliseconds of every question, and resident memory after the first answer."""
    tool.load()
    tool.open()
    tool.search(material.questions[0][1])
    memory = _memory()
    told: dict[str, Any] = {"memory_mb": memory}
    for mode in ("hybrid", "dense"):
        for _, text in material.questions[:20]:
            tool.search(text, dense=mode == "dense")
        took, rankings = [], {}
        for question_id, text in material.questions:
            started = time.perf_counter()
            found = tool.search(text, dense=mode == "dense")
            took.append((time.perf_counter() - started) * 1000)
            rankings[question_id] = found[:10]
        told[mode] = {"ms": took, "rankings": rankings}
    return told


class _Watch:
    """Seconds waited and seconds of processor time of this process and its children."""

    def __enter__(self) -> Self:
        self._began = (time.perf_counter(), _processor())
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = (time.perf_counter(), _processor())

    def seconds(self) -> dict[str, float]:
        """What it took."""
        wall, processor = (ended - began for began, ended in zip(self._began, self._ended, strict=True))
        return {"s": round(wall, 4), "processor_s": round(processor, 4)}


def _processor() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _memory() -> float:
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "?"


if __name__ == "__main__":
    main()
