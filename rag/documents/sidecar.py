"""What is known of a file beside its text, in TOML next to it: `<stem>.toml` by people, `<file name>.toml` by us.

What a person wrote is never rewritten; where both say something, the second wins, for it speaks of one file only.
"""

from __future__ import annotations

import datetime as dt
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from rag.errors import DocumentError
from rag.files import read

_MOST = 16 << 20
"""Bytes of a sidecar that is still read."""
_TEXTS = ("title", "language", "address", "reference")


def known_of(path: Path, root: Path | None = None) -> dict[str, Any]:
    """The fields of a file's sidecars (title, authors, date, language, address, reference, origin), {} without one.

    With `root`, none is read that a link leads to out of that folder. Raises DocumentError when a sidecar cannot be
    read, is no valid TOML or a field is of the wrong kind.
    """
    known: dict[str, Any] = {}
    for sidecar in sidecars_of(path):
        if os.path.isfile(sidecar):  # noqa: PTH113  (a name too long for the disk is none)
            known |= _read(sidecar, root)
    return known


def sidecars_of(path: Path) -> tuple[Path, ...]:
    """Where what is known of a file may stand, the one that wins last."""
    people = path.with_suffix(".toml")
    ours = path.with_name(f"{path.name}.toml")
    # `a.txt.md` must not take for its own what was written of `a.txt`.
    return (ours,) if people == path or path.with_suffix("").is_file() else (people, ours)


def written(path: Path, changes: Mapping[str, Any], root: Path | None = None) -> bytes | None:
    """The content of our sidecar of a file after `changes` (None takes a field out); None when nothing is left."""
    ours = path.with_name(f"{path.name}.toml")
    known = (_read(ours, root) if os.path.isfile(ours) else {}) | dict(changes)  # noqa: PTH113
    known = {k: v for k, v in known.items() if v is not None}
    return tomli_w.dumps(known).encode() if known else None


def _read(sidecar: Path, root: Path | None) -> dict[str, Any]:
    try:
        known = tomllib.loads(read(sidecar, root, most=_MOST).decode("utf-8-sig"))
    except OSError as error:
        raise DocumentError(f"{sidecar.name}: cannot be opened ({error.strerror or error}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DocumentError(
            f'{sidecar.name}: not valid TOML ({error}); write lines like title = "…" and authors = ["…"].'
        ) from error
    for key in _TEXTS:
        if not isinstance(known.get(key, ""), str):
            raise DocumentError(f"{sidecar.name}: {key} is {known[key]!r}; write a text in quotes.")
    names = known.get("authors", known.get("author", []))
    if not isinstance(names, str) and not (isinstance(names, list) and all(isinstance(n, str) for n in names)):
        raise DocumentError(f'{sidecar.name}: authors is {names!r}; write a list of names, ["Ana Sousa", "Li Wei"].')
    origin = known.get("origin", {})
    if not isinstance(origin, dict) or not all(isinstance(v, str | int | dt.datetime) for v in origin.values()):
        raise DocumentError(f"{sidecar.name}: origin is {origin!r}; it is a table that fetching writes.")
    return known
