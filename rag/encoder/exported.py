"""The same encoder without torch: its weights exported once to ONNX, checked against the reference, kept in a folder.

    <exports>/<first 16 of the fingerprint>/
        model.onnx, weights.bin     the graph, and the weights beside it so that they are mapped, not read
        tokenizer.json
        export.json                 written last: whose export, settings, the difference found, the files' SHA-256

A cache: whoever deletes it loses seconds, nothing else. Vectors agree with sentence-transformers' to 1e-5, so both
engines share a fingerprint. A model that cannot be exported is remembered as such and run by the reference.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from rag.encoder.base import CACHED_BYTES, Vectors, in_batches
from rag.encoder.joined import Joined
from rag.encoder.reference import SentenceTransformerEncoder
from rag.errors import ModelError
from rag.files import fsync, sha256, write_text

FORMAT = 1
CARD = "export.json"
TOLERANCE = 1e-5
"""Largest difference of any component from the reference's unit vectors."""
_MAKING = ".making-"
_INPUTS = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
"""What a graph may ask for → where the tokenizer has it."""
_CHECKED = (
    "Ad fontes.",
    "",
    "How many users had the service attracted by April?",
    "ARTIFICIAL intelligence – “naïve” façade; 3.14 % & <tags> [CLS] http://example.org/a?b=c",
    "百度的文心一言吸引了多少用户？",
    "🙂 ɐ́ \u200b x",
    "A sentence of ordinary length, neither short nor long, that says one thing about the tide at noon.",
    "word " * 3000,
)


def find(exports: Path, name: str, stamp: str) -> Path | None:
    """The export of `name` whose source carries `stamp` (what tells unchanged weights apart), or None."""
    for card in sorted(exports.glob(f"[!.]*/{CARD}")):
        told = _card(card.parent)
        if told.get("format") == FORMAT and told.get("name") == name and told.get("stamp") == stamp:
            return card.parent
    return None


def fingerprint_of(export: Path) -> str:
    """The fingerprint of the encoder an export is of."""
    return str(_card(export)["fingerprint"])


def refusal(export: Path) -> str | None:
    """Why a model could not be exported, None for one that was."""
    reason = _card(export).get("refused")
    return None if reason is None else str(reason)


def make(reference: SentenceTransformerEncoder, exports: Path, stamp: str, threads: int) -> ExportedEncoder:
    """Export a loaded model, compare, keep, and open what was kept.

    Raises ModelError when the model cannot be exported faithfully (which is remembered), OSError when nothing can be
    written there.
    """
    exports.mkdir(parents=True, exist_ok=True)
    for leftover in exports.glob(f"{_MAKING}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    making = exports / f"{_MAKING}{secrets.token_hex(4)}"
    making.mkdir()
    card = {
        "format": FORMAT,
        "name": reference.name,
        "fingerprint": reference.fingerprint,
        "stamp": stamp,
        "dimension": reference.dimension,
        "max_tokens": reference.max_tokens,
        "multilingual": reference.multilingual,
        "prefixes": reference.prefixes,
        "scale": reference.scale,
    }
    target = exports / reference.fingerprint[:16]
    try:
        try:
            _export(reference, making)
            card["padding"] = _padding(reference.model.tokenizer)
            card["largest_difference"] = _compare(reference, ExportedEncoder(making, threads, card))
            card["files"] = {
                p.name: {"sha256": sha256(p), "bytes": p.stat().st_size}
                for p in sorted(making.iterdir())
                if p.is_file()
            }
            refused = None
        except OSError:
            raise
        except ImportError as error:  # not remembered: what is not installed today may be tomorrow
            raise ModelError(f"encoder {reference.name!r} cannot be exported: {error}") from error
        except Exception as error:  # noqa: BLE001  (exporters raise what they like; the reference goes on serving)
            refused = str(error).strip().split("\n", 1)[0][:300] or type(error).__name__
            for path in making.iterdir():
                path.unlink()
            card["refused"] = refused
        for path in making.iterdir():
            fsync(path)
        write_text(making / CARD, json.dumps(card, ensure_ascii=False, indent=1, sort_keys=True))
        fsync(making)
        shutil.rmtree(target, ignore_errors=True)
        making.rename(target)
        fsync(exports)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    if refused is not None:
        raise ModelError(f"encoder {reference.name!r} cannot be exported: {refused}")
    return ExportedEncoder(target, threads)


class ExportedEncoder:
    """An export, open. Safe to share between threads."""

    def __init__(self, folder: Path, threads: int, card: Mapping[str, Any] | None = None) -> None:
        """Open the export in `folder` after checking every file of it. Raises ModelError for what does not hold."""
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from tokenizers import Tokenizer

        from rag.encoder.session import session

        told = card or _verified(folder)
        self.name = str(told["name"])
        self.fingerprint = str(told["fingerprint"])
        self.dimension = int(told["dimension"])
        self.max_tokens = int(told["max_tokens"])
        self.multilingual = bool(told["multilingual"])
        self.scale: tuple[float, float] = tuple(told["scale"])
        self._before_question, self._before_passage = told["prefixes"]
        self._tokenizer_file = str(folder / "tokenizer.json")
        try:
            self._session = session(str(folder / "model.onnx"), threads)
            self._tokenizer = Tokenizer.from_file(self._tokenizer_file)
        except Exception as error:  # onnxruntime and tokenizers raise bare exceptions of their own
            raise ModelError(f"the export of encoder {self.name!r} in {folder} cannot be opened ({error})") from error
        self._inputs = [i.name for i in self._session.get_inputs()]
        self._joined = Joined(self.encode_questions)
        self._tokenizer.enable_truncation(self.max_tokens)
        self._tokenizer.enable_padding(**told["padding"])

    @cached_property
    def _counter(self) -> Any:  # noqa: ANN401  (a tokenizer, without stubs)
        from tokenizers import Tokenizer

        counter = Tokenizer.from_file(self._tokenizer_file)
        counter.no_truncation()
        counter.no_padding()
        return counter

    def count_tokens(self, text: str) -> int:
        """Length of `text` in the model's own tokens, special ones included."""
        return len(self._counter.encode(text).ids)

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """Unit vectors of passages."""
        return self._in_batches(self._before_passage, texts, progress)

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of questions."""
        return self._in_batches(self._before_question, texts)

    def encode_question(self, text: str) -> Vectors:
        """The unit vector of one question."""
        return self._joined(text)

    def _in_batches(self, before: str, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        return in_batches(
            texts, self.dimension, lambda b: self._run([before + t for t in b]), progress, most_bytes=CACHED_BYTES
        )

    def _run(self, texts: list[str]) -> Vectors:
        encoded = self._tokenizer.encode_batch(texts)
        feed = {name: np.array([getattr(e, _INPUTS[name]) for e in encoded], dtype=np.int64) for name in self._inputs}
        vectors: Vectors = self._session.run(None, feed)[0]
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return vectors


def _export(reference: SentenceTransformerEncoder, folder: Path) -> None:
    import onnx
    import torch

    model = reference.model.eval()
    features = {
        name: value
        for name, value in model.preprocess(["Ad fontes.", "To the sources, then."]).items()
        if isinstance(value, torch.Tensor)
    }
    names = list(features)
    if unknown := set(names) - set(_INPUTS):
        raise ModelError(f"it asks for the input {min(unknown)!r}")

    class Whole(torch.nn.Module):
        """Tokens → sentence vectors, pooling and all."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *values: Any) -> Any:  # noqa: ANN401  (tensors)
            return self.model(dict(zip(names, values, strict=True)))["sentence_embedding"]

    whole = folder / "whole.onnx"
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer warns of every branch; the comparison below decides
        torch.onnx.export(
            Whole().eval(),
            tuple(features.values()),
            str(whole),
            dynamo=False,
            opset_version=17,
            input_names=names,
            output_names=["vectors"],
            dynamic_axes={**{name: {0: "texts", 1: "tokens"} for name in names}, "vectors": {0: "texts"}},
        )
    graph = onnx.load(str(whole))
    # Weights beside the graph are mapped into memory where a model in one piece is read and copied.
    onnx.save_model(graph, str(folder / "model.onnx"), save_as_external_data=True, location="weights.bin")
    whole.unlink()
    shutil.copymode(folder / "model.onnx", folder / "weights.bin")
    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError("its tokenizer has no file of its own")
    backend.save(str(folder / "tokenizer.json"))


def _padding(tokenizer: Any) -> dict[str, Any]:  # noqa: ANN401  (a transformers tokenizer)
    return {
        "direction": tokenizer.padding_side,
        "pad_id": tokenizer.pad_token_id,
        "pad_type_id": tokenizer.pad_token_type_id,
        "pad_token": tokenizer.pad_token,
    }


def _compare(reference: SentenceTransformerEncoder, exported: ExportedEncoder) -> float:
    """The largest difference over texts of all kinds. Raises ModelError above TOLERANCE."""
    largest = 0.0
    for ours, theirs in (
        (exported.encode(_CHECKED), reference.encode(_CHECKED)),
        (exported.encode_questions(_CHECKED), reference.encode_questions(_CHECKED)),
    ):
        largest = max(largest, float(np.abs(ours - theirs).max()))
    if not largest <= TOLERANCE:
        raise ModelError(f"the export's vectors differ from the reference's by {largest:.2g}, more than {TOLERANCE:g}")
    for text in _CHECKED:
        if exported.count_tokens(text) != reference.count_tokens(text):
            raise ModelError(f"the export counts the tokens of {text[:20]!r} differently")
    return largest


def _card(folder: Path) -> dict[str, Any]:
    try:
        told = json.loads((folder / CARD).read_bytes())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _verified(folder: Path) -> dict[str, Any]:
    told = _card(folder)
    for name, expected in told.get("files", {}).items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != expected["bytes"] or sha256(path) != expected["sha256"]:
            raise ModelError(f"{path} is not what was written; delete the folder, it is made again")
    if not told.get("files"):
        raise ModelError(f"{folder} holds no export; delete the folder, it is made again")
    return told
