"""Vectors by what was embedded, kept across generations and collections: a text is embedded once.

    <folder>/<first 16 of the encoder's fingerprint>.sqlite     of the dense and of the sparse encoder alike

Written as the work goes on, so an interrupted build goes on where it stopped. A cache: whoever deletes it loses time,
nothing else, and one that is damaged or full is done without. Every vector carries a checksum, because a wrong one
would be built into every later generation.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import numpy.typing as npt

log = logging.getLogger("adfontes.build")

Vectors = npt.NDArray[np.float32]
LIMIT = 1 << 30
"""Bytes of vectors kept; those not used for longest go first."""
_DAY = 86_400
_SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB, checksum BLOB, used INTEGER) WITHOUT ROWID;
"""


class VectorCache:
    """The vectors of one encoder. Never raises for what is wrong with the file: it then knows nothing."""

    def __init__(self, folder: Path | None, fingerprint: str, dimension: int) -> None:
        self._path = folder / f"{fingerprint[:16]}.sqlite" if folder is not None else None
        self._bytes = dimension * 4

    def find(self, keys: Iterable[bytes]) -> dict[bytes, Vectors]:
        """Those of these keys (SHA-256) that are known, with their vectors, shape (dimension,)."""
        if self._path is None or not self._path.is_file():
            return {}
        found: dict[bytes, Vectors] = {}
        today = int(time.time()) // _DAY
        try:
            with closing(self._open(self._path)) as connection:
                for some in _parts(list(keys), 500):
                    marks = ",".join("?" * len(some))
                    query = f"SELECT key, vector, checksum FROM vectors WHERE key IN ({marks})"  # noqa: S608  (marks)
                    for key, vector, checksum in connection.execute(query, some):
                        if len(vector) == self._bytes and checksum == _checksum(key, vector):
                            found[key] = np.frombuffer(vector, dtype=np.float32)
                used = [(today, key, today) for key in found]
                connection.executemany("UPDATE vectors SET used = ? WHERE key = ? AND used < ?", used)
                connection.commit()
        except sqlite3.Error as error:
            self._discard(error)
        return found

    def keep(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        """Keep vectors, shape (len(keys), dimension)."""
        if self._path is None:
            return
        today = int(time.time()) // _DAY
        rows = [
            (key, data := v.astype(np.float32).tobytes(), _checksum(key, data), today)
            for key, v in zip(keys, vectors, strict=True)
        ]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._open(self._path)) as connection:
                connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)", rows)
                connection.commit()
        except (sqlite3.Error, OSError) as error:
            self._discard(error)

    def shrink(self, limit: int = LIMIT) -> None:
        """Drop what was not used for longest, so that at most `limit` bytes of vectors stay."""
        if self._path is None or not self._path.is_file():
            return
        try:
            with closing(self._open(self._path)) as connection:
                ((count,),) = connection.execute("SELECT count(*) FROM vectors")
                surplus = count - limit // self._bytes
                if surplus <= 0:
                    return
                # A tenth more than needed, so that the next build does not have to do it again.
                connection.execute(
                    "DELETE FROM vectors WHERE key IN (SELECT key FROM vectors ORDER BY used LIMIT ?)",
                    (surplus + limit // self._bytes // 10,),
                )
                connection.commit()
                connection.execute("VACUUM")
        except sqlite3.Error as error:
            self._discard(error)

    def _open(self, path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path, timeout=10)
        # A lost transaction costs time only; a torn one is told by the journal.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_SCHEMA)
        return connection

    def _discard(self, error: Exception) -> None:
        log.warning("the vector cache %s is done without (%s); it may be deleted at any time", self._path, error)
        damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
        if self._path is not None and damaged:
            for suffix in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        self._path = None


def _checksum(key: bytes, vector: bytes) -> bytes:
    return hashlib.blake2b(vector, key=key, digest_size=8).digest()


def _parts(keys: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    return (keys[i : i + size] for i in range(0, len(keys), size))
