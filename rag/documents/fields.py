"""Citations that reference managers keep in a word processor's fields, with what the file holds of the works cited.

Zotero and Mendeley write "ADDIN … CSL_CITATION {…}" with whole CSL-JSON items (in LibreOffice as the name of a
reference mark), Mendeley Cite a content control, EndNote "ADDIN EN.CITE <EndNote>…" with its own XML, Word
"CITATION Tag" with the works in a part of the package.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from rag.documents.archive import Package, parse_xml
from rag.documents.markup import tag_of
from rag.errors import DocumentError
from rag.types import Work

_CSL = re.compile(r"(?:CSL_CITATION|CSL_BIBLIOGRAPHY)\s")
_WORD = re.compile(r"\s*CITATION\s+(\S{1,200})")
_MORE_OF_WORD = re.compile(r"\\m\s+(\S{1,200})")
_MENDELEY = re.compile(r"MENDELEY_CITATION_v\d_")
_MOST = 1_000_000
"""Characters of one field that are read."""


def works_of(instruction: str) -> list[Work]:
    """The works that a field cites; of Word's own only their keys (see `of_word`)."""
    said = instruction[:_MOST]
    if "CSL_CITATION" in said:
        return list(_of_csl(said[said.find("{") :]))
    if "EN.CITE" in said and "<EndNote" in said:
        return list(_of_endnote(said[said.find("<EndNote") :]))
    if cited := _WORD.match(said):
        return [Work(key, "word", "") for key in [cited[1], *_MORE_OF_WORD.findall(said)]]
    return []


def works_of_control(tag: str) -> list[Work]:
    """The works of a content control of Mendeley Cite, whose tag holds them."""
    if not _MENDELEY.match(tag):
        return []
    try:
        return list(_of_csl(base64.b64decode(_MENDELEY.sub("", tag)[:_MOST] + "==").decode("utf-8", "replace")))
    except (binascii.Error, ValueError):
        return []


def endnote_data(said: str) -> str:
    """The instruction in a field's data, where EndNote keeps long citations, in base64."""
    try:
        return base64.b64decode("".join(said.split())[:_MOST]).decode("utf-8", "replace").replace("\0", "")
    except (binascii.Error, ValueError):
        return ""


def of_word(package: Package) -> dict[str, Work]:
    """The sources that Word keeps beside the text, by tag."""
    found: dict[str, Work] = {}
    for name in package.names():
        if not re.fullmatch(r"customXml/item\d{1,4}\.xml", name):
            continue
        data = package.read(name) or b""
        if b"bibliography" not in data[:2000]:
            continue
        for source in package.xml(name):
            tag = next(("".join(e.itertext()).strip() for e in source if tag_of(e) == "tag"), "")
            if tag_of(source) == "source" and tag:
                found[tag] = Work(tag, "word", _xml(source))
    return found


def _of_csl(said: str) -> Iterator[Work]:
    try:
        value = json.JSONDecoder().raw_decode(said.lstrip())[0]
    except (ValueError, RecursionError):
        return
    items = value.get("citationItems") if isinstance(value, Mapping) else None
    for item in items if isinstance(items, list) else []:
        data = item.get("itemData") if isinstance(item, Mapping) else None
        if isinstance(data, Mapping):
            uris = item.get("uris") or item.get("uri")
            key = str(uris[0]) if isinstance(uris, list) and uris else str(item.get("id") or data.get("id") or "")
            if key:
                yield Work(key, "csl", json.dumps(data))


def _of_endnote(said: str) -> Iterator[Work]:
    try:
        root = parse_xml(said.encode("utf-8", "replace"), "the field")
    except DocumentError:
        return
    for cite in root.iter():
        if tag_of(cite) == "cite":
            record = next((e for e in cite if tag_of(e) == "record"), None)
            number = next(("".join(e.itertext()).strip() for e in cite if tag_of(e) == "recnum"), "")
            if record is not None and number:
                yield Work(f"EndNote {number}", "endnote", _xml(record))


def _xml(element: Any) -> str:  # noqa: ANN401
    from lxml import etree

    return str(etree.tostring(element, encoding="unicode", with_tail=False))
