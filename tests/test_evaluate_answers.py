"""Measures of judged answers: ALCE's recall and precision, intervals, the risk–coverage curve."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rag.evaluate import Outcome
from rag.evaluate_answers import citations, measures, our_verifier, risk_coverage
from rag.types import Answer, Citation, IndexState, Location, Sentence

STATE = IndexState("c", "g", "0" * 64, "2024-01-01T00:00:00+00:00")


def answer(*sentences: tuple[str, Sequence[str]], status: str = "answered") -> Answer:
    """An answer of these sentences, each with the texts it cites."""
    text, made, cited = "", [], []
    for said, texts in sentences:
        start = len(text)
        text += said
        numbers = range(len(cited), len(cited) + len(texts))
        cited += [Citation(i, "p", "d", Location(0, 1), t, "own") for i, t in zip(numbers, texts, strict=True)]
        made.append(Sentence(start, len(text), "supported", 1.0, tuple(numbers)))
    return Answer("a", status, "?", text, STATE, sentences=tuple(made), citations=tuple(cited))  # type: ignore[arg-type]


def outcome(confidence: float, *, answerable: bool = True, right: bool = True, status: str = "answered") -> Outcome:
    """How a question went."""
    return Outcome(
        "q", "fact", "?", answerable, status, "", confidence, right if answerable else None, None, None,
        float(right) if answerable else None, 1.0, (),
    )  # fmt: skip


def holds(sentence: str, texts: Sequence[str]) -> bool:
    """A toy judge: the texts support what they spell, letter by letter."""
    return set(sentence) <= set("".join(texts))


@pytest.mark.parametrize(
    ("texts", "recalled", "precise"),
    [
        (["ab"], True, [True]),
        (["a", "b"], True, [True, True]),  # each is needed
        (["ab", "c"], True, [True, False]),  # the second is neither needed nor enough
        (["ab", "ab"], True, [True, True]),  # each is enough
        (["a"], False, [False]),  # nothing is precise where nothing is recalled
        ([], False, []),
    ],
)
def test_recall_and_precision_are_alces(texts: list[str], recalled: bool, precise: list[bool]) -> None:
    """A sentence is recalled by all it cites together; a citation is precise when it is enough or needed."""
    assert citations(answer(("ab", texts)), holds) == ([recalled], precise)


def test_every_measure_has_its_interval_and_its_number() -> None:
    """Shares, lengths and citations come with the middle 95% and with how many questions bear on them."""
    outcomes = [outcome(0.9), outcome(0.8, right=False), outcome(0.1, answerable=False, status="abstained")]
    answers = [answer(("ab", ["ab"])), answer(("ab", ["a"])), answer(status="abstained")]
    found = measures(outcomes, answers, holds)
    assert (found["correctness"].value, found["correctness"].of) == (0.5, 2)
    assert (found["citation_recall"].value, found["citation_precision"].value) == (0.5, 0.5)
    assert (found["declined"].value, found["references"].value) == (1.0, None)
    assert found["sentences"].value == 1.0
    low, high = found["correctness"].low, found["correctness"].high
    assert low is not None
    assert high is not None
    assert low <= 0.5 <= high


def test_the_curve_goes_from_the_surest_answer_to_all_of_them() -> None:
    """Each confidence is a threshold; wrong answers and answers to the unanswerable are the risk."""
    curve = risk_coverage([outcome(0.9), outcome(0.2, answerable=False), outcome(0.5, right=False)])
    assert [(p.threshold, round(p.coverage, 2), round(p.risk, 2)) for p in curve] == [
        (0.9, 0.33, 0.0),
        (0.5, 0.67, 0.5),
        (0.2, 1.0, 0.67),
    ]


def test_our_verifier_takes_a_sentence_word_for_word_and_no_part_of_one() -> None:
    """A verbatim sentence is carried without a judge; the tail of "it is not true that …" is not."""
    carries = our_verifier(None)
    assert carries("The pier is shut.", ["The  pier is shut."])
    assert not carries("The pier is shut.", ["It is not true that the pier is shut."])
