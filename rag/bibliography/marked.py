"""The grammar of entries that mark their kind, as the Chinese standard GB/T 7714 has them.

"Authors. Title[J]. Journal, 2022, 41(4): 82-106." – the letter in brackets (J journal, M book, D thesis, N newspaper,
R report, EB/OL online …) divides such an entry so plainly that rules read it better than the model does.
"""

from __future__ import annotations

import re

from rag.bibliography import addresses, identifiers
from rag.bibliography.segments import Segment

_MARK = re.compile(
    r"(?:(?<!\s)\s++)?\[(?P<mark>[JMDCRNSPGZ]|EB|DB|CP|DS)(?:/(?:OL|CD|MT|DK))?\]\s*+(?:(?://|[.,。])\s*+)?"
)
_HEAD = re.compile(
    r"\s*+(?P<author>(?=\S)[^.。]{2,200}?(?:\b[A-Z]{1,3}|et al)?)\s*+[.。]\s*+(?P<title>\S.*)$", re.DOTALL
)
_YEAR = r"(?P<date>(?:1[5-9]|20)\d\d(?:-\d{1,2}(?:-\d{1,2})?)?[a-z]?)"
_NAME = r"[^\s,:](?:[^,:]{0,300}[^\s,:])?"
_PAGES = r"(?:\s*+:\s*+(?P<page>[A-Z]?\d+(?:\s*+[-–]\s*+[A-Z]?\d+)?(?:\s*+\+\s*+\d+)?))?"
_RESTS = (
    # Journal, 2022, 41(4): 82-106
    re.compile(
        rf"(?P<container>[^\s,](?:[^,]{{0,300}}[^\s,])?)\s*+,\s*+{_YEAR}\s*+(?:,\s*+(?P<volume>[\dIVX]++))?\s*+"
        rf"(?:,?\s*+\((?P<issue>[^()]{{1,100}})\))?{_PAGES}"
    ),
    # Place: Publisher, 2021: 12-15
    re.compile(
        rf"(?P<place>[^\s:,.](?:[^:,.]{{0,28}}[^\s:,.])?)\s*+:\s*+(?P<publisher>{_NAME})\s*+,\s*+{_YEAR}{_PAGES}"
    ),
    # (2023-07-13)
    re.compile(rf"\(\s*+{_YEAR}\s*+\)"),
    # Place: Publisher, or a publisher alone, 2021
    re.compile(rf"(?P<publisher>{_NAME})\s*+,\s*+{_YEAR}"),
)


def segment(raw: str) -> list[Segment] | None:
    """Read an entry that bears such a mark; None where it has none or does not keep to the grammar."""
    mark = _MARK.search(raw)
    if mark is None or mark.start() < 4:
        return None
    head = _HEAD.match(raw[: mark.start()])
    if head is None:
        return None
    tail = addresses.segments(raw, identifiers.find(raw))
    segments = [Segment(name, head.start(name), head.end(name)) for name in ("author", "title")]
    segments.append(Segment("lead", mark.start(), mark.end()))
    stop = min((s.start for s in tail if s.start >= mark.end()), default=len(raw))
    journal = mark["mark"] in {"J", "N"}
    for pattern in _RESTS if journal else (*_RESTS[1:], _RESTS[0]):
        if rest := pattern.match(raw, mark.end(), stop):
            found = [(k, rest.start(k), rest.end(k)) for k, v in rest.groupdict().items() if v]
            return sorted([*segments, *(Segment(*one) for one in found), *tail], key=lambda s: s.start)
    return sorted([*segments, *tail], key=lambda s: s.start) if mark["mark"] in {"EB", "DB"} else None
