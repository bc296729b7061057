"""Ad Fontes, by its Python door: `rag.workspace.Workspace`, with documents that are read already.

It cuts them itself, into the same chunks and one for each title, and embeds every sentence beside. It is told all
documents at each change and finds out itself what changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.tool import LIMIT, Document
from rag.chunks import count_tokens
from rag.documents.language import warm
from rag.settings import Settings
from rag.types import Document as Source
from rag.types import Section
from rag.workspace import Workspace

COLLECTION = "peers"


class AdFontes:
    """With the settings as they come."""

    packages = ("adfontes", "onnxruntime", "faiss-cpu")

    def __init__(self, folder: Path) -> None:
        settings = Settings(corpus=folder / "corpus", index=folder / "index", collection=COLLECTION)
        self.workspace = Workspace(settings)
        self.dense = Workspace(settings.model_copy(update={"dense_weight": 1.0}))

    def load(self) -> None:
        self.workspace.encoder().encode_question("ready")
        # The tables of tokens and of languages, which reading a document needs: once in a process, as the model is.
        count_tokens("ready")
        warm()

    def build(self, documents: Sequence[Document]) -> int:
        report = self.workspace.index_documents([_source(d) for d in documents])
        return report.chunks

    def open(self) -> None:
        self.workspace.generation()

    def change(self, before: Document, after: Document, documents: Sequence[Document]) -> None:
        del before, after
        self.workspace.index_documents([_source(d) for d in documents])

    def search(self, question: str, *, dense: bool = False) -> list[str]:
        _, passages = (self.dense if dense else self.workspace).search(question, limit=LIMIT)
        return list(dict.fromkeys(p.document_id for p in passages))


def _source(document: Document) -> Source:
    """As `rag.evaluate.sets` makes a document of an abstract: its title is a heading."""
    sections = (Section(document.title, 1, "body", 0, len(document.title) + 2, len(document.text)),)
    return Source(
        id=document.id, text=document.text, title=document.title, source=document.id, reader="peers/1",
        sections=sections if document.title else (),
    )  # fmt: skip
