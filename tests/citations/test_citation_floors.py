"""The measured quality of linking on real papers stays where it was measured (benchmarks/citations/measure.py)."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
FLOORS = json.loads((ROOT / "benchmarks/citations/FLOORS.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    """The benchmark's own module, so that test and page measure the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        return importlib.import_module("benchmarks.citations.measure")


@pytest.mark.parametrize("how", ["end_to_end", "gold_list"])
def test_no_set_and_no_article_falls_below_its_floor(shared: Path, benchmark: ModuleType, how: str) -> None:
    """F1 and precision of every set, and F1 of its worst article, are at least what FLOORS.json says."""
    read = benchmark.raw_list if how == "end_to_end" else benchmark.gold_list
    found = benchmark.measure(shared / "data", read, only=[name for name in FLOORS[how] if "/" not in name])
    assert found.keys() == FLOORS[how].keys()
    below = []
    for name, floor in FLOORS[how].items():
        got = {**found[name]["all"], "worst": found[name]["worst"][1]}
        below += [f"{name} {key}: {got[key]} < {least}" for key, least in floor.items() if got[key] < least]
    assert not below
