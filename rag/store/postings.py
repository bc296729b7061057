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
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import numpy.typing as npt

from rag.errors import IndexDamagedError
from rag.store.rows import Rows, array_file, load_array

K1, B = 0.9, 0.4
COMMON = 4
_TAKEN, _SORTED = 1 << 19, 1 << 21
"""Postings held in memory until they are put away, 12 bytes each, and those sorted at a time, some 40."""
_ARRAYS = {
    "starts": np.int64, "rows": np.int32, "scores": np.float32, "most": np.float32,
    "frequencies": np.int32, "common": np.int32, "dense": np.float32,
}  # fmt: skip

Floats = npt.NDArray[np.float32]


class PostingsWriter:
    """Takes texts one by one, in row order, and writes the arrays.

    Of what it takes it holds a length for each text; the rest lies in a file without a name in `scratch`.
    """

    def __init__(self, vocabulary: dict[str, int], scratch: Path) -> None:
        self.vocabulary = vocabulary
        """The number of each term; new terms are added to it."""
        self._terms, self._rows, self._counts = array("i"), array("i"), array("i")
        """Of the postings that are not in the file yet."""
        self._lengths = array("i")
        self._file = TemporaryFile(dir=scratch)  # noqa: SIM115  (closed by `close`)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def add(self, terms: Sequence[str]) -> None:
        """Add the next text's terms, repeated as often as they occur. Raises OSError on a full disk."""
        row = len(self._lengths)
        self._lengths.append(len(terms))
        counted, vocabulary = Counter(terms), self.vocabulary
        self._terms.extend([vocabulary.setdefault(term, len(vocabulary)) for term in counted])
        self._rows.extend([row] * len(counted))
        self._counts.extend(counted.values())
        if len(self._terms) > _TAKEN:
            self._put_away()

    def write(self, folder: Path) -> None:
        """Write the arrays into `folder`, which is made. Terms are gone through in order, some at a time."""
        self._put_away()
        texts = len(self._lengths)
        found = np.zeros(len(self.vocabulary), dtype=np.int64)
        for taken in self._blocks():
            found += np.bincount(taken[:, 0], minlength=len(found))
        idf = np.log1p((texts - found + 0.5) / (found + 0.5)).astype(np.float32)
        lengths = np.array(self._lengths, dtype=np.float32)
        average = max(float(lengths.mean()) if texts else 0.0, 1.0)
        damped = K1 * (1 - B + B * lengths / np.float32(average))
        common = np.flatnonzero((found > 0) & (found * COMMON >= texts)).astype(np.int32)
        lists = found.copy()
        lists[common] = 0
        most = np.zeros(len(found), dtype=np.float32)
        folder.mkdir()
        with (
            array_file(folder / "rows.npy", np.int32, (int(lists.sum()),)) as all_rows,
            array_file(folder / "scores.npy", np.float32, (int(lists.sum()),)) as all_scores,
            array_file(folder / "dense.npy", np.float32, (len(common), texts)) as dense,
        ):
            for first, last in _bands(found):
                terms, rows, counts = self._of(first, last)
                scores = (idf[terms] * counts / (counts + damped[rows])).astype(np.float32)
                starts = np.concatenate(([0], np.cumsum(found[first:last])))
                there = np.flatnonzero(found[first:last])
                most[first + there] = np.maximum.reduceat(scores, starts[there])
                listed = np.ones(len(rows), dtype=np.bool_)
                for term in common[(common >= first) & (common < last)]:
                    postings = slice(starts[term - first], starts[term - first + 1])
                    own = np.zeros(texts, dtype=np.float32)
                    own[rows[postings]] = scores[postings]
                    listed[postings] = False
                    dense.write(own.tobytes())
                all_rows.write(rows[listed].tobytes())
                all_scores.write(scores[listed].tobytes())
        for name, values in (
            ("starts", np.concatenate(([0], np.cumsum(lists))).astype(np.int64)),
            ("most", most),
            ("frequencies", found.astype(np.int32)),
            ("common", common),
        ):
            np.save(folder / f"{name}.npy", values)

    def _put_away(self) -> None:
        self._file.write(np.column_stack((self._terms, self._rows, self._counts)).astype(np.int32).tobytes())
        self._terms, self._rows, self._counts = array("i"), array("i"), array("i")

    def _blocks(self) -> Iterator[npt.NDArray[np.int32]]:
        """Term, row and count of every posting in the order of rows, some at a time, shape (n, 3)."""
        self._file.seek(0)
        while raw := self._file.read(12 * _TAKEN):
            yield np.frombuffer(raw, dtype=np.int32).reshape(-1, 3)

    def _of(self, first: int, last: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Floats]:
        """Terms, rows and counts of the postings of these terms, by term and then by row."""
        within = np.concatenate([b[(b[:, 0] >= first) & (b[:, 0] < last)] for b in self._blocks()])
        within = within[np.argsort(within[:, 0], kind="stable")]
        return within[:, 0], within[:, 1], within[:, 2].astype(np.float32)


def _bands(found: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """The terms from the first to the last, so many at a time as have `_SORTED` postings, or one that has more."""
    ends = np.cumsum(found)
    first, before = 0, 0
    while first < len(found):
        last = max(first + 1, int(np.searchsorted(ends, before + _SORTED, side="right")))
        if int(ends[last - 1]) > before:
            yield first, last
        first, before = last, int(ends[last - 1])


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
