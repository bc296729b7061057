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

from rag.answer.check import Given
from rag.answer.verify import verify
from rag.encoder.judge import Judge


def main() -> None:
    """Print AUC, and what passes of the true and, kind by kind, of the false."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("claims.jsonl")
    beside = path.with_name("passages.json")
    passages: dict[str, Any] = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
    claims = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    judge = Judge.packaged()
    by_split: dict[str, list[tuple[bool, str, float, bool]]] = defaultdict(list)
    for claim in claims:
        known = passages.get(claim["passage"])
        text = known["text"] if known else claim["passage"]
        found = verify(claim["claim"], (), Given([text]).passages(""), judge)
        kind = claim.get("kind") or "true"
        passes = found.verdict == "supported"
        by_split[claim.get("split", "all")].append((bool(claim["supported"]), kind, found.score, passes))
    for split, told in sorted(by_split.items()):
        true = np.array([score for good, _, score, _ in told if good])
        false = np.array([score for good, _, score, _ in told if not good])
        auc = float((true[:, None] > false[None, :]).mean() + (true[:, None] == false[None, :]).mean() / 2)
        passing = {
            name: float(np.mean([passes for good, _, _, passes in told if good == wanted]))
            for name, wanted in (("true", True), ("false", False))
        }
        print(
            split,
            json.dumps({"claims": len(told), "auc": round(auc, 3)} | {k: round(v, 3) for k, v in passing.items()}),
        )
        kinds: dict[str, list[bool]] = defaultdict(list)
        for good, kind, _, passes in told:
            if not good:
                kinds[kind].append(passes)
        print("   ", json.dumps({kind: f"{sum(p)} of {len(p)}" for kind, p in sorted(kinds.items())}))


if __name__ == "__main__":
    main()
