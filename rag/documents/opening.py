"""The top of a text without markup: which line is the title, which say who wrote it and when."""

from __future__ import annotations

import re
from itertools import pairwise

from rag.documents.blocks import Block
from rag.documents.clean import cjk_share
from rag.documents.dates import parse_date
from rag.documents.furniture import Stripped, is_prose
from rag.documents.headings import could_be_heading
from rag.documents.names import kind_of_title
from rag.documents.people import bare_names, clean_name, names_in_byline

_MOST_LINES = 12


def split_opening(stripped: Stripped) -> tuple[list[Block], list[list[str]]]:
    """Take title and bylines off the top; returns them and the blocks that remain.

    Above the first prose stand runs of lines, parted by furniture and bylines. The title opens the run that a byline
    or a date follows, else the first run; a rubric of one word in front of it, or a trail of pages, is passed over.
    A person's name above a date (`signed`) is a byline when another line can be the title.
    """
    blocks = stripped.blocks
    used = 0
    while used < min(len(blocks), _MOST_LINES) and not is_prose(blocks[used]):
        if used and kind_of_title(blocks[used][0]):
            break
        used += 1
    if used == len(blocks):
        used = min(used, 1)  # nothing but short lines: only the first block can be the opening
    top = [line for block in blocks[:used] for line in block]
    breaks, dated = _breaks(stripped, used)
    signed = {line for line in stripped.signed if 2 <= _words(line) <= 4 and clean_name(line)}
    title = _title_index(top, breaks, dated, signed)
    if title is None:
        return [], blocks

    def as_block(line: str) -> Block:
        meta = names_in_byline(line) or parse_date(line) or line in signed
        return Block(line, "byline" if meta else "paragraph")

    above = [as_block(line) for line in top[:title]]
    below = [as_block(line) for line in top[title + 1 :]]
    follows = below[1].text if len(below) > 1 else blocks[used][0] if used < len(blocks) else ""
    marked = kind_of_title(follows) or could_be_heading(follows) or parse_date(follows)
    if below and bare_names(below[0].text) and marked:
        below[0].role = "byline"
    # A second title between the title and a byline belongs to the front.
    front = max((i for i, b in enumerate(below) if b.role == "byline"), default=-1) + 1
    opening = [*above, Block(top[title], "title", 1), *below[:front]]
    return opening, [*([b.text] for b in below[front:]), *blocks[used:]]


def _breaks(stripped: Stripped, used: int) -> tuple[set[int], set[int]]:
    """The lines of the top with furniture right above them, and those with a date or reading time right below."""
    above: set[int] = set()
    below: set[int] = set()
    line = 0
    for i in range(used):
        if stripped.parted[i]:
            above.add(line)
        line += len(stripped.blocks[i])
        if stripped.dated[i]:
            below.add(line - 1)
    return above, below


def _is_rubric(line: str) -> bool:
    """One word, or a trail of pages ("Home > Opinion")."""
    return _words(line) == 1 or bool(re.search(r"\s[>›»/]\s", line))


def _title_index(top: list[str], breaks: set[int], dated: set[int], signed: set[str]) -> int | None:
    runs: list[list[int]] = []
    followed: list[bool] = []
    going_on = False
    for i, line in enumerate(top):
        meta = (i > 0 or not _plain_first(line)) and not _could_be_title(line)
        if meta or line in signed:
            if runs and going_on and (names_in_byline(line) or parse_date(line) or line in signed):
                followed[-1] = True
            going_on = False
            continue
        if going_on and i not in breaks:
            runs[-1].append(i)
        else:
            runs.append([i])
            followed.append(False)
        followed[-1] = i in dated
        going_on = True
    if not runs:
        return next((i for i, line in enumerate(top) if line in signed), None)
    run = runs[next((n for n, yes in enumerate(followed) if yes), 0)]
    for first, below in pairwise(run):
        if not _is_rubric(top[first]) or not (_words(top[below]) >= 3 or _is_rubric(top[below])):
            return first
    return run[-1]


def _could_be_title(line: str) -> bool:
    return not names_in_byline(line) and not parse_date(line) and (could_be_heading(line) or _loose_title(line))


def _plain_first(line: str) -> bool:
    # "Von Neumann Machines" at the very top is a title; "Writer: Ana Sousa" is not.
    return (
        could_be_heading(line)
        and not parse_date(line)
        and not (names_in_byline(line) and re.search("[:：]|^[Bb]y ", line))
    )


def _loose_title(line: str) -> bool:
    # Titles may be long and may hold a colon, a comma or a final full stop.
    return (
        8 <= len(line) <= 250
        and any(c.isalpha() for c in line)
        and "://" not in line
        and not line.endswith((":", ",", ";"))
    )


def _words(line: str) -> int:
    return len(line) // 2 if cjk_share(line) > 0.5 else len(line.split())
