"""Texts → vectors. The only room that imports sentence_transformers or onnxruntime; knows no index.

load(name) ──► an export of the model, without torch (rag.encoder.exported)
          └──► sentence-transformers itself (rag.encoder.reference): the loader, the reference, the fallback
load_sparse() ──► the packaged model that weighs terms (rag.encoder.sparse)
across(encoder) ──► the same encoder for questions in other languages than its own (rag.encoder.across)
"""

from rag.encoder.across import Across, across
from rag.encoder.base import Encoder
from rag.encoder.reranker import Reranker, load_reranker
from rag.encoder.sparse import SparseEncoder, load_sparse, sparse_fingerprint
from rag.encoder.vectors import MULTILINGUAL, fingerprint, load

__all__ = [
    "MULTILINGUAL",
    "Across",
    "Encoder",
    "Reranker",
    "SparseEncoder",
    "across",
    "fingerprint",
    "load",
    "load_reranker",
    "load_sparse",
    "sparse_fingerprint",
]
