"""BM25 postings of one level (documents, chunks or sentences): plain arrays, mapped from disk.

    lexical/<of what>/starts.npy       int64   where each term's postings begin, and the end of the last
    lexical/<of what>/rows.npy         int32   the documents, chunks or sentences that hold the term, ascending
    lexical/<of what>/scores.npy       float32 what the term is worth in each of them
    lexical/<of what>/most.npy         float32 the most that the term is worth in any of them
    lexical/<of what>/frequencies.npy  int32   the number of texts that hold the term
    lexical/<of what>/common.npy       int32   the terms in every `COMMON`th text or more, ascending: they have no
    lexical/<of what>/dense.npy        float32 postings but a score for every text, 0 where it does not hold the term

The levels share one vocabulary, a table of store.sqlite; `rag.store.words` puts them together. A row of scores for all
texts is added up in a tenth of the time that postings take, and read at any place without a search; at half of all
texts it is the smaller of the two.

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

from rag.errors import IndexDamagedError
from rag.store.rows import Rows, load_array

K1, B = 0.9, 0.4
COMMON = 4
_ARRAYS = {
    "starts": np.int64, "rows": np.int32, "scores": np.float32, "most": np.float32,
    "frequencies": np.int32, "common": np.int32, "dense": np.float32,
}  # fmt: skip

Floats = npt.NDArray[np.float32]


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
        counted = Counter(terms)
        vocabulary = self.vocabulary
        self._terms.extend([vocabulary.setdefault(term, len(vocabulary)) for term in counted])
        self._rows.extend([row] * len(counted))
        self._counts.extend(counted.values())

    def write(self, folder: Path) -> None:
        """Write the arrays into `folder`, which is made."""
        terms, rows = np.frombuffer(self._terms, dtype=np.int32), np.frombuffer(self._rows, dtype=np.int32)
        counts, lengths = (np.frombuffer(a, dtype=np.int32).astype(np.float32) for a in (self._counts, self._lengths))
        order = np.argsort(terms, kind="stable")
        found = np.bincount(terms, minlength=len(self.vocabulary))
        idf = np.log1p((len(lengths) - found + 0.5) / (found + 0.5)).astype(np.float32)
        average = max(float(lengths.mean()) if len(lengths) else 0.0, 1.0)
        damped = K1 * (1 - B + B * lengths / np.float32(average))
        starts = np.concatenate(([0], np.cumsum(found))).astype(np.int64)
        rows, scores = rows[order], (idf[terms] * counts / (counts + damped[rows]))[order].astype(np.float32)
        most = np.zeros(len(found), dtype=np.float32)
        if len(scores):
            most[found > 0] = np.maximum.reduceat(scores, starts[:-1][found > 0])
        common = np.flatnonzero((found > 0) & (found * COMMON >= len(lengths))).astype(np.int32)
        listed = np.ones(len(rows), dtype=np.bool_)
        folder.mkdir()
        dense = np.lib.format.open_memmap(
            folder / "dense.npy", mode="w+", dtype=np.float32, shape=(len(common), len(lengths))
        )
        for own, term in zip(dense, common, strict=True):
            postings = slice(starts[term], starts[term + 1])
            own[rows[postings]] = scores[postings]
            listed[postings] = False
        dense.flush()
        lists = found.copy()
        lists[common] = 0
        for name, values in (
            ("starts", np.concatenate(([0], np.cumsum(lists))).astype(np.int64)),
            ("rows", rows[listed]),
            ("scores", scores[listed]),
            ("most", most),
            ("frequencies", found.astype(np.int32)),
            ("common", common),
        ):
            np.save(folder / f"{name}.npy", values)


class Postings:
    """The arrays, open for reading. Safe to share between threads."""

    def __init__(self, folder: Path, size: int) -> None:
        """Open the postings of `size` texts. Raises IndexDamagedError for arrays that do not belong together."""
        self._starts, self._rows, self._scores, self._most, self._frequencies, common, self._dense = (
            # As plain arrays: numpy's class for mapped ones takes longer to slice than a short list to add up.
            load_array(folder / f"{name}.npy", None, kind).view(np.ndarray)
            for name, kind in _ARRAYS.items()
        )
        if not (
            all(a.ndim == 1 for a in (self._starts, self._rows, self._scores, self._most, self._frequencies, common))
            and len(self._starts) == len(self._most) + 1 == len(self._frequencies) + 1
            and self._starts[0] == 0
            and self._starts[-1] == len(self._rows) == len(self._scores)
            and bool((np.diff(self._starts) >= 0).all())
            and self._dense.shape == (len(common), size)
        ):
            raise IndexDamagedError(f"the postings in {folder} do not belong together")
        self._common = {int(term): place for place, term in enumerate(common)}
        self.size = size
        """The number of texts."""
        self.vocabulary = len(self._most)
        """The number of terms."""

    def frequency(self, term: int) -> int:
        """The number of texts that hold the term."""
        return int(self._frequencies[term])

    def common(self, term: int) -> bool:
        """Whether the term has a score for every text instead of postings."""
        return term in self._common

    def most(self, term: int) -> float:
        """The most that the term is worth in any text."""
        return float(self._most[term])

    def listed(self, term: int) -> tuple[Rows, Floats]:
        """The rows of the texts that hold the term, ascending, and what it is worth in each; none for a common term."""
        begin, end = int(self._starts[term]), int(self._starts[term + 1])
        # Unsigned, so that a forged row below zero is none that could be taken for a place; wide, because numpy would
        # otherwise make it so for each use.
        return self._rows[begin:end].view(np.uint32).astype(np.int64), self._scores[begin:end]

    def scores(self, terms: Sequence[int]) -> Floats:
        """BM25 of every text for these terms, shape (size,). Raises IndexDamagedError for rows that cannot be."""
        total = np.zeros(self.size, dtype=np.float32)
        for term in terms:
            place = self._common.get(term)
            if place is not None:
                total += self._dense[place]
                continue
            rows, scores = self.listed(term)
            try:
                total[rows] += scores
            except IndexError:
                raise IndexDamagedError(f"a posting names row {int(rows.max())} of {self.size}") from None
        return total

    def each(self, terms: Sequence[int], wanted: Rows) -> Floats:
        """What each term is worth in each of the texts `wanted`, ascending rows; shape (len(terms), len(wanted)).

        Common terms are looked up, not read: the cost is that of the texts asked for.
        """
        found = np.zeros((len(terms), len(wanted)), dtype=np.float32)
        if not len(wanted):
            return found
        for own, term in zip(found, terms, strict=True):
            place = self._common.get(term)
            if place is not None:
                np.take(self._dense[place], wanted, out=own)
                continue
            begin, end = int(self._starts[term]), int(self._starts[term + 1])
            rows, scores = self._rows[begin:end], self._scores[begin:end]
            if not len(rows):
                continue
            if len(rows) < len(wanted):
                places = np.minimum(np.searchsorted(wanted, rows), len(wanted) - 1)
                here = wanted[places] == rows
                own[places[here]] = scores[here]
            else:
                # A key of another type than the array's would have the whole array copied.
                places = np.minimum(np.searchsorted(rows, wanted.astype(np.int32)), len(rows) - 1)
                here = rows[places] == wanted
                own[here] = scores[places[here]]
        return found


def summed(each: Floats) -> Floats:
    """The sum over terms, in their order, so that it is to the last bit what `Postings.scores` gives."""
    total = np.zeros(each.shape[1], dtype=np.float32)
    for own in each:
        total += own
    return total
