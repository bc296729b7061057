"""What a rebuild costs: all of a collection, one document of it changed, one removed, nothing.

    nice python benchmarks/index/building.py --chunks 1000 10000
    python benchmarks/index/building.py --throughput 300

Prose is invented. The encoder is a stand-in that costs nothing (vectors drawn from the text's hash), so that what is
measured is everything else; the real one is measured on a sample in the same run, and `full_s` adds what it would take
for all texts. `changed_s` adds what it takes for the texts that were new. `memory_mb` is the most that the process had
of its own during the full build and the one after the change, beyond what it had before. Prints JSON, one line a size.

`--throughput` builds with the real models, then has them encode the same texts and do nothing else, in two ways: all
cores on one batch, and a batch on each core.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from rag import build, encoder, store
from rag import chunks as chunks_of
from rag.encoder.base import Vectors
from rag.settings import Settings
from rag.types import BuildReport
from rag.workspace import Workspace

ROOT = Path(__file__).parents[2]
CHUNKS_PER_DOCUMENT = 100


class StandIn:
    """An encoder that costs nothing: equal texts have equal vectors, and that is all."""

    name, fingerprint, dimension, max_tokens, multilingual = "stand-in", "f" * 64, 384, 256, False
    scale = (0.0, 1.0)

    def count_tokens(self, text: str) -> int:
        """Words, roughly."""
        return text.count(" ") + 3

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """A unit vector for each text, drawn from its hash."""
        made = np.empty((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(made, texts, strict=True):
            seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
            row[:] = np.random.default_rng(seed).standard_normal(self.dimension, dtype=np.float32)
            np.divide(row, np.linalg.norm(row), out=row)
        if progress is not None:
            progress(len(texts))
        return made

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """The same."""
        return self.encode(texts)

    def encode_question(self, text: str) -> Vectors:
        """The same, of one."""
        vector: Vectors = self.encode([text])[0]
        return vector


def prose(chance: random.Random, chunks: int) -> str:
    """About so many chunks of 200 tokens, in sections of paragraphs."""
    words = [
        f"{a}{b}{c}" for a in ("ba", "dor", "fi", "gul") for b in ("", "ne", "ra", "sto") for c in ("m", "ts", "l")
    ]
    lines = ["# " + " ".join(chance.choices(words, k=3))]
    for n in range(chunks):
        if n % 5 == 0:
            lines.append("## " + " ".join(chance.choices(words, k=2)))
        lines.append(" ".join(" ".join(chance.choices(words, k=13)).capitalize() + "." for _ in range(4)))
    return "\n\n".join(lines) + "\n"


def sources(corpus: Path, chunks: int) -> None:
    """A folder of documents of about so many chunks in all."""
    chance = random.Random(chunks)  # noqa: S311
    corpus.mkdir(parents=True)
    for n in range(max(1, chunks // CHUNKS_PER_DOCUMENT)):
        (corpus / f"d{n}.md").write_text(prose(chance, min(chunks, CHUNKS_PER_DOCUMENT)), encoding="utf-8")


def measure(chunks: int, folder: Path) -> dict[str, Any]:
    """Build, change, remove, do nothing; seconds of each."""
    corpus = folder / "corpus"
    sources(corpus, chunks)
    stand_in = StandIn()
    plan = build.Plan(
        corpus=corpus, index=folder / "index", load_encoder=lambda: stand_in, encoder_fingerprint=stand_in.fingerprint
    )

    def timed(work: Callable[[], BuildReport]) -> tuple[float, BuildReport]:
        started = time.perf_counter()
        report = work()
        return time.perf_counter() - started, report

    with growth() as full_mb:
        full, first = timed(lambda: build.rebuild(plan))
    with (corpus / "d0.md").open("a", encoding="utf-8") as file:
        file.write("\nOne new sentence stands at the end of this document.\n")
    with growth() as changed_mb:
        changed, second = timed(lambda: build.rebuild(plan))
    unchanged, third = timed(lambda: build.rebuild(plan))
    assert third.unchanged
    removed, _ = timed(lambda: build.remove(plan, "d0"))
    texts = [c.text for c in store.Generation.open(plan.index).passages(range(16))]
    sentences = [s for t in texts for s in t.split(". ")]
    seconds = real(texts), real(sentences)
    chunk_texts = first.chunks
    sentence_texts = first.embedded - first.chunks
    embedding = chunk_texts * seconds[0] + sentence_texts * seconds[1]
    renewed = min(second.embedded, 2) * seconds[0] + max(second.embedded - 2, 0) * seconds[1]
    return {
        "chunks": first.chunks,
        "texts": first.embedded,
        "without_encoder_s": round(full, 2),
        "full_s": round(full + embedding, 1),
        "changed_s": round(changed + renewed, 2),
        "changed_embedded": second.embedded,
        "changed_share": round((changed + renewed) / (full + embedding), 4),
        "removed_s": round(removed, 2),
        "unchanged_s": round(unchanged, 2),
        "memory_mb": {"full": full_mb[0], "changed": changed_mb[0]},
        "load": os.getloadavg()[0],
    }


@contextmanager
def growth() -> Iterator[list[int]]:
    """The most megabytes that no file backs, beyond those before; looked at 50 times a second while the context is."""

    def own() -> int:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.split("RssAnon:")[1].split()[0]) >> 10

    def look() -> None:
        while not done.wait(0.02):
            most[0] = max(most[0], own() - before)

    before, most, done = own(), [0], threading.Event()
    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield most
    finally:
        done.set()
        looking.join()


def real(texts: Sequence[str]) -> float:
    """Seconds a text that the default encoder takes for these."""
    model = encoder.load("all-MiniLM-L6-v2", 1, ROOT / "index" / ".models")
    started = time.perf_counter()
    model.encode(texts)
    return (time.perf_counter() - started) / len(texts)


def throughput(chunks: int, folder: Path) -> dict[str, Any]:
    """Texts a second of a whole build and of its models alone, and the ratio to the better of the two ways."""
    exports = ROOT / "index" / ".models"
    workspace = Workspace(Settings(corpus=folder / "corpus", index=folder / "index", models=exports, collection="c"))
    sources(folder / "corpus" / "c", chunks)
    model, weigher = workspace.encoder(), workspace.sparse()
    assert weigher is not None
    started = time.perf_counter()
    workspace.rebuild()
    built = time.perf_counter() - started
    generation = workspace.generation()
    documents = {d.id: generation.document(d.id) for d in generation.documents()}
    found = [(documents[i], c) for i in documents for c in generation.chunks(i)]
    wholes = sorted({chunks_of.embedded_text(d, c) for d, c in found}, key=len, reverse=True)
    texts = sorted({*wholes, *(s.of(d.text) for d, c in found for s in c.sentences)}, key=len, reverse=True)

    cores = os.cpu_count() or 1
    wide = encoder.load("all-MiniLM-L6-v2", cores, exports), encoder.load_sparse(cores)
    started = time.perf_counter()
    wide[0].encode(texts)
    wide[1].encode(wholes)
    together = time.perf_counter() - started
    started = time.perf_counter()
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(model.encode, [texts[at : at + 64] for at in range(0, len(texts), 64)]))
        list(pool.map(weigher.encode, [wholes[at : at + 64] for at in range(0, len(wholes), 64)]))
    apart = time.perf_counter() - started
    return {
        "chunks": len(found),
        "texts": len(texts),
        "cores": cores,
        "build_s": round(built, 2),
        "models_alone_all_cores_a_batch_s": round(together, 2),
        "models_alone_a_batch_a_core_s": round(apart, 2),
        "ratio": round(min(together, apart) / built, 3),
        "load": os.getloadavg()[0],
    }


def main() -> None:
    """One line a size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--throughput", type=int, help="chunks to build with the real models; nothing else is measured")
    given = parser.parse_args()
    if given.throughput:
        with tempfile.TemporaryDirectory(prefix="building-") as folder:
            print(json.dumps(throughput(given.throughput, Path(folder))))
        return
    for chunks in given.chunks:
        with tempfile.TemporaryDirectory(prefix="building-") as folder:
            print(json.dumps(measure(chunks, Path(folder))), flush=True)


if __name__ == "__main__":
    main()
