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
from itertools import pairwise

from rag.documents.dates import parse_date
from rag.documents.entries import looks_like_entry
from rag.documents.headings import is_list_item
from rag.documents.lexicon import alternatives, words

_UNITS = alternatives("counter_units")
_NUMBER = r"\d[\d.,\s]*+(?:k|m|tsd|mil|万|萬|만|천)?\+?"
_COUNTED = rf"{_UNITS}\s*+(?:[:：(]\s*+)?"
_COUNTERS = re.compile(
    # Each counter is settled before the next is looked at, by what must follow it: another one, or nothing.
    rf"(?>{_NUMBER}\s*+{_UNITS}\W*+(?=\d|\Z))++"
    rf"|(?>{_COUNTED}{_NUMBER}\s*+[개회건명个条件回則]?\)?(?:{_UNITS})?\W*+(?={_COUNTED}\d|\Z))++"
    rf"|(?:no|sem|sin|keine|aucun) {_UNITS}"
)
_READING_TIME = re.compile(
    alternatives("reading_time_before")
    + r"?\s*+(?:[:：]\s*+)?(?:ca\. |about |approx\. |~|约|約)?\d{1,3}\s*+(?:[-–]\s*+\d{1,3}\s*+)?(?:[-–]\s*+)?"
    + alternatives("minutes")
    + r"\s*+"
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
_ADDRESS = re.compile(r"^(?:[^\W\d_][\w\s]{0,20}[:：]\s*)?<?(https?://[^\s<>]+)>?$")
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")
_PART = re.compile(r"(?<!\s)\s++(?:[/—–]\s++|[|·•∙⋅]\s*+)|[|·•∙⋅]\s*+")
_NARROW = 45
_WEIGHTIEST_LABEL = 160
_LIGHTEST_SENTENCE = 28
_LONGEST_LINE = 90
_LONGEST_NOTICE = 320


@dataclass(slots=True)
class Stripped:
    """What is left, and what went: `blocks` are lists of lines, `removed` the lines that are furniture."""

    blocks: list[list[str]]
    kept: list[int] = field(default_factory=list)
    """For each block that is left, which of the given ones it was."""
    parted: list[bool] = field(default_factory=list)
    """For each block that is left, whether furniture stood right above it …"""
    dated: list[bool] = field(default_factory=list)
    """… and whether a date or a reading time stood right below it."""
    removed: list[str] = field(default_factory=list)
    dates: list[str] = field(default_factory=list)
    """ISO dates that the furniture told, as it stood in the text."""
    undated: list[str] = field(default_factory=list)
    """Dates without a year: "Updated: Jun 18"."""
    addresses: list[str] = field(default_factory=list)
    """Addresses that stood on a line of their own above the article: where it was published."""
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
    going = _going(blocks, fixed)
    parted = False
    before = ""
    for i, block in enumerate(blocks):
        kept = [line for line, goes in zip(block, going[i], strict=True) if not goes]
        for line, goes in zip(block, going[i], strict=True):
            if not goes:
                before = line
                continue
            result.removed.append(line)
            address = _ADDRESS.match(line)
            if address and not result.addresses:
                result.addresses.append(address[1])
            dates = _dates(line)
            for date, said in dates:
                (result.dates if date else result.undated).append(date or said)
            if before and (dates or _READING_TIME.fullmatch(_plain(line))):
                result.signed.append(before)
                if result.dated and not kept:
                    result.dated[-1] = True
            before = ""
        if kept:
            result.blocks.append(kept)
            result.kept.append(i)
            result.parted.append(parted or going[i][0])
            result.dated.append(False)
        parted = going[i][-1]
    return result


def _going(blocks: Sequence[Sequence[str]], fixed: Sequence[bool]) -> list[list[bool]]:
    """For every line of every block, whether it is furniture."""
    prose = [i for i, block in enumerate(blocks) if is_prose([line for line in block if not _is_notice(line)])]
    first, last = (prose[0], prose[-1]) if prose else (len(blocks), -1)
    held = [bool(fixed) and fixed[i] for i in range(len(blocks))]
    out: list[list[bool]] = []
    for i, block in enumerate(blocks):
        edge = i < first or i > last
        inside = not edge and not all(is_furniture(line, edge=False) for line in block)
        out.append([not held[i] and not inside and is_furniture(line, edge=edge) for line in block])
    for i in range(first):
        for n, line in enumerate(blocks[i]):
            out[i][n] = out[i][n] or (not held[i] and bool(_ADDRESS.match(line)))
    _take_lone_numbers(blocks, out, [i for i in range(len(blocks)) if not held[i] and not first <= i <= last])
    _take_the_rest(blocks, out, [i for i in range(last + 1, len(blocks)) if not held[i] and prose])
    return out


def _take_lone_numbers(blocks: Sequence[Sequence[str]], out: list[list[bool]], edge: Sequence[int]) -> None:
    """A number alone beside furniture is a counter that lost its label ("42", "7", "Share")."""
    lines = [(i, n) for i in edge for n in range(len(blocks[i]))]
    for order in (lines, lines[::-1]):
        for (i, n), (j, m) in pairwise(order):
            if out[i][n] and re.fullmatch(r"[\d.,]{1,7}[kK]?", blocks[j][m].strip()):
                out[j][m] = True


def _take_the_rest(blocks: Sequence[Sequence[str]], out: list[list[bool]], below: Sequence[int]) -> None:
    """Below the article, labels that stand among furniture, or under "Recent posts", are furniture of a site."""
    lines = [(i, n) for i in below for n in range(len(blocks[i]))]
    known = [out[i][n] for i, n in lines]
    crowd = sum(known) >= 2 and sum(known) >= 0.3 * len(known)
    others = among = False
    for (i, n), goes in zip(lines, known, strict=True):
        line = blocks[i][n]
        others = others or _plain(line) in _OTHER_PAGES
        if (others or among) and not _SENTENCE_END.search(line) and not is_list_item(line):
            out[i][n] = True
        among = among or (crowd and goes)


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
