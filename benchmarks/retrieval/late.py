"""Late interaction on the encoder's own token vectors, nothing trained: each question token's best passage token.

    python -m benchmarks.retrieval.late scifact.json squad.json --sample 250

The mean over the question's tokens of the best cosine (MaxSim, Khattab and Zaharia 2020), with and without weights by
rarity, special tokens left out; alone and added to the fused score. The files come from `candidates.py`.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional
from tqdm import tqdm  # type: ignore[import-untyped,unused-ignore]

from benchmarks.retrieval.candidates import Found, line, load
from benchmarks.training.model import JudgeModel, start_folder
from benchmarks.training.train_judge import tokenizer_of_start

Vectors = npt.NDArray[np.float16]
WEIGHTS = (0.1, 0.25, 0.5, 1.0, 2.0)
DEPTHS = (10, 20)


class Tokens:
    """Texts → token ids and unit token vectors, special tokens left out; bfloat16 products where asked."""

    def __init__(self, longest: int, *, bfloat16: bool) -> None:
        self._tokenizer = tokenizer_of_start()
        self._longest, self._bfloat16 = longest, bfloat16
        self._model = JudgeModel().eval()
        self._model.start_from(start_folder())

    def __call__(self, texts: Sequence[str]) -> list[tuple[list[int], Vectors]]:
        """For each text its ids, and vectors of shape (tokens, 384)."""
        coded = [e.ids[: self._longest] for e in self._tokenizer.encode_batch_fast(list(texts))]
        found: list[tuple[list[int], Vectors]] = [([], np.zeros((0, 384), np.float16))] * len(coded)
        order = sorted(range(len(coded)), key=lambda i: len(coded[i]))
        for at in tqdm(range(0, len(order), 32), mininterval=20):
            part = order[at : at + 32]
            ids = torch.zeros((len(part), max(len(coded[i]) for i in part)), dtype=torch.long)
            mask = torch.zeros_like(ids)
            for row, i in enumerate(part):
                ids[row, : len(coded[i])] = torch.tensor(coded[i])
                mask[row, : len(coded[i])] = 1
            with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._bfloat16):
                x = self._model.tokens(ids, torch.zeros_like(ids), mask).float()
            vectors = functional.normalize(x, dim=2).numpy().astype(np.float16)
            for row, i in enumerate(part):
                found[i] = (coded[i][1:-1], vectors[row, 1 : len(coded[i]) - 1])
        return found


def maxsim(question: npt.NDArray[np.float32], passage: Vectors, weights: npt.NDArray[np.float32]) -> float:
    """The weighted mean over the question's tokens of the best cosine with a passage token."""
    if not len(passage) or not len(question):
        return 0.0
    return float(((question @ passage.T.astype(np.float32)).max(1) * weights).sum() / max(float(weights.sum()), 1e-9))


def main() -> None:
    """Print a table for each set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("--sample", type=int, default=250, help="held-out questions of each set")
    parser.add_argument("--depth", type=int, default=20, help="candidates of each question")
    parser.add_argument("--bfloat16", action=argparse.BooleanOptionalAction, default=True, help="fast with AMX only")
    options = parser.parse_args()
    torch.set_num_threads(1)
    read = Tokens(256, bfloat16=options.bfloat16)
    for path in options.sets:
        found = [one for one in load(path) if one.held == "test"]
        if len(found) > options.sample:
            found = Random(0).sample(found, options.sample)  # noqa: S311  (a sample, no secret)
        found = [Found(f.id, f.held, f.text, f.relevant, f.candidates[: options.depth]) for f in found]
        table(path.stem, found, read)


def table(name: str, found: Sequence[Found], read: Tokens) -> None:
    """Score every candidate and print each way to use the scores."""
    texts = list({f"{c.title} {c.text}".strip(): None for one in found for c in one.candidates})
    passages = dict(zip(texts, read(texts), strict=True))
    seen = Counter(token for ids, _ in passages.values() for token in set(ids))
    questions = read([one.text for one in found])
    plain: list[list[float]] = []
    rare: list[list[float]] = []
    for one, (ids, vectors) in tqdm(zip(found, questions, strict=True), total=len(found), mininterval=20):
        idf = np.array([np.log((len(texts) + 1) / (seen[t] + 0.5)) for t in ids], dtype=np.float32).clip(0)
        asked = vectors.astype(np.float32)
        own = [passages[f"{c.title} {c.text}".strip()][1] for c in one.candidates]
        plain.append([maxsim(asked, p, np.ones_like(idf)) for p in own])
        rare.append([maxsim(asked, p, idf) for p in own])
    print(f"{name}: {len(found)} questions, {len(texts)} passages", flush=True)
    fused = [[c.fused for c in one.candidates] for one in found]
    print(line("fused", found, fused))
    for which, scores in (("maxsim", plain), ("maxsim, idf", rare)):
        for depth in DEPTHS:
            print(line(f"{which}, first {depth}", found, within(depth, fused, scores, lambda _f, s: s)))
        for weight in WEIGHTS:
            mixed = within(DEPTHS[-1], fused, scores, lambda f, s, w=weight: f + w * s)  # type: ignore[misc]
            print(line(f"fused + {weight:g} {which}", found, mixed), flush=True)


def within(
    depth: int,
    fused: Sequence[Sequence[float]],
    scores: Sequence[Sequence[float]],
    mix: Callable[[float, float], float],
) -> list[list[float]]:
    """The mixed scores of the first `depth`; the others stay behind them as they were."""
    return [
        [mix(a, b) if i < depth else -1000.0 - i for i, (a, b) in enumerate(zip(f, s, strict=True))]
        for f, s in zip(fused, scores, strict=True)
    ]


if __name__ == "__main__":
    main()
