"""OpenDocument text (ODT) → blocks, from the package's own XML.

Deleted text and comments stay out; notes go to the end.
"""

from __future__ import annotations

from typing import Any

from rag.documents import fields
from rag.documents.archive import Package
from rag.documents.blocks import Block, Draft
from rag.documents.clean import raised
from rag.documents.docx import mark_opening
from rag.documents.marks import END, Marks
from rag.documents.markup import tag_of
from rag.documents.names import names_bibliography, perhaps_bibliography
from rag.errors import DocumentError
from rag.types import Work

READER = "odt/1"
MEDIA_TYPE = "application/vnd.oasis.opendocument.text"
_SKIP = {
    "tracked-changes",
    "annotation",
    "annotation-end",
    "forms",
    "sequence-decls",
    "bookmark",
    "change",
    "index-source",
}
_MOST_SPACES = 100


def read_odt(data: bytes, name: str) -> Draft:
    """Read an ODT file. Raises DocumentError for damaged, encrypted and bomb-like packages."""
    package = Package(data, name)
    manifest = package.read("META-INF/manifest.xml") or b""
    if b"encryption-data" in manifest:
        raise DocumentError(f"{name}: the file is encrypted; save it without a password and add it again.")
    root = package.xml("content.xml")
    if root is None:
        raise DocumentError(f"{name}: the package holds no content; save it anew as .odt.")
    draft = Draft([], READER, MEDIA_TYPE)
    styles = package.xml("styles.xml")
    walk = _Walk(_parents(root, styles), _raised_styles(root, styles), draft.marks)
    for body in root.iter():
        if tag_of(body) == "text" and tag_of(body.getparent()) == "body":
            walk.flow(body)
    draft.blocks, draft.works = walk.blocks, walk.works
    if walk.notes:
        draft.blocks += [Block("Notes", "heading", 2, kind="notes"), *(Block(note) for note in walk.notes)]
    meta = package.xml("meta.xml")
    for element in meta.iter() if meta is not None else []:
        if tag_of(element) == "language" and element.text:
            draft.language = element.text.strip() or None
    mark_opening(draft)
    return draft


def _get(element: Any, name: str) -> str | None:  # noqa: ANN401
    return next((str(v) for k, v in element.attrib.items() if k.rsplit("}", 1)[-1] == name), None)


def _parents(*roots: Any) -> dict[str, str]:  # noqa: ANN401
    """Automatic style → the named style it comes from."""
    return {
        _get(style, "name") or "": _get(style, "parent-style-name") or ""
        for root in roots
        if root is not None
        for style in root.iter()
        if tag_of(style) == "style"
    }


def _raised_styles(*roots: Any) -> frozenset[str]:  # noqa: ANN401
    """The styles that raise text."""
    return frozenset(
        _get(style, "name") or ""
        for root in roots
        if root is not None
        for style in root.iter()
        if tag_of(style) == "style" and any((_get(p, "text-position") or "").startswith("super") for p in style)
    )


class _Walk:
    def __init__(self, parents: dict[str, str], raised_styles: frozenset[str], marks: Marks) -> None:
        self.parents, self.raised_styles, self.marks = parents, raised_styles, marks
        self.blocks: list[Block] = []
        self.notes: list[str] = []
        self.works: dict[str, Work] = {}
        self.open: dict[str, int] = {}
        self.frames: list[Any] = []
        self.in_bibliography = self.titled = False

    def flow(self, parent: Any) -> None:  # noqa: ANN401
        for element in parent:
            tag = tag_of(element)
            if tag == "h":
                level = _get(element, "outline-level") or "1"
                self.heading(self.text(element), int(level) if level.isdigit() else 1)
            elif tag == "p":
                self.paragraph(element)
            elif tag == "list":
                lines = self.items(element, [])
                if self.in_bibliography:
                    self.blocks.extend(Block(line.removeprefix("- ")) for line in lines)
                elif lines:
                    self.blocks.append(Block("\n".join(lines), "list"))
            elif tag == "table":
                self.table(element)
            elif tag and tag not in _SKIP:
                self.flow(element)
            frames, self.frames = self.frames, []
            for frame in frames:
                self.flow(frame)

    def heading(self, text: str, level: int) -> None:
        if text.strip():
            self.blocks.append(Block(text, "heading", level))
            self.in_bibliography = names_bibliography(text) or perhaps_bibliography(text)

    def paragraph(self, element: Any) -> None:  # noqa: ANN401
        text = self.text(element)
        if not text.strip():
            return
        style = _get(element, "style-name") or ""
        if "Title" in (style, self.parents.get(style)) and not self.titled:
            self.titled = True
            self.blocks.append(Block(text, "title", 1))
        else:
            self.blocks.append(Block(text))

    def items(self, element: Any, lines: list[str]) -> list[str]:  # noqa: ANN401
        for item in element:
            if tag_of(item) not in {"list-item", "list-header"}:
                continue
            first = True
            for child in item:
                if tag_of(child) == "list":
                    self.items(child, lines)
                elif tag_of(child) in {"p", "h"}:
                    text = self.text(child).strip()
                    if text:
                        lines.append(("- " if first else "") + text.replace("\n", " "))
                        first = False
        return lines

    def text(self, element: Any) -> str:  # noqa: ANN401
        out = [element.text or ""]
        for child in element:
            tag = tag_of(child)
            if tag == "s":
                count = _get(child, "c") or "1"
                out.append(" " * min(int(count) if count.isdigit() else 1, _MOST_SPACES))
            elif tag == "tab":
                out.append(" ")
            elif tag == "line-break":
                out.append("\n")
            elif tag == "note":
                out.append(self.note(child))
            elif tag == "reference-mark-start":
                cited = fields.works_of(_get(child, "name") or "")
                self.works |= {work.key: work for work in cited}
                self.open[_get(child, "name") or ""] = len(cited)
                out.append("".join(self.marks.begin("citation", work.key) for work in cited))
            elif tag == "reference-mark-end":
                out.append(END * self.open.pop(_get(child, "name") or "", 0))
            elif tag == "text-box":
                self.frames.append(child)
            elif tag == "frame":
                self.frames.extend(e for e in child if tag_of(e) == "text-box")
            elif tag == "span" and _get(child, "style-name") in self.raised_styles:
                out.append(raised(self.text(child)))
            elif tag and tag not in _SKIP and tag not in {"title", "desc", "math"}:
                out.append(self.text(child))
            out.append(child.tail or "")
        return "".join(out)

    def note(self, element: Any) -> str:  # noqa: ANN401
        mark, body = "", ""
        for child in element:
            if tag_of(child) == "note-citation":
                mark = "".join(child.itertext()).strip()
            elif tag_of(child) == "note-body":
                body = " ".join(self.text(p).strip() for p in child)
        mark = mark or str(len(self.notes) + 1)
        self.notes.append(f"[{mark}] {body}")
        return self.marks.put("note", mark, f"[{mark}]")

    def table(self, element: Any) -> None:  # noqa: ANN401
        lines: list[str] = []
        for row in element.iter():
            if (
                tag_of(row) != "table-row"
                or next(a for a in row.iterancestors() if tag_of(a) == "table") is not element
            ):
                continue
            cells = []
            for cell in row:
                if tag_of(cell) == "table-cell":
                    inner = _Walk(self.parents, self.raised_styles, self.marks)
                    inner.works = self.works
                    inner.flow(cell)
                    cells.append(" ".join(b.text.replace("\n", " ") for b in inner.blocks))
            if any(c.strip() for c in cells):
                lines.append(" | ".join(cells))
        if lines:
            self.blocks.append(Block("\n".join(lines), "table"))
