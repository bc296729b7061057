"""Evaluation sets and statistics: every format read as it is published, figures that can be checked by hand."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag import cli
from rag.errors import InputError
from rag.evaluate import page, ranking, runs, sets, statistics

SQUAD = {
    "data": [
        {
            "title": "Kestrel_Bay",
            "paragraphs": [
                {
                    "context": "The bay opened a turbine in 2019. It powers 4,000 homes.",
                    "qas": [
                        {"id": "a", "question": "How many homes?", "answers": [{"text": "4,000", "answer_start": 45}]},
                        {"id": "b", "question": "Who built it?", "answers": [], "is_impossible": True},
                        {"id": "c", "question": "When?", "answers": [{"text": "2019", "answer_start": 3}]},
                        {"id": "d", "question": "  ", "answers": [{"text": "2019", "answer_start": 28}]},
                    ],
                }
            ],
        }
    ]
}


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    """A BEIR folder of two documents and two queries, judged in two splits."""
    folder = tmp_path / "small"
    (folder / "qrels").mkdir(parents=True)
    rows = [{"_id": "d1", "title": "Owls", "text": "Owls sleep."}, {"_id": "d2", "title": "", "text": "Tides turn."}]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    queries = [{"_id": "q1", "text": "sleeping birds"}, {"_id": "q2", "text": "tides"}]
    (folder / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in queries))
    (folder / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n")
    (folder / "qrels/train.tsv").write_text("query-id\tcorpus-id\tscore\nq2\td2\t1\n")
    return folder


def test_a_beir_folder_is_read_by_split(beir: Path) -> None:
    """Documents, queries and positive judgements of the split asked for, `test` by default."""
    found = sets.read(beir)
    assert [(q.id, dict(q.relevant)) for q in found.queries] == [("q1", {"d1": 2})]
    assert [q.id for q in sets.read(beir, split="train").queries] == ["q2"]
    assert [(d.id, d.title, d.text) for d in found.documents] == [
        ("d1", "Owls", "Owls\n\nOwls sleep."),
        ("d2", None, "Tides turn."),
    ]


@pytest.mark.parametrize(
    ("file", "text", "named"),
    [
        ("qrels/test.tsv", "q1\td1\tmany\nq1\td1\tmany\n", "line 2"),
        ("qrels/test.tsv", "q9\td1\t1\n", "q9"),
        ("qrels/test.tsv", "q1\td9\t1\n", "d9"),
        ("qrels/test.tsv", "q1\td1\t0\n", "no query"),
        ("corpus.jsonl", '{"title": "x"}\n', "_id"),
        ("corpus.jsonl", "[1]\n", "line 1"),
        ("queries.jsonl", "{", "queries.jsonl"),
    ],
)
def test_a_broken_beir_folder_is_refused_with_the_place(beir: Path, file: str, text: str, named: str) -> None:
    """What is wrong is named by file, line or identifier."""
    (beir / file).write_text(text)
    with pytest.raises(InputError, match=named):
        sets.read(beir)


def test_a_split_that_is_not_there_is_named(beir: Path) -> None:
    """The splits there are stand in the message."""
    with pytest.raises(InputError, match="test, train"):
        sets.read(beir, split="dev")


def test_a_squad_file_gives_paragraphs_answers_and_evidence(tmp_path: Path) -> None:
    """Each paragraph is a document; evidence is the answer's sentence, also where its offset is wrong; blanks go."""
    path = tmp_path / "squad.json"
    path.write_text(json.dumps(SQUAD))
    found = sets.read(path)
    assert [d.title for d in found.documents] == ["Kestrel Bay"]
    by_id = {q.id: q.judged for q in found.queries}
    assert set(by_id) == {"a", "b", "c"}
    first, second, third = by_id["a"], by_id["b"], by_id["c"]
    assert first is not None
    assert second is not None
    assert third is not None
    assert (first.answers, first.evidence) == (("4,000",), "It powers 4,000 homes.")
    assert (second.answerable, second.evidence) == (False, None)
    assert third.evidence == "The bay opened a turbine in 2019."


@pytest.mark.parametrize("body", ["{", "[]", '{"data": [{}]}', '{"data": []}', '{"data": [{"paragraphs": [3]}]}'])
def test_a_file_that_is_no_squad_is_refused(tmp_path: Path, body: str) -> None:
    """Anything else is an InputError that says what the format holds."""
    path = tmp_path / "x.json"
    path.write_text(body)
    with pytest.raises(InputError):
        sets.read(path)


def test_measures_are_those_of_the_textbook() -> None:
    """Second place gives nDCG 1/log2(3) and reciprocal rank a half; a missing ranking counts as nothing found."""
    values = ranking.measured({"q": {"b": 1}, "lost": {"x": 1}}, {"q": ["a", "b", "c"]})
    assert values["nDCG@10"]["q"] == pytest.approx(0.63093, abs=1e-4)
    assert (values["MRR@10"]["q"], values["Recall@5"]["q"]) == (0.5, 1.0)
    assert {v["lost"] for v in values.values()} == {0.0}


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
@settings(max_examples=25, deadline=None)
def test_an_interval_holds_its_mean_and_is_the_same_twice(values: list[float]) -> None:
    """Whatever the values, low ≤ mean ≤ high, and the same seed gives the same interval."""
    found = statistics.estimate(values)
    assert found is not None
    assert found.low - 1e-5 <= found.mean <= found.high + 1e-5
    assert found == statistics.estimate(values)


def test_a_real_difference_is_told_from_noise() -> None:
    """A setting better on every question has a small p, one that is as often worse a large one, itself p 1."""
    base = [0.1 * (i % 7) for i in range(60)]
    better = statistics.compare(base, [v + 0.1 for v in base])
    noise = statistics.compare(base, [v + (0.1 if i % 2 else -0.1) for i, v in enumerate(base)])
    same = statistics.compare(base, base)
    assert better is not None
    assert noise is not None
    assert same is not None
    assert better.p < 0.001
    assert noise.p > 0.3
    assert (better.better, better.worse, same.p) == (60, 0, 1.0)


def test_a_sample_keeps_what_is_right(beir: Path) -> None:
    """However few documents are kept, every document that answers a kept question is among them; seeds repeat."""
    whole = sets.read(beir)
    small = runs.sampled(whole, 1, 1, seed=3)
    assert {d.id for d in small.documents} >= {d for q in small.queries for d in q.relevant}
    assert small == runs.sampled(whole, 1, 1, seed=3)


def test_the_report_is_whole_and_lets_nothing_in(beir: Path) -> None:
    """One file, no address, and a question that is markup stays text."""
    whole = sets.read(beir)
    hostile = sets.Query("q1", "<script>alert(1)</script>", {"d1": 2})
    values: dict[str, Any] = {"nDCG@10": {"q1": 0.5}}
    one = runs.Run({"dense_weight": "0.6"}, {}, values, (), None, (1.0,))
    two = runs.Run({"dense_weight": "0.4"}, {}, {"nDCG@10": {"q1": 0.7}}, (), None, (1.0,))
    made = page.page(
        sets.EvaluationSet("s", "beir", whole.documents, (hostile,), "0" * 64), [one, two], "adfontes eval"
    )
    assert "<script" not in made
    assert "http" not in made
    assert made.count("<svg") >= 2
    body = runs.as_json(whole, [one, two], timings=False)
    assert body["comparison"]["nDCG@10"]["mean"] == pytest.approx(0.2)
    assert "search_ms" not in body["runs"][0]


def test_the_tool_gives_the_same_figures_twice_and_compares_two_settings(
    beir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs from nothing agree in every figure; all five measures, the paired test and the report are there."""
    bodies = []
    for turn in ("one", "two"):
        report = tmp_path / f"{turn}.html"
        words = ["eval", beir, "--against", "sparse=none", "--keep", tmp_path / turn, "--report", report, "--json"]
        monkeypatch.setattr(sys, "argv", ["adfontes", *map(str, words)])
        with suppress(SystemExit):
            cli.main()
        body = json.loads(capsys.readouterr().out)
        for made in body["runs"]:
            assert made.pop("search_ms")["p50"] > 0
        bodies.append(body)
        assert "http" not in report.read_text(encoding="utf-8").replace(str(beir), "")
    assert bodies[0] == bodies[1]
    assert set(bodies[0]["runs"][0]["measures"]) == set(ranking.MEASURES)
    assert [made["settings"]["sparse"] for made in bodies[0]["runs"]] == ["packaged", "none"]
    assert 0 <= bodies[0]["comparison"]["nDCG@10"]["p"] <= 1
