"""The nearest vectors, by the kind of index that their number and the memory allow.

    flat    <name>.faiss                              every vector compared; exact
    lists   <name>.faiss, <name>.npy and its sums     inverted lists of 1-bit codes (RaBitQ, Gao and Long 2024)

`KINDS` is the table of the rules. Lists only choose candidates; the order and the scores come from the exact vectors
(`rag.store.rows`), which are mapped and read where they are needed. All files are mapped: what no question touches
takes no memory. Knows no chunk and no text.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from rag.errors import IndexDamagedError
from rag.store.rows import Rows, Rowwise, StoredVectors, Vectors, cosines, slices, write_rows

_faiss: Any = faiss  # its stubs leave out half of what there is
_FEW = 20_000
"""Up to so many rows left by a filter are compared one by one."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of index, when it is taken and how much more it looks at than it is asked for."""

    name: str
    most: int
    """The number of vectors up to which it is the best choice."""
    memory: Callable[[int], float]
    """Bytes in memory a vector of this many dimensions, once every part has been touched."""
    mark: bytes
    """How FAISS begins its file."""
    factory: Callable[[int], str]
    """FAISS's name for it, by the number of vectors."""
    widen: int = 1
    """Candidates taken for each one asked for."""


KINDS = (
    # Exact while it costs less than reading the question: 0.5 ms at 10,000, 2.5 ms at 50,000 (384 dimensions).
    Kind("flat", 50_000, lambda d: 4 * d, b"IxFI", lambda _: "Flat"),
    # An eighth of a byte a dimension, four roots of lists. A graph (HNSW) finds no better and no sooner, but is built
    # in an hour where this takes minutes, and takes ten times the memory: benchmarks/index.
    Kind("lists", 1 << 62, lambda d: d / 8 + 20, b"Iwrq", lambda n: f"IVF{_lists(n)},RaBitQ", widen=3),
)
_BY_NAME = {kind.name: kind for kind in KINDS}
_TOO_FEW = 1000
"""So many are always compared one by one: there is nothing to make lists of."""
_PROBED = 128
"""Lists read for a question: measured on vectors of real text, of which 98 in 100 are found."""
_ROUNDS, _SAMPLE = 8, 48
"""Rounds of k-means, and vectors a list that it looks at: more of either finds nothing more."""


def choose(count: int, dimension: int, memory: int) -> Kind:
    """The first kind of the table that is made for so many vectors and fits into `memory` bytes; else the smallest."""
    if count <= _TOO_FEW:
        return KINDS[0]
    return next((k for k in KINDS if count <= k.most and k.memory(dimension) * count <= memory), KINDS[-1])


def write_vectors(
    folder: Path, name: str, vectors: Rowwise, kind: Kind, progress: Callable[[int], None] = lambda _: None
) -> None:
    """Write unit vectors, shape (n, dimension), and their index. `progress` gets the number added so far."""
    count, dimension = vectors.shape
    index = faiss.index_factory(dimension, kind.factory(count), faiss.METRIC_INNER_PRODUCT)
    if kind.name != "flat":
        write_rows(folder, name, vectors)
        training = _faiss.extract_index_ivf(index).cp
        training.niter, training.max_points_per_centroid, training.min_points_per_centroid = _ROUNDS, _SAMPLE, 1
    if not index.is_trained:
        chosen = np.random.default_rng(0).choice(count, min(count, _SAMPLE * _lists(count)), replace=False)
        index.train(np.ascontiguousarray(vectors[np.sort(chosen)]))
    for part in slices(count, dimension):
        progress(part.start)
        index.add(np.ascontiguousarray(vectors[part], dtype=np.float32))
    faiss.write_index(index, str(folder / f"{name}.faiss"))


class VectorIndex:
    """Vectors, open for reading. Safe to share between threads."""

    def __init__(self, folder: Path, name: str, kind: str, dimension: int, count: int) -> None:
        """Open what `write_vectors` wrote. Raises IndexDamagedError when it is not of this kind and shape."""
        path = folder / f"{name}.faiss"
        self.kind = _BY_NAME.get(kind)
        if self.kind is None:
            raise IndexDamagedError(f"{folder.name}: there is no kind of vector index called {kind!r}")
        _check_header(path, self.kind, dimension, count)
        try:
            self._index: Any = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        except (RuntimeError, MemoryError) as error:
            reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
            raise IndexDamagedError(f"{folder.name}: {path.name} cannot be read ({reason[0][:200]})") from error
        self._check(path, count, dimension)
        self.size, self.dimension = count, dimension
        self._exact = None if self.kind.name == "flat" else StoredVectors(folder, name, count, dimension)

    def search(self, vector: Vectors, k: int, rows: Rows | None = None) -> list[tuple[int, float]]:
        """The `k` nearest to a unit vector, shape (dimension,): (row, cosine), best first; among `rows` if given."""
        k = min(k, self.size if rows is None else len(rows))
        if k <= 0:
            return []
        if self._exact is None:
            chosen = None if rows is None else _faiss.SearchParameters(sel=_selected(rows, self.size))
            scores, found = self._found(vector, k, chosen)
            return [(int(r), float(s)) for r, s in zip(found[0], scores[0], strict=True) if r >= 0]
        if rows is not None and len(rows) <= _FEW:
            candidates = rows
        else:
            assert self.kind is not None  # noqa: S101  (checked when opened)
            wide = min(max(k * self.kind.widen, 100), self.size)
            _, found = self._found(vector, wide, self._parameters(rows))
            candidates = found[0][found[0] >= 0]
        near = cosines(self._exact.of(candidates), vector)
        best = np.argsort(-near, kind="stable")[:k]
        return [(int(candidates[i]), float(near[i])) for i in best]

    def _found(self, vector: Vectors, k: int, parameters: Any) -> tuple[Vectors, Rows]:  # noqa: ANN401  (faiss's)
        try:
            scores, rows = self._index.search(vector.reshape(1, -1), k, params=parameters)
        except RuntimeError as error:
            raise IndexDamagedError(f"the vector index cannot be searched ({str(error)[-200:]})") from error
        return scores, rows

    def _check(self, path: Path, count: int, dimension: int) -> None:
        """What was read is of the kind that is written here, with nothing else inside it."""
        index, fits = self._index, False
        if isinstance(index, _faiss.IndexIVFRaBitQ):
            inner = _faiss.downcast_index(index.quantizer)
            fits = type(inner) is _faiss.IndexFlatIP and (inner.ntotal, inner.d) == (index.nlist, dimension)
        elif isinstance(index, _faiss.IndexFlat):
            fits = True
        if not (fits and (index.ntotal, index.d) == (count, dimension) and index.is_trained):
            raise IndexDamagedError(f"{path.parent.name}: {path.name} holds another index than is written here")

    def of(self, rows: Rows | Sequence[int]) -> Vectors:
        """The vectors of these rows, shape (len(rows), dimension). Raises IndexDamagedError for one that changed."""
        wanted = np.asarray(rows, dtype=np.int64)
        if not len(wanted):
            return np.zeros((0, self.dimension), dtype=np.float32)
        if not 0 <= wanted.min() <= wanted.max() < self.size:  # faiss would read whatever lies there
            raise IndexDamagedError(f"vectors {wanted.min()} to {wanted.max()} are named, but there are {self.size}")
        found: Vectors = self._index.reconstruct_batch(wanted) if self._exact is None else self._exact.of(wanted)
        return found

    def _parameters(self, rows: Rows | None) -> Any:  # noqa: ANN401  (faiss has no types)
        probed = min(_lists(self.size), _PROBED)
        if rows is None:
            return _faiss.IVFRaBitQSearchParameters(nprobe=probed)
        # The fewer a filter leaves, the further away are the nearest of them.
        wide = min(_lists(self.size), probed * self.size // len(rows))
        return _faiss.IVFRaBitQSearchParameters(nprobe=wide, sel=_selected(rows, self.size))


def _selected(rows: Rows, size: int) -> Any:  # noqa: ANN401  (faiss has no types)
    chosen = np.zeros(size, dtype=bool)
    chosen[rows] = True
    return _faiss.IDSelectorBitmap(np.packbits(chosen, bitorder="little"))


def _lists(count: int) -> int:
    return max(1, min(int(4 * count**0.5), count // 40))


def _check_header(path: Path, kind: Kind, dimension: int, count: int) -> None:
    """FAISS believes its files: before it reads one, the first bytes must say what the manifest says."""
    with path.open("rb") as file:
        head = file.read(16)
    try:
        mark, d, n = struct.unpack("<4siq", head)
    except struct.error:
        mark, d, n = b"", 0, 0
    if (mark, d, n) != (kind.mark, dimension, count) or path.stat().st_size < kind.memory(dimension) * count * 0.9:
        raise IndexDamagedError(
            f"{path.parent.name}: {path.name} is no {kind.name} index of {count} vectors of {dimension}"
        )
