"""JATS article → plain text with the gold links kept aside, and a plain reference list.

Shape: `articles(path)` yields `Body`s: the running text of the article's body (and of each translation's), the
gold links as `(start, end, (entry, …))` over that text, and the list those links point into, as `Listed` raw
strings in order. A sub-article without a list of its own is read against the article's. What the linker sees is
only `text` and the raw strings; nothing of the XML.

Choices, made to be honest rather than kind:
- decision letters, reviews and replies are left out: their citations are tagged here and there at best;
- tables, captions and footnotes inside the body stay in (a reader sees them), formulas go out;
- a superscript becomes what plain text makes of it: glued digits ("ketones3"), by default; `superscript="caret"`
  ("ketones^3") and `"unicode"` ("ketones³") are the other two ways that exports write it;
- a range tags only its two ends (or, as one link "8–10", only its first), so the numbers between are added.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree

Node = Any
"""An lxml element."""
BLOCKS = {
    "p", "title", "sec", "list", "list-item", "disp-quote", "disp-formula", "caption", "fig", "table-wrap", "table",
    "tr", "boxed-text", "fn", "label", "verse-group", "verse-line", "speech", "statement", "def-item", "attrib",
}  # fmt: skip
SKIPPED = {"tex-math", "math", "graphic", "inline-graphic", "media", "object-id", "alternatives", "inline-formula"}
SUPERSCRIPTS = str.maketrans("0123456789-–,()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻,⁽⁾")


@dataclass
class Listed:
    """One entry of the plain list: its XML id, what the list prints, its number, and the gold fields (CSL-JSON)."""

    key: str
    raw: str
    label: str | None
    csl: dict[str, Any]


@dataclass
class Body:
    """A running text, its gold links and its list."""

    article: str
    language: str | None
    text: str
    links: list[tuple[int, int, tuple[str, ...]]]
    references: list[Listed] = field(default_factory=list)
    translation: bool = False


def articles(path: Path, *, superscript: str = "plain") -> Iterator[Body]:
    """Read one JATS file; yields its body, then its translations' bodies that cite anything."""
    parser = etree.XMLParser(load_dtd=False, no_network=True, resolve_entities=False, recover=True, huge_tree=True)
    root = etree.parse(str(path), parser).getroot()
    main = _references(root, "./back//ref")
    translations = [s for s in root.iter("sub-article") if s.get("article-type") == "translation"]
    for part in [root, *translations]:
        body = part.find("./body")
        if body is None:
            continue
        own = _references(part, "./back//ref") if part is not root else main
        text, links = _Flattener(superscript).run(body)
        listed = own or main
        known = {entry.key for entry in listed}
        kept = _expand(text, [(a, b, tuple(k for k in keys if k in known)) for a, b, keys in links], listed)
        if kept or part is root:
            language = part.get("{http://www.w3.org/XML/1998/namespace}lang")
            yield Body(path.stem, language.lower() if language else None, text, kept, listed, part is not root)


class _Flattener:
    """Walks a body once, collapsing white space and noting where each link begins and ends."""

    def __init__(self, superscript: str) -> None:
        self.superscript = superscript
        self.out: list[str] = []
        self.length = 0
        self.pending = ""
        self.links: list[tuple[int, int, tuple[str, ...]]] = []
        self.raised = 0

    def run(self, body: Node) -> tuple[str, list[tuple[int, int, tuple[str, ...]]]]:
        self._walk(body)
        return "".join(self.out) + "\n", self.links

    def _put(self, text: str | None) -> None:
        if not text:
            return
        for piece in re.findall(r"\s+|\S+", text):
            if piece.isspace():
                self.pending = self.pending or " "
                continue
            if self.pending and self.out:
                self.out.append(self.pending)
                self.length += len(self.pending)
            self.pending = ""
            shown = self._raise(piece) if self.raised else piece
            self.out.append(shown)
            self.length += len(shown)

    def _raise(self, piece: str) -> str:
        if self.superscript == "unicode":
            return piece.translate(SUPERSCRIPTS)
        return f"^{piece}" if self.superscript == "caret" and piece[0].isdigit() else piece

    def _walk(self, node: Node) -> None:
        tag = etree.QName(node).localname if isinstance(node.tag, str) else None
        if tag is None:
            self._put(node.text if node.tag is etree.Entity else None)
            return
        if tag in SKIPPED and not node.findall(".//xref[@ref-type='bibr']"):
            return
        if tag in BLOCKS:
            self.pending = "\n\n"
        elif tag in {"td", "th", "break"}:
            self.pending = self.pending or " "
            if tag != "break" and self.pending == " ":
                self.pending = "\t"
        self.raised += tag == "sup"
        link = tag == "xref" and node.get("ref-type") == "bibr"
        before = len(self.out)
        self._put(node.text)
        start = self._place(before)
        for child in node:
            self._walk(child)
            if start is None:
                start = self._place(before)
            self._put(child.tail)
            if start is None:
                start = self._place(before)
        if link and start is not None:
            self.links.append((start, self.length, tuple((node.get("rid") or "").split())))
        self.raised -= tag == "sup"
        if tag in BLOCKS:
            self.pending = "\n\n"

    def _place(self, before: int) -> int | None:
        """Where the first characters written since `before` stand, None while nothing is written."""
        if len(self.out) == before:
            return None
        written = self.out[before:]
        if written[0].isspace():
            written = written[1:]
        return self.length - sum(map(len, written))


def _expand(
    text: str, links: list[tuple[int, int, tuple[str, ...]]], listed: list[Listed]
) -> list[tuple[int, int, tuple[str, ...]]]:
    order = {entry.key: i for i, entry in enumerate(listed)}
    kept = []
    for i, (start, end, keys) in enumerate(links):
        more: tuple[str, ...] = ()
        whole = re.fullmatch(r"\[?(\d+)\s*[–—-]\s*(\d+)\]?", text[start:end])
        if whole and len(keys) == 1 and 0 < int(whole[2]) - int(whole[1]) < 60:
            first = order[keys[0]]
            if listed[first].label == whole[1]:
                more = tuple(entry.key for entry in listed[first + 1 : first + 1 + int(whole[2]) - int(whole[1])])
        if i + 1 < len(links) and keys and links[i + 1][2]:
            joint = text[end : links[i + 1][0]]
            first, last = order[keys[-1]], order[links[i + 1][2][0]]
            if re.fullmatch(r"[\s)\]]*[⁻–—‑‐-][\s\[(]*\^?", joint) and 1 < last - first < 60:
                more = tuple(entry.key for entry in listed[first + 1 : last])
        if keys:
            kept.append((start, end, keys + more))
    return kept


def _text(node: Node) -> str:
    return re.sub(r"\s+", " ", "".join(node.itertext())).strip() if node is not None else ""


def _references(part: Node, path: str) -> list[Listed]:
    found: list[Listed] = []
    for ref in part.findall(path):
        label = _text(ref.find("label")) or None
        mixed = ref.find("mixed-citation")
        parsed = next(
            (ref.find(t) for t in ("element-citation", "nlm-citation", "citation") if ref.find(t) is not None), None
        )
        source = parsed if parsed is not None else mixed
        csl = _csl(source) if source is not None else {}
        raw = _text(mixed) if mixed is not None else _render(source) if source is not None else ""
        number = re.sub(r"\W", "", label or "")
        if number.isdigit() and not re.match(rf"\W*{number}\b", raw):
            raw = f"{number}. {raw}"
        found.append(Listed(ref.get("id") or f"#{len(found)}", raw, number if number.isdigit() else None, csl))
    return found


def _csl(source: Node) -> dict[str, Any]:
    """The gold fields that linking can use: authors (editors where there are none), year, title."""
    csl: dict[str, Any] = {}
    groups = source.findall("person-group")
    first = [g for g in groups if g.get("person-group-type") != "editor"] or groups or [source]
    authors = []
    for node in first[0].iter("name", "string-name", "collab", "institution"):
        if node.tag in {"collab", "institution"}:
            authors.append({"literal": _text(node)})
        elif _text(node.find("surname")):
            authors.append({"family": _text(node.find("surname")), "given": _text(node.find("given-names"))})
    if authors:
        csl["author"] = authors
    year = re.search(r"(\d{4})([a-z])?", _text(source.find("year")))
    if year:
        csl["issued"] = {"date-parts": [[int(year[1])]]}
        if year[2]:
            csl["year-suffix"] = year[2]
    title = _text(source.find("article-title")) or _text(source.find("chapter-title")) or _text(source.find("source"))
    if title:
        csl["title"] = title
    return csl


def _render(source: Node) -> str:
    """The fields in the order they stand, as a list would print them."""
    names = []
    for node in source.iter("name", "collab"):
        given = _text(node.find("given-names")) if node.tag == "name" else ""
        names.append(f"{_text(node.find('surname'))} {given}".strip() if node.tag == "name" else _text(node))
    if not names and source.tag == "citation":
        return _text(source)
    year, title = _text(source.find("year")), _text(source.find("article-title")) or _text(source.find("chapter-title"))
    pages = "–".join(filter(None, [_text(source.find("fpage")), _text(source.find("lpage"))]))
    where = f"{_text(source.find('volume'))}:{pages}".strip(":")
    tail = [title, " ".join(filter(None, [_text(source.find("source")), where])), _text(source.find("publisher-name"))]
    doi = next((f"doi: {_text(n)}" for n in source.findall("pub-id") if n.get("pub-id-type") == "doi"), "")
    parts = [part.rstrip(".") for part in [*tail, doi] if part]
    return (
        f"{', '.join(names)} ({year}) " + ". ".join(parts) + "." if year else ", ".join(names) + ". " + ". ".join(parts)
    )
