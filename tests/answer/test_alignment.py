"""A claim made of a passage's own words passes only where it says what the passage says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import sentences
from rag.answer import check, verify
from rag.answer.alignment import faithful
from rag.workspace import Workspace

CLAIMS = Path(__file__).parents[2] / "benchmarks/verification/claims.jsonl"
BILL = "The upper house rejected the water bill by 51 votes to 47, and the lower house may vote in August 2021."
LOAN = "Haldor Bank, founded in 1901, lent 40 million crowns to the port of Sund."


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ("The upper house rejected the water bill.", BILL),
        ("In August 2021 the lower house may vote.", BILL),
        ("Haldor Bank lent 40 million crowns to the port of Sund.", LOAN),
        ("Forty tourists came by boat from elsewhere and left again.", LOAN),
    ],
)
def test_what_keeps_to_the_words_is_let_through(claim: str, sentence: str) -> None:
    """Clauses left out between commas, a date put elsewhere, and claims in words of their own."""
    assert faithful(claim, [sentence], 0)


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ("The upper house accepted the water bill by 51 votes to 47.", BILL),
        ("The upper house rejected the water bill by 47 votes to 51.", BILL),
        ("The lower house votes in August 2021.", BILL),
        ("The upper house did not reject the water bill.", BILL),
        ("The lower house rejected the water bill.", BILL),
        ("The port of Sund lent 40 million crowns to Haldor Bank.", LOAN),
    ],
)
def test_words_put_together_anew_are_not(claim: str, sentence: str) -> None:
    """An antonym, exchanged figures, a hedge left out, a denial put in, another subject, roles turned."""
    assert not faithful(claim, [sentence], 0)


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_text_breaks_it_and_a_sentence_is_faithful_to_itself(claim: str, other: str) -> None:
    """Whatever is compared, there is an answer; what is the same in both says the same."""
    assert faithful(claim, [claim], 0) in {True, False}
    faithful(claim, [other, claim], 1)
    assert faithful("The port of Sund was dredged in 1901.", [other, "The port of Sund was dredged in 1901."], 1)


def test_few_falsehoods_pass(workspace: Workspace) -> None:
    """Of our own careful falsehoods about passages that nothing was chosen by, at most one in twelve is supported."""
    rows = [json.loads(line) for line in CLAIMS.read_text(encoding="utf-8").splitlines()]
    false = [row for row in rows if row["split"] == "test" and not row["supported"]]
    passed = [row["claim"] for row in false[::3] if _supported(row, workspace)]
    assert len(passed) <= len(false) / 36, passed


def _supported(row: dict, workspace: Workspace) -> bool:
    passages = check.Given([row["passage"]]).passages("")
    assert sentences.split(row["passage"])
    return verify.verify(row["claim"], (), passages, workspace.judge()).verdict == "supported"
