"""A generation of many chunks: how it is built, how soon it opens, what it takes, how quickly and how well it finds.

    nice python benchmarks/index/size.py --count 1000000 --folder /somewhere/with/12-GB [--vectors cache.sqlite]

A million real vectors would take a day to embed here. By default those of SciFact's sentences (../shared) are mixed by
two and blurred: every vector has near ones by construction, which flatters any index. With `--vectors` they are grown
from the real ones of a vector cache (index/.vectors): each stands between one of them and another of its cell, with
noise; the first ones are the real ones themselves, and the questions are real vectors that were left out. Texts are
invented words by Zipf's law in two sentences, every twentieth document Chinese; a question is five words of one,
most of them in half of all chunks. A second set (`natural`) has as many words as questions of SQuAD, each in the share
of chunks in which theirs is of SQuAD's passages. Recall is against all vectors compared. Whole retrieval is
`rag.retrieve.search` with the question's vector given. Prints JSON.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast, overload

import faiss
import numpy as np

from rag import encoder, store
from rag.encoder import Encoder
from rag.lexical import question_terms, terms
from rag.retrieve import search
from rag.store.vectors import choose
from rag.types import Chunk, Document, Span

ROOT = Path(__file__).parents[2]
SENTENCES = ROOT / "benchmarks" / "index" / ".sentences.npy"
DIMENSION, WORDS, VOCABULARY, PER_DOCUMENT, QUESTIONS = 384, 60, 200_000, 1000, 200


class Chunks(Sequence[Chunk]):
    """So many chunks of invented text, made when asked for."""

    def __init__(self, count: int) -> None:
        chance = np.random.default_rng(3)
        self.total = count
        letters = "bcdfghjklmnprstvz"
        vowels = "aeiou"
        self.words = [
            "".join(
                letters[(n * p) % 17] + vowels[(n // p) % 5] for p in (1, 7, 53, 401)[: 2 + (n > 500) + (n > 20_000)]
            )
            + str(n % 10) * (n > 40_000)
            for n in range(VOCABULARY)
        ]
        self.ids = np.minimum(chance.zipf(1.2, size=(count, WORDS)) - 1, VOCABULARY - 1).astype(np.int32)

    def __len__(self) -> int:
        return self.total

    @overload
    def __getitem__(self, row: int) -> Chunk: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[Chunk]: ...
    def __getitem__(self, row: int | slice) -> Chunk | Sequence[Chunk]:
        """One chunk, or some."""
        if isinstance(row, slice):
            return [self[r] for r in range(*row.indices(self.total))]
        if not 0 <= row < self.total:
            raise IndexError(row)
        document = row // PER_DOCUMENT
        if document % 20 == 19:
            text = "".join(chr(0x4E00 + int(i) % 3000) for i in self.ids[row])
        else:
            text = " ".join(self.words[i] for i in self.ids[row])
        start = row % PER_DOCUMENT * 1000
        middle, end = start + len(text) // 2, start + len(text)
        halves = (Span(start, middle), Span(middle, end))
        return Chunk(f"d{document}:{row}", f"d{document}", "text", start, end, text, None, None, WORDS, halves)


class Made:
    """Unit vectors, shape (count, 384), made when asked for: `store.Embedded` holds whatever gives slices."""

    def __init__(self, count: int, seed: int, cache: Path | None) -> None:
        self.shape = (count, DIMENSION)
        self._seed, self._grown = seed, cache is not None
        self._real = real(cache)
        if cache is not None:
            cells = 512
            means = faiss.Kmeans(DIMENSION, cells, niter=5, spherical=True, max_points_per_centroid=64, seed=1)
            means.train(self._real)
            self._cell = means.index.search(self._real, 1)[1][:, 0]
            self._order = np.argsort(self._cell, kind="stable")
            self._first = np.searchsorted(self._cell[self._order], np.arange(cells + 1))

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """These rows, whoever asks and how often."""
        wanted = np.arange(self.shape[0])[rows] if isinstance(rows, slice) else rows
        found = np.empty((len(wanted), DIMENSION), dtype=np.float32)
        # Blocks, so that a row is the same however it is asked for.
        for block in np.unique(wanted // 1000):
            here = np.flatnonzero(wanted // 1000 == block)
            found[here] = self._block(int(block))[wanted[here] % 1000]
        return found

    def _block(self, block: int) -> np.ndarray:
        chance = np.random.default_rng([self._seed, block])
        numbers = np.arange(block * 1000, (block + 1) * 1000)
        if not self._grown:
            a, b = (self._real[chance.integers(0, len(self._real), 1000)] for _ in range(2))
            made = a + 0.6 * b + 0.02 * chance.normal(size=a.shape).astype(np.float32)
        else:
            one = numbers % len(self._real)
            cell = self._cell[one]
            size = self._first[cell + 1] - self._first[cell]
            other = self._order[self._first[cell] + (chance.random(1000) * size).astype(int)]
            share = chance.uniform(0.15, 0.5, (1000, 1)).astype(np.float32) * (numbers >= len(self._real))[:, None]
            noise = 0.012 * chance.standard_normal((1000, DIMENSION), dtype=np.float32)
            made = self._real[one] * (1 - share) + self._real[other] * share + noise * (share > 0)
        unit: np.ndarray = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)
        return unit


def real(cache: Path | None) -> np.ndarray:
    """Real vectors without those that are the questions."""
    if cache is None:
        return cast("np.ndarray", np.load(SENTENCES))
    return _cached(cache)[QUESTIONS:]


def questions_of(cache: Path | None) -> np.ndarray:
    """The vectors asked for."""
    return Made(QUESTIONS, 99, None)[:] if cache is None else _cached(cache)[:QUESTIONS]


def _cached(cache: Path) -> np.ndarray:
    with closing(sqlite3.connect(f"file:{cache}?mode=ro", uri=True)) as connection:
        raw = b"".join(v for (v,) in connection.execute("SELECT vector FROM vectors ORDER BY key"))
    return np.frombuffer(raw, dtype=np.float32).reshape(-1, DIMENSION)


def real_sentences() -> None:
    """Embed SciFact's sentences once."""
    if SENTENCES.exists():
        return
    model = encoder.load("all-MiniLM-L6-v2", 1, ROOT / "index" / ".models")
    texts = []
    with (ROOT.parent / "shared/data/scifact/corpus.jsonl").open(encoding="utf-8") as file:
        for line in file:
            texts += json.loads(line)["sentences"][:2]
            if len(texts) >= 6000:
                break
    np.save(SENTENCES, model.encode(texts))


def build(count: int, folder: Path, memory: int, cache: Path | None) -> dict[str, Any]:
    """Write the generation; seconds and bytes."""
    real_sentences()
    chunks = Chunks(count)
    documents = [
        Document(f"d{n}", "", f"Document {n}", language="zh" if n % 20 == 19 else "en", source=f"d{n}.txt")
        for n in range(-(-count // PER_DOCUMENT))
    ]
    embedded = store.Embedded(
        chunk_keys=np.array([hashlib.sha256(str(n).encode()).digest() for n in range(count)], dtype="S32"),
        chunk_vectors=Made(count, 1, cache),
        sentence_keys=np.array([hashlib.sha256(f"s{n}".encode()).digest() for n in range(2 * count)], dtype="S32"),
        sentence_vectors=Made(2 * count, 2, None),
    )
    started = time.perf_counter()
    about = {"encoder": {"name": "mixed", "fingerprint": "mixed", "dimension": DIMENSION}}
    with store.Writer(folder) as writer:
        for n, document in enumerate(documents):
            writer.add(document, chunks[n * PER_DOCUMENT : (n + 1) * PER_DOCUMENT])
        written = writer.finish(
            about, embedded, memory=memory, progress=lambda n: print(f"{n} indexed", file=sys.stderr, flush=True)
        )
    seconds = time.perf_counter() - started
    generation = store.publish(folder, written)
    files = {p.name: p.stat().st_size for p in (folder / generation).rglob("*") if p.is_file()}
    return {"kind": choose(count, DIMENSION, memory).name, "build_s": round(seconds, 1), "bytes": files}


def natural(chunks: Chunks) -> list[str]:
    """Questions of invented words that stand in the share of chunks in which those of SQuAD's stand in its passages."""
    told = json.loads((ROOT.parent / "shared/data/squad2_half/dev-v2.0.json").read_text(encoding="utf-8"))
    paragraphs = [paragraph for article in told["data"] for paragraph in article["paragraphs"]]
    passages = Counter(term for p in paragraphs for term in set(terms(p["context"])))
    chance = np.random.default_rng(11)
    asked = chance.choice([q["question"] for p in paragraphs for q in p["qas"]], QUESTIONS, replace=False)
    sample = chunks.ids[chance.choice(len(chunks), min(len(chunks), 20_000), replace=False)]
    held = np.bincount(np.concatenate([np.unique(own) for own in sample]), minlength=VOCABULARY) / len(sample)
    order = np.argsort(held, kind="stable")
    found = []
    for question in asked:
        shares = [passages[term] / len(paragraphs) for term in question_terms(str(question), ["en"])]
        places = np.searchsorted(held[order], shares) + chance.integers(-2, 3, len(shares))
        found.append(" ".join(chunks.words[order[min(max(int(n), 0), VOCABULARY - 1)]] for n in places))
    return found


def measure(count: int, folder: Path, cache: Path | None) -> dict[str, Any]:
    """In a fresh process: opening with and without checking every byte, memory, recall, milliseconds."""
    real_sentences()
    faiss.omp_set_num_threads(1)
    name = store.current(folder) or ""
    before = _memory()
    started = time.perf_counter()
    manifest, digest = store.verify(folder, name, every_byte=False)
    checked = time.perf_counter() - started
    started = time.perf_counter()
    opened = store.Generation(folder, name, manifest, digest)
    first = np.full(DIMENSION, DIMENSION**-0.5, dtype=np.float32)
    search(opened, cast("Encoder", _Stub()), "the first question", vector=first)
    opening = time.perf_counter() - started
    ready = time.time() - _began()
    questions = questions_of(cache)
    chunks = Chunks(count)
    chance = np.random.default_rng(5)
    texts = [
        " ".join(chunks[int(row)].text.split()[:5])
        if int(row) // PER_DOCUMENT % 20 != 19
        else chunks[int(row)].text[:12]
        for row in chance.integers(0, count, QUESTIONS)
    ]
    likely = natural(chunks)
    del chunks
    base = _memory()
    found, took = [], []
    for question in questions:
        opened.dense(question, 10)
    for question in questions:
        started = time.perf_counter()
        found.append([row for row, _ in opened.dense(question, 10)])
        took.append((time.perf_counter() - started) * 1000)
    wide = []
    for question in questions:
        started = time.perf_counter()
        opened.dense(question, 300)
        wide.append((time.perf_counter() - started) * 1000)
    hybrid, lexical = _asked(opened, questions, texts)
    hybrid_natural, lexical_natural = _asked(opened, questions, likely)
    resident = _memory()
    truth = _exact(folder / name, questions, count, opened)
    recall = sum(len(set(f) & set(t)) for f, t in zip(found, truth, strict=True)) / (10 * QUESTIONS)
    return {
        "ready_s": round(ready, 2),
        "verify_s": round(checked, 2),
        "open_s": round(opening, 3),
        "recall_at_10": round(recall, 4),
        "vector_p50_ms": round(statistics.median(took), 3),
        "vector_300_p50_ms": round(statistics.median(wide), 3),
        "zipf": {"words": _spread(lexical), "hybrid": _spread(hybrid)},
        "natural": {"words": _spread(lexical_natural), "hybrid": _spread(hybrid_natural)},
        "memory_mb": {"start": before, "open": base, "after": resident},
        "load": os.getloadavg()[0],
    }


def _asked(opened: store.Generation, vectors: np.ndarray, texts: Sequence[str]) -> tuple[list[float], list[float]]:
    """Milliseconds of each question: whole retrieval, and the words alone."""
    hybrid, lexical = [], []
    for vector, text in zip(vectors, texts, strict=True):
        started = time.perf_counter()
        search(opened, cast("Encoder", _Stub()), text, vector=vector)
        hybrid.append((time.perf_counter() - started) * 1000)
    for text in texts:
        started = time.perf_counter()
        opened.words(question_terms(text, opened.languages), (0.5, 0.25, 0.25)).best(300)
        lexical.append((time.perf_counter() - started) * 1000)
    return hybrid, lexical


def _spread(took: list[float]) -> dict[str, float]:
    return {"p50_ms": round(statistics.median(took), 2), "p95_ms": round(statistics.quantiles(took, n=20)[18], 2)}


def _began() -> float:
    """When this process started, in seconds of the clock."""
    stat = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    boot = time.time() - float(Path("/proc/uptime").read_text(encoding="utf-8").split()[0])
    return boot + int(stat[19]) / os.sysconf("SC_CLK_TCK")


class _Stub:
    name, fingerprint, scale, multilingual = "mixed", "mixed", (0.0, 1.0), False


def _exact(folder: Path, questions: np.ndarray, count: int, opened: store.Generation) -> list[list[int]]:
    """The ten nearest of each question, every vector compared, read in parts."""
    best: list[list[tuple[float, int]]] = [[] for _ in questions]
    for begin in range(0, count, 100_000):
        rows = np.arange(begin, min(begin + 100_000, count))
        file = folder / "chunks.npy"
        some = np.load(file, mmap_mode="r")[rows[0] : rows[-1] + 1] if file.exists() else opened._chunks.of(rows)  # noqa: SLF001
        scores = questions @ np.asarray(some).T
        top = np.argpartition(-scores, 10, axis=1)[:, :10]
        for n, own in enumerate(top):
            best[n] = sorted([*best[n], *((float(scores[n, i]), int(rows[i])) for i in own)], reverse=True)[:10]
    return [[row for _, row in own] for own in best]


def _memory() -> dict[str, float]:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return {k: round(int(status.split(f"{k}:")[1].split()[0]) / 1024, 1) for k in ("VmRSS", "RssAnon")}


def main() -> None:
    """Build where nothing is built yet, measure in a fresh process, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--memory-mb", type=int, default=1024)
    parser.add_argument("--vectors", type=Path, help="a vector cache, of which real vectors are taken")
    parser.add_argument("--threads", type=int, default=1, help="for building")
    parser.add_argument("--measure", action="store_true", help="only measure what is there")
    parser.add_argument("--clean", action="store_true", help="delete the folder afterwards")
    arguments = parser.parse_args()
    folder = arguments.folder / f"size-{arguments.count}-{arguments.memory_mb}"
    if arguments.measure:
        print(json.dumps(measure(arguments.count, folder, arguments.vectors)))
        return
    faiss.omp_set_num_threads(arguments.threads)
    cache = arguments.vectors
    built = build(arguments.count, folder, arguments.memory_mb << 20, cache) if store.current(folder) is None else {}
    command = [sys.executable, __file__, *sys.argv[1:], "--measure"]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603
    print(json.dumps({"count": arguments.count, **built, **told}, indent=1))
    if arguments.clean:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
