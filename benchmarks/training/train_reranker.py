"""Train the re-ranker on a CPU: mine wrong passages, step over lists, save, and go on from where it stopped.

    python -m benchmarks.training.train_reranker --work ../reranker --minutes 60
    python -m benchmarks.training.train_reranker --work ../reranker --export rag/models/reranker

Begins as the packaged judge, whose weights are read back from its ONNX file (needs onnx and bm25s). The loss
is the softmax over a question's list, the right passage against the wrong ones (ListNet's top one, Cao et al. 2007).
One process, one thread: the same seed repeats. See benchmarks/LOG_RERANKER.md for what was tried.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm  # type: ignore[import-untyped,unused-ignore]

from benchmarks.training.model import JudgeModel, RerankerModel, export, restored, start_folder
from benchmarks.training.rank_examples import Ranked, collections, epoch, mine
from benchmarks.training.train_judge import learning_rate, tokenizer_of_start
from benchmarks.training.window import Cut, keys, laid_out
from rag.sentences import split

ROOM = {"question": 40, "title": 16, "passage": 80}
"""Tokens that each may have; the title's are part of the passage's."""
WRONG = 4
"""Wrong passages in a list."""


class Layout:
    """Question, title and passage → token ids and types, the passage cut to its window."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._passages: dict[str, Cut] = {}
        self._ids: dict[str, list[int]] = {}

    def ids(self, text: str) -> list[int]:
        """The tokens of a question or title."""
        if text not in self._ids:
            self._ids[text] = list(self._tokenizer.encode(text, add_special_tokens=False).ids)
        return self._ids[text]

    def __call__(self, question: str, title: str, passage: str) -> tuple[list[int], list[int]]:
        """Ids and types of one pair."""
        if passage not in self._passages:
            sentences = [passage[s.start : s.end] for s in split(passage)] or [passage]
            self._passages[passage] = Cut([self.ids(s) for s in sentences], [keys(s) for s in sentences])
        one = laid_out(self.ids(question), keys(question), self.ids(title), self._passages[passage], ROOM)
        return one.ids, one.types


class Lists:
    """Framed lists in flat arrays; list i's pairs are `WRONG + 1` rows, the right one first."""

    def __init__(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        self.arrays = arrays
        self.offsets = np.concatenate([[0], np.cumsum(arrays["lengths"])])

    def __len__(self) -> int:
        return len(self.arrays["lengths"]) // (WRONG + 1)

    def batch(self, chosen: Sequence[int]) -> dict[str, Tensor]:
        """The chosen lists' pairs, padded to a multiple of eight tokens."""
        picked = [i * (WRONG + 1) + k for i in chosen for k in range(WRONG + 1)]
        lengths = self.arrays["lengths"][picked]
        ids = np.zeros((len(picked), int(-(-lengths.max() // 8) * 8)), dtype=np.int64)
        types, mask = np.zeros_like(ids), np.zeros_like(ids)
        for row, (i, n) in enumerate(zip(picked, lengths, strict=True)):
            at = self.offsets[i]
            ids[row, :n], types[row, :n] = self.arrays["ids"][at : at + n], self.arrays["types"][at : at + n]
            mask[row, :n] = 1
        return {"ids": torch.from_numpy(ids), "types": torch.from_numpy(types), "mask": torch.from_numpy(mask)}

    def batches(self, rng: random.Random, tokens: int) -> list[list[int]]:
        """All lists in random order, neighbours in a batch about equally long, about `tokens` a batch."""
        longest = self.arrays["lengths"].reshape(-1, WRONG + 1).max(1)
        order = list(range(len(self)))
        rng.shuffle(order)
        made: list[list[int]] = []
        for at in range(0, len(order), 2000):
            part: list[list[int]] = [[]]
            for i in sorted(order[at : at + 2000], key=lambda i: int(longest[i])):
                if part[-1] and (len(part[-1]) + 1) * (WRONG + 1) * int(-(-longest[i] // 8) * 8) > tokens:
                    part.append([])
                part[-1].append(i)
            rng.shuffle(part)
            made += part
        return made


def framed(lists: Sequence[Ranked], layout: Layout) -> Lists:
    """Tokenize, cut and lay out every pair."""
    ids: list[npt.NDArray[np.uint16]] = []
    types: list[npt.NDArray[np.uint8]] = []
    lengths: list[int] = []
    for one in tqdm(lists, desc="framing", mininterval=10):
        for title, passage in one.passages:
            pair, kinds = layout(one.question, title, passage)
            ids.append(np.asarray(pair, dtype=np.uint16))
            types.append(np.asarray(kinds, dtype=np.uint8))
            lengths.append(len(pair))
    return Lists({"ids": np.concatenate(ids), "types": np.concatenate(types), "lengths": np.asarray(lengths)})


class Embedder:
    """The packaged encoder on the fast module: mean of token vectors, unit length."""

    def __init__(self, tokenizer: Tokenizer, *, bfloat16: bool) -> None:
        self._tokenizer, self._bfloat16 = tokenizer, bfloat16
        self._model = JudgeModel().eval()
        self._model.start_from(start_folder())

    def __call__(self, texts: Sequence[str], name: str, longest: int = 64) -> npt.NDArray[np.float32]:
        """Vectors, shape (n, d), of at most `longest` tokens of each text."""
        coded = [e.ids[:longest] for e in self._tokenizer.encode_batch_fast(list(texts))]
        order = sorted(range(len(coded)), key=lambda i: len(coded[i]))
        out = np.zeros((len(texts), 384), dtype=np.float32)
        for at in tqdm(range(0, len(order), 64), desc=name, mininterval=10):
            part = order[at : at + 64]
            ids = torch.zeros((len(part), max(len(coded[i]) for i in part)), dtype=torch.long)
            mask = torch.zeros_like(ids)
            for row, i in enumerate(part):
                ids[row, : len(coded[i])] = torch.tensor(coded[i])
                mask[row, : len(coded[i])] = 1
            with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._bfloat16):
                x = self._model.tokens(ids, torch.zeros_like(ids), mask).float()
            kept = mask[:, :, None].float()
            out[part] = functional.normalize((x * kept).sum(1) / kept.sum(1), dim=1).numpy()
        return out


def build(args: argparse.Namespace, number: int) -> Lists:
    """Epoch `number`'s lists, or those built before."""
    path: Path = args.work / f"epoch-{args.seed}-{number}.npz"
    if path.exists():
        with np.load(path) as stored:
            return Lists(dict(stored))
    tokenizer = tokenizer_of_start()
    found = list(collections(args.shared, random.Random(args.seed)))  # noqa: S311 - no secret
    mined = args.work / f"mined-{args.seed}.json"
    if mined.exists():
        near = json.loads(mined.read_text(encoding="utf-8"))
        for one in found:
            one.near = near[one.name]
    else:
        embed = Embedder(tokenizer, bfloat16=args.bfloat16)
        passages: list[tuple[str, str]] = []
        for one in found:
            # the first words of a passage and its title are enough to find what is like it
            if one.passages is not passages:
                passages = one.passages
                vectors = embed([f"{title} {text}".strip() for title, text in passages], f"{one.name} passages")
            mine(one, embed([a.text for a in one.asked], f"{one.name} questions"), vectors)
        mined.write_text(json.dumps({one.name: one.near for one in found}), encoding="utf-8")
    lists = epoch(found, random.Random(f"{args.seed}-{number}"), WRONG)  # noqa: S311 - no secret
    random.Random(number).shuffle(lists)  # noqa: S311 - no secret
    counts = Counter(one.source for one in lists)
    path.with_suffix(".txt").write_text("".join(f"{n:7d}  {s}\n" for s, n in sorted(counts.items())), encoding="utf-8")
    made = framed(lists, Layout(tokenizer))
    building = path.with_name("building.npz")
    np.savez(building, **made.arrays)  # type: ignore[arg-type]
    building.replace(path)
    return made


def steps(args: argparse.Namespace, number: int, inside: int) -> Iterator[tuple[tuple[int, int], dict[str, Tensor]]]:
    """Batches from there on, for ever, each with the epoch and the place behind it."""
    while True:
        lists = build(args, number)
        batches = lists.batches(random.Random(f"{args.seed}-{number}-order"), args.tokens)  # noqa: S311 - no secret
        for place in range(inside, len(batches)):
            yield (number, place + 1), lists.batch(batches[place])
        number, inside = number + 1, 0


def train(args: argparse.Namespace) -> None:
    """Train until `args.minutes` of training are over, all runs together, saving every `args.save` steps."""
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    args.work.mkdir(parents=True, exist_ok=True)
    model = RerankerModel()
    model.start_from(restored(args.judge))
    model.trunk.words.weight.requires_grad = False
    learned = [p for p in model.parameters() if p.requires_grad]
    thick, thin = [p for p in learned if p.ndim > 1], [p for p in learned if p.ndim < 2]
    optimizer = torch.optim.AdamW(
        [{"params": thick, "weight_decay": 0.01}, {"params": thin, "weight_decay": 0.0}],
        lr=args.rate,
        betas=(0.9, 0.98),
        fused=True,
    )
    step, number, inside, spent = 0, 0, 0, 0.0
    latest: Path = args.work / "latest.pt"
    if latest.exists():
        saved = torch.load(latest, weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        step, number, inside, spent = saved["step"], saved["epoch"], saved["inside"], saved["seconds"]
        print(f"going on at step {step}, epoch {number}", flush=True)

    def save() -> None:
        torch.save(
            {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            | {"step": step, "epoch": number, "inside": inside, "seconds": spent},
            args.work / "saving.pt",
        )
        (args.work / "saving.pt").replace(latest)

    forward = torch.compile(model, dynamic=True) if args.compile else model
    model.train()
    losses: list[float] = []
    firsts: list[float] = []
    since, pairs = time.monotonic(), 0
    for place, batch in steps(args, number, inside):
        number, inside = place
        begun = time.monotonic()
        left = 1 - spent / (60 * args.minutes)
        if left <= 0:
            break
        rate = learning_rate(step, peak=args.rate, warm=args.warm, steps=10**9, decay=1) * min(1.0, 1.5 * left)
        for group in optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.bfloat16):
            out = forward(batch["ids"], batch["types"], batch["mask"])
        scores = out.view(-1, WRONG + 1)
        loss = functional.cross_entropy(scores, torch.zeros(len(scores), dtype=torch.long))
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        step, pairs = step + 1, pairs + len(out)
        spent += min(time.monotonic() - begun, 10.0)  # a machine that paused the process did no training
        losses.append(float(loss.detach()))
        firsts.append(float((scores.detach().argmax(1) == 0).float().mean()))
        if step % 50 == 0:
            speed = pairs / (time.monotonic() - since)
            print(
                f"step {step} epoch {number} list {inside} minutes {spent / 60:.1f} rate {rate:.1e} "
                f"loss {np.mean(losses):.3f} first {np.mean(firsts):.3f} {speed:.0f} pairs/s",
                flush=True,
            )
            losses, firsts, since, pairs = [], [], time.monotonic(), 0
        if step % args.save == 0:
            save()
    save()


def write_model(work: Path, out: Path) -> None:
    """Export the latest checkpoint."""
    model = RerankerModel()
    saved = torch.load(work / "latest.pt", weights_only=True)
    model.load_state_dict(saved["model"])
    out.mkdir(parents=True, exist_ok=True)
    export(model.eval(), out / "reranker.onnx")
    card = {
        "name": "adfontes-reranker",
        "tokens": ROOM,
        "steps": saved["step"],
        "sha256": hashlib.sha256((out / "reranker.onnx").read_bytes()).hexdigest(),
    }
    (out / "reranker.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Read the arguments; train, or export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = Path(__file__).resolve().parents[2]
    parser.add_argument("--shared", type=Path, default=root.parent / "shared", help="folder with train/ and data/")
    parser.add_argument("--work", type=Path, required=True, help="checkpoints and built epochs, outside git")
    parser.add_argument("--export", type=Path, help="write the latest checkpoint here instead of training")
    parser.add_argument("--build", type=int, help="only build this epoch's lists")
    parser.add_argument("--judge", type=Path, default=root / "rag/models/judge/judge.onnx", help="what it begins as")
    parser.add_argument("--minutes", type=float, default=60, help="of training, all runs together; the rate falls")
    parser.add_argument("--warm", type=int, default=100)
    parser.add_argument("--rate", type=float, default=6e-5)
    parser.add_argument("--tokens", type=int, default=3072, help="a batch, padding included")
    parser.add_argument("--save", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bfloat16", action=argparse.BooleanOptionalAction, default=True, help="fast with AMX only")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True, help="needs a C++ compiler")
    args = parser.parse_args()
    if args.export:
        write_model(args.work, args.export)
    elif args.build is not None:
        args.work.mkdir(parents=True, exist_ok=True)
        build(args, args.build)
    else:
        train(args)


if __name__ == "__main__":
    main()
