"""Kinds of question: each is recognised, answered whole by the text's own words, and never taken for another."""

from __future__ import annotations

import pytest

from rag.settings import Settings
from rag.types import Answer
from rag.workspace import Workspace

REPORT = """---
author: Ines Okonkwo
date: 2021
---
# Harbour lights of Tolmen

## Summary

This report examines how the lamps of Tolmen harbour were renewed between 2015 and 2020. \
Renewal cut the power bill by a third.

## Goals

The project had three goals:

- to save power
- to keep moths away
- to light the east quay

## Lamps by quay

| Quay | Lamps | Height (m) |
|---|---|---|
| North | 40 | 6 |
| East | 112 | 8 |
| Inner | 25 | 4 |

## Project manager

Tamar Vale

## Reception

Bexley (2019) argued that the old lamps drew moths to the water. Fishermen praised the warm light \
(Corrigan, 2020). The Harbour Lighting Board (HLB) paid for the masts.

## Glossary

PLC: power line control

## Conclusions

Dimming saved more than new lamps did. Smaller harbours should dim first.

## References

Bexley, T. (2019) Moths over water. London: Pier Press.

Corrigan, A. (2020) 'Warm light on the quay', Fishing Weekly, 12(3), pp. 4–9.
"""
OTHER = """---
author: Jo Perrin
date: 2018
---
# Harbour lights of Sandwick

Sandwick harbour has 64 lamps. The town council refused to dim them. The power bill rose by a tenth in 2017.
"""


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory):
    """Ask a collection of two reports."""
    root = tmp_path_factory.mktemp("kinds")
    (root / "corpus" / "lights").mkdir(parents=True)
    (root / "corpus" / "lights" / "tolmen-2021.md").write_text(REPORT, encoding="utf-8")
    (root / "corpus" / "lights" / "sandwick.md").write_text(OTHER, encoding="utf-8")
    workspace = Workspace(Settings(corpus=root / "corpus", index=root / "index", collection="lights"))
    workspace.rebuild()
    return workspace.ask


def kind(answer: Answer) -> str:
    """Which kind answered."""
    return str(answer.settings["kind"])


@pytest.mark.parametrize(
    ("question", "expected", "shown"),
    [
        ("List all documents.", "lookup", ["Harbour lights of Tolmen", "Harbour lights of Sandwick"]),
        ("What is “Harbour lights of Tolmen” about?", "overview", ["examines how the lamps"]),
        ("What are the main conclusions of Okonkwo (2021)?", "overview", ["Dimming saved more", "dim first"]),
        ("What did Bexley argue?", "says", ["drew moths"]),
        ("Which source reports that fishermen liked the warm light?", "source", ["Corrigan, 2020"]),
        ("What are the goals of the project?", "headed", ["save power", "moths away", "east quay"]),
        ("Who is the project manager?", "headed", ["Tamar Vale"]),
        ("How many lamps does the East quay have?", "cells", ["Lamps: 112"]),
        ("Which quay has the fewest lamps?", "cells", ["Inner", "25"]),
        ("What does HLB stand for?", "definition", ["Harbour Lighting Board (HLB)"]),
        ("What does PLC mean?", "definition", ["power line control"]),
        ("Compare Tolmen and Sandwick.", "comparison", ["Tolmen:", "Sandwick:"]),
        ("How many lamps does Sandwick harbour have?", "fact", ["64 lamps"]),
    ],
)
def test_a_question_is_answered_by_its_kind(ask, question: str, expected: str, shown: list[str]) -> None:
    """The kind that is meant answers, and shows all that belongs to it."""
    answer = ask(question)
    assert (answer.status, kind(answer)) == ("answered", expected)
    squeezed = " ".join(answer.answer.split())
    assert [s for s in shown if s not in squeezed] == []


@pytest.mark.parametrize(
    "question",
    [
        "By how much did the power bill change?",
        "By how much did the power bill change in Perrin (2018)?",
        "By how much did the power bill change in the Sandwick report?",
        "By how much did the power bill change, according to sandwick.md?",
    ],
)
def test_naming_a_document_confines_the_answer_to_it(ask, question: str) -> None:
    """Named by author and year, by title or by file, the document answers and no other does."""
    answer = ask(question)
    if question.endswith("change?"):
        assert "a third" in answer.answer or "a tenth" in answer.answer
    else:
        assert "a tenth" in answer.answer
        assert "a third" not in answer.answer


def test_what_nothing_answers_directly_is_found_and_what_nothing_speaks_of_is_not(ask) -> None:
    """The status “found” quotes the closest and says so; a matter that no source mentions is declined."""
    near = ask("Which company made the lamps of Tolmen harbour?")
    assert near.status == "found"
    assert near.answer.startswith("No passage answers this directly. Closest: ")
    assert near.citations
    far = ask("What is the boiling point of nitrogen?")
    assert (far.status, far.citations) == ("abstained", ())
    assert ask("What did Quillfeather say about the lamps?").status == "abstained"


def test_a_slip_of_the_finger_is_read_as_the_word_that_the_sources_have(ask) -> None:
    """The answer is the same, and the notice says what was taken for what; a word that is known is left alone."""
    answer = ask("How many lmaps does Sandwick harbuor have?")
    assert "64 lamps" in answer.answer
    assert [n for n in answer.notices if "“lmaps” is read as “lamps”" in n]
    assert not [n for n in ask("How many lamps does Sandwick harbour have?").notices if "is read as" in n]


def test_a_section_that_no_document_has_is_said_to_be_missing(ask) -> None:
    """A section on copyright, asked for, is not made of something else."""
    answer = ask("Summarise the section on copyright.")
    assert answer.status == "abstained"
    assert "no section is called “copyright”" in answer.notices


def test_a_row_of_a_table_is_cited_where_it_stands(ask) -> None:
    """The cells shown are those of the cited line."""
    answer = ask("How many lamps does the East quay have?")
    (citation,) = answer.citations
    assert citation.cited_text == "East | 112 | 8"
