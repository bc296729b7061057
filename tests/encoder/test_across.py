"""A question in another language gets the vector that an English encoder would give its translation, nearly."""

from __future__ import annotations

import json
from importlib import resources

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag import encoder
from rag.encoder import Across, Encoder
from rag.encoder.across import Bridge, Universal
from rag.errors import ModelError
from rag.workspace import Workspace

SAME = (
    ("How many people live in the village?", "村里住着多少人？"),
    ("Who built the old bridge?", "¿Quién construyó el puente viejo?"),
    ("When does the museum open?", "Wann öffnet das Museum?"),
    ("Why did the price of bread rise?", "Pourquoi le prix du pain a-t-il augmenté ?"),
    ("Which animals live in the forest?", "Que animais vivem na floresta?"),
    ("What is the teacher reading?", "先生は何を読んでいますか"),
    ("Where was the letter found?", "Где нашли письмо?"),
)


@pytest.fixture(scope="module")
def english(workspace: Workspace) -> Encoder:
    """The default encoder, which reads English."""
    return workspace.encoder()


@pytest.fixture(scope="module")
def across(english: Encoder) -> Across:
    """The same, asked in other languages."""
    made = encoder.across(english, "zh", {"en"})
    assert isinstance(made, Across)
    return made


def test_a_question_lies_nearest_to_its_translation(english: Encoder, across: Across) -> None:
    """Of seven English questions, each of seven languages' comes to the one that asks the same."""
    theirs = across.encode_questions([other for _, other in SAME])
    ours = english.encode_questions([own for own, _ in SAME])
    assert theirs.shape == ours.shape
    assert (theirs @ ours.T).argmax(axis=1).tolist() == list(range(len(SAME)))


def test_passages_stay_what_the_encoder_makes_of_them(english: Encoder, across: Across) -> None:
    """Only questions are carried over: the index is the encoder's own, and so is its fingerprint."""
    texts = ["The bridge was built in 1901.", "Bread cost a crown."]
    assert np.array_equal(across.encode(texts), english.encode(texts))
    assert across.fingerprint == english.fingerprint
    assert across.count_tokens(texts[0]) == english.count_tokens(texts[0])


def test_what_cannot_be_carried_is_left_to_the_encoder(english: Encoder, across: Across) -> None:
    """A language that the model does not read, sources that the encoder does not, another encoder: nothing changes."""

    class Another:
        """An encoder whose space the bridge does not lead to."""

        fingerprint, multilingual = "another", False

    another = Another()
    assert encoder.across(english, "el", {"en"}) is english
    assert encoder.across(english, "zh", {"es"}) is english
    assert encoder.across(another, "zh", {"en"}) is another  # type: ignore[arg-type]
    assert encoder.across(across, "zh", {"en"}) is across
    assert encoder.across(english, "de", {"en", "fr"}) is across


@given(st.lists(st.text(max_size=60), max_size=6))
@settings(max_examples=60, deadline=None)
def test_any_text_has_a_vector(across: Across, texts: list[str]) -> None:
    """Empty, odd and broken text (half a surrogate pair) is read as something, never refused; all lengths are one."""
    texts = [*texts, "", "\ud800", "词" * 3000]
    vectors = across.encode_questions(texts)
    assert vectors.shape == (len(texts), across.dimension)
    assert np.isfinite(vectors).all()
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    assert across.words(texts).shape == (len(texts), Universal.dimension)


def test_words_are_remembered_within_bounds(across: Across) -> None:
    """However many words are compared, only some thousands are kept, and the vectors stay the same."""
    first = across.words(["river"])
    for part in range(3):
        across.words([f"word{part}-{i}" for i in range(2000)])
    universal = across._universal
    assert len(universal._known) <= 6100
    assert np.allclose(across.words(["river"]), first, atol=1e-5)


def test_weights_that_are_not_the_cards_are_refused() -> None:
    """A flipped byte in the bridge is told, with the mend; nothing is unpickled."""
    folder = resources.files("rag") / "models" / "across"
    weights = bytearray((folder / "bridge.npz").read_bytes())
    weights[len(weights) // 2] ^= 1
    with pytest.raises(ModelError, match="train the bridge again"):
        Bridge(bytes(weights), json.loads((folder / "across.json").read_text()))
