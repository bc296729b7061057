"""Does the verifier tell a true paraphrase from a careful falsehood: `python -m benchmarks.verification [FILE]`.

`claims.jsonl` is ours: passages of many kinds, each with true claims near to its words, between, and far, and with
falsehoods made of its own words, their kind named; a third of the passages is the split "test", to be looked at once,
at the end. FILE is another of the same shape, such as one with its passages in a file of their own.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from rag.encoder.judge import Judge

_PASSES = 0.6
"""Least probability of support at which a claim counts as passing."""


def main() -> None:
    """Print AUC, and what passes of the true and, kind by kind, of the false."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("claims.jsonl")
    beside = path.with_name("passages.json")
    passages: dict[str, Any] = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
    claims = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    judge = Judge.packaged()
    by_split: dict[str, list[tuple[bool, str, float]]] = defaultdict(list)
    for claim in claims:
        known = passages.get(claim["passage"])
        text = known["text"] if known else claim["passage"]
        (verdict,) = judge.supports([(claim["claim"], text)])
        kind = claim.get("kind") or "true"
        by_split[claim.get("split", "all")].append((bool(claim["supported"]), kind, verdict.supported))
    for split, found in sorted(by_split.items()):
        true = np.array([score for good, _, score in found if good])
        false = np.array([score for good, _, score in found if not good])
        auc = float((true[:, None] > false[None, :]).mean() + (true[:, None] == false[None, :]).mean() / 2)
        passing = {"true": float((true >= _PASSES).mean()), "false": float((false >= _PASSES).mean())}
        print(
            split,
            json.dumps({"claims": len(found), "auc": round(auc, 3)} | {k: round(v, 3) for k, v in passing.items()}),
        )
        kinds: dict[str, list[bool]] = defaultdict(list)
        for good, kind, score in found:
            if not good:
                kinds[kind].append(score >= _PASSES)
        print("   ", json.dumps({kind: f"{sum(p)} of {len(p)}" for kind, p in sorted(kinds.items())}))


if __name__ == "__main__":
    main()
