"""What is known of a document beside its text: `<stem>.toml` next to the file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from rag.errors import DocumentError


def known_of(path: Path) -> dict[str, Any]:
    """The fields of the sidecar `<stem>.toml` (title, authors, date, language, address), {} without one.

    Raises DocumentError when the sidecar is no valid TOML.
    """
    sidecar = path.with_suffix(".toml")
    if sidecar == path or not sidecar.is_file():
        return {}
    try:
        known = tomllib.loads(sidecar.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise DocumentError(
            f'{sidecar.name}: not valid TOML ({error}); write lines like title = "…" and authors = ["…"].'
        ) from error
    for key in ("title", "language", "address"):
        if not isinstance(known.get(key, ""), str):
            raise DocumentError(f"{sidecar.name}: {key} is {known[key]!r}; write a text in quotes.")
    names = known.get("authors", known.get("author", []))
    if not isinstance(names, str) and not (isinstance(names, list) and all(isinstance(n, str) for n in names)):
        raise DocumentError(f'{sidecar.name}: authors is {names!r}; write a list of names, ["Ana Sousa", "Li Wei"].')
    return known
