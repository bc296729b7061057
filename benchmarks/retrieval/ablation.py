"""What each part of a search is worth: every way to score and to fuse, on one public set, from one index.

    python -m benchmarks.retrieval.ablation ../shared/data/scifact --keep ../eval-index
    python -m benchmarks.retrieval.ablation ../shared/data/squad2_half/dev-v2.0.json --sample 2000 --only rrf share

The index is the one that `adfontes eval` makes and keeps (`--keep`), so nothing is embedded twice. A document counts
with its best passage. README.md holds the figures, and what was tried besides.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.evaluate import ranking, runs, sets, statistics
from rag.lexical import question_terms
from rag.settings import Settings
from rag.store import Generation
from rag.workspace import Workspace

Scores = npt.NDArray[Any]
Parts = Mapping[str, Scores]


def share(scores: Scores) -> Scores:
    """Every score as a share of the best."""
    placed: Scores = scores / max(float(scores.max()), 1e-9)
    return placed


def minmax(scores: Scores) -> Scores:
    """Every score by its place between the lowest and the highest."""
    low, high = float(scores.min()), float(scores.max())
    placed: Scores = (scores - low) / max(high - low, 1e-9)
    return placed


def zscore(scores: Scores) -> Scores:
    """Every score in standard deviations from the mean."""
    placed: Scores = (scores - scores.mean()) / max(float(scores.std()), 1e-9)
    return placed


def reciprocal(scores: Scores) -> Scores:
    """The reciprocal of a score's rank and 60 (Cormack, Clarke and Büttcher 2009)."""
    ranks = np.empty(len(scores), dtype=np.float32)
    ranks[np.argsort(-scores, kind="stable")] = np.arange(len(scores), dtype=np.float32)
    found: Scores = 1 / (61 + ranks)
    return found


def grains(p: Parts, document: float, passage: float, sentence: float) -> Scores:
    """BM25 of three grains as shares."""
    return document * share(p["bm25-document"]) + passage * share(p["bm25"]) + sentence * share(p["bm25-sentence"])


def placed(p: Parts, of_passage: float) -> Scores:
    """Cosines by their place between the encoder's averages."""
    return of_passage * p["dense"] + (1 - of_passage) * p["dense-sentence"]


def with_best(scores: Scores, document: Scores, own: float) -> Scores:
    """Scores of which only a share is the passage's own; the rest is the best of its document."""
    best = np.full(int(document.max()) + 1, -np.inf, dtype=np.float32)
    np.maximum.at(best, document, scores)
    found: Scores = own * scores + (1 - own) * best[document]
    return found


def lexical(p: Parts, learned: float = 0.3, own: float = 1.0) -> Scores:
    """BM25 of three grains with learned sparse vectors, where the question has them."""
    words = grains(p, 0.5, 0.25, 0.25)
    if not p["sparse"].any():
        return words
    return (1 - learned) * words + learned * with_best(share(p["sparse"]), p["document"], own)


def meaning(p: Parts, own: float = 0.5) -> Scores:
    """The dense side that ships."""
    near, sentence = (with_best(p[name], p["document"], own) for name in ("dense", "dense-sentence"))
    return 0.55 * near + 0.45 * sentence


def fused(p: Parts, dense: float = 0.5, learned: float = 0.3, own: float = 0.5) -> Scores:
    """The sum that ships, with other weights on request."""
    return dense * meaning(p, own) + (1 - dense) * lexical(p, learned, own)


def with_neighbours(p: Parts, share_of_each: float) -> Scores:
    """Each passage with a part of what the passages before and after it in its document score."""
    own = fused(p)
    same = p["document"][1:] == p["document"][:-1]
    found: Scores = own.copy()
    found[1:] += share_of_each * np.where(same, own[:-1], own[1:])
    found[:-1] += share_of_each * np.where(same, own[1:], own[:-1])
    return found


VARIANTS: Mapping[str, Callable[[Parts], Scores]] = {
    "dense": lambda p: p["dense"],
    "dense-sentence": lambda p: p["dense-sentence"],
    "dense-document": lambda p: p["dense-document"],
    "dense-title": lambda p: p["dense-title"],
    "dense-both": lambda p: placed(p, 0.55),
    "dense-max": lambda p: np.maximum(p["dense"], p["dense-sentence"]),
    "bm25": lambda p: p["bm25"],
    "bm25-document": lambda p: p["bm25-document"],
    "bm25-sentence": lambda p: p["bm25-sentence"],
    "bm25-three": lambda p: grains(p, 0.5, 0.25, 0.25),
    "sparse": lambda p: p["sparse"],
    "bm25-three+sparse": lexical,
    "rrf": lambda p: reciprocal(p["dense"]) + reciprocal(p["bm25"]),
    "minmax": lambda p: 0.6 * minmax(p["dense"]) + 0.4 * minmax(p["bm25"]),
    "zscore": lambda p: 0.6 * zscore(p["dense"]) + 0.4 * zscore(p["bm25"]),
    "share": lambda p: 0.6 * p["dense"] + 0.4 * share(p["bm25"]),
    "share+sentence": lambda p: 0.6 * placed(p, 0.55) + 0.4 * share(p["bm25"]),
    "share+max": lambda p: 0.6 * np.maximum(p["dense"], p["dense-sentence"]) + 0.4 * share(p["bm25"]),
    "share+sentence+document": lambda p: 0.6 * placed(p, 0.55) + 0.4 * grains(p, 0.5, 0.5, 0.0),
    "share+sentences": lambda p: 0.6 * placed(p, 0.55) + 0.4 * grains(p, 0.0, 0.75, 0.25),
    "five, dense weight 0.5": lambda p: fused(p, 0.5, 0.0, 1.0),
    "five, dense weight 0.6": lambda p: fused(p, 0.6, 0.0, 1.0),
    "five and learned": lambda p: fused(p, own=1.0),
    "… cosines with their document's": lambda p: 0.5 * meaning(p) + 0.5 * lexical(p),
    "shipped": fused,
    "shipped, own share 0.25": lambda p: fused(p, own=0.25),
    "shipped, own share 0.75": lambda p: fused(p, own=0.75),
    "shipped, learned 0.2": lambda p: fused(p, learned=0.2),
    "shipped, learned 0.4": lambda p: fused(p, learned=0.4),
    "shipped, learned 0.5": lambda p: fused(p, learned=0.5),
    "shipped, dense weight 0.4": lambda p: fused(p, 0.4),
    "shipped, dense weight 0.6": lambda p: fused(p, 0.6),
    "shipped, dense weight 0.7": lambda p: fused(p, 0.7),
    "shipped, document's cosine 0.2": lambda p: fused(p) + 0.1 * (p["dense-document"] - meaning(p)),
    "shipped, title's cosine 0.1": lambda p: fused(p) + 0.05 * (p["dense-title"] - meaning(p)),
    "shipped, neighbours 0.1": lambda p: with_neighbours(p, 0.1),
}
ONCE = "shipped, near-duplicates once"
"""A passage whose cosine with a better one is above `SAME` is left out."""
SAME = 0.95
NAMES = (*VARIANTS, ONCE)


def table(
    given: sets.EvaluationSet, keep: Path, only: Sequence[str] = NAMES, *, answerable: bool = False
) -> dict[str, dict[str, float]]:
    """Every measure's mean, by variant; the index is made in `keep` or taken from there."""
    workspace = Workspace(Settings(index=keep, collection=f"eval-{given.sha256[:16]}"))
    workspace.index_documents(given.documents)
    generation, encoder, sparse = workspace.generation(), workspace.encoder(), workspace.sparse()
    rows = [int(row) for row in generation.rows(kinds=["text"])]
    documents = [p.document_id for p in generation.passages(rows)]
    of_texts = _Cosines(generation, encoder.scale, rows, documents)
    packed = generation.sparse_of(rows)
    queries = [q for q in given.queries if not answerable or (q.judged and q.judged.answerable)]
    rankings: dict[str, dict[str, list[str]]] = {name: {} for name in only}
    for query in queries:
        vector, terms = encoder.encode_question(query.text), question_terms(query.text, generation.languages)
        asked = sparse.encode_question(query.text) if sparse else None
        parts = {
            **of_texts(vector),
            "bm25": generation.lexical(terms)[rows],
            "bm25-document": generation.lexical_of_documents(terms)[rows],
            "bm25-sentence": generation.lexical_of_sentences(terms)[rows],
            "sparse": sparse.scores(asked, packed) if sparse and asked is not None else np.zeros(len(rows)),
        }
        for name in only:
            scores = VARIANTS.get(name, fused)(parts)
            best = np.argsort(-scores, kind="stable")[: 3 * ranking.DEPTH].tolist()
            if name == ONCE:
                best = of_texts.once(best)
            rankings[name][query.id] = list(dict.fromkeys(documents[i] for i in best))[: ranking.DEPTH]
    relevant = {q.id: q.relevant for q in queries}
    found = {}
    for name in only:
        values = ranking.measured(relevant, rankings[name])
        estimates = {m: statistics.estimate(list(v.values())) for m, v in values.items()}
        found[name] = {m: e.mean for m, e in estimates.items() if e is not None}
        print(f"{name:32}", "  ".join(f"{m} {v:.4f}" for m, v in found[name].items()), flush=True)
    return found


class _Cosines:
    """A question's cosine with passages, their sentences, titles and documents, placed by the encoder's scale."""

    def __init__(
        self, generation: Generation, scale: tuple[float, float], rows: Sequence[int], documents: Sequence[str]
    ) -> None:
        self._generation, self._scale, self._rows = generation, scale, rows
        numbers = {name: n for n, name in enumerate(dict.fromkeys(documents))}
        self.document = np.array([numbers[name] for name in documents])
        self._passages = np.concatenate([generation.vectors_of(rows[i : i + 5000]) for i in range(0, len(rows), 5000)])
        self._documents = np.zeros((len(numbers), self._passages.shape[1]), dtype=np.float32)
        np.add.at(self._documents, self.document, self._passages)
        self._documents /= np.maximum(np.linalg.norm(self._documents, axis=1, keepdims=True), 1e-9)
        self._titles = np.zeros_like(self._documents)
        titles = [int(row) for row in generation.rows(kinds=["about"])]
        for row, passage in zip(titles, generation.passages(titles), strict=True):
            if passage.document_id in numbers:
                self._titles[numbers[passage.document_id]] = generation.vectors_of([row])[0]

    def __call__(self, vector: Scores) -> dict[str, Scores]:
        low, high = self._scale
        found = {
            "dense": self._passages @ vector,
            "dense-sentence": self._generation.sentence_of(vector, self._rows),
            "dense-document": (self._documents @ vector)[self.document],
            "dense-title": (self._titles @ vector)[self.document],
        }
        return {name: (cosine - low) / (high - low) for name, cosine in found.items()} | {"document": self.document}

    def once(self, best: Sequence[int]) -> list[int]:
        """Of these passages, best first, those that are not nearly the same as one before."""
        kept: list[int] = []
        for i in best:
            if not kept or float((self._passages[kept] @ self._passages[i]).max()) <= SAME:
                kept.append(i)
        return kept


def main() -> None:
    """Print and, with --json, write a table of variants."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument(
        "--keep", type=Path, required=True, help="folder of the index, as `adfontes eval --keep` has it"
    )
    parser.add_argument("--sample", type=int, help="only so many questions")
    parser.add_argument("--answerable", action="store_true", help="only questions that their document answers")
    parser.add_argument("--only", nargs="*", choices=NAMES, default=NAMES)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    given = runs.sampled(sets.read(options.set), options.sample)
    found = table(given, options.keep, options.only, answerable=options.answerable)
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
