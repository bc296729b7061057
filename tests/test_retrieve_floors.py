"""The measured quality of retrieval stays where it was measured, on a small part of each public set.

The whole sets are one command each: `adfontes eval SET --keep FOLDER` (benchmarks/retrieval/README.md).
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.evaluate import runs, sets
from rag.settings import Settings
from rag.workspace import Workspace

ROOT = Path(__file__).parent.parent
FLOORS = json.loads((ROOT / "benchmarks/retrieval/FLOORS.json").read_text(encoding="utf-8"))["subsets"]


@pytest.mark.parametrize("name", sorted(FLOORS))
def test_a_part_of_each_set_keeps_its_floor(shared: Path, tmp_path: Path, name: str) -> None:
    """With the default settings every measure is at least what FLOORS.json says, and fusing loses to neither side."""
    floor = FLOORS[name]
    given = runs.sampled(sets.read(shared / "data" / floor["path"]), floor["questions"], floor["documents"])
    assert given.sha256 == floor["sha256"], "the data is not what the floors were pinned on; pin them anew, on purpose"
    found = {}
    for weight in (0.5, 0.0, 1.0):
        made = Workspace(Settings(index=tmp_path, collection="floors", dense_weight=weight))
        made.index_documents(given.documents)
        found[weight] = runs.run(
            given,
            made.generation(),
            lambda query, *, limit, made=made: made.search(query, limit=limit, kinds=("text",))[1],
            None,
            settings={},
            models={},
        ).estimates()
    got = {measure: found[0.5][measure].mean for measure in floor["at_least"]}
    assert not {m: got[m] for m, least in floor["at_least"].items() if got[m] < least}, got
    assert Settings().dense_weight == 0.5
    alone = max(found[0.0]["nDCG@10"].mean, found[1.0]["nDCG@10"].mean)
    assert found[0.5]["nDCG@10"].mean >= alone - 0.02, (got, alone)  # few questions: one is worth a hundredth
