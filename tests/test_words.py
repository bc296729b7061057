"""Words: the best chunks by three levels of BM25 are found without looking at every sentence, and are the same."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import IndexDamagedError
from rag.store import postings, words
from rag.store.layout import best_of
from rag.store.postings import Postings, PostingsWriter, summed
from rag.store.words import Levels, Words

SHARES = (0.5, 0.25, 0.25)


def levels(folder: Path, chance: np.random.Generator, documents: int, vocabulary: int) -> Levels:
    """A small collection of documents of chunks of sentences of words by Zipf's law."""
    numbers: dict[str, int] = {}
    folder.mkdir(exist_ok=True)
    writers = [PostingsWriter(numbers, folder) for _ in range(3)]
    document_of, counts = [], []
    for document in range(documents):
        whole: list[str] = []
        for _ in range(chance.integers(1, 6)):
            body: list[str] = []
            counts.append(int(chance.integers(0, 4)))
            for _ in range(counts[-1]):
                found = [str(w) for w in np.minimum(chance.zipf(1.3, int(chance.integers(1, 9))), vocabulary)]
                writers[2].add(found)
                body += found
            writers[1].add(body)
            whole += body
            document_of.append(document)
        writers[0].add(whole)
    for name, writer in zip(("documents", "chunks", "sentences"), writers, strict=True):
        writer.write(folder / name)
        writer.close()
    sizes = (documents, len(document_of), sum(counts))
    return Levels(
        *(
            Postings(folder / name, size)
            for name, size in zip(("documents", "chunks", "sentences"), sizes, strict=True)
        ),
        np.array(document_of, dtype=np.int32),
        np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
    )


def plain(found: Levels, terms: list[int], rows: np.ndarray) -> np.ndarray:
    """The weighted sum of every chunk, every posting added up; 0 outside `rows`."""
    total = np.zeros(found.chunks.size, dtype=np.float32)
    of_sentences = found.sentences.scores(terms)
    bounds = zip(found.first_sentence[:-1], found.first_sentence[1:], strict=True)
    three = (
        found.documents.scores(terms)[found.document_of],
        found.chunks.scores(terms),
        np.array([of_sentences[a:b].max(initial=0) for a, b in bounds], dtype=np.float32),
    )
    for share, scores in zip(SHARES, three, strict=True):
        best = scores[rows].max(initial=0)
        if best > 0:
            total += np.float32(share) * (scores / best)
    outside = np.ones(len(total), dtype=bool)
    outside[rows] = False
    total[outside] = 0
    return total


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    documents=st.integers(1, 60),
    asked=st.integers(1, 7),
    k=st.integers(1, 30),
    kept=st.sampled_from([None, 0.02, 0.5, 1.0]),
)
def test_the_best_chunks_are_those_of_the_plain_sum(
    tmp_path_factory: pytest.TempPathFactory, seed: int, documents: int, asked: int, k: int, kept: float | None
) -> None:
    """Whatever is left out on the way, the best rows and their scores are to the last bit what all postings give."""
    chance = np.random.default_rng(seed)
    found = levels(tmp_path_factory.mktemp("levels"), chance, documents, 40)
    vocabulary = len(found.chunks._starts) - 1
    terms = [int(t) for t in chance.integers(0, vocabulary, asked)] if vocabulary else []
    rows = None if kept is None else np.flatnonzero(chance.random(found.chunks.size) < kept)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "_FEW", int(chance.choice([0, 5, 5_000])))
        patch.setattr(words, "_LARGE", int(chance.choice([0, 10_000])))
        patch.setattr(words, "_TRIED", int(chance.integers(1, 30)))
        patch.setattr(words, "_SAMPLE", int(chance.choice([4, 20, 10_000])))
        own = Words(found, terms, SHARES, rows)
        best = own.best(k)
        scores, _ = own.of(best)
    everything = np.arange(found.chunks.size) if rows is None else rows
    expected = plain(found, terms, everything)
    order = np.lexsort((np.arange(len(expected)), -expected))[:k]
    assert best.tolist() == sorted(int(i) for i in order if expected[i] > 0)
    assert scores.tobytes() == expected[best].tobytes()


def test_looking_up_is_reading(tmp_path: Path) -> None:
    """Scores of single texts, looked up in the postings, are the sums of reading them whole."""
    found = levels(tmp_path, np.random.default_rng(1), 50, 30).chunks
    terms = list(range(12))
    for wanted in (np.array([3]), np.arange(0, found.size, 7), np.arange(found.size)):
        assert summed(found.each(terms, wanted)).tobytes() == found.scores(terms)[wanted].tobytes()


def test_a_common_word_has_a_score_for_every_text(tmp_path: Path) -> None:
    """A word in a quarter of all texts is kept as a row of scores, and says what its postings would have said."""
    texts = [["tide", *(["moon"] if n % 5 == 0 else [])] if n % 2 else ["harbour"] for n in range(40)]
    writer = PostingsWriter({}, tmp_path)
    for text in texts:
        writer.add(text)
    writer.write(tmp_path / "texts")
    writer.close()
    found = Postings(tmp_path / "texts", len(texts))
    tide, moon, harbour = (writer.vocabulary[w] for w in ("tide", "moon", "harbour"))
    assert [found.common(t) for t in (tide, moon, harbour)] == [True, False, True]
    assert [found.frequency(t) for t in (tide, moon, harbour)] == [20, 4, 20]
    assert np.flatnonzero(found.scores([tide])).tolist() == list(range(1, 40, 2))
    assert found.most(tide) == found.scores([tide]).max()


def test_many_postings_are_written_as_few_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is put away in pieces, and sorted a few terms at a time, comes out to the byte as what is held at once."""
    levels(tmp_path / "few", np.random.default_rng(3), 60, 40)
    monkeypatch.setattr(postings, "_TAKEN", 11)
    monkeypatch.setattr(postings, "_SORTED", 7)
    levels(tmp_path / "many", np.random.default_rng(3), 60, 40)
    files = [p.relative_to(tmp_path / "few") for p in (tmp_path / "few").rglob("*.npy")]
    assert len(files) == 3 * 7
    assert all((tmp_path / "few" / f).read_bytes() == (tmp_path / "many" / f).read_bytes() for f in files)


@pytest.mark.parametrize("row", [-1, 40])
def test_a_posting_of_no_text_is_refused(tmp_path: Path, row: int) -> None:
    """Rows that no text has, as a forged index may name, are told as damage and never read or written."""
    writer = PostingsWriter({}, tmp_path)
    for n in range(40):
        writer.add(["rare"] if n == 3 else ["other"])
    writer.write(tmp_path / "texts")
    writer.close()
    np.save(tmp_path / "texts" / "rows.npy", np.array([row], dtype=np.int32))
    with pytest.raises(IndexDamagedError, match="40"):
        Postings(tmp_path / "texts", 40).scores([writer.vocabulary["rare"]])


@pytest.mark.parametrize("counts", [[0, 0], [1, 2, 0, 3], [2, 2], [0, 20, 1], []])
def test_the_best_of_each_stretch(counts: list[int]) -> None:
    """Each stretch tells its highest score, below zero too; an empty one tells zero."""
    scores = np.random.default_rng(4).normal(size=sum(counts)).astype(np.float32) - 1
    places = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    expected = [max(scores[a:b].tolist(), default=0.0) for a, b in pairwise(places.tolist())]
    assert best_of(scores, places).tolist() == expected
