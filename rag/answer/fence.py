"""Passages as a language model gets them: between marks drawn anew, without unseen characters and without orders."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def plain(text: str) -> str:
    """`text` without control characters and those that nobody sees."""
    return _CONTROL.sub("", text)


def fenced(texts: Sequence[str]) -> tuple[str, str]:
    """The mark, and the texts between `<<mark N>>` and `<<end mark>>`, N counting from 1.

    The mark is drawn for each request, so that no text can close its own fence.
    """
    mark = secrets.token_hex(6)
    return mark, "\n".join(f"<<{mark} {n}>>\n{plain(text)}\n<<end {mark}>>" for n, text in enumerate(texts, 1))
