"""Word documents (DOCX) → blocks, from the package's own XML.

A library (python-docx) was left out: it passes over footnotes, text boxes, tracked changes and the strict variant.
Deleted text, comments, headers and footers are not part of what a reader reads and stay out; notes go to the end.
"""

from __future__ import annotations

import re
from typing import Any

from rag.documents.archive import Package
from rag.documents.blocks import Block, Draft
from rag.documents.dates import parse_date
from rag.documents.markup import tag_of
from rag.documents.names import names_bibliography, perhaps_bibliography
from rag.documents.opening import bare_names, names_in_byline
from rag.errors import DocumentError

READER = "docx/1"
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_SKIP = {
    "del",
    "moveFrom",
    "instrText",
    "delText",
    "pPr",
    "rPr",
    "tblPr",
    "trPr",
    "tcPr",
    "sectPr",
    "Fallback",
    "pict_",
    "fldData",
    "commentReference",
}
_HEADING_STYLE = re.compile(
    r"^(?:heading|überschrift|titre|título|titolo|kop|rubrik|otsikko|nagłówek|заголовок|标题|見出し|제목)\s*(\d)$",
    re.IGNORECASE,
)
_TITLE_STYLE = re.compile(r"^(?:title|titel|titre|título|titolo|标题|표제|表題)$", re.IGNORECASE)
_LINEAR = {"f": "({})/({})", "sSup": "{}^{}", "sSub": "{}_{}", "rad": "√{}{}"}


def read_docx(data: bytes, name: str) -> Draft:
    """Read a DOCX file. Raises DocumentError for damaged, encrypted and bomb-like packages."""
    package = Package(data, name)
    main = next((m for m in ("word/document.xml", "word/document2.xml") if package.read(m) is not None), None)
    main = main or next((m for m in package.names() if m.startswith("word/document") and m.endswith(".xml")), None)
    if main is None:
        raise DocumentError(f"{name}: the package holds no Word document; save it anew as .docx.")
    draft = Draft([], READER, MEDIA_TYPE)
    walk = _Walk(_styles(package), _numbered(package), _targets(package, main))
    body = next((e for e in package.xml(main) if tag_of(e) == "body"), None)
    if body is not None:
        walk.flow(body)
    draft.blocks = walk.blocks
    for part, heading in (("word/footnotes.xml", "Footnotes"), ("word/endnotes.xml", "Endnotes")):
        notes = _notes(package.xml(part), walk)
        if notes:
            draft.blocks += [Block(heading, "heading", 2, kind="notes"), *(Block(note) for note in notes)]
    _properties(package, draft)
    mark_opening(draft)
    return draft


def mark_opening(draft: Draft) -> None:
    """Find title and bylines among the first blocks of a document whose headings are marked."""
    title = next((b for b in draft.blocks if b.role == "title"), None)
    headings = [b for b in draft.blocks if b.role == "heading"]
    if title is None and headings and sum(b.level == 1 for b in headings) == 1 and headings[0].level == 1:
        title = headings[0]
        title.role = "title"
    if title is None:
        return
    draft.title = title.text
    start = draft.blocks.index(title) + 1
    for block in draft.blocks[start : start + 4]:
        if block.role != "paragraph" or not (
            names_in_byline(block.text) or bare_names(block.text) or parse_date(block.text)
        ):
            break
        block.role = "byline"


def _attribute(element: Any, name: str) -> str | None:  # noqa: ANN401
    return next((str(v) for k, v in element.attrib.items() if k.rsplit("}", 1)[-1] == name), None)


def _child(element: Any, *names: str) -> Any:  # noqa: ANN401
    for name in names:
        element = next((c for c in element if tag_of(c) == name.lower()), None) if element is not None else None
    return element


def _styles(package: Package) -> dict[str, int]:
    """Style id → heading level; 0 is the title."""
    root = package.xml("word/styles.xml")
    found: dict[str, int] = {}
    parents: dict[str, str] = {}
    for style in root if root is not None else []:
        identifier = _attribute(style, "styleId")
        if tag_of(style) != "style" or not identifier:
            continue
        named = _child(style, "name")
        name = (_attribute(named, "val") if named is not None else None) or ""
        outline = _child(style, "pPr", "outlineLvl")
        level = _attribute(outline, "val") if outline is not None else None
        heading = _HEADING_STYLE.match(name) or re.match(r"^heading(\d)$", identifier, re.IGNORECASE)
        if _TITLE_STYLE.match(name):
            found[identifier] = 0
        elif heading:
            found[identifier] = int(heading[1])
        elif level is not None and level.isdigit() and int(level) < 9:
            found[identifier] = int(level) + 1
        based = _child(style, "basedOn")
        if based is not None:
            parents[identifier] = _attribute(based, "val") or ""
    for identifier, parent in parents.items():
        ancestor, seen = parent, {identifier}
        while ancestor in parents and ancestor not in found and ancestor not in seen:
            seen.add(ancestor)
            ancestor = parents[ancestor]
        if identifier not in found and ancestor in found:
            found[identifier] = found[ancestor]
    return found


def _numbered(package: Package) -> dict[tuple[str, str], str]:
    """(list id, level) → number format, for lists that count."""
    root = package.xml("word/numbering.xml")
    formats: dict[str, dict[str, str]] = {}
    out: dict[tuple[str, str], str] = {}
    for element in root if root is not None else []:
        if tag_of(element) == "abstractnum":
            levels = {
                _attribute(level, "ilvl") or "0": _attribute(_child(level, "numFmt"), "val") or "decimal"
                for level in element
                if tag_of(level) == "lvl" and _child(level, "numFmt") is not None
            }
            formats[_attribute(element, "abstractNumId") or ""] = levels
        elif tag_of(element) == "num":
            abstract = _child(element, "abstractNumId")
            levels = formats.get((_attribute(abstract, "val") or "") if abstract is not None else "", {})
            out.update({(_attribute(element, "numId") or "", level): kind for level, kind in levels.items()})
    return out


def _targets(package: Package, main: str) -> dict[str, str]:
    folder, _, base = main.rpartition("/")
    root = package.xml(f"{folder}/_rels/{base}.rels")
    return {
        _attribute(r, "Id") or "": _attribute(r, "Target") or ""
        for r in (root if root is not None else [])
        if (_attribute(r, "TargetMode") or "") == "External"
    }


class _Walk:
    def __init__(self, styles: dict[str, int], numbered: dict[tuple[str, str], str], targets: dict[str, str]) -> None:
        self.styles, self.numbered, self.targets = styles, numbered, targets
        self.blocks: list[Block] = []
        self.boxes: list[Any] = []
        self.counters: dict[tuple[str, int], int] = {}
        self.in_bibliography = False

    def flow(self, parent: Any) -> None:  # noqa: ANN401
        """Paragraphs and tables in order; containers that mean nothing are looked into."""
        for element in parent:
            tag = tag_of(element)
            if tag == "p":
                self.paragraph(element)
            elif tag == "tbl":
                self.table(element)
            elif tag and tag not in {s.lower() for s in _SKIP}:
                self.flow(element)

    def paragraph(self, element: Any) -> None:  # noqa: ANN401
        text = self.text(element).strip()
        boxes, self.boxes = self.boxes, []
        properties = _child(element, "pPr")
        style = _child(properties, "pStyle") if properties is not None else None
        level = self.styles.get((_attribute(style, "val") or "") if style is not None else "")
        outline = _child(properties, "outlineLvl") if properties is not None else None
        if level is None and outline is not None and (_attribute(outline, "val") or "").isdigit():
            said = int(_attribute(outline, "val") or 9)
            level = said + 1 if said < 9 else None
        if text:
            self.place(element, text, level)
        for box in boxes:
            self.flow(box)

    def place(self, element: Any, text: str, level: int | None) -> None:  # noqa: ANN401
        marker = self.marker(element)
        if level is not None and len(text) < 300:
            role = "title" if level == 0 and not any(b.role == "title" for b in self.blocks) else "heading"
            title = f"{marker}{text}" if marker.strip(" -") else text
            self.blocks.append(Block(title, "title" if role == "title" else "heading", max(level, 1)))
            self.in_bibliography = names_bibliography(text) or perhaps_bibliography(text)
        elif marker and not self.in_bibliography:
            if self.blocks and self.blocks[-1].role == "list":
                self.blocks[-1].text += f"\n{marker}{text}"
            else:
                self.blocks.append(Block(marker + text, "list"))
        else:
            self.blocks.append(Block((marker if marker != "- " else "") + text))

    def marker(self, element: Any) -> str:  # noqa: ANN401
        numbering = _child(element, "pPr", "numPr")
        identifier = _child(numbering, "numId") if numbering is not None else None
        if identifier is None:
            return ""
        key = _attribute(identifier, "val") or ""
        depth = _child(numbering, "ilvl")
        level = (_attribute(depth, "val") or "0") if depth is not None else "0"
        kind = self.numbered.get((key, level))
        if key == "0" or kind == "none":
            return ""
        if kind in {None, "bullet"}:
            return "- "
        at = int(level) if level.isdigit() else 0
        self.counters[key, at] = self.counters.get((key, at), 0) + 1
        for other in [k for k in self.counters if k[0] == key and k[1] > at]:
            del self.counters[other]
        return ".".join(str(self.counters.get((key, i), 1)) for i in range(at + 1)) + ". "

    def text(self, element: Any) -> str:  # noqa: ANN401
        """The text of a paragraph; text boxes met on the way are put aside."""
        out: list[str] = []
        for child in element:
            tag = tag_of(child)
            if tag == "t":
                out.append(child.text or "")
            elif tag in {"tab", "ptab"}:
                out.append(" ")
            elif tag in {"br", "cr"}:
                out.append("\n")
            elif tag == "nobreakhyphen":
                out.append("-")
            elif tag == "sym":
                code = _attribute(child, "char") or ""
                out.append(
                    chr(int(code, 16))
                    if re.fullmatch(r"[0-9A-Fa-f]{4}", code) and not code.upper().startswith("F")
                    else ""
                )
            elif tag == "txbxcontent":
                self.boxes.append(child)
            elif tag in {"footnotereference", "endnotereference"}:
                out.append(f"[{_attribute(child, 'id')}]")
            elif tag == "omath":
                out.append(f" {equation(child)} ")
            elif tag == "hyperlink":
                out.append(self.link(child))
            elif tag and tag not in {s.lower() for s in _SKIP}:
                out.append(self.text(child))
        return "".join(out)

    def link(self, element: Any) -> str:  # noqa: ANN401
        said = self.text(element)
        target = self.targets.get(_attribute(element, "id") or "", "")
        if self.in_bibliography and target.startswith(("http://", "https://")) and target.rstrip("/") not in said:
            return f"{said} {target}"
        return said

    def table(self, element: Any) -> None:  # noqa: ANN401
        rows = [row for row in element.iter() if tag_of(row) == "tr" and _owner(row, "tbl") is element]
        lines: list[str] = []
        for row in rows:
            cells: list[str] = []
            for cell in row.iter():
                if tag_of(cell) == "tc" and _owner(cell, "tr") is row:
                    inner = _Walk(self.styles, self.numbered, self.targets)
                    inner.flow(cell)
                    cells.append(" ".join(b.text.replace("\n", " ") for b in inner.blocks))
            if any(cells):
                lines.append(" | ".join(cells))
        if lines:
            self.blocks.append(Block("\n".join(lines), "table"))


def _owner(element: Any, tag: str) -> Any:  # noqa: ANN401
    return next((a for a in element.iterancestors() if tag_of(a) == tag), None)


def equation(element: Any) -> str:  # noqa: ANN401
    """An Office equation on one line: fractions with a slash, powers with ^, indices with _."""
    out: list[str] = []
    for child in element:
        tag = tag_of(child)
        if tag == "t":
            out.append(child.text or "")
        elif tag == "f":
            parts = [equation(p) for p in child if tag_of(p) in {"num", "den"}]
            out.append("/".join(p if len(p) < 3 else f"({p})" for p in parts))
        elif tag in {"ssup", "ssub"}:
            parts = [equation(p) for p in child if tag_of(p) in {"e", "sup", "sub"}]
            out.append(("^" if tag == "ssup" else "_").join(parts))
        elif tag in {"chr", "begchr", "endchr"}:
            out.append(_attribute(child, "val") or "")
        elif (tag and not tag.endswith("pr")) or tag in {"narypr", "dpr"}:
            out.append(equation(child))
    return "".join(out)


def _notes(root: Any, walk: _Walk) -> list[str]:  # noqa: ANN401
    notes: list[str] = []
    for note in root if root is not None else []:
        if tag_of(note) in {"footnote", "endnote"} and not _attribute(note, "type"):
            inner = _Walk(walk.styles, walk.numbered, walk.targets)
            inner.flow(note)
            text = " ".join(b.text for b in inner.blocks)
            if text:
                notes.append(f"[{_attribute(note, 'id')}] {text}")
    return notes


def _properties(package: Package, draft: Draft) -> None:
    root = package.xml("docProps/core.xml")
    for element in root if root is not None else []:
        said = " ".join((element.text or "").split())
        if tag_of(element) == "language" and re.match(r"^[A-Za-z]{2,3}(?:-\w+)*$", said):
            draft.language = said
