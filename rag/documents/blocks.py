"""What a reader hands to the assembler: blocks in reading order, and what the format says of the document.

A reader knows one format and nothing of offsets; `assemble` knows offsets and no format.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from rag.documents.marks import Marks, Placed
from rag.types import Problem, SectionKind, Work

Role = Literal["title", "heading", "paragraph", "list", "table", "byline"]


@dataclass(slots=True)
class Block:
    """One paragraph, heading, list or table. Lines inside `text` are kept; a form feed marks where a page turns."""

    text: str
    role: Role = "paragraph"
    level: int = 2
    """Depth of a heading: 1 is the document's own title, 2 a section, 3 a subsection."""
    page: int | None = None
    kind: SectionKind | None = None
    """What the format itself says of the section that this heading opens (JATS, LaTeX, EPUB)."""
    opens: bool = False
    """A paragraph with which a section without a heading begins."""
    turns: tuple[int, ...] = ()
    """Where in `text` each next page begins; set by the assembler from the form feeds."""
    marks: tuple[Placed, ...] = ()
    """Set by the assembler from those in `text`."""


@dataclass(slots=True)
class Draft:
    """A document before its text is laid out. Fields are None where the format does not say."""

    blocks: list[Block]
    reader: str
    media_type: str = "text/plain"
    title: str | None = None
    authors: list[str] = field(default_factory=list)
    date: str | None = None
    language: str | None = None
    address: str | None = None
    problems: list[Problem] = field(default_factory=list)
    page_count: int = 0
    """Pages of the source, 0 for sources without pages."""
    marks: Marks = field(default_factory=Marks)
    """What the format says of places within the blocks."""
    works: dict[str, Work] = field(default_factory=dict)
    """The works that the file holds with its citations, by key."""
