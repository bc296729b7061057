"""A build embeds on all cores, and nobody can tell from the index."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rag import build, encoder, store
from rag.errors import CancelledError
from rag.types import Document, Progress

ROOT = Path(__file__).parent.parent


def plan(folder: Path, workers: int, seen: list[Progress], stop_at: int = 10**9) -> build.Plan:
    """A build by the packaged models that is stopped once so many texts are embedded."""
    model, weigher = encoder.load("all-MiniLM-L6-v2", 1, ROOT / "index" / ".models"), encoder.load_sparse(1)
    return build.Plan(
        corpus=folder / "c",
        index=folder / "index",
        load_encoder=lambda: model,
        encoder_fingerprint=model.fingerprint,
        load_sparse=lambda: weigher,
        sparse_fingerprint=weigher.fingerprint,
        vectors=folder / "vectors",
        workers=workers,
        progress=seen.append,
        cancelled=lambda: any(p.stage == "embedding" and p.done >= stop_at for p in seen),
    )


def lamps(documents: int) -> list[Document]:
    """Documents of sentences that are all different."""
    return [
        Document(f"d{n}", " ".join(f"Lamp {n * 100 + m} burns oil on pier {m}." for m in range(60)), f"Lamps {n}")
        for n in range(documents)
    ]


def test_many_workers_give_what_one_gives(tmp_path: Path) -> None:
    """Every vector, dense and sparse, is the same whether one worker or three embed; progress only goes forward."""
    made = []
    for workers in (1, 3):
        folder, seen = tmp_path / str(workers), list[Progress]()
        build.index(plan(folder, workers, seen), lamps(5))
        generation = store.Generation.open(folder / "index", every_byte=True)
        rows = range(generation.size)
        made.append((generation.vectors_of(rows), generation.sparse_of(rows)))
        done = [p.done for p in seen if p.stage == "embedding"]
        assert done[0] == 0
        assert max(done) > 64
    assert np.allclose(made[0][0], made[1][0], atol=1e-6)
    assert np.array_equal(made[0][1], made[1][1])


def test_a_build_on_many_workers_stops_when_asked_and_goes_on_where_it_was(tmp_path: Path) -> None:
    """Cancelled in the middle, nothing is published; what was embedded by then is not embedded again."""
    seen = list[Progress]()
    with pytest.raises(CancelledError):
        build.index(plan(tmp_path, 3, seen, stop_at=256), lamps(8))
    assert store.current(tmp_path / "index") is None
    report = build.index(plan(tmp_path, 3, []), lamps(8))
    assert report.reused > 0
    assert report.embedded > 0
