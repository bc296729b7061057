"""EPUB → blocks: the chapters in the order of the book's spine, with what its package says of title and authors."""

from __future__ import annotations

import posixpath
import re
from typing import Any
from urllib.parse import unquote

from rag.documents.archive import Package
from rag.documents.blocks import Block, Draft
from rag.documents.dates import parse_date
from rag.documents.markup import blocks_of, tag_of
from rag.errors import DocumentError
from rag.types import Problem

READER = "epub/1"


def read_epub(data: bytes, name: str) -> Draft:
    """Read an EPUB. Raises DocumentError for damaged and protected books."""
    package = Package(data, name)
    if package.read("META-INF/rights.xml") is not None:
        raise DocumentError(f"{name}: the book is protected (DRM) and cannot be read; use a copy without protection.")
    opf = _opf(package, name)
    root = package.xml(opf)
    if root is None:
        raise DocumentError(f"{name}: the book has no package file; get a whole copy of it.")
    draft = Draft([], READER, "application/epub+zip")
    _metadata(root, draft)
    items = {e.get("id"): e for e in root.iter() if tag_of(e) == "item"}
    spine = (e.get("idref") for e in root.iter() if tag_of(e) == "itemref")
    for identifier in dict.fromkeys(spine):  # no chapter stands in a spine twice
        item = items.get(identifier)
        if item is None or "nav" in (item.get("properties") or "").split():
            continue
        member = posixpath.normpath(posixpath.join(posixpath.dirname(opf), unquote(item.get("href") or "")))
        draft.blocks.extend(_chapter(package, member, draft))
    if draft.title and not any(b.text == draft.title for b in draft.blocks[:12]):
        draft.blocks.insert(0, Block(draft.title, "title", 1))
    return draft


def _opf(package: Package, name: str) -> str:
    container = package.xml("META-INF/container.xml")
    paths = [e.get("full-path") for e in container.iter() if tag_of(e) == "rootfile"] if container is not None else []
    paths = [p for p in paths if p] or [n for n in package.names() if n.endswith(".opf")]
    if not paths:
        raise DocumentError(f"{name}: this is no book: the package says nothing of its contents.")
    return str(paths[0])


def _chapter(package: Package, member: str, draft: Draft) -> list[Block]:
    data = package.read(member)
    if data is None:
        draft.problems.append(Problem("chapter-missing", f"The book lists {member!r}, which is not in it."))
        return []
    from lxml import etree, html

    try:
        root = html.document_fromstring(
            re.sub(rb"^\s*<\?xml[^>]*\?>", b"", data), parser=html.HTMLParser(encoding="utf-8", huge_tree=False)
        )
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, AssertionError):
        draft.problems.append(
            Problem("chapter-unreadable", f"{member!r} of the book cannot be parsed and was left out.")
        )
        return []
    body = root.find("body")
    blocks = blocks_of(body if body is not None else root)
    for block in blocks:
        if block.role == "heading":
            block.level += 1  # the book's own title is level 1
    return blocks


def _metadata(root: Any, draft: Draft) -> None:  # noqa: ANN401
    for element in root.iter():
        if "purl.org/dc" not in str(element.tag):
            continue
        said, tag = " ".join((element.text or "").split()), tag_of(element)
        if not said:
            continue
        if tag == "title":
            draft.title = draft.title or said
        elif tag == "creator":
            draft.authors.append(said)
        elif tag == "date":
            draft.date = draft.date or parse_date(said)
        elif tag == "language":
            draft.language = draft.language or said
        elif tag == "identifier" and said.startswith(("http://", "https://")):
            draft.address = draft.address or said
