"""Answers: verbatim, cited to the character, led on to the bibliography, or honestly declined."""

from __future__ import annotations

import pytest

from rag.errors import InputError, NotFoundError
from rag.store import Generation
from rag.types import Answer
from rag.workspace import Workspace

QUESTIONS = [
    "How many users had Ernie Bot attracted by April 2024?",
    "Who are the four new AI tigers of China?",
    "Is ChatGPT allowed in China?",
    "How did Ernie Bot handle sensitive questions before it was released?",
    "What did Huang Rihan and Yao Haolong argue about ChatGPT?",
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_sentence_is_a_verbatim_slice_that_its_citation_points_to(workspace: Workspace, question: str) -> None:
    """A sentence of the answer, its citation's quote and the document's characters there are one and the same."""
    answer = workspace.ask(question)
    assert answer.status == "answered"
    text = {d.id: workspace.generation().document(d.id).text for d in workspace.generation().documents()}
    for sentence in answer.sentences:
        assert sentence.verdict == "supported"
        for number in sentence.citations:
            citation = answer.citations[number]
            place = citation.location
            assert citation.cited_text == text[citation.document_id][place.start_char_index : place.end_char_index]
            assert answer.answer[sentence.start : sentence.end] == " ".join(citation.cited_text.split())
    assert {c.passage_id for c in answer.citations} <= {p.id for p in answer.passages}
    assert {i for c in answer.citations for i in c.reference_ids} == {r.id for r in answer.references}


def test_a_relayed_claim_leads_on_to_the_entry_behind_it(workspace: Workspace) -> None:
    """What the article reports from Deng (2024) is marked relayed and leads to Deng's entry, formatted."""
    answer = workspace.ask("How many users had Ernie Bot attracted by April 2024?")
    assert "200 million" in answer.answer
    citation = next(c for c in answer.citations if "200 million" in c.cited_text)
    assert (citation.attribution, citation.reference_ids) == ("relayed", ("deng-2024",))
    assert citation.relation == "Damiani (2024) reports, citing Deng (2024)"
    (reference,) = (r for r in answer.references if r.id == "deng-2024")
    assert "Baidu claims 200 million users" in reference.formatted
    assert reference.resolution == "exact"


def test_a_year_that_disagrees_is_said_with_the_answer(workspace: Workspace) -> None:
    """An entry cited under another year is led to, and the disagreement stands beside it."""
    answer = workspace.ask("What did Huang Rihan and Yao Haolong argue about ChatGPT?")
    (reference,) = answer.references
    assert reference.resolution == "year-mismatch"
    assert any(p.kind == "year-mismatch" for p in reference.problems)


def test_three_works_in_one_bracket_lead_to_three_entries(workspace: Workspace) -> None:
    """A claim that rests on three works leads to all three."""
    answer = workspace.ask("How did Ernie Bot handle sensitive questions before it was released?")
    assert {"feng-2023", "tho-2023", "ye-2023"} <= {r.id for r in answer.references}


def test_the_documents_own_words_are_its_own(workspace: Workspace) -> None:
    """A sentence no citation covers is attributed to the document itself."""
    answer = workspace.ask("Is ChatGPT allowed in China?")
    assert "never been allowed" in answer.answer
    assert answer.citations[0].attribution == "own"
    assert answer.citations[0].relation == "Damiani (2024) says"


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of France?",
        "What is the boiling point of nitrogen?",
        "Which football club won the cup in 1987?",
        "How do I bake sourdough bread?",
    ],
)
def test_what_the_sources_do_not_say_is_declined(workspace: Workspace, question: str) -> None:
    """A question the sources do not answer gets a plain no, no sentence, no citation, and the nearest passages."""
    answer = workspace.ask(question)
    assert answer.status == "abstained"
    assert answer.answer == "The sources do not answer this."
    assert answer.sentences == answer.citations == answer.references == ()
    assert answer.passages


def test_who_wrote_it_is_answered_by_the_words_that_say_so(workspace: Workspace) -> None:
    """The author is named from the document's own note, with the place."""
    answer = workspace.ask("Who wrote this article?")
    assert "Pietro Damiani" in answer.citations[0].cited_text


def test_an_entrys_doi_is_read_from_the_entry(workspace: Workspace) -> None:
    """A bibliographic question is answered by the entry, verbatim; what the entry lacks is said to be lacking."""
    answer = workspace.ask("What is the DOI of Huang and Yao's paper?")
    assert "10.14093/j.cnki.cn10-1132/d.2023.04.004" in answer.answer
    lacking = workspace.ask("What is the DOI of Zhuang's article?")
    assert lacking.status == "abstained"
    assert "zhuang-2024" in lacking.notices[0]


def test_an_answer_names_what_it_came_from(workspace: Workspace, digest: Generation) -> None:
    """Generation, manifest hash, models and settings stand in every answer, and asking twice says the same."""
    first, second = (workspace.ask(QUESTIONS[0]) for _ in range(2))
    assert first.index == digest.state
    assert len(first.index.manifest_sha256) == 64
    assert first.models["encoder"] == "all-MiniLM-L6-v2"
    assert first.settings["limit"] == workspace.settings.passages

    def core(a: Answer) -> tuple[object, ...]:
        return a.answer, a.sentences, a.citations, a.passages, a.references, a.confidence

    assert core(first) == core(second)


def test_events_come_in_order_and_add_up_to_the_answer(workspace: Workspace) -> None:
    """Passages first, then text, citations and verdicts as they come; the pieces of text joined are the answer."""
    events: list[tuple[str, object]] = []
    answer = workspace.ask(QUESTIONS[1], on_event=lambda name, body: events.append((name, body)))
    assert events[0][0] == "retrieval.completed"
    assert "".join(str(b) for n, b in events if n == "answer.delta") == answer.answer
    assert tuple(b for n, b in events if n == "citation.added") == answer.citations
    assert tuple(b for n, b in events if n == "sentence.verified") == answer.sentences


@pytest.mark.parametrize("question", ["", "   ", "\n", "x" * 2001, "a\x00b", "\ud800"])
def test_a_question_that_cannot_be_asked_is_refused_with_the_reason(workspace: Workspace, question: str) -> None:
    """Empty, huge and broken questions raise an error that says what is accepted."""
    with pytest.raises(InputError):
        workspace.ask(question)


def test_filters_and_names_are_checked(workspace: Workspace) -> None:
    """Unknown collections, documents and filters are named; a filter keeps other documents out."""
    with pytest.raises(NotFoundError, match="atlantis"):
        workspace.ask("Who?", collection="atlantis")
    with pytest.raises(InputError, match="cannot be a collection"):
        workspace.ask("Who?", collection="../china-generative-ai")
    with pytest.raises(NotFoundError, match="nothing"):
        workspace.ask("Who?", filters={"documents": ["nothing"]})
    with pytest.raises(InputError, match="colour"):
        workspace.ask("Who?", filters={"colour": "red"})


def test_a_question_in_a_language_that_the_encoder_does_not_bridge_says_so(workspace: Workspace) -> None:
    """Declined in Greek, the answer says why and what to do; in the sources' own language nothing is said."""
    answer = workspace.ask("Πόσους χρήστες προσέλκυσε το Ernie Bot;")
    assert answer.status == "abstained"
    assert [n for n in answer.notices if "multilingual-e5-small" in n]
    assert not workspace.ask("How many users had Ernie Bot attracted by April 2024?").notices
