"""txtai: one embeddings database with `hybrid=True`; a change is an `upsert` and a `save`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from txtai import Embeddings

from benchmarks.peers.tool import LIMIT, Document, ranked, weights


class Txtai:
    """As its documentation sets up hybrid search with stored text."""

    packages = ("txtai", "faiss-cpu", "transformers", "torch")

    def __init__(self, folder: Path) -> None:
        self.index = str(folder / "index")

    def load(self) -> None:
        self.embeddings = Embeddings(path=weights(), hybrid=True, content=True)
        self.embeddings.transform("ready")

    def build(self, documents: Sequence[Document]) -> int:
        self.embeddings.index([(c.id, c.text) for d in documents for c in d.chunks])
        self.embeddings.save(self.index)
        return int(self.embeddings.count())

    def open(self) -> None:
        self.embeddings.load(self.index)

    def change(self, before: Document, after: Document, documents: Sequence[Document]) -> None:
        del documents
        kept = {c.id for c in after.chunks}
        if gone := [c.id for c in before.chunks if c.id not in kept]:
            self.embeddings.delete(gone)
        self.embeddings.upsert([(c.id, c.text) for c in after.chunks])
        self.embeddings.save(self.index)

    def search(self, question: str, *, dense: bool = False) -> list[str]:
        found = self.embeddings.search(question, LIMIT, weights=1.0 if dense else None)
        return ranked(row["id"] for row in found)
