"""Texts that wait to be embedded: each comes back as it was, equal ones are known by their keys."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rag.build.texts import Texts, distinct

ANY = st.text(st.characters(exclude_categories=()), max_size=40)


@given(st.lists(st.tuples(ANY, st.lists(ANY, max_size=3)), max_size=6))
def test_a_text_comes_back_as_it_was(chunks: list[tuple[str, list[str]]]) -> None:
    """Any text, half a surrogate pair too, under its number; a chunk's before those of its sentences."""
    expected = [text for chunk, sentences in chunks for text in (chunk, *sentences)]
    with tempfile.TemporaryDirectory() as folder, Texts(Path(folder), "f" * 64) as texts:
        for chunk, sentences in chunks:
            texts.add(chunk, sentences)
        texts.done()
        assert [texts[n] for n in range(len(texts))] == expected
        assert [texts[n] for n in texts.chunks] == [chunk for chunk, _ in chunks]
        assert [texts[n] for n in texts.sentences] == [s for _, sentences in chunks for s in sentences]
        assert texts.lengths.tolist() == [len(t.encode("utf-8", "surrogatepass")) for t in expected]
        assert len(set(texts.keys.tolist())) == len(set(expected))
        assert not list(Path(folder).iterdir())


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=30))
def test_equal_keys_are_one_and_others_never(made: list[tuple[int, int]]) -> None:
    """Keys of which the first quarter agrees by chance are told apart; no text is ever given another's vector."""
    keys = np.array([bytes([a] * 8 + [b] * 24) for a, b in made], dtype="S32")
    shown, places = distinct(keys)
    assert keys[shown[places]].tolist() == keys.tolist()
    if len({a for a, _ in made}) == len(set(made)):  # no first quarter agrees by chance
        assert sorted(shown.tolist()) == sorted({made.index(one) for one in made})
