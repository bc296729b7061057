"""Whether work grows with its text: for tests that pump parsers and linkers."""

from __future__ import annotations

import time
from collections.abc import Callable


def _took(work: Callable[[str], object], text: str) -> float:
    begun = time.thread_time()
    work(text)
    return time.thread_time() - begun


def grows_with(work: Callable[[str], object], piece: str, least: int = 5_000) -> bool:
    """Whether eight times the text takes about eight times as long; four times that is taken for a busy machine."""
    short, long = (piece * (n // len(piece)) for n in (least, 8 * least))
    before, after = _took(work, short), _took(work, long)
    if after < 0.2 or after < 20 * before:
        return True
    return min(after, _took(work, long)) < 24 * max(before, _took(work, short))
