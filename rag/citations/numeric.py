"""Numbered citations: "[3, 5–7]", "(4-6)", "¹²", "^12", and the digits that a lost superscript leaves ("ketones3,4").

A text uses one notation. Which one is told by the list: the notation whose numbers all stand in the list and cover most
of it. Digits without brackets count only when they do so in the order of the list, as such lists are numbered.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.citations.names import words
from rag.types import Reference

_DASH = r"[-‐‑–—−⁻]"
_JOINT = rf"\s*+(?:,|;|{_DASH}|\band\b|&)\s*+\d{{1,4}}+"
_NUMBERS = rf"\d{{1,4}}+(?:{_JOINT})*+"
_LEAD = r"(?:(?:see|see also|cf\.?|e\.g\.?,?|i\.e\.?,?|ref\.?|refs\.?|reviewed in|but see|and|for review,? see)\s++)?"
_TAIL = (
    r"(?:(?:,\s*+)?(?::[^\[\]]{0,60}|[,;]\s*+(?:pp?\.?|pages?|chapters?|ch\.|figs?\.?|tables?|sections?|"
    r"and references therein|for review)[^\[\]]{0,40})|,)?"
)
_RAISED = r"[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,4}+(?![⁰¹²³⁴⁵⁶⁷⁸⁹])"
_QUANTITY = r"(?!\s*(?:[cmkμµn]?m|m?s|k?g|%|°|degrees|years|days|hours|[kM]?Hz|[mk]?V)\b)"
"""What follows an interval, "[10, 20] mm", and no citation."""
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁽⁾", "0123456789-()")
_RAISED_MARKS = str.maketrans("⁽⁾⁻", "()-")
_NOTATIONS = {
    "square": re.compile(
        rf"\[\s*+{_LEAD}(?P<n>{_NUMBERS})\s*+{_TAIL}\s*+\]{_QUANTITY}(?:\s*(?P<dash>{_DASH})\s*\[\s*(?P<to>\d{{1,4}})\s*\])?",
        re.IGNORECASE,
    ),
    "superscript": re.compile(rf"[⁽(]?(?<![⁰¹²³⁴⁵⁶⁷⁸⁹])(?P<n>{_RAISED}(?:\s?[,⁻–-]\s?{_RAISED})*+)[⁾)]?"),
    "caret": re.compile(rf"\^\s?[({{]?\s?(?P<n>\d{{1,4}}(?:\s?(?:,|{_DASH})\s?\^?\d{{1,4}})*)\s?[)}}]?"),
    "round": re.compile(rf"[(（]\s*+(?P<n>\d{{1,4}}+(?:[)]*+{_JOINT})*+)\s*+[)）]"),
    "glued": re.compile(
        rf"(?:(?<=[a-zà-ÿ])|(?<=[A-Z]{3})|(?<=['’])|(?<=[^\W\d_]{{2}}[.,;:])|(?<=[)\]\"”’»%][.,;:])|(?<=[)\]\"”’»%]))"
        rf"(?P<n>\d{{1,3}}(?:[)]*\s?(?:,|{_DASH})\s?\d{{1,3}})*)(?![\w%°/=<>×+]|[.,]\d)"
    ),
}
_GAP = re.compile(r"\s++")
_LETTER = re.compile(r"[^\W\d_]")
_LAST_WORD = re.compile(r"(?<![^\W_])[^\W_]++\Z")
_FORMULA = re.compile(r"(?:[A-Z][a-z]?\d*){2,}")
_RANGE = re.compile(_DASH)
_KEYS = re.compile(r"\[([^\[\]\n]{2,120})\]")
_KEY = re.compile(r"[^\s,;][^,;]*[^\s,;]|[^\s,;]")
_WORD_OF_TWO = re.compile(
    r"(?:a[lmnst]|b[ey]|d[eou]|e[lnrst]|go|he|i[fnst]|l[ae]|m[ey]|no|o[fnrs]|s[eio]|to|u[mnps]|we)", re.IGNORECASE
)
"""What two letters before a raised number may be besides a unit or a symbol."""
_FEWEST_WIDENED = 1000
"""Numbers that a text may cite, and one more for each character, before its ranges count as their two ends alone."""
_LONGEST_NUMBER = 4
"""Digits of the highest number that a list gives its entries."""
_NEARLY = 0.8
_TRUSTED = ("key", "square", "superscript", "caret")


@dataclass(frozen=True, slots=True)
class Group:
    """A run of numbers as it stands: every `(start, end, label)` cited, a range giving each of its members."""

    start: int
    end: int
    notation: str
    cited: tuple[tuple[int, int, str], ...]


def prevails(groups: Sequence[Group], years: int, exact: int, references: Sequence[Reference]) -> bool:
    """Whether a text cites by number, given its author–year citations (and how many of them lead into the list).

    Against an unnumbered list, numbers may as well be signs of notes: they must count the list from 1 on, as it is
    numbered by first appearance, or stand in square brackets; those without brackets or raised must outweigh every year
    citation besides. A list in the order of its authors' names, which years lead into, is not numbered at all.
    """
    if not groups or any(r.label for r in references):
        return len(groups) > exact
    if groups[0].notation != "square" and not _counts_up(groups):
        return False
    if exact and _alphabetical(references):
        return False
    return len(groups) > (3 * years if groups[0].notation not in _TRUSTED else exact)


def _counts_up(groups: Sequence[Group]) -> bool:
    """Whether nearly every number is first used right after those below it."""
    highest = steps = right = 0
    for group in groups:
        for number in sorted(int(label) for *_, label in group.cited if label.isdigit()):
            if number > highest:
                steps += 1
                right += number == highest + 1
                highest = number
    return steps > 0 and right >= _NEARLY * steps


def _alphabetical(references: Sequence[Reference]) -> bool:
    """Whether the entries follow each other by how they begin."""
    begun = [said[:1] for r in references if (said := words(r.raw))]
    pairs = list(pairwise(begun))
    return len(pairs) > 1 and sum(a <= b for a, b in pairs) >= _NEARLY * len(pairs)


def read(text: str, references: Sequence[Reference]) -> tuple[list[Group], dict[str, int]]:
    """The groups of the text, and number → position in the list.

    Where the list prints no numbers and the text cites past its end, an entry that a blank line cuts in two may be two.
    """
    keys = {r.label.strip("[]() "): i for i, r in enumerate(references) if r.label and _LETTER.search(r.label)}
    if len(keys) * 2 > len(references):
        return _keyed(text, keys), keys
    numbered = labels(references)
    groups = find(text, numbered, beyond=max(3, len(numbered) // 4))
    if any(n not in numbered for g in groups for *_, n in g.cited) and not any(r.label for r in references):
        pieces = [i for i, r in enumerate(references) for _ in range(_pieces(r.raw))]
        numbered = {str(n): i for n, i in enumerate(pieces, 1)}
        groups = find(text, numbered, beyond=max(3, len(numbered) // 4))
    return groups, numbered


def _pieces(raw: str) -> int:
    """Into how many pieces blank lines cut an entry."""
    return 1 + sum(str(gap[0]).count("\n") > 1 for gap in _GAP.finditer(raw.strip()))


def labels(references: Sequence[Reference]) -> dict[str, int]:
    """Number → position in the list; the order of the list where it prints no numbers."""
    named: dict[str, int] = {}
    for i, reference in enumerate(references):
        digits = re.sub(r"\D", "", reference.label or "")
        if 0 < len(digits) <= _LONGEST_NUMBER and not _LETTER.search(reference.label or ""):
            named.setdefault(str(int(digits)), i)
    if len(named) * 2 >= len(references):
        return named
    return {str(i + 1): i for i in range(len(references))}


def find(text: str, numbers: Collection[str], beyond: int = 0) -> list[Group]:
    """The groups of the one notation that fits a list with these numbers; none where no notation does.

    In square brackets a number up to `beyond` past the highest is given too: cited, and not listed.
    """
    if not numbers:
        return []
    text = text.translate(_RAISED_MARKS)
    most = max(map(int, numbers)) + beyond
    best: list[Group] = []
    best_score = 0.0
    for notation, pattern in _NOTATIONS.items():
        known = {*numbers, *map(str, range(1, most + 1))} if notation == "square" and beyond else numbers
        groups = list(_groups(text, pattern, known, notation))
        if not groups:
            continue
        if notation in {"superscript", "caret"}:
            groups = [g for g in groups if not _power(text, g)]
        if notation not in _TRUSTED:
            groups = _in_order([g for g in groups if not _formula(text, g.start)], len(numbers))
        covered = {label for g in groups for *_, label in g.cited if label in numbers}
        score = len(covered) / len(numbers)
        if notation not in _TRUSTED and (score < 0.6 or len(groups) < 3):
            continue
        if score > best_score + 0.1:
            best, best_score = groups, score
    return best


def _keyed(text: str, keys: Mapping[str, int]) -> list[Group]:
    """Citations by key, "[Doe04, Roe11]": brackets of nothing but keys of the list (and a page)."""
    groups = []
    for match in _KEYS.finditer(text):
        pieces = [(m.start(), m.end(), m[0]) for m in _KEY.finditer(text, match.start(1), match.end(1))]
        cited = tuple(p for p in pieces if p[2] in keys)
        if cited and pieces[0][2] in keys:
            groups.append(Group(match.start(), match.end(), "key", cited))
    return groups


def _formula(text: str, at: int) -> bool:
    """Whether the digits at `at` belong to a chemical formula: "NbCl5"."""
    before = _LAST_WORD.search(text[max(0, at - 12) : at])
    return before is not None and _FORMULA.fullmatch(before[0]) is not None and not before[0].isupper()


def _power(text: str, group: Group) -> bool:
    """Whether a raised number is an exponent or a charge: "10⁶", "12 km²", "R²", "Ca²⁺"."""
    before = _LAST_WORD.search(text[max(0, group.start - 12) : group.start])
    if before is None:
        return False
    if before[0][-1].isdigit() or text[group.end : group.end + 1] in {"⁺", "⁻", "+"}:
        return True
    raised = {label for *_, label in group.cited}
    return len(before[0]) <= 2 and not _WORD_OF_TWO.fullmatch(before[0]) and raised <= {"2", "3", "4"}


def _groups(text: str, pattern: re.Pattern[str], known: Collection[str], notation: str) -> Iterator[Group]:
    left = _FEWEST_WIDENED + len(text)
    for match in pattern.finditer(text):
        group = _group(match, known, notation, widen=left > 0)
        if group is not None:
            left -= len(group.cited)
            yield group


def _group(match: re.Match[str], known: Collection[str], notation: str, *, widen: bool) -> Group | None:
    offset = match.start("n")
    digits = match["n"].translate(_SUPERSCRIPT)
    found = [(offset + m.start(), offset + m.end(), int(m[0])) for m in re.finditer(r"\d+", digits)]
    cited: list[tuple[int, int, str]] = []
    for i, (start, end, number) in enumerate(found):
        joint = digits[found[i - 1][1] - offset : start - offset] if i else ""
        if i and _RANGE.search(joint):
            if not _range(cited, start, end, found[i - 1][2], number, widen=widen):
                return None
        else:
            cited.append((start, end, str(number)))
    last = match.groupdict().get("to")
    if last and not _range(cited, match.start("to"), match.end("to"), found[-1][2], int(last), widen=widen):
        return None
    if any(label not in known for *_, label in cited):
        return None
    return Group(match.start(), match.end(), notation, tuple(cited))


def _range(cited: list[tuple[int, int, str]], start: int, end: int, low: int, high: int, *, widen: bool) -> bool:
    """Widen the last number to a range up to `high`, or to its two ends; False where the two are none."""
    if not 0 < high - low < 200:
        return False
    begin = cited.pop()[0]
    cited.extend((begin, end, str(n)) for n in (range(low, high + 1) if widen else (low, high)))
    return start > begin


def _in_order(groups: list[Group], count: int) -> list[Group]:
    """Keep the groups whose numbers fit a list numbered by first appearance, so none runs far ahead."""
    kept: list[Group] = []
    highest = 0
    for group in groups:
        top = max(int(label) for *_, label in group.cited)
        if top <= highest + max(3, count // 6) + len(group.cited):
            kept.append(group)
            highest = max(highest, top)
    return kept
