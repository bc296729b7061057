"""A generation on disk: written aside, published by one rename, verified before it is read.

    index/<collection>/
        current                 the name of the live generation, replaced atomically
        <generation>/
            chunks.faiss        one vector a chunk, in row order
            sentences.faiss     one vector a sentence, in row order
            lexical/            BM25 arrays over the chunks, in row order
            store.sqlite        documents, references, mentions, problems, chunks, sentences
            manifest.json       written last: models, settings, document hashes, counts, a SHA-256 of every file

No manifest, no generation. Nothing is pickled. The only room that imports faiss; knows no encoder and no file format
of sources. BM25: Robertson and Zaragoza (2009), in Lucene's form.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import bm25s
import faiss
import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout

from rag import lexical
from rag.errors import BusyError, IndexDamagedError, IndexMissingError, NotFoundError
from rag.types import (
    Byline,
    Chunk,
    Document,
    IndexState,
    Mention,
    Page,
    Passage,
    Problem,
    Reference,
    Scores,
    Section,
    Span,
)

FORMAT = 1
MANIFEST = "manifest.json"
CURRENT = "current"
_BUILDING = ".building-"
_BM25_K1, _BM25_B = 0.9, 0.4
_SCHEMA = """
CREATE TABLE documents (id TEXT PRIMARY KEY, ord INTEGER, about TEXT, text TEXT);
CREATE TABLE refs (id TEXT PRIMARY KEY, document_id TEXT, ord INTEGER, body TEXT);
CREATE TABLE mentions (document_id TEXT, start INTEGER, "end" INTEGER, reference_id TEXT, body TEXT);
CREATE TABLE problems (document_id TEXT, ord INTEGER, body TEXT);
CREATE TABLE chunks (row INTEGER PRIMARY KEY, id TEXT UNIQUE, document_id TEXT, start INTEGER, key TEXT, body TEXT);
CREATE TABLE sentences (row INTEGER PRIMARY KEY, chunk INTEGER, key TEXT);
CREATE INDEX mentions_place ON mentions (document_id, start);
CREATE INDEX chunks_place ON chunks (document_id, start);
CREATE INDEX sentences_chunk ON sentences (chunk);
"""

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything a generation holds, in row order; the vectors' rows match the chunks' and their sentences'."""

    documents: Sequence[Document]
    references: Sequence[Reference]
    mentions: Mapping[str, Sequence[Mention]]
    problems: Sequence[Problem]
    chunks: Sequence[Chunk]
    chunk_keys: Sequence[str]
    chunk_vectors: Vectors
    sentence_keys: Sequence[Sequence[str]]
    """For each chunk the keys of its sentences."""
    sentence_vectors: Vectors


@dataclass(frozen=True, slots=True)
class GenerationInfo:
    """A generation in a listing."""

    id: str
    built_at: str
    current: bool
    documents: int
    chunks: int
    manifest_sha256: str


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold the collection's write lock. Raises BusyError when another process or thread holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise BusyError(
            f"collection {folder.name!r} is being rebuilt by somebody else; wait for it, then try again"
        ) from None
    try:
        for leftover in folder.glob(f"{_BUILDING}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield
    finally:
        lock.release()


def write(folder: Path, contents: Contents, about: Mapping[str, Any]) -> str:
    """Write a generation below `folder` (the collection's index folder) and return its id. Does not publish it.

    `about` goes into the manifest (models, settings, document hashes). The folder appears under its own name only
    when it is complete and on disk.
    """
    now = datetime.now(UTC)
    generation = f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}-{secrets.token_hex(3)}"
    building = folder / f"{_BUILDING}{generation}"
    building.mkdir(parents=True)
    try:
        _write_vectors(building / "chunks.faiss", contents.chunk_vectors)
        _write_vectors(building / "sentences.faiss", contents.sentence_vectors)
        _write_lexical(building / "lexical", contents)
        _write_sqlite(building / "store.sqlite", contents)
        files = {}
        for path in sorted(p for p in building.rglob("*") if p.is_file()):
            _fsync(path)
            files[path.relative_to(building).as_posix()] = {"sha256": _sha256(path), "bytes": path.stat().st_size}
        manifest = {
            "format": FORMAT,
            "generation": generation,
            "collection": folder.name,
            "built_at": now.isoformat(timespec="milliseconds"),
            **about,
            "counts": {
                "documents": len(contents.documents),
                "references": len(contents.references),
                "mentions": sum(len(m) for m in contents.mentions.values()),
                "problems": len(contents.problems),
                "chunks": len(contents.chunks),
                "sentences": sum(len(keys) for keys in contents.sentence_keys),
            },
            "languages": sorted({d.language or "" for d in contents.documents}),
            "files": files,
        }
        _write_text(building / MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True))
        _fsync(building)
        building.rename(folder / generation)
        _fsync(folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return generation


def publish(folder: Path, generation: str) -> None:
    """Make `generation` the live one: one atomic rename of the pointer file."""
    if not (folder / generation / MANIFEST).is_file():
        raise NotFoundError(
            f"generation {generation!r} is not in {folder.name!r}; `adfontes index` lists those that are"
        )
    pointer = folder / f".{CURRENT}-{secrets.token_hex(3)}"
    _write_text(pointer, generation)
    pointer.replace(folder / CURRENT)
    _fsync(folder)


def current(folder: Path) -> str | None:
    """The id of the live generation, or None when nothing has been published."""
    try:
        return (folder / CURRENT).read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def generations(folder: Path) -> list[GenerationInfo]:
    """All complete generations of a collection, newest first."""
    live = current(folder)
    found = []
    for manifest in folder.glob(f"*/{MANIFEST}"):
        if manifest.parent.name.startswith("."):
            continue
        raw = manifest.read_bytes()
        try:
            body = json.loads(raw)
            found.append(
                GenerationInfo(
                    id=manifest.parent.name,
                    built_at=str(body["built_at"]),
                    current=manifest.parent.name == live,
                    documents=int(body["counts"]["documents"]),
                    chunks=int(body["counts"]["chunks"]),
                    manifest_sha256=hashlib.sha256(raw).hexdigest(),
                )
            )
        except (ValueError, KeyError, TypeError):
            continue
    return sorted(found, key=lambda g: (g.built_at, g.id), reverse=True)


def prune(folder: Path, keep: int) -> list[str]:
    """Delete the oldest generations beyond `keep`, never the live one; returns the ids deleted."""
    spare = [g for g in generations(folder) if not g.current][max(0, keep - 1) :]
    for generation in spare:
        # The manifest goes first: a folder half deleted is no generation.
        (folder / generation.id / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(folder / generation.id, ignore_errors=True)
    return [g.id for g in spare]


def verify(folder: Path, generation: str) -> dict[str, Any]:
    """Check every file of a generation against its manifest and return the manifest.

    Raises IndexDamagedError naming the file that is missing, cut, changed or not in the manifest.
    """
    where = folder / generation
    mend = "run `adfontes rebuild`, or `adfontes index rollback` to the generation before"
    try:
        manifest: dict[str, Any] = json.loads((where / MANIFEST).read_bytes())
        files, found_format = manifest["files"], manifest["format"]
    except FileNotFoundError:
        raise IndexDamagedError(f"generation {generation!r} has no manifest; {mend}") from None
    except (ValueError, KeyError, TypeError):
        raise IndexDamagedError(f"the manifest of generation {generation!r} is damaged; {mend}") from None
    if found_format != FORMAT:
        raise IndexDamagedError(
            f"generation {generation!r} has format {found_format!r}, not {FORMAT}; run `adfontes rebuild`"
        )
    for name, expected in files.items():
        path = where / name
        if not path.is_file():
            raise IndexDamagedError(f"generation {generation!r}: file {name!r} is missing; {mend}")
        if path.stat().st_size != expected["bytes"] or _sha256(path) != expected["sha256"]:
            raise IndexDamagedError(f"generation {generation!r}: file {name!r} is not what was written; {mend}")
    return manifest


class Generation:
    """One built state of an index, open for reading. Safe to share between threads; never changes."""

    def __init__(self, folder: Path, generation: str, manifest: dict[str, Any], manifest_sha256: str) -> None:
        self.folder = folder / generation
        self.manifest = manifest
        self.state = IndexState(folder.name, generation, manifest_sha256, str(manifest["built_at"]))
        self._local = threading.local()
        self._chunks = faiss.read_index(str(self.folder / "chunks.faiss"), faiss.IO_FLAG_MMAP_IFC)
        self._sentences = faiss.read_index(str(self.folder / "sentences.faiss"), faiss.IO_FLAG_MMAP_IFC)
        self._bm25 = None
        if (self.folder / "lexical").is_dir():
            self._bm25 = bm25s.BM25.load(str(self.folder / "lexical"), mmap=True, show_progress=False)

    @classmethod
    def open(cls, folder: Path, generation: str | None = None) -> Generation:
        """Open a generation (the live one by default) after checking every file of it.

        Raises IndexMissingError when nothing is built, IndexDamagedError when a file is not what was written.
        """
        name = generation or current(folder)
        if name is None:
            raise IndexMissingError(f"collection {folder.name!r} has no index yet; build it with `adfontes rebuild`")
        manifest = verify(folder, name)
        digest = hashlib.sha256((folder / name / MANIFEST).read_bytes()).hexdigest()
        return cls(folder, name, manifest, digest)

    # ── what it holds ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def size(self) -> int:
        """The number of chunks."""
        return int(self._chunks.ntotal)

    @property
    def languages(self) -> list[str]:
        """The languages of the documents, for reading a question as they were read."""
        return [str(x) for x in self.manifest.get("languages", [])]

    def documents(self) -> list[Document]:
        """All documents, without their text."""
        rows = self._sql("SELECT about, '' FROM documents ORDER BY ord")
        return [_document(about, text) for about, text in rows]

    def titles(self, document_ids: Iterable[str]) -> dict[str, str]:
        """The titles of these documents, empty for those without."""
        wanted = list(document_ids)
        marks = ",".join("?" * len(wanted))
        query = f"SELECT id, json_extract(about, '$.title') FROM documents WHERE id IN ({marks})"  # noqa: S608  (marks only)
        return {i: title or "" for i, title in self._sql(query, *wanted)}

    def document(self, document_id: str) -> Document:
        """One document with its text. Raises NotFoundError."""
        rows = self._sql("SELECT about, text FROM documents WHERE id = ?", document_id)
        if not rows:
            raise NotFoundError(
                f"document {document_id!r} is not in {self.state.collection!r}; `GET /v1/documents` lists all"
            )
        return _document(*rows[0])

    def references(self, document_id: str | None = None) -> list[Reference]:
        """The bibliography entries, of one document or of all, in list order."""
        rows = self._sql("SELECT body FROM refs WHERE ?1 IS NULL OR document_id = ?1 ORDER BY ord", document_id)
        return [_reference(body) for (body,) in rows]

    def reference(self, reference_id: str) -> Reference:
        """One bibliography entry. Raises NotFoundError."""
        rows = self._sql("SELECT body FROM refs WHERE id = ?", reference_id)
        if not rows:
            raise NotFoundError(
                f"reference {reference_id!r} is not in {self.state.collection!r}; `GET /v1/references` lists all"
            )
        return _reference(rows[0][0])

    def mentions(self, document_id: str) -> list[Mention]:
        """The in-text citations of a document, in text order."""
        rows = self._sql('SELECT body FROM mentions WHERE document_id = ? ORDER BY start, "end"', document_id)
        return [_mention(body) for (body,) in rows]

    def problems(self, document_id: str | None = None) -> list[Problem]:
        """What the audit found, of one document or of all."""
        rows = self._sql("SELECT body FROM problems WHERE ?1 IS NULL OR document_id = ?1 ORDER BY ord", document_id)
        return [Problem(**json.loads(body)) for (body,) in rows]

    def passages(self, rows: Sequence[int], scores: Sequence[Scores] | None = None) -> list[Passage]:
        """The chunks of these rows as passages, in the order asked for."""
        if not rows:
            return []
        marks = ",".join("?" * len(rows))
        found = dict(self._sql(f"SELECT row, body FROM chunks WHERE row IN ({marks})", *map(int, rows)))  # noqa: S608  (marks only)
        given = scores or [Scores()] * len(rows)
        return [_passage(found[int(row)], score) for row, score in zip(rows, given, strict=True)]

    def passage(self, passage_id: str) -> Passage:
        """One chunk by its id. Raises NotFoundError."""
        rows = self._sql("SELECT body FROM chunks WHERE id = ?", passage_id)
        if not rows:
            raise NotFoundError(
                f"passage {passage_id!r} is not in {self.state.collection!r}; it may be of an older generation"
            )
        return _passage(rows[0][0], Scores())

    def passage_at(self, document_id: str, offset: int) -> Passage | None:
        """The chunk that holds this character of a document, if one does."""
        rows = self._sql(
            "SELECT body FROM chunks WHERE document_id = ? AND start <= ? ORDER BY start DESC LIMIT 8",
            document_id,
            offset,
        )
        return next((p for (body,) in rows if (p := _passage(body, Scores())).start <= offset < p.end), None)

    # ── finding ──────────────────────────────────────────────────────────────────────────────────────────────

    def dense(self, vector: Vectors, k: int, rows: npt.NDArray[np.int64] | None = None) -> list[tuple[int, float]]:
        """The `k` chunks nearest to a unit vector (shape (d,)): (row, cosine), best first; among `rows` if given."""
        if self.size == 0 or k <= 0:
            return []
        params = None
        if rows is not None:
            chosen = faiss.IDSelectorBatch(np.asarray(rows, dtype=np.int64))
            params = faiss.SearchParameters(sel=chosen)  # type: ignore[call-arg,unused-ignore]
        scores, found = self._chunks.search(vector.reshape(1, -1), min(k, self.size), params=params)
        return [(int(r), float(s)) for r, s in zip(found[0], scores[0], strict=True) if r >= 0]

    def dense_of(self, vector: Vectors, rows: Sequence[int]) -> Vectors:
        """The cosine of these chunks with a unit vector, shape (len(rows),)."""
        if not len(rows):
            return np.zeros(0, dtype=np.float32)
        stored: Vectors = self._chunks.reconstruct_batch(np.asarray(rows, dtype=np.int64))
        return stored @ vector

    def lexical(self, terms: Sequence[str]) -> npt.NDArray[np.float32]:
        """BM25 of every chunk for these terms, shape (size,)."""
        known = [t for t in terms if self._bm25 is not None and t in self._bm25.vocab_dict]
        if self._bm25 is None or not known:
            return np.zeros(self.size, dtype=np.float32)
        scores: npt.NDArray[np.float32] = self._bm25.get_scores(known)
        return scores

    def idf(self, term: str) -> float:
        """Inverse document frequency of a term over the chunks: ln(1 + (N − n + ½) / (n + ½))."""
        n = self._document_frequency(term)
        return float(np.log1p((self.size - n + 0.5) / (n + 0.5)))

    def _document_frequency(self, term: str) -> int:
        if self._bm25 is None or term not in self._bm25.vocab_dict:
            return 0
        i = self._bm25.vocab_dict[term]
        indptr = self._bm25.scores["indptr"]
        return int(indptr[i + 1] - indptr[i])

    def sentence_vectors(self, passage_id: str) -> Vectors:
        """The vectors of a chunk's sentences in their order, shape (sentences, d)."""
        rows = self._sql(
            "SELECT s.row FROM sentences s JOIN chunks c ON s.chunk = c.row WHERE c.id = ? ORDER BY s.row", passage_id
        )
        if not rows:
            return np.zeros((0, self._sentences.d), dtype=np.float32)
        found: Vectors = self._sentences.reconstruct_batch(np.array([r for (r,) in rows], dtype=np.int64))
        return found

    def rows(
        self, *, documents: Sequence[str] | None = None, kinds: Sequence[str] | None = None
    ) -> npt.NDArray[np.int64]:
        """The rows of the chunks of these documents and kinds, for a filtered search."""
        found = self._rows_by_place
        keep = np.ones(len(found), dtype=bool)
        if documents is not None:
            keep &= np.isin(found["document"], list(documents))
        if kinds is not None:
            keep &= np.isin(found["kind"], list(kinds))
        return np.flatnonzero(keep).astype(np.int64)

    @cached_property
    def _rows_by_place(self) -> npt.NDArray[Any]:
        rows = self._sql("SELECT document_id, json_extract(body, '$.kind') FROM chunks ORDER BY row")
        return np.array([tuple(r) for r in rows], dtype=[("document", object), ("kind", object)])

    def vectors_by_key(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The vectors of chunks and of sentences by the hash of what was embedded, for a rebuild to reuse."""
        chunks = [key for (key,) in self._sql("SELECT key FROM chunks ORDER BY row")]
        sentences = [key for (key,) in self._sql("SELECT key FROM sentences ORDER BY row")]
        found = []
        for keys, index in ((chunks, self._chunks), (sentences, self._sentences)):
            stored = index.reconstruct_n(0, len(keys)) if keys else []
            found.append(dict(zip(keys, stored, strict=True)))
        return found[0], found[1]

    def _sql(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            uri = f"{(self.folder / 'store.sqlite').resolve().as_uri()}?mode=ro&immutable=1"
            connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            self._local.connection = connection
        return list(connection.execute(query, parameters))


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _write_vectors(path: Path, vectors: Vectors) -> None:
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors, dtype=np.float32))
    faiss.write_index(index, str(path))


def _write_lexical(path: Path, contents: Contents) -> None:
    languages = {d.id: d.language for d in contents.documents}
    titles = {d.id: d.title or "" for d in contents.documents}
    vocabulary: dict[str, int] = {}
    ids = []
    for chunk in contents.chunks:
        text = (
            chunk.text if chunk.kind != "text" else f"{titles[chunk.document_id]}\n{chunk.section or ''}\n{chunk.text}"
        )
        found = lexical.terms(text, languages[chunk.document_id])
        ids.append([vocabulary.setdefault(term, len(vocabulary)) for term in found])
    if not vocabulary:
        return
    index = bm25s.BM25(k1=_BM25_K1, b=_BM25_B, method="lucene")
    index.index((ids, vocabulary), create_empty_token=False, show_progress=False)
    index.save(str(path), show_progress=False)


def _write_sqlite(path: Path, contents: Contents) -> None:
    connection = sqlite3.connect(path)
    try:
        connection.executescript(_SCHEMA)
        connection.executemany(
            "INSERT INTO documents VALUES (?, ?, ?, ?)",
            ((d.id, i, _json({**asdict(d), "text": ""}), d.text) for i, d in enumerate(contents.documents)),
        )
        connection.executemany(
            "INSERT INTO refs VALUES (?, ?, ?, ?)",
            ((r.id, r.document_id, i, _json(asdict(r))) for i, r in enumerate(contents.references)),
        )
        connection.executemany(
            "INSERT INTO mentions VALUES (?, ?, ?, ?, ?)",
            (
                (document_id, m.start, m.end, m.reference_id, _json(asdict(m)))
                for document_id, mentions in contents.mentions.items()
                for m in mentions
            ),
        )
        connection.executemany(
            "INSERT INTO problems VALUES (?, ?, ?)",
            ((p.document_id, i, _json(asdict(p))) for i, p in enumerate(contents.problems)),
        )
        connection.executemany(
            "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?)",
            (
                (row, c.id, c.document_id, c.start, key, _json(asdict(c)))
                for row, (c, key) in enumerate(zip(contents.chunks, contents.chunk_keys, strict=True))
            ),
        )
        flat = ((row, key) for row, keys in enumerate(contents.sentence_keys) for key in keys)
        connection.executemany(
            "INSERT INTO sentences VALUES (?, ?, ?)", ((i, row, key) for i, (row, key) in enumerate(flat))
        )
        connection.commit()
        connection.execute("VACUUM")
    finally:
        connection.close()


def _write_text(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _problems(items: Iterable[Mapping[str, Any]]) -> tuple[Problem, ...]:
    return tuple(Problem(**item) for item in items)


def _document(about: str, text: str) -> Document:
    body = json.loads(about)
    body["text"] = text
    body["authors"] = tuple(Byline(**a) for a in body["authors"])
    body["sections"] = tuple(Section(**s) for s in body["sections"])
    body["pages"] = tuple(Page(**p) for p in body["pages"])
    body["problems"] = _problems(body["problems"])
    return Document(**body)


def _reference(raw: str) -> Reference:
    body = json.loads(raw)
    body["problems"] = _problems(body["problems"])
    return Reference(**body)


def _mention(raw: str) -> Mention:
    body = json.loads(raw)
    body["candidates"] = tuple(body["candidates"])
    body["problems"] = _problems(body["problems"])
    return Mention(**body)


def _passage(raw: str, scores: Scores) -> Passage:
    body = json.loads(raw)
    del body["tokens"]
    body["sentences"] = tuple(Span(**s) for s in body["sentences"])
    body["reference_ids"] = tuple(body["reference_ids"])
    return Passage(scores=scores, **body)
