"""What every encoder offers, and how its cosines are placed between "beside the point" and "answers"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
BATCH = 32
"""Texts encoded at once: more gains nothing on a CPU and costs memory."""
CACHED_BYTES = 2048
"""Of UTF-8 encoded at once by a model whose runs cost little to begin, about 500 tokens: what goes from layer to layer
then stays in a processor's cache. 32 passages of 256 tokens at once take half as long again as one by one."""
_PAIRS = (
    ("Why was the bridge closed last winter?", "The bridge was closed for repairs last winter."),
    ("How much sugar goes in?", "Add two spoons of sugar and stir slowly."),
    ("What does photosynthesis do?", "Photosynthesis turns light into chemical energy."),
    ("When did parliament vote on the budget?", "Parliament voted on the budget late at night."),
    ("What did her violin need?", "Her violin needed a new string before the concert."),
    ("Who missed the penalty?", "The striker missed a penalty in the final minute."),
    ("How far did interest rates rise?", "Interest rates rose by a quarter of a point."),
    ("How do penguins keep warm?", "Penguins huddle together to keep warm."),
    ("What does the update fix?", "The update fixes a crash when files are renamed."),
    ("Where did he plant the apple trees?", "He planted three apple trees behind the barn."),
    ("Where was the treaty signed?", "The treaty was signed in a small coastal town."),
    ("How long does a mild fever last?", "A mild fever usually passes within two days."),
)


class Encoder(Protocol):
    """What the other rooms may ask of an encoder. Safe to share between threads."""

    name: str
    fingerprint: str
    """SHA-256 over weights and settings: equal fingerprints give equal vectors."""
    dimension: int
    max_tokens: int
    """Longest input in the encoder's own tokens; what is longer would be cut off unseen."""
    multilingual: bool
    """Whether a question in one language finds passages in another."""
    scale: tuple[float, float]
    """Mean cosine of questions with sentences that are beside the point, and with those that answer them: one encoder
    keeps all texts between 0.75 and 0.9, another between 0 and 0.7, and only the place between the two compares."""

    def count_tokens(self, text: str) -> int:
        """Length of `text` in the encoder's own tokens, special ones included."""

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """Unit vectors, float32 of shape (len(texts), dimension); `progress` gets the number done so far."""

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """The unit vectors of questions, shape (len(texts), dimension)."""

    def encode_question(self, text: str) -> Vectors:
        """The unit vector of a question, shape (dimension,)."""


def measure_scale(encoder: Encoder) -> tuple[float, float]:
    """What `Encoder.scale` says, measured on a dozen made-up pairs of question and answer."""
    answers = encoder.encode([answer for _, answer in _PAIRS])
    cosines = encoder.encode_questions([question for question, _ in _PAIRS]) @ answers.T
    beside = cosines[~np.eye(len(_PAIRS), dtype=bool)]
    return float(beside.mean()), float(np.diagonal(cosines).mean())


def in_batches(
    texts: Sequence[str],
    dimension: int,
    encode: Callable[[list[str]], Vectors],
    progress: Callable[[int], None] | None = None,
    *,
    most_bytes: int | None = None,
) -> Vectors:
    """Encode `texts` in batches of like length, so that little is spent on padding; in the order given.

    A batch has at most `BATCH` texts, and of longer ones so many that, all as long as the longest, they have
    `most_bytes` of UTF-8, but always one.
    """
    vectors = np.empty((len(texts), dimension), dtype=np.float32)
    lengths = [len(text.encode("utf-8", "surrogatepass")) for text in texts]
    order = sorted(range(len(texts)), key=lengths.__getitem__, reverse=True)
    done = 0
    while done < len(order):
        longest = max(lengths[order[done]], 1)
        size = BATCH if most_bytes is None else min(BATCH, max(1, most_bytes // longest))
        batch = order[done : done + size]
        vectors[batch] = encode([texts[i] for i in batch])
        done += len(batch)
        if progress is not None:
            progress(done)
    return vectors
