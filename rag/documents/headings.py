"""Headings in text without markup: a short line of its own, not ending like a sentence, with prose below."""

from __future__ import annotations

import re

from rag.documents.clean import cjk_share
from rag.documents.entries import looks_like_entry
from rag.documents.names import kind_of_title, perhaps_bibliography

_BULLET = re.compile(r"^\s*(?:[-*•‣▪◦–—+]\s|\(?[a-z]\)\s|\(?\d{1,3}\)\s)")
_NUMBERED = re.compile(r"^\s*(\d+(?:\.\d+)*)[.)]?\s+\S")
_CLOSES = re.compile(r"[.,;:。，；、：…][\"'”’»)\]]*$")
_ADDRESS = re.compile(r"https?://|www\.|\S@[^\s@]+\.\w|\bdoi\b", re.IGNORECASE)
_CAPTION = re.compile(
    r"^(?:figure|fig|table|image|photo|source|abbildung|abb|tabelle|quelle|figura|tabla|tabela|图|圖|表|図|그림|표)\b\.?\s*+(?:\d++\s*+)?[:.–—-]",
    re.IGNORECASE,
)
_LONGEST = 110
_MOST_WORDS = 16


def is_list_item(line: str) -> bool:
    """Whether `line` opens with a bullet or a small number in brackets."""
    return bool(_BULLET.match(line))


def could_be_heading(line: str) -> bool:
    """Whether `line` by itself has the shape of a heading."""
    text = line.strip()
    letters = [c for c in text if c.isalpha()]
    if not letters or len(text) > _LONGEST or is_list_item(text) or _ADDRESS.search(text) or _CAPTION.match(text):
        return False
    if kind_of_title(text) or perhaps_bibliography(text):
        return True
    if _CLOSES.search(text) or (looks_like_entry(text) and re.search(r"\d{4}", text)):
        return False
    if cjk_share(text) > 0.5:
        return len(text) <= 40 and not re.search(r"[。，；]", text)
    if len(text.split()) > _MOST_WORDS:
        return False
    return letters[0].isupper() or not letters[0].islower() or text[0].isdigit()


def level_of(line: str) -> int:
    """Depth from the number in front: "2 Method" is 2, "2.1 Data" is 3; 2 without one."""
    found = _NUMBERED.match(line)
    return 2 + found[1].count(".") if found else 2
