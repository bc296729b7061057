"""The labelled reference strings in ``../shared/data`` in one shape, and how they are split.

AnyStyle tags whole stretches with their punctuation and their words ("In", "pp.", "Vol. 3, no. 2"); GROBID
tags bare values. Both are brought to bare values here, so that one model can learn from both.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lxml import etree

SHARED = Path(__file__).parents[3] / "shared" / "data"

_PARSER = etree.XMLParser(recover=True, load_dtd=False, no_network=True, resolve_entities=False, huge_tree=False)
_ANYSTYLE = {
    tag: label
    for label, tags in {
        "author": "author director producer",
        "editor": "editor",
        "translator": "translator",
        "date": "date",
        "title": "title",
        "container": "journal container-title source",
        "series": "collection-title",
        "volume": "volume",
        "page": "pages",
        "publisher": "publisher",
        "place": "location",
        "edition": "edition",
        "genre": "genre medium",
        "note": "note",
        "label": "citation-number",
        "web": "url doi isbn",
    }.items()
    for tag in tags.split()
}
_SCOPE = {
    "vol": "volume",
    "volume": "volume",
    "volumes": "volume",
    "issue": "issue",
    "pp": "page",
    "page": "page",
    "pages": "page",
}
_EDGE = " \t\r\n\u00a0,;:.。，；、"
_WRAP = "\"“”„«»‘’'()[]"
_LEADS = {
    "editor": re.compile(
        r"(?:^|(?<=\W))\s*(?:\bin\b:?|\bem\b:|\bdans\b|\bedited\s+(?:and\s+\w+\s+)?by\b|\beds?\b\.?(?:\s+by\b)?|"
        r"\bedit(?:ed|or)s?\b\.?|\ba cura di\b|\bHrsg\.?(?:\s+von)?)[\s,:.()]*",
        re.IGNORECASE,
    ),
    "translator": re.compile(
        r"\b(?:and\s+)?(?:trans(?:l|lated|lators?)?|trad(?:uit|u[cç]\w+)?|tr)\b\.?\s*(?:by|fr\.|de|par|von|do|da)?\s*",
        re.IGNORECASE,
    ),
    "container": re.compile(r"^\s*(?:in|em|dans)\b\s*:?\s+", re.IGNORECASE),
    "page": re.compile(r"^[\s(\[]*(?:pp?|pages?|pgs?|págs?|S|seiten?)\b\.?[\s:]*", re.IGNORECASE),
    "series": re.compile(r"^\s*(?:of|in)\s+", re.IGNORECASE),
    "title": re.compile(r"^\s*(?:in\s*:\s*)", re.IGNORECASE),
}
_NUMBERS = (
    re.compile(r"(?P<volume>[\dIVXLC]+(?:\s?[A-Za-z])?(?:[-–/]\d+)?)\s*[,.:]?\s*\(\s*(?P<issue>[^()]{1,20})\s*\)"),
    re.compile(
        r"(?:vol(?:ume)?s?|v|bd|t|tome)?\.?\s*(?P<volume>[\dIVXLC]+[a-z]?(?:[-–/]\d+)?)\s*[,.:;]?\s*"
        r"(?:no|n|nr|num|number|issue|iss|heft|h|part|pt)s?[.º°]?\s*(?P<issue>[\w–/-]+)",
        re.IGNORECASE,
    ),
    re.compile(r"(?P<volume>\d+)\s*[:./]\s*(?P<issue>\d+)\b"),
    re.compile(r"^[\s(]*(?:no|n|nr|number|issue|heft)s?[.º°]\s*(?P<issue>[\w–/-]+)", re.IGNORECASE),
    re.compile(r"^[\s(]*(?:vol(?:ume)?s?|v|bd|band|t|tome|chap(?:ter)?)?\.?\s*(?P<volume>[\w–/-]+)", re.IGNORECASE),
)


class Labelled(NamedTuple):
    """A reference string and the stretches of it that are fields."""

    raw: str
    spans: tuple[tuple[str, int, int], ...]
    source: str

    def values(self, label: str) -> list[str]:
        """The texts of one field."""
        return [self.raw[a:b] for name, a, b in self.spans if name == label]


def anystyle() -> Iterator[Labelled]:
    """The sequences of AnyStyle's core set (BSD-2-Clause)."""
    root = etree.parse(str(SHARED / "anystyle" / "core.xml"), _PARSER).getroot()
    for sequence in root.findall("sequence"):
        raw = ""
        spans: list[tuple[str, int, int]] = []
        for part in sequence:
            text = " ".join("".join(part.itertext()).split())
            if not text:
                continue
            raw += " " if raw else ""
            start, raw = len(raw), raw + text
            if name := _ANYSTYLE.get(str(part.tag)):
                spans.extend(_bare(name, raw, start, len(raw)))
        if spans:
            yield Labelled(raw, tuple(spans), "anystyle/core.xml")


def grobid() -> Iterator[Labelled]:
    """The reference strings of GROBID's citation training set (Apache-2.0), file by file."""
    for path in sorted((SHARED / "grobid_citations").glob("*.xml")):
        for bibl in etree.parse(str(path), _PARSER).iter("{*}bibl"):
            if (item := _tei(bibl, f"grobid/{path.name}")) is not None:
                yield item


def _tei(bibl: etree._Element, source: str) -> Labelled | None:
    pieces: list[tuple[str, str]] = []
    _walk(bibl, "", pieces)
    raw = ""
    found: list[tuple[str, int, int]] = []
    for text, name in pieces:
        clean = re.sub(r"\s+", " ", text)
        clean = clean.lstrip() if not raw or raw.endswith(" ") else clean
        if not clean:
            continue
        start, raw = len(raw), raw + clean
        if name and found and found[-1][0] == name and found[-1][2] == start:
            found[-1] = (name, found[-1][1], len(raw))
        elif name:
            found.append((name, start, len(raw)))
    raw = raw.rstrip()
    names = {name for name, _, _ in found}
    spans: list[tuple[str, int, int]] = []
    for i, (name, a, b) in enumerate(found):
        kind = name
        if name == "title-m":
            kind = "container" if "title" in names else "title"
        elif name == "org":
            kind = "author" if "author" not in names and i == 0 else "publisher"
        spans.extend(_bare(kind, raw, a, min(b, len(raw))))
    return Labelled(raw, tuple(spans), source) if spans and len(raw) > 10 else None


def _walk(node: etree._Element, name: str, pieces: list[tuple[str, str]]) -> None:
    pieces.append((node.text or "", name))
    for child in node:
        if not isinstance(child.tag, str) or etree.QName(child).localname == "lb":
            pieces.append((" ", name))
        else:
            _walk(child, _tei_label(child) or name, pieces)
        pieces.append((child.tail or "", name))


def _tei_label(node: etree._Element) -> str:
    tag = etree.QName(node).localname
    if tag == "title":
        return {"a": "title", "j": "container", "m": "title-m", "s": "series"}.get(node.get("level", ""), "title-m")
    if tag == "biblScope":
        return _SCOPE.get(node.get("type") or node.get("unit") or "", "")
    if tag == "orgName":
        return "author" if node.get("type") == "collaboration" else "org"
    if tag == "note":
        return "genre" if node.get("type") == "report" else "note"
    return {
        "author": "author",
        "editor": "editor",
        "date": "date",
        "publisher": "publisher",
        "pubPlace": "place",
        "pubplace": "place",
        "idno": "web",
        "ptr": "web",
    }.get(tag, "")


def _bare(name: str, raw: str, start: int, end: int) -> list[tuple[str, int, int]]:
    """Take the words and marks off a tagged stretch that are not its value."""
    if name == "volume":
        text = raw[start:end]
        for pattern in _NUMBERS:
            if match := pattern.search(text):
                return [(k, start + match.start(k), start + match.end(k)) for k in match.groupdict() if match[k]]
        return []
    lead = _LEADS.get(name)
    if lead is not None:
        while (match := lead.search(raw[start:end])) and match.end() and match.start() <= 2:
            start += match.end()
    if name == "editor":
        tail = re.search(
            r"[\s,(\[]*\b(?:eds?|editors?|dir|org|coord|a cura di|hrsg|compilers?|trans)\b\.?[\s)\],.:]*$",
            raw[start:end],
            re.IGNORECASE,
        )
        end = start + tail.start() if tail and tail.start() > 0 else end
    edge = _EDGE + (
        _WRAP
        if name in {"title", "page", "date", "volume", "issue", "place", "publisher", "container", "edition"}
        else ""
    )
    if name in {"title", "container", "publisher", "place"}:
        edge = (
            "".join(c for c in edge if c not in "()[]")
            if raw[start:end].count("(") == raw[start:end].count(")")
            else edge
        )
    while start < end and raw[start] in edge:
        start += 1
    while end > start and raw[end - 1] in edge and not _keeps(name, raw, start, end):
        end -= 1
    return [(name, start, end)] if start < end else []


def _keeps(name: str, raw: str, start: int, end: int) -> bool:
    """The full stop of a last initial or abbreviation belongs to the value."""
    return (
        name in {"author", "editor", "translator", "container"}
        and raw[end - 1] == "."
        and bool(
            re.search(
                r"(?:\b[A-Z]|\bal|\bJr|\b[A-Z][a-z]{1,6})\.$" if name == "container" else r"(?:\b[A-Z]|\bal|\bJr)\.$",
                raw[start:end],
            )
        )
    )


def key(raw: str) -> str:
    """What makes two strings the same for the split: their letters and digits."""
    return re.sub(r"[\W_]+", "", raw).lower()


COLLECTIONS_LEFT_OUT = ("grobid/evaluation-citation-", "grobid/raw_ref_corrected.")
"""Whole collections that training never sees: GROBID's own evaluation lists, and its mixed bag of odd strings."""


def split() -> tuple[list[Labelled], list[Labelled], list[Labelled]]:
    """(training, left out by file, the collections left out).

    GROBID files go whole to one side by the hash of their name; AnyStyle's one file by the hash of each string.
    A string that stands on the left-out side in any spelling of its marks is taken out of training.
    """
    train: list[Labelled] = []
    out: list[Labelled] = []
    collection: list[Labelled] = []
    for item in [*anystyle(), *grobid()]:
        by = key(item.raw) if item.source.startswith("anystyle") else item.source
        if item.source.startswith(COLLECTIONS_LEFT_OUT):
            collection.append(item)
        elif hashlib.sha256(by.encode()).digest()[0] < 38:  # 38/256: about 15 %
            out.append(item)
        else:
            train.append(item)
    held = {key(i.raw) for i in [*out, *collection]}
    seen: set[str] = set()
    unique = [i for i in train if key(i.raw) not in held and not (key(i.raw) in seen or seen.add(key(i.raw)))]  # type: ignore[func-returns-value]
    return unique, out, collection
