"""The self-check of a new generation, before it may go live."""

from __future__ import annotations

from rag import store
from rag.build.plan import Plan, stop_if_cancelled
from rag.errors import IndexDamagedError
from rag.types import Progress

_PROBES = 16


def check(plan: Plan, generation: str, contents: store.Contents) -> store.Generation:
    """Open what was written and see that it holds: files, counts, offsets, and that probes find themselves.

    Returns it open. Raises IndexDamagedError.
    """
    opened = store.Generation.open(plan.index, generation, every_byte=True)
    if opened.size != len(contents.chunks):
        raise IndexDamagedError(f"the new index holds {opened.size} chunks, {len(contents.chunks)} were written")
    texts = {d.id: d.text for d in contents.documents}
    for chunk in contents.chunks:
        if texts[chunk.document_id][chunk.start : chunk.end] != chunk.text:
            raise IndexDamagedError(f"chunk {chunk.id!r} is not the text at its offsets")
    step = max(1, len(contents.chunks) // _PROBES)
    probes = range(0, len(contents.chunks), step)
    for done, row in enumerate(probes):
        stop_if_cancelled(plan)
        vector = contents.chunk_vectors[row : row + 1][0]
        own = float(opened.dense_of(vector, [row])[0])
        best = opened.dense(vector, 1)
        if not best or best[0][1] > own + 1e-4:
            raise IndexDamagedError(f"chunk {contents.chunks[row].id!r} is not found by its own vector")
        plan.progress(Progress("checking", done + 1, len(probes)))
    return opened
