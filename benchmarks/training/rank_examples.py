"""From the public sets to lists that a re-ranker learns from: a question, its passage, hard wrong passages.

Wrong passages are mined with BM25 and with the packaged encoder, each of them over the set's own passages,
and drawn anew each epoch. Beside questions that people asked there are claims and, made here, sentences of
scientific abstracts that ask for the abstract they were taken from (the inverse cloze task of Lee, Chang and
Toutanova 2019). What is left out for evaluation is what the judge's splits leave out. Knows no model.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import bm25s
import numpy as np
import numpy.typing as npt

from benchmarks.training.examples import plain, rows, scifact, squad_articles, support_rows
from rag.lexical import terms

KEPT = {
    "squad2": 1.0,
    "squadshifts_new_wiki": 0.6,
    "squadshifts_reddit": 0.08,
    "squadshifts_amazon_reviews": 0.08,
    "nqg": 0.28,
    "boolq": 0.35,
    "medquad": 0.2,
    "fool_me_twice": 0.6,
    "fever": 0.12,
    "citation_integrity": 1.0,
}
"""The part of a set's passages, with their questions, that is drawn once and for all: what a CPU gets through."""
TIMES = {"scifact": 4}
"""How often an epoch shows a set's questions, where not once."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the passage that answers it. `own` are passages of the collection that are no wrong ones."""

    text: str
    title: str
    passage: str
    own: frozenset[int]


@dataclass(slots=True)
class Collection:
    """Passages (title, text) of one kind, and what is asked of them. `near[i]` are question i's hard negatives."""

    name: str
    passages: list[tuple[str, str]]
    asked: list[Asked]
    near: list[list[int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ranked:
    """One list: the question and (title, passage) pairs, the right one first."""

    question: str
    passages: tuple[tuple[str, str], ...]
    source: str


def collections(shared: Path, rng: random.Random) -> Iterator[Collection]:
    """Every set that is trained on; the draw decides which sentences of an abstract are asked."""
    groups: dict[str, dict[tuple[str, str], list[str]]] = defaultdict(lambda: defaultdict(list))
    for q in squad_articles(shared)["train"]:
        questions = groups["squad2"][q.group.replace("_", " "), q.passage]  # unanswered passages are wrong ones, too
        if q.answers:
            questions.append(q.text)
    titles: dict[str, str] = {}
    for row in rows(shared / "train/reader.jsonl.gz"):
        if row["set"] == "squadshifts:new_wiki":
            titles[row["passage"]] = row["title"].replace("_", " ")
    for row in rows(shared / "train/rank.jsonl.gz"):
        source, passage = row["set"], plain(row["passage"])
        if source == "policyqa":  # for research only, by its source
            continue
        title = titles.get(row["passage"], "")
        if source.startswith("boolq") and " -- " in passage[:100]:
            title, passage = passage.split(" -- ", 1)
        name = source if source.startswith("squadshifts") else source.split("_")[0]
        if name not in KEPT:
            continue
        groups[name][title, passage].append(plain(row["question"]))
    for row in support_rows(shared)[0]:
        if row["set"] in KEPT:
            claims = groups[row["set"]]["", row["premise"]]
            if row["label"] in {"supported", "contradicted"}:
                claims.append(row["claim"])
    for name, held in groups.items():
        passages = rng.sample(sorted(held), int(KEPT[name] * len(held)))
        yield Collection(
            name,
            passages,
            [Asked(text, *pair, frozenset({i})) for i, pair in enumerate(passages) for text in held[pair]],
        )
    yield from _abstracts(shared, rng)


def _abstracts(shared: Path, rng: random.Random) -> Iterator[Collection]:
    """SciFact's training claims, and sentences of abstracts that no held-out claim cites."""
    parts, corpus = scifact(shared)
    hidden = {document for part in ("dev", "test") for claim in parts[part] for document in claim.cited}
    known = sorted(set(corpus) - hidden)
    place = {document: i for i, document in enumerate(known)}
    passages = [(corpus[d][0], " ".join(corpus[d][1])) for d in known]
    yield Collection(
        "scifact",
        passages,
        [
            Asked(claim.text, *passages[place[d]], frozenset(place[c] for c in claim.cited if c in place))
            for claim in parts["train"]
            for d in claim.cited
            if d in place
        ],
    )
    made: list[Asked] = []
    for document in known:
        title, sentences = corpus[document]
        usable = [i for i, s in enumerate(sentences) if 60 < len(s) < 300]
        own = frozenset({place[document]})
        if len(sentences) < 4 or not usable:
            continue
        last = usable[-1]
        i = last if rng.random() < 0.6 else rng.choice(usable)  # the end says what was found, as a claim does
        rest = " ".join(s for k, s in enumerate(sentences) if k != i)
        made.append(Asked(sentences[i], title if rng.random() < 0.5 else "", rest, own))
        if rng.random() < 0.4:
            made.append(Asked(title, "", " ".join(sentences), own))
    yield Collection("abstracts", passages, made)


def mine(
    collection: Collection,
    questions: npt.NDArray[np.float32],
    passages: npt.NDArray[np.float32],
    *,
    each: int = 12,
) -> None:
    """Fill `near`: the `each` first wrong passages of BM25 and of the encoder, in turn.

    `questions`, shape (n, d), and `passages`, shape (m, d), are the encoder's unit vectors.
    """
    words = bm25s.BM25(k1=0.9, b=0.4)
    words.index([terms(f"{title}\n{text}") or ["∅"] for title, text in collection.passages], show_progress=False)
    count = min(each + 8, len(collection.passages))
    collection.near = []
    for at in range(0, len(collection.asked), 512):
        part = collection.asked[at : at + 512]
        asked = [sorted(set(terms(a.text))) or ["∅"] for a in part]
        lexical, _ = words.retrieve(asked, k=count, show_progress=False)
        cosine = questions[at : at + 512] @ passages.T
        dense = np.argsort(-cosine, axis=1)[:, :count]
        for a, one, other in zip(part, lexical, dense, strict=True):
            found: dict[int, None] = {}
            for i, j in zip(one, other, strict=True):
                found.update({int(i): None, int(j): None})
            wrong = [i for i in found if i not in a.own and collection.passages[i][1] != a.passage]
            collection.near.append(wrong[: 2 * each])


def epoch(found: Sequence[Collection], rng: random.Random, wrong: int = 4) -> list[Ranked]:
    """One epoch's lists, unshuffled: the right passage and `wrong` others, nearer ones more often.

    One title in five is left away, all through a list.
    """
    lists: list[Ranked] = []
    for collection in found:
        for a, near in zip(collection.asked, collection.near, strict=True):
            for _ in range(TIMES.get(collection.name, 1)):
                chosen: dict[int, None] = {}
                while near and len(chosen) < min(wrong - 1, len(near)):
                    chosen[near[min(int(rng.expovariate(0.25)), len(near) - 1)]] = None
                while len(chosen) < wrong:
                    i = rng.randrange(len(collection.passages))
                    if i not in a.own:
                        chosen[i] = None
                bare = rng.random() < 0.2 or not a.title
                pairs = [(a.title, a.passage), *(collection.passages[i] for i in chosen)]
                kept = tuple(("", text) if bare else (title, text) for title, text in pairs)
                lists.append(Ranked(a.text, kept, collection.name))
    return lists
