"""Addresses and numbers that identify a work: found by their own grammar, wherever they stand in an entry.

DOI: ISO 26324 (prefix ``10.``, registrant, suffix). URL: RFC 3986 as written in running text, so closing
punctuation is not part of it. ISBN: ISO 2108 with its check digit. arXiv: both numbering schemes.
Knows nothing of authors, titles or lists.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_DOI = re.compile(
    r"(?:https?://(?:dx\.|www\.)?doi\.org/|\bdoi\.org/|\bdoi\s*+(?:[:.]\s*+)?(?:https?://(?:dx\.)?doi\.org/)?)?"
    r"(?P<doi>\b10\.\d{4,9}(?:\.\d{1,9}){0,6}(?:/\s?|%2F)(?:\(SICI\)[^\s\"«»“”]+|[^\s\"<>«»“”]+))",
    re.IGNORECASE,
)
_DOI_ATTEMPT = re.compile(
    r"(?:\bdoi\s*:\s*|\bdoi\.org/)(?P<doi>[^\s,;\]]{2,})(?<![.)])",
    re.IGNORECASE,
)
_URL = re.compile(
    r"(?:(?:https?|ftp)\s?:\s?//\s?|\bwww\.(?=[\w-]+\.))[^\s<>\"“”«»，。；（）【】]+",
    re.IGNORECASE,
)
_URL_ATTEMPT = re.compile(r"\b(?:htp|htps|hhttps?|https?|ftp)(?:;//|:/(?!/)|//)[^\s<>\"“”]+", re.IGNORECASE)
_ISBN = re.compile(r"\bISBN(?:-1[03])?[:\s]*(?P<isbn>[\dXx][\d\-‐–\s]{7,18}[\dXx]|[\dXx-]{5,})\b", re.IGNORECASE)
_ISSN = re.compile(r"\be?-?ISSN[:\s]*(?P<issn>\d{4}[-–]\d{3}[\dXx])", re.IGNORECASE)
_ARXIV = re.compile(
    r"\barXiv(?:\.org)?[\s:/]*(?:e-?print[s]?\s*)?(?:abs/)?(?P<arxiv>\d{4}\.\d{4,5}(?:v\d+)?|[a-z-]{2,20}(?:\.[A-Z]{2})?/\d{7})",
    re.IGNORECASE,
)
_PMID = re.compile(r"\bPMID\s*+(?::\s*+)?(?P<pmid>\d{4,9})\b", re.IGNORECASE)
_PMCID = re.compile(r"\bPMCID\s*+(?::\s*+)?(?P<pmcid>PMC\d{4,9})\b", re.IGNORECASE)
_NEXT = re.compile(r"[,;.](?=(?:arXiv|URL|PMID|PMCID|ISBN|ISSN|https?:))")
"""Where the next identifier begins although the list left out the space."""
_TRAILING = ".,;:!?'’»"
_PAIRS = {")": "(", "]": "[", "}": "{", ">": "<"}
_LONGEST_ADDRESS = 2000


class Found(NamedTuple):
    """One identifier: its CSL variable, its value, and where it stands in the entry."""

    variable: str
    value: str
    start: int
    end: int
    well_formed: bool = True


def find(raw: str) -> list[Found]:
    """Every identifier of `raw`, in order, never overlapping; `well_formed` is False where its own grammar breaks."""
    found: list[Found] = []
    taken = bytearray(len(raw))

    def keep(variable: str, value: str, start: int, end: int, *, well_formed: bool = True) -> None:
        if value and 1 not in taken[start:end]:
            taken[start:end] = b"\1" * (end - start)
            found.append(Found(variable, value, start, end, well_formed))

    for match in _DOI.finditer(raw):
        if _inside_other_url(raw, match):
            continue
        value = _without_tail(_NEXT.split(match["doi"])[0])
        start, end = match.start(), match.start("doi") + len(value)
        doi = re.sub(r"%2F", "/", re.sub(r"\s", "", value), flags=re.IGNORECASE)
        keep("DOI", doi, start, end, well_formed=is_doi(doi))
    for match in _ARXIV.finditer(raw):
        if not _inside_other_url(raw, match):
            keep("arXiv", match["arxiv"], match.start(), match.end())
    for match in _URL_ATTEMPT.finditer(raw):
        value = _without_tail(match[0])
        keep("URL", value, match.start(), match.start() + len(value), well_formed=False)
    for match in _URL.finditer(raw):
        value = _without_tail(match[0])
        address = re.sub(r"\s", "", value)
        keep("URL", address, match.start(), match.start() + len(value), well_formed=is_url(address))
    for match in _DOI_ATTEMPT.finditer(raw):
        value = _without_tail(match["doi"])
        keep("DOI", value, match.start(), match.start("doi") + len(value), well_formed=False)
    for match in _ISBN.finditer(raw):
        keep("ISBN", match["isbn"].strip(), match.start(), match.end(), well_formed=is_isbn(match["isbn"]))
    for variable, pattern in (("ISSN", _ISSN), ("PMID", _PMID), ("PMCID", _PMCID)):
        for match in pattern.finditer(raw):
            keep(variable, match[variable.lower()], match.start(), match.end())
    return sorted(found, key=lambda f: f.start)


def is_doi(value: str) -> bool:
    """Whether `value` is a bare DOI: prefix, slash, a suffix without white space."""
    return re.fullmatch(r"10\.\d{4,9}(?:\.\d+)*/\S{2,}", value) is not None


def is_url(value: str) -> bool:
    """Whether `value` names a host with a top-level domain (a scheme may be absent, as in ``www.example.org``)."""
    return (
        re.match(r"(?:(?:https?|ftp)://)?(?:[\w-]+\.)+[\w-]{2,}(?::\d+)?(?:[/?#]|$)", value, re.IGNORECASE) is not None
    )


def is_isbn(value: str) -> bool:
    """Whether the check digit of a 10 or 13 digit ISBN is right."""
    digits = re.sub(r"[\s\-‐–]", "", value).upper()
    if re.fullmatch(r"\d{9}[\dX]", digits):
        return sum((10 - i) * (10 if c == "X" else int(c)) for i, c in enumerate(digits)) % 11 == 0
    if re.fullmatch(r"97[89]\d{10}", digits):
        return sum((3 if i % 2 else 1) * int(c) for i, c in enumerate(digits)) % 10 == 0
    return False


def _without_tail(value: str) -> str:
    """Drop punctuation that belongs to the sentence and brackets that the value did not open."""
    extra = {close: value.count(close) - value.count(opened) for close, opened in _PAIRS.items()}
    end = len(value)
    while end and (value[end - 1] in _TRAILING or extra.get(value[end - 1], 0) > 0):
        end -= 1
        if value[end] in extra:
            extra[value[end]] -= 1
    return value[:end]


def _inside_other_url(raw: str, match: re.Match[str]) -> bool:
    """A publisher's page with the DOI in its path is an address, not a DOI written by the list's author."""
    nearest = max(0, match.start() - _LONGEST_ADDRESS)
    word_start = max(raw.rfind(blank, nearest, match.start()) for blank in " \n") + 1
    before = raw[max(nearest, word_start) : match.start()].lower()
    return "://" in before and "doi.org" not in before


_DOI_LEAD = re.compile(r"^\s*(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", re.IGNORECASE)


def bare_doi(said: str) -> str:
    """A DOI without the address or the word before it."""
    return _DOI_LEAD.sub("", said)
