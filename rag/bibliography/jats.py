"""JATS ``<ref-list>`` → CSL-JSON, by lxml. Reads no network, no entities of the document's own, no DTD.

Elements follow the JATS Tag Library (NISO Z39.96): ``<element-citation>`` where there is one, else the tags
inside ``<mixed-citation>`` (or ``<citation>``, ``<nlm-citation>``); a string without tags is read like any other.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from lxml import etree

from rag.bibliography import identifiers
from rag.bibliography.shapes import date_parts

_TYPES = {
    "journal": "article-journal",
    "book": "book",
    "chapter": "chapter",
    "confproc": "paper-conference",
    "conference": "paper-conference",
    "thesis": "thesis",
    "report": "report",
    "webpage": "webpage",
    "web": "webpage",
    "website": "webpage",
    "newspaper": "article-newspaper",
    "data": "dataset",
    "database": "dataset",
    "software": "software",
    "legal-doc": "legislation",
    "patent": "patent",
    "preprint": "article",
    "letter": "personal_communication",
    "commun": "personal_communication",
    "gov": "report",
    "working-paper": "report",
}
_TEXTS = {
    "volume": "volume",
    "issue": "issue",
    "publisher-name": "publisher",
    "publisher-loc": "publisher-place",
    "edition": "edition",
    "series": "collection-title",
    "isbn": "ISBN",
    "issn": "ISSN",
    "conf-name": "event-title",
    "conf-loc": "event-place",
    "version": "version",
}
_IDS = {"doi": "DOI", "pmid": "PMID", "pmcid": "PMCID", "isbn": "ISBN", "issn": "ISSN"}
_CITATIONS = ("element-citation", "mixed-citation", "nlm-citation", "citation")


class Ref(NamedTuple):
    """One ``<ref>``: its id in the file, its label, its printed string, its item (empty where only the string says)."""

    key: str
    label: str | None
    raw: str
    csl: dict[str, Any]


def read(data: bytes) -> list[Ref]:
    """Every ``<ref>`` of a document or of a bare ``<ref-list>``; raises lxml's XMLSyntaxError for what is no XML."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, recover=True
    )
    root = etree.fromstring(data, parser)
    return [] if root is None else [_ref(node) for node in root.iter("{*}ref")]


def _ref(node: etree._Element) -> Ref:
    citations = [citation for name in _CITATIONS for citation in node.iter(f"{{*}}{name}")]
    tagged = next(
        (c for c in citations if next(c.iter("{*}source", "{*}article-title", "{*}year"), None) is not None), None
    )
    printed = next((c for c in citations if etree.QName(c).localname != "element-citation"), None)
    label = _text(next(node.iter("{*}label"), None))
    raw = _text(printed) or _spaced(next(iter(citations), node))
    return Ref(node.get("id") or "", label.strip("[]().") or None, raw, _item(tagged) if tagged is not None else {})


def _spaced(node: etree._Element) -> str:
    """The words of fields that are printed nowhere, with spaces between."""
    return " ".join(word for text in node.itertext() for word in str(text).split())


def _text(node: etree._Element | None) -> str:
    return "" if node is None else " ".join("".join(str(t) for t in node.itertext()).split())


def _item(node: etree._Element) -> dict[str, Any]:
    kind = node.get("publication-type") or node.get("citation-type") or node.get("content-type") or ""
    csl: dict[str, Any] = {"type": _TYPES.get(kind.lower(), "document")}

    def first(*tags: str) -> str:
        return next((text for tag in tags for n in node.iter(f"{{*}}{tag}") if (text := _text(n))), "")

    _people(node, csl)
    title = first("article-title", "chapter-title", "part-title", "data-title")
    source = first("source")
    if title or csl["type"] == "article-journal":
        values = {"title": title.removesuffix(".") if not title.endswith("..") else title, "container-title": source}
        if csl["type"] == "book":
            csl["type"] = "chapter"
    else:
        values = {"title": source}
    values |= {variable: first(tag) for tag, variable in _TEXTS.items()}
    begin, end = first("fpage"), first("lpage")
    values["page"] = (
        f"{begin}-{end}" if begin and end and begin != end else begin or first("page-range") or first("elocation-id")
    )
    csl |= {k: v for k, v in values.items() if v}
    _dates(node, csl)
    for number in node.iter("{*}pub-id"):
        if (variable := _IDS.get((number.get("pub-id-type") or "").lower())) and (text := _text(number)):
            csl.setdefault(variable, identifiers.bare_doi(text))
    for link in node.iter("{*}ext-link", "{*}uri"):
        address = "".join((link.get("{http://www.w3.org/1999/xlink}href") or _text(link)).split())
        doi = re.match(r"(?:https?://)?(?:dx\.)?doi\.org/(10\..+)", address)
        if address:
            csl.setdefault("DOI" if doi else "URL", doi[1] if doi else address)
    return csl


def _people(node: etree._Element, csl: dict[str, Any]) -> None:
    roles = {
        "author": "author",
        "editor": "editor",
        "translator": "translator",
        "compiler": "editor",
        "director": "director",
    }
    for child in node.iter("{*}name", "{*}string-name", "{*}collab", "{*}etal"):
        if any(
            etree.QName(a).localname in {"name", "string-name", "collab"}
            for a in child.iterancestors()
            if a is not node
        ):
            continue
        group = next((a for a in child.iterancestors() if etree.QName(a).localname == "person-group"), None)
        role = roles.get(
            (group.get("person-group-type") if group is not None else None)
            or child.get("person-group-type")
            or "author"
        )
        if role is None:
            continue
        tag = etree.QName(child).localname
        if tag == "etal":
            csl.setdefault("custom", {})["et-al"] = True
            continue
        parts = {
            v: _text(next(child.iter(f"{{*}}{t}"), None))
            for t, v in (("surname", "family"), ("given-names", "given"), ("suffix", "suffix"))
        }
        person = {k: v for k, v in parts.items() if v} if tag != "collab" else {}
        if "family" not in person:
            person = {"literal": _text(child)}
        if any(person.values()):
            csl.setdefault(role, []).append(person)


def _dates(node: etree._Element, csl: dict[str, Any]) -> None:
    year = _text(next(node.iter("{*}year"), None))
    if match := re.match(r"[^\d]*(\d{4})\s*([a-z])?(?![\w])", year):
        month, day = (_text(next(node.iter(f"{{*}}{t}"), None)) for t in ("month", "day"))
        parts = [int(match[1])]
        if month.isdecimal() and 1 <= int(month) <= 12:
            parts.append(int(month))
            if day.isdecimal() and 1 <= int(day) <= 31:
                parts.append(int(day))
        csl["issued"] = {"date-parts": [parts]}
        if match[2]:
            csl["year-suffix"] = match[2]
    for visited in node.iter("{*}date-in-citation"):
        iso = re.fullmatch(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", visited.get("iso-8601-date") or "")
        if iso and "access" in (visited.get("content-type") or "access"):
            parts = date_parts({"date-parts": [[int(p) for p in iso.groups() if p]]})
            csl.setdefault("accessed", {"date-parts": [parts]})
