"""Word documents (DOCX) → blocks, from the package's own XML.

A library (python-docx) was left out: it passes over footnotes, text boxes, tracked changes and the strict variant.
Deleted text, comments, headers and footers are not part of what a reader reads and stay out; notes go to the end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rag.documents import fields
from rag.documents.archive import Package
from rag.documents.blocks import Block, Draft, Role
from rag.documents.clean import raised
from rag.documents.dates import parse_date
from rag.documents.marks import END, Marks
from rag.documents.markup import tag_of
from rag.documents.names import names_bibliography, perhaps_bibliography
from rag.documents.people import bare_names, names_in_byline
from rag.errors import DocumentError
from rag.types import Work

READER = "docx/1"
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_SKIP = {
    "del",
    "movefrom",
    "sdtpr",
    "deltext",
    "ppr",
    "rpr",
    "tblpr",
    "trpr",
    "tcpr",
    "sectpr",
    "fallback",
    "pict_",
    "flddata",
    "commentreference",
}
_HEADING_STYLE = re.compile(
    r"^(?:heading|überschrift|titre|título|titolo|kop|rubrik|otsikko|nagłówek|заголовок|标题|見出し|제목)\s*(\d)$",
    re.IGNORECASE,
)
_TITLE_STYLE = re.compile(r"^(?:title|titel|titre|título|titolo|标题|표제|表題)$", re.IGNORECASE)
_LONGEST_LINE_OF_STYLES = 50
_LINEAR = {"f": "({})/({})", "sSup": "{}^{}", "sSub": "{}_{}", "rad": "√{}{}"}


def read_docx(data: bytes, name: str) -> Draft:
    """Read a DOCX file. Raises DocumentError for damaged, encrypted and bomb-like packages."""
    package = Package(data, name)
    main = next((m for m in ("word/document.xml", "word/document2.xml") if package.read(m) is not None), None)
    main = main or next((m for m in package.names() if m.startswith("word/document") and m.endswith(".xml")), None)
    if main is None:
        raise DocumentError(f"{name}: the package holds no Word document; save it anew as .docx.")
    draft = Draft([], READER, MEDIA_TYPE)
    walk = _Walk(_styles(package), _numbered(package), _style_numbers(package), _targets(package, main), draft.marks)
    body = next((e for e in package.xml(main) if tag_of(e) == "body"), None)
    if body is not None:
        walk.flow(body)
    draft.blocks = walk.joined()
    for part, heading in (("word/footnotes.xml", "Footnotes"), ("word/endnotes.xml", "Endnotes")):
        notes = _notes(package.xml(part), walk)
        if notes:
            draft.blocks += [Block(heading, "heading", 2, kind="notes"), *(Block(note) for note in notes)]
    sources = fields.of_word(package) if any(w.form == "word" for w in walk.works.values()) else {}
    draft.works = {key: sources.get(key, work) if work.form == "word" else work for key, work in walk.works.items()}
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
        ancestor = parent
        for _ in range(_LONGEST_LINE_OF_STYLES):
            if ancestor in found or ancestor not in parents:
                break
            ancestor = parents[ancestor]
        if identifier not in found and ancestor in found:
            found[identifier] = found[ancestor]
    return found


@dataclass(frozen=True, slots=True)
class _Level:
    """One level of a list: what it counts with, its number format and first number."""

    counter: str
    kind: str
    start: int


def _numbered(package: Package) -> dict[tuple[str, str], _Level]:
    """(list id, level) → how it counts."""
    root = package.xml("word/numbering.xml")
    formats: dict[str, dict[str, tuple[str, int]]] = {}
    out: dict[tuple[str, str], _Level] = {}
    for element in root if root is not None else []:
        if tag_of(element) == "abstractnum":
            formats[_attribute(element, "abstractNumId") or ""] = {
                _attribute(level, "ilvl") or "0": (
                    _value(level, "numFmt") or "decimal",
                    _number(_value(level, "start")),
                )
                for level in element
                if tag_of(level) == "lvl"
            }
        elif tag_of(element) == "num":
            own, shared = _attribute(element, "numId") or "", _value(element, "abstractNumId") or ""
            # Lists with an override start anew; all others go on counting where their like left off.
            counter = own if _child(element, "lvlOverride") is not None else f"abstract {shared}"
            for level, (kind, start) in formats.get(shared, {}).items():
                out[own, level] = _Level(counter, kind, start)
    return out


def _value(element: Any, name: str) -> str | None:  # noqa: ANN401
    """The `val` of a child of that name."""
    child = _child(element, name) if element is not None else None
    return _attribute(child, "val") if child is not None else None


def _number(said: str | None) -> int:
    return int(said) if said and said.isdigit() and len(said) < 6 else 1


def _numbering(properties: Any, otherwise: tuple[str, str]) -> tuple[str, str]:  # noqa: ANN401
    """The list id and level that numbering properties name; what they leave out is as `otherwise` has it."""
    identifier = _child(properties, "numId") if properties is not None else None
    depth = _child(properties, "ilvl") if properties is not None else None
    key = _attribute(identifier, "val") if identifier is not None else None
    level = _attribute(depth, "val") if depth is not None else None
    return key or otherwise[0], level or otherwise[1]


def _style_numbers(package: Package) -> dict[str, tuple[str, str]]:
    """Style id → list id and level, for styles that number their paragraphs (1, 1.1, 1.1.1)."""
    root = package.xml("word/styles.xml")
    found: dict[str, tuple[str, str]] = {}
    for style in root if root is not None else []:
        key, level = _numbering(_child(style, "pPr", "numPr"), ("", "0"))
        if key:
            found[_attribute(style, "styleId") or ""] = (key, level)
    return found


def _targets(package: Package, main: str) -> dict[str, str]:
    folder, _, base = main.rpartition("/")
    root = package.xml(f"{folder}/_rels/{base}.rels")
    return {
        _attribute(r, "Id") or "": _attribute(r, "Target") or ""
        for r in (root if root is not None else [])
        if (_attribute(r, "TargetMode") or "") == "External"
    }


@dataclass(slots=True)
class _Field:
    """A field that is being read: what it is told to show, and how many marks its result bears."""

    instruction: str = ""
    marks: int = 0


class _Walk:
    def __init__(
        self,
        styles: dict[str, int],
        numbered: dict[tuple[str, str], _Level],
        style_numbers: dict[str, tuple[str, str]],
        targets: dict[str, str],
        marks: Marks,
    ) -> None:
        self.styles, self.numbered, self.style_numbers, self.targets = styles, numbered, style_numbers, targets
        self.marks = marks
        self.works: dict[str, Work] = {}
        self.fields: list[_Field] = []
        self.blocks: list[Block] = []
        self.boxes: list[Any] = []
        self.counters: dict[str, dict[int, int]] = {}
        self.in_bibliography = self.titled = False

    def joined(self) -> list[Block]:
        """The blocks found, the items of each list in one."""
        out: list[Block] = []
        for listed, row in groupby(self.blocks, lambda b: b.role == "list"):
            blocks = list(row)
            out.extend([Block("\n".join(b.text for b in blocks), "list")] if listed else blocks)
        return out

    def flow(self, parent: Any) -> None:  # noqa: ANN401
        """Paragraphs and tables in order; containers that mean nothing are looked into."""
        for element in parent:
            tag = tag_of(element)
            if tag == "p":
                self.paragraph(element)
            elif tag == "tbl":
                self.table(element)
            elif tag and tag not in _SKIP:
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
            role: Role = "title" if level == 0 and not self.titled else "heading"
            self.titled = self.titled or level == 0
            title = f"{marker}{text}" if marker.strip(" -") else text
            self.blocks.append(Block(title, role, max(level, 1)))
            self.in_bibliography = names_bibliography(text) or perhaps_bibliography(text)
        elif marker and not self.in_bibliography:
            self.blocks.append(Block(marker + text, "list"))
        else:
            self.blocks.append(Block((marker if marker != "- " else "") + text))

    def marker(self, element: Any) -> str:  # noqa: ANN401
        style = _child(element, "pPr", "pStyle")
        inherited = self.style_numbers.get((_attribute(style, "val") or "") if style is not None else "", ("", "0"))
        key, level = _numbering(_child(element, "pPr", "numPr"), inherited)
        if not key:
            return ""
        found = self.numbered.get((key, level))
        if key == "0" or (found and found.kind == "none"):
            return ""
        if found is None or found.kind == "bullet":
            return "- "
        at = int(level) if re.fullmatch(r"[0-8]", level) else 0  # Word knows no more levels
        counts = self.counters.setdefault(found.counter, {})
        counts[at] = counts.get(at, found.start - 1) + 1
        for other in [deeper for deeper in counts if deeper > at]:
            del counts[other]
        above = [counts.get(i) or self.first_number(key, i) for i in range(at)]
        return ".".join(map(str, [*above, counts[at]])) + ". "

    def first_number(self, key: str, level: int) -> int:
        found = self.numbered.get((key, str(level)))
        return found.start if found else 1

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
            elif tag == "fldchar":
                out.append(self.turned(child))
            elif tag == "instrtext" and self.fields:
                self.fields[-1].instruction += child.text or ""
            elif tag == "fldsimple":
                cited = fields.works_of(_attribute(child, "instr") or "")
                out += [self.cited(cited), self.text(child), END * len(cited)]
            elif tag == "sdt" and (cited := fields.works_of_control(_value(_child(child, "sdtPr"), "tag") or "")):
                out += [self.cited(cited), self.text(child), END * len(cited)]
            elif tag in {"footnotereference", "endnotereference"}:
                number = _attribute(child, "id") or ""
                out.append(self.marks.put("note", number, f"[{number}]"))
            elif tag == "omath":
                out.append(f" {equation(child)} ")
            elif tag == "hyperlink":
                out.append(self.link(child))
            elif tag == "r" and _value(_child(child, "rPr"), "vertAlign") == "superscript":
                out.append(raised(self.text(child)))
            elif tag and tag not in _SKIP:
                out.append(self.text(child))
        return "".join(out)

    def turned(self, element: Any) -> str:  # noqa: ANN401
        """What a field's sign of beginning, result or end adds to the text: the marks of what it cites."""
        kind = _attribute(element, "fldCharType")
        if kind == "begin":
            data = next((e.text or "" for e in element if tag_of(e) == "flddata"), "")
            self.fields.append(_Field(fields.endnote_data(data) if data else ""))
        elif kind == "separate" and self.fields:
            cited = fields.works_of(self.fields[-1].instruction)
            self.fields[-1].marks = len(cited)
            return self.cited(cited)
        elif kind == "end" and self.fields:
            ended = self.fields.pop()
            if self.fields and "EN.CITE" in ended.instruction:
                self.fields[-1].instruction += ended.instruction  # EndNote's data is a field within the citation's own
            return END * ended.marks
        return ""

    def cited(self, works: Sequence[Work]) -> str:
        """The beginnings of the marks of these works, which are noted."""
        for work in works:
            if work.data or work.key not in self.works:
                self.works[work.key] = work
        return "".join(self.marks.begin("citation", work.key) for work in works)

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
                    inner = _Walk(self.styles, self.numbered, self.style_numbers, self.targets, self.marks)
                    inner.works = self.works
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
            inner = _Walk(walk.styles, walk.numbered, walk.style_numbers, walk.targets, walk.marks)
            inner.works = walk.works
            inner.flow(note)
            text = " ".join(b.text for b in inner.joined())
            if text:
                notes.append(f"[{_attribute(note, 'id')}] {text}")
    return notes


def _properties(package: Package, draft: Draft) -> None:
    root = package.xml("docProps/core.xml")
    for element in root if root is not None else []:
        said = " ".join((element.text or "").split())
        if tag_of(element) == "language" and re.match(r"^[A-Za-z]{2,3}(?:-\w+)*$", said):
            draft.language = said
