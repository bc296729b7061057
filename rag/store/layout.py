"""Where each chunk of a generation stands, as arrays, mapped; and what an earlier build embedded, by its hash.

layout/document.npy         int32   the number of each chunk's document, ascending
layout/start.npy            int64   where it begins in the document's text
layout/kind.npy             uint8   its kind, by the order of `rag.types.ChunkKind`
layout/first_sentence.npy   int64   where its sentences begin, and the end of the last
layout/chunk_keys.npy, layout/sentence_keys.npy   S32   the SHA-256 of what was embedded
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rag.errors import IndexDamagedError
from rag.store.rows import Keys, Rows, Vectors, load_array

_SHORT = 8
"""Scores of a stretch that are gone through one after the other."""


class Layout:
    """The arrays, open for reading."""

    def __init__(self, folder: Path, counts: Mapping[str, Any]) -> None:
        """Raises IndexDamagedError when they do not fit the counts of the manifest or one another."""
        documents, chunks, sentences = (int(counts[n]) for n in ("documents", "chunks", "sentences"))

        def load(name: str, size: int, dtype: npt.DTypeLike) -> Any:  # noqa: ANN401  (an array of that type)
            return load_array(folder / f"{name}.npy", (size,), dtype)

        self.document: npt.NDArray[np.int32] = load("document", chunks, np.int32)
        self.start: npt.NDArray[np.int64] = load("start", chunks, np.int64)
        self.kind: npt.NDArray[np.uint8] = load("kind", chunks, np.uint8)
        self.first_sentence: npt.NDArray[np.int64] = load("first_sentence", chunks + 1, np.int64)
        self.chunk_keys: Keys = load("chunk_keys", chunks, "S32")
        self.sentence_keys: Keys = load("sentence_keys", sentences, "S32")
        first = self.first_sentence
        if not (
            first[0] == 0
            and first[-1] == sentences
            and bool((np.diff(first) >= 0).all())
            and bool((np.diff(self.document) >= 0).all())
            and (not chunks or 0 <= self.document[0] <= self.document[-1] < documents)
        ):
            raise IndexDamagedError(f"{folder.parent.name}: the arrays of its layout do not fit together")


def ranges(first: npt.NDArray[np.int64], rows: Rows) -> tuple[Rows, Rows]:
    """The numbers from `first[row]` to `first[row + 1]` of each row, in turn, and where each row's begin among them."""
    begins = first[rows]
    counts = first[rows + 1] - begins
    places = np.concatenate(([0], np.cumsum(counts)))
    return np.repeat(begins - places[:-1], counts) + np.arange(places[-1]), places


def best_of(scores: npt.NDArray[np.float32], places: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """The highest score of each stretch `places[i]:places[i + 1]`, 0 for an empty one; shape (len(places) - 1,).

    The first of each stretch, then the second of each that has two, and so on: `reduceat` takes four times as long
    where stretches are short, so it is left those that are long.
    """
    begins, counts = places[:-1], np.diff(places)
    found = np.full(len(begins), -np.inf, dtype=np.float32)
    every = min(int(counts.min(initial=_SHORT)), _SHORT)
    for nth in range(every):
        np.maximum(found, scores[begins + nth], out=found)
    left = np.flatnonzero(counts > every)
    for nth in range(every, _SHORT):
        if not len(left):
            break
        found[left] = np.maximum(found[left], scores[begins[left] + nth])
        left = left[counts[left] > nth + 1]
    if len(left):
        rest, ends = ranges(places, left)
        found[left] = np.maximum(found[left], np.maximum.reduceat(scores[rest], ends[:-1]))
    found[counts == 0] = 0
    return found


class _Stored(Protocol):
    def of(self, rows: Rows) -> Vectors: ...


class KnownVectors:
    """Vectors of a generation by the hash of what was embedded."""

    def __init__(self, keys: Keys, vectors: _Stored) -> None:
        self._keys, self._vectors = keys, vectors

    @cached_property
    def _order(self) -> Rows:
        return np.argsort(self._keys, kind="stable")

    def find(self, keys: Keys) -> Rows:
        """The row of each of these keys, -1 where it is not known."""
        found = np.full(len(keys), -1, dtype=np.int64)
        if not len(self._keys) or not len(keys):
            return found
        places = np.minimum(np.searchsorted(self._keys, keys, sorter=self._order), len(self._keys) - 1)
        rows = self._order[places]
        same = self._keys[rows] == keys
        found[same] = rows[same]
        return found

    def of(self, rows: Rows) -> Vectors:
        """The vectors of these rows, shape (len(rows), dimension). Raises IndexDamagedError for one that changed."""
        return self._vectors.of(rows)
