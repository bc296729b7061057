"""Haystack: the in-memory store, BM25 and vectors joined by reciprocal ranks; a change overwrites and saves the store.

The store is a JSON file, written and read whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from haystack import Document as Stored
from haystack import Pipeline
from haystack.components.joiners import DocumentJoiner
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.document_stores.types import DuplicatePolicy
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)

from benchmarks.peers.tool import LIMIT, Document, ranked, weights


class Haystack:
    """As its documentation builds hybrid retrieval."""

    packages = ("haystack-ai", "sentence-transformers-haystack", "sentence-transformers", "torch")

    def __init__(self, folder: Path) -> None:
        self.stored = folder / "store.json"
        self.embedder: SentenceTransformersDocumentEmbedder | None = None

    def load(self) -> None:
        self.of_questions = SentenceTransformersTextEmbedder(model=weights(), progress_bar=False)
        self.of_questions.warm_up()
        self.of_questions.run("ready")

    def build(self, documents: Sequence[Document]) -> int:
        self.store = InMemoryDocumentStore(embedding_similarity_function="cosine")
        self._write(documents)
        return int(self.store.count_documents())

    def open(self) -> None:
        self.store = InMemoryDocumentStore.load_from_disk(str(self.stored))
        self._connect()

    def change(self, before: Document, after: Document, documents: Sequence[Document]) -> None:
        del documents
        kept = {c.id for c in after.chunks}
        if gone := [c.id for c in before.chunks if c.id not in kept]:
            self.store.delete_documents(gone)
        self._write([after])

    def search(self, question: str, *, dense: bool = False) -> list[str]:
        if dense:
            found = self.dense.run({"embedder": {"text": question}})["vectors"]["documents"]
        else:
            asked = {"embedder": {"text": question}, "words": {"query": question}}
            found = self.hybrid.run(asked)["joiner"]["documents"]
        return ranked(d.id for d in found[:LIMIT])

    def _write(self, documents: Sequence[Document]) -> None:
        chunks = [Stored(id=c.id, content=c.text) for d in documents for c in d.chunks]
        if self.embedder is None:
            self.embedder = SentenceTransformersDocumentEmbedder(model=weights(), progress_bar=False)
            self.embedder.warm_up()
        self.store.write_documents(self.embedder.run(chunks)["documents"], policy=DuplicatePolicy.OVERWRITE)
        self.store.save_to_disk(str(self.stored))
        self._connect()

    def _connect(self) -> None:
        # A component belongs to one pipeline; both text embedders share the loaded model.
        self.dense = Pipeline()
        self.dense.add_component("embedder", _text_embedder())
        self.dense.add_component("vectors", InMemoryEmbeddingRetriever(self.store, top_k=LIMIT))
        self.dense.connect("embedder.embedding", "vectors.query_embedding")
        self.hybrid = Pipeline()
        self.hybrid.add_component("embedder", _text_embedder())
        self.hybrid.add_component("vectors", InMemoryEmbeddingRetriever(self.store, top_k=LIMIT))
        self.hybrid.add_component("words", InMemoryBM25Retriever(self.store, top_k=LIMIT))
        self.hybrid.add_component("joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion"))
        self.hybrid.connect("embedder.embedding", "vectors.query_embedding")
        self.hybrid.connect("vectors", "joiner")
        self.hybrid.connect("words", "joiner")


def _text_embedder() -> SentenceTransformersTextEmbedder:
    return SentenceTransformersTextEmbedder(model=weights(), progress_bar=False)
