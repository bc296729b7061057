"""Whether a sentence says the opposite of a question: "resist … decoupling" to "why did … call for decoupling?".

The judge does not see antonyms, so words do, by a short table of pairs that cannot both be said of the same thing.
English only. Knows no passage and no judge.
"""

from __future__ import annotations

import re

from rag.answer.question import Question
from rag.lexical import terms, words

NEGATION = re.compile(
    r"\b(?:never|not|no|nobody|none|neither|nor|cannot|without|nothing|nowhere|no one|refus\w+|"
    r"fail(?:s|ed)? to)\b|n[’']t\b",
    re.IGNORECASE,
)
_TABLE = """
larger bigger greater higher more longer older / smaller lesser lower less fewer shorter younger newer
grew grow grown growth rose rise risen increase increased gain gained expand climb climbed / fell fall fallen shrink
shrank decline declined decrease decreased drop dropped lose lost reduce reduced collapse
support favour favor back urge welcome promote advocate recommend accept approve endorse call demand agree / resist
oppose opposing reject refuse dispute deny condemn dissent disagree contest
allow permit legalise authorise / ban banned prohibit forbid forbidden block
open opened / close closed shut
kill destroy die / spare survive
succeed success / fail failure
begin began begun start / end stop stopped cease
faster quicker earlier before / slower later after
cheap cheaper / expensive dearer costlier
strengthen tighten / weaken loosen relax
ahead lead / behind trail lag
"""
_PAIRS = tuple(
    tuple(frozenset(t for w in words(side) for t in terms(w)) for side in line.split("/"))
    for line in re.sub(r"\n(?!.*/)", " ", _TABLE.strip()).split("\n")
)
_NEAR = 8
"""Words between an opposed word and what it is said of."""


def opposed(asked: Question, sentence: str) -> bool:
    """Whether a sentence says the opposite of the question about the same thing.

    The form must be strict: the word nearest to the thing is the opposed one and not the question's own, and the
    sentence holds two thirds of the question's other words. What negates, negates the opposite too, and is left alone.
    """
    if NEGATION.search(asked.text) or NEGATION.search(sentence):
        return False
    mine, theirs = _spelled(asked.text, asked), _spelled(sentence, asked)
    held = set(theirs)
    for one, other in ((a, b) for pair in _PAIRS for a, b in (pair, pair[::-1])):
        for at, term in enumerate(mine):
            if term not in one:
                continue
            rest = [t for t in asked.content if t not in one]
            behind = next((t for t in mine[at + 1 :] if t in rest), None)
            thing = behind or next((t for t in reversed(mine[:at]) if t in rest), None)
            if thing not in held or sum(t not in held for t in rest) > len(rest) // 3:
                continue
            # The thing is said after its verb ("resist … decoupling") or before it ("silt … rose"), as in the question.
            side = -1 if behind else 1
            poles = [
                ((j - i) * side < 0, abs(j - i), told in other)
                for i, place in enumerate(theirs)
                if place == thing
                for j, told in enumerate(theirs[max(0, i - _NEAR) : i + _NEAR + 1], max(0, i - _NEAR))
                if j != i and told in one | other
            ]
            if poles and min(poles)[2]:
                return True
    return False


def _spelled(text: str, asked: Question) -> list[str]:
    """The terms of a text in order, one a word."""
    return [next(iter(terms(w, asked.language)), "") for w in words(text)]
