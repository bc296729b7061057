"""Whether a sentence says yes or no to a question, or denies what the question takes for granted.

A claim is made from the question by leaving out its question words; the judge says what the sentence does to it, and an
explicit negation over the question's own words must agree. In doubt nothing is said: of yes and no only the sure ones.
Measured on PubMedQA: "yes" in 32 of 160 answers, right in 91%. English only. Knows no passage and no citation.
"""

from __future__ import annotations

import re
from math import log
from typing import Literal

from rag.answer.opposites import NEGATION, opposed
from rag.answer.question import Question
from rag.encoder.judge import Judge
from rag.lexical import terms, words

_AUXILIARY = r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might|must)"
_ASKING = re.compile(
    rf"^\W*(?:(?:since |until )?(?:when|where|why|who|whom|what|which|how(?: (?:many|much|long|often|far))?)\s+)?"
    rf"(?:\w+\s+)?(?={_AUXILIARY}\b){_AUXILIARY}\s+",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[^,;:.]{0,200}")
_REACH = 6
"""Words after a negation that it may deny."""
_SURE_YES, _SURE_NO = 1.25, 0.0
"""Log-odds of support against contradiction from which on a yes, and below which a no, is believed."""
_NOT_AGAINST = 0.3
"""Log-odds up to which the judge does not object to an explicit negation."""
_PRESUMING = frozenset({"when", "reason", "manner", "quantity", "person"})
"""Questions that take what they ask about for granted: "when did …", "why does …"."""


def yes_or_no(asked: Question, sentence: str, judge: Judge) -> Literal["Yes", "No"] | None:
    """What `sentence` says to a question that wants a yes or a no; None when that is not sure."""
    if asked.expects != "yes-no" or re.search(r"\bor\b", asked.text):
        return None
    margin = _margin(asked, sentence, judge)
    negated = denied(asked, sentence)
    if (negated and margin <= _NOT_AGAINST) or opposed(asked, sentence):
        return "No"
    if negated or NEGATION.search(sentence) or NEGATION.search(asked.text):
        return None
    return "Yes" if margin >= _SURE_YES and _said(asked, sentence) else None


def _said(asked: Question, sentence: str) -> bool:
    """Whether a sentence holds more than half of what is asked of the names: "leading" of "is China leading …"."""
    rest = [t for t in asked.content if t not in asked.names and t not in asked.figures]
    held = {t for w in words(sentence) for t in terms(w, asked.language)}
    return not rest or 2 * sum(t in held for t in rest) > len(rest)


def contradicts(asked: Question, sentence: str, judge: Judge) -> bool:
    """Whether `sentence` denies what the question presumes: "never been allowed" for "when did China allow …"."""
    if asked.expects not in _PRESUMING:
        return False
    if opposed(asked, sentence):
        return True
    if not denied(asked, sentence):
        return False
    return _margin(asked, sentence, judge) <= _SURE_NO


def denied(asked: Question, sentence: str) -> bool:
    """Whether a negation stands over a word of the question that is no name; never for a question that negates."""
    if NEGATION.search(asked.text):
        return False
    content = set(asked.content) - set(asked.names) - set(asked.figures)
    for match in NEGATION.finditer(sentence):
        clause = _CLAUSE.match(sentence, match.end())
        reach = words(clause.group() if clause else "")[:_REACH]
        if content & {t for w in reach for t in terms(w, asked.language)}:
            return True
    return False


def claim(asked: Question) -> str:
    """What a question presumes or asks to confirm, roughly in words: "China allow ChatGPT"."""
    return _ASKING.sub("", asked.text, count=1).strip(" ?")


def _margin(asked: Question, sentence: str, judge: Judge) -> float:
    (verdict,) = judge.supports([(claim(asked), sentence)])
    return log(verdict.supported + 1e-9) - log(verdict.contradicted + 1e-9)
