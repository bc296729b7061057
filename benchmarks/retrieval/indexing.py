"""What is cut and embedded, varied: size and overlap of chunks, title and section in front, sentences with their title.

    python -m benchmarks.retrieval.indexing ../shared/data/scifact --keep ../eval-index --sample 120 --documents 400
    python -m benchmarks.retrieval.indexing SQUAD_FILE --keep ../eval-index --sample 200 --documents 100

On a drawn part of a set, because each row embeds it anew. Every row is the search that ships with one thing changed;
the difference from `shipped` stands beside it with its 95% interval and p (paired permutation over questions).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.retrieval import ablation
from rag.chunks import context_of
from rag.evaluate import ranking, runs, sets, statistics
from rag.lexical import question_terms
from rag.settings import Settings
from rag.store import Generation
from rag.types import Chunk, Document
from rag.workspace import Workspace

Vectors = npt.NDArray[np.float32]
Text = Callable[[Document, Sequence[Chunk], int], str]
"""What is embedded for the chunk at this place among its document's running text."""
Sentence = Callable[[Document, Chunk, int], str]
"""What is embedded for this sentence of a chunk."""
Values = Mapping[str, float]


def _shipped(document: Document, chunks: Sequence[Chunk], i: int) -> str:
    return context_of(document, chunks[i].section) + chunks[i].text


def _overlapping(document: Document, chunks: Sequence[Chunk], i: int) -> str:
    before = chunks[i - 1].sentences[-1].of(document.text) + " " if i else ""
    return context_of(document, chunks[i].section) + before + chunks[i].text


def _sentence(document: Document, chunk: Chunk, i: int) -> str:
    return chunk.sentences[i].of(document.text)


def _after_another(document: Document, chunk: Chunk, i: int) -> str:
    return " ".join(s.of(document.text) for s in chunk.sentences[max(0, i - 1) : i + 1])


EMBEDDED: Mapping[str, tuple[Text, Sentence]] = {
    "shipped": (_shipped, _sentence),
    "passages without title and section": (lambda _d, chunks, i: chunks[i].text, _sentence),
    "passages under their title alone": (lambda d, chunks, i: context_of(d, None) + chunks[i].text, _sentence),
    "passages with the sentence before": (_overlapping, _sentence),
    "sentences under their title": (_shipped, lambda d, c, i: context_of(d, None) + _sentence(d, c, i)),
    "sentences with the one before": (_shipped, _after_another),
}
SIZES = (100, 400)
"""Tokens of a chunk, besides the 200 that ship."""


class _Indexed:
    """One index of the part, asked with whatever was embedded."""

    def __init__(self, given: sets.EvaluationSet, keep: Path, tokens: int) -> None:
        self._given = given
        name = f"eval-{given.sha256[:8]}-{len(given.documents)}-{tokens}"
        self._workspace = Workspace(Settings(index=keep, collection=name, chunk_tokens=tokens))
        self._workspace.index_documents(given.documents)
        generation = self._generation = self._workspace.generation()
        self._rows = [int(row) for row in generation.rows(kinds=["text"])]
        self._documents = [p.document_id for p in generation.passages(self._rows)]
        numbers = {name: n for n, name in enumerate(dict.fromkeys(self._documents))}
        self._numbers = np.array([numbers[name] for name in self._documents])
        self._packed = generation.sparse_of(self._rows)

    def ndcg(self, embedded: tuple[Text, Sentence] | None = None) -> Values:
        """nDCG@10 by question."""
        generation, encoder, sparse = self._generation, self._workspace.encoder(), self._workspace.sparse()
        cosines = _embedded(generation, encoder.encode, embedded) if embedded else None
        low, high = encoder.scale
        rankings = {}
        for query in self._given.queries:
            vector, terms = encoder.encode_question(query.text), question_terms(query.text, generation.languages)
            asked = sparse.encode_question(query.text) if sparse else None
            passage, sentence = (
                cosines(vector)
                if cosines
                else (generation.dense_of(vector, self._rows), generation.sentence_of(vector, self._rows))
            )
            scores = ablation.fused(
                {
                    "document": self._numbers,
                    "dense": (passage - low) / (high - low),
                    "dense-sentence": (sentence - low) / (high - low),
                    "bm25": generation.lexical(terms)[self._rows],
                    "bm25-document": generation.lexical_of_documents(terms)[self._rows],
                    "bm25-sentence": generation.lexical_of_sentences(terms)[self._rows],
                    "sparse": (
                        sparse.scores(asked, self._packed)
                        if sparse and asked is not None
                        else np.zeros(len(self._rows), dtype=np.float32)
                    ),
                }
            )
            best = np.argsort(-scores, kind="stable")
            rankings[query.id] = list(dict.fromkeys(self._documents[i] for i in best))[: ranking.DEPTH]
        return ranking.measured({q.id: q.relevant for q in self._given.queries}, rankings)["nDCG@10"]


def _embedded(
    generation: Generation, encode: Callable[[list[str]], Vectors], how: tuple[Text, Sentence]
) -> Callable[[Vectors], tuple[Vectors, Vectors]]:
    """Embed the running text anew; what is returned gives the cosines of passages and of their best sentences."""
    of_passage, of_sentence = how
    passages: list[str] = []
    sentences: list[str] = []
    first = []
    for about in generation.documents():
        document = generation.document(about.id)
        chunks = [c for c in generation.chunks(about.id) if c.kind == "text"]
        for i, chunk in enumerate(chunks):
            passages.append(of_passage(document, chunks, i))
            first.append(len(sentences))
            sentences.extend(of_sentence(document, chunk, k) for k in range(len(chunk.sentences)))
    texts, spans, starts = encode(passages), encode(sentences), np.array(first)

    def cosines(vector: Vectors) -> tuple[Vectors, Vectors]:
        best: Vectors = np.maximum.reduceat(spans @ vector, starts)
        return texts @ vector, best

    return cosines


def main() -> None:
    """Print and, with --json, write a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--keep", type=Path, required=True, help="folder for the indexes, kept")
    parser.add_argument("--sample", type=int, default=120, help="questions drawn")
    parser.add_argument("--documents", type=int, default=400, help="documents: the right ones and others beside them")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    given = runs.sampled(sets.read(options.set), options.sample, options.documents)
    table: dict[str, Any] = {}

    def row(name: str, values: Values) -> None:
        mean = float(np.mean(list(values.values())))
        table[name] = {"nDCG@10": round(mean, 4)}
        line = f"{name:36} {mean:.4f}"
        if name != "shipped":
            apart = statistics.compare([shipped[q] for q in values], list(values.values()))
            if apart is not None:
                table[name] |= {"difference": round(apart.mean, 4), "p": round(apart.p, 4)}
                line += f"  {apart.mean:+.4f} ({apart.low:+.4f} to {apart.high:+.4f}), p {apart.p:.3f}"
        print(line, flush=True)

    usual = _Indexed(given, options.keep, Settings().chunk_tokens)
    shipped = usual.ndcg()
    row("shipped", shipped)
    for name, how in EMBEDDED.items():
        if name != "shipped":
            row(name, usual.ndcg(how))
    for tokens in SIZES:
        row(f"chunks of {tokens} tokens", _Indexed(given, options.keep, tokens).ndcg())
    if options.json is not None:
        options.json.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
