"""Dates as documents write them, in many languages, as precise as they are and no more."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")
_ISO = re.compile(r"^((?:1[5-9]|20)\d\d)(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?(?:[T ].*)?$")
_YEAR_FIRST = re.compile(
    r"^((?:1[5-9]|20)\d\d)\s*[./年년-]\s*(1[0-2]|0?[1-9])(?:\s*[./月월-]\s*(\d{1,2}))?(?!\d)\s*[.日일月월]?"
)
_AMBIGUOUS = re.compile(r"^(0?[1-9]|1[0-2])[/.\-](0?[1-9]|1[0-2])[/.\-]((?:1[5-9]|20)\d\d)$")
_CLOCK = re.compile(
    r"(?:,\s*+|(?<!\s)\s++)?(?:at\s++)?\d{1,2}:\d\d(?::\d\d)?\s*+(?:[ap]\.?m\.?\s*+)?(?:\(?[A-Z]{2,4}\)?)?$",
    re.IGNORECASE,
)
_LONGEST = 48
# The languages whose month names are tried; the whole list of the library takes a second for a line that is no date.
_LANGUAGES = [
    "en",
    "zh",
    "ja",
    "ko",
    "pt",
    "es",
    "de",
    "fr",
    "it",
    "nl",
    "ru",
    "uk",
    "pl",
    "sv",
    "da",
    "nb",
    "fi",
    "cs",
    "tr",
    "id",
    "vi",
    "ar",
]


def parse_date(text: str) -> str | None:
    """`text` as ISO 8601 (``2024``, ``2024-06`` or ``2024-06-18``), None when it is no date or names no year.

    A date written 03/04/2024 means two things; only its year is kept.
    """
    text = _CLOCK.sub("", text.strip().strip(".,;·|—–-").strip())
    iso = _ISO.match(text)
    if iso:
        return "-".join(part for part in iso.groups() if part)
    if len(text) > _LONGEST or not _YEAR.search(text):
        return None
    written = _YEAR_FIRST.match(text)
    if written and int(written[2]) <= 12 and 1 <= int(written[3] or 1) <= 31:
        return "-".join(part.zfill(2) for part in written.groups() if part)
    ambiguous = _AMBIGUOUS.match(text)
    if ambiguous and ambiguous[1].lstrip("0") != ambiguous[2].lstrip("0"):
        return ambiguous[3]
    return _read(text)


@lru_cache(maxsize=4096)
def _read(text: str) -> str | None:
    """What the library makes of a date; it takes milliseconds, and readers ask for one line more than once."""
    found = _parser().get_date_data(text)
    if found.date_obj is None:
        return None
    year, month, day = found.date_obj.year, found.date_obj.month, found.date_obj.day
    if f"{year:04d}" not in text:
        return None
    period = found.period
    if period == "day" and str(day) not in re.findall(r"\d+", re.sub(r"\b0", "", text)):
        period = "month"  # the library fills in what is not there
    return {"year": f"{year:04d}", "month": f"{year:04d}-{month:02d}"}.get(period, f"{year:04d}-{month:02d}-{day:02d}")


@lru_cache(maxsize=1)
def _parser() -> Any:  # noqa: ANN401  (the library is untyped)
    from dateparser.date import DateDataParser  # type: ignore[import-untyped]

    return DateDataParser(languages=_LANGUAGES, settings={"REQUIRE_PARTS": ["year"]})
