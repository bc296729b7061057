"""A generation: whole or refused, found by its own words, read without surprises."""

from __future__ import annotations

import gc
import json
import random
import re
import shutil
import weakref
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag import lexical, store
from rag.errors import IndexDamagedError, IndexMissingError, NotFoundError
from rag.store import Generation
from rag.workspace import Workspace


@pytest.fixture
def built(fresh: Workspace) -> Path:
    """The index folder of a small collection with one generation."""
    fresh.rebuild()
    return fresh.settings.index / "c"


def test_any_flipped_or_cut_file_is_named_before_it_is_read(built: Path, tmp_path: Path) -> None:
    """A byte changed or cut anywhere in any file of a generation is noticed on opening, and the file is named."""
    generation = store.current(built) or ""
    files = [p.relative_to(built / generation) for p in (built / generation).rglob("*") if p.is_file()]
    assert len(files) >= 5
    chance = random.Random(7)  # noqa: S311  (no secret)
    copy = tmp_path / "copy"
    shutil.copytree(built, copy)
    for file in files:
        path = copy / generation / file
        whole = path.read_bytes()
        every = range(len(whole)) if file.name == store.MANIFEST else chance.sample(range(len(whole)), 12)
        damages = [whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1 :] for at in every]
        damages += [whole[:-1], whole[: len(whole) // 2], b"", whole + b"\0", None]
        for damaged in damages:
            path.unlink(missing_ok=True)
            if damaged is not None:
                path.write_bytes(damaged)
            with pytest.raises(IndexDamagedError, match=re.escape(file.name.removesuffix(".json"))):
                store.verify(copy, generation)
        path.write_bytes(whole)
    assert Generation.open(copy).state == replace(Generation.open(built).state, collection="copy")


def test_without_a_manifest_there_is_no_generation(built: Path) -> None:
    """A folder whose manifest was never written is neither listed nor opened."""
    generation = store.current(built) or ""
    (built / generation / store.MANIFEST).unlink()
    assert store.generations(built) == []
    with pytest.raises(IndexDamagedError):
        Generation.open(built)


def test_nothing_built_says_how_to_build(tmp_path: Path) -> None:
    """A collection that was never built is told apart from a damaged one."""
    with pytest.raises(IndexMissingError, match="adfontes rebuild"):
        Generation.open(tmp_path)


def test_the_manifest_tells_where_everything_came_from(built: Path) -> None:
    """Encoder with its hash, settings, source hashes, counts and a SHA-256 of every file stand in the manifest."""
    manifest = json.loads((built / (store.current(built) or "") / store.MANIFEST).read_text())
    assert len(manifest["encoder"]["fingerprint"]) == 64
    assert manifest["settings"]["chunk_tokens"] == 200
    assert len(manifest["sources"]["tides.md"]) == 64
    assert manifest["counts"]["documents"] == 1
    assert set(manifest["files"]) >= {"chunks.faiss", "sentences.npy", "store.sqlite"}


def test_filters_and_scores_agree_with_arithmetic(digest: Generation) -> None:
    """Dense scores are exact inner products, and a filtered search returns only what the filter leaves."""
    vector = np.zeros(384, dtype=np.float32)
    vector[3] = 1
    everything = digest.dense(vector, digest.size)
    assert len(everything) == digest.size
    rows = [row for row, _ in everything]
    assert np.allclose([score for _, score in everything], digest.dense_of(vector, rows))
    entries = digest.rows(kinds=["reference"])
    assert {row for row, _ in digest.dense(vector, 500, entries)} == set(map(int, entries))
    assert {p.kind for p in digest.passages(list(map(int, entries)))} == {"reference"}


def test_what_is_not_there_is_named(digest: Generation) -> None:
    """Unknown documents, references and passages raise with their name."""
    for find in (digest.document, digest.reference, digest.passage):
        with pytest.raises(NotFoundError, match="no-such"):
            find("no-such")


def test_lexical_scores_agree_with_the_formula(digest: Generation) -> None:
    """BM25 of every chunk is what Robertson and Zaragoza's formula says, worked out from the stored text."""
    passages = digest.passages(range(digest.size))
    titles = digest.titles({p.document_id for p in passages})
    texts = [p.text if p.kind != "text" else f"{titles[p.document_id]}\n{p.section or ''}\n{p.text}" for p in passages]
    (language,) = digest.languages
    bags = [Counter(lexical.terms(t, language)) for t in texts]
    average = sum(sum(b.values()) for b in bags) / len(bags)
    wanted = lexical.terms("How many users of generative AI were there in China, zxqv?", language)
    expected = np.zeros(len(bags))
    for term in wanted:
        n = sum(term in b for b in bags)
        idf = np.log1p((len(bags) - n + 0.5) / (n + 0.5))
        assert digest.idf(term) == pytest.approx(idf)
        for row, bag in enumerate(bags):
            tf = bag[term]
            expected[row] += idf * tf / (tf + 0.9 * (0.6 + 0.4 * sum(bag.values()) / average))
    assert np.allclose(digest.lexical(wanted), expected, atol=1e-5)
    assert expected.max() > 1


def test_a_chunk_counts_with_its_best_sentence(digest: Generation) -> None:
    """The best cosine and the best BM25 of a chunk's sentences are those of its own sentences, row by row."""
    vector = np.zeros(384, dtype=np.float32)
    vector[5] = 1
    rows = list(range(digest.size))
    passages = digest.passages(rows)
    expected = [float((digest.sentence_vectors(p.id) @ vector).max()) for p in passages]
    assert np.allclose(digest.sentence_of(vector, rows), expected, atol=1e-6)
    terms = lexical.terms("unicorns", digest.documents()[0].language)
    found = digest.lexical_of_sentences(terms)
    assert {p.id for p, score in zip(passages, found, strict=True) if score > 0} == {
        p.id for p in passages if set(terms) & set(lexical.terms(p.text, "en"))
    }
    assert (digest.lexical_of_documents(terms) > 0).all()


def test_a_generation_nobody_holds_closes_its_files(built: Path) -> None:
    """After a swap the old generation's files are closed as soon as the last request lets go, without a collection."""
    opened = Generation.open(built)
    with ThreadPoolExecutor(3) as threads:  # each thread has a connection of its own
        assert all(idf > 0 for idf in threads.map(opened.idf, ["turbine"] * 9))
    assert opened.idf("turbine") > 0
    gone, store = weakref.ref(opened), opened.folder / "store.sqlite"
    gc.disable()
    try:
        del opened
        assert gone() is None
        if Path("/proc/self/fd").is_dir():
            assert store not in {fd.readlink() for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink()}
    finally:
        gc.enable()
