"""Years and days as reference lists write them, in several languages. Knows nothing of entries or lists."""

from __future__ import annotations

import re
from typing import NamedTuple

_MONTHS = {
    1: "january jan janeiro enero ene janvier janv januar jän januari gennaio",
    2: "february feb fevereiro fev febrero février févr fevrier februar februari febbraio",
    3: "march mar março marco marzo mars märz mrz maart",
    4: "april apr abril abr avril avr aprile",
    5: "may maio mai mayo mei maggio",
    6: "june jun junho junio juin juni giugno",
    7: "july jul julho julio juillet juil juli luglio",
    8: "august aug agosto ago août aout augustus",
    9: "september sep sept setembro set septiembre septembre settembre",
    10: "october oct outubro out octubre octobre oktober okt ottobre",
    11: "november nov novembro noviembre novembre",
    12: "december dec dezembro dez diciembre dic décembre déc decembre dezember dicembre",
}
MONTHS = {name: number for number, names in _MONTHS.items() for name in names.split()}
_MONTH = "(?:" + "|".join(sorted(MONTHS, key=len, reverse=True)) + ")"
_YEAR = r"(?:1[4-9]\d\d|20\d\d)"
_DE = r"(?:\s+de|\s+del)?"
_DAY_MONTH = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th|º|\.)?{_DE}\s+({_MONTH})\b\.?(?:,?{_DE}\s+({_YEAR})\b)?", re.IGNORECASE
)
_MONTH_DAY = re.compile(
    rf"\b({_MONTH})\b\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?\b(?!\s*\()(?:,?\s+({_YEAR})\b)?", re.IGNORECASE
)
_MONTH_YEAR = re.compile(rf"\b({_MONTH})\b\.?,?{_DE}\s+({_YEAR})\b", re.IGNORECASE)
_YEAR_MONTH = re.compile(rf"\b({_YEAR})[a-z]?,?\s+({_MONTH})\b\.?(?:\s+(\d{{1,2}})\b)?", re.IGNORECASE)
_ISO = re.compile(rf"(?<![\d/])({_YEAR})([-/.])(\d{{1,2}})(?:\2(\d{{1,2}}))?(?![\d/])")
_NUMERIC = re.compile(rf"(?<![\d/.])(\d{{1,2}})([/.])(\d{{1,2}})\2({_YEAR})(?!\d)")
_ROMAN = re.compile(rf"\b(\d{{1,2}})[-./ ](I|II|III|IV|V|VI|VII|VIII|IX|X|XI|XII)[-./ ]({_YEAR})\b")
_ROMANS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_HAN = re.compile(rf"({_YEAR})\s*年(?:\s*(\d{{1,2}})\s*月)?(?:\s*(\d{{1,2}})\s*日)?")
_YEAR_ALONE = re.compile(rf"(?<![\d.:/–-])({_YEAR})(?:\s?[/–-]\s?(\d{{2,4}}))?([a-z])?(?![\d\w])")
NO_DATE = re.compile(
    r"\(?\b(?:n\.\s?d\.?|s\.\s?d\.?|no date|undated|sem data|s\.\s?f\.?|o\.\s?[DJ]\.|\[?s\.\s?d\.?\]?|"
    r"无日期|(?<=\()nd(?=\)))\)?",
    re.IGNORECASE,
)
FORTHCOMING = re.compile(
    r"\b(?:forthcoming|in press|to appear|in preparation|submitted|no prelo|en prensa|im Druck|im Erscheinen|"
    r"à paraître|sous presse)\b",
    re.IGNORECASE,
)


class Date(NamedTuple):
    """A date as written; `month` and `day` None where the text does not say, `year` None for "6 April" alone."""

    year: int | None
    month: int | None
    day: int | None
    suffix: str
    start: int
    end: int

    @property
    def parts(self) -> list[int]:
        """CSL date-parts, as precise as known."""
        if self.year is None:
            return []
        return [self.year] + ([self.month] + ([self.day] if self.day else []) if self.month else [])


def find(text: str) -> list[Date]:
    """Every date in `text`, in order, the most precise reading of each place."""
    dates: list[Date] = []
    taken = bytearray(len(text))

    def keep(match: re.Match[str], year: str | None, month: int | None, day: str | None, suffix: str = "") -> None:
        if 1 in taken[match.start() : match.end()]:
            return
        day_number = int(day) if day else None
        if (month and not 1 <= month <= 12) or (day_number and not 1 <= day_number <= 31):
            return
        taken[match.start() : match.end()] = b"\1" * (match.end() - match.start())
        dates.append(Date(int(year) if year else None, month, day_number, suffix, match.start(), match.end()))

    for m in _HAN.finditer(text):
        keep(m, m[1], int(m[2]) if m[2] else None, m[3])
    for m in _ISO.finditer(text):
        keep(m, m[1], int(m[3]), m[4])
    for m in _NUMERIC.finditer(text):
        # 08/31/2023 can only be the American order; anything else is read day first.
        first, second = int(m[1]), int(m[3])
        day, month = (m[3], first) if second > 12 >= first else (m[1], second)
        keep(m, m[4], month, day)
    for m in _ROMAN.finditer(text):
        keep(m, m[3], _ROMANS.index(m[2]) + 1, m[1])
    for m in _DAY_MONTH.finditer(text):
        keep(m, m[3], MONTHS[m[2].lower()], m[1])
    for m in _YEAR_MONTH.finditer(text):
        keep(m, m[1], MONTHS[m[2].lower()], m[3])
    for m in _MONTH_DAY.finditer(text):
        keep(m, m[3], MONTHS[m[1].lower()], m[2])
    for m in _MONTH_YEAR.finditer(text):
        keep(m, m[2], MONTHS[m[1].lower()], None)
    for m in _YEAR_ALONE.finditer(text):
        keep(m, m[1], None, None, m[3] or "")
    return sorted(dates, key=lambda d: d.start)


_ADDRESS_FULL = re.compile(r"(?<!\d)((?:19|20)\d\d)([-/_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)")
_ADDRESS_MONTH = re.compile(r"(?<=/)((?:19|20)\d\d)[-/]?(0[1-9]|1[0-2])(?=/)")


def in_address(address: str) -> tuple[int, int, int | None] | None:
    """The date that a web address itself carries in its path: (year, month, day or None), None when it has none."""
    path = address.split("://", 1)[-1].partition("/")[2].partition("?")[0]
    if m := _ADDRESS_FULL.search(path):
        return int(m[1]), int(m[3]), int(m[4])
    if m := _ADDRESS_MONTH.search("/" + path):
        return int(m[1]), int(m[2]), None
    return None


_DOI_YEAR = re.compile(r"[./]((?:19|20)\d\d)\.(0[1-9]|1[0-2])(?:\.\d{2,}|$)")


def in_doi(doi: str) -> int | None:
    """The year in a DOI of the pattern ``…/j.abbr.2023.04.004``, None for any other pattern."""
    m = _DOI_YEAR.search(doi)
    return int(m[1]) if m else None
