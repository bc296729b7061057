"""A build holds neither sources nor vectors: what it takes in memory grows with neither."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from rag import build
from rag.build import drafts
from rag.store import postings
from rag.types import Document

DIMENSION = 4096
"""So long that nothing else counts."""


class Drawn:
    """An encoder without a model: each vector is drawn from its text's hash."""

    name, fingerprint, max_tokens, multilingual = "drawn", "d" * 64, 256, False
    scale = (0.0, 1.0)
    encoded = 0

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension

    def count_tokens(self, text: str) -> int:
        """Words, roughly."""
        return text.count(" ") + 3

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> np.ndarray:
        """A unit vector for each text."""
        self.encoded += len(texts)
        made = np.empty((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(made, texts, strict=True):
            seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
            row[:] = np.random.default_rng(seed).standard_normal(self.dimension, dtype=np.float32)
        made /= np.linalg.norm(made, axis=1, keepdims=True)
        if progress is not None:
            progress(len(texts))
        return made

    def encode_questions(self, texts: Sequence[str]) -> np.ndarray:
        """The same."""
        return self.encode(texts)

    def encode_question(self, text: str) -> np.ndarray:
        """The same, of one."""
        return self.encode([text])[0]


def plan(folder: Path, encoder: Drawn) -> build.Plan:
    """A collection in this folder."""
    return build.Plan(
        corpus=folder / "c",
        index=folder / "index",
        load_encoder=lambda: encoder,
        encoder_fingerprint=encoder.fingerprint,
        vectors=folder / "vectors",
    )


def peak(folder: Path, documents: int) -> tuple[int, int]:
    """The most bytes that a build of so many documents had in hand, and those of its vectors."""
    encoder = Drawn(DIMENSION)
    given = []
    for n in range(documents):
        text = " ".join(f"Sentence {m} of document {n} says that lamp {n * m} burns oil." for m in range(120))
        given.append(Document(f"d{n}", text, f"Lamps {n}"))
    tracemalloc.start()
    try:
        build.index(plan(folder, encoder), given)
        return tracemalloc.get_traced_memory()[1], encoder.encoded * DIMENSION * 4
    finally:
        tracemalloc.stop()


def test_a_build_does_not_hold_its_vectors(tmp_path: Path) -> None:
    """Four times the documents take little more memory, though their vectors are four times as many bytes."""
    small, of_small = peak(tmp_path / "small", 10)
    large, of_large = peak(tmp_path / "large", 40)
    assert of_large > 3.5 * of_small
    assert large - small < 0.35 * (of_large - of_small)


def peak_of_sources(folder: Path, documents: int) -> tuple[int, int]:
    """The most bytes that a rebuild of so many sources had in hand, and those of the sources."""
    encoder = Drawn(8)
    corpus = folder / "c"
    corpus.mkdir(parents=True)
    for n in range(documents):
        words = np.random.default_rng(n).integers(0, 2000, (200, 60))
        sentences = (" ".join(f"word{w}" for w in row).capitalize() + "." for row in words)
        (corpus / f"d{n}.md").write_text(f"# Lamps {n}\n\n" + "\n\n".join(sentences), encoding="utf-8")
    tracemalloc.start()
    try:
        report = build.rebuild(plan(folder, encoder))
        assert (report.documents, report.skipped) == (documents, ())
        return tracemalloc.get_traced_memory()[1], sum(p.stat().st_size for p in corpus.iterdir())
    finally:
        tracemalloc.stop()


def test_a_build_does_not_hold_its_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times the sources take little more memory: texts, chunks and terms wait on disk until they are written."""
    monkeypatch.setattr(drafts, "_IN_MEMORY", 1 << 16)
    monkeypatch.setattr(postings, "_TAKEN", 1 << 12)
    monkeypatch.setattr(postings, "_SORTED", 1 << 12)
    small, of_small = peak_of_sources(tmp_path / "small", 2)
    large, of_large = peak_of_sources(tmp_path / "large", 8)
    assert of_large > 3.5 * of_small
    assert large - small < 0.25 * (of_large - of_small)
