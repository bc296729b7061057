"""Learn to carry vectors of the multilingual model into the default encoder's space: rag/models/across.

    python -m benchmarks.training.train_bridge ../shared rag/models/across

English texts go through both models and a network with one hidden layer learns to make the second's vector of the
first's. The multilingual model puts a question and its translation close together, so what holds for English holds,
less well, for what it reads besides; noise of the size of that difference is added while it learns. Ten minutes on two
cores.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from rag import encoder
from rag.encoder.across import Universal

HIDDEN = 1024
ROUNDS = 12
BATCH = 512
NOISE = 0.5
"""Length of the noise added to a unit vector: a question and its translation are about as far apart."""
CLAIMS = 35_000
HELD_OUT = 5_000


class Network(nn.Module):
    """A hidden layer beside a straight one; unit vectors."""

    def __init__(self, into: int) -> None:
        super().__init__()
        self.straight = nn.Linear(Universal.dimension, into)
        self.inner = nn.Linear(Universal.dimension, HIDDEN)
        self.outer = nn.Linear(HIDDEN, into, bias=False)
        nn.init.zeros_(self.outer.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Shape (n, 512) → (n, into)."""
        return functional.normalize(self.straight(x) + self.outer(torch.relu(self.inner(x))), dim=1)


def main() -> None:
    """Train, test on texts left out, write the weights and their card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shared", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--models", type=Path, default=Path("index/.models"), help="where the exported encoder lies")
    arguments = parser.parse_args()
    torch.manual_seed(1)
    texts = _texts(arguments.shared / "train")
    into = encoder.load("all-MiniLM-L6-v2", 2, arguments.models)
    universal = Universal(threads=2)
    given = torch.tensor(np.concatenate([universal.encode(texts[i : i + 512]) for i in range(0, len(texts), 512)]))
    print(f"{len(texts)} texts read by the multilingual model", flush=True)
    wanted = torch.tensor(into.encode(texts))
    print("… and by the encoder", flush=True)
    network, rest = Network(into.dimension), len(texts) - HELD_OUT
    _begin_straight(network, given[:rest], wanted[:rest])
    steps = ROUNDS * (rest // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    figures: dict[str, float] = {}
    for done in range(ROUNDS):
        order = torch.randperm(rest)
        for at in range(0, rest - BATCH, BATCH):
            rows = order[at : at + BATCH]
            x = functional.normalize(given[rows] + NOISE * torch.randn_like(given[rows]) / Universal.dimension**0.5)
            made, meant = network(x), wanted[rows]
            near = (1 - (made * meant).sum(1)).mean()
            told = functional.cross_entropy(made @ meant.T * 20, torch.arange(len(rows)))
            optimizer.zero_grad()
            (near + 0.1 * told).backward()
            optimizer.step()
            schedule.step()
        with torch.no_grad():
            made, meant = network(given[rest:]), wanted[rest:]
            first = (made @ meant.T).argmax(1) == torch.arange(HELD_OUT)
            figures = {"cosine": float((made * meant).sum(1).mean()), "first_of_5000": float(first.float().mean())}
        print(done + 1, figures, flush=True)
    _write(network, arguments.out, into, len(texts), figures)


def _texts(folder: Path) -> list[str]:
    """Questions of all sets, and a sample of short claims, shuffled."""
    questions: set[str] = set()
    for name in ("reader", "rank"):
        with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            questions.update(json.loads(line)["question"] for line in lines)
    with gzip.open(folder / "support.jsonl.gz", "rt", encoding="utf-8") as lines:
        claims = sorted({claim for line in lines if len(claim := json.loads(line)["claim"]) < 300})
    rng = random.Random(7)  # noqa: S311  (a sample, no secret)
    texts = [*sorted(questions), *rng.sample(claims, CLAIMS)]
    rng.shuffle(texts)
    return texts


def _begin_straight(network: Network, given: Tensor, wanted: Tensor) -> None:
    """Set the straight layer to the least squares between the two spaces."""
    with torch.no_grad():
        x = torch.cat([given, torch.ones(len(given), 1)], 1).double()
        solved = torch.linalg.solve(x.T @ x + 30 * torch.eye(x.shape[1]).double(), x.T @ wanted.double()).float()
        network.straight.weight.copy_(solved[:-1].T)
        network.straight.bias.copy_(solved[-1])


def _write(network: Network, out: Path, into: encoder.Encoder, texts: int, figures: dict[str, float]) -> None:
    arrays = {
        "straight": network.straight.weight.T,
        "bias": network.straight.bias,
        "inner": network.inner.weight.T,
        "inner_bias": network.inner.bias,
        "outer": network.outer.weight.T,
    }
    out.mkdir(parents=True, exist_ok=True)
    halves: dict[str, Any] = {name: a.detach().numpy().astype(np.float16) for name, a in arrays.items()}
    np.savez(out / "bridge.npz", **halves)
    card = {
        "name": "bridge",
        "sha256": hashlib.sha256((out / "bridge.npz").read_bytes()).hexdigest(),
        "encoder": into.fingerprint,
        "reads": ["en"],
        "texts": texts,
        "held_out": {name: round(value, 4) for name, value in figures.items()},
        "trained": datetime.now(UTC).date().isoformat(),
    }
    (out / "across.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    print(card)


if __name__ == "__main__":
    main()
