"""Questions that arrive while others are being embedded are embedded together, in one run of the model.

Nobody waits for company: a question that finds the model idle runs at once, and one that finds it busy waits for that
run and no longer. So one client pays nothing, and many share the cost of reading the weights.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from rag.encoder.base import BATCH, Vectors


@dataclass(slots=True)
class _Waiting:
    text: str
    done: bool = False
    vector: Vectors | None = None
    error: BaseException | None = None


@dataclass(slots=True)
class Joined:
    """`encode` (texts → vectors) for callers in many threads that each have one text."""

    encode: Callable[[list[str]], Vectors]
    _waiting: list[_Waiting] = field(default_factory=list)
    _list: threading.Lock = field(default_factory=threading.Lock)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, text: str) -> Vectors:
        """The vector of one text, shape (dimension,). Raises what `encode` raises for the batch that it was in."""
        mine = _Waiting(text)
        with self._list:
            self._waiting.append(mine)
        while not mine.done:
            with self._turn:
                if not mine.done:
                    self._run()
        if mine.error is not None:
            raise mine.error
        assert mine.vector is not None  # noqa: S101  (done without an error)
        return mine.vector

    def _run(self) -> None:
        with self._list:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        try:
            for waiting, vector in zip(batch, self.encode([w.text for w in batch]), strict=True):
                waiting.vector = vector
        except BaseException as error:
            for waiting in batch:
                waiting.error = error
            if not isinstance(error, Exception):
                raise
        finally:
            for waiting in batch:
                waiting.done = True
