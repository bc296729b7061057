"""The reference: any sentence-transformers model, run by sentence-transformers itself on torch."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rag.encoder.base import BATCH, Vectors, in_batches, measure_scale
from rag.encoder.joined import Joined
from rag.errors import ModelError


class SentenceTransformerEncoder:
    """A model by name or path. Takes seconds to load: `rag.encoder.exported` runs its export without torch."""

    def __init__(self, name: str, folder: Path | None, fingerprint: str | None, threads: int) -> None:
        """Load `name` from `folder`, or from the hub's cache or the hub itself for None. Raises ModelError."""
        if folder is not None:
            # Weights at hand: a look-up on a hub could only fail or surprise.
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call,unused-ignore]
        torch.set_num_threads(threads)
        try:
            self.model: Any = SentenceTransformer(str(folder or name), device="cpu")
        except (OSError, ValueError) as error:
            raise ModelError(
                f"encoder {name!r} cannot be loaded ({_first_line(error)}); give a path, a name that the hub has, "
                "or one that needs no network: all-MiniLM-L6-v2, multilingual-e5-small"
            ) from error
        self.name = name
        self.dimension = int(self.model.get_embedding_dimension() or 0)
        self.max_tokens = int(self.model.max_seq_length or 512)
        self.multilingual = "multilingual" in name.lower() or "bge-m3" in name.lower()
        # The E5 family was trained with these words in front; its configuration does not say so.
        prefixed = re.search(r"(?:^|[/-])e5-", name.lower()) is not None and not self.model.prompts.get("query")
        self._before_question, self._before_passage = ("query: ", "passage: ") if prefixed else ("", "")
        self.fingerprint = fingerprint or self._hash_of_weights()
        self._joined = Joined(self.encode_questions)
        self._one = threading.Lock()  # its tokenizer refuses to be used by two threads at once
        self.scale = measure_scale(self)

    @property
    def prefixes(self) -> tuple[str, str]:
        """What is put in front of a question and of a passage, the model's own prompts included."""
        prompts = self.model.prompts
        usual = prompts.get(self.model.default_prompt_name or "", "")
        passage = next((prompts[n] for n in ("document", "passage", "corpus") if n in prompts), usual)
        return prompts.get("query", usual) + self._before_question, passage + self._before_passage

    def _hash_of_weights(self) -> str:
        digest = hashlib.sha256(f"{self.max_tokens}".encode())
        for key, tensor in sorted(self.model.state_dict().items()):
            digest.update(key.encode())
            digest.update(tensor.contiguous().numpy().tobytes())
        return digest.hexdigest()

    def count_tokens(self, text: str) -> int:
        """Length of `text` in the model's own tokens, special ones included."""
        with self._one:
            return len(self.model.tokenizer(text, truncation=False, verbose=False)["input_ids"])

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """Unit vectors of passages."""

        def encode(batch: list[str]) -> Vectors:
            return self._run(self.model.encode_document, [self._before_passage + text for text in batch])

        return in_batches(texts, self.dimension, encode, progress)

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of questions."""
        return self._run(self.model.encode_query, [self._before_question + text for text in texts])

    def encode_question(self, text: str) -> Vectors:
        """The unit vector of one question."""
        return self._joined(text)

    def _run(self, encode: Callable[..., Vectors], texts: list[str]) -> Vectors:
        with self._one:
            return encode(texts, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False)


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
