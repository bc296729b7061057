"""Vectors on disk and the nearest of them, by the kind of index that their number and the memory allow.

    flat    <name>.faiss                 every vector compared; exact
    graph   <name>.faiss, <name>.npy     HNSW over 8-bit vectors (Malkov and Yashunin 2018)
    lists   <name>.faiss, <name>.npy     inverted lists of 1-bit codes (RaBitQ, Gao and Long 2024)

`KINDS` is the table of the rules. Graph and lists only choose candidates; the order and the scores come from the exact
vectors in <name>.npy, which are mapped and read where they are needed. All files are mapped: what no question touches
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
import numpy.typing as npt

from rag.errors import IndexDamagedError

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

_faiss: Any = faiss  # its stubs leave out half of what there is
_FEW = 0.1
"""Below this share of rows left by a filter a graph loses its way: those rows are then compared one by one."""
_SLICE = 20_000
"""Vectors added at a time, so that progress can be told."""


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
    # 0.3 to 0.6 ms from 100,000 to 1,000,000; 32 neighbours and one byte a dimension.
    Kind("graph", 1 << 31, lambda d: d + 276, b"IHNs", lambda _: "HNSW32,SQ8", widen=3),
    # Where the graph does not fit: an eighth of a byte a dimension, four roots of lists.
    Kind("lists", 1 << 62, lambda d: d / 8 + 20, b"Iwrq", lambda n: f"IVF{_lists(n)},RaBitQ", widen=10),
)
_BY_NAME = {kind.name: kind for kind in KINDS}
_EF, _EF_BUILDING, _PROBED = 160, 120, 32
"""How far a graph is searched for a question and for a vector that is added (with 40, FAISS's own choice, a graph of a
million loses neighbours that no wider search finds); how many lists are read."""


def choose(count: int, dimension: int, memory: int) -> Kind:
    """The first kind of the table that is made for so many vectors and fits into `memory` bytes; else the smallest."""
    fitting = (k for k in KINDS if count <= k.most and k.memory(dimension) * count <= memory)
    return next(fitting, KINDS[-1]) if count > KINDS[0].most else KINDS[0]


def write_vectors(
    folder: Path, name: str, vectors: Vectors, kind: Kind, progress: Callable[[int], None] = lambda _: None
) -> None:
    """Write unit vectors, shape (n, dimension), and their index. `progress` gets the number added so far."""
    dimension = vectors.shape[1]
    index = faiss.index_factory(dimension, kind.factory(len(vectors)), faiss.METRIC_INNER_PRODUCT)
    if kind.name == "graph":
        _faiss.downcast_index(index).hnsw.efConstruction = _EF_BUILDING
    if not index.is_trained:
        chance = np.random.default_rng(0)
        sample = min(len(vectors), 64 * _lists(len(vectors)) if kind.name == "lists" else 50_000)
        index.train(np.ascontiguousarray(vectors[np.sort(chance.choice(len(vectors), sample, replace=False))]))
    for begin in range(0, len(vectors), _SLICE):
        progress(begin)
        index.add(np.ascontiguousarray(vectors[begin : begin + _SLICE], dtype=np.float32))
    faiss.write_index(index, str(folder / f"{name}.faiss"))
    if kind.name != "flat":
        np.save(folder / f"{name}.npy", np.ascontiguousarray(vectors, dtype=np.float32))


class VectorIndex:
    """Vectors, open for reading. Safe to share between threads."""

    def __init__(self, folder: Path, name: str, kind: str, dimension: int, count: int) -> None:
        """Open what `write_vectors` wrote. Raises IndexDamagedError when it is not of this kind and shape."""
        path = folder / f"{name}.faiss"
        self.kind = _BY_NAME.get(kind)
        if self.kind is None:
            raise IndexDamagedError(f"{folder.name}: there is no kind of vector index called {kind!r}")
        _check_header(path, self.kind, dimension, count)
        self._index: Any = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        self.size, self.dimension = count, dimension
        self._exact: Vectors | None = None
        if self.kind.name != "flat":
            # Never unpickled: a hostile file is refused, not run.
            self._exact = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            if self._exact is None or self._exact.shape != (count, dimension) or self._exact.dtype != np.float32:
                raise IndexDamagedError(f"{folder.name}: {name}.npy does not hold {count} vectors of {dimension}")

    def search(self, vector: Vectors, k: int, rows: Rows | None = None) -> list[tuple[int, float]]:
        """The `k` nearest to a unit vector, shape (dimension,): (row, cosine), best first; among `rows` if given."""
        k = min(k, self.size if rows is None else len(rows))
        if k <= 0:
            return []
        if self._exact is None:
            chosen = None if rows is None else _faiss.SearchParameters(sel=_selected(rows))
            scores, found = self._index.search(vector.reshape(1, -1), k, params=chosen)
            return [(int(r), float(s)) for r, s in zip(found[0], scores[0], strict=True) if r >= 0]
        if rows is not None and len(rows) < _FEW * self.size:
            candidates = rows
        else:
            assert self.kind is not None  # noqa: S101  (checked when opened)
            wide = min(max(k * self.kind.widen, 10), self.size)
            _, found = self._index.search(vector.reshape(1, -1), wide, params=self._parameters(wide, rows))
            candidates = found[0][found[0] >= 0]
        cosines = self.of(candidates) @ vector
        best = np.argsort(-cosines, kind="stable")[:k]
        return [(int(candidates[i]), float(cosines[i])) for i in best]

    def of(self, rows: Rows | Sequence[int]) -> Vectors:
        """The vectors of these rows, shape (len(rows), dimension)."""
        wanted = np.asarray(rows, dtype=np.int64)
        if not len(wanted):
            return np.zeros((0, self.dimension), dtype=np.float32)
        found: Vectors = self._index.reconstruct_batch(wanted) if self._exact is None else self._exact[wanted]
        return found

    def all(self) -> Vectors:
        """Every vector, shape (size, dimension)."""
        if not self.size:
            return np.zeros((0, self.dimension), dtype=np.float32)
        found: Vectors = self._index.reconstruct_n(0, self.size) if self._exact is None else self._exact
        return found

    def _parameters(self, wide: int, rows: Rows | None) -> Any:  # noqa: ANN401  (faiss has no types)
        chosen = {} if rows is None else {"sel": _selected(rows)}
        assert self.kind is not None  # noqa: S101  (checked when opened)
        if self.kind.name == "graph":
            return _faiss.SearchParametersHNSW(efSearch=max(_EF, wide), **chosen)
        return _faiss.IVFRaBitQSearchParameters(nprobe=_PROBED, **chosen)


def _selected(rows: Rows) -> Any:  # noqa: ANN401  (faiss has no types)
    return faiss.IDSelectorBatch(np.asarray(rows, dtype=np.int64))


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
