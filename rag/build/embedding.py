"""Documents → chunks → what a generation holds: what is unchanged is neither cut nor embedded again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rag import chunks, store
from rag.build.cache import VectorCache, Vectors
from rag.build.plan import Plan, stop_if_cancelled
from rag.build.reading import Read
from rag.encoder import Encoder
from rag.types import Chunk, Progress

_KEPT_AT_ONCE = 512
"""Texts embedded before their vectors go into the cache: what an interrupted build may have to do again."""


def cut(plan: Plan, encoder: Encoder, read: Sequence[Read], unchanged: Mapping[str, Sequence[Chunk]]) -> list[Chunk]:
    """The chunks of all documents in order, each with the entries that the citations within it point to.

    `unchanged` holds by document the chunks of those that need not be cut again.
    """
    found: list[Chunk] = []
    for done, r in enumerate(read):
        stop_if_cancelled(plan)
        own = unchanged.get(r.document.id)
        if own is None:
            plan.progress(Progress("chunking", done, len(read)))
            own = chunks.split(
                r.document,
                r.references,
                budget=plan.chunk_tokens,
                encoder_tokens=encoder.count_tokens,
                encoder_limit=encoder.max_tokens,
            )
        for chunk in own:
            cited = dict.fromkeys(
                m.reference_id for m in r.mentions if m.reference_id and m.start < chunk.end and chunk.start < m.end
            )
            found.append(replace(chunk, reference_ids=tuple(cited)))
    plan.progress(Progress("chunking", len(read), len(read)))
    return found


def embed(
    plan: Plan, encoder: Encoder, read: Sequence[Read], found: Sequence[Chunk], live: store.Generation | None
) -> tuple[store.Contents, int, int]:
    """The generation's contents, the number of texts embedded now and of those reused."""
    documents = {r.document.id: r.document for r in read}
    texts: dict[str, str] = {}

    def key(text: str) -> str:
        name = hashlib.sha256(f"{encoder.fingerprint}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()
        texts[name] = text
        return name

    keys = [key(chunks.embedded_text(documents[c.document_id], c)) for c in found]
    sentence_keys = [[key(s.of(documents[c.document_id].text)) for s in c.sentences] for c in found]
    known, new = _vectors(plan, encoder, texts, live)
    flat = [k for own in sentence_keys for k in own]
    empty = np.zeros((0, encoder.dimension), dtype=np.float32)
    contents = store.Contents(
        documents=[r.document for r in read],
        references=[x for r in read for x in r.references],
        mentions={r.document.id: r.mentions for r in read},
        problems=[p for r in read for p in r.problems],
        chunks=found,
        chunk_keys=keys,
        chunk_vectors=np.stack([known[k] for k in keys]) if keys else empty,
        sentence_keys=sentence_keys,
        sentence_vectors=np.stack([known[k] for k in flat]) if flat else empty,
    )
    return contents, new, len(texts) - new


def _vectors(
    plan: Plan, encoder: Encoder, texts: Mapping[str, str], live: store.Generation | None
) -> tuple[dict[str, Any], int]:
    """The vectors of these texts by key: of the live generation, of the cache, and the rest embedded; how many were."""
    known: dict[str, Vectors] = {}
    if live is not None and live.manifest.get("encoder", {}).get("fingerprint") == encoder.fingerprint:
        for found in live.vectors_by_key():
            known.update(found)
    cache = VectorCache(plan.vectors, encoder.fingerprint, encoder.dimension)
    known.update(cache.find(k for k in texts if k not in known))
    # Texts of like length share a batch; sorted here, because the encoder sees one stretch after the other.
    new = sorted((k for k in texts if k not in known), key=lambda k: len(texts[k]))
    for begin in range(0, len(new), _KEPT_AT_ONCE):
        some = new[begin : begin + _KEPT_AT_ONCE]

        def report(done: int, begin: int = begin) -> None:
            stop_if_cancelled(plan)
            plan.progress(Progress("embedding", begin + done, len(new)))

        report(0)
        vectors = encoder.encode([texts[k] for k in some], report)
        cache.keep(some, vectors)
        known.update(zip(some, vectors, strict=True))
    cache.shrink()
    return known, len(new)
