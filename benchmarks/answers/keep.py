"""What `adfontes eval SET --json` printed → FIGURES.json beside this file: each generator's measures and curve.

    adfontes … eval ../shared/gold/article-public.jsonl --json | python -m benchmarks.answers.keep NAME

Runs of several generators (`--against generator=llm`) are kept one by one, as NAME and "NAME, llm".
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).with_name("FIGURES.json")


def kept(name: str, body: dict[str, Any]) -> dict[str, Any]:
    """The entries of FIGURES.json for one report."""
    found = {}
    for run in body["runs"]:
        generator = run["settings"]["generator"]
        outcomes = run["outcomes"]
        given = [o for o in outcomes if o["status"] != "abstained"]
        found[name if generator == "extractive" else f"{name}, {generator}"] = {
            "sha256": body["set"]["sha256"],
            "questions": body["set"]["questions"],
            "settings": run["settings"],
            "models": run["models"],
            "measures": {
                m: {k: v if k == "n" else round(v, 4) for k, v in e.items()} for m, e in run["measures"].items()
            },
            "wrong": sorted(o["id"] for o in given if o["failures"]),
            "declined though answerable": sorted(
                o["id"] for o in outcomes if o["answerable"] and o["status"] == "abstained"
            ),
            "seconds": {
                "median": round(statistics.median(o["milliseconds"] for o in outcomes) / 1000, 2),
                "median of those answered": round(statistics.median(o["milliseconds"] for o in given) / 1000, 2),
            },
            "separation": run["separation"],
            "threshold": run["threshold"],
            "risk_coverage": run["risk_coverage"],
        }
    return found


def main() -> None:
    """Read a report from standard input and keep it under the name given."""
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    figures |= kept(sys.argv[1], json.load(sys.stdin))
    FIGURES.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
