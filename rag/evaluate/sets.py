"""Evaluation sets: BEIR folders, SQuAD 1.1 and 2.0 files, and our own gold format → documents and judged questions.

A BEIR folder (Thakur et al. 2021) holds `corpus.jsonl`, `queries.jsonl` and judgements in `qrels/<split>.tsv` or
`qrels.tsv`. In a SQuAD file (Rajpurkar et al. 2016, 2018) every paragraph is a document under its article's title.
The gold format names no documents: its questions are asked of a collection. Knows no index.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.errors import InputError
from rag.evaluate.answers import Judged, load
from rag.sentences import split
from rag.types import Document, Section


@dataclass(frozen=True, slots=True)
class Query:
    """A question with the documents that are right for it."""

    id: str
    text: str
    relevant: Mapping[str, int] = field(default_factory=dict)
    """Document id → grade, 1 and up."""
    judged: Judged | None = None
    """What a good answer must have, where the set says so."""


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """What an evaluation needs. `documents` is empty where a collection's own documents are asked."""

    name: str
    kind: str
    """`beir`, `squad` or `gold`."""
    documents: tuple[Document, ...]
    queries: tuple[Query, ...]
    sha256: str
    """Of everything read."""


def read(path: Path, *, split: str | None = None) -> EvaluationSet:
    """The set at `path`: a BEIR folder, a SQuAD file (`.json`) or judged questions (`.jsonl`).

    `split` chooses among a BEIR folder's judgements; without it `test`, else the only one. Raises InputError naming
    the file, the line and what it should hold.
    """
    if path.is_dir():
        return _beir(path, split)
    if path.suffix == ".json":
        return _squad(path)
    judged = load(path)
    queries = tuple(Query(j.id, j.question, judged=j) for j in judged)
    return EvaluationSet(path.stem, "gold", (), queries, hashlib.sha256(path.read_bytes()).hexdigest())


# ── BEIR ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _beir(folder: Path, split: str | None) -> EvaluationSet:
    judgements = _judgements(folder, split)
    relevant: dict[str, dict[str, int]] = {}
    for query, document, grade in _grades(judgements):
        if grade > 0:
            relevant.setdefault(query, {})[document] = grade
    texts = {str(_field(row, "_id", path, n)): str(_field(row, "text", path, n))
             for path, n, row in _lines(folder / "queries.jsonl")}  # fmt: skip
    unknown = sorted(set(relevant) - set(texts))
    if unknown:
        raise InputError(f"{judgements.name} judges the query {unknown[0]!r}, which queries.jsonl does not hold")
    documents = tuple(_abstracts(folder / "corpus.jsonl"))
    known = {d.id for d in documents}
    lost = sorted({d for judged in relevant.values() for d in judged} - known)
    if lost:
        raise InputError(f"{judgements.name} judges the document {lost[0]!r}, which corpus.jsonl does not hold")
    queries = tuple(Query(i, texts[i], relevant[i]) for i in texts if i in relevant and texts[i].strip())
    if not queries:
        raise InputError(f"{judgements.name} judges no query as answered by a document")
    return EvaluationSet(
        folder.resolve().name, "beir", documents, queries,
        _hash(folder / "corpus.jsonl", folder / "queries.jsonl", judgements),
    )  # fmt: skip


def _judgements(folder: Path, split: str | None) -> Path:
    found = {p.stem: p for p in sorted((folder / "qrels").glob("*.tsv"))}
    if not found and (folder / "qrels.tsv").is_file():
        found = {"qrels": folder / "qrels.tsv"}
    if not found:
        raise InputError(f"{folder} holds no judgements; a BEIR folder has qrels/test.tsv beside corpus.jsonl")
    wanted = split or ("test" if "test" in found else next(iter(found)) if len(found) == 1 else None)
    if wanted not in found:
        raise InputError(f"{folder} has judgements for {', '.join(found)}; name one of them as the split")
    return found[wanted]


def _grades(path: Path) -> Iterator[tuple[str, str, int]]:
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE), 1):
            cells = row if len(row) != 4 else [row[0], row[2], row[3]]  # TREC's own layout has an empty second column
            if not row or (number == 1 and not cells[-1].lstrip("-").isdigit()):
                continue
            try:
                query, document, grade = cells
                yield query, document, int(grade)
            except ValueError as error:
                raise InputError(
                    f"line {number} of {path} is no judgement ({error}); it takes query, document and grade, with tabs"
                ) from error


def _abstracts(path: Path) -> Iterator[Document]:
    for where, number, row in _lines(path):
        text = row.get("text", row.get("sentences", row.get("abstract", "")))
        body = " ".join(map(str, text)) if isinstance(text, list) else str(text)
        yield _document(str(_field(row, "_id", where, number)), str(row.get("title") or ""), body)


# ── SQuAD ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _squad(path: Path) -> EvaluationSet:
    try:
        articles = json.loads(path.read_text(encoding="utf-8"))["data"]
        documents: dict[str, Document] = {}
        ids: dict[str, str] = {}
        queries: list[Query] = []
        for article in articles:
            title = str(article.get("title") or "").replace("_", " ")
            for paragraph in article["paragraphs"]:
                context = str(paragraph["context"])
                document_id = ids.setdefault(context, f"{title or 'paragraph'} {len(ids) + 1}")
                if document_id not in documents:
                    documents[document_id] = _document(document_id, title, context)
                queries.extend(
                    _question(asked, context, document_id)
                    for asked in paragraph["qas"]
                    if str(asked["question"]).strip()  # some files hold blank ones
                )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{str(path)!r} is no SQuAD file ({error!r}); it takes data, paragraphs, context, qas"
        ) from error
    if not queries:
        raise InputError(f"{str(path)!r} holds no questions")
    return EvaluationSet(path.stem, "squad", tuple(documents.values()), tuple(queries), _hash(path))


def _question(asked: Mapping[str, Any], context: str, document_id: str) -> Query:
    answers = [str(a["text"]) for a in asked.get("answers") or [] if str(a["text"]).strip()]
    able = bool(answers) and not asked.get("is_impossible", False)
    evidence = None
    if able:
        # Some files' offsets disagree with their answers; then the first place that holds the words counts.
        start = int(asked["answers"][0].get("answer_start", -1))
        if start < 0 or not context.startswith(answers[0], start):
            start = context.find(answers[0])
        if start >= 0:
            evidence = next((s.of(context) for s in split(context) if s.start <= start < s.end), answers[0])
    judged = Judged(
        id=str(asked["id"]), question=str(asked["question"]), answerable=able,
        answers=tuple(dict.fromkeys(answers)) if able else (), evidence=evidence,
    )  # fmt: skip
    # An unanswerable question still has the paragraph it was asked about.
    return Query(judged.id, judged.question, {document_id: 1}, judged)


# ── both ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _document(document_id: str, title: str, body: str) -> Document:
    """A document as a reader would make it of a page with a heading."""
    if not title.strip():
        return Document(id=document_id, text=body, source=document_id, reader="evaluation/1")
    text = f"{title}\n\n{body}"
    section = Section(title, 1, "body", 0, len(title) + 2, len(text))
    return Document(
        id=document_id, text=text, title=title, source=document_id, reader="evaluation/1",
        sections=(section,),
    )  # fmt: skip


def _lines(path: Path) -> Iterator[tuple[Path, int, dict[str, Any]]]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    row = json.loads(line)
                    if not isinstance(row, dict):
                        raise InputError(f"line {number} of {path} is no JSON object")
                    yield path, number, row
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} cannot be read ({error}); a BEIR folder has it as one JSON object a line") from error


def _field(row: Mapping[str, Any], name: str, path: Path, number: int) -> object:
    if name not in row:
        raise InputError(f"line {number} of {path} has no {name!r}")
    return row[name]


def _hash(*paths: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
