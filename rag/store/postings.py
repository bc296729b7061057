"""BM25 over documents, chunks and sentences: postings as plain arrays, mapped from disk, for each of the three.

    lexical/<of what>/starts.npy   int64   where each term's postings begin, and the end of the last
    lexical/<of what>/rows.npy     int32   the documents, chunks or sentences that hold the term, ascending
    lexical/<of what>/scores.npy   float32 what the term is worth in each of them

The three share one vocabulary, a table of store.sqlite.

Robertson and Zaragoza (2009), in Lucene's form: idf · tf / (tf + k1 · (1 − b + b · length / average)), with
idf = ln(1 + (N − n + ½) / (n + ½)). Scores are computed when the index is written, so a question only adds them up.
Knows no text: terms are numbers here.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

K1, B = 0.9, 0.4
_NAMES = ("starts", "rows", "scores")


class PostingsWriter:
    """Takes texts one by one, in row order, and writes the arrays."""

    def __init__(self, vocabulary: dict[str, int]) -> None:
        self.vocabulary = vocabulary
        """The number of each term; new terms are added to it."""
        self._terms, self._rows, self._counts, self._lengths = array("i"), array("i"), array("i"), array("i")

    def add(self, terms: Sequence[str]) -> None:
        """Add the next text's terms, repeated as often as they occur."""
        row = len(self._lengths)
        self._lengths.append(len(terms))
        for term, count in Counter(terms).items():
            self._terms.append(self.vocabulary.setdefault(term, len(self.vocabulary)))
            self._rows.append(row)
            self._counts.append(count)

    def write(self, folder: Path) -> None:
        """Write the arrays into `folder`, which is made."""
        terms, rows = np.frombuffer(self._terms, dtype=np.int32), np.frombuffer(self._rows, dtype=np.int32)
        counts, lengths = (np.frombuffer(a, dtype=np.int32).astype(np.float32) for a in (self._counts, self._lengths))
        order = np.argsort(terms, kind="stable")
        found = np.bincount(terms, minlength=len(self.vocabulary))
        idf = np.log1p((len(lengths) - found + 0.5) / (found + 0.5)).astype(np.float32)
        average = max(float(lengths.mean()) if len(lengths) else 0.0, 1.0)
        damped = K1 * (1 - B + B * lengths / np.float32(average))
        folder.mkdir()
        np.save(folder / "starts.npy", np.concatenate(([0], np.cumsum(found))).astype(np.int64))
        np.save(folder / "rows.npy", rows[order])
        np.save(folder / "scores.npy", (idf[terms] * counts / (counts + damped[rows]))[order].astype(np.float32))


class Postings:
    """The arrays, open for reading. Safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        # Never unpickled: a hostile file is refused, not run.
        self._starts, self._rows, self._scores = (
            np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _NAMES
        )

    def frequency(self, term: int) -> int:
        """The number of texts that hold the term."""
        return int(self._starts[term + 1] - self._starts[term])

    def scores(self, terms: Sequence[int], size: int) -> npt.NDArray[np.float32]:
        """BM25 of every text for these terms, shape (size,)."""
        total = np.zeros(size, dtype=np.float32)
        for term in terms:
            begin, end = int(self._starts[term]), int(self._starts[term + 1])
            total[self._rows[begin:end]] += self._scores[begin:end]
        return total
