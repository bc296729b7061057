"""The measured quality of linking, scope and audit stays where it was measured (python -m benchmarks.references)."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
FLOORS = json.loads((ROOT / "benchmarks/references/FLOORS.json").read_text(encoding="utf-8"))
REQUIRED = {
    ("year-mismatch", "global-times-2023"),
    ("year-mismatch", "huang-2022"),
    ("missing-date", "world-digital-technology-academy-nd"),
    ("missing-address", "zhuang-2024"),
    ("date-contradiction", "global-times-2023"),
    ("date-contradiction", "huang-2022"),
    ("entry-dated-before-event", "deng-2024"),
}
"""What the audit of the raw article must find whatever else changes."""


@pytest.fixture(scope="module")
def benchmark() -> Callable[[str], ModuleType]:
    """A module of the benchmark by name, so that test and page measure the same."""

    def module(name: str) -> ModuleType:
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(ROOT))
            return importlib.import_module(f"benchmarks.{name}")

    return module


@pytest.mark.parametrize("how", ["end to end", "gold list"])
def test_no_set_and_no_article_falls_below_its_floor(
    shared: Path, benchmark: Callable[[str], ModuleType], how: str
) -> None:
    """Precision, recall and F1 of every set, and F1 of its worst article, are at least what FLOORS.json says."""
    measure = benchmark("citations.measure")
    found = measure.measure(shared / "data", measure.raw_list if how == "end to end" else measure.gold_list)
    assert found.keys() == FLOORS["linking"][how].keys()
    below = []
    for name, floor in FLOORS["linking"][how].items():
        got = {**found[name]["all"], "worst": found[name]["worst"][1]}
        below += [f"{name} {key}: {got[key]} < {least}" for key, least in floor.items() if got[key] < least]
    assert not below


def test_scopes_stay_right(shared: Path, benchmark: Callable[[str], ModuleType]) -> None:
    """Every judged piece of evidence that led to exactly its entries still does."""
    found = benchmark("citations.scope").measure()
    assert {name: row["right"] for name, row in found.items() if row["right"] < FLOORS["scope"][name]} == {}


def test_the_audit_of_the_raw_article_finds_what_it_found(shared: Path, benchmark: Callable[[str], ModuleType]) -> None:
    """No finding is lost, least of all those that were promised."""
    found = {(kind, reference) for kind, _, reference in benchmark("references.parts").audited()}
    assert found >= REQUIRED
    assert found >= {(kind, reference) for kind, _, reference in FLOORS["audit"]}
