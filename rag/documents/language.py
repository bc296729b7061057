"""The language of a text, told offline by py3langid."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import Any

from rag.packaged import verified

_FEWEST_LETTERS = 20
_SAMPLE = 6000
_LEAST_SURE = 0.5


def language_of(text: str) -> str | None:
    """BCP 47 tag of the main language of `text`, None for too little text or an unsure guess."""
    letters = filter(str.isalpha, text[:2000])
    if next(islice(letters, _FEWEST_LETTERS - 1, None), None) is None:
        return None
    language, sure = _identifier().classify(text[:_SAMPLE])
    return str(language) if float(sure) >= _LEAST_SURE else None


def warm() -> None:
    """Load the model now, for a process that may not do so later."""
    _identifier()


@lru_cache(maxsize=1)
def _identifier() -> Any:  # noqa: ANN401  (the library is untyped)
    from py3langid.langid import LanguageIdentifier  # type: ignore[import-untyped]

    return LanguageIdentifier.from_model_file(verified("py3langid") / "data" / "model.npz.xz", norm_probs=True)
