"""Whether a paragraph looks like a bibliography entry. Knows no parser: that is the bibliography's own room."""

from __future__ import annotations

import re

_YEAR = re.compile(
    r"(?<!\d)(?:1[5-9]|20)\d\d[a-z]?(?!\d)|\bn\.\s?d\.|\bs\.\s?[df]\.|\bo\.\s?J\.|\bin press\b|\bforthcoming\b",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^(?:\[\w{1,12}\]|\(\d{1,3}\)|\d{1,3}[.)])\s*\S")
_AUTHOR = re.compile(
    r"^(?:[\[(]?\w{1,4}[\])]?[.)]?\s+)?[“\"«]?(?:(?:van|von|de|da|di|del|della|den|der|dos|el|al|la|le|Mc)\s+)*"
    r"[^\W\d_][\w’'\-]*(?:\s[^\W\d_][\w’'\-]*){0,3},\s*(?:[^\W\d_]\.|[^\W\d_][\w’'\-]+|[A-Z]{1,3}\b)"
)
_LOCATOR = re.compile(
    r"https?://|www\.|\bdoi\b|\bpp?\.\s?\d|\bvol\.|\bno\.\s?\d|(?<!\d)\d++\s?\(\d++\)|(?<![\d–-])\d++\s*+[–-]\s*+\d++(?![–-])|\[online\]|\bin:\s"
    r"|\beds?\.|\bISBN\b|\bISSN\b|available (?:from|at)|retrieved|accessed|dispon[ií]vel|disponible|consultado"
    r"|abgerufen|verfügbar|consulté|\[[JMCDNRPSZ](?:/OL)?\]|第\s?\d+\s?期|[《「『][^《「『》」』\n]++[》」』]",
    re.IGNORECASE,
)
# "Ferry Crews' Union. 2022." and "World Bank (2019):" – a body signs as itself.
_BODY_AND_YEAR = re.compile(
    r"^(?:\[\w{1,12}\]\s*)?[^\W\d_][^.\d]{2,100}(?:\.[^.\d]{0,40})?[.,]?\s\(?(?:1[5-9]|20)\d\d[a-z]?\)?[.,:]"
)
_YEAR_FIRST = re.compile(r"[^()\d]{3,120}\((?:1[5-9]|20)\d\d[a-z]?\)[.:,]?\s[^\W\d_]")
"""The year in brackets behind the names, the title behind it."""
_PUBLISHED = re.compile(r"[^\W\d_][\w\s’'&.-]{2,40}: [^\W\d_][^.]{1,60}\.?$")
_TITLE_AND_ADDRESS = re.compile(r"^[A-Z\u00c0-\uffff][^.!?]{3,80}\.\s[^.!?]{3,150}\.\s*(?:https?://|www\.)\S+$")
_LABEL_ONLY = re.compile(r"^\[\d{1,3}\]")
MAX_ENTRY = 900
_FEWEST_LETTERS = 8
_MOST_SENTENCES = 12


def looks_like_entry(paragraph: str) -> bool:
    """Whether `paragraph` reads like one entry of a reference list: dated, and signed or located."""
    text = paragraph.strip()
    if not 12 <= len(text) <= MAX_ENTRY:
        return False
    if sum(c.isalpha() for c in text) < _FEWEST_LETTERS:
        return False
    dated, labelled = bool(_YEAR.search(text)), bool(_LABEL.match(text))
    signed, located = bool(_AUTHOR.match(text) or _BODY_AND_YEAR.match(text)), bool(_LOCATOR.search(text))
    if dated and labelled + signed + located >= 2:
        return _sentences(text) <= _MOST_SENTENCES
    if dated and signed:
        body = _BODY_AND_YEAR.match(text) and _PUBLISHED.search(text)
        return bool(body or (_AUTHOR.match(text) and _YEAR_FIRST.match(text)))
    return located and (
        signed or bool(_LABEL_ONLY.match(text)) or (len(text) < 300 and bool(_TITLE_AND_ADDRESS.match(text)))
    )


def share_of_entries(paragraphs: list[str]) -> float:
    """The share of paragraphs that look like entries, 0 for none at all."""
    return sum(map(looks_like_entry, paragraphs)) / len(paragraphs) if paragraphs else 0.0


def _sentences(text: str) -> int:
    return len(re.findall(r"[.!?。]\s", text))
