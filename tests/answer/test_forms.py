"""What an answer is like: yes and no, lists, denied premises, what is relayed said with it, what is not covered."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.answer import evidence, question
from rag.answer.opposites import opposed
from rag.settings import Settings
from rag.workspace import Workspace

REPORT = """# Rowan Bay: what to do about the harbour

Ada Fell and Bo Lind, 2022

The harbour of Rowan Bay silts up by nine centimetres a year (Quist, 2019). Its dredger Marigold was built in 1988.

The council can do one of two things. The first is to buy a new dredger for 14 million crowns. The second is to move
the ferry to Sandwick, which costs less but takes longer.

Nobody has ever fished for eels in the bay. The council does not recommend a tunnel. The pier is closed in winter,
because ice breaks its planks.

If the pier were closed for good, the village would lose its only landing. The reason is that no road reaches it.

## References

Quist, E., 2019. Silt and tides. Harbour Review, 3(1), pp. 1-9.
"""
REPEATED = """# Notes on Rowan Bay

Cleo Marr, 2021

The harbour of Rowan Bay silts up by nine centimetres a year, as surveys show.
"""
CONTRARY = """# A second look at Rowan Bay

Dag Orme, 2023

The harbour of Rowan Bay silts up by only two centimetres a year.
"""


@pytest.fixture(scope="module")
def bay(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One report on a harbour."""
    return built(tmp_path_factory.mktemp("bay"), report=REPORT)


def built(base: Path, **documents: str) -> Workspace:
    """A collection of these documents."""
    folder = base / "corpus/c"
    folder.mkdir(parents=True)
    for name, text in documents.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    workspace = Workspace(Settings(corpus=base / "corpus", index=base / "index", collection="c"))
    workspace.rebuild()
    return workspace


def test_a_yes_no_question_is_answered_no_where_the_text_denies(bay: Workspace) -> None:
    """The word stands before the sentence that denies, outside its span."""
    answer = bay.ask("Does the council recommend a tunnel?")
    assert answer.answer == "No. The council does not recommend a tunnel."
    (sentence,) = answer.sentences
    assert answer.answer[sentence.start : sentence.end] == "The council does not recommend a tunnel."


@pytest.mark.parametrize(
    ("question", "denial"),
    [
        ("When did the council recommend a tunnel?", "does not recommend a tunnel"),
        ("Why does the council recommend a tunnel?", "does not recommend a tunnel"),
    ],
)
def test_a_false_premise_is_contradicted_and_not_answered(bay: Workspace, question: str, denial: str) -> None:
    """What the question takes for granted and the text denies is told with the passage; it is no answer."""
    answer = bay.ask(question)
    assert answer.status == "abstained"
    assert answer.answer.startswith("The sources contradict the question: ")
    assert denial in answer.citations[0].cited_text
    assert answer.sentences[0].verdict == "supported"


def test_a_list_is_followed_from_its_first_item_to_its_last(bay: Workspace) -> None:
    """Ordinals mark a list; each of its items stands in the answer, in order, as an item."""
    answer = bay.ask("Which two things can the council do?")
    assert answer.answer.index("The first is") < answer.answer.index("The second is")
    assert "\n– " in answer.answer
    assert [c.cited_text.split()[1] for c in answer.citations] == ["council", "first", "second"]


def test_a_reason_that_the_next_sentence_gives_belongs_to_the_answer(bay: Workspace) -> None:
    """A "why" gets the sentence that says of itself that it is the reason."""
    answer = bay.ask("Why would the village lose its landing if the pier were closed for good?")
    assert "no road reaches it" in answer.answer


def test_what_is_relayed_says_so_before_the_sentence(bay: Workspace) -> None:
    """A relayed claim is introduced by who reports it and whom they cite; the quotation itself stays verbatim."""
    answer = bay.ask("By how much does the harbour of Rowan Bay silt up a year?")
    assert answer.answer.startswith("Fell and Lind report, citing Quist (2019): The harbour of Rowan Bay")
    (sentence,) = answer.sentences
    assert answer.answer[sentence.start : sentence.end] == answer.citations[0].cited_text


def test_a_second_thing_asked_for_and_not_found_makes_the_answer_partial(bay: Workspace) -> None:
    """A question for two things, of which the sources give one, is answered in part, and the notice names the other."""
    answer = bay.ask("When was the dredger Marigold built, and by whom?")
    assert "1988" in answer.answer
    assert answer.status == "partial"
    assert any("whom" in notice for notice in answer.notices)


@pytest.mark.parametrize(
    "question",
    [
        "How many ferries sail to Sandwick?",
        "Which page mentions the dredger?",
    ],
)
def test_another_kind_of_thing_than_was_asked_for_is_no_answer(bay: Workspace, question: str) -> None:
    """A sentence on the subject without a length, a count, a page, a person or a time does not answer for one."""
    assert bay.ask(question).status in {"abstained", "found"}


def test_documents_that_agree_and_documents_that_do_not_are_told_apart(tmp_path: Path) -> None:
    """The same claim elsewhere supports it; another figure contradicts it, is quoted, and is never averaged away."""
    workspace = built(tmp_path, report=REPORT, repeated=REPEATED, contrary=CONTRARY)
    answer = workspace.ask("By how many centimetres a year does the harbour of Rowan Bay silt up?")
    (compared,) = answer.corroboration
    sides = {
        "own": {answer.citations[i].document_id for i in answer.sentences[compared.sentence].citations},
        "against": {answer.citations[i].document_id for i in compared.contradicting},
    }
    figures = {"report": "nine", "repeated": "nine", "contrary": "two"}
    assert sides["against"]
    assert {figures[d] for d in sides["own"]}.isdisjoint({figures[d] for d in sides["against"]})
    assert {figures[d] for d in sides["own"] | sides["against"]} == {"nine", "two"}
    assert {answer.citations[i].document_id for i in compared.supporting} <= sides["own"]
    assert "the sources disagree" in answer.answer.casefold()
    assert "nine centimetres" in answer.answer
    assert "two centimetres" in answer.answer
    assert any("says otherwise" in notice for notice in answer.notices)


@pytest.mark.parametrize(
    ("asked", "sentence", "has"),
    [
        ("How long is the cable?", "The cable can charge one ship.", 0.0),
        ("How long is the cable?", "The cable is 40 km long.", 1.0),
        ("How old is the pier?", "The pier has 40 planks.", 0.0),
        ("How much does it cost?", "It costs 14 million crowns.", 1.0),
        ("Which page mentions it?", "It is mentioned twice.", 0.0),
        ("When did it open?", "It opened with a feast.", 0.0),
        ("Who is the Minister of Islands?", "The Ministry of Islands paid in December.", 0.0),
        ("Who is the Minister of Islands?", "The ministry is led by Ada Fell.", 1.0),
    ],
)
def test_the_kind_of_thing_asked_for_is_seen(asked: str, sentence: str, has: float) -> None:
    """A length needs a unit of length, an age one of time, a page a page; a name of the question is no news."""
    assert question.meets(question.read(asked).expects, sentence, question.read(asked)) == has
    assert question.counts("There are 40 planks.", question.read("How many ships are there?")) == 0.0


@pytest.mark.parametrize(
    ("asked", "sentence", "opposite"),
    [
        ("Why did Orme call for a tunnel?", "Orme urged the council to resist any plan of a tunnel.", True),
        ("Why did Orme call for a tunnel?", "Orme called for a tunnel and resisted the ferry.", False),
        ("How did the bay become larger than Sandwick's?", "The bay remains much smaller than Sandwick's.", True),
        ("How did the bay become larger than Sandwick's?", "The bay, larger than Sandwick's, silts up.", False),
        ("Why did silt in the harbour decline?", "Silt in the harbour rose after 1988.", True),
        ("Why did silt in the harbour decline?", "Ferries rose in price while silt in the harbour fell.", False),
        ("Why did silt in the harbour decline?", "Silt in the harbour never rose after 1988.", False),
        ("Why did silt decline?", "The price of ferries rose.", False),
    ],
)
def test_the_opposite_said_of_the_same_thing_is_told(asked: str, sentence: str, opposite: bool) -> None:
    """The opposed word must be the one nearest to the thing, with the question's other words around it."""
    assert opposed(question.read(asked), sentence) is opposite


def test_another_subjects_date_is_no_answer(bay: Workspace) -> None:
    """The dredger's year does not say when the pier was built; its own does."""
    assert bay.ask("When was the pier built?").status in {"abstained", "found"}
    assert "1988" in bay.ask("When was the dredger built?").answer


def test_the_sentence_that_announces_a_list_is_no_item_of_it(bay: Workspace) -> None:
    """What the items are stands before them on a line of its own, without a dash."""
    first, *items = bay.ask("Which two things can the council do?").answer.splitlines()
    assert first == "The council can do one of two things."
    assert [line[:11] for line in items] == ["– The first", "– The secon"]


@pytest.mark.parametrize(
    ("asked", "sentence", "bounded"),
    [
        ("Since when has the bay been closed?", "It has been shut, above all since the storm took the quay.", True),
        ("Since when has the bay been closed?", "The bay was shut by a storm.", False),
        ("Until when does the lease run?", "The lease ends when the dredger is sold.", True),
        ("When was the bay closed?", "It has been shut since the storm.", False),
    ],
)
def test_since_when_is_answered_by_an_event_too(asked: str, sentence: str, bounded: bool) -> None:
    """A bound of time may be a date or something that happened."""
    assert question.bounds(question.read(asked), sentence) is bounded


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("What was it asked about when it was shown?", "any"),
        ("Since when is it shown?", "when"),
        ("By when must it be shown?", "when"),
        ("What did the cable cost?", "quantity"),
    ],
)
def test_the_kind_of_answer_is_read_off_the_asking_word(text: str, kind: str) -> None:
    """A "when" in a clause asks for no time; what something cost is a number."""
    assert question.read(text).expects == kind


@pytest.mark.parametrize(
    ("asked", "open_part"),
    [
        ("When was the dredger built, and who designed the dredger?", "who designed the dredger"),
        ("Who is the mayor of Sandwick, and how fast does the harbour silt up?", "Who is the mayor of Sandwick"),
        ("What does a new dredger cost, and when was it painted?", "when was it painted"),
    ],
)
def test_of_several_questions_the_open_one_is_named(bay: Workspace, asked: str, open_part: str) -> None:
    """One part answered and the other not is `partial`, and the notice quotes the part that the sources leave open."""
    answer = bay.ask(asked)
    assert answer.status == "partial"
    assert answer.citations
    assert any(open_part in notice for notice in answer.notices)


def test_each_of_several_questions_is_answered(bay: Workspace) -> None:
    """Two questions in one get both their sentences, in the order asked, each once."""
    answer = bay.ask("Why is the pier closed in winter, and when was the dredger built?")
    assert answer.status == "answered"
    said = [answer.answer[s.start : s.end] for s in answer.sentences]
    assert "ice" in said[0]
    assert "1988" in said[-1]
    assert len(said) == len(set(said))


def test_yes_needs_what_is_asked_to_stand_there(workspace: Workspace) -> None:
    """A sentence about the same subject that does not speak of what is asked gives no "Yes"."""
    assert not workspace.ask("Is China leading in generative AI?").answer.startswith("Yes")


def test_a_document_that_speaks_of_itself_leans_on_nothing() -> None:
    """What begins with "This article" names its subject: the sentence before it is not dragged along."""
    assert evidence.HANGING.match("This rule came late.")
    assert not evidence.HANGING.match("This article was edited by Kalos Lau.")
