"""Questions about the bibliography as a list are answered by its entries, verbatim."""

from __future__ import annotations

import pytest

from rag.types import Answer
from rag.workspace import Workspace

DIGEST, NUMERIC, NOTES = "china-generative-ai", "numeric", "report-notes"


def entries(answer: Answer) -> set[str]:
    """The ids of the entries that an answer leads to."""
    return {r.id for r in answer.references}


@pytest.mark.parametrize(
    ("collection", "question", "expected"),
    [
        (DIGEST, "Which source is about an iFlyTek device that criticised Mao?", {"ye-2023"}),
        (DIGEST, "Which CNN article compares GPT-4 with Ernie?", {"tho-2023"}),
        (DIGEST, "Which entries of the bibliography were published in Bloomberg?", {"huang-2023"}),
        (DIGEST, "Which source is in Chinese?", {"huang-2022"}),
        (DIGEST, "Which sources have no date?", {"world-digital-technology-academy-nd"}),
        (DIGEST, "List the sources from 2021.", {"cyberspace-administration-of-china-2021"}),
        (DIGEST, "What did Deng publish?", {"deng-2024"}),
        (DIGEST, "What did Jiang write?", {"jiang-2024a", "jiang-2024b"}),
        (DIGEST, "What did Allen publish with CSIS?", {"allen-2022"}),
        (NUMERIC, "Which source is about glowing fungi?", {"thorne-2007"}),
        (NUMERIC, "Which references are never cited?", {"thorne-2007"}),
        (NUMERIC, "What did Adeyemi and Stroud publish?", {"adeyemi-2012"}),
        (NOTES, "What did the Ferry Crews' Union publish?", {"ferry-crews-union-2022"}),
    ],
)
def test_entries_are_found_by_what_is_said_of_them(
    workspace: Workspace, collection: str, question: str, expected: set[str]
) -> None:
    """Topic, outlet, language, year, the lack of one, author: the entries that fit, each a verbatim slice, no other."""
    answer = workspace.ask(question, collection=collection)
    assert answer.status == "answered"
    assert entries(answer) == expected
    document = workspace.generation(collection).document(answer.citations[0].document_id)
    for citation in answer.citations:
        assert (
            document.text[citation.location.start_char_index : citation.location.end_char_index] == citation.cited_text
        )


def test_several_entries_stand_as_a_list_under_what_it_is(workspace: Workspace) -> None:
    """The words that say whose list it is come once, and each entry has a line."""
    lines = workspace.ask("What did Jiang write?", collection=DIGEST).answer.splitlines()
    assert lines[0] == "The bibliography of Damiani (2024) lists:"
    assert [line[:9] for line in lines[1:]] == ["– Jiang, ", "– Jiang, "]


@pytest.mark.parametrize("question", ["Which source is about quantum computing?", "Which sources are from 1897?"])
def test_what_no_entry_has_is_declined_with_the_reason(workspace: Workspace, question: str) -> None:
    """No entry that fits is no answer, and the notice says that the bibliography was looked at."""
    answer = workspace.ask(question, collection=DIGEST)
    assert answer.status == "abstained"
    assert not answer.citations
    assert any("no entry of the bibliography" in n for n in answer.notices)


@pytest.mark.parametrize(
    "question",
    [
        "What did the companies publish at a side event of the United Nations Science and Technology Conference?",
        "Which sources report that Ernie Bot avoided political questions?",
        "Which standards did the companies publish?",
    ],
)
def test_what_the_text_is_asked_is_left_to_the_text(workspace: Workspace, question: str) -> None:
    """A question that only sounds like one about the list is answered from prose or not at all."""
    answer = workspace.ask(question, collection=DIGEST)
    assert all("bibliography of" not in (c.relation or "") for c in answer.citations)
