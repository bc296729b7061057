"""Learn how much each feature of `rag.answer.evidence` says about a sentence: writes rag/answer/weights.json.

    python -m benchmarks.training.train_selector words ../shared      the sentence's own features
    python -m benchmarks.training.train_selector across ../shared     … for a question in another language
    python -m benchmarks.training.train_selector scan ../shared       what the judge adds, having read the passages
    python -m benchmarks.training.train_selector settle ../shared     … and having looked at the best sentences

Every article of `data/squad2_half` becomes an index of its own, built and searched with the service's code. Questions:
answerable ones, the adversarial unanswerable ones, and answerable ones asked of another article. A sentence is positive
when an answer stands in it. For the words, articles at even places train and the others test. The judge's stages learn
from the questions on our own collections, which ask as users do, and are tested on articles the judge never saw; each
collection is also held out in turn, and what the others teach is tested on it. For questions in other languages our own
are asked in translation; those on the digest only test. Knows nothing of the first article's own text and its
questions.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from benchmarks.training.examples import squad_articles
from rag import chunks, encoder, retrieve, store
from rag.answer import about, evidence, nearness, question, reading
from rag.encoder.judge import Judge
from rag.evaluate import Judged, load, places, squeezed
from rag.settings import Settings
from rag.types import Document
from rag.workspace import Workspace

OWN = {
    "digest": Path("corpus/china-generative-ai"),
    "numeric": Path("tests/corpora/numeric"),
    "report-notes": Path("tests/corpora/report-notes"),
}
OUT = Path("rag/answer/weights.json")
NEGATIVES = 4
FIRST = 4
"""Candidates a question that the judge's stage learns from, the most promising before it read them."""
Fitted = tuple[npt.NDArray[np.float64], float]
"""Weights and bias."""
Examples = tuple[list[tuple[float, ...]], list[int], str]
"""The features of a question's candidates, which of them hold an answer, and the kind of question."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question put to an article; `gold` are the answers' spans in its text, empty when it has none."""

    text: str
    kind: str
    gold: tuple[tuple[int, int], ...]


def main() -> None:
    """Train, test and write the weights of one stage; those of the other stay."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=("words", "across", "scan", "settle"))
    parser.add_argument("shared", type=Path)
    parser.add_argument("--judge", type=Path, help="folder of an exported judge; the packaged one by default")
    parser.add_argument("--per-article", type=int, default=60, help="questions of each kind")
    parser.add_argument("--ridge", type=float, default=0.3, help="inverse strength of regularisation")
    arguments = parser.parse_args()
    if arguments.stage == "across":
        _across()
        return
    articles = json.loads((arguments.shared / "data/squad2_half/dev-v2.0.json").read_text())["data"]
    judge = None
    if arguments.stage != "words":
        judge = Judge.at(arguments.judge) if arguments.judge else Judge.packaged()
        # Only articles the judge was not trained on can say how far it is to be believed.
        trained = {q.group for q in squad_articles(arguments.shared)["train"]}
        articles = [a for a in articles if a["title"] not in trained]
    rng = random.Random(7)  # noqa: S311  (a sample, no secret)
    rows: dict[bool, list[Examples]] = {True: [], False: []}
    own: list[tuple[str, Examples]] = []
    for number, article in enumerate(articles):
        other = articles[(number + 2) % len(articles)]
        training = number % 2 == 0 and judge is None
        rows[training].extend(_examples(article, other, rng, arguments.per_article, arguments.stage, judge))
        print(f"{number + 1}/{len(articles)} {article['title']}", flush=True)
    if judge is not None:
        own = list(_own_examples(judge, arguments.stage))
        rows[True].extend(row for _, row in own)

    body = json.loads(OUT.read_text())
    stages: dict[str, dict[str, Sequence[str]]] = {
        "words": {"within": evidence.WITHIN},
        "scan": {"scanned": reading.SCANNED},
        "settle": {"settled": reading.SETTLED},
    }
    for profile, names in stages[arguments.stage].items():
        every = evidence.FEATURES if judge is None else names
        columns = [every.index(name) for name in names]
        ridge = 10 if judge is None else arguments.ridge
        fitted = _fit(rows[True], columns, ridge, judged=judge is not None)
        weights = dict(zip(names, map(float, fitted[0]), strict=True))
        for name, value in weights.items():
            print(f"  {name:15} {value:+.2f}")
        print(f"  {'bias':15} {fitted[1]:+.2f}")
        figures = _figures(rows[False], fitted, columns)
        if judge is not None:
            figures |= _by_collection(own, columns, ridge)
        body[profile] = {"bias": fitted[1], "weights": weights, "held_out": figures}
        print(profile, figures)
    OUT.write_text(json.dumps(body, indent=1) + "\n")


def _across() -> None:
    """Learn from our own questions in translation, of all collections but the digest, which tests."""
    ridge = 0.03  # 86 questions: much less restraint learns their accidents
    with tempfile.TemporaryDirectory() as folder:
        own = list(_own_across(Path(folder)))
    columns = [evidence.FEATURES.index(name) for name in evidence.ACROSS]
    held_out: dict[str, Any] = {}
    for held in OWN:
        taught = [row for name, row in own if name not in {held, "digest"}]
        tested = [row for name, row in own if name == held]
        found = list(_best(tested, _fit(taught, columns, ridge, judged=False), columns))
        able = [int(kind == "answerable") for kind, _, _ in found]
        held_out[held] = {
            "auc": round(float(roc_auc_score(able, [p for _, p, _ in found])), 4),
            "first_sentence_right": round(float(np.mean([r for kind, _, r in found if kind == "answerable"])), 4),
            "curve": _curve(found),
        }
        print(held, held_out[held]["auc"], held_out[held]["first_sentence_right"])
    fitted = _fit([row for name, row in own if name != "digest"], columns, ridge, judged=False)
    body = json.loads(OUT.read_text())
    weights = dict(zip(evidence.ACROSS, map(float, fitted[0]), strict=True))
    body["across"] = {"bias": fitted[1], "weights": weights, "held_out": held_out}
    print(weights, fitted[1])
    OUT.write_text(json.dumps(body, indent=1) + "\n")


def _own_across(base: Path) -> Iterator[tuple[str, Examples]]:
    """The features of the sentences found for our own questions in translation."""
    for name, judged, _, found, generation in _own_found(base, "-across"):
        found.sort(key=lambda c: -c.features[0])
        labels = _labels(found, generation, judged)
        if not judged.answerable or any(labels):
            yield name, ([c.features for c in found], labels, "answerable" if judged.answerable else "own")


def _fit(rows: Sequence[Examples], columns: Sequence[int], ridge: float, *, judged: bool) -> Fitted:
    """A logistic regression over standardised features, told in the features' own units."""
    x, y, w = [], [], []
    for values, labels, kind in rows:
        kept = [i for i, label in enumerate(labels) if label]
        kept += [i for i, label in enumerate(labels) if not label][:NEGATIVES]
        if judged:
            kept = sorted(range(len(labels)), key=lambda i: -values[i][0])[:FIRST]
        for i in kept:
            x.append([values[i][c] for c in columns])
            y.append(labels[i])
            # Adversarial questions share all words with the text: form cannot tell them, so there they weigh less.
            w.append(0.5 if kind == "adversarial" else 1.0)
    given = np.array(x)
    mean, deviation = given.mean(0), given.std(0) + 1e-9
    model = LogisticRegression(C=ridge, max_iter=2000).fit((given - mean) / deviation, y, sample_weight=w)
    weights = model.coef_[0] / deviation
    return weights, float(model.intercept_[0] - weights @ mean)


def _best(rows: Sequence[Examples], fitted: Fitted, columns: Sequence[int]) -> Iterator[tuple[str, float, int]]:
    """For each question its kind, the probability of its best candidate, and whether that holds the answer."""
    for values, labels, kind in rows:
        z = np.array(values)[:, list(columns)] @ fitted[0] + fitted[1]
        yield kind, float(1 / (1 + np.exp(-z.max()))), labels[int(z.argmax())]


def _figures(rows: Sequence[Examples], fitted: Fitted, columns: Sequence[int]) -> dict[str, float]:
    best: dict[str, list[float]] = {}
    first = []
    for kind, p, right in _best(rows, fitted, columns):
        best.setdefault(kind, []).append(p)
        if kind == "answerable":
            first.append(right)
    for kind, scores in best.items():
        print(f"  {kind:12} {np.quantile(scores, [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95]).round(3)}")
    yes = best["answerable"]
    figures = {
        f"auc_{kind}": round(float(roc_auc_score([1] * len(yes) + [0] * len(best[kind]), yes + best[kind])), 4)
        for kind in ("adversarial", "foreign")
    }
    return {**figures, "first_sentence_right": round(float(np.mean(first)), 4)}


def _by_collection(own: Sequence[tuple[str, Examples]], columns: Sequence[int], ridge: float) -> dict[str, Any]:
    """Our own collections, each judged by what the others teach: the risk–coverage curve behind the threshold."""
    found: list[tuple[str, float, int]] = []
    for held in OWN:
        fitted = _fit([row for name, row in own if name != held], columns, ridge, judged=True)
        found += _best([row for name, row in own if name == held], fitted, columns)
    able = [int(kind == "answerable") for kind, _, _ in found]
    return {
        "own_auc": round(float(roc_auc_score(able, [p for _, p, _ in found])), 4),
        "own_first_sentence_right": round(float(np.mean([r for kind, _, r in found if kind == "answerable"])), 4),
        "own_risk_coverage": _curve(found),
    }


def _curve(found: Sequence[tuple[str, float, int]]) -> list[dict[str, float]]:
    """What each threshold answers, gets right and declines."""
    able = [int(kind == "answerable") for kind, _, _ in found]
    curve = []
    for threshold in (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
        answered = [(kind, right) for kind, p, right in found if p >= threshold]
        curve.append(
            {
                "threshold": threshold,
                "coverage": round(sum(kind == "answerable" for kind, _ in answered) / sum(able), 4),
                "right": round(sum(right for _, right in answered) / sum(able), 4),
                "risk": round(1 - sum(right for _, right in answered) / max(1, len(answered)), 4),
                "declined": round(
                    sum(kind != "answerable" and p < threshold for kind, p, _ in found) / (len(able) - sum(able)), 4
                ),
            }
        )
        print("  ", curve[-1])
    return curve


def _examples(  # noqa: PLR0917  (one caller)
    article: dict[str, Any],
    other: dict[str, Any],
    rng: random.Random,
    per_article: int,
    stage: str,
    judge: Judge | None,
) -> Iterator[Examples]:
    paragraphs = [p["context"] for p in article["paragraphs"]]
    starts = np.cumsum([0, *[len(p) + 2 for p in paragraphs]])
    document = Document(id="d", text="\n\n".join(paragraphs), title=article["title"].replace("_", " "), language="en")
    asked = []
    for place, paragraph in zip(starts, article["paragraphs"], strict=False):
        for qa in paragraph["qas"]:
            gold = tuple(
                (int(place) + a["answer_start"], int(place) + a["answer_start"] + len(a["text"])) for a in qa["answers"]
            )
            asked.append(Asked(qa["question"], "adversarial" if qa["is_impossible"] else "answerable", gold))
    foreign = [
        Asked(qa["question"], "foreign", ()) for p in other["paragraphs"] for qa in p["qas"] if not qa["is_impossible"]
    ]
    sample = []
    for kind in ("answerable", "adversarial"):
        own = [a for a in asked if a.kind == kind]
        sample += rng.sample(own, min(per_article, len(own)))
    sample += rng.sample(foreign, min(per_article, len(foreign)))
    model = encoder.load("all-MiniLM-L6-v2")
    with tempfile.TemporaryDirectory() as folder:
        generation = _index(Path(folder), document, model)
        for a in sample:
            vector = model.encode_question(a.text)
            passages = retrieve.search(generation, model, a.text, vector=vector, limit=8)
            found = evidence.candidates(
                question.read(a.text), vector, passages,
                vectors_of=generation.sentence_vectors, idf=generation.idf, scale=model.scale,
                titles={"d": document.title or ""},
            )  # fmt: skip
            if judge is not None:
                found = _judged(question.read(a.text), found, judge, stage, generation.idf)
            else:
                found.sort(key=lambda c: -c.features[0])
            labels = [int(any(c.span.overlaps(*g) for g in a.gold)) for c in found]
            if a.kind != "answerable" or any(labels):
                yield [c.judged or c.features for c in found], labels, a.kind


def _judged(
    asked: question.Question, found: list[evidence.Candidate], judge: Judge, stage: str, idf: Callable[[str], float]
) -> list[evidence.Candidate]:
    """The candidates as the judge leaves them, with the features of the stage alone."""
    scanned = reading.scan(asked, found, judge)
    if stage == "scan":
        return [replace(c, judged=c.judged[: len(reading.SCANNED)]) for c in scanned]
    return reading.settle(asked, scanned, judge, idf, most=FIRST)


def _own_examples(judge: Judge, stage: str) -> Iterator[tuple[str, Examples]]:
    """The judged questions on our own collections: questions as users put them, not as annotators of Wikipedia do."""
    with tempfile.TemporaryDirectory() as folder:
        for name, judged, asked, candidates, generation in _own_found(Path(folder), ""):
            found = _judged(asked, candidates, judge, stage, generation.idf)
            labels = _labels(found, generation, judged)
            if not judged.answerable or any(labels):
                yield name, ([c.judged for c in found], labels, "answerable" if judged.answerable else "own")


def _own_found(
    base: Path, which: str
) -> Iterator[tuple[str, Judged, question.Question, list[evidence.Candidate], store.Generation]]:
    """The sentences that the service finds for each judged question of `tests/gold/<collection><which>.jsonl`."""
    for name, source in OWN.items():
        shutil.copytree(source, base / "corpus" / name)
    workspace = Workspace(Settings(corpus=base / "corpus", index=base / "index", models=Path("index/.models")))
    for name in OWN:
        workspace.rebuild(name)
        generation = workspace.generation(name)
        for judged in load(Path("tests/gold") / f"{name}{which}.jsonl"):
            asked = question.read(judged.question)
            if about.look_up(generation, asked) is not None:
                continue
            model = retrieve.speaking(generation, workspace.encoder(), judged.question)
            across = model if isinstance(model, encoder.Across) else None
            vector = model.encode_question(judged.question)
            passages = retrieve.search(generation, model, judged.question, vector=vector, limit=8, kinds=("text",))
            found = evidence.candidates(
                asked, vector, passages,
                vectors_of=generation.sentence_vectors, idf=generation.idf, scale=model.scale,
                titles=generation.titles({p.document_id for p in passages}),
                held=partial(nearness.held, judged.question, meanings=across.words) if across else None,
            )  # fmt: skip
            yield name, judged, asked, found, generation
        print(name, flush=True)


def _labels(found: Sequence[evidence.Candidate], generation: store.Generation, judged: Judged) -> list[int]:
    """Which candidates hold the evidence."""
    if not judged.answerable or not judged.evidence:
        return [0] * len(found)
    golds = {d: places(_squeezed(generation, d), judged.evidence) for d in {c.passage.document_id for c in found}}
    return [int(any(c.span.overlaps(*g) for g in golds[c.passage.document_id])) for c in found]


@lru_cache(maxsize=len(OWN))
def _squeezed(generation: store.Generation, document_id: str) -> tuple[str, list[int]]:
    return squeezed(generation.document(document_id).text)


def _index(folder: Path, document: Document, model: encoder.Encoder) -> store.Generation:
    pieces = chunks.split(document, encoder_tokens=model.count_tokens, encoder_limit=model.max_tokens)
    sentences = [s.of(document.text) for c in pieces for s in c.sentences]
    embedded = store.Embedded(
        chunk_keys=np.zeros(len(pieces), dtype="S32"),
        chunk_vectors=model.encode([chunks.embedded_text(document, c) for c in pieces]),
        sentence_keys=np.zeros(len(sentences), dtype="S32"),
        sentence_vectors=model.encode(sentences),
    )
    about = {"encoder": {"name": model.name, "fingerprint": model.fingerprint, "dimension": model.dimension}}
    with store.Writer(folder) as writer:
        writer.add(document, pieces)
        return store.Generation.open(folder, writer.finish(about, embedded))


if __name__ == "__main__":
    main()
