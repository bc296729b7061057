"""Cited works that are at hand: the article's sentence and the work's own are cited together."""

from __future__ import annotations

import pytest

from rag.build import Incoming
from rag.types import Answer, Citation
from rag.workspace import Workspace

SOURCE = """# Turning tides

Tom Marlowe, 2019

Divers checked the anchors before the winter.

The first tidal turbine of Kestrel Bay went into operation in 2019. It has three blades of glass fibre, each as long as
a bus. Eels swim past it unharmed.
"""
CONTRARY = """# Turning tides

Tom Marlowe, 2019

No turbine has ever been built in Kestrel Bay. Kestrel Bay did not open a tidal turbine in 2019; the plan was given up.
"""
ELSEWHERE = """# Turning tides

Tom Marlowe, 2019

Eels swim past the anchors unharmed. Divers look after them before the winter storms.
"""
QUESTION = "When did Kestrel Bay open its first tidal turbine?"


def with_source(fresh: Workspace, text: str) -> Workspace:
    """The small article with the work that it cites beside it."""
    fresh.rebuild()
    fresh.add_all([Incoming("marlowe.md", text.encode(), "marlowe-2019")])
    return fresh


def by_document(answer: Answer) -> dict[str, Citation]:
    """The citations by document."""
    return {c.document_id: c for c in answer.citations}


def check(fresh: Workspace, answer: Answer) -> None:
    """Every citation is a verbatim slice, its passage is shown, its entries are listed."""
    shown = {p.id for p in answer.passages}
    listed = {r.id for r in answer.references}
    for citation in answer.citations:
        text = fresh.generation().document(citation.document_id).text
        assert citation.cited_text == text[citation.location.start_char_index : citation.location.end_char_index]
        assert citation.passage_id in shown
        assert set(citation.reference_ids) <= listed
    assert {i for s in answer.sentences for i in s.citations} == {c.index for c in answer.citations}


def test_the_article_and_the_work_are_cited_together(fresh: Workspace) -> None:
    """Where the article relays the work, its sentence and the work's own passage carry the answer together."""
    answer = with_source(fresh, SOURCE).ask(QUESTION)
    cited = by_document(answer)
    assert set(cited) == {"tides", "marlowe"}
    assert (cited["tides"].attribution, cited["tides"].reference_ids) == ("relayed", ("marlowe-2019",))
    assert (cited["marlowe"].attribution, cited["marlowe"].reference_ids) == ("own", ("marlowe-2019",))
    assert cited["marlowe"].relation == "Marlowe (2019) says"
    assert "went into operation in 2019" in cited["marlowe"].cited_text
    assert any(set(s.citations) >= {cited["tides"].index, cited["marlowe"].index} for s in answer.sentences)
    check(fresh, answer)


def test_what_only_the_work_says_is_cited_from_it(fresh: Workspace) -> None:
    """A fact that the article leaves out is answered from the work itself, on to its entry, and from nowhere else."""
    answer = with_source(fresh, SOURCE).ask("What are the blades of the turbine made of?")
    assert answer.status == "answered"
    (citation,) = [c for c in answer.citations if "glass fibre" in c.cited_text]
    assert (citation.document_id, citation.attribution, citation.reference_ids) == ("marlowe", "own", ("marlowe-2019",))
    check(fresh, answer)


def test_a_work_that_carries_a_part_is_cited_for_a_sentence_of_several_claims(fresh: Workspace) -> None:
    """Where the article's sentence makes several claims, the work's sentence with one of them stands beside it."""
    article = fresh.settings.corpus / "c/tides.md"
    article.write_text(
        "# Tidal power\n\nIn spring 2020 the harbour board of Kestrel Bay, a town in the north, reported that the "
        "turbine powers 4,000 homes, and that it costs the town 90 crowns a day (Marlowe, 2019).\n\n## References\n\n"
        "Marlowe, T., 2019. Turning tides. Harbour Review, 12(3), pp. 4-19.\n"
    )
    work = "# Turning tides\n\nTom Marlowe\n\nDivers look on. The turbine in Kestrel Bay powers 4,000 homes today.\n"
    answer = with_source(fresh, work).ask("What does the turbine cost the town?")
    assert "powers 4,000 homes today" in by_document(answer)["marlowe"].cited_text
    check(fresh, answer)


@pytest.mark.parametrize("text", [CONTRARY, ELSEWHERE])
def test_a_work_that_does_not_say_it_is_not_cited_for_it(fresh: Workspace, text: str) -> None:
    """An attached work that denies the article's sentence, or speaks of other things, does not stand beside it."""
    answer = with_source(fresh, text).ask(QUESTION)
    for sentence in answer.sentences:
        documents = {answer.citations[i].document_id for i in sentence.citations}
        assert documents in ({"tides"}, {"marlowe"})
    check(fresh, answer)


def test_a_detached_work_is_a_document_like_any_other(fresh: Workspace) -> None:
    """Once detached, it no longer stands behind the article's citation."""
    with_source(fresh, SOURCE).attach(None, "marlowe", "")
    answer = fresh.ask(QUESTION)
    for citation in answer.citations:
        if citation.document_id == "marlowe":
            assert citation.reference_ids == ()
    check(fresh, answer)


def test_a_filter_holds_for_what_is_cited_beside(fresh: Workspace) -> None:
    """Confined to the article, an answer does not cite the work."""
    answer = with_source(fresh, SOURCE).ask(QUESTION, filters={"documents": ["tides"]})
    assert {c.document_id for c in answer.citations} == {"tides"}
