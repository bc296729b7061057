"""Question → passages: dense and lexical candidates, both scored exactly, fused by a weighted sum.

How near a passage is by meaning is the cosine of the passage or of its best sentence, whichever is nearer: a passage
that answers in one sentence and goes on about something else is not lost in its average. The cosine counts by its
place between the encoder's own averages (`Encoder.scale`); BM25, which has no scale of its own, by its share of the
question's best match. Neither depends on what other candidates there are, so a passage scores the same whatever is
asked to be listed. Sums of scores against sums of ranks: Bruch, Gai and Ingber (2023); the figures that chose among
ways to normalise stand in benchmarks/retrieval. Knows no answer and no file.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rag.encoder import Encoder
from rag.errors import InputError
from rag.lexical import question_terms
from rag.retrieve.filters import Filters
from rag.store import Generation
from rag.types import Passage, Scores

Vectors = npt.NDArray[np.float32]
_CANDIDATES = 100
"""Candidates taken from each side before fusion."""


def search(
    generation: Generation,
    encoder: Encoder,
    query: str,
    *,
    vector: Vectors | None = None,
    limit: int = 10,
    dense_weight: float = 0.6,
    filters: Filters | None = None,
    kinds: Sequence[str] | None = None,
) -> list[Passage]:
    """Return at most `limit` passages, best first, only of what the filters leave and of these chunk kinds.

    `vector` is the query's, shape (d,), where the caller has it already. Raises InputError for an empty query
    and when the index was built with another encoder, NotFoundError for a filter that names what does not exist.
    """
    if not query.strip():
        raise InputError("the question is empty; ask something in words")
    built_with = generation.manifest["encoder"]
    if built_with["fingerprint"] != encoder.fingerprint:
        raise InputError(
            f"the index was built with the encoder {built_with['name']!r}, the settings name {encoder.name!r}; "
            "rebuild with `adfontes rebuild` or set the encoder back"
        )
    if generation.size == 0:
        return []
    rows = (filters or Filters()).rows(generation, kinds)
    if rows is not None and len(rows) == 0:
        return []

    if vector is None:
        vector = encoder.encode_question(query)
    lexical = generation.lexical(question_terms(query, generation.languages))
    if rows is not None:
        kept = np.zeros_like(lexical)
        kept[rows] = lexical[rows]
        lexical = kept
    width = min(max(_CANDIDATES, limit), generation.size)
    by_terms = np.argpartition(-lexical, width - 1)[:width]
    found = {row for row, _ in generation.dense(vector, width, rows)}
    found.update(int(row) for row in by_terms if lexical[row] > 0)
    union = sorted(found)
    dense = generation.dense_of(vector, union)
    sentence = generation.sentence_of(vector, union)
    words = lexical[union]
    fused = fuse(np.maximum(dense, sentence), words, float(lexical.max()), encoder.scale, dense_weight)
    order = sorted(range(len(union)), key=lambda i: (-fused[i], union[i]))[:limit]
    scores = [
        Scores(
            dense=round(float(dense[i]), 6),
            sentence=round(float(sentence[i]), 6),
            lexical=round(float(words[i]), 6),
            fused=round(float(fused[i]), 6),
        )
        for i in order
    ]
    return generation.passages([union[i] for i in order], scores)


def fuse(cosine: Vectors, bm25: Vectors, best: float, scale: tuple[float, float], dense_weight: float) -> Vectors:
    """One score a passage, shape as `cosine` and `bm25`; `best` is the highest BM25 that the question reaches."""
    low, high = scale
    meaning = (cosine - low) / max(high - low, 1e-6)
    return np.asarray(dense_weight * meaning + (1 - dense_weight) * bm25 / max(best, 1e-6), dtype=np.float32)
