"""What sections are called, in many languages: reference lists, notes about authors, front matter, notes."""

from __future__ import annotations

import re
import unicodedata

from rag.documents.lexicon import words
from rag.types import SectionKind

_NUMBERING = re.compile(
    r"^(?:(?:section|chapter|appendix|part|kapitel|capítulo|chapitre)\s+)?"
    r"(?:§\s*)?(?:\d+(?:\.\d+)*[.):]?\s+|[ivxlc]+[.):]\s*|[a-z][.):]\s+|[一二三四五六七八九十]+[、.．]\s*|第[一二三四五六七八九十\d]+[章节節]\s*)",
    re.IGNORECASE,
)


def _plain(title: str) -> str:
    folded = unicodedata.normalize("NFKC", title).casefold().replace("’", "'").replace("&", "and")
    return re.sub(r"\s+", " ", folded).strip(" \t*_#:：.。—–-=【】[]()（）〈〉<>『』「」◆■●▪•|")


def plain_title(title: str) -> str:
    """A heading without its number, case and ornaments, as the word lists spell it."""
    plain = _plain(title)
    without = _NUMBERING.sub("", plain)
    return _plain(without) or plain


_BIBLIOGRAPHY = words("bibliography")
_PERHAPS_BIBLIOGRAPHY = words("perhaps_bibliography")
_KINDS: dict[SectionKind, frozenset[str]] = {
    "bibliography": _BIBLIOGRAPHY,
    "author-note": words("author_note"),
    "notes": words("notes"),
    "front": words("front"),
}


def names_bibliography(title: str) -> bool:
    """Whether a heading of this name always opens a reference list."""
    return plain_title(title) in _BIBLIOGRAPHY


def perhaps_bibliography(title: str) -> bool:
    """Whether a heading of this name opens a reference list when entries follow ("Sources", "Notes")."""
    return plain_title(title) in _PERHAPS_BIBLIOGRAPHY


def names_notes(title: str) -> bool:
    """Whether a heading of this name opens notes ("Notes", "Anmerkungen")."""
    return plain_title(title) in _KINDS["notes"]


def kind_of_title(title: str) -> SectionKind | None:
    """The kind of section that a heading of this name opens, None for ordinary headings."""
    plain = plain_title(title)
    return next((kind for kind, names in _KINDS.items() if plain in names), None)
