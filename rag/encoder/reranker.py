"""Re-rankers: models that read a question and a passage together and say how relevant the one is to the other.

Any sentence-transformers CrossEncoder by name or path, or our own judge. What they say counts beside the score that the
search gave, for together they order better than either alone: see benchmarks/retrieval. None ships turned on. Knows no
index.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from rag.encoder.judge import Judge
from rag.errors import ModelError


class Reranker(Protocol):
    """What a search may ask of a re-ranker."""

    name: str
    weight: float | None
    """Of its scores, added to the search's own; None where its order replaces the search's."""

    def relevance(self, question: str, passages: Sequence[str]) -> list[float]:
        """How relevant each passage is, as log-odds where there is a `weight`; higher is better. Raises ModelError."""


_WEIGHT = 0.01
"""What a point of log-odds adds to a fused score; see benchmarks/retrieval."""
_SUREST = 1e-4
"""How near to 0 and 1 a probability counts."""


class JudgeReranker:
    """The judge's probability that a passage, read whole, answers, as log-odds."""

    weight: float | None = _WEIGHT

    def __init__(self, judge: Judge) -> None:
        self.name = judge.name
        self._judge = judge

    def relevance(self, question: str, passages: Sequence[str]) -> list[float]:
        """Log-odds."""
        bounded = (min(max(p, _SUREST), 1 - _SUREST) for p in self._judge.answers(question, passages))
        return [math.log(p / (1 - p)) for p in bounded]


class CrossEncoderReranker:
    """A CrossEncoder of sentence-transformers (Nogueira and Cho 2019), by name or path, on torch."""

    weight: float | None = _WEIGHT

    def __init__(self, name: str, threads: int) -> None:
        """Load it from a folder, the hub's cache or the hub. Raises ModelError."""
        if Path(name).is_dir():
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        import torch
        from sentence_transformers import CrossEncoder

        torch.set_num_threads(threads)
        try:
            self._model: Any = CrossEncoder(name, device="cpu")
        except (OSError, ValueError) as error:
            why = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            raise ModelError(
                f"re-ranker {name!r} cannot be loaded ({why}); give the path of a CrossEncoder, a name that the hub "
                "has, 'judge' for the packaged one or 'none'"
            ) from error
        if int(self._model.config.num_labels) != 1:
            raise ModelError(f"re-ranker {name!r} has {self._model.config.num_labels} outputs; one that ranks has one")
        self.name = name

    def relevance(self, question: str, passages: Sequence[str]) -> list[float]:
        """The model's own scores, before any activation."""
        if not passages:
            return []
        from torch.nn import Identity

        pairs = [(question, passage) for passage in passages]
        return [float(score) for score in self._model.predict(pairs, activation_fn=Identity(), show_progress_bar=False)]


@lru_cache(maxsize=2)
def load_reranker(name: str, threads: int = 1) -> Reranker:
    """The re-ranker called `name`: `judge`, or any CrossEncoder's name or path. Raises ModelError."""
    return JudgeReranker(Judge.packaged(threads=threads)) if name == "judge" else CrossEncoderReranker(name, threads)
