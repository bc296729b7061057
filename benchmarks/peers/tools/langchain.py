"""LangChain: FAISS and BM25 in an ensemble, kept up by its indexing API with a record manager.

BM25 is neither changed nor stored: it is made from the stored texts whenever the index is opened or changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import faiss
from langchain_classic.indexes import SQLRecordManager, index
from langchain_classic.retrievers import EnsembleRetriever
from langchain_community.docstore.in_memory import InMemoryDocstore
from langchain_community.retrievers import BM25Retriever
from langchain_community.vectorstores import FAISS
from langchain_core.documents import Document as Stored
from langchain_huggingface import HuggingFaceEmbeddings

from benchmarks.peers.tool import LIMIT, Document, ranked, weights


class LangChain:
    """As its documentation sets up an ensemble of BM25 and a vector store."""

    packages = (
        "langchain-core", "langchain-classic", "langchain-community", "langchain-huggingface", "rank-bm25",
        "faiss-cpu", "sentence-transformers", "torch",
    )  # fmt: skip

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self) -> None:
        self.embeddings = HuggingFaceEmbeddings(model_name=weights(), encode_kwargs={"normalize_embeddings": True})
        self.embeddings.embed_query("ready")

    def build(self, documents: Sequence[Document]) -> int:
        self.store = FAISS(self.embeddings, faiss.IndexFlatL2(384), InMemoryDocstore(), {})
        self._records().create_schema()
        self._index(documents)
        return len(self.store.index_to_docstore_id)

    def open(self) -> None:
        # Its own pickle, written a moment ago by ourselves.
        self.store = FAISS.load_local(str(self.folder), self.embeddings, allow_dangerous_deserialization=True)
        self._ensemble()

    def change(self, before: Document, after: Document, documents: Sequence[Document]) -> None:
        del before, documents  # cleanup="incremental" takes away what the source no longer has
        self._index([after])

    def search(self, question: str, *, dense: bool = False) -> list[str]:
        found = (self.vectors if dense else self.ensemble).invoke(question)
        return ranked(d.metadata["chunk"] for d in found[:LIMIT])

    def _records(self) -> SQLRecordManager:
        return SQLRecordManager("faiss/peers", db_url=f"sqlite:///{self.folder / 'records.sqlite'}")

    def _index(self, documents: Sequence[Document]) -> None:
        chunks = [
            Stored(page_content=c.text, metadata={"source": d.id, "chunk": c.id}) for d in documents for c in d.chunks
        ]
        index(chunks, self._records(), self.store, cleanup="incremental", source_id_key="source", key_encoder="sha256")
        self.store.save_local(str(self.folder))
        self._ensemble()

    def _ensemble(self) -> None:
        stored = self.store.get_by_ids(list(self.store.index_to_docstore_id.values()))
        words = BM25Retriever.from_documents(stored)
        words.k = LIMIT
        self.vectors = self.store.as_retriever(search_kwargs={"k": LIMIT})
        self.ensemble = EnsembleRetriever(retrievers=[words, self.vectors], weights=[0.5, 0.5])
