"""Does a passage carry a claim, deny it, or leave it open? A cross-encoder that reads both together.

The model is our own (`rag/models/verifier`, see its MODEL_CARD.md): twelve small layers, trained on claims that use
other words than their passage and are true, and claims made of the passage's own words that are false. Weights lie on
disk in eight bits and are computed with in 32, so a pair's result does not depend on what else is in its batch.

Knows English only, and no world: it says what a passage says, not what is true.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from rag.encoder.judge import Support
from rag.encoder.session import session
from rag.errors import ModelError
from rag.packaged import verified

_CLS, _SEP = 101, 102
_MAX_CHARACTERS = 20_000
"""Of one text that are looked at: a bound on the tokenizer's work."""


class Verifier:
    """The packaged cross-encoder on onnxruntime. Safe to share between threads."""

    def __init__(self, model: bytes, tokenizer: str, card: Mapping[str, Any], *, threads: int = 1) -> None:
        found = hashlib.sha256(model).hexdigest()
        if found != card.get("sha256"):
            raise ModelError(
                f"verifier.onnx has SHA-256 {found[:12]}…, but verifier.json names {str(card.get('sha256'))[:12]}…; "
                "the two files do not belong together: install the package again, or export the model again"
            )
        try:
            self._session = session(model, threads)
            self._tokenizer = Tokenizer.from_str(tokenizer)
        except Exception as error:  # onnxruntime and tokenizers raise bare exceptions of their own
            raise ModelError(f"the verifier cannot be loaded ({error}); install the package again") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._lock = threading.Lock()
        self.card = dict(card)
        """What verifier.json says: lengths, calibration, SHA-256."""
        self.name = f"{card.get('name', 'verifier')}@{found[:12]}"
        """For manifests and answers."""
        self._limit, self._claim = int(card["max_tokens"]), int(card["claim_tokens"])

    @classmethod
    def packaged(cls, *, threads: int = 1) -> Verifier:
        """The model that comes with the package; no network. Raises ModelError."""
        folder = verified("rag.models.verifier")
        try:
            return cls(
                (folder / "verifier.onnx").read_bytes(),
                (verified("rag.models.judge") / "tokenizer.json").read_text(encoding="utf-8"),  # the same vocabulary
                json.loads((folder / "verifier.json").read_text(encoding="utf-8")),
                threads=threads,
            )
        except FileNotFoundError as error:
            raise ModelError(f"{error.filename} does not exist; install the package again") from error

    def supports(self, claim: str, evidence: Sequence[tuple[str, tuple[int, int]]]) -> list[Support]:
        """What each passage says of `claim`, in calibrated probabilities.

        `evidence` are passages, each with the characters that matter most: of a passage longer than the model reads,
        what stands around them is read.
        """
        found = []
        for text, kept in evidence:
            ids, types = self._frame(claim, text, kept)
            # One pair a run: padding is no work, and a result cannot depend on its neighbours.
            (logits,) = self._session.run(["support"], {"ids": ids, "types": types, "mask": np.ones_like(ids)})
            found.append(self._calibrated(logits[0]))
        return found

    def _frame(
        self, claim: str, text: str, kept: tuple[int, int]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        with self._lock:
            first = self._coded(claim)[0][: self._claim]
            second, offsets = self._coded(text)
        room = self._limit - len(first) - 3
        if len(second) > room:
            inside = [n for n, (a, b) in enumerate(offsets) if a < kept[1] and b > kept[0]] or [0]
            middle = (inside[0] + inside[-1]) // 2
            start = max(0, min(middle - room // 2, len(second) - room, inside[0]))
            second = second[start : start + room]
        ids = [_CLS, *first, _SEP, *second, _SEP]
        types = [0] * (len(first) + 2) + [1] * (len(second) + 1)
        return np.array([ids], dtype=np.int64), np.array([types], dtype=np.int64)

    def _coded(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Tokens with offsets into `text`; half a surrogate pair, which no tokenizer takes, counts as "?"."""
        plain = text[:_MAX_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
        coded = self._tokenizer.encode(plain, add_special_tokens=False)
        return list(coded.ids), list(coded.offsets)

    def _calibrated(self, logits: npt.NDArray[np.float32]) -> Support:
        z = logits.astype(np.float64) / float(self.card["temperature"]) + np.array(self.card["bias"])
        powers = np.exp(z - z.max())
        supported, neutral, contradicted = (powers / powers.sum()).tolist()
        return Support(supported, neutral, contradicted)
