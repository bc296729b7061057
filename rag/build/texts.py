"""The texts that are to be embedded, on disk: each is looked at when it is its turn, the longest first."""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from rag.build.gathered import Numbers
from rag.store import Keys, written_in

_COMPARED_AT_ONCE = 1 << 16


class Texts:
    """Texts by number: each chunk's and then its sentences'. Once all are there, several threads may read them."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        """`fingerprint` is that of the encoder: a text's key is the SHA-256 of both."""
        self._folder = folder
        self._begin = hashlib.sha256(f"{fingerprint}\0".encode())
        self._ends = array("q", [0])
        self._chunks = array("q")

    def __enter__(self) -> Self:
        """Begin. Raises IndexWriteError."""
        with written_in(self._folder), ExitStack() as opened:
            # They have no names: a killed process leaves none.
            self._texts = opened.enter_context(TemporaryFile(dir=self._folder))
            self._keys = opened.enter_context(TemporaryFile(dir=self._folder))
            self._opened = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of all."""
        self._opened.close()

    def add(self, chunk: str, sentences: Sequence[str]) -> None:
        """Keep what is embedded of the next chunk. Raises IndexWriteError."""
        self._chunks.append(len(self))
        with written_in(self._folder):
            for text in (chunk, *sentences):
                raw = text.encode("utf-8", "surrogatepass")
                key = self._begin.copy()
                key.update(raw)
                self._keys.write(key.digest())
                self._texts.write(raw)
                self._ends.append(self._ends[-1] + len(raw))

    def done(self) -> None:
        """Say that all are there: now they can be read. Raises IndexWriteError."""
        with written_in(self._folder):
            self._texts.flush()
            self._keys.flush()

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> str:
        begin, end = self._ends[number], self._ends[number + 1]
        return os.pread(self._texts.fileno(), end - begin, begin).decode("utf-8", "surrogatepass")

    @property
    def chunks(self) -> Numbers:
        """The numbers of the chunks' texts, in order."""
        return np.array(self._chunks, dtype=np.int64)

    @property
    def sentences(self) -> Numbers:
        """The numbers of the sentences' texts, in order."""
        theirs = np.ones(len(self), dtype=np.bool_)
        theirs[self._chunks] = False
        return np.flatnonzero(theirs)

    @property
    def keys(self) -> Keys:
        """The key of each, mapped."""
        if not len(self):
            return np.zeros(0, dtype="S32")
        return np.memmap(self._keys, dtype="S32", mode="r", shape=(len(self),))

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Bytes of each in UTF-8."""
        ends = np.array(self._ends, dtype=np.int64)
        return ends[1:] - ends[:-1]


def distinct(keys: Keys) -> tuple[Numbers, Numbers]:
    """The number of the first text of each key, and for each text which of those has its key.

    Sorted by a quarter of the key, so that few bytes a text are held in memory; where those agree, keys are compared.
    """
    quarter = np.ascontiguousarray(keys.view(np.uint64).reshape(-1, 4)[:, 0])
    order = np.argsort(quarter, kind="stable")
    quarter = quarter[order]
    first = np.ones(len(keys), dtype=np.bool_)
    alike = np.flatnonzero(quarter[1:] == quarter[:-1])
    for begin in range(0, len(alike), _COMPARED_AT_ONCE):
        some = alike[begin : begin + _COMPARED_AT_ONCE]
        first[some + 1] = keys[order[some + 1]] != keys[order[some]]
    places = np.empty(len(keys), dtype=np.int64)
    places[order] = np.cumsum(first) - 1
    return order[first], places
