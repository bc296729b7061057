"""Learned sparse vectors: terms that a text is about, kept with its chunk and asked by inner product."""

from __future__ import annotations

import numpy as np
import pytest

from rag.encoder import SparseEncoder, load_sparse
from rag.encoder.sparse import WIDTH
from rag.errors import ModelError
from rag.settings import Settings
from rag.workspace import Workspace


@pytest.fixture(scope="module")
def sparse() -> SparseEncoder:
    """The packaged model."""
    return load_sparse()


def score(sparse: SparseEncoder, question: str, text: str) -> float:
    """The inner product of a question's and a text's terms."""
    asked = sparse.encode_question(question)
    assert asked is not None
    return float(sparse.scores(asked, sparse.encode([text]))[0])


def test_a_text_is_found_by_a_word_that_it_does_not_say(sparse: SparseEncoder) -> None:
    """A text about a physician answers for "doctor" better than one about a carpenter."""
    assert score(sparse, "doctor", "The physician examined him.") > score(sparse, "doctor", "The carpenter saw him.")


def test_what_cannot_be_read_has_no_terms(sparse: SparseEncoder) -> None:
    """Chinese, which the model does not know, gets no terms and leaves a question to its words alone."""
    assert not sparse.encode(["文心一言吸引了超过两亿用户。", "", "   "]).any()
    assert sparse.encode_question("文心一言吸引了多少用户？") is None
    assert sparse.encode_question("") is None


def test_terms_do_not_depend_on_what_else_is_in_the_batch(sparse: SparseEncoder) -> None:
    """A text alone and among others of any length has the same terms to a hundredth of a weight."""
    texts = ["The bridge was closed.", "A treaty was signed in the town. " * 40, "Tides.", "", "桥关闭了。"]
    together = sparse.encode(texts).view(np.uint16)
    for text, row in zip(texts, together, strict=True):
        (alone,) = sparse.encode([text]).view(np.uint16)
        weights = np.zeros((2, 1 << 16))
        for kept, one in zip(weights, (alone, row), strict=True):
            kept[one[:WIDTH][one[WIDTH:] > 0]] = one[WIDTH:][one[WIDTH:] > 0]
        lightest = min((w[w > 0].min(initial=1e9) for w in weights), default=0)
        differs = np.abs(weights[0] - weights[1])
        # Of two terms of like weight either may be the last that is kept.
        assert np.all((differs <= 10) | (weights.max(0) <= lightest + 10))


def test_a_long_text_is_read_to_its_end(sparse: SparseEncoder) -> None:
    """What stands behind the model's longest input counts like what stands within it."""
    assert score(sparse, "lighthouse", "The sea was calm. " * 200 + "Then the lighthouse failed.") > 2 * score(
        sparse, "lighthouse", "The sea was calm. " * 200
    )


def test_another_file_than_the_card_names_is_refused() -> None:
    """A model that is not the one of its card is an error that says how to mend it, not a wrong answer."""
    with pytest.raises(ModelError, match="install the package again"):
        SparseEncoder(b"no model", "{}", {"name": "splade-tiny", "sha256": "0" * 64, "max_tokens": 256})


def test_an_index_has_learned_terms_where_the_setting_says_so(fresh: Workspace) -> None:
    """Turned on or off by one setting; an index without them is searched by words alone until it is rebuilt."""
    plain = Workspace(Settings(**{**fresh.settings.model_dump(), "sparse": "none"}))
    before = plain.rebuild()
    assert {p.scores.sparse for p in fresh.search("Who paid for the turbine?")[1]} == {None}
    after = fresh.rebuild()
    assert after.generation != before.generation
    assert after.embedded == 0
    found = fresh.search("Who paid for the turbine?")[1]
    assert max(p.scores.sparse or 0 for p in found) == 1
    assert {p.scores.sparse for p in fresh.search("涡轮机花了多少钱？")[1]} == {None}
    assert {p.scores.sparse for p in plain.search("Who paid for the turbine?")[1]} == {None}
