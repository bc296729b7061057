"""Passages → candidate sentences, each with the probability that it answers the question.

What speaks for a sentence is read off as a few features (cosine, words, names and figures of the question found in it
or around it, the kind of thing asked for, the judge's opinion) and summed by a logistic regression whose weights are
learned on public questions (`weights.json`; benchmarks/training/train_selector.py). Knows no prose and no citation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from math import exp

import numpy as np
import numpy.typing as npt

from rag.answer.orders import orders
from rag.answer.question import Question, meets
from rag.lexical import terms, words
from rag.types import Passage, Span

FEATURES = (
    "cosine",
    "passage",
    "words",
    "words_around",
    "names",
    "names_around",
    "figures_around",
    "expected",
    "unknown",
    "length",
    "stands_out",
    "held",
)
WITHIN = FEATURES[:-1]
"""Those of a question in the source's own language, whose words can be compared as they stand."""
ACROSS = ("cosine", "passage", "stands_out", "expected", "figures_around", "held")
"""Those that still mean something when it is in another: `held` are its words, compared by what they mean."""
HANGING = re.compile(
    r"^[\W_]*(?!(?:this|the present|our) (?:article|paper|report|study|essay|document|chapter|digest|review|text)\b)"
    r"(?:(?:it|its|he|his|she|her|they|their|them|this|these|those|that|such|both|"
    r"the (?:former|latter|same|two)|"
    r"however|similarly|likewise|moreover|furthermore|therefore|thus|hence|then|also|instead|consequently|as a result|"
    r"to achieve this|in addition|on the (?:one|other) hand|"
    r"éste?|est[ae]s?|es[eoa]s?|ellos?|ellas?|sin embargo|además|por (?:ello|eso|tanto)|"
    r"dies(?:e[rs]?|en|em)?|er|sie|jedoch|außerdem|deshalb|"
    r"ce(?:tte|ci|la|s)?|ils?|elles?|cependant|"
    r"ele[s]?|ela[s]?|isso|isto|contudo|além disso)\b|这|该|他|她|它|此)",
    re.IGNORECASE,
)
_CITED = re.compile(
    r"(?<!\s)\s*\((?!(?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)[a-z]*\b)"
    r"(?:(?:see|cf\.|e\.g\.),?\s+)?(?:[A-ZÀ-Þ][^()]{0,200}?\b(?:1[5-9]\d\d|20\d\d|n\.d\.)[a-z]?[^()]{0,80}|[Ii]bid\.[^()]{0,80})\)|"
    r"(?<!\s)\s*\[\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\]"
)
_FEWEST_WORDS = 3
"""A sentence of fewer words is a label, not an answer."""
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_INITIALS = re.compile(r"\b[A-Z]{2,6}s?\b")
_TOKENS = re.compile(r"[^\W_]+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of a passage that may answer. Spans are in the document's text."""

    passage: Passage
    span: Span
    text: str
    bare: str
    """The text without its in-text citations: what it says, and not whom it names for it."""
    before: Span | None
    """The sentence before it in the same passage, if there is one."""
    hangs: bool
    """Whether it leans on the sentence before (a pronoun, a demonstrative, a connective)."""
    features: tuple[float, ...]
    probability: float
    vector: npt.NDArray[np.float32]
    judged: tuple[float, ...] = ()
    """The features that the judge adds (`rag.answer.reading`), once it has read the passage."""


@dataclass(frozen=True, slots=True)
class Around:
    """What a candidate may lean on for words and names that it does not repeat itself."""

    title: str
    section: str
    before: str


def candidates(
    question: Question,
    question_vector: npt.NDArray[np.float32],
    passages: Sequence[Passage],
    *,
    vectors_of: Callable[[str], npt.NDArray[np.float32]],
    idf: Callable[[str], float],
    titles: Mapping[str, str],
    scale: tuple[float, float] = (0.0, 1.0),
    language: str | None = "en",
    held: Callable[[Sequence[str]], Sequence[float]] | None = None,
) -> list[Candidate]:
    """Every sentence of the text passages as a candidate, the most probable first.

    `scale` is the encoder's (`Encoder.scale`). `held` is given where the question is in another language than the
    sources: it tells of sentences how much of the question each says (`rag.answer.nearness`).
    """
    low, high = scale
    found: list[Candidate] = []
    own = [(p, vectors_of(p.id)) for p in passages if p.kind == "text"]
    cosines = np.concatenate([v @ question_vector for _, v in own]) if own else np.zeros(1, dtype=np.float32)
    mean, deviation = float(cosines.mean()), float(cosines.std()) or 1.0
    for passage, vectors in own:
        before: Span | None = None
        for span, vector in zip(passage.sentences, vectors, strict=True):
            text = passage.text[span.start - passage.start : span.end - passage.start]
            if len(words(text)) < _FEWEST_WORDS and not _UNSPACED.search(text):
                continue
            if orders(text):
                continue
            plain = bare(text, question)
            hangs = bool(HANGING.match(text))
            around = Around(
                title=titles.get(passage.document_id, ""),
                section=passage.section or "",
                before=passage.text[before.start - passage.start : before.end - passage.start] if before else "",
            )
            values = measure(
                question, text, around, idf,
                cosine=(float(vector @ question_vector) - low) / (high - low),
                passage=((passage.scores.dense or 0.0) - low) / (high - low),
                stands_out=(float(vector @ question_vector) - mean) / deviation / 4,
                language=language,
                plain=plain,
            )  # fmt: skip
            found.append(Candidate(passage, span, text, plain, before, hangs, values, probability(values), vector))
            before = span
    if held is not None:
        shares = held([c.bare for c in found])
        found = [_across(c, share) for c, share in zip(found, shares, strict=True)]
    return sorted(found, key=lambda c: (-c.probability, c.passage.document_id, c.span.start))


def measure(
    question: Question,
    text: str,
    around: Around,
    idf: Callable[[str], float],
    *,
    cosine: float,
    passage: float,
    stands_out: float = 0.0,
    language: str | None = "en",
    plain: str | None = None,
) -> tuple[float, ...]:
    """The features of one candidate, in the order of `FEATURES`, each about 0 to 1; `held` is 0, and told apart.

    `plain` is its `bare` text.
    """
    own = present(text, language)
    near = own | present(f"{around.before}\n{around.section}\n{around.title}", language)
    weights = {term: idf(term) for term in question.content}
    highest = idf("\0")  # a term that no chunk has
    return (
        cosine,
        passage,
        covered(weights, own),
        covered(weights, near),
        covered(dict.fromkeys(question.names, 1.0), own),
        covered(dict.fromkeys(question.names, 1.0), near),
        covered(dict.fromkeys(question.figures, 1.0), near),
        meets(question.expects, plain or text, question),
        sum(w >= highest for w in weights.values()) / max(1, len(weights)),
        min(1.0, len(words(text)) / 40),
        stands_out,
        0.0,
    )


def _across(candidate: Candidate, held: float) -> Candidate:
    """The candidate for a question in another language, of whose words it says this share."""
    values = (*candidate.features[:-1], held)
    return replace(candidate, features=values, probability=probability(values, across=True))


def probability(values: Sequence[float], *, across: bool = False) -> float:
    """The learned probability that a sentence with these features answers, 0 to 1."""
    return learned("across" if across else "within", FEATURES, values)


def learned(profile: str, names: Sequence[str], values: Sequence[float]) -> float:
    """The probability that the logistic regression `profile` of weights.json gives to these features, 0 to 1."""
    bias, weights = _weights(profile)
    return 1 / (1 + exp(-(bias + sum(weights.get(n, 0.0) * v for n, v in zip(names, values, strict=True)))))


def bare(text: str, asked: Question | None = None) -> str:
    """The text without bracketed in-text citations: their names and years answer nothing.

    A citation stays when it holds a name or a figure that the question speaks of.
    """
    spoken = {*asked.names, *asked.figures} if asked else set()
    return _CITED.sub(lambda m: m.group() if spoken and not spoken.isdisjoint(terms(m.group())) else "", text)


def present(text: str, language: str | None = "en") -> set[str]:
    """The terms of a text, with the initials of its capitalised runs: "United Nations" also says "un"."""
    found = set(terms(text, language))
    run: list[str] = []
    for token in [*_TOKENS.findall(text), "."]:
        if token[:1].isupper():
            run.append(token[0])
            continue
        if token.casefold() in {"of", "and", "the", "for", "on", "&", "-"}:
            continue
        if len(run) > 1:
            found.add("".join(run).casefold())
        run = []
    # "LLMs" and "GPUs" stem to themselves; the singular is what others write.
    found.update(m.group().rstrip("s").casefold() for m in _INITIALS.finditer(text))
    return found


def covered(weights: Mapping[str, float], present: set[str]) -> float:
    """The share of the terms, by weight, that are present; 1 where there are none."""
    total = sum(weights.values())
    if total <= 0:
        return 1.0
    return sum(w for term, w in weights.items() if term in present or term.rstrip("s") in present) / total


@lru_cache(maxsize=4)
def _weights(profile: str) -> tuple[float, Mapping[str, float]]:
    body = json.loads(files("rag.answer").joinpath("weights.json").read_text(encoding="utf-8"))[profile]
    return float(body["bias"]), {name: float(weight) for name, weight in body["weights"].items()}
