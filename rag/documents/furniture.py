"""Page furniture of a web export: buttons, counters, labels and dates around the text, told by general rules.

A line goes when all of it is furniture in one of the languages below: what nobody writes as prose ("top of page",
"5 min read", "138 views0 comments") wherever it stands on its own, ordinary words ("Share", "Comments", "Home") only
at the edges, before the first or after the last paragraph of prose. A line that ends like a sentence is never taken,
but for the notices about cookies and rights at the edges. What went is named in a problem.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from rag.documents.dates import parse_date
from rag.documents.entries import looks_like_entry
from rag.documents.lexicon import alternatives, words

_UNITS = alternatives("counter_units")
_NUMBER = r"\d[\d.,\s]*(?:k|m|tsd|mil|万|萬|만|천)?\+?"
_COUNTERS = re.compile(
    rf"(?:{_NUMBER}\s*{_UNITS}\W*)+"
    rf"|(?:{_UNITS}\s*[:：(]?\s*{_NUMBER}\s*\)?(?:{_UNITS})?\W*)+"
    rf"|(?:no|sem|sin|keine|aucun) {_UNITS}"
)
_READING_TIME = re.compile(
    alternatives("reading_time_before")
    + r"?\s*[:：]?\s*(?:ca\. |about |approx\. |~|约|約)?\d{1,3}\s*(?:[-–]\s*\d{1,3}\s*)?[-–]?\s*"
    + alternatives("minutes")
    + r"\s*"
    + alternatives("reading_time_after")
    + "?"
)
_DATED = re.compile(alternatives("dated") + r"(?:\s*[:：]\s*|\s+|(?=\d))(?P<date>\S.{1,40})")
# Nobody's prose, wherever it stands alone.
_ANYWHERE = words("furniture_anywhere")
# Also ordinary words: only at the edges.
_EDGE = words("furniture_edge")
# Below one of these, at the end, stand titles of other pages.
_OTHER_PAGES = words("other_pages")
_NOTICE = re.compile(alternatives("notice"))
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")
_PART = re.compile(r"\s+[|·•∙⋅/—–]\s+|\s*[|·•∙⋅]\s*")
_NARROW = 45
_WEIGHTIEST_LABEL = 160
_LIGHTEST_SENTENCE = 40
_LONGEST_LINE = 90
_LONGEST_NOTICE = 320


@dataclass(slots=True)
class Stripped:
    """What is left, and what went: `blocks` are lists of lines, `removed` the lines that are furniture."""

    blocks: list[list[str]]
    kept: list[int] = field(default_factory=list)
    """For each block that is left, which of the given ones it was."""
    removed: list[str] = field(default_factory=list)
    dates: list[str] = field(default_factory=list)
    """ISO dates that the furniture told, as it stood in the text."""
    undated: list[str] = field(default_factory=list)
    """Dates without a year: "Updated: Jun 18"."""
    signed: list[str] = field(default_factory=list)
    """Lines with a date or reading time right below them, at the top: the author's name, or else the title."""


def is_prose(block: Sequence[str]) -> bool:
    """Whether a block is running text or an entry of a list: it ends a sentence, or is too long for a label."""
    if len(block) > 1 and max(map(len, block)) < _NARROW:
        return any(is_prose([line]) for line in block)  # a menu, one label a line
    text = " ".join(block)
    weight = sum(1 + ("\u2e80" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7af") for c in text if c.isalpha())
    if weight > _WEIGHTIEST_LABEL or looks_like_entry(text):
        return True
    if len(block) == 1 and text.endswith(("?", "!", "？", "！")) and not re.search(r"[.!?。！？]\s*\S", text):
        return False  # one question alone may be a title
    return weight >= _LIGHTEST_SENTENCE and bool(_SENTENCE_END.search(text))


def strip(blocks: Sequence[Sequence[str]], fixed: Sequence[bool] = ()) -> Stripped:
    """Take the furniture out of `blocks` (each a list of lines, no blank ones); those marked `fixed` stay whole."""
    result = Stripped([])
    prose = [i for i, block in enumerate(blocks) if is_prose(block) and not all(_is_notice(line) for line in block)]
    first, last = (prose[0], prose[-1]) if prose else (len(blocks), -1)
    below_other_pages = False
    before = ""
    for i, block in enumerate(blocks):
        edge = i < first or i > last
        if fixed and fixed[i]:
            result.blocks.append(list(block))
            result.kept.append(i)
            continue
        kept: list[str] = []
        whole = all(is_furniture(line, edge=edge) for line in block)
        for line in block:
            plain = _plain(line)
            below_other_pages = below_other_pages or (i > last >= 0 and plain in _OTHER_PAGES)
            goes = (
                whole
                or (edge and is_furniture(line, edge=True))
                or (below_other_pages and not _SENTENCE_END.search(line))
            )
            if not goes:
                kept.append(line)
                before = line
                continue
            result.removed.append(line)
            dates = _dates(line)
            for date, said in dates:
                (result.dates if date else result.undated).append(date or said)
            if i < first and before and (dates or _READING_TIME.fullmatch(plain)):
                result.signed.append(before)
            before = ""
        if kept:
            result.blocks.append(kept)
            result.kept.append(i)
    return result


def is_furniture(line: str, *, edge: bool) -> bool:
    """Whether all of `line` is page furniture; at an `edge` ordinary words and notices count too."""
    plain = _plain(line)
    if not plain:
        return edge or not any(c.isalnum() for c in line)
    if edge and len(line) <= _LONGEST_NOTICE and _is_notice(line):
        return True
    if len(plain) > _LONGEST_LINE:
        return False
    if _single(plain, edge=edge):
        return True
    if edge and parse_date(plain):
        return True
    parts = [p for p in (_plain(part) for part in _PART.split(line)) if p]
    return len(parts) > 1 and all(_single(part, edge=True) or (edge and parse_date(part) is not None) for part in parts)


def _single(plain: str, *, edge: bool) -> bool:
    if plain in _ANYWHERE or (edge and plain in _EDGE):
        return True
    if _COUNTERS.fullmatch(plain) or (_READING_TIME.fullmatch(plain) and not plain.isdigit()):
        return True
    return bool(_dated(plain))


def _dated(plain: str) -> str | None:
    """The date in "Updated: Jun 18"; None when the rest of the line is no date."""
    found = _DATED.fullmatch(plain)
    if not found:
        return None
    said = found["date"].strip()
    words = said.split()
    return said if re.search(r"\d", said) and len(words) <= 7 and not _wordy(words) else None


def _wordy(words: list[str]) -> bool:
    return sum(len(re.sub(r"[\W\d]", "", w)) > 2 for w in words) > 3


def _dates(line: str) -> list[tuple[str | None, str]]:
    found: list[tuple[str | None, str]] = []
    for part in _PART.split(line):
        plain = _plain(part)
        said = _dated(plain)
        date = parse_date(said or plain)
        if said or date:
            found.append((date, part.strip()))
    return found


def _is_notice(line: str) -> bool:
    return len(line) <= _LONGEST_NOTICE and bool(_NOTICE.search(_plain(line)))


def _plain(line: str) -> str:
    folded = unicodedata.normalize("NFKC", line).casefold().replace("’", "'")
    # Ornaments and icons at both ends carry no words: ▲ ★ … » and emoji.
    return (
        re.sub(r"\s+", " ", folded)
        .strip(" \t\u200d\ufe0f")
        .strip("".join(c for c in set(folded) if not c.isalnum() and c not in "()[]"))
    )
