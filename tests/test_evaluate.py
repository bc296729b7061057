"""The evaluation: judges what it is given, names what is wrong, and holds the floors."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from rag import evaluate
from rag.errors import InputError
from rag.evaluate import Judged
from rag.types import Answer, Citation, IndexState, Location
from rag.workspace import Workspace

ROOT = Path(__file__).parent.parent
FLOORS = json.loads((ROOT / "tests/floors.json").read_text(encoding="utf-8"))
STATE = IndexState("c", "g", "0" * 64, "2024-01-01T00:00:00+00:00")
TEXT = {"d": evaluate.squeezed("It rained on  Monday. It was dry on Tuesday.")}


def answer(quote: str, start: int, status: str = "answered") -> Answer:
    """An answer that quotes `quote` at `start` of document d."""
    citation = Citation(0, "p", "d", Location(start, start + len(quote)), quote, "own")
    return Answer("a", status, "?", quote, STATE, citations=(citation,) if status == "answered" else ())  # type: ignore[arg-type]


JUDGED = Judged("q", "When did it rain?", answerable=True, answers=("monday",), evidence="rained on Monday")


@pytest.mark.parametrize(
    ("given", "string", "evidence"),
    [
        (answer("It rained on  Monday.", 0), True, True),
        (answer("It was dry on Tuesday.", 22), False, False),
        (answer("Monday", 22), True, False),
        (answer("The sources do not answer this.", 0, "abstained"), False, False),
    ],
)
def test_string_and_evidence_are_judged_apart(given: Answer, string: bool, evidence: bool) -> None:
    """The right words from the wrong place, and the wrong words, are told apart; declining is neither."""
    outcome = evaluate.judge(JUDGED, given, TEXT, 1.0)
    assert (outcome.string, outcome.evidence) == (string, evidence)
    assert bool(outcome.failures) == (not (string and evidence))


def test_an_unanswerable_question_is_right_only_when_declined() -> None:
    """Any answer to a question without one is a failure."""
    asked = Judged("q", "Who?", answerable=False)
    assert evaluate.judge(asked, answer("It rained on  Monday.", 0), TEXT, 1.0).failures
    assert not evaluate.judge(asked, answer("no", 0, "abstained"), TEXT, 1.0).failures


@pytest.mark.parametrize("line", ["{", '{"question": "x"}', '["question"]', '"x"', "{}"])
def test_a_line_that_is_no_question_is_named(tmp_path: Path, line: str) -> None:
    """A broken file of questions is refused with the number of the line."""
    path = tmp_path / "q.jsonl"
    path.write_text(f'{{"question": "Who?", "answerable": false}}\n{line}\n')
    with pytest.raises(InputError, match="line 2"):
        evaluate.load(path)


def figures(workspace: Workspace, collection: str, questions: Path) -> dict[str, Any]:
    """The measures of a collection on a file of judged questions."""
    generation = workspace.generation(collection)
    outcomes = evaluate.run(evaluate.load(questions), lambda q: workspace.ask(q, collection=collection), generation)
    return evaluate.report(outcomes, evaluate.measure(outcomes))


def held(found: dict[str, Any], floors: dict[str, Any], questions: Path) -> None:
    """Every floor holds, and the questions are those it was pinned on."""
    assert hashlib.sha256(questions.read_bytes()).hexdigest() == floors["sha256"], "pin the floors anew, on purpose"
    for name, least in floors["at_least"].items():
        failures = [(o["id"], o["failures"]) for o in found["outcomes"] if o["failures"]]
        assert found["measures"][name] >= least, (name, found["measures"][name], failures)


def test_the_raw_article_answers_its_public_questions(raw: Workspace, shared: Path) -> None:
    """On the web export of the first article the pinned floors hold, with no language model."""
    questions = shared / "gold/article-public.jsonl"
    held(figures(raw, "raw", questions), FLOORS["raw/article-public"], questions)


@pytest.mark.parametrize(
    ("collection", "name"),
    [
        ("china-generative-ai", "digest"),
        ("numeric", "numeric"),
        ("report-notes", "report-notes"),
        ("authoryear-es", "authoryear-es"),
        ("china-generative-ai", "digest-varied"),
        ("numeric", "numeric-varied"),
        ("report-notes", "report-notes-varied"),
        ("china-generative-ai", "digest-held"),
        ("numeric", "numeric-held"),
        ("report-notes", "report-notes-held"),
    ],
)
def test_our_own_collections_answer_theirs(workspace: Workspace, collection: str, name: str) -> None:
    """On the digest and on three other kinds of source the pinned floors hold."""
    questions = ROOT / f"tests/gold/{name}.jsonl"
    held(figures(workspace, collection, questions), FLOORS[name], questions)
