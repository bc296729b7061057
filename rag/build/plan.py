"""What a build is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.encoder import Encoder, SparseEncoder
from rag.errors import CancelledError
from rag.store import Generation
from rag.types import Progress


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build needs to know, besides the sources."""

    corpus: Path
    """The collection's folder of sources."""
    index: Path
    """The collection's folder of generations."""
    load_encoder: Callable[[], Encoder]
    """Called only when something must be embedded or compared."""
    encoder_fingerprint: str
    load_sparse: Callable[[], SparseEncoder | None] = lambda: None
    """What weighs the terms of chunks; None for an index without learned terms."""
    sparse_fingerprint: str | None = None
    follow_links: bool = False
    """Whether a link in the folder of sources may lead out of it."""
    chunk_tokens: int = 200
    keep_generations: int = 3
    vectors: Path | None = None
    """Where vectors are kept for later builds of any collection; None keeps none but the live generation's."""
    vector_memory: int = 1 << 30
    """Bytes that the vector index may take in memory; what is larger is indexed in a smaller form."""
    workers: int = 1
    """How many batches are embedded at once."""
    accepted: Callable[[Generation], None] = lambda _: None
    """Asked before a generation goes live; raises IndexRejectedError to keep it from doing so."""
    progress: Callable[[Progress], None] = lambda _: None
    cancelled: Callable[[], bool] = lambda: False

    @property
    def root(self) -> Path | None:
        """The folder that no source may lie out of; None when they may lie anywhere."""
        return None if self.follow_links else self.corpus


@dataclass(frozen=True, slots=True)
class Incoming:
    """A source that is to come into the collection."""

    name: str
    """As somebody gave it; only its last part is used."""
    content: Path | bytes
    """The file, or its bytes. A file is read in place and copied, never moved."""
    reference: str | None = None
    """The bibliography entry that it is; "" when it is none, None to find out."""
    origin: Mapping[str, Any] = field(default_factory=dict)
    """Where it was fetched from and when (see corpus/README.md); empty for a file."""


def stop_if_cancelled(plan: Plan) -> None:
    """Raise CancelledError when whoever started the build has asked it to stop."""
    if plan.cancelled():
        raise CancelledError("the rebuild was stopped; the index is as it was before")
