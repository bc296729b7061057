"""Follow-up questions: made to stand alone where that is sure, left as typed where it is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer import Turn, stand_alone

USERS = "How many users had Ernie Bot attracted by April 2024?"
TIGERS = "Who are the four new AI tigers of China?"
PAID = "How much did the harbour board pay for the turbine?"


@pytest.mark.parametrize(
    ("before", "asked", "understood"),
    [
        (USERS, "When was it launched?", "When was Ernie Bot launched?"),
        (USERS, "Who developed it?", "Who developed Ernie Bot?"),
        (USERS, "What is its training data?", "What is Ernie Bot’s training data?"),
        (USERS, "And when was it opened?", "When was Ernie Bot opened?"),
        (USERS, "And its capital?", "Ernie Bot’s capital?"),
        (TIGERS, "Why do they matter?", "Why do the four new AI tigers of China matter?"),
        (TIGERS, "What are their names?", "What are the names of the four new AI tigers of China?"),
        (PAID, "When was it built?", "When was the turbine built?"),
        ("What does Damiani say about Doubao?", "When was it released?", "When was Doubao released?"),
        ("What does Damiani say about Doubao?", "And what does he say on law?", "What does Damiani say on law?"),
        ("Who is Tamsin Vale?", "How old is she?", "How old is Tamsin Vale?"),
        (USERS, "And Doubao?", "How many users had Doubao attracted by April 2024?"),
        (USERS, "What about in 2023?", "How many users had Ernie Bot attracted by 2023?"),
        (USERS, "And by June 2023?", "How many users had Ernie Bot attracted by June 2023?"),
        ("When was the old bridge opened?", "What about the turbine?", "When was the turbine opened?"),
        ("How many people use it in China?", "And in Japan?", "How many people use it in Japan?"),
        ("¿Cuántas visitas tuvo Valdemora en 2020?", "¿Y en 2021?", "¿Cuántas visitas tuvo Valdemora en 2021?"),
        (PAID, "Why?", "Why did the harbour board pay for the turbine?"),
        ("Did the board raise the price?", "Why?", "Why did the board raise the price?"),
        ("Can Chinese firms buy Nvidia chips?", "Why not?", "Why can’t Chinese firms buy Nvidia chips?"),
        ("Who built the old bridge?", "When?", "When was the old bridge built?"),
        ("文心一言吸引了多少用户？", "它是谁开发的？", "文心一言是谁开发的？"),
        ("文心一言吸引了多少用户？", "那豆包呢？", "豆包吸引了多少用户？"),
    ],
)
def test_what_a_question_leaves_unsaid_is_taken_from_the_one_before(before: str, asked: str, understood: str) -> None:
    """Pronouns, substitutions and bare question words are filled in."""
    assert stand_alone(asked, [Turn(before)]) == understood


@pytest.mark.parametrize(
    "asked",
    [
        "Is it true that Baidu lost money?",
        "How long does it take to cross the strait?",
        "What did Baidu say about its model?",
        "What is this article about?",
        "Who wrote this?",
        "What does the author conclude?",
        "How do these models compare?",
        "When did that happen?",
        "Which of them is the oldest, and why?",
        "Who?",
        "And the costs?",
        "Who are the four new AI tigers of China?",
        "",
    ],
)
def test_in_doubt_a_question_stays_as_it_was_typed(asked: str) -> None:
    """What stands alone, or what no rule is sure of, is not touched."""
    assert stand_alone(asked, []) == asked
    assert stand_alone(asked, [Turn(USERS)]) == asked


def test_he_is_the_one_who_was_found() -> None:
    """After a question for a person, "he" is the name that the answer gave."""
    turn = Turn("Who founded DeepSeek?", "Liang Wenfeng founded DeepSeek in 2023 (Li, 2024).")
    assert stand_alone("Where was he born?", [turn]) == "Where was Liang Wenfeng born?"
    assert stand_alone("Where was he born?", [Turn("Who founded the firm?")]) == "Where was he born?"


def test_a_chain_of_questions_is_followed() -> None:
    """A question that leans on one that leans on a third is understood."""
    turns = [Turn(USERS), Turn("Who developed it?"), Turn("When was it launched?")]
    assert stand_alone("Why?", turns) == "Why was Ernie Bot launched?"


@given(st.text(max_size=80), st.lists(st.text(max_size=80), max_size=4))
def test_no_text_breaks_the_rules(asked: str, before: list[str]) -> None:
    """Whatever is typed, something to ask comes back."""
    understood = stand_alone(asked, [Turn(question, question) for question in before])
    assert bool(understood.strip()) == bool(asked.strip())
