"""Words of two languages are compared by what they mean."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag import encoder
from rag.answer.nearness import held
from rag.encoder import Across
from rag.workspace import Workspace

SENTENCES = (
    "The ferry carries three hundred passengers every night.",
    "The museum opens at nine on Sundays.",
    "Bread became dearer because the harvest failed.",
)


@pytest.fixture(scope="module")
def across(workspace: Workspace) -> Across:
    """The default encoder, asked in other languages."""
    made = encoder.across(workspace.encoder(), "zh", {"en"})
    assert isinstance(made, Across)
    return made


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("渡轮每晚载多少乘客？", 0),
        ("¿Cuántos pasajeros lleva el transbordador cada noche?", 0),
        ("Wann öffnet das Museum am Sonntag?", 1),
        ("博物馆星期天几点开门？", 1),
        ("Pourquoi le pain est-il devenu plus cher ?", 2),
        ("Por que o pão ficou mais caro depois da colheita?", 2),
    ],
)
def test_the_sentence_that_says_the_words_holds_most(across: Across, question: str, sentence: int) -> None:
    """A question's words are found in the sentence that says them in another language, with or without spaces."""
    shares = held(question, SENTENCES, across.words)
    assert max(range(3), key=shares.__getitem__) == sentence


def test_the_same_words_are_held_whole(across: Across) -> None:
    """A name that both spell alike is there or not; what is there counts in full."""
    assert held("Ernie Bot?", ["Ernie Bot came first."], across.words)[0] == pytest.approx(1, abs=1e-4)


@given(st.text(max_size=80), st.lists(st.text(max_size=40), max_size=5))
@settings(max_examples=80, deadline=None)
def test_any_question_has_a_share_of_any_sentence(across: Across, question: str, sentences: list[str]) -> None:
    """Whatever the texts, each sentence gets a share between nought and one."""
    shares = held(question, sentences, across.words)
    assert len(shares) == len(sentences)
    assert all(0 <= share <= 1.001 for share in shares)
