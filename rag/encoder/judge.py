"""Two questions to one small model: whether a sentence answers, and whether evidence supports a claim.

The model is our own cross-encoder (`rag/models/judge`, see its MODEL_CARD.md): all-MiniLM-L6-v2, trained
further on a CPU. It reads a question or claim together with a *focus* (the sentence in question) and, where
given, the *context* around it, which helps with pronouns but is not itself judged. Weights lie on disk in
eight bits and are computed with in 32, so a pair's result does not depend on what else is in its batch.

Knows English only. Knows nothing of documents, citations or thresholds' consequences, and it does not know
the world: it says what a text says, not what is true.
"""

from __future__ import annotations

import hashlib
import json
import math
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding, Tokenizer

from rag.encoder.session import session
from rag.errors import ModelError
from rag.packaged import verified

FIRST, FOCUS, CONTEXT = 0, 1, 2
"""Token types: the question or claim with the marks between the parts, the focus, the text around it."""

_Floats = npt.NDArray[np.float32]
_MIN_ROOM = 24
"""Tokens that the evidence always gets; a question or claim that leaves less is judged in parts."""
_MAX_CHARACTERS = 20_000
"""Of one text that are looked at; far beyond what fits the model, and a bound on the tokenizer's work."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What the model reads: token ids with their types; the focus is `ids[start:end]`."""

    ids: list[int]
    types: list[int]
    start: int
    end: int


def frame(
    first: Sequence[int],
    left: Sequence[int],
    focus: Sequence[int],
    right: Sequence[int],
    limit: int,
    *,
    cls: int = 101,
    sep: int = 102,
) -> Frame:
    """Lay one pair out as `[CLS] first [SEP] left focus right [SEP]` in at most `limit` tokens.

    The evidence side gives way: first the context (what follows before what precedes), then the focus's end.
    """
    room = limit - len(first) - 3
    kept = list(focus[: max(room, 0)])
    spare = max(room - len(kept), 0)
    after = min(len(right), max(spare - len(left), spare // 3))
    before = min(len(left), spare - after)
    lead = [cls, *first, sep]
    ids = [*lead, *(left[len(left) - before :] if before else ()), *kept, *right[:after], sep]
    types = [FIRST] * len(lead) + [CONTEXT] * before + [FOCUS] * len(kept) + [CONTEXT] * after + [FIRST]
    start = len(lead) + before
    return Frame(ids, types, start, start + len(kept))


def around(sentence: str, context: str | None) -> tuple[str, str]:
    """The text before and after `sentence` in `context`; a context that does not hold it counts as before it."""
    if not context:
        return "", ""
    at = context.find(sentence) if sentence else -1
    if at < 0:
        return context, ""
    return context[:at], context[at + len(sentence) :]


@dataclass(frozen=True, slots=True)
class Support:
    """Calibrated probabilities, summing to 1, of what the evidence says about the claim."""

    supported: float
    neutral: float
    contradicted: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a whole passage says to a question: calibrated probabilities and the likeliest answer."""

    answered: float
    """That the passage answers the question."""
    sentences: tuple[float, ...]
    """For each sentence, that it holds the answer."""
    start: int
    """The likeliest answer, in characters of the passage; `start == end` where the passage is empty."""
    end: int


@dataclass(frozen=True, slots=True)
class _Raw:
    """The model's logits for one frame; `starts` and `ends` cover the focus, `null` is "no answer here"."""

    answer: float
    support: _Floats
    starts: _Floats
    ends: _Floats
    null: float


class Judge:
    """The packaged cross-encoder on onnxruntime. Safe to share between threads."""

    def __init__(self, model: bytes, tokenizer: str, card: Mapping[str, Any], *, threads: int = 1) -> None:
        found = hashlib.sha256(model).hexdigest()
        if found != card.get("sha256"):
            raise ModelError(
                f"judge.onnx has SHA-256 {found[:12]}…, but judge.json names {str(card.get('sha256'))[:12]}…; "
                "the two files do not belong together: install the package again, or export the model again"
            )
        try:
            self._session = session(model, threads)
            self._tokenizer = Tokenizer.from_str(tokenizer)
        except Exception as error:  # onnxruntime and tokenizers raise bare exceptions of their own
            raise ModelError(f"the judge cannot be loaded ({error}); install the package again") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._lock = threading.Lock()
        self.card = dict(card)
        """What judge.json says: length, calibration, thresholds, SHA-256."""
        self.sha256 = found
        self.name = f"{card.get('name', 'judge')}@{found[:12]}"
        """For manifests and answers."""
        self._limit = int(card["max_tokens"])
        self._usual = int(card["usual_tokens"])
        self._batch = int(card.get("batch", 8))

    @classmethod
    def packaged(cls, *, threads: int = 1) -> Judge:
        """The model that comes with the package; no network."""
        return cls.at(verified("rag.models.judge"), threads=threads)

    @classmethod
    def at(cls, folder: Path, *, threads: int = 1) -> Judge:
        """A model exported to `folder` by benchmarks/training/train_judge.py. Raises ModelError."""
        try:
            return cls(
                (folder / "judge.onnx").read_bytes(),
                (folder / "tokenizer.json").read_text(encoding="utf-8"),
                json.loads((folder / "judge.json").read_text(encoding="utf-8")),
                threads=threads,
            )
        except FileNotFoundError as error:
            raise ModelError(f"{error.filename} does not exist; export the model there first") from error

    def answers(self, question: str, sentences: Sequence[str], contexts: Sequence[str] | None = None) -> list[float]:
        """For each sentence the calibrated probability that it answers `question`.

        `contexts[i]` is the text around `sentences[i]`: a passage that holds it, or what stands before it.
        The maximum over a passage's sentences says whether the passage answers. `read` says it of a passage in
        one go, several times quicker but less surely: read first, then judge the few best sentences here.
        """
        scores = self._read(question, sentences, contexts)
        return [min(self._answer_probability(raw) for raw in parts) for parts in scores]

    def spans(
        self, question: str, sentences: Sequence[str], contexts: Sequence[str] | None = None
    ) -> list[tuple[int, int, float]]:
        """The best answer inside each sentence: start and end in characters, and its score.

        The score is the log-odds of that span against "no answer here". An empty sentence gives (0, 0, -inf).
        """
        found: list[tuple[int, int, float]] = []
        for sentence, parts in zip(sentences, self._read(question, sentences, contexts), strict=True):
            raw = parts[0]
            offsets = self._coded(sentence[:_MAX_CHARACTERS]).offsets
            start, end, score = best_span(raw.starts, raw.ends, raw.null)
            if end <= start:
                found.append((0, 0, -math.inf))
            else:
                found.append((offsets[start][0], offsets[end - 1][1], score))
        return found

    def looks(
        self, question: str, sentences: Sequence[str], contexts: Sequence[str]
    ) -> list[tuple[float, float, tuple[int, int]]]:
        """Uncalibrated, for each sentence: its answer logit, the best span's log-odds against no answer, the span.

        The span is in characters of the sentence, (0, 0) where it is empty.
        """
        found = []
        for sentence, parts in zip(sentences, self._read(question, sentences, contexts), strict=True):
            raw = parts[0]
            start, end, score = best_span(raw.starts, raw.ends, raw.null)
            offsets = self._coded(sentence[:_MAX_CHARACTERS]).offsets
            span = (offsets[start][0], offsets[end - 1][1]) if end > start else (0, 0)
            found.append((raw.answer, score, span))
        return found

    def supports(
        self, claims_and_evidence: Sequence[tuple[str, str]], contexts: Sequence[str] | None = None
    ) -> list[Support]:
        """For each (claim, evidence) whether the evidence supports, leaves open or contradicts the claim.

        `contexts[i]` is the text around evidence i, as for `answers`: it is read but it is not evidence.
        A claim too long for the model is judged in parts and the least supported part counts.
        """
        _same_length("contexts", contexts, claims_and_evidence)
        pairs = [
            (claim, evidence, contexts[i] if contexts is not None else None)
            for i, (claim, evidence) in enumerate(claims_and_evidence)
        ]
        temperature = float(self.card["supports"]["temperature"])
        bias = np.asarray(self.card["supports"]["bias"], dtype=np.float64)
        verdicts: list[Support] = []
        for claim_pair, parts in zip(pairs, self._run(pairs), strict=True):
            if not claim_pair[0].strip() or not claim_pair[1].strip():
                verdicts.append(Support(0.0, 1.0, 0.0))
                continue
            judged = [_softmax(raw.support.astype(np.float64) / temperature + bias) for raw in parts]
            worst = min(judged, key=lambda p: float(p[0]))
            verdicts.append(Support(float(worst[0]), float(worst[1]), float(worst[2])))
        return verdicts

    def read(
        self, question: str, passages: Sequence[str], sentences: Sequence[Sequence[tuple[int, int]]]
    ) -> list[Reading]:
        """Read each passage as a whole: whether it answers `question`, in which sentence, with which words.

        `sentences[i]` are the spans of passage i's sentences, in characters, in order. A passage longer than
        the model is read in windows of whole sentences, each with the sentence before it as context.
        """
        _same_length("sentences", sentences, passages)
        calibration = self.card["reads"]
        readings: list[Reading] = []
        for (answer, margin, each, span), spans in zip(
            self.read_raw(question, passages, sentences), sentences, strict=True
        ):
            readings.append(
                Reading(
                    answer_probability(calibration["passage"], answer, margin) if each else 0.0,
                    tuple(
                        answer_probability(calibration["sentence"], a, m) if math.isfinite(m) else 0.0 for a, m in each
                    ),
                    *(span if spans else (0, 0)),
                )
            )
        return readings

    def read_raw(
        self, question: str, passages: Sequence[str], sentences: Sequence[Sequence[tuple[int, int]]]
    ) -> list[tuple[float, float, list[tuple[float, float]], tuple[int, int]]]:
        """Uncalibrated: a passage's answer logit and span log-odds, the same for each sentence, the best span."""
        frames: list[Frame] = []
        places: list[tuple[int, int, list[int]]] = []
        with self._lock:
            memo: dict[str, list[int]] = {}
            asked = self._ids(question, memo)[: self._limit - 3 - 2 * _MIN_ROOM]
            room = self._limit - len(asked) - 3
            for index, (passage, spans) in enumerate(zip(passages, sentences, strict=True)):
                tokens = [self._ids(passage[a:b], memo)[:room] for a, b in spans]
                first = 0
                while first < len(tokens):
                    last, size = first + 1, len(tokens[first])
                    while last < len(tokens) and size + len(tokens[last]) <= room:
                        size += len(tokens[last])
                        last += 1
                    focus = [i for one in tokens[first:last] for i in one]
                    frames.append(frame(asked, tokens[first - 1] if first else [], focus, [], self._limit))
                    places.append((index, first, [len(one) for one in tokens[first:last]]))
                    first = last
        best = [(-math.inf, -math.inf, (0, 0))] * len(passages)
        each: list[list[tuple[float, float]]] = [[] for _ in passages]
        for (index, first, lengths), raw in zip(places, self._raws(frames), strict=True):
            at = 0
            for offset, length in enumerate(lengths):
                a, b = sentences[index][first + offset]
                s, e, margin = best_span(raw.starts[at : at + length], raw.ends[at : at + length], raw.null)
                at += length
                each[index].append((raw.answer, margin))
                if math.isfinite(margin) and (margin > best[index][1]):
                    marks = self._coded(passages[index][a:b]).offsets
                    span = (a + marks[s][0], a + marks[e - 1][1])
                    best[index] = (best[index][0], margin, span)
            answer = max(best[index][0], raw.answer)
            best[index] = (answer, best[index][1], best[index][2])
        return [(b[0], b[1], one, b[2]) for b, one in zip(best, each, strict=True)]

    def raw(self, pairs: Sequence[tuple[str, str, str | None]]) -> list[tuple[float, float, _Floats]]:
        """Uncalibrated (answer logit, span log-odds, support logits) of (first, focus, context) triples."""
        return [
            (parts[0].answer, best_span(parts[0].starts, parts[0].ends, parts[0].null)[2], parts[0].support)
            for parts in self._run(pairs)
        ]

    def _read(self, question: str, sentences: Sequence[str], contexts: Sequence[str] | None) -> list[list[_Raw]]:
        if isinstance(sentences, str):
            raise ModelError("sentences is one string; give a list of strings")
        _same_length("contexts", contexts, sentences)
        return self._run(
            [(question, s, contexts[i] if contexts is not None else None) for i, s in enumerate(sentences)]
        )

    def _answer_probability(self, raw: _Raw) -> float:
        if raw.starts.size == 0:
            return 0.0
        return answer_probability(self.card["answers"], raw.answer, best_span(raw.starts, raw.ends, raw.null)[2])

    def _run(self, pairs: Sequence[tuple[str, str, str | None]]) -> list[list[_Raw]]:
        """Judge every pair; the inner list has one entry for each part of a long first text."""
        frames: list[Frame] = []
        owner: list[int] = []
        with self._lock:
            memo: dict[str, list[int]] = {}
            for index, (first, focus, context) in enumerate(pairs):
                left, right = around(focus, context)
                before, inner, after = (self._ids(text, memo) for text in (left[-1000:], focus, right[:1000]))
                for part in _parts(self._ids(first, memo), self._limit - 3 - _MIN_ROOM):
                    bare = len(part) + len(inner) + 3
                    frames.append(frame(part, before, inner, after, min(self._limit, max(bare, self._usual))))
                    owner.append(index)
        results: list[list[_Raw]] = [[] for _ in pairs]
        for i, one in zip(owner, self._raws(frames), strict=True):
            results[i].append(one)
        return results

    def _raws(self, frames: Sequence[Frame]) -> list[_Raw]:
        """Every frame's logits, in the order given; equally long ones share a batch."""
        done: dict[int, _Raw] = {}
        order = sorted(range(len(frames)), key=lambda i: len(frames[i].ids))
        for batch in _batched(order, self._batch):
            done.update(zip(batch, self._batch_raw([frames[i] for i in batch]), strict=True))
        return [done[i] for i in range(len(frames))]

    def _coded(self, text: str) -> Encoding:
        """Tokens with offsets into `text`; half a surrogate pair, which no tokenizer takes, counts as "?"."""
        return self._tokenizer.encode(text.encode("utf-8", "replace").decode("utf-8"), add_special_tokens=False)

    def _ids(self, text: str, memo: dict[str, list[int]]) -> list[int]:
        text = text[:_MAX_CHARACTERS]
        if text not in memo:
            memo[text] = list(self._coded(text).ids)
        return memo[text]

    def _batch_raw(self, frames: Sequence[Frame]) -> Iterator[_Raw]:
        ids, types, mask = pad(frames)
        answer, support, starts, ends = self._session.run(
            ["answer", "support", "starts", "ends"], {"ids": ids, "types": types, "mask": mask}
        )
        for row, one in enumerate(frames):
            yield _Raw(
                float(answer[row]),
                support[row],
                starts[row, one.start : one.end],
                ends[row, one.start : one.end],
                float(starts[row, 0] + ends[row, 0]),
            )


def pad(
    frames: Sequence[Frame],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Frames as the arrays the model takes: ids, types and mask, padded on the right with zeros."""
    longest = max(len(one.ids) for one in frames)
    ids = np.zeros((len(frames), longest), dtype=np.int64)
    types = np.zeros_like(ids)
    mask = np.zeros_like(ids)
    for row, one in enumerate(frames):
        ids[row, : len(one.ids)] = one.ids
        types[row, : len(one.ids)] = one.types
        mask[row, : len(one.ids)] = 1
    return ids, types, mask


def best_span(starts: _Floats, ends: _Floats, null: float, longest: int = 40) -> tuple[int, int, float]:
    """The best span of at most `longest` tokens (start, end exclusive) and its log-odds against no answer."""
    if starts.size == 0:
        return 0, 0, -math.inf
    both = starts[:, None] + ends[None, :]
    allowed = np.triu(np.ones(both.shape, dtype=bool)) & ~np.triu(np.ones(both.shape, dtype=bool), longest)
    at = int(np.argmax(np.where(allowed, both, -np.inf)))
    start, end = divmod(at, both.shape[1])
    return start, end + 1, float(both[start, end]) - null


def answer_probability(calibration: Mapping[str, float], answer: float, span: float) -> float:
    """The two answer scores as one probability, by the logistic calibration in judge.json."""
    clipped = max(-30.0, min(30.0, span))
    z = calibration["answer"] * answer + calibration["span"] * clipped + calibration["bias"]
    return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, z))))


def _softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    powers = np.exp(logits - logits.max())
    total: npt.NDArray[np.float64] = powers / powers.sum()
    return total


def _parts(ids: list[int], room: int) -> Iterable[list[int]]:
    if len(ids) <= room:
        return [ids]
    return [ids[at : at + room] for at in range(0, len(ids), room)]


def _batched(order: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for at in range(0, len(order), size):
        yield order[at : at + size]


def _same_length(name: str, given: Sequence[Any] | None, other: Sequence[Any]) -> None:
    if given is not None and len(given) != len(other):
        raise ModelError(f"{name} has {len(given)} items for {len(other)} pairs; give one for each, or none")
