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
   paragraph, as long as each next sentence hangs on the one before: by a pronoun or a noun with a word that points
   back ("They …", "These giants …", "To achieve this, …"), by the second half of a pair ("On the other hand, …"), or by
   a definite noun that the sentence before has named ("A new dataset … However, the size of the dataset …"). A mere
   "However" or "Furthermore" is no such tie, nor is "this result" or a bare "this", which comment on a claim. It stops
   at a sentence with a citation of its own, at one that looks back at a cited sentence or that an earlier citation has
   gone on to cover, at one that speaks for the text itself ("we", "this article", "Figure 2"), at a question, and after
   three. It does not reach back when the work is cited for a method or a comparison ("as described in", "see", "cf.").

In doubt a sentence is left to its author: a claim of the text's own must not be laid in somebody else's mouth.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rag import sentences
from rag.citations.cohesion import Cohesion, cohesion
from rag.citations.names import words
from rag.types import MentionKind, Span

_MOST_BACK = 3
_CLAUSE = re.compile(r"\s*(?:[,;:，；：]|[–—-]\s)")
_CLOSED = re.compile(r"[^.!?()（）]{0,40}[)\]）]")
_AFTER = re.compile(r"(?:[^()\[\]（）]{0,40}[)\]）])?[\s,;:.]*")
_TRAILING = re.compile(r"[\s)\]）.,;:!?。！？”\"’'»]*")
_SMALL = re.compile(r"\b(?:and|see|also|und|pp?)\b")
_APART = re.compile(r"[^\W\d_]{3,}|[)）].{0,60}[(（]")
_LEAD_IN = re.compile(
    r"\W*(?:according to|as (?:reported|noted|shown|argued|stated) (?:by|in)|in|for|following|based on|"
    r"segundo|conforme|de acordo com|para|según|de acuerdo con|laut|nach|gemäß|selon|d[’']après|根据|据)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Cited:
    """A mention's place, before its scope is known."""

    start: int
    end: int
    kind: MentionKind
    reference: str | None
    called: frozenset[str] = frozenset()
    """Words by which the sentence may name the source without citing it: its author's name, its acronym."""


@dataclass(slots=True)
class _Group:
    """Works cited side by side, by their `numbers` in the caller's list; what is asked of them is kept as they come."""

    start: int
    end: int = 0
    titles: bool = True
    credited: bool = False
    """Whether one of them names its author in the sentence."""
    numbers: list[int] = field(default_factory=list)
    references: set[str | None] = field(default_factory=set)
    called: set[str] = field(default_factory=set)

    def add(self, number: int, cited: Cited) -> None:
        """Count one more in."""
        self.titles = self.titles and cited.kind == "title"
        self.credited = self.credited or cited.kind == "narrative"
        self.end = max(self.end, cited.end)
        self.numbers.append(number)
        self.references.add(cited.reference)
        self.called |= cited.called

    @property
    def narrative(self) -> bool:
        return self.titles or self.credited


def scopes(
    text: str, cited: Sequence[Cited], language: str | None, shortened: Mapping[str, tuple[str, ...]] | None = None
) -> list[Span]:
    """The scope of each mention, in the order given; every scope holds its mention.

    `shortened` maps the text's acronyms to their words, so that "the model" is known to be the "LLM" named before.
    """
    ties = cohesion(text, language)
    order = sorted(range(len(cited)), key=lambda i: (cited[i].start, cited[i].end))
    result = [Span(c.start, c.end) for c in cited]
    at = 0
    for place in sentences.paragraphs(text):
        inside = []
        while at < len(order) and cited[order[at]].start < place.end:
            inside.append((order[at], cited[order[at]]))
            at += 1
        if inside:
            spans = sentences.split(text, place.start, place.end)
            for i, span in _Paragraph(text, spans, _rows(text, spans, inside), ties, shortened or {}).scopes():
                result[i] = Span(min(span.start, cited[i].start), max(span.end, cited[i].end))
    return result


def _rows(text: str, spans: list[Span], inside: list[tuple[int, Cited]]) -> list[list[_Group]]:
    """The groups of each sentence."""
    rows: list[list[_Group]] = [[] for _ in spans]
    at = 0
    for i, mention in inside:
        while at < len(spans) - 1 and mention.start >= spans[at].end:
            at += 1
        row = rows[at]
        last = row[-1] if row else None
        # A title goes with the citation that stands behind it in its sentence, or else with the one before.
        if last and (last.titles or mention.kind == "title" or _side_by_side(text[last.end : mention.start])):
            last.add(i, mention)
        else:
            row.append(_Group(mention.start))
            row[-1].add(i, mention)
    return rows


def _side_by_side(between: str) -> bool:
    return len(between) < 60 and not _APART.search(_SMALL.sub("", between))


@dataclass(slots=True)
class _Paragraph:
    """One paragraph: its sentences, the groups in each, and what ties the sentences together."""

    text: str
    spans: list[Span]
    rows: list[list[_Group]]
    ties: Cohesion
    shortened: Mapping[str, tuple[str, ...]]
    followed: dict[int, set[str | None]] = field(default_factory=dict)
    """Sentences that an earlier citation has gone on to cover, with what it cites."""

    def scopes(self) -> list[tuple[int, Span]]:
        """Mention number and scope, for every mention of the paragraph."""
        found = []
        for n, row in enumerate(self.rows):
            for k, group in enumerate(row):
                span = self._within(n, k)
                named = group.narrative or not group.called.isdisjoint(words(self.text[span.start : group.start]))
                if k == len(row) - 1:
                    span = Span(span.start, max(span.end, self._follow(n, named=named)))
                if len(row) == 1 and not named and _TRAILING.fullmatch(self.text, group.end, self.spans[n].end):
                    span = Span(self.spans[self._reach_back(n)].start, span.end)
                found += [(i, span) for i in group.numbers]
        return found

    def _sentence(self, n: int) -> str:
        return self.spans[n].of(self.text)

    def _within(self, n: int, k: int) -> Span:
        """Rules 1 and 2: the stretch of its own sentence that group `k` covers."""
        row, sentence, group = self.rows[n], self.spans[n], self.rows[n][k]
        start = sentence.start
        if k:
            behind = _AFTER.match(self.text, row[k - 1].end)
            start = min(behind.end() if behind else row[k - 1].end, group.start)
        if k < len(row) - 1:
            return Span(start, row[k + 1].start if group.narrative else group.end)
        return Span(start, group.end if self._clause_ends(start, group, sentence.end) else sentence.end)

    def _clause_ends(self, start: int, group: _Group, sentence_end: int) -> bool:
        """Whether the clause that a bracketed citation closes ends behind it while the sentence goes on."""
        closed = _CLOSED.match(self.text, group.end)
        behind = closed.end() if closed else group.end
        goes_on = _CLAUSE.match(self.text, behind) and len(words(self.text[behind:sentence_end])) >= 4
        before = self.text[start : group.start]
        lead_in = len(words(before)) < 4 or ("," not in before and _LEAD_IN.match(before))
        return not group.narrative and bool(goes_on) and not lead_in

    def _follow(self, n: int, *, named: bool) -> int:
        """Rule 3: where the sentences end that go on reporting what sentence `n` began."""
        last = n
        for k in range(n + 1, len(self.spans)):
            if self.rows[k] or not self.ties.goes_on(self._sentence(k), named=named):
                break
            self.followed[k] = self.rows[n][-1].references
            last = k
        return self.spans[last].end if last > n else self.spans[n].start

    def _reach_back(self, n: int) -> int:
        """Rule 4: the first sentence that the closing citation of sentence `n` covers."""
        if self.ties.methods.search(self._sentence(n)) or self.ties.own.search(self._sentence(n)):
            return n
        references = {r for g in self.rows[n] for r in g.references}
        first = n
        while first > 0 and n - first < _MOST_BACK:
            hangs = self.ties.hangs(self._sentence(first - 1), self._sentence(first), self.shortened)
            if not hangs or not self._free(first - 1, references):
                break
            first -= 1
        return first

    def _free(self, n: int, references: set[str | None]) -> bool:
        """Whether sentence `n` may belong to a citation further on."""
        sentence, row = self._sentence(n), self.rows[n]
        if row:
            return all(g.titles and g.references <= references for g in row)
        if not self.followed.get(n, set()) <= references or self.ties.own.search(sentence):
            return False
        if sentence.rstrip().endswith(("?", "？")):
            return False
        cited_before = n > 0 and any(not g.titles for g in self.rows[n - 1])
        return not (cited_before and self.ties.looks_back(sentence))
