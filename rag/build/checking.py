"""The self-check of a new generation, before it may go live."""

from __future__ import annotations

from collections.abc import Iterable

from rag import store
from rag.build.plan import Plan, stop_if_cancelled
from rag.errors import IndexDamagedError
from rag.types import Chunk, Document, Passage, Progress

_PROBES = 16


def check(plan: Plan, generation: str, chunks: int, vectors: store.Rowwise) -> store.Generation:
    """Open what was written and see that it holds: files, counts, offsets, and that probes find themselves.

    `chunks` were written, with these vectors. Returns it open. Raises IndexDamagedError.
    """
    opened = store.Generation.open(plan.index, generation, every_byte=True)
    if opened.size != chunks:
        raise IndexDamagedError(f"the new index holds {opened.size} chunks, {chunks} were written")
    probes = range(0, chunks, max(1, chunks // _PROBES))
    for done, (row, passage) in enumerate(zip(probes, opened.passages(probes), strict=True)):
        stop_if_cancelled(plan)
        check_offsets(opened.document(passage.document_id), [passage])
        vector = vectors[row : row + 1][0]
        own = float(opened.dense_of(vector, [row])[0])
        best = opened.dense(vector, 1)
        if not best or best[0][1] > own + 1e-4:
            raise IndexDamagedError(f"chunk {passage.id!r} is not found by its own vector")
        plan.progress(Progress("checking", done + 1, len(probes)))
    return opened


def check_offsets(document: Document, chunks: Iterable[Chunk | Passage]) -> None:
    """See that each chunk is the text at its place. Raises IndexDamagedError."""
    for chunk in chunks:
        if document.text[chunk.start : chunk.end] != chunk.text:
            raise IndexDamagedError(f"chunk {chunk.id!r} is not the text at its offsets")
