"""A build holds no vectors: what it takes in memory does not grow with them."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from rag import build
from rag.types import Document

DIMENSION = 4096


class Drawn:
    """An encoder without a model, of vectors so long that nothing else counts: each is drawn from its text's hash."""

    name, fingerprint, dimension, max_tokens, multilingual = "drawn", "d" * 64, DIMENSION, 256, False
    scale = (0.0, 1.0)
    encoded = 0

    def count_tokens(self, text: str) -> int:
        """Words, roughly."""
        return text.count(" ") + 3

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> np.ndarray:
        """A unit vector for each text."""
        self.encoded += len(texts)
        made = np.empty((len(texts), DIMENSION), dtype=np.float32)
        for row, text in zip(made, texts, strict=True):
            seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
            row[:] = np.random.default_rng(seed).standard_normal(DIMENSION, dtype=np.float32)
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


def peak(folder: Path, documents: int) -> tuple[int, int]:
    """The most bytes that a build of so many documents had in hand, and those of its vectors."""
    encoder = Drawn()
    given = []
    for n in range(documents):
        text = " ".join(f"Sentence {m} of document {n} says that lamp {n * m} burns oil." for m in range(120))
        given.append(Document(f"d{n}", text, f"Lamps {n}"))
    plan = build.Plan(
        corpus=folder / "c",
        index=folder / "index",
        load_encoder=lambda: encoder,
        encoder_fingerprint=encoder.fingerprint,
        vectors=folder / "vectors",
    )
    tracemalloc.start()
    try:
        build.index(plan, given)
        return tracemalloc.get_traced_memory()[1], encoder.encoded * DIMENSION * 4
    finally:
        tracemalloc.stop()


def test_a_build_does_not_hold_its_vectors(tmp_path: Path) -> None:
    """Four times the documents take little more memory, though their vectors are four times as many bytes."""
    small, of_small = peak(tmp_path / "small", 10)
    large, of_large = peak(tmp_path / "large", 40)
    assert of_large > 3.5 * of_small
    assert large - small < 0.35 * (of_large - of_small)
