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
        return tomllib.loads(sidecar.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise DocumentError(
            f'{sidecar.name}: not valid TOML ({error}); write lines like title = "…" and authors = ["…"].'
        ) from error
