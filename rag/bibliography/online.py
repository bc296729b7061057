"""The grammar of online entries in author–date lists.

"Author, 2024. Title. Newspaper [Online], 6 April. Available from: …"

The medium mark in brackets divides such an entry so plainly that rules read it better than the model does,
which has hardly seen any: before ``[Online],`` stands the container, before ``[Online].`` the title. What has
no such mark is left to the model (`rag.bibliography.tagger`).
"""

from __future__ import annotations

import re

from rag.bibliography import addresses, dates, identifiers, names
from rag.bibliography.segments import Segment

_YEAR = r"(?:1[4-9]|20)\d\d[a-z]?"
_HEAD_DATE = re.compile(
    rf"(?:(?<![\s,])[\s,]++)?(?:\((?P<a>{_YEAR}(?:[,/–-][^)]{{1,30}})?)\)|\[(?P<b>{_YEAR})\]|(?<=[\s,.])(?P<c>{_YEAR}))"
    rf"(?:\s*[.,:;]|\s(?=[“\"‘'«]))"
)
_HEAD_NO_DATE = re.compile(
    r"(?:(?<![\s,])[\s,]++)?\(?(?P<none>n\.\s?d\.?|s\.\s?d\.?|no date|s\.\s?f\.?|undated)\)?(?=[\s.,:])[.,:]?",
    re.IGNORECASE,
)
_MEDIUM = re.compile(r"(?:(?<!\s)\s++)?[\[(](?P<medium>on-?line|en línea|em linha|en ligne)[\])]", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?:(?<=[.?!。？！])|(?<=[.?!][”\"’'»)]))\s++(?=[“\"‘'«\[(]?[^\W\d_a-zß-öø-ÿ]|\d)")
_ABBREVIATED = re.compile(
    r"\b(?:[A-Z]|vs|St|Dr|Mr|Mrs|Ms|[Nn]o|[Vv]ol|pp?|cf|ca|c|al|Jr|Inc|Co|Ltd|[Ee]ds?|U\.S|U\.K|approx|[Cc]h|"
    r"spp?|var|Univ|Proc)\.$"
)
_PLACE = r"[^\W\d_][\w.’'\s-]{1,40}"
_IMPRINTS = (
    re.compile(
        rf"(?P<place>{_PLACE}(?:,\s[\w.’'\s-]{{2,25}})?)\s?:\s++(?P<publisher>[^:]{{2,120}}?)\s*+(?:[.,;]\s*+)?$"
    ),
    re.compile(
        r"(?P<place>[^\W\d_a-z][\w’'-]+(?:\s[^\W\d_a-z][\w’'-]+){0,2}),\s++"
        r"(?P<publisher>[^\W\d_a-z][^:;,\d]{2,100}?)\s*+(?:\.\s*+)?$"
    ),
)
_NAME = re.compile(r"[^\W\d_a-z][\w’'&.-]*+(?:\s[^\W\d_a-z][\w’'&.-]*+){0,4}\s?$")
_DATE_LENGTH = 30
"""Characters within which what follows the mark is a date and nothing else."""


def segment(raw: str) -> list[Segment] | None:
    """Read an entry that bears the mark; None where it does not keep to the grammar, so that the model may try."""
    medium = _MEDIUM.search(raw)
    if medium is None:
        return None
    tail = addresses.segments(raw, identifiers.find(raw))
    end = len(raw[: min((s.start for s in tail), default=len(raw))].rstrip(" \t\r\n,;:(<["))
    if medium.end() > end + 1:
        return None
    head = _head(raw, medium.start())
    if head is None:
        return None
    segments, start = head
    start += len(raw[start:]) - len(raw[start:].lstrip(" \t\r\n,.:"))
    mark = Segment("medium", medium.start("medium"), medium.end("medium"))
    after = raw[medium.end() : end].strip(" .,")
    appeared = dates.find(after) if len(after) < _DATE_LENGTH else []
    if not after or appeared or raw[medium.end() : medium.end() + 1] == ",":
        day = [Segment("date", d.start, d.end) for d in _shifted(raw, medium.end(), end)[:1]]
        return [*segments, *_title_container(raw, start, medium.start()), mark, *day, *tail]
    imprint = _imprint(raw, medium.end(), end)
    return None if imprint is None else [*segments, Segment("title", start, medium.start()), mark, *imprint, *tail]


def _shifted(raw: str, start: int, end: int) -> list[dates.Date]:
    return [d._replace(start=start + d.start, end=start + d.end) for d in dates.find(raw[start:end])]


def _head(raw: str, end: int) -> tuple[list[Segment], int] | None:
    """Authors and date at the head of an entry, and where its title begins."""
    match = _HEAD_DATE.search(raw, 0, min(end, 400))
    if match is not None and match.start() > 1 and _is_author(raw[: match.start()]):
        group = next(g for g in "abc" if match[g])
        return [Segment("author", 0, match.start()), Segment("date", match.start(group), match.end(group))], match.end()
    none = _HEAD_NO_DATE.search(raw, 0, min(end, 250))
    if none is not None and none.start() > 1 and _is_author(raw[: none.start()]):
        return [
            Segment("author", 0, none.start()),
            Segment("no-date", none.start("none"), none.end("none")),
        ], none.end()
    # No date at all: "Body. Title [Online]." is claimed only when the first sentence names a body.
    first = next(iter(_sentences(raw, 0, end)), None)
    if first and first[1] < end and names.is_body(raw[: first[1]]) and "," not in raw[: first[1]]:
        return [Segment("author", 0, first[1])], first[1]
    return None


def _is_author(text: str) -> bool:
    text = text.strip()
    if dates.find(text) or len(text) > 350 or re.search(r"[“”\"«»?!]", text):
        return False
    parsed = names.parse(text)
    return all("given" in name for name in parsed) or (len(parsed) == 1 and len(text.split()) <= 14)


def _sentences(raw: str, start: int, end: int) -> list[tuple[int, int]]:
    """Sentence spans of a short stretch; brackets and abbreviations hold a sentence together."""
    spans: list[tuple[int, int]] = []
    begin = seen = start
    opened = 0
    for match in _SENTENCE_END.finditer(raw, start, end):
        opened += raw.count("(", seen, match.start()) - raw.count(")", seen, match.start())
        seen = match.start()
        if _ABBREVIATED.search(raw[max(begin, seen - 12) : seen]) or opened > 0:
            continue
        spans.append((begin, seen))
        begin, opened = match.end(), 0
    if raw[begin:end].strip():
        spans.append((begin, end))
    return spans


def _title_container(raw: str, start: int, end: int) -> list[Segment]:
    """Before ``[Online],`` the container is the last sentence, or the last name behind a comma."""
    sentences = _sentences(raw, start, end)
    if len(sentences) > 1:
        return [Segment("title", start, sentences[-2][1]), Segment("container", *sentences[-1])]
    comma = raw.rfind(", ", start, end)
    if comma > start and _NAME.match(raw[comma + 2 : end].strip()):
        return [Segment("title", start, comma), Segment("container", comma + 2, end)]
    return [Segment("title", start, end)]


def _imprint(raw: str, start: int, end: int) -> list[Segment] | None:
    """Read "Place: Publisher" or "Place, Publisher", None where something else stands there."""
    while start < end and raw[start] in " \t\r\n,.;:":
        start += 1
    text = raw[start:end]
    for pattern in _IMPRINTS:
        if (match := pattern.match(text)) and not dates.find(text) and not re.search(r"\bIn:?\s", text):
            return [
                Segment(label, start + match.start(label), start + match.end(label)) for label in ("place", "publisher")
            ]
    return None
