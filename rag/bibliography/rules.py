"""The grammar of author–date entries (Harvard and its kin): authors, year. Title. Where it appeared. Address.

This is the form that many lists keep so strictly that rules read it better than a model: the date stands
right behind the authors, the medium mark ``[Online]`` and the words "Available from:" divide the rest.
What does not fit the grammar is left to the model (`rag.bibliography.model`).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rag.bibliography import dates, identifiers, names

_HEAD_DATE = re.compile(
    r"(?P<lead>[\s,]*)(?:\((?P<a>(?:c\.?\s*)?(?:1[4-9]|20)\d\d[a-z]?(?:[,/–-][^)]{1,30})?)\)|\[(?P<b>(?:1[4-9]|20)\d\d[a-z]?)\]|"
    r"(?<=[\s,.])(?P<c>(?:1[4-9]|20)\d\d[a-z]?))(?P<tail>\s*[.,:;]|\s(?=[“\"‘'«]))"
)
_HEAD_NO_DATE = re.compile(
    r"[\s,]*\(?(?P<none>n\.\s?d\.?|s\.\s?d\.?|no date|s\.\s?f\.?|undated|forthcoming|in press)\)?(?=[\s.,:])[.,:]?",
    re.IGNORECASE,
)
ADDRESS_LEAD = re.compile(
    r"[\s.,;(\[<]*\b(?:(?:is\s+)?available\s+(?:online\s+)?(?:from|at|in|on|via)|available(?=\s*:)|retrieved(?:\s+(?:on\s+)?[\w\s,]{4,24}?)?(?:,)?\s+from|accessed\s+(?:at|from|via)|"
    r"dispon[ií](?:vel|ble)(?:\s+(?:em|en))?|disponible\s+sur|verfügbar\s+unter|abrufbar\s+unter|url|doi|link|online(?=\s*:))\s*[:.]?\s*[<(\[]?\s*$",
    re.IGNORECASE,
)
ACCESSED = re.compile(
    r"[\s,;.]*[(\[]?\s*\b(?:last\s+)?(?:accessed|access(?:ed)?(?:\s+(?:date|on|in))?|retrieved|viewed|visited|consulted|acess(?:o|ado)(?:\s+em)?|acesso|"
    r"consulta(?:do|da)?(?:\s+(?:el|em))?|fecha de consulta|consulté(?:\s+le)?|zugegriffen(?:\s+am)?|abgerufen(?:\s+am)?|letzter\s+zugriff)\b"
    r"(?:\s*(?:on|em|in|el|le|am|:))?\s*:?\s*(?P<when>[^)\]]{4,40}?)?\s*(?:[)\]]\.?|\.?$|(?=\.\s))",
    re.IGNORECASE,
)
_MEDIUM = re.compile(
    r"\s*[\[(](?P<medium>on-?line|internet|video|podcast|audio|film|pdf|e-?book|blog|website|tweet|dataset|software|press release|web\s?page|en línea|em linha)[\])]",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?:(?<=[.?!。？！])|(?<=[.?!][”\"’'»)]))\s+(?=[“\"‘'«\[(]?[^\W\d_a-zß-öø-ÿ]|\d)")
_ABBREVIATED = re.compile(
    r"(?:\b(?:[A-Z]|vs|St|Dr|Mr|Mrs|Ms|No|no|vol|Vol|pp?|cf|ca|c|al|Jr|Inc|Co|Ltd|ed|eds|Eds?|U\.S|U\.K|approx|ch|Ch|sp|spp|var|Univ|Proc|Int|Conf))\.$"
)
_JOURNAL_NUMBERS = re.compile(
    r"[\s,.;]*(?:\b(?:vol(?:ume)?|v|bd|t)\.?\s*)?(?P<volume>\d{1,4}|\b[IVXL]{1,6}\b)?\s*(?:,?\s*\(\s*(?P<i1>[\w./–-]{1,12}(?:\s[\w.]{1,6})?)\s*\)|,?\s*\b(?:no|n|nr|num|issue|iss|núm|nº)[.º°]?\s*(?P<i2>[\w/–-]{1,8}))?"
    r"(?:\s*[,:;.]?\s*(?:\bpp?(?:\.|\s)|\bpages?\s|\bpágs?\.|\bS\.)?\s*(?P<pages>[A-Za-z]?\d{1,6}\s*[-–—‑]+\s*[A-Za-z]?\d{1,6}|e\d{3,}|(?<=p\.)\s*\d+|(?<=[:,]\s)\d{1,6}))?\s*[.,;]?\s*$"
)
_PAGES = re.compile(
    r"[\s,.;(]*\b(?:pp?\.|pages?|págs?\.)\s*(?P<pages>[A-Za-z]?\d+(?:\s*[-–—‑]+\s*[A-Za-z]?\d+)?)\)?\s*[.,;]?\s*$"
)
_PLACE_PUBLISHER = re.compile(
    r"(?P<place>[^\W\d_][\w.’'\s-]{1,40}(?:,\s[\w.’'\s-]{2,25})?)\s?:\s+(?P<publisher>[^:]{2,120}?)\s*[.,;]?\s*$"
)
_PLACE_COMMA = re.compile(
    r"(?P<place>[^\W\d_a-z][\w’'-]+(?:\s[^\W\d_a-z][\w’'-]+){0,2}),\s+(?P<publisher>[^\W\d_a-z][^:;,\d]{2,100}?)\s*\.?\s*$"
)


class Segment(NamedTuple):
    """A labelled stretch of an entry: `raw[start:end]` says its `label`."""

    label: str
    start: int
    end: int


def segment(raw: str) -> list[Segment] | None:
    """Read one author–date entry; None where it does not keep to the grammar, so that the model may try.

    The grammar claims an entry when its head is "authors, year" or a body before an online title, and when
    what follows the title is a medium mark with a date, "place: publisher" or nothing but an address.
    """
    found = identifiers.find(raw)
    body_end, tail = _tail(raw, found)
    head = _head(raw, body_end)
    if head is None:
        return None
    segments, title_start = head
    middle = _middle(raw, title_start, body_end)
    return None if middle is None else [*segments, *middle, *tail]


def address_segments(raw: str, found: list[identifiers.Found]) -> list[Segment]:
    """The identifiers of an entry and the words that lead up to them, as segments."""
    segments = [Segment(f.variable, f.start, f.end) for f in found]
    for f in found:
        if lead := ADDRESS_LEAD.search(raw, max(0, f.start - 60), f.start):
            segments.append(Segment("lead", lead.start(), f.start))
    return segments


def _tail(raw: str, found: list[identifiers.Found]) -> tuple[int, list[Segment]]:
    """Where the bibliographic part ends and the address part begins."""
    segments = address_segments(raw, found)
    if access := next((m for m in ACCESSED.finditer(raw) if m["when"] and dates.find(m["when"])), None):
        segments.append(Segment("accessed", access.start("when"), access.end("when")))
        segments.append(Segment("lead", access.start(), access.end()))
    end = min((s.start for s in segments), default=len(raw))
    return len(raw[:end].rstrip(" \t\r\n,;:(<[")), segments


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
    # No date at all: "Body. Title [Online]. Place: Body." is claimed only when the first sentence is a body.
    medium = _MEDIUM.search(raw, 0, end)
    first = next(iter(_sentences(raw, 0, end)), None)
    if (
        medium
        and first
        and first[1] < medium.start()
        and names.is_body(raw[: first[1]])
        and raw.count(",", 0, first[1]) == 0
    ):
        return [Segment("author", 0, first[1])], first[1]
    return None


def _is_author(text: str) -> bool:
    text = text.strip()
    if dates.find(text) or len(text) > 350 or re.search(r"[“”\"«»?!]", text):
        return False
    parsed = names.parse(text)
    people = sum("given" in name for name in parsed)
    return people == len(parsed) or (len(parsed) == 1 and len(text.split()) <= 14)


def _sentences(raw: str, start: int, end: int) -> list[tuple[int, int]]:
    """Sentence spans of a short stretch; brackets and abbreviations hold a sentence together."""
    spans: list[tuple[int, int]] = []
    begin = start
    for match in _SENTENCE_END.finditer(raw, start, end):
        before = raw[begin : match.start()]
        if (
            _ABBREVIATED.search(before)
            or before.count("(") > before.count(")")
            or before.count("[") > before.count("]")
        ):
            continue
        spans.append((begin, match.start()))
        begin = match.end()
    if raw[begin:end].strip():
        spans.append((begin, end))
    return spans


def _trim(raw: str, start: int, end: int) -> tuple[int, int]:
    while start < end and raw[start] in ' \t\r\n,.;:“"«':
        start += 1
    while end > start and raw[end - 1] in " \t\r\n,.;:":
        end -= 1
    return start, end


def _middle(raw: str, start: int, end: int) -> list[Segment] | None:
    """Title, container, imprint and numbers between the date and the address."""
    start, end = _trim(raw, start, end)
    if start >= end:
        return []
    medium = _MEDIUM.search(raw, start, end)
    if medium is not None:
        mark = Segment("medium", medium.start("medium"), medium.end("medium"))
        after = raw[medium.end() : end].strip(" .,")
        if (
            not after
            or raw[medium.end() : medium.end() + 1] == ","
            or dates.find(after)[:1] == [d for d in dates.find(after) if len(after) < 30][:1] != []
        ):
            return [*_title_container(raw, start, medium.start()), mark, *_published(raw, medium.end(), end)]
        imprint = _imprint(raw, medium.end(), end)
        return None if imprint is None else [Segment("title", start, medium.start()), mark, *imprint]
    if numbers := _journal(raw, start, end):
        return numbers
    sentences = _sentences(raw, start, end)
    if len(sentences) == 1:
        return [Segment("title", start, end)] if raw[start:end].count(",") <= 2 or len(raw) == end else None
    imprint = _imprint(raw, sentences[-1][0], end)
    return None if imprint is None else [Segment("title", start, sentences[-2][1]), *imprint]


def _title_container(raw: str, start: int, end: int) -> list[Segment]:
    """ "Title. Container" before a medium mark; the container is the last sentence, or the last name behind a comma."""
    sentences = _sentences(raw, start, end)
    if len(sentences) > 1:
        return [Segment("title", start, sentences[-2][1]), Segment("container", *sentences[-1])]
    comma = raw.rfind(", ", start, end)
    if comma > start and re.match(r"(?:[^\W\d_a-z][\w’'&.-]*\s?){1,5}$", raw[comma + 2 : end].strip()):
        return [Segment("title", start, comma), Segment("container", comma + 2, end)]
    return [Segment("title", start, end)]


def _published(raw: str, start: int, end: int) -> list[Segment]:
    found = dates.find(raw[start:end])
    return [Segment("date", start + d.start, start + d.end) for d in found[:1]]


def _imprint(raw: str, start: int, end: int) -> list[Segment] | None:
    start, end = _trim(raw, start, end)
    if start >= end:
        return []
    text = raw[start:end]
    for pattern in (_PLACE_PUBLISHER, _PLACE_COMMA):
        if (match := pattern.match(text)) and not dates.find(text) and not re.search(r"\bIn:?\s", text):
            return [
                Segment(label, start + match.start(label), start + match.end(label)) for label in ("place", "publisher")
            ]
    return None


def _journal(raw: str, start: int, end: int) -> list[Segment] | None:
    """ "Title. Journal, 41(4), pp. 82-106"; only where volume with issue, or volume with pages, is plain."""
    sentences = _sentences(raw, start, end)
    if len(sentences) < 2:
        return None
    last = sentences[-1]
    text = raw[last[0] : last[1]]
    comma = text.find(",")
    if comma < 3 or "http" in text or re.search(r"\b(?:In|Em|In:)\s", text[:4]) or re.search(r"\d", text[:comma]):
        return None
    numbers = _JOURNAL_NUMBERS.match(text, comma)
    if numbers is None or not numbers["volume"] or not (numbers["i1"] or numbers["i2"] or numbers["pages"]):
        return None
    segments = [Segment("title", start, sentences[-2][1]), Segment("container", last[0], last[0] + comma)]
    for label, group in (("volume", "volume"), ("issue", "i1"), ("issue", "i2"), ("page", "pages")):
        if numbers[group]:
            segments.append(Segment(label, last[0] + numbers.start(group), last[0] + numbers.end(group)))
    return segments
