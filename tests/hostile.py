"""Forge files of a generation, sign the manifest anew and use it; tests/test_hostile_index.py runs it as a child.

    python tests/hostile.py FOLDER KIND FIRST COUNT

Prints each forgery before it is used, so that the last line names the one that ended the process, if one did.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from pathlib import Path

import numpy as np

from rag import store
from rag.errors import IndexDamagedError
from rag.store import vectors, writer
from rag.store.folder import sealed
from rag.types import Chunk, Document, Span

DOCUMENTS, CHUNKS, DIMENSION = 40, 30, 16
_NUMBERS = (0, 1, 1200, 1201, 10**6, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**64 - 1)


def build(folder: Path, kind: str) -> str:
    """Publish a generation of invented words and vectors; return its name."""
    chance = np.random.default_rng(1)
    documents, chunks = [], []
    for d in range(DOCUMENTS):
        text = ""
        for c in range(CHUNKS):
            start, halves = len(text), []
            for _ in range(2):
                begin = len(text)
                text += " ".join(f"w{int(x)}" for x in np.minimum(chance.zipf(1.3, 8), 500)) + ". "
                halves.append(Span(begin, len(text) - 1))
            chunks.append(
                Chunk(f"d{d}:{c}", f"d{d}", "text", start, len(text), text[start:], None, None, 20, tuple(halves))
            )
        documents.append(Document(f"d{d}", text, f"Title {d}", language="en", source=f"d{d}.txt"))
    chosen = next(k for k in vectors.KINDS if k.name == kind)
    writer.choose = lambda *_: chosen  # type: ignore[assignment]
    count = DOCUMENTS * CHUNKS
    embedded = store.Embedded(keys(count), unit(chance, count), keys(2 * count), unit(chance, 2 * count))
    about = {"encoder": {"name": "x", "fingerprint": "x", "dimension": DIMENSION}}
    with store.Writer(folder) as written:
        for n, document in enumerate(documents):
            written.add(document, chunks[n * CHUNKS : (n + 1) * CHUNKS])
        return store.publish(folder, written.finish(about, embedded))


def unit(chance: np.random.Generator, count: int) -> np.ndarray:
    """Unit vectors."""
    made = chance.normal(size=(count, DIMENSION)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def keys(count: int) -> np.ndarray:
    """Digests."""
    return np.array([hashlib.sha256(str(n).encode()).digest() for n in range(count)], dtype="S32")


def forged(whole: bytes, chance: random.Random) -> bytes:
    """The same with some bytes or numbers replaced, mostly where headers stand, or cut."""
    data = bytearray(whole)
    reach = len(data) if chance.random() < 0.4 else min(len(data), 400)
    for _ in range(chance.choice([1, 1, 2, 8])):
        at = chance.randrange(reach)
        if chance.random() < 0.5:
            data[at] = chance.choice([0, 1, 127, 128, 255, chance.randrange(256)])
        else:
            width = chance.choice([4, 8])
            data[at : at + width] = (chance.choice(_NUMBERS) % 2 ** (8 * width)).to_bytes(width, "little")
    return bytes(data[: chance.randrange(len(data))] if chance.random() < 0.07 else data)


def use(folder: Path) -> None:
    """Open the generation and ask it for everything that it can be asked for."""
    opened = store.Generation.open(folder)
    vector = unit(np.random.default_rng(2), 1)[0]
    rows = list(range(0, opened.size, 11))
    half = np.arange(0, opened.size, 2)
    for k, some in ((10, None), (opened.size, None), (10, half)):
        opened.dense(vector, k, some)
    opened.dense_of(vector, rows)
    opened.sentence_of(vector, rows)
    for terms in (["w1", "w2"], ["w77", "w3", "w400"]):
        for some in (None, half):
            words = opened.words(terms, (0.5, 0.25, 0.25), some)
            words.of(words.best(50))
        opened.lexical(terms)
        opened.lexical_of_documents(terms)
        opened.lexical_of_sentences(terms)
        opened.idf(terms[0])
    opened.passages(rows)
    document = opened.documents()[0].id
    for ask in (opened.document, opened.chunks, opened.mentions, opened.references, opened.problems):
        ask(document)
    opened.passage_at(document, 5)
    opened.rows(documents=[document], kinds=["text"])
    opened.rows_within({document: [(0, 100)]})
    opened.rows_citing(["x"])
    opened.sentence_vectors(opened.passages([3])[0].id)
    for known in opened.known_vectors():
        known.of(known.find(keys(50)))


def main() -> None:
    """Forge, sign, use, and put back."""
    folder, kind, first, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    where = folder / build(folder, kind)
    use(folder)
    signed = (where / store.MANIFEST).read_bytes()
    files = sorted(json.loads(signed)["files"])
    refused = 0
    for seed in range(first, first + count):
        chance = random.Random(seed)  # noqa: S311  (no secret)
        name = chance.choice([*files, "chunks.faiss"])
        whole = (where / name).read_bytes()
        data = forged(whole, chance)
        print(f"forgery {seed} of {name}", flush=True)
        (where / name).write_bytes(data)
        manifest = json.loads(signed)
        manifest["files"][name] |= {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        (where / store.MANIFEST).write_text(sealed(manifest), encoding="utf-8")
        try:
            use(folder)
        except IndexDamagedError:
            refused += 1
        (where / name).write_bytes(whole)
        (where / store.MANIFEST).write_bytes(signed)
    print(f"{count} forgeries, {refused} refused")


if __name__ == "__main__":
    main()
