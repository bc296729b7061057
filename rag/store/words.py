"""The best chunks by words: a weighted sum of BM25 of the chunk, of its best sentence and of its document.

Each counts as a share of the question's best match. All postings are added up: common words, which would take
longest, are rows of scores and cost little (`rag.store.postings`), and leaving some of the others out by bounds
(MaxScore, Turtle and Flood 1995) took longer than adding them. Bounds do tell which chunks' sentences need not be
looked at. The same numbers come out, to the last bit, as from scoring every chunk (tests/test_words.py). Knows no text.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rag.store.layout import best_of, ranges
from rag.store.postings import Floats, Postings, summed
from rag.store.rows import Rows

_SLACK = 1e-4
"""What is added to bounds, because sums in another order differ in their last bits."""
_TRIED = 512
"""Promising rows scored whole, so that there is something to be better than."""
_FEW = 5_000
"""Rows left by a filter whose words are looked up one by one."""
_LARGE = 100_000
"""Sentences that are added up in a thread of their own, beside chunks and documents."""
_SAMPLE = 16_384
"""Bounds looked at to tell which ones are high."""
_TINY = np.float32(1e-30)
_BESIDE = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="adfontes-words")


@dataclass(frozen=True)
class Levels:
    """The postings of a generation, and how its rows belong together."""

    documents: Postings
    chunks: Postings
    sentences: Postings
    document_of: npt.NDArray[np.int32]
    """The document of each chunk, shape (chunks,), ascending: the chunks of a document stand together."""
    first_sentence: npt.NDArray[np.int64]
    """Where each chunk's sentences begin, and the end of the last, shape (chunks + 1,). A chunk and its document hold
    every term of its sentences."""

    @cached_property
    def first_chunk(self) -> npt.NDArray[np.int64]:
        """Where each document's chunks begin, and the end of the last, shape (documents + 1,)."""
        counts = np.bincount(self.document_of, minlength=self.documents.size)
        return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)


class Words:
    """A question's terms against one generation, among some rows or all."""

    def __init__(
        self, levels: Levels, terms: Sequence[int], shares: tuple[float, float, float], rows: Rows | None = None
    ) -> None:
        """`shares` are the weights of document, chunk and sentence; `rows`, ascending, confine the search."""
        self._levels, self._terms, self._rows = levels, list(terms), rows
        self._sums: tuple[Floats, Floats, Floats] | None = None
        """BM25 of every document, chunk and sentence; None where only a few rows are asked for."""
        self._holding: tuple[Floats, np.float32] | None = None
        """The most that sentences can be worth of each chunk by the words that it holds, but for common words; and by
        those."""
        if rows is None or len(rows) > _FEW:
            beside = _BESIDE.submit(levels.sentences.scores, self._terms) if levels.sentences.size > _LARGE else None
            documents, chunks = levels.documents.scores(self._terms), levels.chunks.scores(self._terms)
            self._holding = self._held()
            sentences = levels.sentences.scores(self._terms) if beside is None else beside.result()
            self._sums = documents, chunks, sentences
        self._shares, self._best = shares, self._best_of_levels()
        self._weights = tuple(
            np.float32(share) / np.float32(best) if best > 0 else np.float32(0)
            for share, best in zip(shares, self._best, strict=True)
        )

    # ── scores of given rows ─────────────────────────────────────────────────────────────────────────────────

    def of(self, rows: Sequence[int] | Rows) -> tuple[Floats, Floats]:
        """The weighted sum and the chunk's own BM25 of these rows, which are ascending; shape (len(rows),) each."""
        wanted = np.asarray(rows, dtype=np.int64)
        documents, chunks, sentences = self._scores(wanted)
        total = np.zeros(len(wanted), dtype=np.float32)
        for share, best, scores in zip(self._shares, self._best, (documents, chunks, sentences), strict=True):
            if best > 0:
                total += np.float32(share) * (scores / np.float32(best))
        return total, chunks

    def _scores(self, rows: Rows) -> tuple[Floats, Floats, Floats]:
        """BM25 of each row's document, of itself and of its best sentence, 0 where it has none."""
        levels = self._levels
        documents = levels.document_of[rows]  # ascending, as the rows are
        new = np.diff(documents, prepend=-1) > 0
        within, places = ranges(levels.first_sentence, rows)
        of_documents, of_chunks, of_sentences = (
            summed(level.each(self._terms, wanted)) if self._sums is None else self._sums[n][wanted]
            for n, (level, wanted) in enumerate((
                (levels.documents, documents[new].astype(np.int64)),
                (levels.chunks, rows),
                (levels.sentences, within),
            ))
        )  # fmt: skip
        return of_documents[np.cumsum(new) - 1], of_chunks, best_of(of_sentences, places)

    def _held(self) -> tuple[Floats, np.float32]:
        levels = self._levels
        held, always = np.zeros(levels.chunks.size, dtype=np.float32), np.float32(0)
        for term in self._terms:
            most = np.float32(levels.sentences.most(term))
            if levels.chunks.common(term):
                always += most
            else:
                held[levels.chunks.listed(term)[0]] += most
        return held, always

    # ── the best ─────────────────────────────────────────────────────────────────────────────────────────────

    def _best_of_levels(self) -> tuple[float, float, float]:
        """The highest score of a document, of a chunk and of a sentence, of the rows that are searched."""
        if self._sums is None:
            three = self._scores(np.zeros(0, dtype=np.int64) if self._rows is None else self._rows)
        elif self._rows is None:
            three = self._sums
        else:
            within, _ = ranges(self._levels.first_sentence, self._rows)
            documents, chunks, sentences = self._sums
            three = documents[self._levels.document_of[self._rows]], chunks[self._rows], sentences[within]
        return float(three[0].max(initial=0)), float(three[1].max(initial=0)), float(three[2].max(initial=0))

    def best(self, k: int) -> Rows:
        """The `k` best rows whose weighted sum is above zero, ties by row, ascending by row."""
        if not any(self._best):
            return np.zeros(0, dtype=np.int64)
        rows = self._promising(self._sums, k) if self._sums is not None else self._rows
        assert rows is not None  # noqa: S101  (all are searched, and then there are sums)
        scores, _ = self.of(rows)
        if len(rows) > 2 * k:
            good = np.flatnonzero(scores >= np.partition(scores, len(scores) - k)[len(scores) - k])
            rows, scores = rows[good], scores[good]
        order = np.lexsort((rows, -scores))[:k]
        return np.sort(rows[order[scores[order] > 0]])

    def _promising(self, sums: tuple[Floats, Floats, Floats], k: int) -> Rows:
        """Rows, ascending, among which the `k` best are: documents and chunks are weighed, sentences bounded."""
        levels, (of_document, of_chunk, of_sentence) = self._levels, self._weights
        assert self._holding is not None  # noqa: S101  (made with the sums)
        documents, chunks, _ = sums
        held, always = self._holding
        highest = np.float32(self._best[2])
        bounds = np.minimum(held, max(highest - always, np.float32(0)))
        bounds *= of_sentence
        bounds += of_chunk * chunks
        bounds += np.repeat(of_document * documents, np.diff(levels.first_chunk))
        if self._rows is not None:
            kept = np.zeros(len(bounds), dtype=np.bool_)
            kept[self._rows] = True
            bounds[~kept] = 0
        tried = _some_of_the_highest(bounds, max(_TRIED, 2 * k))
        if len(tried) < k:
            return np.flatnonzero(bounds)
        scores, _ = self.of(tried)
        reached = np.partition(scores, len(scores) - k)[len(scores) - k]
        found: Rows = np.flatnonzero(bounds >= max(reached - of_sentence * min(always, highest) - _SLACK, _TINY))
        return found


def _some_of_the_highest(bounds: Floats, wanted: int) -> Rows:
    """About so many rows of the highest bounds above zero, ascending, told from a sample.

    To take exactly the highest needs a partition of all, which takes twenty times as long where many are equal.
    """
    sample = bounds[:: max(1, len(bounds) // _SAMPLE)]
    rank = min(len(sample), -(-wanted * len(sample) // max(len(bounds), 1)) + 1)
    least = np.partition(sample, len(sample) - rank)[len(sample) - rank] if rank else np.float32(0)
    found: Rows = np.flatnonzero(bounds >= max(least, _TINY))[: 4 * wanted]
    return found
