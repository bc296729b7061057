"""One built state of an index, open for reading."""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.errors import IndexDamagedError, IndexMissingError, NotFoundError
from rag.store import records
from rag.store.folder import current, verify
from rag.store.layout import KnownVectors, Layout, best_of, ranges
from rag.store.postings import Postings
from rag.store.rows import StoredVectors, Vectors, cosines
from rag.store.vectors import VectorIndex
from rag.store.words import Levels, Words
from rag.store.writer import CHUNK_KINDS
from rag.types import Chunk, Document, IndexState, Mention, Passage, Problem, Reference, Scores

_TERMS = 50_000
"""Terms whose numbers are remembered; beyond that they are looked up anew."""


class Generation:
    """One built state of an index, open for reading. Safe to share between threads; never changes."""

    def __init__(self, folder: Path, generation: str, manifest: dict[str, Any], manifest_sha256: str) -> None:
        self.folder = folder / generation
        self.manifest = manifest
        self.state = IndexState(folder.name, generation, manifest_sha256, str(manifest["built_at"]))
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        # A connection and its cache of statements hold each other, so it has to be closed to let go of its file.
        weakref.finalize(self, _close, self._connections).atexit = False
        shape, counts = manifest["vector_index"], manifest["counts"]
        dimension = int(shape["dimension"])
        self._chunks = VectorIndex(self.folder, "chunks", shape["chunks"], dimension, int(counts["chunks"]))
        self._sentences = StoredVectors(self.folder, "sentences", int(counts["sentences"]), dimension)
        self._layout = Layout(self.folder / "layout", counts)
        self._levels = Levels(
            Postings(self.folder / "lexical" / "documents", int(counts["documents"])),
            Postings(self.folder / "lexical" / "chunks", int(counts["chunks"])),
            Postings(self.folder / "lexical" / "sentences", int(counts["sentences"])),
            self._layout.document,
            self._layout.first_sentence,
        )
        self._terms: dict[str, int | None] = {}
        width = int(shape.get("sparse") or 0)
        self._sparse = StoredVectors(self.folder, "sparse", int(counts["chunks"]), width) if width else None

    @classmethod
    def open(cls, folder: Path, generation: str | None = None, *, every_byte: bool = False) -> Generation:
        """Open a generation (the live one by default) after checking its files (see `verify`).

        Vectors that are read one by one are checked then. Raises IndexMissingError when nothing is built,
        IndexDamagedError when a file is not what was written.
        """
        name = generation or current(folder)
        if name is None:
            raise IndexMissingError(f"collection {folder.name!r} has no index yet; build it with `adfontes rebuild`")
        return cls(folder, name, *verify(folder, name, every_byte=every_byte))

    # ── what it holds ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def size(self) -> int:
        """The number of chunks."""
        return self._chunks.size

    @property
    def languages(self) -> list[str]:
        """The languages of the documents, for reading a question as they were read."""
        return [str(x) for x in self.manifest.get("languages", [])]

    def documents(self) -> list[Document]:
        """All documents, without their text."""
        return list(self._documents)

    @cached_property
    def _documents(self) -> list[Document]:
        rows = self._sql("SELECT about, '' FROM documents ORDER BY ord")
        return [records.document(about, text) for about, text in rows]

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
        return records.document(*rows[0])

    def attached(self, reference_id: str) -> tuple[str, ...]:
        """The documents that are the listed work itself, the surest first."""
        return self._attached.get(reference_id, ())

    @cached_property
    def _attached(self) -> dict[str, tuple[str, ...]]:
        rows = self._sql(
            "SELECT json_extract(a.value, '$.reference_id'), d.id "
            "FROM documents d, json_each(d.about, '$.attachments') a "
            "ORDER BY json_extract(a.value, '$.confidence') DESC, d.ord"
        )
        found: dict[str, tuple[str, ...]] = {}
        for reference_id, document_id in rows:
            found[reference_id] = (*found.get(reference_id, ()), document_id)
        return found

    def references(self, document_id: str | None = None) -> list[Reference]:
        """The bibliography entries, of one document or of all, in list order."""
        rows = self._listed("refs", document_id)
        return [records.reference(body) for (body,) in rows]

    def reference_ids(self, document_id: str) -> list[str]:
        """The ids of a document's bibliography entries, in list order."""
        return [str(i) for (i,) in self._sql("SELECT id FROM refs WHERE document_id = ? ORDER BY ord", document_id)]

    def reference_at(self, document_id: str, place: int) -> Reference:
        """The entry at this place, from 0, of a document's list. Raises IndexError."""
        query = "SELECT body FROM refs WHERE document_id = ? ORDER BY ord LIMIT 1 OFFSET ?"
        return records.reference(self._sql(query, document_id, place)[0][0])

    def reference(self, reference_id: str) -> Reference:
        """One bibliography entry. Raises NotFoundError."""
        rows = self._sql("SELECT body FROM refs WHERE id = ?", reference_id)
        if not rows:
            raise NotFoundError(
                f"reference {reference_id!r} is not in {self.state.collection!r}; `GET /v1/references` lists all"
            )
        return records.reference(rows[0][0])

    def mentions(self, document_id: str) -> list[Mention]:
        """The in-text citations of a document, in text order."""
        rows = self._sql('SELECT body FROM mentions WHERE document_id = ? ORDER BY start, "end"', document_id)
        return [records.mention(body) for (body,) in rows]

    def problems(self, document_id: str | None = None) -> list[Problem]:
        """What the audit found, of one document, or of all and of the sources that were left out."""
        found = [records.problem(body) for (body,) in self._listed("problems", document_id)]
        out = self.manifest.get("skipped", []) if document_id is None else ()
        return [*found, *(Problem("source-left-out", f"{s['source']}: {s['reason']}", "error") for s in out)]

    def _listed(self, table: str, document_id: str | None) -> list[tuple[Any, ...]]:
        if document_id is None:
            return self._sql(f"SELECT body FROM {table} ORDER BY ord")  # noqa: S608  (ours)
        return self._sql(f"SELECT body FROM {table} WHERE document_id = ? ORDER BY ord", document_id)  # noqa: S608

    def chunks(self, document_id: str) -> list[Chunk]:
        """The chunks of a document, in row order."""
        rows = self._sql("SELECT body FROM chunks WHERE document_id = ? ORDER BY row", document_id)
        return [records.chunk(body) for (body,) in rows]

    def passages(self, rows: Sequence[int], scores: Sequence[Scores] | None = None) -> list[Passage]:
        """The chunks of these rows as passages, in the order asked for."""
        if not rows:
            return []
        marks = ",".join("?" * len(rows))
        found = dict(self._sql(f"SELECT row, body FROM chunks WHERE row IN ({marks})", *map(int, rows)))  # noqa: S608  (marks only)
        given = scores or [Scores()] * len(rows)
        if len(found) < len(set(map(int, rows))):
            raise IndexDamagedError(f"{self.folder.name}: store.sqlite lacks chunks that the other files name")
        return [records.passage(found[int(row)], score) for row, score in zip(rows, given, strict=True)]

    def passage(self, passage_id: str) -> Passage:
        """One chunk by its id. Raises NotFoundError."""
        rows = self._sql("SELECT body FROM chunks WHERE id = ?", passage_id)
        if not rows:
            raise NotFoundError(
                f"passage {passage_id!r} is not in {self.state.collection!r}; it may be of an older generation"
            )
        return records.passage(rows[0][0], Scores())

    def passage_at(self, document_id: str, offset: int) -> Passage | None:
        """The chunk that holds this character of a document, if one does."""
        rows = self._sql(
            "SELECT body FROM chunks WHERE document_id = ? AND start <= ? ORDER BY start DESC LIMIT 8",
            document_id,
            offset,
        )
        return next((p for (body,) in rows if (p := records.passage(body, Scores())).start <= offset < p.end), None)

    # ── finding ──────────────────────────────────────────────────────────────────────────────────────────────

    def dense(self, vector: Vectors, k: int, rows: npt.NDArray[np.int64] | None = None) -> list[tuple[int, float]]:
        """The `k` chunks nearest to a unit vector (shape (d,)): (row, cosine), best first; among `rows` if given."""
        return self._chunks.search(vector, k, rows)

    def dense_of(self, vector: Vectors, rows: Sequence[int]) -> Vectors:
        """The cosine of these chunks with a unit vector, shape (len(rows),)."""
        return cosines(self.vectors_of(rows), vector)

    def vectors_of(self, rows: Sequence[int]) -> Vectors:
        """The vectors of these chunks, shape (len(rows), d)."""
        return self._chunks.of(rows)

    def documents_of(self, rows: Sequence[int]) -> npt.NDArray[np.int32]:
        """The number of each chunk's document, shape (len(rows),)."""
        return self._layout.document[np.asarray(rows, dtype=np.int64)]

    def words(
        self, terms: Sequence[str], shares: tuple[float, float, float], rows: npt.NDArray[np.int64] | None = None
    ) -> Words:
        """BM25 of document, chunk and best sentence for these terms, weighted by `shares`; among `rows` if given."""
        return Words(self._levels, self._numbers(terms), shares, rows)

    def lexical(self, terms: Sequence[str]) -> npt.NDArray[np.float32]:
        """BM25 of every chunk for these terms, shape (size,)."""
        return self._levels.chunks.scores(self._numbers(terms))

    def lexical_of_documents(self, terms: Sequence[str]) -> npt.NDArray[np.float32]:
        """BM25 of every chunk's document for these terms, shape (size,)."""
        return self._levels.documents.scores(self._numbers(terms))[self._layout.document]

    def lexical_of_sentences(self, terms: Sequence[str]) -> npt.NDArray[np.float32]:
        """BM25 of every chunk's best sentence for these terms, shape (size,)."""
        scores = self._levels.sentences.scores(self._numbers(terms))
        return best_of(scores, self._layout.first_sentence)

    @property
    def weighed_by(self) -> str | None:
        """The fingerprint of the model of the chunks' sparse vectors; None where there are none."""
        found = (self.manifest.get("sparse") or {}).get("fingerprint")
        return str(found) if found and self._sparse is not None else None

    def sparse_of(self, rows: Sequence[int]) -> Vectors:
        """The learned sparse vectors of these chunks, as the sparse encoder packs them. For `weighed_by` only."""
        if self._sparse is None:
            raise ValueError(f"generation {self.state.generation!r} has no sparse vectors")
        return self._sparse.of(rows)

    def _numbers(self, terms: Sequence[str]) -> list[int]:
        found = [n for t in terms if (n := self._term(t)) is not None]
        if any(not 0 <= n < self._levels.chunks.vocabulary for n in found):
            raise IndexDamagedError(f"{self.folder.name}: store.sqlite names terms that have no postings")
        return found

    def idf(self, term: str) -> float:
        """Inverse document frequency of a term over the chunks: ln(1 + (N − n + ½) / (n + ½))."""
        number = self._term(term)
        n = 0 if number is None else self._levels.chunks.frequency(number)
        return float(np.log1p((self.size - n + 0.5) / (n + 0.5)))

    def _term(self, term: str) -> int | None:
        # No lru_cache: it would hold the generation that holds it, and files would stay open until cycles are found.
        remembered = self._terms  # replaced, never emptied: another thread may be looking into it
        if term in remembered:
            return remembered[term]
        found = self._find_term(term)
        if len(remembered) >= _TERMS:
            self._terms = remembered = {}
        remembered[term] = found
        return found

    def _find_term(self, term: str) -> int | None:
        return next((int(n) for (n,) in self._sql("SELECT id FROM terms WHERE term = ?", term)), None)

    def sentence_of(self, vector: Vectors, rows: Sequence[int]) -> Vectors:
        """The highest cosine of a sentence of each of these chunks with a unit vector, shape (len(rows),)."""
        if not len(rows):
            return np.zeros(0, dtype=np.float32)
        wanted, places = ranges(self._layout.first_sentence, np.asarray(rows, dtype=np.int64))
        return best_of(cosines(self._sentences.of(wanted), vector), places)

    def sentence_vectors(self, passage_id: str) -> Vectors:
        """The vectors of a chunk's sentences in their order, shape (sentences, d)."""
        rows = np.array([row for (row,) in self._sql("SELECT row FROM chunks WHERE id = ?", passage_id)], np.int64)
        return self._sentences.of(ranges(self._layout.first_sentence, rows)[0])

    def rows(
        self, *, documents: Sequence[str] | None = None, kinds: Sequence[str] | None = None
    ) -> npt.NDArray[np.int64]:
        """The rows of the chunks of these documents and kinds, for a filtered search."""
        keep = np.ones(self.size, dtype=bool)
        if documents is not None:
            chosen = np.zeros(self._levels.documents.size, dtype=bool)
            chosen[[n for i in documents if (n := self._ordinals.get(i)) is not None]] = True
            keep &= chosen[self._layout.document]
        if kinds is not None:
            keep &= np.isin(self._layout.kind, [CHUNK_KINDS.index(k) for k in kinds if k in CHUNK_KINDS])
        return np.flatnonzero(keep)

    def rows_citing(self, reference_ids: Sequence[str]) -> npt.NDArray[np.int64]:
        """The rows of the chunks that cite at least one of these entries."""
        marks = ",".join("?" * len(reference_ids))
        query = (
            "SELECT DISTINCT row FROM chunks, json_each(chunks.body, '$.reference_ids') AS cited "  # noqa: S608  (marks only)
            f"WHERE cited.value IN ({marks}) ORDER BY row"
        )
        return np.array([row for (row,) in self._sql(query, *reference_ids)], dtype=np.int64)

    def rows_within(self, spans: Mapping[str, Sequence[tuple[int, int]]]) -> npt.NDArray[np.int64]:
        """The rows of the chunks that lie within one of these spans of their document."""
        found = [np.zeros(0, dtype=np.int64)]
        for document_id, own in spans.items():
            number = self._ordinals.get(document_id)
            if number is None:
                continue
            first, last = np.searchsorted(self._layout.document, np.array([number, number + 1], dtype=np.int32))
            starts = self._layout.start[first:last]
            found += [first + np.flatnonzero((starts >= start) & (starts < end)) for start, end in own]
        return np.unique(np.concatenate(found))

    @cached_property
    def _ordinals(self) -> dict[str, int]:
        return dict(self._sql("SELECT id, ord FROM documents"))

    def known_vectors(self) -> tuple[KnownVectors, ...]:
        """The vectors of chunks and of sentences by the hash of what was embedded, for a rebuild to reuse."""
        return (
            KnownVectors(self._layout.chunk_keys, self._chunks),
            KnownVectors(self._layout.sentence_keys, self._sentences),
        )

    def known_sparse(self) -> tuple[KnownVectors, ...]:
        """The sparse vectors of chunks by the hash of what was embedded, for a rebuild to reuse."""
        return (KnownVectors(self._layout.chunk_keys, self._sparse),) if self._sparse is not None else ()

    def _sql(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        try:
            connection = getattr(self._local, "connection", None)
            if connection is None:
                uri = f"{(self.folder / 'store.sqlite').resolve().as_uri()}?mode=ro&immutable=1"
                connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
                self._local.connection = connection
                self._connections.append(connection)
            return list(connection.execute(query, parameters))
        except sqlite3.DatabaseError as error:
            raise IndexDamagedError(f"{self.folder.name}: store.sqlite cannot be read ({error})") from error


def _close(connections: Iterable[sqlite3.Connection]) -> None:
    for connection in connections:
        connection.close()
