"""Vector indexes of every kind: chosen by number and memory, exact in what they return, refused when not themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rag.errors import IndexDamagedError
from rag.store import rows, vectors
from rag.store.vectors import KINDS, Kind, VectorIndex, choose, write_vectors

COUNT, DIMENSION = 4000, 64


@pytest.fixture(scope="module")
def made() -> np.ndarray:
    """Unit vectors in a hundred loose clusters."""
    chance = np.random.default_rng(4)
    found = chance.normal(size=(100, DIMENSION))[chance.integers(0, 100, COUNT)] + chance.normal(
        size=(COUNT, DIMENSION)
    )
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS, ids=[k.name for k in KINDS])
def test_every_kind_finds_the_nearest_with_exact_scores(made: np.ndarray, tmp_path: Path, kind: Kind) -> None:
    """At least 97 of 100 true neighbours are found; scores are the inner products themselves, best first."""
    write_vectors(tmp_path, "chunks", made, kind)
    index = VectorIndex(tmp_path, "chunks", kind.name, DIMENSION, COUNT)
    hits = 0
    for row in range(0, COUNT, 80):
        found = index.search(made[row], 10)
        exact = made @ made[row]
        assert found[0][0] == row
        assert [s for _, s in found] == sorted((s for _, s in found), reverse=True)
        assert np.allclose([exact[r] for r, _ in found], [s for _, s in found], atol=1e-5)
        hits += len({r for r, _ in found} & set(np.argsort(-exact)[:10].tolist()))
    assert hits >= 0.97 * 10 * COUNT / 80
    assert np.allclose(index.of([5, 3]), made[[5, 3]])
    assert np.allclose(index.of(np.arange(COUNT)), made)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS, ids=[k.name for k in KINDS])
@pytest.mark.parametrize("step", [1000, 50, 2])
def test_a_filter_costs_no_recall(made: np.ndarray, tmp_path: Path, kind: Kind, step: int) -> None:
    """However few rows a filter leaves, only those are found, and nearly all of their nearest."""
    write_vectors(tmp_path, "chunks", made, kind)
    index = VectorIndex(tmp_path, "chunks", kind.name, DIMENSION, COUNT)
    left = np.arange(0, COUNT, step)
    hits = wanted = 0
    for row in range(0, COUNT, 400):
        found = [r for r, _ in index.search(made[row], 10, left)]
        assert all(r % step == 0 for r in found)
        truth = left[np.argsort(-(made[left] @ made[row]))[:10]].tolist()
        hits, wanted = hits + len(set(found) & set(truth)), wanted + len(truth)
    assert hits >= 0.93 * wanted


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS, ids=[k.name for k in KINDS])
def test_a_row_that_is_not_there_is_damage(made: np.ndarray, tmp_path: Path, kind: Kind) -> None:
    """Rows named by a forged file are refused before anything is read at their place."""
    write_vectors(tmp_path, "chunks", made, kind)
    index = VectorIndex(tmp_path, "chunks", kind.name, DIMENSION, COUNT)
    for row in (-1, COUNT, 2**40):
        with pytest.raises(IndexDamagedError):
            index.of([0, row])


def test_the_kind_follows_from_number_and_memory() -> None:
    """Few are compared one by one; many, and those for which memory is short, stand in lists."""
    assert choose(0, 384, 1).name == "flat"
    assert choose(1000, 384, 1).name == "flat"
    assert choose(50_000, 384, 1 << 30).name == "flat"
    assert choose(50_000, 384, 50 << 20).name == "lists"
    assert choose(50_001, 384, 1 << 30).name == "lists"
    assert choose(10_000_000, 384, 1 << 30).name == "lists"


@pytest.mark.parametrize("damage", [b"IHNp", b"IxPo", b"\xff\xff\xff\xff", b""])
def test_a_file_of_another_kind_is_refused_before_faiss_reads_it(
    made: np.ndarray, tmp_path: Path, damage: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAISS believes its files, so what does not begin as we write it never gets there; nor does a wrong size."""
    write_vectors(tmp_path, "chunks", made, KINDS[0])
    path = tmp_path / "chunks.faiss"
    whole = path.read_bytes()
    monkeypatch.setattr(vectors.faiss, "read_index", lambda *_: pytest.fail("it was read"))
    for content in (damage + whole[4:] if damage else b"", whole[:200]):
        path.write_bytes(content)
        with pytest.raises(IndexDamagedError, match=r"chunks\.faiss"):
            VectorIndex(tmp_path, "chunks", "flat", DIMENSION, COUNT)
    path.write_bytes(whole)
    for dimension, count in ((DIMENSION + 1, COUNT), (DIMENSION, COUNT + 1)):
        with pytest.raises(IndexDamagedError):
            VectorIndex(tmp_path, "chunks", "flat", dimension, count)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells what is mapped")
def test_a_large_file_that_is_read_by_rows_does_not_stay_mapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many rows are asked for, little of the file stays mapped, and the rows are those that were written."""
    monkeypatch.setattr(rows, "_KEPT_IN_SIGHT", 4 << 20)
    written = np.random.default_rng(2).standard_normal((60_000, 256), dtype=np.float32)
    rows.write_rows(tmp_path, "some", written)
    stored = rows.StoredVectors(tmp_path, "some", *written.shape)
    before, most = rows._mapped(), 0
    assert before is not None
    for begin in range(0, len(written), 3000):
        wanted = np.arange(begin, begin + 3000, 3)
        assert (stored.of(wanted) == written[wanted]).all()
        most = max(most, (rows._mapped() or 0) - before)
    assert most < written.nbytes / 2
