"""Documents and chunks → what a generation holds: only texts that are new are embedded."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rag import chunks, store
from rag.build.plan import Plan, stop_if_cancelled
from rag.build.reading import Read
from rag.encoder import Encoder
from rag.types import Chunk, Progress


def embed(
    plan: Plan,
    encoder: Encoder,
    read: Sequence[Read],
    by_document: Sequence[Sequence[Chunk]],
    live: store.Generation | None,
) -> tuple[store.Contents, int, int]:
    """The generation's contents, the number of texts embedded now and of those reused."""
    all_chunks: list[Chunk] = []
    texts: list[str] = []
    sentence_texts: list[list[str]] = []
    for r, own in zip(read, by_document, strict=True):
        for chunk in own:
            cited = dict.fromkeys(
                m.reference_id for m in r.mentions if m.reference_id and m.start < chunk.end and chunk.start < m.end
            )
            all_chunks.append(replace(chunk, reference_ids=tuple(cited)))
            texts.append(chunks.embedded_text(r.document, chunk))
            sentence_texts.append([s.of(r.document.text) for s in chunk.sentences])
    keys = [_key(encoder, t) for t in texts]
    sentence_keys = [[_key(encoder, t) for t in own] for own in sentence_texts]

    known: dict[str, Any] = {}
    if live is not None and live.manifest.get("encoder", {}).get("fingerprint") == encoder.fingerprint:
        for found in live.vectors_by_key():
            known.update(found)
    wanted = dict(zip(keys, texts, strict=True))
    for own_keys, own_texts in zip(sentence_keys, sentence_texts, strict=True):
        wanted.update(zip(own_keys, own_texts, strict=True))
    new = [key for key in wanted if key not in known]

    def report(done: int) -> None:
        stop_if_cancelled(plan)
        plan.progress(Progress("embedding", done, len(new)))

    if new:
        report(0)
        vectors = encoder.encode([wanted[key] for key in new], report)
        known.update(zip(new, vectors, strict=True))
    flat = [key for own in sentence_keys for key in own]
    empty = np.zeros((0, encoder.dimension), dtype=np.float32)
    contents = store.Contents(
        documents=[r.document for r in read],
        references=[x for r in read for x in r.references],
        mentions={r.document.id: r.mentions for r in read},
        problems=[p for r in read for p in r.problems],
        chunks=all_chunks,
        chunk_keys=keys,
        chunk_vectors=np.stack([known[k] for k in keys]) if keys else empty,
        sentence_keys=sentence_keys,
        sentence_vectors=np.stack([known[k] for k in flat]) if flat else empty,
    )
    return contents, len(new), len(wanted) - len(new)


def _key(encoder: Encoder, text: str) -> str:
    return hashlib.sha256(f"{encoder.fingerprint}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()
