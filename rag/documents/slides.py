"""Presentations (PPTX) → blocks, a slide a page: titles, text, tables and the speaker's notes."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from rag.documents.archive import Package
from rag.documents.blocks import Block, Draft
from rag.documents.markup import tag_of
from rag.errors import DocumentError

READER = "pptx/1"
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_NOT_CONTENT = {"sldNum", "dt", "ftr", "hdr", "sldImg"}


def read_pptx(data: bytes, name: str) -> Draft:
    """Read a PPTX file. Raises DocumentError for damaged, encrypted and bomb-like packages."""
    package = Package(data, name)
    slides = _slides(package)
    if not slides:
        raise DocumentError(f"{name}: the presentation holds no slides.")
    draft = Draft([], READER, MEDIA_TYPE, page_count=len(slides))
    for number, member in enumerate(slides, start=1):
        root = package.xml(member)
        if root is None:
            continue
        _shapes(root, number, draft)
        notes = next((t for t in _related(package, member) if "notesSlide" in t), None)
        if notes:
            _notes(package.xml(notes), number, draft)
    titles = [b for b in draft.blocks if b.role == "heading"]
    if titles and titles[0].page == 1:
        titles[0].role, titles[0].level = "title", 1
        draft.title = titles[0].text
    return draft


def _slides(package: Package) -> list[str]:
    """The slides in the order they are shown."""
    root = package.xml("ppt/presentation.xml")
    targets = _relations(package, "ppt/presentation.xml")
    found = []
    for element in root.iter() if root is not None else []:
        if tag_of(element) == "sldid":
            key = next((v for k, v in element.attrib.items() if k.endswith("}id")), "")
            if key in targets:
                found.append(targets[key])
    numbered = [n for n in package.names() if re.fullmatch(r"ppt/slides/slide\d+\.xml", n)]
    return list(dict.fromkeys(found)) or sorted(numbered, key=lambda n: int(re.sub(r"\D", "", n)))


def _relations(package: Package, member: str) -> dict[str, str]:
    folder, base = posixpath.split(member)
    root = package.xml(f"{folder}/_rels/{base}.rels")
    return {
        r.get("Id") or "": posixpath.normpath(posixpath.join(folder, r.get("Target") or "")).lstrip("/")
        for r in (root if root is not None else [])
        if r.get("TargetMode") != "External"
    }


def _related(package: Package, member: str) -> list[str]:
    return list(_relations(package, member).values())


def _placeholder(shape: Any) -> str | None:  # noqa: ANN401
    for element in shape.iter():
        if tag_of(element) == "ph":
            return str(element.get("type") or "body")
    return None


def _paragraphs(element: Any) -> list[str]:  # noqa: ANN401
    found = []
    for paragraph in element.iter():
        if tag_of(paragraph) != "p" or not str(paragraph.tag).endswith("main}p"):
            continue
        text = "".join(
            (t.text or "") if tag_of(t) == "t" else " " if tag_of(t) == "br" else "" for t in paragraph.iter()
        )
        if text.strip():
            found.append(text.strip())
    return found


def _shapes(root: Any, number: int, draft: Draft) -> None:  # noqa: ANN401
    """Title first, then the shapes as they are stacked."""
    shapes = [e for e in root.iter() if tag_of(e) in {"sp", "graphicframe"}]
    kinds = [_placeholder(s) for s in shapes]
    titled = [tag_of(s) == "sp" and kind in {"title", "ctrTitle"} for s, kind in zip(shapes, kinds, strict=True)]
    for n in sorted(range(len(shapes)), key=lambda n: not titled[n]):
        shape, kind = shapes[n], kinds[n]
        if kind in _NOT_CONTENT:
            continue
        if tag_of(shape) == "graphicframe":
            _table(shape, number, draft)
            continue
        paragraphs = _paragraphs(shape)
        if titled[n] and paragraphs:
            draft.blocks.append(Block(" ".join(paragraphs), "heading", 2, number))
        elif len(paragraphs) == 1:
            draft.blocks.append(Block(paragraphs[0], page=number))
        elif paragraphs:
            draft.blocks.append(Block("\n".join(f"- {p}" for p in paragraphs), "list", page=number))


def _table(frame: Any, number: int, draft: Draft) -> None:  # noqa: ANN401
    rows = [e for e in frame.iter() if tag_of(e) == "tr"]
    lines = [" | ".join(" ".join(_paragraphs(c)) for c in row if tag_of(c) == "tc") for row in rows]
    if any(line.strip(" |") for line in lines):
        draft.blocks.append(Block("\n".join(line for line in lines if line.strip(" |")), "table", page=number))


def _notes(root: Any, number: int, draft: Draft) -> None:  # noqa: ANN401
    for shape in root.iter() if root is not None else []:
        if tag_of(shape) == "sp" and _placeholder(shape) == "body":
            text = "\n".join(_paragraphs(shape))
            if text:
                draft.blocks.append(Block(f"Speaker's notes: {text}", page=number))
