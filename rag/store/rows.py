"""Vectors by row in plain files, mapped, and each checked when it is read.

    <name>.npy        float32 (n, dimension)   the vectors
    <name>.sums.npy   uint32 (n,)              a checksum of each

Such files may be larger than can be hashed while somebody waits for a start. They are hashed by `adfontes index verify`
and before a build goes on from them; when a generation is opened, only the checksums are, and then every vector against
its own as it is read. A changed byte changes the sum for certain: the weights are odd. Knows no index.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
import numpy.typing as npt

from rag.errors import IndexDamagedError

Vectors = npt.NDArray[np.float32]
Keys = npt.NDArray[np.bytes_]
"""SHA-256 digests, dtype S32."""
Rows = npt.NDArray[np.int64]
SUMS = ".sums.npy"
_SLICE = 16 << 20
"""Bytes of vectors handled at a time where all of them are."""
_KEPT_IN_SIGHT, _AROUND = 256 << 20, 1 << 16
"""Bytes mapped before they are let go of again (the system's cache keeps them), and bytes mapped for one row read where
the system does not tell. Linux maps 64 KiB, from 6.18 on as much as its cache holds in one piece, up to 2 MiB."""
_READ_AT_ONCE = 128
"""Rows of a file that is larger than what is kept in sight."""


class Rowwise(Protocol):
    """Vectors that need not be in memory: an array, a mapped file, or something that looks them up."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, dimension)."""

    def __getitem__(self, rows: slice | Rows, /) -> Vectors:
        """Some of them."""


def slices(count: int, dimension: int) -> Iterator[slice]:
    """All rows in turn, so many at a time as memory is spent on."""
    step = max(1, _SLICE // (4 * max(dimension, 1)))
    return (slice(begin, min(begin + step, count)) for begin in range(0, count, step))


def sums(vectors: Vectors) -> npt.NDArray[np.uint32]:
    """The checksum of each vector, shape (n,)."""
    words = np.ascontiguousarray(vectors, dtype=np.float32).view(np.uint32)
    found: npt.NDArray[np.uint32] = np.einsum("ij,j->i", words, _weights(vectors.shape[1]))
    return found


def cosines(vectors: Vectors, vector: Vectors) -> Vectors:
    """The inner product of unit vectors, shape (n, dimension), with one more, shape (n,).

    Not `@`: BLAS would share this little work among threads, which then spin and take the processor from others.
    """
    found: Vectors = np.einsum("ij,j->i", vectors, vector)
    return found


@lru_cache(maxsize=8)
def _weights(dimension: int) -> npt.NDArray[np.uint32]:
    chance = np.random.Generator(np.random.PCG64(7))
    return chance.integers(0, 1 << 32, dimension, dtype=np.uint32) | np.uint32(1)


@contextmanager
def array_file(path: Path, dtype: npt.DTypeLike, shape: tuple[int, ...]) -> Iterator[IO[bytes]]:
    """A file of numpy's to write the values of an array of this type and shape into, one after the other.

    Written, not mapped: a mapped page that finds no room on the disk ends the process.
    """
    with path.open("wb") as file:
        header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        yield file


def write_rows(folder: Path, name: str, vectors: Rowwise) -> None:
    """Write vectors with their checksums, some at a time."""
    count, dimension = vectors.shape
    found = np.zeros(count, dtype=np.uint32)
    with array_file(folder / f"{name}.npy", "<f4", (count, dimension)) as file:
        for part in slices(count, dimension):
            some = np.ascontiguousarray(vectors[part], dtype="<f4")
            found[part] = sums(some)
            file.write(some.tobytes())
    np.save(folder / f"{name}{SUMS}", found)


class StoredVectors:
    """What `write_rows` wrote, open for reading. Safe to share between threads."""

    def __init__(self, folder: Path, name: str, count: int, dimension: int) -> None:
        """Raises IndexDamagedError when the files do not hold so many vectors of this dimension."""
        self._name = f"{folder.name}: {name}.npy"
        # Never unpickled: a hostile file is refused, not run.
        self._vectors, self._sums = (
            load_array(folder / file, shape, dtype)
            for file, shape, dtype in (
                (f"{name}.npy", (count, dimension), np.float32),
                (f"{name}{SUMS}", (count,), np.uint32),
            )
        )
        self.shape = (count, dimension)
        self._large = self._vectors.nbytes > _KEPT_IN_SIGHT
        self._seen = 0

    def of(self, rows: Rows | Sequence[int]) -> Vectors:
        """The vectors of these rows, shape (len(rows), dimension). Raises IndexDamagedError for one that changed."""
        wanted = np.asarray(rows, dtype=np.int64)
        if len(wanted) and not 0 <= int(wanted.min()) <= int(wanted.max()) < self.shape[0]:
            raise IndexDamagedError(f"{self._name}: row {int(wanted.max())} is asked for of {self.shape[0]}")
        found: Vectors = self._read(wanted) if self._large else np.asarray(self._vectors[wanted])
        changed = wanted[sums(found) != self._sums[wanted]]
        if len(changed):
            raise IndexDamagedError(f"{self._name}: vector {int(changed[0])} is not what was written")
        return found

    def _read(self, wanted: Rows) -> Vectors:
        """These rows; what is mapped of the file for them counts as this process's memory until it lets go of it."""
        found = np.empty((len(wanted), self.shape[1]), dtype=np.float32)
        for begin in range(0, len(wanted), _READ_AT_ONCE):
            some = wanted[begin : begin + _READ_AT_ONCE]
            before = _mapped()
            found[begin : begin + _READ_AT_ONCE] = self._vectors[some]
            after = _mapped()
            # What other threads map meanwhile counts too: then it is let go of a little early.
            self._seen += len(some) * _AROUND if before is None or after is None else max(after - before, 0)
            if self._seen > _KEPT_IN_SIGHT:
                self._seen = 0
                mapped = getattr(self._vectors, "_mmap", None)
                if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
                    mapped.madvise(mmap.MADV_DONTNEED)
        return found


def _mapped() -> int | None:
    """Bytes of files that are mapped into this process now, None where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb", buffering=0) as file:  # noqa: PTH123  (a tenth of the time)
            return int(file.read().split()[2]) * mmap.PAGESIZE
    except (OSError, ValueError, IndexError):
        return None


def load_array(path: Path, shape: tuple[int, ...] | None, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """An array, mapped. Raises IndexDamagedError when it cannot be read or is not of this shape and type."""
    try:
        found: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # a forged header makes numpy raise what it likes, down to its tokenizer's errors
        raise IndexDamagedError(f"{path.parent.name}: {path.name} cannot be read ({error})") from error
    if found.dtype != np.dtype(dtype) or (shape is not None and found.shape != shape):
        raise IndexDamagedError(
            f"{path.parent.name}: {path.name} holds {found.dtype} {found.shape}, not {np.dtype(dtype)} {shape}"
        )
    if not found.flags.c_contiguous:
        raise IndexDamagedError(f"{path.parent.name}: {path.name} is not in the order that was written")
    return found
