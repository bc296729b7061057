"""What a generation holds, and how it is written: aside, every file on disk before the folder takes its name."""

from __future__ import annotations

import secrets
import shutil
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import numpy as np

from rag import lexical
from rag.files import fsync, sha256, write_text
from rag.store.folder import BUILDING, BY_ROW, FORMAT, MANIFEST, sealed, written_in
from rag.store.postings import PostingsWriter
from rag.store.records import chunk_body, to_json
from rag.store.rows import SUMS, Keys, Rowwise, write_rows
from rag.store.vectors import choose, write_vectors
from rag.types import Chunk, ChunkKind, Document, Mention, Problem, Reference

CHUNK_KINDS = get_args(ChunkKind)
"""In the order in which they are numbered on disk."""
_SCHEMA = """
CREATE TABLE documents (id TEXT PRIMARY KEY, ord INTEGER, about TEXT, text TEXT);
CREATE TABLE refs (id TEXT PRIMARY KEY, document_id TEXT, ord INTEGER, body TEXT);
CREATE TABLE mentions (document_id TEXT, start INTEGER, "end" INTEGER, reference_id TEXT, body TEXT);
CREATE TABLE problems (document_id TEXT, ord INTEGER, body TEXT);
CREATE TABLE chunks (row INTEGER PRIMARY KEY, id TEXT UNIQUE, document_id TEXT, start INTEGER, body TEXT);
CREATE TABLE terms (term TEXT PRIMARY KEY, id INTEGER) WITHOUT ROWID;
"""
_INDEXES = """
CREATE INDEX refs_document ON refs (document_id, ord);
CREATE INDEX problems_document ON problems (document_id, ord);
CREATE INDEX mentions_place ON mentions (document_id, start);
CREATE INDEX chunks_place ON chunks (document_id, start);
"""


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything a generation holds, in row order; the vectors' rows match the chunks' and their sentences'."""

    documents: Sequence[Document]
    references: Sequence[Reference]
    mentions: Mapping[str, Sequence[Mention]]
    problems: Sequence[Problem]
    chunks: Sequence[Chunk]
    """Those of a document stand together, in the documents' order; a chunk's sentences are its spans."""
    chunk_keys: Keys
    """For each chunk the SHA-256 of what was embedded, shape (chunks,)."""
    chunk_vectors: Rowwise
    sentence_keys: Keys
    sentence_vectors: Rowwise
    chunk_sparse: Rowwise | None = None
    """For each chunk its learned sparse vector, as the sparse encoder packs it; None for an index without."""


def write(
    folder: Path,
    contents: Contents,
    about: Mapping[str, Any],
    *,
    memory: int = 1 << 30,
    progress: Callable[[int], None] = lambda _: None,
) -> str:
    """Write a generation below `folder` (the collection's index folder); return what `publish` takes to make it live.

    `about` goes into the manifest (models, settings, document hashes). The folder gets its own name only when it is
    published; until then it is cleared away by whoever writes next. The kind of vector index is chosen so that it fits
    into `memory` bytes; `progress` gets the number of vectors indexed so far. Raises IndexWriteError.
    """
    now = datetime.now(UTC)
    generation = f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}-{secrets.token_hex(3)}"
    building = folder / f"{BUILDING}{generation}"
    try:
        with written_in(folder):
            _write(building, contents, about, now, memory, progress)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return building.name


def _write(  # noqa: PLR0917  (one caller)
    building: Path,
    contents: Contents,
    about: Mapping[str, Any],
    now: datetime,
    memory: int,
    progress: Callable[[int], None],
) -> None:
    building.mkdir(parents=True)
    dimension = contents.chunk_vectors.shape[1]
    kind = choose(len(contents.chunks), dimension, memory)
    write_vectors(building, "chunks", contents.chunk_vectors, kind, progress)
    write_rows(building, "sentences", contents.sentence_vectors)
    if contents.chunk_sparse is not None:
        write_rows(building, "sparse", contents.chunk_sparse)
    _write_layout(building / "layout", contents)
    vocabulary = _write_lexical(building / "lexical", contents)
    _write_sqlite(building / "store.sqlite", contents, vocabulary)
    files = {}
    for path in sorted(p for p in building.rglob("*") if p.is_file()):
        fsync(path)
        by_row = path.suffix == ".npy" and path.with_suffix(SUMS).is_file()
        files[path.relative_to(building).as_posix()] = {
            "sha256": sha256(path),
            "bytes": path.stat().st_size,
            **({"checked": BY_ROW} if by_row else {}),
        }
    manifest = {
        "format": FORMAT,
        "generation": building.name.removeprefix(BUILDING),
        "collection": building.parent.name,
        "built_at": now.isoformat(timespec="milliseconds"),
        **about,
        "counts": {
            "documents": len(contents.documents),
            "references": len(contents.references),
            "mentions": sum(len(m) for m in contents.mentions.values()),
            "problems": len(contents.problems),
            "chunks": len(contents.chunks),
            "sentences": len(contents.sentence_keys),
        },
        "vector_index": {
            "chunks": kind.name,
            "dimension": dimension,
            "sparse": contents.chunk_sparse.shape[1] if contents.chunk_sparse is not None else 0,
        },
        "languages": sorted({d.language or "" for d in contents.documents}),
        "files": files,
    }
    write_text(building / MANIFEST, sealed(manifest))
    for folder in sorted(p for p in building.rglob("*") if p.is_dir()):
        fsync(folder)
    fsync(building)


def _write_layout(folder: Path, contents: Contents) -> None:
    """Write where each chunk stands, as arrays: they are asked for rows by the thousand."""
    ordinals = {d.id: n for n, d in enumerate(contents.documents)}
    document = np.fromiter((ordinals[c.document_id] for c in contents.chunks), np.int32, len(contents.chunks))
    if (np.diff(document) < 0).any():
        raise ValueError("the chunks are not in the order of their documents")
    counts = np.fromiter((len(c.sentences) for c in contents.chunks), np.int64, len(contents.chunks))
    kinds = np.fromiter((CHUNK_KINDS.index(c.kind) for c in contents.chunks), np.uint8, len(contents.chunks))
    folder.mkdir()
    for name, values in (
        ("document", document),
        ("start", np.fromiter((c.start for c in contents.chunks), np.int64, len(contents.chunks))),
        ("kind", kinds),
        ("first_sentence", np.concatenate(([0], np.cumsum(counts))).astype(np.int64)),
        ("chunk_keys", contents.chunk_keys),
        ("sentence_keys", contents.sentence_keys),
    ):
        np.save(folder / f"{name}.npy", values)


def _write_lexical(folder: Path, contents: Contents) -> dict[str, int]:
    """Write BM25 over documents, chunks and sentences; return the vocabulary they share: the number of each term."""
    vocabulary: dict[str, int] = {}
    documents, chunks, sentences = (PostingsWriter(vocabulary) for _ in range(3))
    titles = {d.id: lexical.terms(d.title or "", d.language) for d in contents.documents}
    languages = {d.id: d.language for d in contents.documents}
    whole = {d.id: list(titles[d.id]) for d in contents.documents}
    for chunk in contents.chunks:
        language = languages[chunk.document_id]
        body: list[str] = []
        for sentence in chunk.sentences:
            found = lexical.terms(chunk.text[sentence.start - chunk.start : sentence.end - chunk.start], language)
            sentences.add(found)
            body.extend(found)
        if chunk.kind == "text":
            whole[chunk.document_id].extend(body)
            body = [*titles[chunk.document_id], *lexical.terms(chunk.section or "", language), *body]
        chunks.add(body)
    for terms in whole.values():
        documents.add(terms)
    folder.mkdir()
    for name, writer in (("documents", documents), ("chunks", chunks), ("sentences", sentences)):
        writer.write(folder / name)
    return vocabulary


def _write_sqlite(path: Path, contents: Contents, vocabulary: Mapping[str, int]) -> None:
    connection = sqlite3.connect(path)
    try:
        # Nobody reads the file before it is whole, and a build that fails is thrown away: no journal on disk.
        connection.executescript(f"PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; {_SCHEMA}")
        connection.executemany(
            "INSERT INTO documents VALUES (?, ?, ?, ?)",
            ((d.id, i, to_json({**asdict(d), "text": ""}), d.text) for i, d in enumerate(contents.documents)),
        )
        connection.executemany(
            "INSERT INTO refs VALUES (?, ?, ?, ?)",
            ((r.id, r.document_id, i, to_json(asdict(r))) for i, r in enumerate(contents.references)),
        )
        connection.executemany(
            "INSERT INTO mentions VALUES (?, ?, ?, ?, ?)",
            (
                (document_id, m.start, m.end, m.reference_id, to_json(asdict(m)))
                for document_id, mentions in contents.mentions.items()
                for m in mentions
            ),
        )
        connection.executemany(
            "INSERT INTO problems VALUES (?, ?, ?)",
            ((p.document_id, i, to_json(asdict(p))) for i, p in enumerate(contents.problems)),
        )
        connection.executemany(
            "INSERT INTO chunks VALUES (?, ?, ?, ?, ?)",
            ((row, c.id, c.document_id, c.start, chunk_body(c)) for row, c in enumerate(contents.chunks)),
        )
        connection.executemany("INSERT INTO terms VALUES (?, ?)", sorted(vocabulary.items()))
        connection.executescript(_INDEXES)  # sorted once, where keeping them in order would cost each row
        connection.commit()
    finally:
        connection.close()
