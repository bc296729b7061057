"""Chunks: whole sentences, within the budget, at exact offsets."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rag.chunks import count_tokens, embedded_text, split
from rag.encoder import load
from rag.store import Generation
from rag.types import Document, Section

WORDS = st.sampled_from(
    ["alpha", "beta,", "gamma.", "(Deng, 2024).", "\n\n", "数据。", "naïve", "x" * 60, "3.5", "\t", "—"]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS, max_size=150).map(" ".join), st.integers(16, 64))
def test_every_chunk_is_the_text_at_its_offsets_and_none_is_lost(text: str, budget: int) -> None:
    """Chunks are exact slices within the budget, in order, and together hold all that is not white space."""
    document = Document(id="d", text=text)
    chunks = split(document, budget=budget)
    position = 0
    for chunk in chunks:
        assert chunk.text == text[chunk.start : chunk.end]
        assert chunk.start >= position
        assert not text[position : chunk.start].strip()
        assert chunk.tokens == count_tokens(chunk.text) <= budget or len(chunk.text) == 1
        assert chunk.sentences[0].start == chunk.start
        assert chunk.sentences[-1].end == chunk.end
        position = chunk.end
    assert not text[position:].strip()


def test_nothing_embedded_is_longer_than_the_encoder_reads(digest: Generation) -> None:
    """What is embedded for a chunk, its context included, fits the encoder's window: nothing is cut off unseen."""
    encoder = load("all-MiniLM-L6-v2")
    for brief in digest.documents():
        document = digest.document(brief.id)
        for chunk in split(document, encoder_tokens=encoder.count_tokens, encoder_limit=encoder.max_tokens):
            assert encoder.count_tokens(embedded_text(document, chunk)) <= encoder.max_tokens


def test_a_long_sentence_in_a_script_without_spaces_is_cut_and_none_of_it_lost() -> None:
    """A sentence over the budget is cut into pieces that fit, whatever its script."""
    text = "人工智能" * 300 + "。"
    chunks = split(Document(id="d", text=text, language="zh"), budget=100)
    assert len(chunks) > 1
    assert "".join(c.text for c in chunks) == text
    assert all(c.tokens <= 100 for c in chunks)


def test_chunks_do_not_cross_sections() -> None:
    """A chunk belongs to one section, and headings are in none."""
    text = "A\n\nOne. Two.\n\nB\n\nThree."
    sections = (Section("A", 1, "body", 0, 3, 14), Section("B", 1, "body", 14, 17, len(text)))
    chunks = split(Document(id="d", text=text, sections=sections))
    assert [(c.section, c.text) for c in chunks] == [("A", "One. Two."), ("B", "Three.")]
