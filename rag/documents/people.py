"""Names of people in lines that say who wrote a text: "By Ana Sousa and Li Wei | 3 May 2024"."""

from __future__ import annotations

import re

from rag.documents.clean import cjk_share
from rag.documents.lexicon import alternatives
from rag.documents.names import kind_of_title

_BY = re.compile(rf"^{alternatives('by')}(?P<mark>\s*[:：/／|]\s*|\s+)(?P<names>\S.*)$", re.IGNORECASE)
_ROLE_WORD = re.compile(r"^(?:text|texto|文|글|autor|author|writer)$", re.IGNORECASE)
_JOINED = re.compile(
    r"(?:(?<!\s)\s++)?(?:,|;|&|、|，|/|\band\b|\bund\b|\bet\b|\by\b|\be\b|\ben\b|\boch\b|\bи\b|与|和)\s*+"
)
_NAME = re.compile(r"^(?:(?:Dr|Prof|Professor|Mr|Ms|Mrs|Sir|Dame|Rev)\.?\s+)*(?P<name>[^\W\d_]\S*(?:\s+\S+){0,5})$")
_PARTICLE = frozenset(
    "van von de da di del della den der dos das du el al bin ibn la le y e ter ten zu af".split()  # noqa: SIM905
)
SEPARATOR = re.compile(r"(?<!\s)\s++(?:[—–-]\s++|[|·•]\s*+)|[|·•]\s*+")
"""What parts the pieces of a byline."""
_LONGEST_NAMES = 160
_OFFICE_AFTER = re.compile(r"(?:(?<!\s)\s++)?(?:기자|특파원|논설위원|记者|記者)$")
PROFESSION = re.compile(rf"\b{alternatives('profession')}\b", re.IGNORECASE)
"""What a note about an author calls them, and no part of a name."""


def names_in_byline(line: str) -> list[str]:
    """The people a byline names ("By Ana Sousa and Li Wei | 3 May 2024"), empty for any other line."""
    for part in SEPARATOR.split(line.strip()):
        found = _BY.match(part)
        if found:
            said = found["names"].strip(" .。")
            if len(said) > 160:
                continue
            parts = [name for name in _JOINED.split(said) if name]
            # "By Ana Sousa, River Correspondent": what they do is no second author.
            parts = [name for i, name in enumerate(parts) if i == 0 or not PROFESSION.search(name)]
            names = [clean_name(name) for name in parts]
            # Without a colon one word is too little: "By Design" is no byline.
            if names and all(name and (found["mark"].strip() or " " in name) for name in names):
                return [name for name in names if name]
    return []


def bare_names(line: str) -> list[str]:
    """The people in a line that holds nothing but names ("Ana Sousa and Li Wei"), empty for any other line."""
    if len(line) > _LONGEST_NAMES or line.endswith((".", ":", "?", "!")) or kind_of_title(line):
        return []
    names = [clean_name(name) for name in _JOINED.split(line) if name.strip(" *†‡0123456789")]
    sure = bool(_OFFICE_AFTER.search(line))  # 김하늘 기자
    good = [name for name in names if name and (sure or (" " in name and not name.isupper()))]
    return good if good and len(good) == len(names) else []


def clean_name(name: str) -> str | None:
    """`name` without titles when it looks like a person's or a body's name, else None."""
    name = re.sub(r"\s+", " ", name).strip(" ,.;:()（）*")
    found = _NAME.match(name)
    if not found or len(name) > 60 or _ROLE_WORD.match(name):
        return None
    plain = found["name"]
    if cjk_share(plain) > 0.5:
        plain = _OFFICE_AFTER.sub("", plain)
        return plain if 2 <= len(plain) <= 12 else None
    words = plain.split()
    if any(re.search(r"\d|[!?@#]", w) for w in words):
        return None
    if len(words) == 1:
        return plain if len(plain) > 2 and plain[0].isupper() else None
    return plain if all(w[0].isupper() or w.casefold() in _PARTICLE for w in words) else None
