"""Searching: what is done side by side, or given by the caller, changes nothing that is found."""

from __future__ import annotations

import importlib

import pytest

from rag import retrieve
from rag.store import words
from rag.workspace import Workspace

QUESTIONS = ("How many users had Ernie Bot attracted by April 2024?", "Who are the new tigers, and what did they do?")


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_large_index_is_searched_side_by_side_and_finds_the_same(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    """Words and vectors looked for in threads beside each other give the passages and scores of one after the other."""
    _, one_by_one = workspace.search(question)
    for room in (importlib.import_module("rag.retrieve.search"), words):
        monkeypatch.setattr(room, "_LARGE", 0)
    _, beside = workspace.search(question)
    assert beside == one_by_one


def test_a_vector_may_be_given_or_made_when_asked_for(workspace: Workspace) -> None:
    """The question's vector gives the same passages whether search makes it, is given it, or asks the caller for it."""
    question, encoder = QUESTIONS[0], workspace.encoder()
    found = [
        retrieve.search(workspace.generation(), encoder, question, vector=vector, sparse=workspace.sparse())
        for vector in (None, encoder.encode_question(question), lambda: encoder.encode_question(question))
    ]
    assert found[0] == found[1] == found[2]
