"""What each part of a search is worth: every way to score and to fuse, on one public set, from one index.

    python -m benchmarks.retrieval.ablation ../shared/data/scifact --keep ../eval-index
    python -m benchmarks.retrieval.ablation ../shared/data/squad2_half/dev-v2.0.json --sample 2000 --only rrf share

The index is the one that `adfontes eval` makes and keeps (`--keep`), so nothing is embedded twice. A document counts
with its best passage. README.md holds the figures, and what was tried besides.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.evaluate import ranking, runs, sets, statistics
from rag.lexical import question_terms
from rag.settings import Settings
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


VARIANTS: Mapping[str, Callable[[Parts], Scores]] = {
    "dense": lambda p: p["dense"],
    "dense-sentence": lambda p: p["dense-sentence"],
    "dense-both": lambda p: placed(p, 0.55),
    "dense-max": lambda p: np.maximum(p["dense"], p["dense-sentence"]),
    "bm25": lambda p: p["bm25"],
    "bm25-document": lambda p: p["bm25-document"],
    "bm25-sentence": lambda p: p["bm25-sentence"],
    "bm25-three": lambda p: grains(p, 0.5, 0.25, 0.25),
    "rrf": lambda p: reciprocal(p["dense"]) + reciprocal(p["bm25"]),
    "minmax": lambda p: 0.6 * minmax(p["dense"]) + 0.4 * minmax(p["bm25"]),
    "zscore": lambda p: 0.6 * zscore(p["dense"]) + 0.4 * zscore(p["bm25"]),
    "share": lambda p: 0.6 * p["dense"] + 0.4 * share(p["bm25"]),
    "share+sentence": lambda p: 0.6 * placed(p, 0.55) + 0.4 * share(p["bm25"]),
    "share+max": lambda p: 0.6 * np.maximum(p["dense"], p["dense-sentence"]) + 0.4 * share(p["bm25"]),
    "share+sentence+document": lambda p: 0.6 * placed(p, 0.55) + 0.4 * grains(p, 0.5, 0.5, 0.0),
    "share+sentences": lambda p: 0.6 * placed(p, 0.55) + 0.4 * grains(p, 0.0, 0.75, 0.25),
    "shipped": lambda p: 0.6 * placed(p, 0.55) + 0.4 * grains(p, 0.5, 0.25, 0.25),
    "shipped, dense weight 0.4": lambda p: 0.4 * placed(p, 0.55) + 0.6 * grains(p, 0.5, 0.25, 0.25),
    "shipped, dense weight 0.5": lambda p: 0.5 * placed(p, 0.55) + 0.5 * grains(p, 0.5, 0.25, 0.25),
    "shipped, dense weight 0.7": lambda p: 0.7 * placed(p, 0.55) + 0.3 * grains(p, 0.5, 0.25, 0.25),
}


def main() -> None:
    """Print and, with --json, write a table of variants."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument(
        "--keep", type=Path, required=True, help="folder of the index, as `adfontes eval --keep` has it"
    )
    parser.add_argument("--sample", type=int, help="only so many questions")
    parser.add_argument("--answerable", action="store_true", help="only questions that their document answers")
    parser.add_argument("--only", nargs="*", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    given = runs.sampled(sets.read(options.set), options.sample)
    workspace = Workspace(Settings(index=options.keep, collection=f"eval-{given.sha256[:16]}"))
    workspace.index_documents(given.documents)
    generation, encoder = workspace.generation(), workspace.encoder()
    low, high = encoder.scale
    rows = [int(row) for row in generation.rows(kinds=["text"])]
    documents = [p.document_id for p in generation.passages(rows)]
    queries = [q for q in given.queries if not options.answerable or (q.judged and q.judged.answerable)]
    rankings: dict[str, dict[str, list[str]]] = {name: {} for name in options.only}
    for query in queries:
        vector, terms = encoder.encode_question(query.text), question_terms(query.text, generation.languages)
        parts = {
            "dense": (generation.dense_of(vector, rows) - low) / (high - low),
            "dense-sentence": (generation.sentence_of(vector, rows) - low) / (high - low),
            "bm25": generation.lexical(terms)[rows],
            "bm25-document": generation.lexical_of_documents(terms)[rows],
            "bm25-sentence": generation.lexical_of_sentences(terms)[rows],
        }
        for name in options.only:
            best = np.argsort(-VARIANTS[name](parts), kind="stable")[: 3 * ranking.DEPTH]
            rankings[name][query.id] = list(dict.fromkeys(documents[i] for i in best))[: ranking.DEPTH]
    relevant = {q.id: q.relevant for q in queries}
    table = {}
    for name in options.only:
        values = ranking.measured(relevant, rankings[name])
        estimates = {m: statistics.estimate(list(v.values())) for m, v in values.items()}
        table[name] = {m: e.mean for m, e in estimates.items() if e is not None}
        print(f"{name:28}", "  ".join(f"{m} {v:.4f}" for m, v in table[name].items()), flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
