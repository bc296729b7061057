"""API keys: who may ask, what they may do, and how much they have used.

One SQLite file holds the hashes and the counters, so that several processes count together and a key that is revoked is
revoked everywhere at once. A key is 256 random bits, so one SHA-256 is hash enough; the key itself is kept nowhere.
Knows no HTTP.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from rag.errors import InputError, NotFoundError, SettingsError

Scope = Literal["ask", "write", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""What a key may do: ask and read; add, remove and rebuild; roll back and read the metrics."""
_FORM = re.compile(r"af_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
_COLLECTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TABLES = """
CREATE TABLE IF NOT EXISTS keys (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL, scopes TEXT NOT NULL, collections TEXT,
    rate INTEGER, quota INTEGER, created_at TEXT NOT NULL, expires_at TEXT, revoked_at TEXT
);
CREATE TABLE IF NOT EXISTS usage (
    key_id TEXT NOT NULL, spell TEXT NOT NULL, began INTEGER NOT NULL, used INTEGER NOT NULL,
    PRIMARY KEY (key_id, spell)
);
"""
_SPEND = """
INSERT INTO usage VALUES (?, ?, ?, 1) ON CONFLICT (key_id, spell) DO UPDATE
SET used = CASE WHEN began = excluded.began THEN used + 1 ELSE 1 END, began = excluded.began RETURNING used
"""


@dataclass(frozen=True, slots=True)
class Key:
    """A key without its secret. `rate` is requests a minute, `quota` questions a day; None takes the settings'."""

    id: str
    name: str
    scopes: frozenset[str]
    collections: frozenset[str] | None
    """The collections it may see; None is all."""
    rate: int | None
    quota: int | None
    created_at: str
    expires_at: str | None
    revoked_at: str | None

    @property
    def usable(self) -> bool:
        """Whether it is neither revoked nor past its end."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > _now())

    def shown(self) -> dict[str, Any]:
        """The key as JSON can carry it."""
        reach = None if self.collections is None else sorted(self.collections)
        return asdict(self) | {"scopes": sorted(self.scopes), "collections": reach}


@dataclass(frozen=True, slots=True)
class Spent:
    """What is left of an allowance: `used` of `limit` within a spell that ends in `resets` seconds."""

    limit: int
    used: int
    resets: int

    @property
    def left(self) -> int:
        """What may still be used in this spell."""
        return max(0, self.limit - self.used)

    @property
    def over(self) -> bool:
        """Whether the last use was one too many."""
        return self.used > self.limit


class Keys:
    """The keys of one file, made when the first key is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._opened: sqlite3.Connection | None = None

    def add(
        self,
        name: str,
        *,
        scopes: Iterable[str] = ("ask",),
        collections: Iterable[str] | None = None,
        rate: int | None = None,
        quota: int | None = None,
        days: int | None = None,
    ) -> tuple[Key, str]:
        """Make a key; returns it and its secret, which cannot be had again. Raises InputError naming what is wrong."""
        if not name.strip() or not name.isprintable() or len(name) > 100:
            raise InputError(f"{name[:100]!r} cannot be a key's name; use up to 100 visible characters")
        asked = frozenset(part.strip() for scope in scopes for part in scope.split(","))
        for scope in asked - set(SCOPES):
            raise InputError(f"scope {scope!r} is not known; there are: {', '.join(SCOPES)}")
        reach = None if collections is None else frozenset(collections)
        for one in reach or ():
            if not _COLLECTION.fullmatch(one):
                raise InputError(f"{one[:100]!r} cannot be a collection's name")
        ends = None if days is None else _text(datetime.now(UTC) + timedelta(days=days))
        key = Key(secrets.token_hex(4), name.strip(), asked, reach, rate, quota, _now(), ends, None)
        secret = secrets.token_urlsafe(32)
        listed = None if reach is None else " ".join(sorted(reach))
        row = (
            key.id,
            key.name,
            _hash(secret),
            " ".join(sorted(asked)),
            listed,
            rate,
            quota,
            key.created_at,
            ends,
            None,
        )
        with self._lock, self._file(make=True) as file:
            file.execute("INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        return key, f"af_{key.id}_{secret}"

    def all(self) -> list[Key]:
        """Every key there ever was, oldest first."""
        if not self.path.exists():
            return []
        with self._lock, self._file() as file:
            rows = file.execute("SELECT * FROM keys ORDER BY created_at, id").fetchall()
        return [_key(row) for row in rows]

    def revoke(self, key_id: str) -> Key:
        """Make a key useless. Raises NotFoundError."""
        known = {key.id: key for key in self.all()}
        if key_id not in known:
            raise NotFoundError(f"there is no key {key_id[:100]!r}; `adfontes keys list` shows those there are")
        with self._lock, self._file() as file:
            file.execute("UPDATE keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", (_now(), key_id))
        return next(key for key in self.all() if key.id == key_id)

    def check(self, text: str) -> Key | None:
        """The key that `text` is; None when it is none, was revoked or has expired."""
        match = _FORM.fullmatch(text)
        if match is None or not self.path.exists():
            return None
        key_id, secret = match.groups()
        with self._lock, self._file() as file:
            row = file.execute("SELECT * FROM keys WHERE id = ?", (key_id,)).fetchone()
        if row is None or not hmac.compare_digest(row["hash"], _hash(secret)):
            return None
        key = _key(row)
        return key if key.usable else None

    def spend(self, key: Key, limit: int, seconds: int) -> Spent:
        """Count one use of `limit` in the present spell of so many seconds."""
        now = int(time.time())
        began = now - now % seconds
        with self._lock, self._file() as file:
            used = file.execute(_SPEND, (key.id, str(seconds), began)).fetchone()[0]
        return Spent(limit, used, began + seconds - now)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def _file(self, *, make: bool = False) -> sqlite3.Connection:
        """The open file; used as a context manager it commits. Raises SettingsError when it is no file of keys."""
        if self._opened is None:
            try:
                if make and not self.path.exists():
                    self.path.parent.mkdir(parents=True, exist_ok=True)
                    self.path.touch(mode=0o600)
                opened = sqlite3.connect(self.path, timeout=10, check_same_thread=False)
                opened.row_factory = sqlite3.Row
                opened.execute("PRAGMA journal_mode = WAL")
                opened.execute("PRAGMA synchronous = NORMAL")
                with closing(opened.cursor()) as cursor:
                    cursor.executescript(_TABLES)
            except (OSError, sqlite3.DatabaseError) as error:
                raise SettingsError(f"the file of keys {str(self.path)!r} cannot be used: {error}") from error
            self._opened = opened
        return self._opened


def _key(row: sqlite3.Row) -> Key:
    reach = None if row["collections"] is None else frozenset(row["collections"].split())
    return Key(
        row["id"], row["name"], frozenset(row["scopes"].split()), reach, row["rate"], row["quota"],
        row["created_at"], row["expires_at"], row["revoked_at"],
    )  # fmt: skip


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _now() -> str:
    return _text(datetime.now(UTC))


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
