"""The language of a text, told offline by py3langid, and its tag as BCP 47 (RFC 5646) writes it."""

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


_NAMES = {
    "ar": "ara arabic", "cs": "ces cze czech", "da": "dan danish", "de": "deu ger german deutsch",
    "el": "ell gre greek",
    "en": "eng english", "es": "spa spanish español castellano", "fi": "fin finnish", "fr": "fra fre french français",
    "he": "heb hebrew", "hi": "hin hindi", "hu": "hun hungarian", "it": "ita italian italiano", "ja": "jpn japanese",
    "ko": "kor korean", "nl": "nld dut dutch", "no": "nor norwegian", "pl": "pol polish",
    "pt": "por portuguese português",
    "ro": "ron rum romanian", "ru": "rus russian", "sv": "swe swedish", "tr": "tur turkish", "uk": "ukr ukrainian",
    "zh": "zho chi chinese",
}  # fmt: skip
_BY_NAME = {name: tag for tag, names in _NAMES.items() for name in names.split()}
"""ISO 639-2 codes and the names that people write into front matter."""


def normal_tag(said: str | None) -> str | None:
    """A language as files name it ("EN", "eng", "en_us", "English") as a BCP 47 tag; None for what names none."""
    parts = (said or "").strip().replace("_", "-").split("-")
    language = parts[0].casefold()
    language = _BY_NAME.get(language, language)
    if not language.isalpha() or not 2 <= len(language) <= 3:
        return None
    rest = [p.title() if len(p) == 4 else p.upper() if len(p) == 2 else p.lower() for p in parts[1:] if p.isalnum()]
    return "-".join([language, *rest])


def warm() -> None:
    """Load the model now, for a process that may not do so later."""
    _identifier()


@lru_cache(maxsize=1)
def _identifier() -> Any:  # noqa: ANN401  (the library is untyped)
    from py3langid.langid import LanguageIdentifier  # type: ignore[import-untyped]

    return LanguageIdentifier.from_model_file(verified("py3langid") / "data" / "model.npz.xz", norm_probs=True)
