"""The vectors of a build, where they lie: in the live generation, or in a file for those that are new.

None are held in memory: whoever asks for some gets those.
"""

from __future__ import annotations

from collections.abc import Callable
from os import SEEK_END
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from rag.store import written_in

Vectors = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]


class Scratch:
    """Vectors in a file in the index folder. It has no name: a killed process leaves none."""

    def __init__(self, folder: Path, dimension: int) -> None:
        self._folder, self._dimension, self._count = folder, dimension, 0

    def __enter__(self) -> Self:
        """Make the file. Raises IndexWriteError."""
        with written_in(self._folder):
            self._file = TemporaryFile(dir=self._folder)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of it."""
        self._file.close()

    def add(self, vectors: Vectors) -> Numbers:
        """Append vectors, shape (n, dimension); return their rows. Raises OSError on a full disk."""
        # Written, not mapped: a mapped page that finds no room on the disk ends the process.
        self._file.seek(0, SEEK_END)
        self._file.write(np.ascontiguousarray(vectors, dtype=np.float32).tobytes())
        self._file.flush()
        self._count += len(vectors)
        return np.arange(self._count - len(vectors), self._count)

    def of(self, rows: Numbers) -> Vectors:
        """The vectors of these rows."""
        shape = (self._count, self._dimension)
        return np.asarray(np.memmap(self._file, dtype=np.float32, mode="r", shape=shape)[rows])


class Gathered:
    """Vectors that lie in several places, by one numbering."""

    def __init__(self, dimension: int, count: int) -> None:
        self.dimension = dimension
        self._of: list[Callable[[Numbers], Vectors]] = []
        self._source = np.full(count, -1, dtype=np.int8)
        self._row = np.zeros(count, dtype=np.int64)

    @property
    def missing(self) -> Numbers:
        """The numbers that no source has yet."""
        return np.flatnonzero(self._source < 0)

    def source(self, of: Callable[[Numbers], Vectors]) -> int:
        """Name a source, which gives the vectors of its rows."""
        self._of.append(of)
        return len(self._of) - 1

    def place(self, numbers: Numbers, source: int, rows: Numbers) -> None:
        """Say where these vectors lie."""
        self._source[numbers], self._row[numbers] = source, rows

    def of(self, numbers: Numbers) -> Vectors:
        """These vectors, shape (len(numbers), dimension)."""
        found = np.empty((len(numbers), self.dimension), dtype=np.float32)
        sources, rows = self._source[numbers], self._row[numbers]
        for source, of in enumerate(self._of):
            here = np.flatnonzero(sources == source)
            if len(here):
                found[here] = of(rows[here])
        return found


class Some:
    """Some of the gathered vectors, in an order of their own; what `store.Embedded` holds."""

    def __init__(self, vectors: Gathered, numbers: Numbers) -> None:
        self._vectors, self._numbers = vectors, numbers
        self.shape = (len(numbers), vectors.dimension)

    def __getitem__(self, rows: slice | Numbers) -> Vectors:
        return self._vectors.of(self._numbers[rows])
