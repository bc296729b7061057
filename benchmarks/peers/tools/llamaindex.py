"""LlamaIndex: a vector index and a BM25 retriever, fused by reciprocal ranks; a change is `refresh_ref_docs`.

BM25 cannot be changed in place: it is made anew from the document store and persisted beside the index.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from llama_index.core import Document as Source
from llama_index.core import Settings, StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.llms import MockLLM
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.retrievers.fusion_retriever import FUSION_MODES
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.retrievers.bm25 import BM25Retriever

from benchmarks.peers.tool import LIMIT, Document, ranked, weights


class LlamaIndex:
    """As its documentation fuses a vector index with BM25; one query, for more need a language model."""

    packages = (
        "llama-index-core", "llama-index-embeddings-huggingface", "llama-index-retrievers-bm25",
        "sentence-transformers", "torch",
    )  # fmt: skip

    def __init__(self, folder: Path) -> None:
        self.stored, self.words = str(folder / "index"), str(folder / "bm25")

    def load(self) -> None:
        Settings.embed_model = HuggingFaceEmbedding(model_name=weights())
        Settings.llm = MockLLM()  # asked nothing; without one a server's client would be looked for
        Settings.embed_model.get_text_embedding("ready")

    def build(self, documents: Sequence[Document]) -> int:
        self.index = VectorStoreIndex.from_documents(_sources(documents))
        self._index_words()
        self._persist()
        return len(self.index.docstore.docs)

    def open(self) -> None:
        self.index = load_index_from_storage(StorageContext.from_defaults(persist_dir=self.stored))
        self.bm25 = BM25Retriever.from_persist_dir(self.words)
        self._fuse()

    def change(self, before: Document, after: Document, documents: Sequence[Document]) -> None:
        del documents
        kept = {c.id for c in after.chunks}
        for chunk in before.chunks:
            if chunk.id not in kept:
                self.index.delete_ref_doc(chunk.id, delete_from_docstore=True)
        self.index.refresh_ref_docs(_sources([after]))
        self._index_words()
        self._persist()

    def search(self, question: str, *, dense: bool = False) -> list[str]:
        found = (self.vectors if dense else self.fused).retrieve(question)
        return ranked(str(n.node.ref_doc_id or n.node.node_id) for n in found)

    def _index_words(self) -> None:
        nodes = list(self.index.docstore.docs.values())
        self.bm25 = BM25Retriever.from_defaults(nodes=nodes, similarity_top_k=LIMIT)
        self._fuse()

    def _fuse(self) -> None:
        self.vectors = self.index.as_retriever(similarity_top_k=LIMIT)
        self.fused = QueryFusionRetriever(
            [self.vectors, self.bm25], similarity_top_k=LIMIT, num_queries=1, mode=FUSION_MODES.RECIPROCAL_RANK,
            use_async=False,
        )  # fmt: skip

    def _persist(self) -> None:
        self.index.storage_context.persist(self.stored)
        self.bm25.persist(self.words)


def _sources(documents: Sequence[Document]) -> list[Source]:
    """Chunks as documents of their own: shorter than its splitter's default, so it leaves them whole."""
    return [Source(text=c.text, id_=c.id) for d in documents for c in d.chunks]
