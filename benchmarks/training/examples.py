"""From the public sets to training examples: what the judge is shown, and how false pairs are made.

Two kinds of example. *Answers*: a question, a focus (a sentence, or a whole passage) with the text around
it, whether the focus answers, and where. *Supports*: a claim, evidence with the text around it, and whether
the evidence supports, leaves open or contradicts. Beside what people labelled, some are made here: the
other sentences of the same paragraph, sentences of other paragraphs that share the question's rare words,
passages without their answering sentence, names and numbers exchanged.

Everything is drawn from a seed and the epoch's number, so an epoch can be built again. Knows no model.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm  # type: ignore[import-untyped,unused-ignore]

from rag.sentences import split

ANSWERS, SUPPORTS = 0, 1
SUPPORTED, NEUTRAL, CONTRADICTED, NOT_SUPPORTED = 0, 1, 2, 3
LABELS = {"supported": 0, "neither": 1, "contradicted": 2, "not_supported": 3}
NEVER_TRAINED = ("fever_symmetric",)
"""Support sets kept for the shortcut check."""


@dataclass(frozen=True, slots=True)
class Example:
    """One training pair. `span` is in characters of `focus`; `spanned` says whether the span is known."""

    task: int
    first: str
    focus: str
    label: int
    left: str = ""
    right: str = ""
    span: tuple[int, int] | None = None
    spanned: bool = False
    limit: int = 96
    source: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A question on a passage. `spans` are the passage's sentences, `answers` (start, text) in the passage.

    `plausible` are the places that look like an answer to an unanswerable question and are none.
    """

    source: str
    group: str
    text: str
    passage: str
    spans: tuple[tuple[int, int], ...]
    answers: tuple[tuple[int, str], ...]
    plausible: tuple[tuple[int, str], ...] = ()

    def sentence_of(self, start: int) -> int:
        """The number of the sentence that holds offset `start`."""
        return max((i for i, (a, _) in enumerate(self.spans) if a <= start), default=0)

    def sentence(self, index: int) -> str:
        """The text of sentence `index`."""
        a, b = self.spans[index]
        return self.passage[a:b]


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON-lines file, gzipped or not."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _rank(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# --- the splits: by whole articles, by connected documents -------------------------------------------------


def squad_articles(shared: Path) -> dict[str, list[Question]]:
    """The questions of `squad2_half`, in three parts by article: 8 to train, 2 to calibrate, 6 to test."""
    data = json.loads((shared / "data/squad2_half/dev-v2.0.json").read_text(encoding="utf-8"))["data"]
    order = sorted((article["title"] for article in data), key=_rank)
    part = {title: "test" if i < 6 else "dev" if i < 8 else "train" for i, title in enumerate(order)}
    found: dict[str, list[Question]] = {"train": [], "dev": [], "test": []}
    for article in data:
        for paragraph in article["paragraphs"]:
            text = paragraph["context"]
            spans = tuple((s.start, s.end) for s in split(text))
            for qa in paragraph["qas"]:
                found[part[article["title"]]].append(
                    Question(
                        "squad2",
                        article["title"],
                        qa["question"].strip(),
                        text,
                        spans,
                        tuple((a["answer_start"], a["text"]) for a in qa["answers"]),
                        tuple((a["answer_start"], a["text"]) for a in qa.get("plausible_answers", ())),
                    )
                )
    return found


@dataclass(frozen=True, slots=True)
class Claim:
    """A SciFact claim: `evidence` maps a document to (label, sentence numbers), `cited` are all its documents."""

    id: str
    text: str
    evidence: Mapping[str, tuple[int, tuple[int, ...]]]
    cited: tuple[str, ...]


def scifact(shared: Path) -> tuple[dict[str, list[Claim]], dict[str, tuple[str, list[str]]]]:
    """SciFact's train claims in three parts (40% train, 10% dev, 50% test) that share no cited document.

    Returns the claims and the abstracts as (title, sentences).
    """
    folder = shared / "data/scifact"
    corpus = {row["_id"]: (row["title"], row["sentences"]) for row in rows(folder / "corpus.jsonl")}
    cited: dict[str, list[str]] = defaultdict(list)
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document = line.split("\t")[:2]
        cited[query].append(document)
    claims: list[Claim] = []
    for row in rows(folder / "queries.jsonl"):
        evidence: dict[str, tuple[int, tuple[int, ...]]] = {}
        for item in row["evidence"]:
            label = SUPPORTED if item["label"] == "SUPPORT" else CONTRADICTED
            old = evidence.get(item["doc"], (label, ()))[1]
            evidence[item["doc"]] = (label, tuple(sorted({*old, *item["sentences"]})))
        documents = tuple(sorted({*cited[row["_id"]], *evidence}))
        claims.append(Claim(row["_id"], row["text"], evidence, documents))
    leader: dict[str, str] = {}

    def find(item: str) -> str:
        while leader.setdefault(item, item) != item:
            item = leader[item]
        return item

    for claim in claims:
        for document in claim.cited:
            leader[find(document)] = find("claim " + claim.id)
    groups: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        groups[find("claim " + claim.id)].append(claim)
    parts: dict[str, list[Claim]] = {"train": [], "dev": [], "test": []}
    for name in sorted(groups, key=_rank):
        share = int(_rank(name)[:8], 16) / 0xFFFFFFFF
        parts["train" if share < 0.4 else "dev" if share < 0.5 else "test"].extend(groups[name])
    return parts, corpus


def support_rows(shared: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The support pairs to train on and, by premise, one in fifty held out to calibrate."""
    train: list[dict[str, Any]] = []
    held: list[dict[str, Any]] = []
    for row in rows(shared / "train/support.jsonl.gz"):
        if row["set"] in NEVER_TRAINED:
            continue
        row["premise"], row["claim"] = plain(row["premise"]), plain(row["claim"])
        (held if int(_rank(row["premise"])[:6], 16) % 50 == 0 else train).append(row)
    return train, held


_BRACKETS = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "``": '"', "''": '"', "<|cit|>": ""}


def plain(text: str) -> str:
    """Without the marks of tokenized corpora: -LRB- is a bracket again."""
    for mark, usual in _BRACKETS.items():
        text = text.replace(mark, usual)
    return " ".join(text.split())


# --- near texts: sharing rare words, for hard negatives ----------------------------------------------------

_WORD = re.compile(r"\w+")


class Near:
    """Which of `texts` share the rarest words with a query: inverse document frequency, no length norm."""

    def __init__(self, texts: Sequence[str], common: float = 0.02) -> None:
        self._posting: dict[str, list[int]] = defaultdict(list)
        for index, text in enumerate(texts):
            for word in set(_WORD.findall(text.lower())):
                self._posting[word].append(index)
        self._size = len(texts)
        self._most = max(50, int(common * len(texts)))

    def weight(self, word: str) -> float:
        """The word's rarity; 0 for a word that is everywhere or nowhere."""
        count = len(self._posting.get(word, ()))
        return math.log(self._size / count) if 0 < count <= self._most else 0.0

    def top(self, query: str, count: int) -> list[int]:
        """The numbers of the `count` nearest texts."""
        scores: Counter[int] = Counter()
        for word in set(_WORD.findall(query.lower())):
            weight = self.weight(word)
            if weight:
                for index in self._posting[word]:
                    scores[index] += weight  # type: ignore[assignment]
        return [index for index, _ in scores.most_common(count)]


def _overlap(question: str, sentence: str) -> float:
    words = set(_WORD.findall(sentence.lower()))
    return sum(len(w) for w in set(_WORD.findall(question.lower())) if w in words and len(w) > 3)


# --- exchanged names, numbers and opposites -----------------------------------------------------------------

_NUMBER = re.compile(r"\b\d[\d,.]*\d\b|\b\d\b")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][\w’'-]+(?: (?:of |the |and )?[A-Z][\w’'-]+)*")
_OPPOSITES = """
first last;before after;most least;largest smallest;highest lowest;more less;more fewer;northern southern;
north south;east west;increase decrease;increased decreased;increases decreases;oldest youngest;
higher lower;larger smaller;longest shortest;win lose;won lost;began ended;begin end;start stop;
early late;earlier later;above below;inside outside;all none;always never;allowed forbidden;allow forbid;
legal illegal;male female;men women;major minor;maximum minimum;accept reject;accepted rejected;
support oppose;supported opposed;supports opposes;positive negative;public private;import export;buy sell;
gain lose;promotes inhibits;promote inhibit;induces prevents;activates suppresses;activation suppression;
enhances reduces;enhanced reduced;improves worsens;upregulated downregulated;
up-regulation down-regulation;greater smaller;better worse;rich poor;strong weak;easy difficult;old new;
same different;rise fall;rose fell;with without;presence absence;high low;agree disagree;agreed refused;
required optional;must cannot;effective ineffective;present absent;associated unrelated;true false;
common rare;similar different
"""
_PAIRS = [line.split() for line in _OPPOSITES.replace("\n", "").split(";") if line]
_OPPOSITE = {a: b for x, y in _PAIRS for a, b in ((x, y), (y, x))}
_AUXILIARY = re.compile(r"\b(is|are|was|were|has|have|had|can|could|will|would|should|may|must|does|do|did)\b(?! not)")


def other_number(number: str, rng: random.Random) -> str:
    """Another number of the same look: a near year, or a figure changed in one digit or by a factor."""
    if re.fullmatch(r"(1[0-9]|20)\d\d", number):
        return str(int(number) + rng.choice((-20, -9, -3, -2, -1, 1, 2, 3, 7, 15)))
    places = [i for i, c in enumerate(number) if c.isdigit()]
    at = rng.choice(places)
    digit = rng.choice([d for d in "123456789" if d != number[at]])
    return number[:at] + digit + number[at + 1 :]


def opposite(text: str, rng: random.Random, *, negate: bool = True) -> str | None:
    """`text` with one word turned into its opposite, or a "not" put in; None where neither is possible."""
    words = [m for m in re.finditer(r"[A-Za-z-]+", text) if m.group().lower() in _OPPOSITE]
    if words and (not negate or rng.random() < 0.7):
        m = rng.choice(words)
        return text[: m.start()] + _OPPOSITE[m.group().lower()] + text[m.end() :]
    verbs = list(_AUXILIARY.finditer(text))
    if negate and verbs:
        m = verbs[0]
        return text[: m.end()] + " not" + text[m.end() :]
    return None


def exchanged(text: str, names: Sequence[str], rng: random.Random, unlike: str = "") -> str | None:
    """`text` with one number or name replaced by another that `unlike` has not; None where it has none."""
    numbers = [m for m in _NUMBER.finditer(text) if m.start()]
    places = numbers if numbers and rng.random() < 0.5 else numbers + list(_NAME.finditer(text))
    if not places:
        return None
    m = rng.choice(places)
    if m.group()[0].isdigit():
        new = other_number(m.group(), rng)
    else:
        known = f"{text} {unlike}".lower()
        choices = [n for n in rng.sample(names, min(len(names), 20)) if n.lower() not in known]
        if not choices:
            return None
        new = choices[0]
    return text[: m.start()] + new + text[m.end() :]


# --- answers ------------------------------------------------------------------------------------------------


class AnswerExamples:
    """Builds each epoch's question pairs."""

    def __init__(self, shared: Path) -> None:
        self.questions: list[Question] = squad_articles(shared)["train"] * 3
        cut: dict[str, tuple[tuple[int, int], ...]] = {}
        for row in tqdm(rows(shared / "train/reader.jsonl.gz"), desc="reading reader.jsonl.gz", unit="row"):
            if row["set"].startswith("policyqa"):  # for research only, by its source
                continue
            text = row["passage"]
            if text not in cut:
                cut[text] = tuple((s.start, s.end) for s in split(text))
            answers = tuple((a, b) for a, b in row["answers"])
            group = row["set"] + row["title"]
            self.questions.append(Question(row["set"], group, row["question"].strip(), text, cut[text], answers))
        self.lone: list[tuple[str, str, str]] = [
            (row["set"], plain(row["question"]), plain(row["passage"]))
            for row in rows(shared / "train/rank.jsonl.gz")
            if row["set"].split("_")[0] in {"nqg", "qamr", "boolq", "medquad"}
        ]
        self.judged: dict[str, list[tuple[str, int]]] = defaultdict(list)
        self.pairs: list[tuple[str, str, str, int]] = []
        for row in rows(shared / "train/answerable.jsonl.gz"):
            question, passage = plain(row["question"]), plain(row["passage"])
            if row["set"] == "selqa":
                self.judged[question].append((passage, row["answerable"]))
            else:
                self.pairs.append((row["set"], question, passage, row["answerable"]))
        self._find_near()

    def _find_near(self) -> None:
        """For every question the nearest foreign sentences and paragraphs of its own set, found once."""
        self.near: dict[tuple[str, str], list[tuple[Question, int]]] = {}
        by_set: dict[str, list[Question]] = defaultdict(list)
        for q in self.questions:
            by_set[q.source].append(q)
        self.names: dict[str, list[str]] = {}
        for source, questions in by_set.items():
            paragraphs = {q.passage: q for q in questions}
            places = [(q, i) for q in paragraphs.values() for i in range(len(q.spans))]
            near = Near([q.sentence(i) for q, i in places])
            self.names[source] = sorted({n for p in paragraphs for n in _NAME.findall(p) if len(n) > 3})
            for q in tqdm(questions, desc=f"near sentences, {source}"):
                if (q.text, q.passage) in self.near or not _specific(q.text, near):
                    continue
                wrong = [a.lower() for _, a in q.answers]
                self.near[q.text, q.passage] = [
                    (other, i)
                    for other, i in (places[k] for k in near.top(q.text, 12))
                    if other.passage != q.passage and not any(a in other.sentence(i).lower() for a in wrong)
                ]
        self.lone_near: dict[int, list[str]] = {}
        lone_by_set: dict[str, list[int]] = defaultdict(list)
        for index, (source, _, _) in enumerate(self.lone):
            lone_by_set[source.split("_")[0]].append(index)
        for source, indexes in lone_by_set.items():
            texts = sorted({self.lone[i][2] for i in indexes})
            near = Near(texts)
            self.names[source] = sorted({n for t in texts for n in _NAME.findall(t) if len(n) > 3})
            for i in tqdm(indexes, desc=f"near passages, {source}"):
                _, question, passage = self.lone[i]
                if _specific(question, near):
                    # the very nearest may answer too; the passages were never compared with the question
                    self.lone_near[i] = [texts[k] for k in near.top(question, 8) if texts[k] != passage][1:]

    def epoch(self, rng: random.Random) -> list[Example]:
        """One epoch's examples, unshuffled."""
        found: list[Example] = []
        for q in tqdm(self.questions, desc="question pairs"):
            homely = "reddit" in q.source or "amazon" in q.source
            if homely and rng.random() < 0.75:
                continue
            found += self._sentences(q, rng) if q.answers else self._trap_sentences(q, rng)
            found += self._passage(q, rng)
        for index, (source, question, passage) in enumerate(self.lone):
            found += self._lone(index, source.split("_")[0], question, passage, rng)
        for question, candidates in self.judged.items():
            found += _judged(question, candidates, rng)
        for source, question, passage, label in self.pairs:
            limit = 96 if source == "unansq_nqg" else 192
            found.append(Example(ANSWERS, question, passage, label, spanned=not label, limit=limit, source=source))
        return found

    def _sentences(self, q: Question, rng: random.Random) -> Iterator[Example]:
        start, answer = Counter(q.answers).most_common(1)[0][0]
        right = q.sentence_of(start)
        limit = rng.choice((72, 96))
        positive = _in_place(q, right, 1, limit, rng)
        begin = start - q.spans[right][0]
        end = min(begin + len(answer), len(positive.focus))
        yield replace(positive, span=(begin, end))
        texts = [a.lower() for _, a in q.answers]
        others = [i for i in range(len(q.spans)) if i != right and not any(t in q.sentence(i).lower() for t in texts)]
        others.sort(key=lambda i: -_overlap(q.text, q.sentence(i)))
        if others:
            i = others[0] if rng.random() < 0.6 else rng.choice(others)
            yield _in_place(q, i, 0, limit, rng)
        foreign = self.near.get((q.text, q.passage), ())
        if foreign and rng.random() < 0.4:
            other, i = foreign[min(int(rng.expovariate(0.5)), len(foreign) - 1)]
            yield replace(_in_place(other, i, 0, limit, rng), first=q.text)
        if rng.random() < 0.25:
            changed = self._changed(q.source, q.text, rng)
            if changed:
                yield replace(positive, first=changed, label=0, source=q.source + "+swap")

    def _changed(self, source: str, question: str, rng: random.Random, unlike: str = "") -> str | None:
        if rng.random() < 0.35:
            changed = opposite(question, rng, negate=False)
            if changed:
                return changed
        return exchanged(question, self.names[source], rng, unlike)

    def _trap_sentences(self, q: Question, rng: random.Random) -> Iterator[Example]:
        tempting = [q.sentence_of(start) for start, _ in q.plausible[:1]]
        order = sorted(range(len(q.spans)), key=lambda i: -_overlap(q.text, q.sentence(i)))
        for i in [*tempting, *order][:1]:
            yield _in_place(q, i, 0, 96, rng)

    def _passage(self, q: Question, rng: random.Random) -> Iterator[Example]:
        """The whole passage as the focus: with its answer, or with the answering sentence taken out."""
        if not q.answers:
            place = q.plausible[0][0] if q.plausible else 0
            a, b = _window(q, q.sentence_of(place), rng)
            yield Example(ANSWERS, q.text, q.passage[a:b], 0, spanned=True, limit=192, source=q.source + "/p")
            return
        start, answer = Counter(q.answers).most_common(1)[0][0]
        right = q.sentence_of(start)
        a, b = _window(q, right, rng)
        draw = rng.random()
        if draw < 0.2:
            changed = self._changed(q.source, q.text, rng, unlike=q.passage)
            if changed:
                text = q.passage[a:b]
                yield Example(ANSWERS, changed, text, 0, spanned=True, limit=192, source=q.source + "/swap")
        elif draw < 0.7:
            span = (start - a, min(start + len(answer), b) - a)
            yield Example(
                ANSWERS, q.text, q.passage[a:b], 1, span=span, spanned=True, limit=192, source=q.source + "/p"
            )
        elif draw < 0.88 or (q.text, q.passage) not in self.near:
            texts = [x.lower() for _, x in q.answers]
            kept = [q.sentence(i) for i in range(len(q.spans)) if i != right]
            kept = [s for s in kept if not any(t in s.lower() for t in texts)]
            if kept and len(kept) >= len(q.spans) - 2:
                text = " ".join(kept)[:700]
                yield Example(ANSWERS, q.text, text, 0, spanned=True, limit=192, source=q.source + "/cut")
        elif self.near[q.text, q.passage]:
            other, i = rng.choice(self.near[q.text, q.passage][:4])
            a, b = _window(other, i, rng)
            if not any(x.lower() in other.passage[a:b].lower() for _, x in q.answers):
                yield Example(ANSWERS, q.text, other.passage[a:b], 0, spanned=True, limit=192, source=q.source + "/far")

    def _lone(self, index: int, source: str, question: str, passage: str, rng: random.Random) -> Iterator[Example]:
        share = {"nqg": 1.0, "qamr": 0.4, "boolq": 0.5, "medquad": 0.2}[source]
        if rng.random() > share:
            return
        limit = 128 if source in {"boolq", "medquad"} else 96
        if source == "medquad":
            passage = passage[:500]
        yield Example(ANSWERS, question, passage, 1, limit=limit, source=source)
        near = self.lone_near.get(index)
        if near:
            text = rng.choice(near)
            yield Example(
                ANSWERS, question, text[:700], 0, spanned=source == "nqg", limit=limit, source=source + "/far"
            )
        if source in {"nqg", "qamr"} and rng.random() < 0.4:
            changed = self._changed(source, question, rng)
            if changed:
                yield Example(ANSWERS, changed, passage, 0, spanned=True, limit=limit, source=source + "+swap")


def _specific(question: str, near: Near) -> bool:
    """Whether a question names something, so that another text cannot well answer it."""
    words = set(_WORD.findall(question.lower()))
    named = bool(_NAME.search(question)) or bool(_NUMBER.search(question))
    rare = sum(near.weight(w) > 6 for w in words)
    return rare >= 2 or (named and rare >= 1)


def _in_place(q: Question, index: int, label: int, limit: int, rng: random.Random) -> Example:
    a, b = q.spans[index]
    bare = rng.random() < 0.15
    left = "" if bare else q.passage[max(0, a - 500) : a]
    right = "" if bare else q.passage[b : b + 300]
    return Example(ANSWERS, q.text, q.passage[a:b], label, left, right, spanned=True, limit=limit, source=q.source)


def _window(q: Question, keep: int, rng: random.Random, most: int = 700) -> tuple[int, int]:
    """Some sentences in a row around sentence `keep`, at most about `most` characters."""
    first = last = keep
    while True:
        grown = [
            (i, j)
            for i, j in ((first - 1, last), (first, last + 1))
            if i >= 0 and j < len(q.spans) and q.spans[j][1] - q.spans[i][0] <= most
        ]
        if not grown:
            return q.spans[first][0], q.spans[last][1]
        first, last = rng.choice(grown)


def _judged(question: str, candidates: Sequence[tuple[str, int]], rng: random.Random) -> Iterator[Example]:
    wrong = [text for text, label in candidates if not label]
    wrong.sort(key=lambda text: -_overlap(question, text))
    chosen = [*wrong[:2], *rng.sample(wrong, min(1, len(wrong)))]
    for text in [t for t, label in candidates if label][:2]:
        yield Example(ANSWERS, question, text, 1, source="selqa")
    for text in dict.fromkeys(chosen):
        yield Example(ANSWERS, question, text, 0, spanned=True, source="selqa")


# --- supports -----------------------------------------------------------------------------------------------

_SHARE = {"breaking_nli": 0.15, "snli__dev": 0.25, "snli_test": 0.25, "cad_nli": 0.4, "mnli__dev": 0.7, "fever": 0.8}
_REPEAT = {"citation_integrity": 2, "fool_me_twice": 2}
_STATES = re.compile(
    r"\b(is|are|promotes?|inhibits?|regulates?|induces?|reduces?|increases?|controls?|requires?|mediates?|"
    r"enhances?|protects?|prevents?|predicts?|drives?|suppresses|activates?|improves?|contributes?)\b"
)


class SupportExamples:
    """Builds each epoch's claim pairs."""

    def __init__(self, shared: Path, questions: Iterable[Question]) -> None:
        self.train, _ = support_rows(shared)
        parts, self.corpus = scifact(shared)
        self.claims = parts["train"]
        hidden = {document for part in ("dev", "test") for claim in parts[part] for document in claim.cited}
        self.open = sorted(set(self.corpus) - hidden)
        """Abstracts that no held-out claim cites."""
        self.near = Near([self._abstract(d) for d in self.open])
        self.passages = list({q.passage: q for q in questions if "wiki" in q.source or q.source == "squad2"}.values())
        self.names = sorted({n for q in self.passages for n in _NAME.findall(q.passage) if len(n) > 3})
        by_set: dict[str, list[int]] = defaultdict(list)
        for i, row in enumerate(self.train):
            by_set[row["set"]].append(i)
        self.by_set = by_set
        self.near_premise: dict[str, tuple[Near, list[str]]] = {}
        for source in ("fever", "citation_integrity", "scitail__dev", "fool_me_twice", "contract_nli"):
            texts = sorted({self.train[i]["premise"] for i in by_set[source]})
            self.near_premise[source] = (Near(texts), texts)

    def _abstract(self, document: str) -> str:
        title, sentences = self.corpus[document]
        return title + " " + " ".join(sentences)

    def epoch(self, rng: random.Random) -> list[Example]:
        """One epoch's examples, unshuffled."""
        found: list[Example] = []
        for row in tqdm(self.train, desc="claim pairs"):
            source = row["set"]
            if rng.random() > _SHARE.get(source, 1.0):
                continue
            for _ in range(_REPEAT.get(source, 1)):
                found += self._pair(row, rng)
        for _ in range(6):
            for claim in self.claims:
                found += self._claim(claim, rng)
        for document in self.open:
            found += self._title(document, rng)
        for q in self.passages * 4:
            found += self._made([q.sentence(i) for i in range(len(q.spans))], rng)
        for document in self.open:
            found += self._made(self.corpus[document][1], rng)
        return found

    def _pair(self, row: Mapping[str, str], rng: random.Random) -> Iterator[Example]:
        source, claim, premise, label = row["set"], row["claim"], row["premise"], LABELS[row["label"]]
        limit = 176 if source == "citation_integrity" else 112
        left = right = ""
        draw = rng.random()
        if draw < 0.2:  # a stranger beside the premise changes nothing
            stranger = self.train[rng.choice(self.by_set[source])]["premise"][:300]
            if draw < 0.1:
                left = stranger
            else:
                premise = premise + " " + stranger if rng.random() < 0.5 else stranger + " " + premise
        yield Example(SUPPORTS, claim, premise, label, left, right, limit=limit, source=source)
        if source in self.near_premise and rng.random() < 0.4:
            near, texts = self.near_premise[source]
            others = [texts[k] for k in near.top(claim, 6) if texts[k] != row["premise"]]
            if others and rng.random() < 0.7:
                yield Example(SUPPORTS, claim, rng.choice(others), NOT_SUPPORTED, limit=limit, source=source + "/near")
            else:
                stranger = self.train[rng.choice(self.by_set[source])]["premise"]
                if stranger != row["premise"]:
                    yield Example(SUPPORTS, claim, stranger, NEUTRAL, limit=limit, source=source + "/random")

    def _sentence(self, claim: str, document: str, index: int, label: int, source: str) -> Example:
        sentences = self.corpus[document][1]
        left = " ".join(sentences[max(0, index - 3) : index])
        right = " ".join(sentences[index + 1 : index + 3])
        return Example(SUPPORTS, claim, sentences[index], label, left, right, limit=128, source=source)

    def _claim(self, claim: Claim, rng: random.Random) -> Iterator[Example]:
        for document in claim.cited:
            sentences = self.corpus[document][1]
            label, evidence = claim.evidence.get(document, (NEUTRAL, ()))
            for i in evidence:
                if i < len(sentences):
                    yield self._sentence(claim.text, document, i, label, "scifact")
            rest = [i for i in range(len(sentences)) if i not in evidence]
            for i in rng.sample(rest, min(len(rest), 2)):
                yield self._sentence(claim.text, document, i, NEUTRAL, "scifact/same")
        strangers = [self.open[k] for k in self.near.top(claim.text, 8)]
        strangers = [d for d in strangers if d not in claim.cited]
        for document in strangers[:1] + rng.sample(strangers, min(1, len(strangers))):
            index = rng.randrange(len(self.corpus[document][1]))
            yield self._sentence(claim.text, document, index, NEUTRAL, "scifact/far")

    def _title(self, document: str, rng: random.Random) -> Iterator[Example]:
        """A title that states something is a claim that its abstract's end supports."""
        title, sentences = self.corpus[document]
        title = title.strip().rstrip(".")
        if len(sentences) < 4 or ":" in title or title.endswith("?") or not _STATES.search(title):
            return
        end = " ".join(sentences[-2:])
        left = " ".join(sentences[-4:-2])
        source = "scifact/title"
        yield Example(SUPPORTS, title + ".", end, SUPPORTED, left, limit=128, source=source)
        turned = opposite(title, rng)
        if turned:
            yield Example(SUPPORTS, turned + ".", end, CONTRADICTED, left, limit=128, source=source + "-not")
        strangers = [self.open[k] for k in self.near.top(title, 6) if self.open[k] != document]
        if strangers:
            other = self.corpus[rng.choice(strangers)][1]
            yield Example(
                SUPPORTS,
                title + ".",
                " ".join(other[-2:]),
                NEUTRAL,
                " ".join(other[-4:-2]),
                limit=128,
                source=source + "/far",
            )

    def _made(self, sentences: Sequence[str], rng: random.Random) -> Iterator[Example]:
        """A sentence of a text as the claim: whole, shortened, or with a number, a name, a word exchanged."""
        usable = [i for i, s in enumerate(sentences) if 40 < len(s) < 400]
        if len(usable) < 2:
            return
        i = rng.choice(usable)
        text = sentences[i]
        claim = re.sub(r"\s*[(\[][^)\]]*[)\]]", "", text)
        if rng.random() < 0.4 and "," in claim[40:]:
            claim = claim[: claim.index(",", 40)] + "."
        left, right = " ".join(sentences[max(0, i - 2) : i]), " ".join(sentences[i + 1 : i + 2])
        focus = f"{left} {text} {right}".strip() if rng.random() < 0.3 else text
        if focus != text:
            left = right = ""
        draw = rng.random()
        whole = Example(SUPPORTS, claim, focus, SUPPORTED, left, right, limit=128, source="made")
        if draw < 0.45:
            yield whole
        elif draw < 0.6:
            changed = opposite(claim, rng)
            if changed:
                yield replace(whole, first=changed, label=CONTRADICTED, source="made-not")
        elif draw < 0.85:
            changed = exchanged(claim, self.names, rng)
            if changed:
                numbers = _NUMBER.findall(changed) != _NUMBER.findall(claim)
                label = CONTRADICTED if numbers else NOT_SUPPORTED
                yield replace(whole, first=changed, label=label, source="made-swap")
        else:
            j = rng.choice([k for k in usable if k != i])
            around = [sentences[k] for k in (j - 1, j + 1) if 0 <= k < len(sentences) and k != i]
            yield Example(SUPPORTS, claim, sentences[j], NEUTRAL, " ".join(around[:1]), limit=128, source="made/other")
