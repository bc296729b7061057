"""Learn how much each feature of `rag.answer.evidence` says about a sentence: writes rag/answer/weights.json.

    python -m benchmarks.training.train_selector words ../shared     the sentence's own features
    python -m benchmarks.training.train_selector judge ../shared     what the judge adds to them

Every article of `data/squad2_half` becomes an index of its own, built and searched with the service's code. Questions:
answerable ones, the adversarial unanswerable ones, and answerable ones asked of another article. A sentence is positive
when an answer stands in it. For the words, articles at even places train and the others test. The judge's stage learns
from the questions on our own collections, which ask as users do, and is tested on articles the judge never saw. Knows
nothing of the first article's own text and its questions.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from benchmarks.training.examples import squad_articles
from rag import chunks, encoder, retrieve, store
from rag.answer import about, evidence, question
from rag.encoder.judge import Judge
from rag.evaluate import load, places, squeezed
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
FIRST = 8
"""Candidates a question that the judge's stage learns from, the most promising before it read them."""
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
    parser.add_argument("stage", choices=("words", "judge"))
    parser.add_argument("shared", type=Path)
    parser.add_argument("--judge", type=Path, help="folder of an exported judge; the packaged one by default")
    parser.add_argument("--per-article", type=int, default=60, help="questions of each kind")
    arguments = parser.parse_args()
    articles = json.loads((arguments.shared / "data/squad2_half/dev-v2.0.json").read_text())["data"]
    judge = None
    if arguments.stage == "judge":
        judge = Judge.at(arguments.judge) if arguments.judge else Judge.packaged()
        # Only articles the judge was not trained on can say how far it is to be believed.
        trained = {q.group for q in squad_articles(arguments.shared)["train"]}
        articles = [a for a in articles if a["title"] not in trained]
    rng = random.Random(7)  # noqa: S311  (a sample, no secret)
    rows: dict[bool, list[Examples]] = {True: [], False: []}
    for number, article in enumerate(articles):
        other = articles[(number + 2) % len(articles)]
        rows[number % 2 == 0 and judge is None].extend(_examples(article, other, rng, arguments.per_article, judge))
        print(f"{number + 1}/{len(articles)} {article['title']}", flush=True)
    if judge is not None:
        rows[True].extend(_own_examples(judge))

    x, y, w = [], [], []
    for values, labels, kind in rows[True]:
        kept = [i for i, label in enumerate(labels) if label]
        kept += [i for i, label in enumerate(labels) if not label][:NEGATIVES]
        if judge is not None:
            kept = sorted(range(len(labels)), key=lambda i: -values[i][0])[:FIRST]
        for i in kept:
            x.append(values[i])
            y.append(labels[i])
            # Adversarial questions share all words with the text: form cannot tell them, so there they weigh less.
            w.append(0.5 if kind == "adversarial" else 1.0)
    body = json.loads(OUT.read_text())
    profiles = (
        {"within": evidence.FEATURES, "across": evidence.ACROSS} if judge is None else {"judged": evidence.JUDGED}
    )
    for profile, names in profiles.items():
        every = evidence.FEATURES if judge is None else evidence.JUDGED
        columns = [every.index(name) for name in names]
        model = LogisticRegression(C=10 if judge is None else 0.3, max_iter=2000).fit(
            np.array(x)[:, columns], y, sample_weight=w
        )
        weights = dict(zip(names, map(float, model.coef_[0]), strict=True))
        for name, value in weights.items():
            print(f"  {name:15} {value:+.2f}")
        print(f"  {'bias':15} {float(model.intercept_[0]):+.2f}")
        figures = _figures(rows[False], model, columns)
        body[profile] = {"bias": float(model.intercept_[0]), "weights": weights, "held_out": figures}
        print(profile, figures)
    OUT.write_text(json.dumps(body, indent=1) + "\n")


def _figures(rows: Sequence[Examples], model: LogisticRegression, columns: Sequence[int]) -> dict[str, float]:
    best: dict[str, list[float]] = {}
    first = []
    for values, labels, kind in rows:
        p = model.predict_proba(np.array(values)[:, list(columns)])[:, 1]
        best.setdefault(kind, []).append(float(p.max()))
        if kind == "answerable":
            first.append(labels[int(p.argmax())])
    for kind, scores in best.items():
        print(f"  {kind:12} {np.quantile(scores, [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95]).round(3)}")
    yes = best["answerable"]
    figures = {
        f"auc_{kind}": round(float(roc_auc_score([1] * len(yes) + [0] * len(best[kind]), yes + best[kind])), 4)
        for kind in ("adversarial", "foreign")
    }
    return {**figures, "first_sentence_right": round(float(np.mean(first)), 4)}


def _examples(
    article: dict[str, Any], other: dict[str, Any], rng: random.Random, per_article: int, judge: Judge | None
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
                found = evidence.reconsider(question.read(a.text), found, judge)
            else:
                found.sort(key=lambda c: -c.features[0])
            labels = [int(any(c.span.overlaps(*g) for g in a.gold)) for c in found]
            if a.kind != "answerable" or any(labels):
                yield [c.judged or c.features for c in found], labels, a.kind


def _own_examples(judge: Judge) -> Iterator[Examples]:
    """The judged questions on our own collections: questions as users put them, not as annotators of Wikipedia do."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        for name, source in OWN.items():
            shutil.copytree(source, base / "corpus" / name)
        workspace = Workspace(Settings(corpus=base / "corpus", index=base / "index"))
        model = workspace.encoder()
        for name in OWN:
            workspace.rebuild(name)
            generation = workspace.generation(name)
            texts = {d.id: squeezed(generation.document(d.id).text) for d in generation.documents()}
            for judged in load(Path("tests/gold") / f"{name}.jsonl"):
                asked = question.read(judged.question)
                if about.look_up(generation, asked) is not None:
                    continue
                vector = model.encode_question(judged.question)
                passages = retrieve.search(generation, model, judged.question, vector=vector, limit=8, kinds=("text",))
                found = evidence.candidates(
                    asked, vector, passages,
                    vectors_of=generation.sentence_vectors, idf=generation.idf, scale=model.scale,
                    titles=generation.titles({p.document_id for p in passages}),
                )  # fmt: skip
                found = evidence.reconsider(asked, found, judge)
                labels = [
                    int(
                        any(c.span.overlaps(*g) for g in places(texts[c.passage.document_id], judged.evidence or ""))
                        if judged.answerable and judged.evidence
                        else False
                    )
                    for c in found
                ]
                if not judged.answerable or any(labels):
                    yield [c.judged for c in found], labels, "own"
            print(name, flush=True)


def _index(folder: Path, document: Document, model: encoder.Encoder) -> store.Generation:
    pieces = chunks.split(document, encoder_tokens=model.count_tokens, encoder_limit=model.max_tokens)
    sentences = [s.of(document.text) for c in pieces for s in c.sentences]
    contents = store.Contents(
        documents=[document], references=[], mentions={}, problems=[], chunks=pieces,
        chunk_keys=[c.id for c in pieces],
        chunk_vectors=model.encode([chunks.embedded_text(document, c) for c in pieces]),
        sentence_keys=[[f"{c.id}/{s.start}" for s in c.sentences] for c in pieces],
        sentence_vectors=model.encode(sentences),
    )  # fmt: skip
    about = {"encoder": {"name": model.name, "fingerprint": model.fingerprint, "dimension": model.dimension}}
    return store.Generation.open(folder, store.write(folder, contents, about))


if __name__ == "__main__":
    main()
