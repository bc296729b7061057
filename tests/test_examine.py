"""A generation that does less well than it must on the collection's judged questions does not go live."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.errors import IndexRejectedError, InputError
from rag.examine import read_floors
from rag.types import Document
from rag.workspace import Workspace

QUESTION = {
    "id": "k1",
    "question": "How many homes does the turbine power?",
    "answerable": True,
    "answers": ["4,000"],
    "evidence": "The turbine powers 4,000 homes.",
}


def _pinned(fresh: Workspace, floors: str) -> Path:
    folder = fresh.settings.corpus / "c"
    (folder / "questions.jsonl").write_text(json.dumps(QUESTION) + "\n")
    (folder / "questions.toml").write_text(f"[floors]\n{floors}\n")
    return folder


def test_a_generation_below_its_floors_is_not_taken(fresh: Workspace) -> None:
    """When a source that carried the answers goes, the old generation stays and the reason names measure and floor."""
    folder = _pinned(fresh, "evidence = 1.0")
    live = fresh.rebuild().generation
    path = folder / "tides.md"
    whole = path.read_text()
    path.write_text(whole.replace("The turbine powers 4,000 homes.", "It hums."))
    with pytest.raises(IndexRejectedError, match=r"evidence 0\.000 < 1"):
        fresh.rebuild()
    assert fresh.generation().state.generation == live
    assert [g.id for g in fresh.generations()] == [live]
    assert fresh.ask(QUESTION["question"]).status == "answered"
    path.write_text(whole.replace("Critics called the price too high.", "Nobody minded."))
    assert fresh.rebuild().generation != live


def test_judged_questions_are_no_source(fresh: Workspace) -> None:
    """The questions beside the sources are neither indexed nor cited."""
    _pinned(fresh, "evidence = 0.5")
    fresh.rebuild()
    assert [d.id for d in fresh.generation().documents()] == ["tides"]
    assert all(isinstance(d, Document) for d in fresh.generation().documents())


@pytest.mark.parametrize(
    ("floors", "said"),
    [("evidnce = 1", "evidnce"), ("evidence = 7", "between 0 and 1"), ("evidence = true", "share"), ("= =", "cannot")],
)
def test_floors_that_cannot_be_read_are_named(fresh: Workspace, floors: str, said: str) -> None:
    """A misspelt measure or an impossible value stops the build instead of gating nothing."""
    folder = _pinned(fresh, floors)
    with pytest.raises(InputError, match=said):
        read_floors(folder)
    with pytest.raises(InputError, match=said):
        fresh.rebuild()
