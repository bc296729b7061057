"""How one sentence hangs on another: connectives, words that point back, nouns that come again, reports that go on.

Knows sentences and the table in `cues`; nothing of citations.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from rag.citations.cues import CUES, known
from rag.citations.names import words
from rag.citations.patterns import word_set

_OPENING = re.compile(r"[^,，()（）\[\]]{3,60}[,，]")
_RUN = re.compile(r"([^\W\d_][\w-]*)([’'])?|(\S)")
_FIRST_WORDS = 6
"""Words at the beginning of a sentence among which what ties it to the one before is looked for."""
_NOUN_STOPS = word_set(
    "of in on at for with by from to and or that which who is are was were has have had will would can may might also",
    "not as de do da dos das em para com que e é são foi foram en con y es son fue fueron por von mit und ist sind war",
    "für zu et est sont dans pour par qui",
)


@dataclass(frozen=True, slots=True)
class Cohesion:
    """One language's patterns, compiled."""

    connective: re.Pattern[str]
    pair: re.Pattern[str]
    pronoun: re.Pattern[str]
    pointer: re.Pattern[str]
    shells: frozenset[str]
    other: re.Pattern[str]
    demonstrative: re.Pattern[str]
    article: re.Pattern[str]
    reports: re.Pattern[str]
    verb: re.Pattern[str]
    according: re.Pattern[str]
    own: re.Pattern[str]
    methods: re.Pattern[str]

    def hangs(self, previous: str, sentence: str, shortened: Mapping[str, tuple[str, ...]]) -> bool:
        """Whether `sentence` goes on about what the one before it named.

        `shortened` maps acronyms to their words, so that "the model" comes again where "the LLM" was named.
        """
        if self.pair.match(sentence):
            return True
        behind = self.connective.match(sentence)
        sentence = sentence[behind.end() :] if behind else sentence
        if self.pronoun.match(sentence) or self._points(self.pointer.match(sentence), sentence):
            return True
        opening = _OPENING.match(sentence)
        short = opening[0] if opening and len(opening[0].split()) <= _FIRST_WORDS else ""
        if self._points(self.demonstrative.search(short), short):
            return True
        before = words(previous)
        named = {_stem(w) for w in before} | {_stem(w) for acronym in before for w in shortened.get(acronym, ())}
        other = self.other.match(sentence)
        if other and _stem(sentence[other.end() :].split(" ")[0]) in named:
            return True
        for article in self.article.finditer(sentence[:90]):
            if len(sentence[: article.start()].split()) > _FIRST_WORDS:
                break
            noun = self._noun(sentence[article.end() :])
            if noun and _stem(noun) in named:
                return True
        return False

    def _points(self, match: re.Match[str] | None, sentence: str) -> bool:
        """Whether a word that points back does so to a thing, and does not wrap up what was claimed."""
        if match is None:
            return False
        noun = re.compile(r"\W*(\w*)").match(sentence, match.end())
        return noun is None or noun[1].lower() not in self.shells

    def looks_back(self, sentence: str) -> bool:
        """Whether a sentence begins with anything that points back, be it at a thing or at a whole claim."""
        behind = self.connective.match(sentence)
        sentence = sentence[behind.end() :] if behind else sentence
        opening = _OPENING.match(sentence)
        return bool(
            self.pronoun.match(sentence)
            or self.pointer.match(sentence)
            or self.demonstrative.match(sentence)
            or (opening and len(opening[0].split()) <= _FIRST_WORDS and self.demonstrative.search(opening[0]))
        )

    def _noun(self, rest: str) -> str | None:
        """The head of the noun phrase that begins here: its last word before a small word, a verb or a mark."""
        run: list[str] = []
        for match in _RUN.finditer(rest):
            if match[2]:
                return None
            if match[3] or match[1].lower() in _NOUN_STOPS or len(run) == 4 or (run and self.verb.fullmatch(match[1])):
                break
            run.append(match[1])
        return run[-1] if run and len(run) < 4 else None

    def goes_on(self, sentence: str, *, named: bool) -> bool:
        """Whether `sentence` goes on reporting what the one before began; `named` if that one named its source."""
        if self.own.search(sentence):
            return False
        return bool((named and self.reports.match(sentence)) or self.according.search(sentence[:160]))


def cohesion(text: str, language: str | None) -> Cohesion:
    """The patterns of the text's language, told from the text where `language` is not one we know."""
    return _compiled(known(language) or _told(text[:8000]))


@lru_cache(maxsize=16)
def _compiled(language: str) -> Cohesion:
    cues = CUES[language]
    edge = "" if language == "zh" else r"\b"

    def first(pattern: str) -> re.Pattern[str]:
        return re.compile(rf"\W*(?:{pattern}){edge}", re.IGNORECASE)

    def anywhere(pattern: str) -> re.Pattern[str]:
        return re.compile(rf"{edge}(?:{pattern}){edge}", re.IGNORECASE)

    between = r"\W+(?:\w+\W+){0,2}?" if edge else ".{0,4}?"
    speaking = rf"(?:{cues.speakers}){between}(?:{cues.verbs})"
    return Cohesion(
        connective=re.compile(rf"\W*(?:{cues.connectives}){edge}\W*", re.IGNORECASE),
        pair=first(cues.pairs),
        pronoun=first(cues.pronouns),
        verb=re.compile(cues.verbs, re.IGNORECASE),
        pointer=first(cues.pointers),
        other=re.compile(rf"\W*(?:{cues.others})\s*", re.IGNORECASE),
        shells=word_set(cues.shells),
        demonstrative=anywhere(cues.demonstratives),
        article=re.compile(rf"{edge}(?:{cues.articles})(?:{edge}\s*|[’'])", re.IGNORECASE),
        reports=first(rf"(?:(?:{cues.connectives})\W+)?(?:{cues.reporters}|{speaking})"),
        according=re.compile(cues.according, re.IGNORECASE),
        own=anywhere(cues.own),
        methods=anywhere(cues.methods),
    )


def _told(text: str) -> str:
    if len(re.findall(r"[\u3400-\u9fff]", text)) * 4 > len(text):
        return "zh"
    found = re.findall(r"\w+", text.lower())
    counted = {code: sum(w in cues.common.split() for w in found) for code, cues in CUES.items() if code != "zh"}
    return max(counted, key=lambda code: counted[code])


def _stem(word: str) -> str:
    folded = words(word)
    bare = folded[0] if folded else ""
    return re.sub(r"(?:ies|es|s|y|e)$", "", bare) if len(bare) > 3 else bare
