"""Texts → weights of terms, learned: which words of the vocabulary a text is about, those it does not say included.

SPLADE (Formal, Piwowarski and Clinchant 2021), two layers of 128: `rag/models/sparse`, see its MODEL_CARD.md. A text's
score for a question is the inner product of their terms' weights. Reads English only and says of each text whether it
can be read. The model's weights lie on disk in eight bits and are computed with in 32.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from rag.encoder.session import session
from rag.errors import ModelError
from rag.packaged import verified

Packed = npt.NDArray[np.float32]
"""One text a row, shape (n, WIDTH): 16 bits a term, then 16 bits a weight in steps of `STEP`, 0 where there are fewer.
They travel as 32-bit numbers, so that they are kept, checked and cached as dense vectors are; they are none."""
WIDTH = 128
"""Terms kept of a text; most have 200, and the lightest ones decide nothing."""
STEP = 1 / 1024
_TOKENS_AT_ONCE = 1024
"""Of one run: each costs a row as long as the vocabulary in memory."""
_UNKNOWN = 0.1
"""Share of tokens outside the vocabulary above which a text cannot be read."""


_MARKS = ("[CLS]", "[SEP]", "[UNK]")


class SparseEncoder:
    """The packaged model on onnxruntime. Safe to share between threads."""

    def __init__(self, model: bytes, tokenizer: str, card: Mapping[str, Any], *, threads: int = 1) -> None:
        found = hashlib.sha256(model).hexdigest()
        if found != card.get("sha256"):
            raise ModelError(
                f"sparse.onnx has SHA-256 {found[:12]}…, but sparse.json names {str(card.get('sha256'))[:12]}…; "
                "the two files do not belong together: install the package again, or export the model again"
            )
        self.name = str(card["name"])
        self.fingerprint = _fingerprint(card)
        """SHA-256 over weights and form: equal fingerprints give equal vectors."""
        try:
            self._session = session(model, threads)
            self._tokenizer = Tokenizer.from_str(tokenizer)
        except Exception as error:  # onnxruntime and tokenizers raise bare exceptions of their own
            raise ModelError(f"the sparse encoder cannot be loaded ({error}); install the package again") from error
        self._cls, self._sep, self._unknown = (int(self._tokenizer.token_to_id(t) or 0) for t in _MARKS)
        self._limit = int(card["max_tokens"])

    dimension = WIDTH
    """Numbers a packed vector."""

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Packed:
        """The terms of passages; none for a text that cannot be read. `progress` gets the number done so far."""
        rows = np.zeros((len(texts), 2 * WIDTH), dtype=np.uint16)
        windows = [(i, ids) for i, text in enumerate(texts) for ids in self._windows(text)]
        windows.sort(key=lambda w: len(w[1]))
        done = 0
        # A text longer than the model reads is read in parts; the weight of a term is its largest.
        while done < len(windows):
            size = max(1, _TOKENS_AT_ONCE // (len(windows[min(done + 32, len(windows) - 1)][1]) + 2))
            batch = windows[done : done + size]
            for (i, _), weights in zip(batch, self._run([ids for _, ids in batch]), strict=True):
                rows[i] = _packed(np.maximum(weights, _unpacked(rows[i], len(weights))))
            done += len(batch)
            if progress is not None:
                progress(int(done / len(windows) * len(texts)))
        return rows.view(np.float32)

    @staticmethod
    def scores(question: npt.NDArray[np.float32], packed: Packed) -> npt.NDArray[np.float32]:
        """The inner product of a question's weights with each packed vector, shape (n,)."""
        terms, weights = np.split(np.ascontiguousarray(packed).view(np.uint16), 2, axis=1)
        found: npt.NDArray[np.float32] = np.einsum("ij,ij->i", question.take(terms, mode="clip"), weights)
        return found * np.float32(STEP)

    def encode_question(self, text: str) -> npt.NDArray[np.float32] | None:
        """The weight of every term of the vocabulary, shape (terms,); None for a question that cannot be read."""
        return self.encode_questions([text])[0]

    def encode_questions(self, texts: Sequence[str]) -> list[npt.NDArray[np.float32] | None]:
        """The same of several questions, in one run."""
        windows = [self._windows(text)[:1] for text in texts]
        read = [w for own in windows for w in own]
        weights = iter(self._run(read)) if read else iter(())
        return [next(weights) if own else None for own in windows]

    def _windows(self, text: str) -> list[list[int]]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        if not ids or ids.count(self._unknown) > _UNKNOWN * len(ids):
            return []
        room = self._limit - 2
        return [ids[at : at + room] for at in range(0, len(ids), room)]

    def _run(self, windows: Sequence[list[int]]) -> npt.NDArray[np.float32]:
        longest = max(map(len, windows)) + 2
        ids, mask = np.zeros((2, len(windows), longest), dtype=np.int64)
        for i, window in enumerate(windows):
            ids[i, : len(window) + 2] = [self._cls, *window, self._sep]
            mask[i, : len(window) + 2] = 1
        found: npt.NDArray[np.float32] = self._session.run(None, {"ids": ids, "mask": mask})[0]
        return found


def _packed(weights: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    row = np.zeros(2 * WIDTH, dtype=np.uint16)
    steps = np.round(weights / STEP).astype(np.uint16)
    best = np.argpartition(-weights, WIDTH)[:WIDTH]
    best = np.sort(best[steps[best] > 0])
    row[: len(best)], row[WIDTH : WIDTH + len(best)] = best, steps[best]
    return row


def _unpacked(row: npt.NDArray[np.uint16], size: int) -> npt.NDArray[np.float32]:
    weights = np.zeros(size, dtype=np.float32)
    np.maximum.at(weights, row[:WIDTH], row[WIDTH:].astype(np.float32) * STEP)
    return weights


def sparse_fingerprint() -> str:
    """The fingerprint of the packaged model, told without loading it. Raises ModelError."""
    return _fingerprint(json.loads(_file("sparse.json")))


@lru_cache(maxsize=2)
def load_sparse(threads: int = 1) -> SparseEncoder:
    """The model that comes with the package; no network. Raises ModelError."""
    card = json.loads(_file("sparse.json"))
    return SparseEncoder(_file("sparse.onnx"), _file("tokenizer.json").decode(), card, threads=threads)


def _fingerprint(card: Mapping[str, Any]) -> str:
    return hashlib.sha256(f"{card.get('sha256')} {WIDTH} {STEP}".encode()).hexdigest()


def _file(name: str) -> bytes:
    try:
        return (verified("rag.models.sparse") / name).read_bytes()
    except FileNotFoundError as error:
        raise ModelError(f"{error.filename} is missing from the package; install it again") from error
