"""A generation, written: aside, every file on disk before the folder takes its name."""

from __future__ import annotations

import secrets
import shutil
import sqlite3
from array import array
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, get_args

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
_LEVELS = ("documents", "chunks", "sentences")
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
class Embedded:
    """What was embedded of a generation, in the order in which its chunks and their sentences were added."""

    chunk_keys: Keys
    """For each chunk the SHA-256 of what was embedded, shape (chunks,)."""
    chunk_vectors: Rowwise
    sentence_keys: Keys
    sentence_vectors: Rowwise
    chunk_sparse: Rowwise | None = None
    """For each chunk its learned sparse vector, as the sparse encoder packs it; None for an index without."""


class Writer:
    """Takes documents one after the other and holds none of them; at the end their vectors.

    It writes below `folder`, the collection's index folder. What it wrote stays when, as a context, it is left after
    `finish` and without an error; else it is taken away. A killed process' is cleared away by whoever writes next.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._now = folder, datetime.now(UTC)
        generation = f"{self._now:%Y%m%dT%H%M%S}{self._now.microsecond // 1000:03d}-{secrets.token_hex(3)}"
        self._aside = folder / f"{BUILDING}{generation}"
        self._finished = False
        self._vocabulary: dict[str, int] = {}
        self._languages: set[str] = set()
        self._counts = dict.fromkeys(("documents", "references", "mentions", "problems", "chunks", "sentences"), 0)
        # Where each chunk stands is asked for rows by the thousand, so it is kept as arrays.
        self._document, self._start, self._kind, self._sentences = array("i"), array("q"), array("B"), array("q", [0])

    def __enter__(self) -> Self:
        """Begin. Raises IndexWriteError."""
        with written_in(self._folder), ExitStack() as opened:
            opened.callback(self._take_away)
            self._aside.mkdir(parents=True)
            self._sqlite = opened.enter_context(closing(sqlite3.connect(self._aside / "store.sqlite")))
            # Nobody reads the file before it is whole, and a build that fails is thrown away: no journal on disk.
            self._sqlite.executescript(f"PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; {_SCHEMA}")
            self._postings = {
                level: opened.enter_context(closing(PostingsWriter(self._vocabulary, self._folder)))
                for level in _LEVELS
            }
            self._opened = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, and take away what is not to stay."""
        self._finished = self._finished and error is None
        self._opened.close()

    def _take_away(self) -> None:
        if not self._finished:
            shutil.rmtree(self._aside, ignore_errors=True)

    @property
    def chunks(self) -> int:
        """The number of chunks added so far."""
        return self._counts["chunks"]

    def add(
        self,
        document: Document,
        chunks: Sequence[Chunk],
        *,
        references: Sequence[Reference] = (),
        mentions: Sequence[Mention] = (),
        problems: Sequence[Problem] = (),
    ) -> None:
        """Write the next document and what belongs to it. Raises IndexWriteError."""
        with written_in(self._folder):
            self._add_rows(document, chunks, references, mentions, problems)
            self._add_terms(document, chunks)
        for chunk in chunks:
            self._document.append(self._counts["documents"])
            self._start.append(chunk.start)
            self._kind.append(CHUNK_KINDS.index(chunk.kind))
            self._sentences.append(self._sentences[-1] + len(chunk.sentences))
        self._languages.add(document.language or "")
        for name, added in (
            ("documents", 1),
            ("references", len(references)),
            ("mentions", len(mentions)),
            ("problems", len(problems)),
            ("chunks", len(chunks)),
            ("sentences", sum(len(c.sentences) for c in chunks)),
        ):
            self._counts[name] += added

    def finish(
        self,
        about: Mapping[str, Any],
        embedded: Embedded,
        *,
        memory: int = 1 << 30,
        progress: Callable[[int], None] = lambda _: None,
    ) -> str:
        """Write the rest; return what `publish` takes to make the generation live.

        `about` goes into the manifest (models, settings, document hashes). The folder gets its own name only when it
        is published. The kind of vector index is chosen so that it fits into `memory` bytes; `progress` gets the
        number of vectors indexed so far. Raises IndexWriteError.
        """
        with written_in(self._folder):
            self._finish(about, embedded, memory, progress)
        self._finished = True
        return self._aside.name

    def _add_rows(
        self,
        document: Document,
        chunks: Sequence[Chunk],
        references: Sequence[Reference],
        mentions: Sequence[Mention],
        problems: Sequence[Problem],
    ) -> None:
        own, counts, execute = document.id, self._counts, self._sqlite.executemany
        about = to_json(asdict(replace(document, text="", marks=(), works=())))
        execute("INSERT INTO documents VALUES (?, ?, ?, ?)", [(own, counts["documents"], about, document.text)])
        execute(
            "INSERT INTO refs VALUES (?, ?, ?, ?)",
            ((r.id, own, n, to_json(asdict(r))) for n, r in enumerate(references, counts["references"])),
        )
        execute(
            "INSERT INTO mentions VALUES (?, ?, ?, ?, ?)",
            ((own, m.start, m.end, m.reference_id, to_json(asdict(m))) for m in mentions),
        )
        execute(
            "INSERT INTO problems VALUES (?, ?, ?)",
            ((own, n, to_json(asdict(p))) for n, p in enumerate(problems, counts["problems"])),
        )
        execute(
            "INSERT INTO chunks VALUES (?, ?, ?, ?, ?)",
            ((row, c.id, own, c.start, chunk_body(c)) for row, c in enumerate(chunks, counts["chunks"])),
        )

    def _add_terms(self, document: Document, chunks: Sequence[Chunk]) -> None:
        """What BM25 looks for: in the document as a whole, in each chunk, in each sentence."""
        title = lexical.terms(document.title or "", document.language)
        whole = list(title)
        for chunk in chunks:
            body: list[str] = []
            for sentence in chunk.sentences:
                text = chunk.text[sentence.start - chunk.start : sentence.end - chunk.start]
                found = lexical.terms(text, document.language)
                self._postings["sentences"].add(found)
                body.extend(found)
            if chunk.kind == "text":
                whole.extend(body)
                body = [*title, *lexical.terms(chunk.section or "", document.language), *body]
            self._postings["chunks"].add(body)
        self._postings["documents"].add(whole)

    def _finish(
        self, about: Mapping[str, Any], embedded: Embedded, memory: int, progress: Callable[[int], None]
    ) -> None:
        aside, dimension, sparse = self._aside, embedded.chunk_vectors.shape[1], embedded.chunk_sparse
        kind = choose(self.chunks, dimension, memory)
        write_vectors(aside, "chunks", embedded.chunk_vectors, kind, progress)
        write_rows(aside, "sentences", embedded.sentence_vectors)
        if sparse is not None:
            write_rows(aside, "sparse", sparse)
        self._write_layout(aside / "layout", embedded)
        (aside / "lexical").mkdir()
        for level, postings in self._postings.items():
            postings.write(aside / "lexical" / level)
        self._sqlite.executemany("INSERT INTO terms VALUES (?, ?)", sorted(self._vocabulary.items()))
        self._sqlite.executescript(_INDEXES)  # sorted once, where keeping them in order would cost each row
        self._sqlite.commit()
        self._sqlite.close()
        files = {}
        for path in sorted(p for p in aside.rglob("*") if p.is_file()):
            fsync(path)
            by_row = path.suffix == ".npy" and path.with_suffix(SUMS).is_file()
            files[path.relative_to(aside).as_posix()] = {
                "sha256": sha256(path),
                "bytes": path.stat().st_size,
                **({"checked": BY_ROW} if by_row else {}),
            }
        manifest = {
            "format": FORMAT,
            "generation": aside.name.removeprefix(BUILDING),
            "collection": self._folder.name,
            "built_at": self._now.isoformat(timespec="milliseconds"),
            **about,
            "counts": self._counts,
            "vector_index": {
                "chunks": kind.name,
                "dimension": dimension,
                "sparse": sparse.shape[1] if sparse is not None else 0,
            },
            "languages": sorted(self._languages),
            "files": files,
        }
        write_text(aside / MANIFEST, sealed(manifest))
        for folder in sorted(p for p in aside.rglob("*") if p.is_dir()):
            fsync(folder)
        fsync(aside)

    def _write_layout(self, folder: Path, embedded: Embedded) -> None:
        folder.mkdir()
        for name, values in (
            ("document", np.frombuffer(self._document, dtype=np.int32)),
            ("start", np.frombuffer(self._start, dtype=np.int64)),
            ("kind", np.frombuffer(self._kind, dtype=np.uint8)),
            ("first_sentence", np.frombuffer(self._sentences, dtype=np.int64)),
            ("chunk_keys", embedded.chunk_keys),
            ("sentence_keys", embedded.sentence_keys),
        ):
            np.save(folder / f"{name}.npy", values)
