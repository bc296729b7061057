"""Does the cited text carry the sentence? A verdict and its probability for each sentence a language model writes.

Three things must hold. Its numbers, names and dates stand in the cited text, and what it quotes stands there word for
word. The judge, having read the cited sentence in its passage, finds it supported rather than contradicted; its
opinion is weighed with the words the two share, by a logistic regression learned on SciFact's claims (`weights.json`;
benchmarks/training/train_support.py). A passage named wrongly is mended by another that carries the sentence. A
verbatim sentence is carried by definition. Where the judge cannot read (sources not in English), nothing is called
supported unless it is verbatim. Knows no index.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log

from rag.answer.evidence import learned, present
from rag.answer.question import STOP
from rag.answer.writing import Cited
from rag.encoder.judge import Judge, Support
from rag.lexical import terms, words
from rag.types import Passage, Span, Verdict

FEATURES = ("against", "open", "words", "words_around", "figures", "negations")
"""Of a claim and a sentence: the judge's log-odds of support over contradiction and over leaving open, the claim's
words by weight in the sentence and in its passage, whether figures are missing, by how many negations they differ."""
SUPPORTED, PARTIAL = 0.5, 0.2
"""Least probability for each verdict."""
_CONTRADICTED = 0.5
"""Least probability of contradiction, the judge's own, for a sentence without support."""
_COVERED = 0.8
"""Least share of the words for `partial` where no judge can read."""
_FEWEST_WORDS = 2
"""A claim of fewer words that say something is none."""
_PER_PASSAGE, _ELSEWHERE, _MOST_CITED = 2, 4, 3
_FIGURE = re.compile(r"\d[\d.,]*\d|\d")
_NAME = re.compile(r"\b(?:[A-Z][\w’'&-]*[\w]|[A-Z]{2,})\b")
_QUOTED = re.compile(r"[“\"«„]([^”\"»“„]{8,})[”\"»“]")
_NEGATION = re.compile(
    r"\b(?:never|not|no|none|neither|nor|cannot|without|lack\w*|fail\w*|absence)\b|n[’']t\b", re.IGNORECASE
)
_NUMBERS = {
    w: str(n)
    for n, w in enumerate(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"])
}


@dataclass(frozen=True, slots=True)
class Verified:
    """The verdict on a sentence, the probability of support, what it may cite, and whether that was named wrongly."""

    verdict: Verdict
    score: float
    cited: tuple[Cited, ...] = ()
    mended: bool = False
    missing: tuple[str, ...] = ()
    """Numbers, names and quotations that the passages do not have."""


def verify(
    claim: str, named: Sequence[int], passages: Sequence[Passage], judge: Judge | None, idf: Callable[[str], float]
) -> Verified:
    """Hold a sentence to the passages it names (numbers from 1), then to the others."""
    chosen = [passages[n - 1] for n in dict.fromkeys(named) if 1 <= n <= len(passages)]
    own = _best(claim, chosen, judge, idf, _PER_PASSAGE * max(1, len(chosen)))
    if own is not None and own.verdict == "supported":
        return own
    others = [p for p in passages if p not in chosen]
    other = _best(claim, others, judge, idf, _ELSEWHERE)
    if other is not None and (own is None or _RANK[other.verdict] > _RANK[own.verdict]):
        return Verified(other.verdict, other.score, other.cited, mended=True, missing=other.missing)
    return own or Verified("unsupported", 0.0)


_RANK: dict[Verdict, int] = {"unsupported": 0, "contradicted": 0, "partial": 1, "supported": 2}


def features(
    claim: str, evidence: str, around: str, verdict: Support, idf: Callable[[str], float]
) -> tuple[float, ...]:
    """The features of a claim and a sentence, in the order of `FEATURES`."""
    weights = {t: idf(t) for w in words(claim) if w not in STOP for t in terms(w)}
    total = sum(weights.values()) or 1.0
    held = present(evidence)
    near = held | present(around)
    supported = log(verdict.supported + 1e-6)
    return (
        supported - log(verdict.contradicted + 1e-6),
        supported - log(verdict.neutral + 1e-6),
        sum(w for t, w in weights.items() if t in held) / total,
        sum(w for t, w in weights.items() if t in near) / total,
        float(bool(_figures(claim) - _figures(evidence))),
        float(min(2, abs(len(_NEGATION.findall(evidence)) - len(_NEGATION.findall(claim))))),
    )


def _best(
    claim: str, passages: Sequence[Passage], judge: Judge | None, idf: Callable[[str], float], most: int
) -> Verified | None:
    """The best verdict that a sentence of these passages gives; None where they hold no sentence."""
    weights = {t: idf(t) for w in words(claim) if w not in STOP for t in terms(w)}
    total = sum(weights.values()) or 1.0
    found = []
    for passage in passages:
        for span in passage.sentences:
            text = _text(passage, span)
            held = present(text)
            found.append((sum(w for t, w in weights.items() if t in held) / total, passage, span, text))
    found.sort(key=lambda f: -f[0])
    found = found[:most]
    if not found:
        return None
    said = _flat(claim)
    if len(weights) < _FEWEST_WORDS:
        return None
    for _, passage, span, text in found:
        if said in _flat(text):
            return Verified("supported", 1.0, (Cited(passage, span),))
    verdicts: list[Support | None] = [None] * len(found)
    if judge is not None:
        verdicts = list(judge.supports([(claim, f[3]) for f in found], [f[1].text for f in found]))
    best: Verified | None = None
    for (covered, passage, span, text), support in zip(found, verdicts, strict=True):
        cited, missing = _literals(claim, passage, span)
        if support is None:
            verdict: Verdict = "partial" if covered >= _COVERED and not missing else "unsupported"
            score = covered / 2
        else:
            score = learned("supports", FEATURES, features(claim, text, passage.text, support, idf))
            verdict = "supported" if score >= SUPPORTED else "partial" if score >= PARTIAL else "unsupported"
            against = support.contradicted >= _CONTRADICTED and support.contradicted > support.supported
            if against and verdict != "supported":
                verdict = "contradicted"
        if missing and verdict != "contradicted":
            verdict, score = "unsupported", min(score, PARTIAL / 2)
        one = Verified(verdict, score, tuple(Cited(passage, s) for s in cited), missing=missing)
        if best is None or (_RANK[one.verdict], one.score) > (_RANK[best.verdict], best.score):
            best = one
    return best


def _literals(claim: str, passage: Passage, span: Span) -> tuple[list[Span], tuple[str, ...]]:
    """The sentences of a passage that hold a claim's numbers, names and quotations, `span` first; what none holds."""
    wanted = {("figure", f) for f in _figures(claim)} | {("name", n) for n in _names(claim)}
    quotes = [_flat(q) for q in _QUOTED.findall(claim)]
    cited = [span]
    at = passage.sentences.index(span)
    # Only what stands next to it: a name from anywhere in the passage would let one subject pass for another.
    for one in (span, *passage.sentences[max(0, at - 1) : at], *passage.sentences[at + 1 : at + 2]):
        text = _text(passage, one)
        figures, held, flat = _figures(text), present(text), _flat(text)
        hits = {w for w in wanted if (w[1] in figures if w[0] == "figure" else _named(w[1], held))}
        told = [q for q in quotes if q in flat]
        if (hits or told) and one != span and len(cited) < _MOST_CITED:
            cited.append(one)
        if one in cited:
            wanted -= hits
            quotes = [q for q in quotes if q not in told]
        if not wanted and not quotes:
            break
    section = present(passage.section or "")
    missing = [w[1] for w in sorted(wanted) if w[0] == "figure" or not _named(w[1], section)]
    return sorted(cited, key=lambda s: s.start), (*missing, *quotes)


def _named(name: str, held: set[str]) -> bool:
    return all(t in held or t.rstrip("s") in held for t in terms(name))


def _names(text: str) -> set[str]:
    """Proper names: capitalised words that open no sentence, and acronyms."""
    found = set()
    for match in _NAME.finditer(text):
        opens = not re.search(r"[\w,;:–—’')\]]\s+[“\"(]?$", text[: match.start()])
        name = match.group()
        clearly = not name[1:].islower() or re.match(r"\s+[A-Z]", text[match.end() :])
        if name.casefold() in STOP or (opens and not clearly):
            continue
        found.add(name)
    return found


def _figures(text: str) -> set[str]:
    """Figures as they are compared: without separators of thousands, small number words as digits."""
    found = {re.sub(r"[,.](?=\d{3}\b)", "", m.group()) for m in _FIGURE.finditer(text)}
    return found | {_NUMBERS[w] for w in words(text) if w in _NUMBERS and w not in {"one", "zero"}}


def _text(passage: Passage, span: Span) -> str:
    return passage.text[span.start - passage.start : span.end - passage.start]


def _flat(text: str) -> str:
    """A text as quotations are compared: white space, kinds of quotation marks and the closing stop do not count."""
    flat = " ".join(text.split()).translate(str.maketrans("“”„«»‘’", '"""""\'\''))
    return flat.strip(" .\"'")


def carries(sentence: str, texts: Sequence[str], judge: Judge | None, idf: Callable[[str], float]) -> bool:
    """Whether texts, taken together, support a sentence: verbatim, or by the measure that answers are held to."""
    together = " ".join(texts)
    if _flat(sentence) in _flat(together):
        return True
    if _figures(sentence) - _figures(together) or judge is None:
        return False
    (support,) = judge.supports([(sentence, together)])
    return learned("supports", FEATURES, features(sentence, together, together, support, idf)) >= SUPPORTED
