"""Files that are on disk when they are said to be, files that are read whole or not at all, and their hashes.

Knows nothing of what is in them.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path

LEADS_OUT = (
    "a link leads out of the collection; put a copy of the file in its place, or set follow_links "
    "(ADFONTES_FOLLOW_LINKS=true)"
)
_READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_UNLINKED = getattr(os, "O_NOFOLLOW", 0)
_FOLDER = os.O_RDONLY | _UNLINKED | getattr(os, "O_DIRECTORY", 0)
_WITHOUT_WRITING = {errno.EROFS, errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EPERM, errno.ENOENT}
"""Why a file that is only read cannot be waited for: nothing of it can be on its way to the disk, or it has gone."""

# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────


def write_text(path: Path, text: str) -> None:
    """Write a file and wait until it is on disk."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file and wait until it is on disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_text(path: Path, text: str) -> None:
    """Give a file new content by one rename and wait until it is on disk: it is the old or the new, never half."""
    part = path.with_name(f".{path.name}.part")
    write_text(part, text)
    part.replace(path)
    fsync(path.parent)


def fsync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def settle(path: Path) -> None:
    """Wait until what somebody else has written is on disk, where that can be known. Raises OSError."""
    try:
        fsync(path)
    except OSError as error:
        if error.errno not in _WITHOUT_WRITING:
            raise


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def opened(path: Path, root: Path | None = None, *, most: int | None = None) -> Iterator[BufferedReader]:
    """A file, open for reading; never a pipe or a device, which might let its reader wait for ever.

    With `root`, the file lies in that folder whatever links are on its way, and whoever changes them meanwhile.
    Raises OSError with the reason, also for one of more than `most` bytes.
    """
    descriptor = os.open(path, _READING) if root is None or os.open not in os.supports_dir_fd else _within(root, path)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no file")
        if most is not None and found.st_size > most:
            size = f"{found.st_size >> 20} MiB, more than the {most >> 20} allowed"
            raise OSError(errno.EFBIG, f"it has {size}; split it")
        yield file


def read(path: Path, root: Path | None = None, *, most: int | None = None) -> bytes:
    """The bytes of a file that stayed as it was while they were read; one that did not is read once more.

    `root` and `most` as in `opened`. Raises OSError, also when the file changed again.
    """
    for _ in range(2):
        with opened(path, root, most=most) as file:
            before = os.fstat(file.fileno())
            data = file.read(before.st_size + 1)
            if len(data) == before.st_size and _state(os.fstat(file.fileno())) == _state(before):
                return data
    raise OSError(errno.EBUSY, "it changes while it is read; it is left for the next rebuild")


def sha256(path: Path, root: Path | None = None, *, most: int | None = None) -> str:
    """The SHA-256 of a file, in hexadecimal; `root` and `most` as in `opened`. Raises OSError."""
    with opened(path, root, most=most) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _within(root: Path, path: Path) -> int:
    """Open what `path` leads to, folder by folder and through no link, so that the way cannot leave `root`."""
    base = os.path.realpath(root)
    try:
        way = Path(os.path.realpath(path, strict=True)).relative_to(base).parts
    except ValueError:
        raise OSError(errno.EXDEV, LEADS_OUT) from None
    folder = os.open(base, _FOLDER)
    try:
        for part in way[:-1]:
            inner = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(way[-1] if way else ".", _READING | _UNLINKED, dir_fd=folder)
    finally:
        os.close(folder)


def _state(found: os.stat_result) -> tuple[int, ...]:
    return found.st_size, found.st_mtime_ns


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────


def printable(name: str) -> str:
    r"""A file's name as it can be shown and stored: bytes that are no UTF-8 as `\xff`, control characters as `\n`."""
    with suppress(UnicodeEncodeError):
        name = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if unicodedata.category(c) not in {"Cc", "Cs", "Zl", "Zp"} else ascii(c)[1:-1] for c in name)


def why_unfit(name: str) -> str:
    """Why a file's name cannot be kept; "" when it can."""
    kinds = {unicodedata.category(c) for c in name}
    if "Cs" in kinds:
        return "its name is not UTF-8; rename it"
    return "its name holds control characters; rename it" if kinds & {"Cc", "Zl", "Zp"} else ""
