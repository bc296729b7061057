"""An HTML or XHTML tree → blocks in reading order: headings, paragraphs, lists, tables.

Used for web pages and for the chapters of an EPUB. Knows nothing of main content or furniture.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rag.documents.blocks import Block
from rag.documents.clean import raised
from rag.documents.names import names_bibliography, perhaps_bibliography

_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
_NEVER = {
    "script", "style", "noscript", "template", "svg", "iframe", "object", "embed", "canvas", "audio", "video",
    "head", "button", "input", "select", "textarea", "option", "datalist", "map", "area", "link", "meta", "rp", "rt",
    "dialog",
}  # fmt: skip
_BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html", "legend", "main", "nav",
    "p", "pre", "section", "summary",
    "tbody", "tfoot", "thead", "hgroup", "search", "menu",
}  # fmt: skip
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?:px|pt|em|%)?\s*(?:;|$)", re.IGNORECASE
)
_SPACE = re.compile(r"[ \t\r\n\f\v]+")
_DEEPEST = 200
_NEAR = 200
"""Pieces of text before a link in which its address may stand already."""


def blocks_of(root: Any) -> list[Block]:  # noqa: ANN401  (lxml is untyped)
    """The blocks of an element and all below it; hidden elements and controls are left out."""
    walk = _Walk()
    walk.element(root, 0)
    walk.flush()
    return [b for b in walk.blocks if b.text.strip()]


def is_hidden(element: Any) -> bool:  # noqa: ANN401
    """Whether a reader of the page would not see the element."""
    return "hidden" in element.attrib or bool(_HIDDEN.search(element.get("style") or ""))


def tag_of(element: Any) -> str:  # noqa: ANN401
    """The local name in lower case; empty for comments and instructions."""
    return element.tag.rsplit("}", 1)[-1].lower() if isinstance(element.tag, str) else ""


def text_of(element: Any) -> str:  # noqa: ANN401
    """All visible text of an element on one line."""
    return _SPACE.sub(" ", "".join(_pieces(element, 0))).strip()


def _pieces(element: Any, depth: int) -> Iterator[str]:  # noqa: ANN401
    if tag_of(element) in _NEVER or (tag_of(element) and is_hidden(element)) or depth > _DEEPEST:
        return
    if tag_of(element) == "sup":
        yield raised("".join(_inside(element, depth)))
    elif tag_of(element):
        yield from _math(element) if tag_of(element) == "math" else _inside(element, depth)


def _inside(element: Any, depth: int) -> Iterator[str]:  # noqa: ANN401
    yield element.text or ""
    for child in element:
        if tag_of(child) in _BLOCKS or tag_of(child) in {"br", "li", "td", "th", "tr"}:
            yield " "
        yield from _pieces(child, depth + 1)
        yield child.tail or ""


def _math(element: Any) -> Iterator[str]:  # noqa: ANN401
    said = element.get("alttext") or next(
        (
            "".join(e.itertext())
            for e in element.iter()
            if tag_of(e) == "annotation" and "tex" in (e.get("encoding") or "")
        ),
        None,
    )
    yield said or " ".join(t.strip() for t in element.itertext() if t.strip())


class _Walk:
    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.line: list[str] = []
        self.in_bibliography = False

    def flush(self, role: str = "paragraph") -> None:
        text = "".join(self.line)
        self.line = []
        lines = [_SPACE.sub(" ", part).strip() for part in text.split("\0")]
        text = "\n".join(part for part in lines if part)
        if text:
            self.blocks.append(Block(text, "list" if role == "list" else "paragraph"))

    def element(self, element: Any, depth: int) -> None:  # noqa: ANN401
        tag = tag_of(element)
        if not tag or tag in _NEVER or is_hidden(element) or depth > _DEEPEST:
            return
        if tag in _HEADINGS:
            self.flush()
            title = text_of(element)
            if title:
                self.blocks.append(Block(title, "heading", _HEADINGS[tag]))
                self.in_bibliography = names_bibliography(title) or perhaps_bibliography(title)
        elif tag in {"ul", "ol", "menu"}:
            self.flush()
            self.listing(element, depth)
        elif tag == "table":
            self.flush()
            self.table(element, depth)
        elif tag == "pre":
            self.flush()
            text = "".join(element.itertext()).strip("\n")
            self.blocks.extend(Block(part) for part in re.split(r"\n\s*\n", text) if part.strip())
        elif tag == "br":
            self.line.append("\0")
        elif tag == "math":
            self.line.extend(_math(element))
        elif tag == "sup":
            self.line.append(raised("".join(_pieces(element, depth))))
        elif tag in _BLOCKS:
            self.flush()
            self.children(element, depth)
            self.flush()
        else:
            self.children(element, depth)
            self.address(element, tag)

    def children(self, element: Any, depth: int) -> None:  # noqa: ANN401
        self.line.append(element.text or "")
        for child in element:
            self.element(child, depth + 1)
            self.line.append(child.tail or "")

    def address(self, element: Any, tag: str) -> None:  # noqa: ANN401
        """In a reference list the address of a link is part of the entry."""
        target = element.get("href") or ""
        if tag == "a" and self.in_bibliography and target.startswith(("http://", "https://")):
            said = "".join(self.line[-_NEAR:])
            if target.rstrip("/") not in said and not re.search(r"[?&](?:q|query)=|scholar\.google|/search\?", target):
                self.line.append(f" {target} ")

    def listing(self, element: Any, depth: int) -> None:  # noqa: ANN401
        """A list: one line an item, in a reference list one paragraph an item."""
        number = int(element.get("start")) if (element.get("start") or "").isdigit() else 1
        ordered = tag_of(element) == "ol"
        lines: list[str] = []
        self.line = []
        for child in element:
            if tag_of(child) != "li":
                self.element(child, depth + 1)
                lines.extend(self.taken())
                continue
            inner = _Walk()
            inner.in_bibliography = self.in_bibliography
            inner.children(child, depth + 1)
            inner.flush()
            marker = f"{number}. " if ordered else "- "
            number += 1
            for i, block in enumerate(inner.blocks):
                if block.role in {"heading", "table"}:
                    self.close(lines)
                    lines = []
                    self.blocks.append(block)
                    continue
                lines.append((marker if i == 0 else "") + block.text)
        self.close(lines)

    def taken(self) -> list[str]:
        text = _SPACE.sub(" ", "".join(self.line).replace("\0", " ")).strip()
        self.line = []
        return [text] if text else []

    def close(self, lines: list[str]) -> None:
        if self.in_bibliography:
            self.blocks.extend(Block(line.removeprefix("- ").removeprefix("^ ")) for line in lines)
        elif lines:
            self.blocks.append(Block("\n".join(lines), "list"))

    def table(self, element: Any, depth: int) -> None:  # noqa: ANN401
        """A table: one line a row, cells parted by bars; a table of one column, or with headings in it, is layout."""
        rows = [row for row in element.iter() if tag_of(row) == "tr" and _nearest_table(row) is element]
        cells = [[cell for cell in row if tag_of(cell) in {"td", "th"}] for row in rows]
        layout = all(len(row) <= 1 for row in cells) or any(
            tag_of(e) in _HEADINGS or tag_of(e) == "table"
            for row in cells
            for cell in row
            for e in cell.iter()
            if e is not cell
        )
        for caption in element:
            if tag_of(caption) == "caption":
                self.element(caption, depth + 1)
                self.flush()
        if layout:
            for row in cells:
                for cell in row:
                    self.children(cell, depth + 1)
                    self.flush()
            return
        lines = [" | ".join(text_of(cell) for cell in row) for row in cells]
        lines = [line for line in lines if line.strip(" |")]
        if lines:
            self.blocks.append(Block("\n".join(lines), "table"))


def _nearest_table(row: Any) -> Any:  # noqa: ANN401
    return next((a for a in row.iterancestors() if tag_of(a) == "table"), None)
