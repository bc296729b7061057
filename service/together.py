"""Searches that come while others are under way are done together: their questions are embedded in one run.

Nobody waits for company: a search that finds a thread idle begins at once, and one that finds both at work goes with
all that came meanwhile. While one batch is in the encoder, which lets go of Python, the other is ranked. A thread for
each search instead, as many as there are clients, spends half of its time handing Python on.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Any, TypeVar

from rag.retrieve import Embedded
from service.problems import OverloadedError

T = TypeVar("T")
THREADS = 2
"""One for the encoder and one for Python: with one, either is idle now and then; a third brings no more."""
MOST = 16
"""Searches done together: the first gets its passages when the last is embedded."""


@dataclass(slots=True)
class _Search:
    query: str
    rank: Callable[[Embedded], Any]
    context: Context
    """The caller's: whoever asks sees what is theirs to see, and no more."""
    loop: asyncio.AbstractEventLoop
    told: asyncio.Future[Any]


class Together:
    """`embed` (questions → what the encoders make of them) for searches from one event loop."""

    def __init__(self, embed: Callable[[Sequence[str]], Sequence[Embedded]], most: int) -> None:
        self._embed = embed
        self._most = most
        self._queue: queue.SimpleQueue[_Search | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._under_way = 0

    async def search(self, query: str, rank: Callable[[Embedded], T]) -> T:
        """What `rank` makes of the embedded query, in a thread and the caller's context.

        Raises what `embed` and `rank` raise, and OverloadedError when `most` are under way.
        """
        if self._under_way >= self._most:
            raise OverloadedError(f"{self._most} searches are under way already")
        if not self._threads:
            self._threads = [
                threading.Thread(target=self._work, name=f"adfontes-search-{n}", daemon=True) for n in range(THREADS)
            ]
            for thread in self._threads:
                thread.start()
        loop = asyncio.get_running_loop()
        told: asyncio.Future[T] = loop.create_future()
        self._under_way += 1
        try:
            self._queue.put(_Search(query, rank, copy_context(), loop, told))
            return await told
        finally:
            self._under_way -= 1

    def close(self) -> None:
        """End the threads once they have done what waits."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()
        self._threads = []

    def _work(self) -> None:
        while True:
            batch = [self._queue.get()]
            with suppress(queue.Empty):
                while len(batch) < MOST and batch[-1] is not None:
                    batch.append(self._queue.get_nowait())
            self._answer([one for one in batch if one is not None and not one.told.cancelled()])
            if batch[-1] is None:
                return

    def _answer(self, batch: Sequence[_Search]) -> None:
        if not batch:
            return
        try:
            embedded = self._embed([one.query for one in batch])
        except BaseException as error:  # noqa: BLE001  (whoever asked is told)
            if len(batch) == 1:
                _tell(batch[0], None, error)
            else:  # one question that cannot be embedded must not cost the others their answer
                for one in batch:
                    self._answer([one])
            return
        for one, of_one in zip(batch, embedded, strict=True):
            try:
                _tell(one, one.context.run(one.rank, of_one), None)
            except BaseException as error:  # noqa: BLE001  (whoever asked is told)
                _tell(one, None, error)


def _tell(one: _Search, found: object, error: BaseException | None) -> None:
    def tell() -> None:
        if one.told.done():  # its client has left
            return
        if error is None:
            one.told.set_result(found)
        else:
            one.told.set_exception(error)

    with suppress(RuntimeError):  # the loop has ended, and with it who asked
        one.loop.call_soon_threadsafe(tell)
