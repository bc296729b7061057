"""A text is held to the sources, sentence by sentence, and nothing is called supported that they do not carry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer import check
from rag.errors import InputError
from rag.workspace import Workspace

PIER = "The pier, built in 1920 by Ann Lee, is 300 metres long. Ships of the line have not called since 1964."


def _verdicts(told: object) -> list[str]:
    return [sentence.verdict for sentence in told.sentences]  # type: ignore[attr-defined]


def test_each_sentence_gets_a_verdict_and_leads_to_the_bibliography(workspace: Workspace) -> None:
    """What a source relays is supported and leads on to the entry; what it lacks is not; a question is unchecked."""
    text = "Ernie Bot had attracted more than 200 million users by April 2024. Alibaba launched it in 2019. Who?"
    told = workspace.check(text)
    assert _verdicts(told) == ["supported", "unsupported", "unchecked"]
    assert [text[s.start : s.end].strip() for s in told.sentences][2] == "Who?"
    first = told.sentences[0]
    citation = told.citations[first.citations[0]]
    assert "200 million" in citation.cited_text
    assert citation.reference_ids
    assert {r.id for r in told.references} >= set(citation.reference_ids)
    assert "2019" in told.sentences[1].missing
    assert told.index is not None


def test_passages_that_come_with_the_text_are_all_that_counts(workspace: Workspace) -> None:
    """Against passages of one's own: word for word is supported, what they do not say is not, and no index is named."""
    told = workspace.check("The pier is 300 metres long. Ernie Bot had 200 million users.", passages=[PIER])
    assert _verdicts(told) == ["supported", "unsupported"]
    (cited,) = told.citations
    assert cited.cited_text == PIER[cited.location.start_char_index : cited.location.end_char_index]
    assert told.index is None


def test_a_quotation_must_stand_there_word_for_word(workspace: Workspace) -> None:
    """A quotation that differs by one word is named."""
    right, wrong = (
        f"The report notes that “ships of the line have {word} called since 1964”." for word in ("not", "often")
    )
    told = workspace.check(f"{right} {wrong}", passages=[PIER])
    assert _verdicts(told)[1] == "unsupported"
    assert not told.sentences[0].missing
    assert told.sentences[1].missing == ("ships of the line have often called since 1964",)


def test_no_other_language_is_called_supported_unread(workspace: Workspace) -> None:
    """Where no model reads the language, a sentence is supported word for word or not at all, and a notice says so."""
    passage = "Der Pier wurde im Jahr 1920 gebaut und ist dreihundert Meter lang."
    told = workspace.check(f"{passage} Der Pier ist ein Bauwerk aus dem Jahr 1920.", passages=[passage])
    assert _verdicts(told)[0] == "supported"
    assert _verdicts(told)[1] != "supported"
    assert told.notices


@pytest.mark.parametrize(
    ("text", "passages", "named"),
    [
        ("It rose. " * 201, None, "201 sentences"),
        (" ", None, "empty"),
        ("a" * 100_001, None, "100,001 characters"),
        ("It rose.", [" "], "passage 1 is empty"),
        ("It rose.", ["a"] * 51, "51 passages"),
    ],
)
def test_what_cannot_be_checked_is_named(
    workspace: Workspace, text: str, passages: list[str] | None, named: str
) -> None:
    """Too many sentences, an empty text, too long or too many passages: refused with the number."""
    with pytest.raises(InputError, match=named):
        workspace.check(text, passages=passages)


def test_headings_and_items(workspace: Workspace) -> None:
    """A heading states nothing; an item of a list does."""
    told = workspace.check("# What the pier is\n\nA long pier\n\n- the pier is 300 metres long\n", passages=[PIER])
    assert _verdicts(told)[:2] == ["unchecked", "unchecked"]
    assert _verdicts(told)[2] != "unchecked"


@given(st.text(max_size=300))
def test_sentences_are_slices_of_the_text_in_order(text: str) -> None:
    """Whatever is sent: the sentences checked lie within it, one after the other."""
    try:
        told = check.against_passages(text, [PIER], None)
    except InputError:
        return
    ends = [0, *(s.end for s in told.sentences)]
    assert all(before <= s.start < s.end for before, s in zip(ends, told.sentences, strict=False))
    assert ends[-1] <= len(text)
