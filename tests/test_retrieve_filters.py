"""Filters: exact, on search and on ask, over HTTP, the command line and the library alike."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rag.errors import InputError, NotFoundError
from rag.retrieve import Filters
from rag.retrieve.filters import sources_of
from rag.settings import Settings
from rag.types import Passage
from rag.workspace import Workspace

FILES = {
    "bay.md": (
        (
            "# Tidal power in Kestrel Bay\n\nKestrel Bay opened a turbine (Marlowe, 2019).\n\n## Costs\n\n"
            "The turbine cost 31 million crowns (Osei and Lind, 2021).\n\n### Loans\n\nA loan paid the turbine.\n\n"
            "## References\n\nMarlowe, T., 2019. Turning tides in the harbour. Harbour Review, 12(3), pp. 4-19.\n\n"
            "Osei, A. and Lind, B., 2021. What tidal power costs. Bergen: Fjord Press.\n"
        ),
        'authors = ["Ana Sousa", "Li Wei"]\ndate = "2023-05"\nlanguage = "en"\n',
    ),
    "tides.md": (
        "# Turning tides in the harbour\n\nThe first turbine of the harbour turned in 2018.\n",
        'authors = ["Tomás Marlowe"]\ndate = "2019"\nlanguage = "en"\n',
    ),
    "mareas.md": (
        "# La turbina de la bahía\n\nLa turbina de la bahía costó 31 millones de coronas.\n",
        'authors = ["Ana Ruiz"]\nlanguage = "es-MX"\n',
    ),
}


@pytest.fixture(scope="module")
def bay(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Three small documents: an article, a source it lists, and one in Spanish without a date."""
    base = tmp_path_factory.mktemp("bay")
    folder = base / "corpus/bay"
    folder.mkdir(parents=True)
    for name, (text, known) in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).with_suffix(".toml").write_text(known, encoding="utf-8")
    made = Workspace(Settings(corpus=base / "corpus", index=base / "index", collection="bay"))
    made.rebuild()
    return made


@pytest.mark.parametrize(
    ("filters", "keeps"),
    [
        ({"documents": ["tides"]}, lambda p: p.document_id == "tides"),
        ({"kind": "source"}, lambda p: p.document_id == "tides"),
        ({"kind": "article"}, lambda p: p.document_id != "tides"),
        ({"authors": ["wei"]}, lambda p: p.document_id == "bay"),
        ({"authors": ["Tomas Marlowe", "RUIZ"]}, lambda p: p.document_id in {"tides", "mareas"}),
        ({"year_from": 2020}, lambda p: p.document_id == "bay"),
        ({"year_from": 2019, "year_to": 2019}, lambda p: p.document_id == "tides"),
        ({"languages": ["es"]}, lambda p: p.document_id == "mareas"),
        ({"languages": ["en"], "authors": ["Ana"]}, lambda p: p.document_id == "bay"),
        ({"sections": ["costs"]}, lambda p: p.section in {"Costs", "Loans"}),
        ({"cites": ["osei-2021"]}, lambda p: "osei-2021" in p.reference_ids),
    ],
)
def test_a_filter_leaves_all_that_it_should_and_nothing_else(
    bay: Workspace, filters: dict[str, object], keeps: Callable[[Passage], bool]
) -> None:
    """Filtered, a search returns exactly those passages of the whole search that satisfy the filter."""
    _, everything = bay.search("turbine", limit=100)
    wanted = {p.id for p in everything if keeps(p)}
    generation = bay.generation()
    rows = Filters.of(filters).rows(generation)
    assert rows is not None
    left = {p.id for p in generation.passages([int(row) for row in rows])}
    assert wanted
    assert wanted <= left
    assert {p.id for p in bay.search("turbine", limit=100, filters=filters)[1]} == left


def test_a_filtered_question_is_answered_from_what_the_filter_leaves(bay: Workspace) -> None:
    """Ask sees nothing outside the filter: the same question is answered inside and declined outside."""
    question = "How many crowns did the turbine cost?"
    inside = bay.ask(question, filters={"cites": ["osei-2021"]})
    assert "31 million" in inside.answer
    assert all("osei-2021" in p.reference_ids for p in inside.passages)
    assert bay.ask(question, filters={"documents": ["tides"]}).status in {"found", "abstained"}
    assert bay.ask("Who wrote this?", filters={"documents": ["tides"]}).citations == () or (
        {c.document_id for c in bay.ask("Who wrote this?", filters={"documents": ["tides"]}).citations} == {"tides"}
    )


def test_a_source_is_what_another_document_lists(bay: Workspace) -> None:
    """A document is a source where another one's bibliography names its title, and an article otherwise."""
    assert sources_of(bay.generation()) == {"tides"}


@pytest.mark.parametrize(
    ("filters", "named"),
    [
        ({"colour": ["red"]}, "colour"),
        ({"kind": "book"}, "book"),
        ({"year_from": "2020"}, "year_from"),
        ({"authors": "Ana"}, "authors"),
        ({"cites": [3]}, "cites"),
    ],
)
def test_a_filter_that_cannot_be_meant_is_named(filters: dict[str, object], named: str) -> None:
    """An unknown filter or a value of the wrong kind is refused with its name, never ignored."""
    with pytest.raises(InputError, match=named):
        Filters.of(filters)


@pytest.mark.parametrize("filters", [{"documents": ["no-such"]}, {"cites": ["no-such"]}])
def test_a_filter_that_names_nothing_is_told(bay: Workspace, filters: dict[str, object]) -> None:
    """A document or an entry that does not exist is an error, not an empty result."""
    with pytest.raises(NotFoundError, match="no-such"):
        bay.search("turbine", filters=filters)


def test_a_filter_that_leaves_nothing_finds_nothing(bay: Workspace) -> None:
    """Filters that exclude every passage give an empty search and a declined question, no error."""
    nothing = {"year_from": 1900, "year_to": 1901}
    assert bay.search("turbine", filters=nothing)[1] == []
    assert bay.ask("How much did the turbine cost?", filters=nothing).status == "abstained"


def test_an_article_can_be_searched_by_what_it_cites(workspace: Workspace) -> None:
    """Over a real article, the passages found are all those that cite one of the entries asked for, and no other."""
    generation = workspace.generation("china-generative-ai")
    cited = sorted({m.reference_id for m in generation.mentions("damiani-2024") if m.reference_id})[:4]
    passages = generation.passages(range(generation.size))
    expected = {p.id for p in passages if set(p.reference_ids) & set(cited)}
    assert 1 < len(expected) < len(passages)
    _, found = workspace.search(
        "artificial intelligence", collection="china-generative-ai", limit=100, filters={"cites": cited}
    )
    assert {p.id for p in found} == expected


def test_every_filter_of_the_library_is_on_the_wire_and_on_the_command_line() -> None:
    """The contract, the command line and the library know the same filters."""
    from dataclasses import fields

    from rag.cli.questions import FILTERS
    from service.contract import Filters as Wire

    assert set(Wire.model_fields) == set(FILTERS) == {f.name for f in fields(Filters)}
