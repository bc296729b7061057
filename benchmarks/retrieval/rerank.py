"""Whether reading the best passages again lifts a search: a checkpoint of the re-ranker, or any re-ranker by name.

    python -m benchmarks.retrieval.rerank scifact.json squad.json --checkpoint ../reranker/latest.pt
    python -m benchmarks.retrieval.rerank scifact.json squad.json --name judge --sample 100

The files come from `candidates.py`. Scores are added to the fused ones with a weight; which weight and how many
passages are read is chosen on the questions of "dev", and the figures of "test" count.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import torch
from tqdm import tqdm  # type: ignore[import-untyped,unused-ignore]

from benchmarks.retrieval.candidates import Candidate, Found, line, load
from benchmarks.training.model import RerankerModel, restored
from benchmarks.training.train_judge import tokenizer_of_start
from benchmarks.training.train_reranker import Layout
from rag.encoder import load_reranker

Score = Callable[[str, Sequence[Candidate]], list[float]]
WEIGHTS = (0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2)


def of_checkpoint(path: Path, *, bfloat16: bool) -> Score:
    """The scores of a checkpoint of train_reranker.py, or, of an exported judge, what training begins with."""
    model = RerankerModel().eval()
    if path.suffix == ".onnx":
        model.start_from(restored(path))
    else:
        model.load_state_dict(torch.load(path, weights_only=True)["model"])
    layout = Layout(tokenizer_of_start())

    def score(question: str, candidates: Sequence[Candidate]) -> list[float]:
        pairs = [layout(question, c.title, c.text) for c in candidates]
        ids = torch.zeros((len(pairs), max(len(one) for one, _ in pairs)), dtype=torch.long)
        types, mask = torch.zeros_like(ids), torch.zeros_like(ids)
        for row, (one, kinds) in enumerate(pairs):
            ids[row, : len(one)], types[row, : len(one)] = torch.tensor(one), torch.tensor(kinds)
            mask[row, : len(one)] = 1
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
            return [float(x) for x in model(ids, types, mask)]

    return score


def mixed(found: Sequence[Found], scores: Sequence[Sequence[float]], depth: int, weight: float) -> list[list[float]]:
    """Fused and weighted score of the first `depth`; the others stay behind them. Weight 0 is the score alone."""
    return [
        [
            ((c.fused if weight else 0.0) + (weight or 1.0) * s[i]) if i < depth else -1000.0 - i
            for i, c in enumerate(one.candidates)
        ]
        for one, s in zip(found, scores, strict=True)
    ]


def main() -> None:
    """Score, keep the scores beside, and print a table for each set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument(
        "--checkpoint", type=Path, help="of train_reranker.py; a judge.onnx is what training begins with"
    )
    parser.add_argument("--name", help="a re-ranker as the setting takes it")
    parser.add_argument("--sample", type=int, help="only so many questions of each part")
    parser.add_argument("--depth", type=int, default=20, help="passages read")
    parser.add_argument("--out", type=Path, help="keep the scores in this file")
    parser.add_argument("--bfloat16", action=argparse.BooleanOptionalAction, default=True, help="fast with AMX only")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.checkpoint:
        score = of_checkpoint(options.checkpoint, bfloat16=options.bfloat16)
    else:
        reranker = load_reranker(options.name or "judge")

        def score(question: str, candidates: Sequence[Candidate]) -> list[float]:
            return reranker.relevance(question, [c.text for c in candidates])

    kept: dict[str, dict[str, list[float]]] = {}
    for path in options.sets:
        for part in ("dev", "test"):
            found = [one for one in load(path) if one.held == part]
            if options.sample and len(found) > options.sample:
                found = Random(0).sample(found, options.sample)  # noqa: S311  (a sample, no secret)
            scores = [
                score(one.text, one.candidates[: options.depth])
                for one in tqdm(found, desc=f"{path.stem}, {part}", mininterval=20)
            ]
            kept[f"{path.stem}, {part}"] = {one.id: own for one, own in zip(found, scores, strict=True)}
            print(f"\n{path.stem}, {part}: {len(found)} questions")
            print(line("fused", found, [[c.fused for c in one.candidates] for one in found]))
            for depth in sorted({10, options.depth}):
                for weight in (0.0, *WEIGHTS):
                    name = f"fused + {weight:g} read" if weight else "read alone"
                    print(line(f"{name}, first {depth}", found, mixed(found, scores, depth, weight)), flush=True)
            if options.out:
                options.out.write_text(json.dumps(kept), encoding="utf-8")


if __name__ == "__main__":
    main()
