"""Which text a citation covers, so that an answer can say "the article reports that …" of that and of nothing else.

The rule, in words:

1. A citation covers its sentence. Where several stand in one sentence, each covers the stretch from the one before it
   (or the sentence's beginning) to its own end, and the last one to the sentence's end. Works cited side by side in one
   bracket cover the same stretch.
2. Where the sentence goes on behind it (a comma, semicolon or dash, then more than a few words) a bracketed citation
   covers the clause it closes and no more, unless that is only a lead-in ("According to the agency (X, 2020), …").
3. A citation that names its author in the sentence, or the work by its title, also covers the following sentences of
   the paragraph as long as each goes on reporting: "The authors argued …", "They add …", "The report also …". So does
   a bracketed one for sentences that say whose view they give ("According to this view, …").
4. A citation that closes its sentence, and is the only one there, reaches back over the sentences before it in the same
   paragraph, as long as each next sentence hangs on the one before: by a connective ("However, …"), a pronoun or
   demonstrative ("These giants …", "To achieve this, …") or a definite noun that the sentence before has named ("A new
   dataset … The size of the dataset …"). It stops at a sentence with a citation of its own, at one that an earlier
   citation has gone on to cover, at one that speaks for the text itself ("we", "this article", "Figure 2"), and after
   four. It does not reach back when the work is cited for a method or for comparison ("as described in", "see", "cf.").

In doubt a sentence is left to its author: a claim of the text's own must not be laid in somebody else's mouth.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag import sentences
from rag.citations.cues import CUES, Cues
from rag.citations.names import words
from rag.types import MentionKind, Span

_MOST_BACK = 4
_CLAUSE = re.compile(r"\s*[)\]）]?\s*(?:[,;:，；：]|[–—-]\s)")
_TRAILING = re.compile(r"[\s)\]）.,;:!?。！？”\"’'»]*")
_LEAD_IN = re.compile(
    r"\W*(?:according to|as (?:reported|noted|shown|argued|stated) (?:by|in)|in|for|following|based on|"
    r"segundo|conforme|de acordo com|para|"
    r"según|de acuerdo con|laut|nach|gemäß|selon|d[’']après|根据|据)\b",
    re.IGNORECASE,
)
_NOUN_STOPS = frozenset(
    [
        "of",
        "in",
        "on",
        "at",
        "for",
        "with",
        "by",
        "from",
        "to",
        "and",
        "or",
        "that",
        "which",
        "who",
        "is",
        "are",
        "was",
        "were",
        "has",
        "have",
        "had",
        "will",
        "would",
        "can",
        "may",
        "might",
        "also",
        "not",
        "as",
        "de",
        "do",
        "da",
        "dos",
        "das",
        "em",
        "para",
        "com",
        "que",
        "e",
        "é",
        "são",
        "foi",
        "foram",
        "en",
        "con",
        "y",
        "es",
        "son",
        "fue",
        "fueron",
        "por",
        "von",
        "mit",
        "und",
        "ist",
        "sind",
        "war",
        "für",
        "zu",
        "et",
        "est",
        "sont",
        "dans",
        "pour",
        "par",
        "qui",
    ]
)


@dataclass(frozen=True, slots=True)
class Cited:
    """A mention's place, before its scope is known. `group` is the same for works cited side by side."""

    start: int
    end: int
    kind: MentionKind
    reference: str | None


def scopes(text: str, cited: Sequence[Cited], language: str | None) -> list[Span]:
    """The scope of each mention, in the order given; every scope holds its mention."""
    cues = _compiled(language if language in CUES else _guess(text))
    order = sorted(range(len(cited)), key=lambda i: (cited[i].start, cited[i].end))
    result = [Span(c.start, c.end) for c in cited]
    paragraphs = sentences.paragraphs(text)
    at = 0
    for paragraph in paragraphs:
        inside = []
        while at < len(order) and cited[order[at]].start < paragraph.end:
            if cited[order[at]].end <= paragraph.end:
                inside.append(order[at])
            at += 1
        if inside:
            _paragraph(text, paragraph, [(i, cited[i]) for i in inside], cues, result)
    return result


def _paragraph(text: str, paragraph: Span, cited: list[tuple[int, Cited]], cues: _Compiled, result: list[Span]) -> None:
    spans = sentences.split(text, paragraph.start, paragraph.end)
    groups: list[list[list[tuple[int, Cited]]]] = [[] for _ in spans]
    at = 0
    for i, mention in cited:
        while at < len(spans) - 1 and mention.start >= spans[at].end:
            at += 1
        row = groups[at]
        if row and _side_by_side(text, row[-1][-1][1].end, mention.start):
            row[-1].append((i, mention))
        else:
            row.append([(i, mention)])
    followed: set[int] = set()
    groups = [_with_titles(row) for row in groups]
    for n, sentence in enumerate(spans):
        for k, group in enumerate(groups[n]):
            start = sentence.start if k == 0 else max(m.end for _, m in groups[n][k - 1])
            last = k == len(groups[n]) - 1
            group_end = max(m.end for _, m in group)
            end = sentence.end if last else group_end
            if last and _clause_ends(text, start, group, sentence.end):
                end = group_end
            narrative = _names_source(group)
            if narrative and not last:
                end = groups[n][k + 1][0][1].start
            if last:
                end = max(
                    end, _follow(text, spans, groups, n, narrative=narrative, cues=cues, followed=followed, end=end)
                )
            if len(groups[n]) == 1 and not narrative and _TRAILING.fullmatch(text, group_end, sentence.end):
                start = _reach_back(text, spans, groups, n, cues, followed=followed)
            for i, mention in group:
                result[i] = Span(min(start, mention.start), max(end, mention.end))


def _with_titles(row: list[list[tuple[int, Cited]]]) -> list[list[tuple[int, Cited]]]:
    """A title goes with the citation that stands behind it in the sentence, or else with the one before."""
    merged: list[list[tuple[int, Cited]]] = []
    for group in row:
        if merged and (_only_titles(merged[-1]) or _only_titles(group)):
            merged[-1] = [*merged[-1], *group]
        else:
            merged.append(group)
    return merged


def _only_titles(group: list[tuple[int, Cited]]) -> bool:
    return all(m.kind == "title" for _, m in group)


def _names_source(group: list[tuple[int, Cited]]) -> bool:
    """Whether the sentence itself names whose work it reports."""
    return _only_titles(group) or any(m.kind == "narrative" for _, m in group)


def _side_by_side(text: str, end: int, start: int) -> bool:
    return start - end < 60 and not re.search(
        r"[^\W\d_]{3,}|[)）].*[(（]", re.sub(r"\b(?:and|see|also|und|pp?)\b", "", text[end:start])
    )


def _clause_ends(text: str, start: int, group: list[tuple[int, Cited]], sentence_end: int) -> bool:
    """Whether the clause that a bracketed citation closes ends behind it while the sentence goes on."""
    if _names_source(group):
        return False
    begin, end = group[0][1].start, max(m.end for _, m in group)
    closed = re.compile(r"[^.!?()（）]{0,40}[)\]）]").match(text, end)
    behind = closed.end() if closed else end
    if not _CLAUSE.match(text, behind) or len(words(text[behind:sentence_end])) < 4:
        return False
    return len(words(text[start:begin])) >= 4 and not (_LEAD_IN.match(text, start) and "," not in text[start:begin])


def _follow(
    text: str,
    spans: list[Span],
    groups: list[list[list[tuple[int, Cited]]]],
    n: int,
    *,
    narrative: bool,
    cues: _Compiled,
    followed: set[int],
    end: int,
) -> int:
    """Where the sentences that go on reporting end."""
    for k in range(n + 1, len(spans)):
        if groups[k]:
            break
        sentence = text[spans[k].start : spans[k].end]
        goes_on = cues.reports.match(sentence) if narrative else cues.according.match(sentence)
        if not goes_on or cues.own.search(sentence):
            break
        followed.add(k)
        end = spans[k].end
    return end


def _reach_back(
    text: str,
    spans: list[Span],
    groups: list[list[list[tuple[int, Cited]]]],
    n: int,
    cues: _Compiled,
    *,
    followed: set[int],
) -> int:
    """The beginning of the first sentence that a closing citation covers."""
    sentence = text[spans[n].start : spans[n].end]
    if cues.methods.search(sentence) or cues.own.search(sentence):
        return spans[n].start
    first = n
    reference = {m.reference for g in groups[n] for _, m in g}
    while first > 0 and n - first < _MOST_BACK:
        before = spans[first - 1]
        earlier = {m.reference for g in groups[first - 1] for _, m in g}
        titled = all(m.kind == "title" for g in groups[first - 1] for _, m in g)
        if (earlier and not (titled and earlier <= reference)) or (first - 1 in followed and not titled):
            break
        previous = text[before.start : before.end]
        if cues.own.search(previous) or previous.rstrip().endswith(("?", "？")):
            break
        if not hangs(previous, text[spans[first].start : spans[first].end], cues):
            break
        first -= 1
    return spans[first].start


def hangs(previous: str, sentence: str, cues: _Compiled) -> bool:
    """Whether `sentence` needs the one before it to be understood."""
    if cues.connective.match(sentence) or cues.pronoun.match(sentence):
        return True
    opening = re.match(r"[^,，]{3,60}[,，]", sentence)
    if opening and len(opening[0].split()) <= 6 and cues.demonstrative.search(opening[0]):
        return True
    named = {_stem(w) for w in words(previous)}
    for article in cues.article.finditer(sentence[:90]):
        if len(sentence[: article.start()].split()) > 6:
            break
        noun = _noun(sentence[article.end() :])
        if noun and _stem(noun) in named:
            return True
    return False


def _noun(rest: str) -> str | None:
    """The head of the noun phrase that begins here: its last word before a small word or a mark."""
    run: list[str] = []
    for match in re.finditer(r"([^\W\d_][\w-]*)([’'])?|(\S)", rest):
        if match[3] or match[2] or match[1].lower() in _NOUN_STOPS or len(run) == 4:
            if match[2]:
                return None
            break
        run.append(match[1])
    return run[-1] if run and len(run) < 4 else None


def _stem(word: str) -> str:
    folded = words(word)
    bare = folded[0] if folded else ""
    return re.sub(r"(?:ies|es|s|y|e)$", "", bare) if len(bare) > 3 else bare


_ACCORDING = r"(?:according to|in|for|segundo|conforme|para|según|laut|nach|selon|d[’']après)\b"


@dataclass(frozen=True, slots=True)
class _Compiled:
    connective: re.Pattern[str]
    pronoun: re.Pattern[str]
    demonstrative: re.Pattern[str]
    article: re.Pattern[str]
    reports: re.Pattern[str]
    according: re.Pattern[str]
    own: re.Pattern[str]
    methods: re.Pattern[str]
    future: re.Pattern[str]


@lru_cache(maxsize=16)
def _compiled(language: str) -> _Compiled:
    cues: Cues = CUES[language]
    edge = "" if language == "zh" else r"\b"

    def first(pattern: str, tail: str = "") -> re.Pattern[str]:
        return re.compile(rf"\W*(?:{pattern}){edge}{tail}", re.IGNORECASE)

    def anywhere(pattern: str) -> re.Pattern[str]:
        return re.compile(rf"{edge}(?:{pattern}){edge}", re.IGNORECASE)

    opening = rf"(?:(?:{cues.connectives})\W+)?"
    speaking = (
        rf"(?:{cues.speakers})\W+(?:\w+\W+){{0,2}}?(?:{cues.verbs})"
        if edge
        else rf"(?:{cues.speakers}).{{0,4}}(?:{cues.verbs})"
    )
    return _Compiled(
        first(cues.connectives),
        first(cues.pronouns),
        anywhere(cues.demonstratives),
        re.compile(rf"{edge}(?:{cues.articles})(?:{edge}\s*|[’'])", re.IGNORECASE),
        first(f"{opening}(?:{cues.reporters}|{speaking})"),
        first(f"(?={_ACCORDING}){opening}(?:{cues.reporters})"),
        anywhere(cues.own),
        anywhere(cues.methods),
        anywhere(cues.future),
    )


@lru_cache(maxsize=64)
def _guess(text: str) -> str:
    if len(re.findall(r"[\u3400-\u9fff]", text[:4000])) > 200:
        return "zh"
    found = re.findall(r"\w+", text[:8000].lower())
    return max((c for c in CUES if c != "zh"), key=lambda c: sum(w in set(CUES[c].common.split()) for w in found))
