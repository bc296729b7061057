"""Calibrate an exported judge on held-out articles and measure it on others.

    python -m benchmarks.training.evaluate_judge rag/models/judge --calibrate --out benchmarks/training/RESULTS.json
    python -m benchmarks.training.evaluate_judge rag/models/judge --quick

Calibration uses what was neither trained on nor is reported: two articles of squad2_half, a tenth of the
SciFact claims, one in fifty support premises. The report uses six other articles and the other half of SciFact.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm  # type: ignore[import-untyped,unused-ignore]

from benchmarks.training.examples import (
    CONTRADICTED,
    LABELS,
    NEUTRAL,
    NOT_SUPPORTED,
    SUPPORTED,
    Near,
    Question,
    plain,
    rows,
    scifact,
    squad_articles,
    support_rows,
)
from rag.encoder.judge import Judge
from rag.sentences import split

Array = npt.NDArray[np.float64]


# --- measures ------------------------------------------------------------------------------------------------


def auc(scores: Sequence[float] | Array, labels: Sequence[int] | Array) -> float:
    """The chance that a positive scores above a negative; ties count half."""
    s, y = np.asarray(scores, dtype=float), np.asarray(labels)
    _, place, counts = np.unique(s, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
    positive = int((y == 1).sum())
    negative = len(y) - positive
    if not positive or not negative:
        return float("nan")
    return float((rank[y == 1].sum() - positive * (positive + 1) / 2) / (positive * negative))


def interval(measure: Callable[[npt.NDArray[np.int64]], float], size: int, times: int = 500) -> list[float]:
    """The middle 95% of `measure` over resamples of `size` items."""
    rng = np.random.default_rng(1)
    values = [measure(rng.integers(0, size, size)) for _ in range(times)]
    return [round(float(v), 4) for v in np.nanpercentile(values, [2.5, 97.5])]


def auc_with_interval(scores: Sequence[float], labels: Sequence[int]) -> dict[str, Any]:
    """AUC, its bootstrap interval, and how many of each there were."""
    s, y = np.asarray(scores, dtype=float), np.asarray(labels)
    return {
        "auc": round(auc(s, y), 4),
        "interval": interval(lambda i: auc(s[i], y[i]), len(s)),
        "positive": int((y == 1).sum()),
        "negative": int((y != 1).sum()),
    }


def share_with_interval(hits: Sequence[bool]) -> dict[str, Any]:
    """A share and its bootstrap interval."""
    h = np.asarray(hits, dtype=float)
    return {
        "share": round(float(h.mean()), 4),
        "interval": interval(lambda i: float(h[i].mean()), len(h)),
        "of": len(h),
    }


def calibration_error(probabilities: Sequence[float], labels: Sequence[int], bins: int = 10) -> float:
    """Expected calibration error over equally wide bins."""
    p, y = np.asarray(probabilities), np.asarray(labels)
    which = np.minimum((p * bins).astype(int), bins - 1)
    return round(
        float(sum(abs(p[which == b].mean() - y[which == b].mean()) * (which == b).mean() for b in set(which))), 4
    )


def fit_logistic(features: Array, labels: Array) -> Array:
    """Weights and, last, the bias of a logistic regression; Newton's method, a whiff of ridge."""
    x = np.column_stack([features, np.ones(len(features))])
    w = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -40, 40)))
        gradient = x.T @ (p - labels) + 1e-3 * w
        curvature = (x * (p * (1 - p))[:, None]).T @ x + 1e-3 * np.eye(len(w))
        w = w - np.linalg.solve(curvature, gradient)
    fitted: Array = w
    return fitted


def fit_temperature(logits: Array, labels: Array) -> tuple[float, list[float]]:
    """One temperature and three biases for the support head, by gradient descent on the log loss."""
    scale, bias = 1.0, np.zeros(3)
    loose = labels == NOT_SUPPORTED
    target = np.zeros((len(labels), 3))
    target[np.arange(len(labels))[~loose], labels[~loose]] = 1
    for _ in range(3000):
        z = logits * scale + bias
        p = np.exp(z - z.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        aim = target.copy()
        aim[loose, 1:] = p[loose, 1:] / p[loose, 1:].sum(1, keepdims=True)
        error = (p - aim) / len(labels)
        scale -= 0.3 * float((error * logits).sum())
        bias -= 0.3 * error.sum(0)
    return 1 / scale, [round(float(b - bias.mean()), 4) for b in bias]


# --- answers -------------------------------------------------------------------------------------------------


def squad_raw(judge: Judge, questions: Sequence[Question], *, by_sentence: bool = True) -> list[dict[str, Any]]:
    """For each question the raw scores of its paragraph, whole and by sentence, and where the answers are."""
    found = []
    for q in tqdm(questions, desc="squad2_half"):
        sentences = [q.sentence(i) for i in range(len(q.spans))]
        row: dict[str, Any] = {
            "answerable": int(bool(q.answers)),
            "right": {q.sentence_of(start) for start, _ in q.answers},
            "article": q.group,
        }
        ((answer, margin, each, span),) = judge.read_raw(q.text, [q.passage], [q.spans])
        row |= {"read": (answer, margin), "read_each": each, "span": q.passage[span[0] : span[1]]}
        row["gold"] = [text for _, text in q.answers]
        if by_sentence:
            row["each"] = [(a, m) for a, m, _ in judge.raw([(q.text, s, q.passage) for s in sentences])]
        found.append(row)
    return found


def _z(calibration: dict[str, float], pair: Sequence[float]) -> float:
    return calibration["answer"] * pair[0] + calibration["span"] * max(-30.0, min(30.0, pair[1])) + calibration["bias"]


def _p(z: float) -> float:
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, z))))


def _logistic(pairs: Sequence[Sequence[float]], labels: Sequence[int]) -> dict[str, float]:
    """Both scores speak for an answer; one that would be weighed against it on a small sample gets no weight."""
    scores, y = np.clip(np.asarray(pairs, dtype=float), -30, 30), np.asarray(labels, dtype=float)
    w = fit_logistic(scores, y)
    for weak in (0, 1):
        if w[weak] < 0:
            alone = fit_logistic(scores[:, [1 - weak]], y)
            w = np.insert(alone, weak, 0.0)
    return {"answer": round(float(w[0]), 5), "span": round(float(w[1]), 5), "bias": round(float(w[2]), 5)}


def calibrate_answers(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Calibrations of a sentence alone, of a passage, and of a sentence inside a passage read whole."""

    def flat(name: str) -> tuple[list[Any], list[int]]:
        pairs = [pair for row in found for pair in row[name]]
        return pairs, [int(i in row["right"]) for row in found for i in range(len(row[name]))]

    return {
        "answers": _logistic(*flat("each")),
        "reads": {
            "passage": _logistic([row["read"] for row in found], [row["answerable"] for row in found]),
            "sentence": _logistic(*flat("read_each")),
        },
    }


def report_answers(found: Sequence[dict[str, Any]], card: dict[str, Any]) -> dict[str, Any]:
    """Answerable or not, the answer's sentence first, and the calibration of both."""
    labels = [row["answerable"] for row in found]
    passage = [_z(card["reads"]["passage"], row["read"]) for row in found]
    answerable = [row for row in found if row["right"]]

    def first(name: str, calibration: dict[str, float]) -> list[bool]:
        return [int(np.argmax([_z(calibration, pair) for pair in row[name]])) in row["right"] for row in answerable]

    report: dict[str, Any] = {
        "answerable_by_reading": auc_with_interval(passage, labels),
        "sentence_first_by_reading": share_with_interval(first("read_each", card["reads"]["sentence"])),
        "reading_calibration_error": calibration_error([_p(z) for z in passage], labels),
        "span_f1_by_reading": round(
            statistics.mean(max(_f1(row["span"], gold) for gold in row["gold"]) for row in answerable), 4
        ),
    }
    if "each" in found[0]:
        most = [max(_z(card["answers"], pair) for pair in row["each"]) for row in found]
        report |= {
            "answerable_by_sentences": auc_with_interval(most, labels),
            "sentence_first_by_sentences": share_with_interval(first("each", card["answers"])),
            "answerable_by_both": auc_with_interval([a + b for a, b in zip(most, passage, strict=True)], labels),
            "sentence_first_by_both": share_with_interval(
                [
                    int(
                        np.argmax(
                            [
                                _z(card["answers"], a) + _z(card["reads"]["sentence"], b)
                                for a, b in zip(row["each"], row["read_each"], strict=True)
                            ]
                        )
                    )
                    in row["right"]
                    for row in answerable
                ]
            ),
        }
    by_article = {
        name: round(auc([z for z, r in zip(passage, found, strict=True) if r["article"] == name],
                        [r["answerable"] for r in found if r["article"] == name]), 4)
        for name in sorted({row["article"] for row in found})
    }  # fmt: skip
    return report | {"answerable_by_reading_by_article": by_article}


def _f1(given: str, gold: str) -> float:
    a, b = given.lower().split(), gold.lower().split()
    common = sum(min(a.count(w), b.count(w)) for w in set(a))
    return 2 * common / (len(a) + len(b)) if common else 0.0


def report_article(judge: Judge, shared: Path, *, by_sentence: bool = True) -> dict[str, Any]:
    """The public gold: the whole article's best score for answerable and for unanswerable questions."""
    text = (shared / "corpus/article.txt").read_text(encoding="utf-8")
    blocks = []
    for start, end in _paragraphs(text):
        spans = [(s.start - start, s.end - start) for s in split(text, start, end)]
        if spans:
            blocks.append((text[start:end], spans))
    listed = []
    for gold in tqdm(list(rows(shared / "gold/article-public.jsonl")), desc="article"):
        readings = judge.read(gold["question"], [b for b, _ in blocks], [s for _, s in blocks])
        best = max(range(len(blocks)), key=lambda i: readings[i].answered)
        sentences = [b[x:y] for b, s in blocks for x, y in s]
        contexts = [b for b, s in blocks for _ in s]
        read_each = [p for r in readings for p in r.sentences]
        each = list(read_each)
        if by_sentence:  # the sentences that reading found, judged one by one
            best_read = sorted(range(len(sentences)), key=lambda i: -read_each[i])[:8]
            again = judge.answers(gold["question"], [sentences[i] for i in best_read], [contexts[i] for i in best_read])
            each = [0.0] * len(sentences)
            for i, p in zip(best_read, again, strict=True):
                each[i] = p
        top = int(np.argmax(each))
        both = [math.sqrt(a * b) for a, b in zip(each, read_each, strict=True)]
        top_both = int(np.argmax(both))
        evidence = gold["evidence"]
        listed.append(
            {
                "id": gold["id"],
                "kind": gold["kind"],
                "question": gold["question"],
                "answerable": gold["answerable"],
                "by_sentences": round(each[top], 4),
                "by_reading": round(readings[best].answered, 4),
                "by_both": round(both[top_both], 4),
                "right_sentence": bool(evidence) and _meets(sentences[top], evidence),
                "right_sentence_by_both": bool(evidence) and _meets(sentences[top_both], evidence),
                "sentence": sentences[top_both][:160],
                "span": blocks[best][0][readings[best].start : readings[best].end],
            }
        )
    # metadata, bibliography and Chinese are not this model's to answer
    ours = [row for row in listed if row["kind"] in {"fact", "why", "unanswerable"}]
    return {
        **{
            name: auc_with_interval([row[name] for row in ours], [int(row["answerable"]) for row in ours])
            for name in ("by_sentences", "by_reading", "by_both")
        },
        "right_sentence": share_with_interval([r["right_sentence"] for r in ours if r["answerable"]]),
        "right_sentence_by_both": share_with_interval([r["right_sentence_by_both"] for r in ours if r["answerable"]]),
        "questions": listed,
    }


def _paragraphs(text: str) -> list[tuple[int, int]]:
    spans, at = [], 0
    for block in text.split("\n"):
        if block.strip():
            spans.append((at, at + len(block)))
        at += len(block) + 1
    return spans


def _meets(sentence: str, evidence: str) -> bool:
    return sentence in evidence or evidence in sentence or evidence[:60] in sentence or evidence[-60:] in sentence


# --- supports ------------------------------------------------------------------------------------------------


def scifact_raw(judge: Judge, part: str, shared: Path, most: int = 100_000) -> list[dict[str, Any]]:
    """Every claim against every sentence of its cited abstracts, and against the nearest foreign ones."""
    parts, corpus = scifact(shared)
    documents = sorted(corpus)
    near = Near([corpus[d][0] + " " + " ".join(corpus[d][1]) for d in documents])
    rng = random.Random(3)  # noqa: S311 - no secret
    found: list[dict[str, Any]] = []
    for claim in tqdm(parts[part][:most], desc=f"scifact {part}"):
        chosen: list[tuple[str, int, int, str]] = []
        for document in claim.cited:
            label, evidence = claim.evidence.get(document, (NEUTRAL, ()))
            for i in range(len(corpus[document][1])):
                if i in evidence:
                    chosen.append((document, i, label, "evidence"))
                else:
                    chosen.append((document, i, NEUTRAL, "same" if evidence else "silent"))
        strangers = [documents[k] for k in near.top(claim.text, 8) if documents[k] not in claim.cited]
        foreign = [(d, "near") for d in strangers[:2]]
        foreign += [(d, "random") for d in rng.sample(documents, 2) if d not in claim.cited]
        chosen += [(d, rng.randrange(len(corpus[d][1])), NEUTRAL, kind) for d, kind in foreign]
        pairs = [(claim.text, corpus[d][1][i], " ".join(corpus[d][1][max(0, i - 3) : i + 3])) for d, i, _, _ in chosen]
        stands = any(label == SUPPORTED for label, _ in claim.evidence.values())
        for (document, _, label, kind), (_, _, logits) in zip(chosen, judge.raw(pairs), strict=True):
            row = {"claim": claim.id, "document": document, "label": label, "kind": kind, "true": stands}
            found.append(row | {"logits": logits.astype(float)})
    return found


def _probabilities(logits: Array, card: dict[str, Any]) -> Array:
    z = logits / card["supports"]["temperature"] + np.asarray(card["supports"]["bias"])
    p = np.exp(z - z.max(-1, keepdims=True))
    total: Array = p / p.sum(-1, keepdims=True)
    return total


def report_scifact(found: Sequence[dict[str, Any]], card: dict[str, Any], threshold: float) -> dict[str, Any]:
    """Supported or not, contradiction against support, and how often a wrong passage passes."""
    p = _probabilities(np.stack([row["logits"] for row in found]), card)
    supported = [int(row["kind"] == "evidence" and row["label"] == SUPPORTED) for row in found]
    kind = np.asarray([row["kind"] for row in found])

    def against(*kinds: str) -> dict[str, Any]:
        keep = [
            i
            for i, row in enumerate(found)
            if supported[i] or row["kind"] in kinds or ("evidence" in kinds and row["kind"] == "evidence")
        ]
        return auc_with_interval([float(p[i, 0]) for i in keep], [supported[i] for i in keep])

    evidence = [i for i in range(len(found)) if kind[i] == "evidence"]
    margin = [float(np.log(p[i, 2] + 1e-9) - np.log(p[i, 0] + 1e-9)) for i in evidence]
    against_it = [int(found[i]["label"] == CONTRADICTED) for i in evidence]
    abstracts: dict[tuple[str, str], list[int]] = {}
    for i, row in enumerate(found):
        if row["kind"] in {"evidence", "same", "silent"}:
            abstracts.setdefault((row["claim"], row["document"]), []).append(i)
    top = [float(p[indexes, 0].max()) for indexes in abstracts.values()]
    label = [max(supported[i] for i in indexes) for indexes in abstracts.values()]

    def passes(chosen: Sequence[int]) -> dict[str, Any]:
        return share_with_interval([bool(p[i, 0] >= threshold) for i in chosen])

    def passing(name: str) -> dict[str, Any]:
        return passes([i for i, row in enumerate(found) if row["kind"] == name and row["true"]])

    return {
        "supported_against_all": against("evidence", "same", "silent", "near", "random"),
        "supported_against_cited_abstracts": against("evidence", "same", "silent"),
        "supported_against_contradicted_and_other_abstracts": against("evidence", "silent", "near", "random"),
        "supported_against_same_abstract": against("same"),
        "abstract_supports_claim": auc_with_interval(top, label),
        "contradicted_against_supported": auc_with_interval(margin, against_it),
        "threshold": threshold,
        "true_claim_evidence_passes": passes([i for i in evidence if supported[i]]),
        "contradicted_evidence_passes": passes([i for i in evidence if not supported[i]]),
        "true_claim_near_wrong_passage_passes": passing("near"),
        "true_claim_random_wrong_passage_passes": passing("random"),
    }


def pairs_raw(judge: Judge, given: Sequence[dict[str, Any]]) -> tuple[Array, npt.NDArray[np.int64]]:
    """Support logits and labels of rows of support.jsonl."""
    logits = [
        logits.astype(float)
        for at in tqdm(range(0, len(given), 64), desc="support pairs")
        for _, _, logits in judge.raw([(r["claim"], r["premise"], None) for r in given[at : at + 64]])
    ]
    return np.stack(logits), np.asarray([LABELS[r["label"]] for r in given], dtype=np.int64)


def report_pairs(logits: Array, labels: npt.NDArray[np.int64], card: dict[str, Any]) -> dict[str, Any]:
    """Accuracy, supported or not, contradicted or supported."""
    p = _probabilities(logits, card)
    known = labels != NOT_SUPPORTED
    two = (labels == SUPPORTED) | (labels == CONTRADICTED)
    return {
        "three_way_accuracy": round(float((p[known].argmax(1) == labels[known]).mean()), 4),
        "supported_or_not": auc_with_interval(p[:, 0].tolist(), (labels == SUPPORTED).astype(int).tolist()),
        "supported_or_contradicted": auc_with_interval(
            (logits[two, 0] - logits[two, 2]).tolist(), (labels[two] == SUPPORTED).astype(int).tolist()
        ),
        "calibration_error": calibration_error(p[:, 0].tolist(), (labels == SUPPORTED).astype(int).tolist()),
        "pairs": len(labels),
    }


def speed(judge: Judge) -> dict[str, Any]:
    """Milliseconds on one core: a pair of 100 tokens, alone and in a batch, and a passage of 200."""
    sentence = "the committee has published its report on the regulation of new services in the union " * 6
    question = "what did the committee publish"
    alone, batched = [], []
    for _ in range(30):
        start = time.perf_counter()
        judge.raw([(question, sentence, None)])
        alone.append(1000 * (time.perf_counter() - start))
    for _ in range(5):
        start = time.perf_counter()
        judge.raw([(question, sentence + str(i), None) for i in range(16)])
        batched.append(1000 * (time.perf_counter() - start) / 16)
    return {
        "tokens": 6 * 15 + 8,
        "pair_ms": round(statistics.median(alone), 1),
        "pair_in_batch_ms": round(statistics.median(batched), 1),
    }


# --- all of it -----------------------------------------------------------------------------------------------


def calibrate(
    asked: Sequence[dict[str, Any]],
    claims: Sequence[dict[str, Any]],
    logits: Array,
    labels: npt.NDArray[np.int64],
) -> dict[str, Any]:
    """Everything judge.json says beyond the model: calibrations and thresholds."""
    card = calibrate_answers(asked)
    both = np.concatenate([logits, np.stack([c["logits"] for c in claims])])
    known = np.concatenate([labels, np.asarray([c["label"] for c in claims])])
    temperature, bias = fit_temperature(both, known)
    card["supports"] = {"temperature": round(temperature, 4), "bias": bias}
    supported = _probabilities(both, card)[:, 0]
    wrong = [p for p, c in zip(supported[len(labels) :], claims, strict=True) if c["kind"] == "near"]
    read = [_p(_z(card["reads"]["passage"], row["read"])) for row in asked]
    most = [_p(max(_z(card["answers"], pair) for pair in row["each"])) for row in asked]
    answerable = [row["answerable"] for row in asked]
    card["thresholds"] = {
        "supported": max(best_cut(supported, known == SUPPORTED), round(float(np.quantile(wrong, 0.96)), 4)),
        "answered": best_cut(np.asarray(read), np.asarray(answerable) == 1),
        "answers": best_cut(np.asarray(most), np.asarray(answerable) == 1),
    }
    return card


def best_cut(scores: Array, labels: npt.NDArray[np.bool_]) -> float:
    """The score from which on the share of right positives most exceeds the share of wrong ones."""
    cuts = np.quantile(scores, np.linspace(0.02, 0.98, 97))
    gain = [(scores[labels] >= c).mean() - (scores[~labels] >= c).mean() for c in cuts]
    return round(float(cuts[int(np.argmax(gain))]), 4)


def main() -> None:
    """Calibrate where asked, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = Path(__file__).resolve().parents[2]
    parser.add_argument("model", type=Path, help="folder with judge.onnx, judge.json, tokenizer.json")
    parser.add_argument("--shared", type=Path, default=root.parent / "shared")
    parser.add_argument("--calibrate", action="store_true", help="fit on held-out data and write judge.json")
    parser.add_argument("--quick", action="store_true", help="a tenth of the data")
    parser.add_argument("--questions", type=int, default=100_000, help="at most so many of squad2_half's")
    parser.add_argument("--claims", type=int, default=1000, help="at most so many of SciFact's")
    parser.add_argument("--pairs", type=int, default=100_000, help="at most so many of each support set's")
    parser.add_argument("--speed-only", action="store_true", help="measure the time again and leave the rest of --out")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="write the figures here")
    args = parser.parse_args()
    judge = Judge.at(args.model, threads=args.threads)
    rng = random.Random(5)  # noqa: S311 - no secret
    articles = squad_articles(args.shared)
    card: dict[str, Any] = dict(judge.card)

    def some(items: Sequence[Any], quick: int, most: int = 100_000) -> list[Any]:
        return rng.sample(list(items), min(len(items), quick if args.quick else most))

    if args.calibrate:
        asked = squad_raw(judge, some(articles["dev"], 100, args.questions))
        claims = scifact_raw(judge, "dev", args.shared, 25 if args.quick else 1000)
        claims = [c for c in claims if c["kind"] in {"evidence", "near"}]
        _, held = support_rows(args.shared)
        logits, labels = pairs_raw(judge, some([r for r in held if r["set"] != "breaking_nli"], 200))
        card |= calibrate(asked, claims, logits, labels)
        path = args.model / "judge.json"
        path.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
        judge = Judge.at(args.model, threads=args.threads)
    threshold = float(card.get("thresholds", {}).get("supported", 0.5))
    results: dict[str, Any] = {"model": judge.name, "steps": card["steps"], "quick": args.quick}

    def keep(name: str, figures: dict[str, Any]) -> None:
        """Each part is written as it is measured: what is stopped keeps what it has."""
        results[name] = figures
        print(name, json.dumps({k: v for k, v in figures.items() if k != "questions"}, indent=1), flush=True)
        if args.out:
            args.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")

    if args.speed_only:
        results = json.loads(args.out.read_text(encoding="utf-8")) if args.out else results
        return keep("speed", speed(judge))
    keep("speed", speed(judge))
    keep("article", report_article(judge, args.shared, by_sentence=not args.quick))
    questions = some(articles["test"], 300, args.questions)
    keep("squad2_half", report_answers(squad_raw(judge, questions, by_sentence=not args.quick), card))
    claims = scifact_raw(judge, "test", args.shared, 60 if args.quick else args.claims)
    keep("scifact", report_scifact(claims, card, threshold))
    symmetric = [
        r | {"premise": plain(r["premise"]), "claim": plain(r["claim"])}
        for r in rows(args.shared / "train/support.jsonl.gz")
        if r["set"] == "fever_symmetric"
    ]
    keep("fever_symmetric", report_pairs(*pairs_raw(judge, some(symmetric, 200, args.pairs)), card))
    _, held = support_rows(args.shared)
    keep("support_held_out", report_pairs(*pairs_raw(judge, some(held, 200, args.pairs)), card))
    return None


if __name__ == "__main__":
    main()
