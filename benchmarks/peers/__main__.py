"""Ad Fontes and its peers side by side: `make bench`, or `python -m benchmarks.peers`.

    python -m benchmarks.peers                 every step of every tool that is not yet measured, then the table
    python -m benchmarks.peers --again         all steps anew
    python -m benchmarks.peers --tool txtai    only this one (may be given again)
    python -m benchmarks.peers --step first    only this step (may be given again)

Same weights, documents, questions and number of threads for all; each step is a process of its own, one after the
other. What is measured is kept in `.work/` after each step, so an interrupted run goes on where it was; FIGURES.json is
written when every step of every tool is there.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.peers.child import TOOLS
from benchmarks.peers.prepare import prepare
from rag.evaluate import ranking

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WORK, FIGURES = HERE / ".work", HERE / "FIGURES.json"
STEPS = ("build", "questions", "first", "change")
REPEAT = {"first": 3}
"""How often a step is done; the median counts."""
THREADS = 1


def main() -> None:
    """Measure what is not measured, write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", type=Path, default=ROOT.parent / "shared" / "data" / "scifact", help="a BEIR folder")
    parser.add_argument("--documents", type=int, default=240)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--tool", action="append", choices=[*TOOLS])
    parser.add_argument("--step", action="append", choices=STEPS)
    parser.add_argument("--again", action="store_true", help="measure anew what is measured already")
    parser.add_argument("--peers", type=Path, default=HERE / ".venv" / "bin" / "python", help="the peers' Python")
    arguments = parser.parse_args()
    relevant = prepare(arguments.set, WORK / "material.json", arguments.documents, arguments.questions)
    for step in arguments.step or STEPS:  # one step of all tools after the other, so that they meet like conditions
        for tool in arguments.tool or TOOLS:
            kept = WORK / tool / f"{step}.json"
            if arguments.again or not kept.exists():
                python = Path(sys.executable) if tool == "adfontes" else arguments.peers
                kept.parent.mkdir(parents=True, exist_ok=True)
                told = measure(python, tool, step)
                kept.write_text(json.dumps(told | {"load": os.getloadavg()[0]}, indent=1), encoding="utf-8")
                print(f"{tool:12} {step:10} {_brief(told)}", flush=True)
    missing = [f"{tool} {step}" for tool in TOOLS for step in STEPS if not (WORK / tool / f"{step}.json").exists()]
    if missing:
        print(f"not yet measured: {', '.join(missing)}")
        return
    figures = gathered(relevant, arguments)
    FIGURES.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(figures["tools"], indent=1))


def measure(python: Path, tool: str, step: str) -> dict[str, Any]:
    """One step of one tool, as often as it is repeated."""
    folder = WORK / tool
    if step == "build":
        shutil.rmtree(folder / "index", ignore_errors=True)
    runs = []
    for _ in range(REPEAT.get(step, 1)):
        with tempfile.TemporaryDirectory(dir=WORK, prefix=f".{tool}-") as name:
            aside = Path(name)
            if step == "change":  # each time from the state before
                shutil.copytree(folder / "index", aside / "index")
                os.sync()  # what the copy has not yet written is not for the tool to wait for
            runs.append(_run(python, tool, step, aside if step == "change" else folder, aside / "result.json"))
    middle = sorted(runs, key=lambda run: run.get("s", 0))[len(runs) // 2]
    return middle | ({"runs_s": [run["s"] for run in runs]} if "s" in middle else {})


def _run(python: Path, tool: str, step: str, folder: Path, result: Path) -> dict[str, Any]:
    threads = str(THREADS)
    environment = os.environ | {
        "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads,
        "ADFONTES_THREADS": threads, "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1",
        "HAYSTACK_TELEMETRY_ENABLED": "False", "LANGSMITH_TRACING": "false",
    }  # fmt: skip
    command = [str(python), "-m", "benchmarks.peers.child", tool, step, str(folder), str(result)]
    errors = WORK / tool / f"{step}.log"
    before, started = os.times(), time.perf_counter()
    with errors.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(  # noqa: S603
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        )
        answered = None
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("first answer"):
                answered = time.perf_counter() - started
        if process.wait() != 0:
            raise SystemExit(f"{tool} {step} failed; see {errors}")
    told: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    if answered is None:
        return told
    after = os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return told | {"s": round(answered, 4), "processor_s": round(processor, 2)}


def gathered(relevant: Mapping[str, Mapping[str, int]], arguments: argparse.Namespace) -> dict[str, Any]:
    """The figures of all tools, from what was kept."""
    tools = {}
    for tool in TOOLS:
        kept = {step: json.loads((WORK / tool / f"{step}.json").read_text(encoding="utf-8")) for step in STEPS}
        asked = kept["questions"]
        tools[tool] = {
            "versions": kept["build"]["versions"],
            "chunks": kept["build"]["chunks"],
            "cold_start_s": round(kept["first"]["s"], 2),
            "cold_start_processor_s": round(kept["first"]["processor_s"], 2),
            "build_s": round(kept["build"]["s"], 1),
            "documents_per_processor_s": round(kept["build"]["documents"] / kept["build"]["processor_s"], 2),
            "documents_per_s": round(kept["build"]["documents"] / kept["build"]["s"], 2),
            "build_processor_s": round(kept["build"]["processor_s"], 1),
            "change_processor_s": round(kept["change"]["processor_s"], 3),
            "change_s": round(kept["change"]["s"], 3),
            "change_found": kept["change"]["found"],
            "memory_mb": round(asked["memory_mb"]),
            **{
                f"{mode}_{name}": value
                for mode in ("hybrid", "dense")
                for name, value in {
                    "p50_ms": round(statistics.median(asked[mode]["ms"]), 2),
                    "p95_ms": round(statistics.quantiles(asked[mode]["ms"], n=20)[18], 2),
                    "ndcg_at_10": round(_ndcg(relevant, asked[mode]["rankings"]), 4),
                }.items()
            },
            "load": {step: round(kept[step]["load"], 1) for step in STEPS},
        }
    return {
        "command": "make bench",
        "date": datetime.now(UTC).date().isoformat(),
        "set": arguments.set.name,
        "documents": arguments.documents,
        "questions": arguments.questions,
        "threads": THREADS,
        "tools": tools,
    }


def _ndcg(relevant: Mapping[str, Mapping[str, int]], rankings: Mapping[str, Sequence[str]]) -> float:
    judged = {question: dict(grades) for question, grades in relevant.items()}
    of_questions = ranking.measured(judged, {q: list(r) for q, r in rankings.items()})["nDCG@10"]
    return statistics.fmean(of_questions.values())


def _brief(told: Mapping[str, Any]) -> str:
    if "s" in told:
        return f"{told['s']:.2f} s"
    return f"p50 {statistics.median(told['hybrid']['ms']):.1f} ms, {told['memory_mb']} MB"


if __name__ == "__main__":
    main()
