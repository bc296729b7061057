"""Train the judge on a CPU: build each epoch's pairs, step, save, and go on from where it stopped.

    python -m benchmarks.training.train_judge --work ../judge --steps 9000 --decay 3000
    python -m benchmarks.training.train_judge --work ../judge --export rag/models/judge

The learning rate rises, stays, and falls over the last `--decay` steps; a run stopped early goes on with
another `--steps`. Same seed, same data, same thread count: same batches. `benchmarks/training/evaluate_judge.py`
calibrates and measures what comes out. See benchmarks/LOG_JUDGE.md for what was tried.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from multiprocessing.synchronize import Lock
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.multiprocessing as mp
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm  # type: ignore[import-untyped,unused-ignore]

from benchmarks.training.examples import ANSWERS, NOT_SUPPORTED, AnswerExamples, Example, SupportExamples
from benchmarks.training.model import JudgeModel, export, start_folder
from rag.encoder.judge import frame

MAX_TOKENS = 256
"""That the model may be given; training saw up to 192."""
USUAL_TOKENS = 104
"""Context fills a pair up to this length, about as in training; a longer focus may take more."""
_COLUMNS = ("task", "label", "spanned", "start", "end", "begin", "stop")


class Pairs:
    """Framed examples in flat arrays: `ids` and `types` one after another, a row of `columns` for each."""

    def __init__(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        self.arrays = arrays
        self.offsets = np.concatenate([[0], np.cumsum(arrays["lengths"])])

    def __len__(self) -> int:
        return len(self.arrays["lengths"])

    def batch(self, chosen: Sequence[int]) -> dict[str, Tensor]:
        """The chosen pairs padded to a multiple of eight tokens."""
        lengths = self.arrays["lengths"][list(chosen)]
        width = int(-(-lengths.max() // 8) * 8)
        ids = np.zeros((len(chosen), width), dtype=np.int64)
        types = np.zeros_like(ids)
        mask = np.zeros_like(ids)
        for row, (i, n) in enumerate(zip(chosen, lengths, strict=True)):
            at = self.offsets[i]
            ids[row, :n] = self.arrays["ids"][at : at + n]
            types[row, :n] = self.arrays["types"][at : at + n]
            mask[row, :n] = 1
        made = {"ids": ids, "types": types, "mask": mask}
        made |= {name: self.arrays[name][list(chosen)].astype(np.int64) for name in _COLUMNS}
        return {name: torch.from_numpy(value) for name, value in made.items()}

    def batches(self, rng: random.Random, tokens: int) -> Iterator[list[int]]:
        """All pairs in random order, neighbours in a batch about equally long, about `tokens` a batch."""
        order = list(range(len(self)))
        rng.shuffle(order)
        lengths = self.arrays["lengths"]
        for at in range(0, len(order), 6000):
            part = sorted(order[at : at + 6000], key=lambda i: int(lengths[i]))
            made: list[list[int]] = [[]]
            for i in part:
                if (len(made[-1]) + 1) * int(-(-lengths[i] // 8) * 8) > tokens:
                    made.append([])
                made[-1].append(i)
            rng.shuffle(made)
            yield from (batch for batch in made if len(batch) > 3)


def framed(examples: Sequence[Example], tokenizer: Tokenizer) -> Pairs:
    """Tokenize and lay out; a span that the cut took away becomes unknown."""
    known: dict[str, list[int]] = {}
    texts = list({t for e in examples for t in (e.first, e.left, e.focus, e.right)})
    for at in tqdm(range(0, len(texts), 2000), desc="tokenizing"):
        part = texts[at : at + 2000]
        for text, coded in zip(part, tokenizer.encode_batch_fast(part, add_special_tokens=False), strict=True):
            known[text] = coded.ids
    ids: list[npt.NDArray[np.uint16]] = []
    types: list[npt.NDArray[np.uint8]] = []
    columns: dict[str, list[int]] = {name: [] for name in (*_COLUMNS, "lengths")}
    for e in tqdm(examples, desc="framing"):
        one = frame(known[e.first][:64], known[e.left], known[e.focus], known[e.right], e.limit)
        begin, stop, spanned = 0, 0, e.spanned
        if e.spanned and e.span is not None:
            offsets = tokenizer.encode(e.focus, add_special_tokens=False).offsets[: one.end - one.start]
            inside = [i for i, (a, b) in enumerate(offsets) if a < e.span[1] and b > e.span[0]]
            if inside:
                begin, stop = one.start + inside[0], one.start + inside[-1]
            else:
                spanned = False
        ids.append(np.asarray(one.ids, dtype=np.uint16))
        types.append(np.asarray(one.types, dtype=np.uint8))
        row = (e.task, e.label, int(spanned), one.start, one.end, begin, stop, len(one.ids))
        for name, value in zip((*_COLUMNS, "lengths"), row, strict=True):
            columns[name].append(value)
    arrays: dict[str, npt.NDArray[Any]] = {k: np.asarray(v, dtype=np.int32) for k, v in columns.items()}
    return Pairs(arrays | {"ids": np.concatenate(ids), "types": np.concatenate(types)})


class Builder:
    """Builds an epoch's pairs, or reads them where they were built before."""

    def __init__(self, shared: Path, work: Path, seed: int, tokenizer: Tokenizer) -> None:
        self._shared, self._work, self._seed, self._tokenizer = shared, work, seed, tokenizer
        self._sources: tuple[AnswerExamples, SupportExamples] | None = None

    def epoch(self, number: int, *, build: bool = True) -> Pairs:
        """The pairs of epoch `number`; without `build`, waits until somebody else has built them."""
        path = self._work / f"epoch-{self._seed}-{number}.npz"
        while not build and not path.exists():
            time.sleep(1)
        if path.exists():
            with np.load(path) as stored:
                return Pairs(dict(stored))
        if self._sources is None:
            answers = AnswerExamples(self._shared)
            self._sources = answers, SupportExamples(self._shared, answers.questions)
        rng = random.Random(f"{self._seed}-{number}")  # noqa: S311 - no secret
        examples = self._sources[0].epoch(rng) + self._sources[1].epoch(rng)
        counts = Counter((e.task, e.source, e.label) for e in examples)
        listing = "\n".join(f"{count:7d}  {key}" for key, count in sorted(counts.items()))
        (self._work / f"epoch-{self._seed}-{number}.txt").write_text(listing + "\n", encoding="utf-8")
        pairs = framed(examples, self._tokenizer)
        building = path.with_name("building.npz")
        np.savez(building, **pairs.arrays)  # type: ignore[arg-type]
        building.replace(path)
        return pairs


def loss_of(out: tuple[Tensor, Tensor, Tensor, Tensor], b: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
    """The three heads' losses, added up; each pair counts once for its own head, spans by a third."""
    answer, support, starts, ends = out
    size = len(answer)
    label = b["label"]
    is_answer = b["task"] == ANSWERS
    nothing = torch.zeros(())
    said = functional.binary_cross_entropy_with_logits(answer, label.float(), reduction="none")[is_answer]
    logs = support.log_softmax(-1)
    exact = (~is_answer) & (label != NOT_SUPPORTED)
    three = functional.nll_loss(logs[exact], label[exact], reduction="none") if exact.any() else nothing[None][:0]
    loose = (~is_answer) & (label == NOT_SUPPORTED)
    two = -torch.logsumexp(logs[loose][:, 1:], -1)
    known = is_answer & (b["spanned"] == 1)
    place = torch.arange(starts.shape[1])[None]
    allowed = ((place >= b["start"][:, None]) & (place < b["end"][:, None])) | (place == 0)
    spans = nothing[None][:0]
    if known.any():
        first = starts.masked_fill(~allowed, -1e4)[known]
        last = ends.masked_fill(~allowed, -1e4)[known]
        spans = functional.cross_entropy(first, b["begin"][known], reduction="none") + functional.cross_entropy(
            last, b["stop"][known], reduction="none"
        )
    total = (said.sum() + three.sum() + two.sum() + spans.sum() / 3) / size
    means = {
        name: float(values.detach().mean()) if len(values) else float("nan")
        for name, values in (("answer", said), ("support", three), ("loose", two), ("span", spans))
    }
    return total, means


def learning_rate(step: int, *, peak: float, warm: int, steps: int, decay: int) -> float:
    """Rise over `warm` steps, stay, fall to nothing over the last `decay`."""
    return peak * max(0.0, min(1.0, (step + 1) / warm, (steps - step) / max(decay, 1)))


def train(args: argparse.Namespace) -> None:
    """Train until `args.steps`, saving every `args.save` steps.

    With several workers each takes the next batch and steps on the same weights without waiting for the
    others. That uses whatever a shared machine leaves idle, and gives up exact repetition; one worker repeats.
    """
    work: Path = args.work
    work.mkdir(parents=True, exist_ok=True)
    model = JudgeModel()
    torch.manual_seed(args.seed)
    model.start_from(start_folder())
    position = [0, 0, 0]
    latest = work / "latest.pt"
    if latest.exists():
        saved = torch.load(latest, weights_only=True)
        model.load_state_dict(saved["model"])
        position = [saved["step"], saved["epoch"], saved["inside"]]
        if args.epoch is not None:
            position[1:] = [args.epoch, 0]
        print(f"going on at step {saved['step']}, epoch {saved['epoch']}", flush=True)
    model.words.weight.requires_grad = False
    model.share_memory()
    shared = torch.tensor(position).share_memory_()  # type: ignore[no-untyped-call]
    lock = mp.get_context("spawn").Lock()
    if args.workers == 1:
        _worker(0, args, model, shared, lock)
    else:
        mp.spawn(_worker, (args, model, shared, lock), nprocs=args.workers)  # type: ignore[attr-defined,no-untyped-call]


def _worker(rank: int, args: argparse.Namespace, model: JudgeModel, position: Tensor, lock: Lock) -> None:
    """Take batches until the end. `position` is (step, epoch, batches taken), common to all workers."""
    torch.set_num_threads(args.threads)
    work: Path = args.work
    learned = [p for p in model.parameters() if p.requires_grad]
    thick, thin = [p for p in learned if p.ndim > 1], [p for p in learned if p.ndim < 2]
    optimizer = torch.optim.AdamW(
        [{"params": thick, "weight_decay": 0.01}, {"params": thin, "weight_decay": 0.0}],
        lr=args.rate,
        betas=(0.9, 0.98),
        fused=True,
    )
    latest = work / "latest.pt"
    if latest.exists():
        optimizer.load_state_dict(torch.load(latest, weights_only=True)["optimizer"])
    builder = Builder(args.shared, work, args.seed, tokenizer_of_start())
    forward = torch.compile(model, dynamic=True) if args.compile else model
    model.train()
    begun = since = time.time()
    seen = 0
    means: list[dict[str, float]] = []
    mine = 0
    while True:
        epoch = int(position[1])
        pairs = builder.epoch(epoch, build=rank == 0)
        order = random.Random(f"{args.seed}-{epoch}-order")  # noqa: S311 - no secret
        batches = list(pairs.batches(order, args.tokens))
        done = True
        while True:
            with lock:
                step, current, number = (int(x) for x in position)
                if step >= args.steps or (args.minutes and time.time() - begun > 60 * args.minutes):
                    break
                if current != epoch:
                    done = False
                    break
                if number >= len(batches):
                    position[1] += 1
                    position[2] = 0
                    done = False
                    break
                position[0] += 1
                position[2] += 1
            chosen = batches[number]
            batch = pairs.batch(chosen)
            rate = learning_rate(step, peak=args.rate, warm=args.warm, steps=args.steps, decay=args.decay)
            if args.minutes:
                left = 1 - (time.time() - begun) / (60 * args.minutes)
                rate *= max(0.0, min(1.0, 2 * left))
            for group in optimizer.param_groups:
                group["lr"] = rate
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.bfloat16):
                out = forward(batch["ids"], batch["types"], batch["mask"])
            loss, parts = loss_of(out, batch)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(learned, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            mine, seen = mine + 1, seen + len(chosen)
            means.append(parts)
            if mine % 100 == 0:
                shown = " ".join(f"{k} {np.nanmean([m[k] for m in means]):.3f}" for k in means[0])
                speed, share = seen / (time.time() - since), epoch + number / len(batches)
                print(f"{rank}: step {step} epoch {share:.2f} rate {rate:.1e} {shown} {speed:.0f} pairs/s", flush=True)
                since, seen, means = time.time(), 0, []
            if rank == 0 and mine % args.save == 0:
                _save(work, model, optimizer, position)
        if done:
            if rank == 0:
                _save(work, model, optimizer, position)
            return


def _save(work: Path, model: JudgeModel, optimizer: torch.optim.Optimizer, position: Tensor) -> None:
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    now = dict(zip(("step", "epoch", "inside"), (int(x) for x in position), strict=True))
    torch.save(state | now, work / "saving.pt")
    (work / "saving.pt").replace(work / "latest.pt")


def tokenizer_of_start() -> Tokenizer:
    """The packaged encoder's tokenizer, without cutting or padding of its own."""
    tokenizer = Tokenizer.from_file(str(start_folder() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def write_model(work: Path, out: Path) -> None:
    """Export the latest checkpoint; calibration comes from evaluate_judge.py."""
    model = JudgeModel()
    saved = torch.load(work / "latest.pt", weights_only=True)
    model.load_state_dict(saved["model"])
    out.mkdir(parents=True, exist_ok=True)
    export(model.eval(), out / "judge.onnx")
    shutil.copy(start_folder() / "tokenizer.json", out / "tokenizer.json")
    card = {
        "name": "adfontes-judge",
        "max_tokens": MAX_TOKENS,
        "usual_tokens": USUAL_TOKENS,
        "batch": 8,
        "steps": saved["step"],
        "sha256": hashlib.sha256((out / "judge.onnx").read_bytes()).hexdigest(),
        "answers": {"answer": 0.5, "span": 0.0, "bias": 0.0},
        "reads": {
            "passage": {"answer": 0.5, "span": 0.0, "bias": 0.0},
            "sentence": {"answer": 0.0, "span": 0.5, "bias": 0.0},
        },
        "supports": {"temperature": 1.0, "bias": [0.0, 0.0, 0.0]},
        "thresholds": {},
    }
    (out / "judge.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Read the arguments; train, or export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = Path(__file__).resolve().parents[2]
    parser.add_argument("--shared", type=Path, default=root.parent / "shared", help="folder with train/ and data/")
    parser.add_argument("--work", type=Path, required=True, help="checkpoints and built epochs, outside git")
    parser.add_argument("--export", type=Path, help="write the latest checkpoint here instead of training")
    parser.add_argument("--build", type=int, help="only build this epoch's pairs")
    parser.add_argument("--steps", type=int, default=9000)
    parser.add_argument("--decay", type=int, default=3000)
    parser.add_argument("--minutes", type=float, help="stop after so long, the rate falling over the second half")
    parser.add_argument("--warm", type=int, default=200)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--tokens", type=int, default=3072, help="a batch, padding included")
    parser.add_argument("--epoch", type=int, help="begin this epoch instead of going on inside the saved one")
    parser.add_argument("--save", type=int, default=250)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1, help="for each worker; more wait for each other")
    parser.add_argument("--workers", type=int, default=2, help="processes that share the weights; 1 repeats exactly")
    parser.add_argument("--bfloat16", action=argparse.BooleanOptionalAction, default=True, help="fast with AMX only")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True, help="needs a C++ compiler")
    args = parser.parse_args()
    if args.export:
        write_model(args.work, args.export)
    elif args.build is not None:
        args.work.mkdir(parents=True, exist_ok=True)
        Builder(args.shared, args.work, args.seed, tokenizer_of_start()).epoch(args.build)
    else:
        train(args)


if __name__ == "__main__":
    main()
