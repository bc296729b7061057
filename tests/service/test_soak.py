"""Many questions while the index is rebuilt and rolled back: a real server, every answer held to what it names."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from benchmarks.index import soaking
from rag.workspace import Workspace

GENERATION = {"generation": "g1"}


def test_no_answer_is_wrong_or_late_and_nothing_grows_through_rebuilds_and_attacks(
    workspace: Workspace, tmp_path: Path
) -> None:
    """Through swaps and attacks each answer is of the one generation it names, nothing freezes, and nothing grows."""
    shutil.copytree(workspace.settings.corpus, tmp_path / "corpus")
    shutil.copytree(workspace.settings.index, tmp_path / "index")
    folders = {"ADFONTES_CORPUS": str(tmp_path / "corpus"), "ADFONTES_INDEX": str(tmp_path / "index")}
    told = soaking.soak(os.environ | folders | {"ADFONTES_RATE_LIMIT": "0"}, requests=60, rebuilds=6)
    assert told["wrong"] == {}
    assert told["generations_seen"] >= 3
    assert told["healthz"]["median_s"] < 0.5, told["healthz"]
    before, after = told["before"], told["after"]
    assert after["file_handles"] <= before["file_handles"] + 60, told  # two generations more, of the twelve there were
    assert after["answering_handles"] <= before["answering_handles"] + 60, told
    assert after["memory_mb"] <= before["memory_mb"] + 60, told
    assert after["answering_mb"] <= before["answering_mb"] + 100, told


def test_a_lamp_of_another_generation_is_seen() -> None:
    """The check can fail: a passage from another generation than the one named counts as wrong."""
    said = soaking.Said()
    said.built = {"g1": 1, "g2": 2}
    said.add("lamp", {"index": GENERATION, "passages": [{"id": "extra:0-9", "start": 0, "text": "The lamp number 2."}]})
    assert said.judged() == {"lamp": 1}


def test_two_answers_of_one_generation_that_differ_are_seen() -> None:
    """The check can fail: one question answered in two ways from one generation counts as mixed."""
    said = soaking.Said()
    for passage in ("a", "b"):
        said.add("who", {"index": GENERATION, "passages": [{"id": passage, "start": 0, "text": passage}]})
    assert said.judged() == {"mixed": 1}


def test_a_citation_that_is_no_slice_is_seen() -> None:
    """The check can fail: a citation whose text does not stand at its place counts as wrong."""
    said = soaking.Said()
    citation = {"passage_id": "a", "cited_text": "lamp", "location": {"start_char_index": 10, "end_char_index": 14}}
    passages = [{"id": "a", "start": 10, "text": "A lamp."}]
    said.add("who", {"index": GENERATION, "passages": passages, "citations": [citation]})
    assert said.judged() == {"citation": 1}
