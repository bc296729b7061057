"""Text → sentence spans, in any language, with exact offsets.

The boundaries are sentencex's; on top of them stands what scholarly prose needs: a full stop inside an
open bracket, after an initial, an abbreviation or a German ordinal ends nothing; an ideographic one always
ends a sentence. Blank lines always end a sentence, single line breaks never do. Knows nothing of
documents, sections or citations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import sentencex

from rag.types import Span

_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*")
_OPENS_WITH_LOWER = re.compile(r"[\"'“‘(\[]{0,20}+[a-zà-öø-ÿ]")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[“\"])(?:[A-Z]|al|cf|ca|eds?|vols?|nos?|no|pp?|figs?|eqs?|secs?|ch|chs|approx|vs|viz|i\.e|e\.g|"
    r"av|dra|sra|mme|mlle|núm|págs?|arts?|caps?|nr|hr|abb|kap|bd|vgl|hrsg|ca|"
    r"dr|mr|mrs|ms|prof|st|jr|sr|gen|sen|rep|gov|inc|ltd|co|corp|dept|univ|refs?|trans|rev|repr|n\.d)\.$",
    re.IGNORECASE,
)
_ENDS_SENTENCE_ANYWAY = re.compile(r"(?:^|[\s(\[“\"])(?:[a-z]|inc|ltd|co|corp|no|al)\.$", re.IGNORECASE)
_STARTS_CLEARLY = re.compile(r"(?:The|This|These|It|In|However|But|We|They|A|An|On|At|As|For|Our|Their)\s")
_ORDINAL = re.compile(r"(?:^|[\s(])\d{1,2}\.$")
"""In German, as in "im 19. Jahrhundert"; a number that ends a sentence is followed by a word that begins one."""
_STARTS_IN_GERMAN = re.compile(
    r"(?:Der|Die|Das|Den|Dem|Des|Ein|Eine|Es|Er|Sie|Wir|Ich|In|Im|Am|An|Auf|Bei|Mit|Nach|Danach|Dann|Doch|Aber|Und|"
    r"Als|Auch|Für|Seit|Vor|Zu|Dies|Diese|Dieser|Heute|So)\s"
)
_IDEOGRAPHIC_END = re.compile(r"[。！？]+[”’」』》】）\"]*")
_LONGEST_PIECE = 10_000
_NEAR = 32
"""Characters around a boundary that tell whether it is one: no abbreviation is as long."""
_BRACKET = re.compile(r"[()\[\]（）【】]")
_WORD = re.compile(r"\S")
_BRACKETS = {"(": ")", "[": "]", "（": "）", "【": "】"}
_MAX_OPEN_BRACKET = 400
"""Characters after which an unclosed bracket is taken for a slip of the pen, not for one long aside."""


def split(text: str, start: int = 0, end: int | None = None, language: str | None = None) -> list[Span]:
    """Cut `text[start:end]` into sentences.

    Returns spans in offsets of `text`, without surrounding white space, in order and never overlapping;
    everything between two spans is white space. Never raises on any string.
    """
    stop = len(text) if end is None else min(end, len(text))
    spans: list[Span] = []
    position = start
    while position < stop:
        gap = _PARAGRAPH.search(text, position, stop)
        paragraph_end = gap.start() if gap else stop
        spans.extend(_paragraph(text, position, paragraph_end, language))
        position = gap.end() if gap else stop
    return spans


def paragraphs(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Cut `text[start:end]` at blank lines; spans carry no surrounding white space."""
    stop = len(text) if end is None else min(end, len(text))
    spans: list[Span] = []
    position = start
    while position < stop:
        gap = _PARAGRAPH.search(text, position, stop)
        trimmed = _trim(text, position, gap.start() if gap else stop)
        if trimmed is not None:
            spans.append(trimmed)
        position = gap.end() if gap else stop
    return spans


def _paragraph(text: str, start: int, end: int, language: str | None) -> list[Span]:
    block = text[start:end]
    if not block.strip():
        return []
    ends = {start + end for end in _boundaries(block, _language(language))}
    ends.update(start + m.end() for m in _IDEOGRAPHIC_END.finditer(block))
    spans: list[Span] = []
    begin = seen = start
    solid = start  # behind the last character seen that is not white space
    word = start  # the next such character
    brackets: list[tuple[str, int]] = []  # open since `begin`: what closes each, and where it stands
    final = max(ends, default=end)
    for cut in sorted(ends):
        last = cut == final
        if not last:
            piece = text[seen:cut].rstrip()
            solid = seen + len(piece) if piece else solid
            if word < cut:
                found = _WORD.search(text, cut, end)
                word = found.start() if found else end
            _follow_brackets(brackets, text, seen, cut)
            seen = cut
            inside = bool(brackets) and cut - brackets[-1][1] < _MAX_OPEN_BRACKET
            before = text[max(begin, solid - _NEAR) : solid]
            after = text[word : min(word + _NEAR, end)]
            if inside or not _ends_here(before, after, language):
                continue
        span = _trim(text, begin, end if last else cut)
        if span is not None:
            spans.append(span)
        begin = cut
        brackets.clear()
    return spans


def _boundaries(block: str, language: str) -> Iterator[int]:
    """Where sentencex ends sentences. Its time grows with the square of a text: it sees a long one in pieces.

    A piece begins where a sentence does, unless the sentence before is longer than a whole piece.
    """
    position = 0
    while position < len(block):
        piece = block[position : position + _LONGEST_PIECE]
        ends = [position + int(b["end_index"]) for b in sentencex.get_sentence_boundaries(language, piece)]
        position += len(piece)
        if position < len(block):
            ends = [end for end in ends if position - len(piece) < end < position]
            position = max(ends, default=position)
        yield from ends


def _ends_here(before: str, after: str, language: str | None) -> bool:
    """Whether a boundary proposed between the end of a sentence and the beginning of another really is one."""
    if not after or not before:
        return False
    if _OPENS_WITH_LOWER.match(after) and not before.endswith(("。", "！", "？")):
        return False
    if _ABBREVIATION.search(before) and not (_ENDS_SENTENCE_ANYWAY.search(before) and _STARTS_CLEARLY.match(after)):
        return False
    return not (_language(language) == "de" and _ORDINAL.search(before) and not _STARTS_IN_GERMAN.match(after))


def _follow_brackets(stack: list[tuple[str, int]], text: str, start: int, end: int) -> None:
    """Note in `stack` what the brackets of `text[start:end]` open and close."""
    for bracket in _BRACKET.finditer(text, start, end):
        if bracket[0] in _BRACKETS:
            stack.append((_BRACKETS[bracket[0]], bracket.start()))
        elif stack and bracket[0] == stack[-1][0]:
            stack.pop()


def _trim(text: str, start: int, end: int) -> Span | None:
    block = text[start:end]
    stripped = block.strip()
    if not stripped:
        return None
    begin = start + len(block) - len(block.lstrip())
    return Span(begin, begin + len(stripped))


@lru_cache(maxsize=64)
def _language(tag: str | None) -> str:
    return (tag or "en").split("-")[0].lower()
