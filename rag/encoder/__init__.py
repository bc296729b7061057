"""Texts → vectors. The only room that imports sentence_transformers or onnxruntime; knows no index."""

from rag.encoder.vectors import Encoder, fingerprint, load

__all__ = ["Encoder", "fingerprint", "load"]
