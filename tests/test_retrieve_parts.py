"""Questions of several parts: split where the grammar shows it, and every part finds its passage."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.build import Incoming
from rag.evaluate import places, squeezed
from rag.retrieve.parts import parts
from rag.settings import Settings
from rag.workspace import Workspace

ROOT = Path(__file__).parent.parent
JUDGED = [json.loads(line) for line in (ROOT / "tests/gold/multipart.jsonl").read_text(encoding="utf-8").splitlines()]
FLOORS = json.loads((ROOT / "benchmarks/retrieval/FLOORS.json").read_text(encoding="utf-8"))["multipart"]
PAPERS = ("elife00240", "elife09853")
PASSAGES, MORE = 4, 6
"""Passages looked at: few, so that one part cannot be found by chance."""


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Compare the 2021 and the 2023 regulation.", ["2021 regulation", "the 2023 regulation"]),
        ("How do Ernie Bot and ChatGPT differ in China?", ["Ernie Bot in China", "ChatGPT in China"]),
        ("Who hosted the forum? What did Wang Yong urge?", ["Who hosted the forum", "What did Wang Yong urge"]),
        ("Which firms were approved, and when did it happen?", [
            "Which firms were approved", "when did it happen Which firms were approved"]),
        ("What is the difference between the paper and the report?", ["the paper", "the report"]),
        ("¿Quién construyó la turbina y cuándo se abrió el puerto?", [
            "Quién construyó la turbina", "cuándo se abrió el puerto"]),
        ("Quem construiu a turbina e quando abriu o porto?", ["Quem construiu a turbina", "quando abriu o porto"]),
        ("Qui a construit la turbine et quand le port a-t-il ouvert ?", [
            "Qui a construit la turbine", "quand le port a-t-il ouvert Qui a construit la turbine"]),
        ("Wer baute die Turbine und wann öffnete der Hafen?", ["Wer baute die Turbine", "wann öffnete der Hafen"]),
        ("谁建造了涡轮机，以及什么时候开放了港口？", ["谁建造了涡轮机", "什么时候开放了港口"]),
        ("比较2021年的规定和2023年的规定", ["2021年的规定", "2023年的规定"]),
    ],
)  # fmt: skip
def test_a_question_falls_into_its_parts(question: str, expected: list[str]) -> None:
    """Joined questions, compared things and several sentences are told apart, in six languages."""
    assert parts(question) == expected


@pytest.mark.parametrize(
    "question",
    [
        "What are the benefits and risks of generative AI?",
        "When did Baidu and Tencent meet?",
        "How many users had Ernie Bot attracted by April 2024?",
        "Research and development in China",
        "The relationship between a capacity to metabolize tamoxifen and treatment outcome is independent of genes.",
        "Who went to Radcliffe and was trained there as a student?",
        "Who wrote “What and when”?",
        "¿Qué pan y vino hay?",
        "",
        "and?",
    ],
)
def test_a_question_of_one_part_stays_whole(question: str) -> None:
    """A list within one question, a name or nothing at all is not cut."""
    assert parts(question) == []


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_text_gives_parts_that_can_be_asked(text: str) -> None:
    """Whatever the text, there are none or two to four parts, none of them blank."""
    found = parts(text)
    assert len(found) in {0, 2, 3, 4}
    assert all(part.strip() for part in found)


@pytest.fixture(scope="module")
def papers(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two papers in JATS as one collection."""
    base = tmp_path_factory.mktemp("papers")
    made = Workspace(Settings(corpus=base / "corpus", index=base / "index", collection="papers"))
    made.add_all([Incoming(f"{name}.xml", shared / f"data/elife_jats/{name}.xml") for name in PAPERS])
    return made


def covered(workspace: Workspace, collection: str, questions: list[dict[str, Any]], passages: int) -> list[float]:
    """For each question the share of its parts whose evidence one of the first passages holds."""
    generation = workspace.generation(collection)
    texts = {d.id: squeezed(generation.document(d.id).text) for d in generation.documents()}
    shares = []
    for one in questions:
        _, found = workspace.search(one["question"], collection=collection, limit=passages, kinds=("text",))
        held = []
        for evidence in one["evidence"]:
            where = {i: places(text, evidence) for i, text in texts.items()}
            assert any(where.values()), (one["id"], evidence)
            held.append(any(p.start < e and s < p.end for p in found for s, e in where[p.document_id]))
        shares.append(sum(held) / len(held))
    return shares


def test_every_part_finds_its_passage(workspace: Workspace, papers: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an article and two papers four passages hold nearly all evidence; six, part by part, more than without."""
    own = [q for q in JUDGED if q["document"] not in PAPERS]
    others = [q for q in JUDGED if q["document"] in PAPERS]
    assert len(JUDGED) >= 25

    def measured(passages: int) -> float:
        shares = covered(workspace, "china-generative-ai", own, passages) + covered(papers, "papers", others, passages)
        return sum(shares) / len(shares)

    by_part = {n: measured(n) for n in (PASSAGES, MORE)}
    monkeypatch.setattr(sys.modules["rag.retrieve.search"], "parts", lambda _: [])
    whole = {n: measured(n) for n in (PASSAGES, MORE)}
    assert by_part[PASSAGES] >= FLOORS["covered"], (by_part, whole)
    assert by_part[MORE] > whole[MORE], (by_part, whole)
