"""All figures of the bibliography by one command: ``python -m benchmarks.references [--floors] [--quick]``.

Parsing (F1 by set and field), linking (precision, recall, F1, worst article), scope, the audit of the raw article and
of planted faults, round trips, speed. Prints them, keeps them in FIGURES.json and writes the page README.md from them.
``--floors`` raises FLOORS.json to just under the figures; a floor is never lowered by this program.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from pathlib import Path
from typing import Any

from benchmarks.bibliography import measure as parsing
from benchmarks.citations import measure as linking
from benchmarks.citations import planted, scope
from benchmarks.references import page, parts

HERE = Path(__file__).parent
FIGURES, FLOORS, PAGE = HERE / "FIGURES.json", HERE / "FLOORS.json", HERE / "README.md"
DATA = HERE.parents[2] / "shared" / "data"
MARGIN = 0.003
"""How far under a figure its floor is set: less than any loss worth noticing, more than rounding."""


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Everything, as it is kept; `quick` leaves out the planted faults, which take minutes."""
    sections = {
        "parsing": parsing.measure,
        "linking": lambda: linking.both(DATA),
        "scope": scope.measure,
        "audit": parts.audited,
        "planted faults": lambda: {} if quick else planted.measure(DATA),
        "round trips": parts.round_trips,
        "speed": parts.speed,
    }
    figures: dict[str, Any] = {"command": "python -m benchmarks.references", "python": platform.python_version()}
    for name, section in sections.items():
        begun = time.perf_counter()
        figures[name] = section()
        print(f"{name}: {time.perf_counter() - begun:.0f} s", flush=True)
    return figures


def raised(figures: dict[str, Any], floors: dict[str, Any]) -> dict[str, Any]:
    """Floors just under the figures, never lower than they were; what the audit finds is only added to."""
    kept: dict[str, Any] = json.loads(json.dumps(floors))

    def lift(row: dict[str, float], key: str, figure: float) -> None:
        row[key] = max(row.get(key, 0.0), round(figure - MARGIN, 4))

    for name, table in figures["parsing"]["f1"].items():
        lift(kept.setdefault("parsing", {}), name, table["micro"])
    for how, sets in figures["linking"].items():
        for name, found in sets.items():
            row = kept.setdefault("linking", {}).setdefault(how, {}).setdefault(name, {})
            for key in ("precision", "recall", "f1"):
                lift(row, key, found["all"][key])
            lift(row, "worst", found["worst"][1])
    for name, found in figures["scope"].items():
        row = kept.setdefault("scope", {})
        row[name] = max(row.get(name, 0), found["right"])
    listed = kept.setdefault("audit", [])
    listed += [found for found in figures["audit"] if found not in listed]
    return kept


def main() -> None:
    """Measure, print, keep."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--floors", action="store_true", help="raise FLOORS.json to just under these figures")
    arguments.add_argument("--quick", action="store_true", help="leave out the planted faults; keep nothing")
    given = arguments.parse_args()
    figures = measure(quick=given.quick)
    text = page.written(figures)
    print(text)
    if given.quick:
        return
    FIGURES.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(text, encoding="utf-8")
    if given.floors:
        floors = json.loads(FLOORS.read_text(encoding="utf-8")) if FLOORS.exists() else {}
        FLOORS.write_text(json.dumps(raised(figures, floors), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
