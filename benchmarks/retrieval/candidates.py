"""The passages that a search finds first, kept in a file, so that ways to order them can be tried one after another.

    python -m benchmarks.retrieval.candidates ../shared/data/scifact --keep ../eval-index --out scifact.json

The questions are those that no model of ours was trained on: SciFact's claims and `squad2_half`'s articles outside
the judge's training part (`held`: "dev" to choose weights on, "test" to report); other sets are all "test".
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tqdm import tqdm  # type: ignore[import-untyped,unused-ignore]

from benchmarks.training.examples import scifact, squad_articles
from rag.evaluate import ranking, sets, statistics
from rag.evaluate.sets import EvaluationSet
from rag.settings import Settings
from rag.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage with its fused score."""

    document: str
    title: str
    text: str
    fused: float


@dataclass(frozen=True, slots=True)
class Found:
    """A question, what is right, and its candidates, best first."""

    id: str
    held: str
    text: str
    relevant: Mapping[str, int]
    candidates: Sequence[Candidate]


def held_out(given: EvaluationSet, path: Path) -> dict[str, str]:
    """Question → "dev" or "test", for the questions kept from training."""
    shared = path.resolve().parents[1] if path.is_dir() else path.resolve().parents[2]
    if given.name == "scifact":
        claims = scifact(shared)[0]
        return {claim.id: part for part in ("dev", "test") for claim in claims[part]}
    if "squad2_half" in path.parts:
        parts = squad_articles(shared)
        passages = {q.passage: part for part in ("dev", "test") for q in parts[part]}
        titled = {d.id: passages[p] for d in given.documents for p in passages if p in d.text}
        return {
            q.id: titled[next(iter(q.relevant))]
            for q in given.queries
            if q.judged and q.judged.answerable and next(iter(q.relevant)) in titled
        }
    return {q.id: "test" for q in given.queries}


def collect(path: Path, keep: Path, sample: int | None, depth: int) -> list[dict[str, Any]]:
    """Search every held-out question of a set, on the index that `adfontes eval --keep` makes."""
    given = sets.read(path)
    workspace = Workspace(Settings(index=keep, collection=f"eval-{given.sha256[:16]}"))
    workspace.index_documents(given.documents)
    titles = {d.id: d.title or "" for d in given.documents}
    held = held_out(given, path)
    queries = [q for q in given.queries if q.id in held]
    if sample is not None and sample < len(queries):
        queries = Random(0).sample(queries, sample)  # noqa: S311  (a sample, no secret)
    found = []
    for query in tqdm(queries, mininterval=10):
        passages = workspace.search(query.text, limit=depth, kinds=("text",))[1]
        candidates = [(p.document_id, titles[p.document_id], p.text, p.scores.fused) for p in passages]
        found.append(
            {"id": query.id, "held": held[query.id], "text": query.text, "relevant": dict(query.relevant)}
            | {"candidates": candidates}
        )
    return found


def load(path: Path) -> list[Found]:
    """What `collect` found, from its file."""
    return [
        Found(**(row | {"candidates": [Candidate(*one) for one in row["candidates"]]}))
        for row in json.loads(path.read_text(encoding="utf-8"))
    ]


def measured(found: Sequence[Found], scores: Sequence[Sequence[float]]) -> dict[str, dict[str, float]]:
    """Measure → question → value of the candidates ordered by these scores, the fused order deciding between equals."""
    rankings = {}
    for one, own in zip(found, scores, strict=True):
        order = sorted(range(len(own)), key=lambda i: (-own[i], i))
        rankings[one.id] = list(dict.fromkeys(one.candidates[i].document for i in order))[: ranking.DEPTH]
    return ranking.measured({one.id: one.relevant for one in found}, rankings)


def line(name: str, found: Sequence[Found], scores: Sequence[Sequence[float]]) -> str:
    """One line of a table: nDCG@10 with its interval and, against the fused order, the paired difference."""
    own = measured(found, scores)["nDCG@10"]
    base = measured(found, [[-float(i) for i in range(len(one.candidates))] for one in found])["nDCG@10"]
    ids = [one.id for one in found]
    e = statistics.estimate([own[i] for i in ids])
    apart = statistics.compare([base[i] for i in ids], [own[i] for i in ids])
    said = f"{name:44} nDCG@10 {e.mean:.4f} ({e.low:.3f} to {e.high:.3f})" if e else name
    return said + (f"  {apart.mean:+.4f} ({apart.low:+.4f} to {apart.high:+.4f}, p {apart.p:.3f})" if apart else "")


def main() -> None:
    """Search and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--keep", type=Path, required=True, help="the folder that `adfontes eval --keep` was given")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sample", type=int, help="only so many questions")
    parser.add_argument("--depth", type=int, default=100, help="candidates of each question")
    options = parser.parse_args()
    options.out.write_text(
        json.dumps(collect(options.set, options.keep, options.sample, options.depth)), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
