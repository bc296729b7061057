"""The top of a text without markup: which line is the title, which say who wrote it and when."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.documents.blocks import Block
from rag.documents.clean import cjk_share
from rag.documents.dates import parse_date
from rag.documents.furniture import is_prose
from rag.documents.headings import could_be_heading
from rag.documents.lexicon import alternatives
from rag.documents.names import kind_of_title

_BY = re.compile(rf"^{alternatives('by')}(?P<mark>\s*[:：/／|]\s*|\s+)(?P<names>\S.*)$", re.IGNORECASE)
_ROLE_WORD = re.compile(r"^(?:text|texto|文|글|autor|author|writer)$", re.IGNORECASE)
_JOINED = re.compile(r"\s*(?:,|;|&|、|，|/|\band\b|\bund\b|\bet\b|\by\b|\be\b|\ben\b|\boch\b|\bи\b|与|和)\s*")
_NAME = re.compile(r"^(?:(?:Dr|Prof|Professor|Mr|Ms|Mrs|Sir|Dame|Rev)\.?\s+)*(?P<name>[^\W\d_]\S*(?:\s+\S+){0,5})$")
_PARTICLE = {
    "van",
    "von",
    "de",
    "da",
    "di",
    "del",
    "della",
    "den",
    "der",
    "dos",
    "das",
    "du",
    "el",
    "al",
    "bin",
    "ibn",
    "la",
    "le",
    "y",
    "e",
    "ter",
    "ten",
    "zu",
    "af",
}
_SEPARATOR = re.compile(r"\s+[|·•—–-]\s+|\s*[|·•]\s*")
_MOST_LINES = 12
_LONGEST_NAMES = 160


def split_opening(blocks: list[list[str]], signed: Sequence[str] = ()) -> tuple[list[Block], list[list[str]]]:
    """Take title and bylines off the top; returns them and the blocks that remain.

    The title is the first line that could be one, before the first prose. A single word in front of a longer
    line (a rubric, the site's name) is kept as an ordinary line, not taken for the title; so is a name in `signed`
    (lines that stood right above a date) when another line can be the title.
    """
    used = 0
    while used < min(len(blocks), _MOST_LINES) and not is_prose(blocks[used]):
        if used and kind_of_title(blocks[used][0]):
            break
        used += 1
    if used == len(blocks):
        used = min(used, 1)  # nothing but short lines: only the first block can be the opening
    top = [line for block in blocks[:used] for line in block]
    title = _title_index(top, signed)
    if title is None:
        return [], blocks

    def as_block(line: str) -> Block:
        meta = names_in_byline(line) or parse_date(line) or (line in signed and clean_name(line))
        return Block(line, "byline" if meta else "paragraph")

    above = [as_block(line) for line in top[:title]]
    below = [as_block(line) for line in top[title + 1 :]]
    follows = below[1].text if len(below) > 1 else blocks[used][0] if used < len(blocks) else ""
    if (
        below
        and bare_names(below[0].text)
        and (kind_of_title(follows) or could_be_heading(follows) or parse_date(follows))
    ):
        below[0].role = "byline"
    opening = [*above, Block(top[title], "title", 1), *(b for b in below if b.role == "byline")]
    return opening, [*([b.text] for b in below if b.role != "byline"), *blocks[used:]]


def _title_index(top: list[str], signed: Sequence[str]) -> int | None:
    possible = [i for i, line in enumerate(top) if (i == 0 and _plain_first(line)) or _could_be_title(line)]
    if not possible:
        return None
    unsigned = [i for i in possible if not (top[i] in signed and 2 <= _words(top[i]) <= 4 and clean_name(top[i]))]
    if unsigned:
        possible = unsigned
    first = possible[0]
    if len(possible) > 1 and possible[1] == first + 1 and _words(top[first]) == 1 and _words(top[first + 1]) >= 3:
        return possible[1]
    return first


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


def names_in_byline(line: str) -> list[str]:
    """The people a byline names ("By Ana Sousa and Li Wei | 3 May 2024"), empty for any other line."""
    for part in _SEPARATOR.split(line.strip()):
        found = _BY.match(part)
        if found:
            said = found["names"].strip(" .。")
            if len(said) > 160:
                continue
            names = [clean_name(name) for name in _JOINED.split(said) if name]
            # Without a colon one word is too little: "By Design" is no byline.
            if names and all(name and (found["mark"].strip() or " " in name) for name in names):
                return [name for name in names if name]
    return []


def bare_names(line: str) -> list[str]:
    """The people in a line that holds nothing but names ("Ana Sousa and Li Wei"), empty for any other line."""
    if len(line) > _LONGEST_NAMES or line.endswith((".", ":", "?", "!")) or kind_of_title(line):
        return []
    names = [clean_name(name) for name in _JOINED.split(line) if name.strip(" *†‡0123456789")]
    good = [name for name in names if name and " " in name and not name.isupper()]
    return good if good and len(good) == len(names) else []


def clean_name(name: str) -> str | None:
    """`name` without titles when it looks like a person's or a body's name, else None."""
    name = re.sub(r"\s+", " ", name).strip(" ,.;:()（）*")
    found = _NAME.match(name)
    if not found or len(name) > 60 or _ROLE_WORD.match(name):
        return None
    plain = found["name"]
    if cjk_share(plain) > 0.5:
        return plain if 2 <= len(plain) <= 12 else None
    words = plain.split()
    if any(re.search(r"\d|[!?@#]", w) for w in words):
        return None
    if len(words) == 1:
        return plain if len(plain) > 2 and plain[0].isupper() else None
    return plain if all(w[0].isupper() or w.casefold() in _PARTICLE for w in words) else None
