"""Learn how the judge's opinion and the words that a claim shares with its evidence add up.

Writes the profile `supports` of rag/answer/weights.json, by which the sentences of a language model are verified.

    python -m benchmarks.training.train_support ../shared

Learned on claims the judge was not trained on: one in fifty premises of the support sets, and SciFact's calibration
part (evidence, its neighbours, near sentences of other abstracts). Half of each, by premise or claim, is kept for the
figures that are printed and stored with the weights.
"""

from __future__ import annotations

import argparse
import json
import random
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from benchmarks.training.examples import CONTRADICTED, LABELS, NEUTRAL, SUPPORTED, Near, scifact, support_rows
from rag.answer import verify
from rag.encoder.judge import Judge

OUT = Path("rag/answer/weights.json")
Pair = tuple[str, str, str, int]
"""A claim, its evidence, the text around it, and LABELS' number."""


def main() -> None:
    """Train, test and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--pairs", type=int, default=1200, help="of the support sets")
    arguments = parser.parse_args()
    judge = Judge.packaged()
    rng = random.Random(7)  # noqa: S311  (a sample, no secret)
    pairs = _support(arguments.shared, arguments.pairs, rng) + _scifact(arguments.shared, rng)
    x = _features(judge, pairs)
    y = np.array([int(label == SUPPORTED) for *_, label in pairs])
    against = np.array([label == CONTRADICTED for *_, label in pairs])
    held = np.array([zlib.crc32(evidence.encode()) % 2 == 0 for _, evidence, _, _ in pairs])
    mean, deviation = x[~held].mean(0), x[~held].std(0) + 1e-9
    model = LogisticRegression(C=0.3, max_iter=2000).fit((x[~held] - mean) / deviation, y[~held])
    weights = model.coef_[0] / deviation
    bias = float(model.intercept_[0] - weights @ mean)
    p = 1 / (1 + np.exp(-(x[held] @ weights + bias)))
    alone = x[held][:, verify.FEATURES.index("against")]
    contested = (y[held] == 1) | against[held]
    passed = p >= verify.SUPPORTED
    figures = {
        "pairs": int(held.sum()),
        "auc": round(float(roc_auc_score(y[held], p)), 4),
        "auc_supported_or_contradicted": round(float(roc_auc_score(y[held][contested], p[contested])), 4),
        "auc_supported_or_contradicted_judge_alone": round(
            float(roc_auc_score(y[held][contested], alone[contested])), 4
        ),
        "supported_pass": round(float(passed[y[held] == 1].mean()), 4),
        "contradicted_pass": round(float(passed[against[held]].mean()), 4),
        "all_others_pass": round(float(passed[y[held] == 0].mean()), 4),
    }
    print(dict(zip(verify.FEATURES, weights.round(3), strict=True)), round(bias, 3))
    print(figures)
    body = json.loads(OUT.read_text())
    named = dict(zip(verify.FEATURES, map(float, weights), strict=True))
    body["supports"] = {"bias": bias, "weights": named, "held_out": figures}
    OUT.write_text(json.dumps(body, indent=1) + "\n")


def _support(shared: Path, most: int, rng: random.Random) -> list[Pair]:
    _, rows = support_rows(shared)
    rows = [r for r in rows if r["set"] != "breaking_nli" and r["label"] in {"supported", "neither", "contradicted"}]
    return [
        (r["claim"], r["premise"], r["premise"], LABELS[r["label"]]) for r in rng.sample(rows, min(most, len(rows)))
    ]


def _scifact(shared: Path, rng: random.Random) -> list[Pair]:
    parts, corpus = scifact(shared)
    documents = sorted(corpus)
    near = Near([f"{corpus[d][0]} {' '.join(corpus[d][1])}" for d in documents])
    pairs: list[Pair] = []
    for claim in parts["dev"]:
        for document, (label, lines) in claim.evidence.items():
            text = corpus[document][1]
            others = rng.sample([i for i in range(len(text)) if i not in lines], min(2, len(text) - len(lines)))
            pairs += [(claim.text, text[i], _around(text, i), label) for i in lines]
            pairs += [(claim.text, text[i], _around(text, i), NEUTRAL) for i in others]
        for k in [k for k in near.top(claim.text, 6) if documents[k] not in claim.cited][:2]:
            text = corpus[documents[k]][1]
            i = rng.randrange(len(text))
            pairs.append((claim.text, text[i], _around(text, i), NEUTRAL))
    return pairs


def _around(sentences: Sequence[str], at: int) -> str:
    return " ".join(sentences[max(0, at - 3) : at + 3])


def _features(judge: Judge, pairs: Sequence[Pair]) -> npt.NDArray[np.float64]:
    found = []
    for start in range(0, len(pairs), 64):
        some = pairs[start : start + 64]
        verdicts = judge.supports([(c, e) for c, e, _, _ in some], [a for _, _, a, _ in some])
        for (claim, evidence, around, _), verdict in zip(some, verdicts, strict=True):
            found.append(verify.features(claim, evidence, around, verdict))
        print(f"{start + len(some)}/{len(pairs)}", flush=True)
    return np.array(found)


if __name__ == "__main__":
    main()
