"""Does the cited text carry the sentence? A verdict and its probability for each sentence a language model writes.

Three things must hold. Its numbers, names and dates stand in the cited text, and what it quotes stands there word for
word. The judge, having read the cited sentence in its passage, finds it supported rather than contradicted; its
opinion is weighed with the words the two share, by a logistic regression learned on held-out claims (`weights.json`;
benchmarks/training/train_support.py). And what takes most of its words from a passage keeps their order and what
qualifies them (`alignment.py`), for the judge takes shared words for support. A passage named wrongly is mended by
another that carries the sentence. A verbatim sentence is carried by definition. A word of the question that the
sentence repeats and the passage does not have may be supposed and not read ("invented", of lamps that were changed):
then support must be surer. Where the judge cannot read (sources not in English), nothing is called supported unless it
is verbatim. Knows no index.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import log

from rag.answer.alignment import faithful
from rag.answer.evidence import bare, covered, learned, present
from rag.answer.orders import orders
from rag.answer.writing import Cited
from rag.encoder.judge import Judge, Support
from rag.function_words import STOP
from rag.lexical import terms, words
from rag.types import Passage, Span, Verdict

FEATURES = ("against", "open", "words", "words_around", "figures", "negations")
"""Of a claim and a sentence: the judge's log-odds of support over contradiction and over leaving open, the claim's
words in the sentence and in its passage, whether figures are missing, by how many negations they differ."""
SUPPORTED, PARTIAL = 0.6, 0.3
"""Least probability for each verdict."""
_SURE = 0.9
"""… for `supported` where a claim repeats a word of the question that the passage does not have: "requires" for "must"
is read out of it, "supervised" beside the right names is not (0.96 and 0.84; benchmarks/answers/README.md)."""
_UNFAITHFUL = 0.5
"""Most that the words of a passage put together anew are worth."""
_CONTRADICTED = 0.5
"""Least probability of contradiction, the judge's own, for a sentence without support."""
_COVERED = 0.8
"""Least share of the words for `partial` where no judge can read."""
_FEWEST_WORDS = 2
"""A claim of fewer words that say something is none."""
_PER_PASSAGE, _ELSEWHERE, _MOST_CITED = 2, 4, 3
_FIGURE = re.compile(r"\d[\d.,]*\d|\d")
_NAME = re.compile(r"\b(?:[A-Z][\w’'&-]*[\w]|[A-Z]{2,})\b")
_QUOTED = re.compile(r"[“\"«„]([^”\"«»“„]{8,})[”\"»“]")
_WITHIN = re.compile(r"[\w,;:–—’')\]]\s[“\"(]?$")
"""What stands before a word that opens no sentence; claims are on one line."""
_CAPITAL_FOLLOWS = re.compile(r"\s+[A-Z]")
_THOUSANDS = re.compile(r"[,.](?=\d{3}\b)")
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
    claim: str,
    named: Sequence[int],
    passages: Sequence[Passage],
    judge: Judge | None,
    asked: Collection[str] = (),
) -> Verified:
    """Hold a sentence to the passages it names (numbers from 1), then to the others.

    `asked` are the index terms of the question that it answers.
    """
    chosen = [passages[n - 1] for n in dict.fromkeys(named) if 1 <= n <= len(passages)]
    own = _best(claim, chosen, judge, _PER_PASSAGE * max(1, len(chosen)), asked)
    if own is not None and own.verdict == "supported":
        return own
    others = [p for p in passages if p not in chosen]
    other = _best(claim, others, judge, _ELSEWHERE, asked)
    if other is not None and (own is None or _RANK[other.verdict] > _RANK[own.verdict]):
        return Verified(other.verdict, other.score, other.cited, mended=True, missing=other.missing)
    return own or Verified("unsupported", 0.0)


_RANK: dict[Verdict, int] = {"unsupported": 0, "contradicted": 0, "partial": 1, "supported": 2}


def features(claim: str, evidence: str, around: str, verdict: Support) -> tuple[float, ...]:
    """The features of a claim and a sentence, in the order of `FEATURES`."""
    said = {t for w in words(claim) if w not in STOP for t in terms(w)}
    held = present(evidence)
    near = held | present(around)
    supported = log(verdict.supported + 1e-6)
    return (
        supported - log(verdict.contradicted + 1e-6),
        supported - log(verdict.neutral + 1e-6),
        len(said & held) / max(1, len(said)),
        len(said & near) / max(1, len(said)),
        float(bool(_figures(claim) - _figures(evidence))),
        float(min(2, abs(len(_NEGATION.findall(evidence)) - len(_NEGATION.findall(claim))))),
    )


def states(claim: str) -> bool:
    """Whether a sentence says enough to be true or false: no question, and a few words that mean something."""
    said = {t for w in words(claim) if w not in STOP for t in terms(w)}
    return len(said) >= _FEWEST_WORDS and not claim.rstrip(" ”\"')").endswith(("?", "？"))


def _best(
    claim: str, passages: Sequence[Passage], judge: Judge | None, most: int, asked: Collection[str]
) -> Verified | None:
    """The best verdict that a sentence of these passages gives; None where they hold no sentence."""
    said = {t for w in words(claim) if w not in STOP for t in terms(w)}
    found = []
    for passage in passages:
        for span in passage.sentences:
            text = _text(passage, span)
            if orders(text) or text.rstrip(" ”\"'").endswith(("?", "？")):
                continue  # neither an order nor a question states anything
            held = present(text)
            found.append((len(said & held) / max(1, len(said)), passage, span, text))
    found.sort(key=lambda f: -f[0])
    found = found[:most]
    if not found:
        return None
    if len(said) < _FEWEST_WORDS or orders(claim):
        return None
    for _, passage, span, text in found:
        if _same(claim, text):
            return Verified("supported", 1.0, (Cited(passage, span),))
    held_to = [(passage, span, text, *_literals(claim, passage, span)) for _, passage, span, text in found]
    whole = [h for h in held_to if not h[4]]
    if not whole:  # nothing has all its numbers, names and quotations: what the judge thinks matters no more
        return Verified("unsupported", 0.0, missing=min((h[4] for h in held_to), key=len))
    best: Verified | None = None
    verdicts = (
        judge.supports([(claim, h[2]) for h in whole], [h[0].text for h in whole]) if judge else [None] * len(whole)
    )
    for (passage, span, text, cited, _), support in zip(whole, verdicts, strict=True):
        if support is None:
            share = len(said & present(text)) / len(said)
            verdict: Verdict = "partial" if share >= _COVERED else "unsupported"
            score = share / 2
        else:
            score = learned("supports", FEATURES, features(claim, text, passage.text, support))
            verdict = "supported" if score >= SUPPORTED else "partial" if score >= PARTIAL else "unsupported"
            against = support.contradicted >= _CONTRADICTED and support.contradicted > support.supported
            if against and verdict != "supported":
                verdict = "contradicted"
            if SUPPORTED <= score < _SURE:
                near = present(f"{passage.section or ''}\n{passage.text}")
                if covered(dict.fromkeys(said.intersection(asked), 1.0), near) < 1:
                    verdict = "partial"
            if verdict == "supported":  # only then is the passage read word by word
                sentences = [_text(passage, s) for s in passage.sentences]
                if not faithful(claim, sentences, passage.sentences.index(span)):
                    verdict, score = "partial", min(score, _UNFAITHFUL)
        one = Verified(verdict, score, tuple(Cited(passage, s) for s in cited))
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
        told = [q for q in quotes if q.casefold() in flat.casefold()]  # a quotation may begin in mid-sentence
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
        opens = not _WITHIN.search(text, max(0, match.start() - 3), match.start())
        name = match.group()
        clearly = not name[1:].islower() or _CAPITAL_FOLLOWS.match(text, match.end())
        if name.casefold() in STOP or (opens and not clearly):
            continue
        found.add(name)
    return found


def _figures(text: str) -> set[str]:
    """Figures as they are compared: without separators of thousands, small number words as digits."""
    found = {_THOUSANDS.sub("", m.group()) for m in _FIGURE.finditer(text)}
    return found | {_NUMBERS[w] for w in words(text) if w in _NUMBERS and w not in {"one", "zero"}}


def _text(passage: Passage, span: Span) -> str:
    return passage.text[span.start - passage.start : span.end - passage.start]


def _same(claim: str, text: str) -> bool:
    """Whether a claim is a sentence word for word. A part of one is not: "it is not true that …"."""
    return _flat(claim) in {_flat(text), _flat(bare(text))}


def _flat(text: str) -> str:
    """A text as quotations are compared: white space, kinds of quotation marks and the closing stop do not count."""
    flat = " ".join(text.split()).translate(str.maketrans("“”„«»‘’", '"""""\'\''))
    return flat.strip(" .\"'")


def carries(sentence: str, texts: Sequence[str], judge: Judge | None) -> bool:
    """Whether texts, taken together, support a sentence: verbatim, or by the measure that answers are held to."""
    together = " ".join(texts)
    if any(_same(sentence, text) for text in (*texts, together)):
        return True
    if _figures(sentence) - _figures(together) or judge is None:
        return False
    (support,) = judge.supports([(sentence, together)])
    return learned("supports", FEATURES, features(sentence, together, together, support)) >= SUPPORTED
