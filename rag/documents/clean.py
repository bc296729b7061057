"""Characters: what never belongs in stored text goes, what a reader would miss stays."""

from __future__ import annotations

import re
import unicodedata
from itertools import chain, zip_longest

from rag.documents.marks import SIGNS, without_marks

# Soft hyphens, zero-width spaces and joiners of layout, byte-order marks; the joiners U+200C and U+200D spell words
# in Persian and in the Indic scripts and stay. The tag characters can hide instructions from the eye.
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff\ufffe\uffff\ufff9-\ufffb\U000e0000-\U000e007f]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# How a font sets letters is no spelling; the ligatures of PDFs would hide words from every search.
_LIGATURES = str.maketrans(dict(zip("ﬀﬁﬂﬃﬄﬅﬆ", ["ff", "fi", "fl", "ffi", "ffl", "st", "st"], strict=True)))
_RAISED = str.maketrans("0123456789+-−–—()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁻⁽⁾")
PLAIN = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾", "0123456789+-()")
"""Raised digits and signs → plain ones."""
_RAISED_NUMBER = re.compile(r"^[\s,;()+−–—-]*\d[\d\s,;()+−–—-]*")
_SPACES = re.compile(r"[^\S\n]+")
_CJK = "\u2e80-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
_BETWEEN_CJK = re.compile(f"(?<=[{_CJK}])\n(?=[{_CJK}])")


def clean(text: str) -> str:
    """Normalise to NFC, spell out ligatures, unify line ends, drop invisible and control characters, squeeze spaces.

    No word is lost and no line is joined; calling it twice changes nothing.
    """
    text = _LINE_END.sub("\n", text)
    text = _CONTROL.sub("", _INVISIBLE.sub("", text))
    text = unicodedata.normalize("NFC", text).translate(_LIGATURES)
    return "\n".join(_SPACES.sub(" ", line).strip() for line in text.split("\n"))


def raised(text: str) -> str:
    """Raised numbers as the superscripts that Unicode has, other raised text as it is.

    So that 10⁶ is not stored as 106, and the number of a note or an entry not as the end of a word.
    """
    if not _RAISED_NUMBER.fullmatch(without_marks(text)):
        return text
    kept = [m[0] for m in SIGNS.finditer(text)]
    pieces = [piece.translate(_RAISED) for piece in SIGNS.split(text)]
    return "".join(chain.from_iterable(zip_longest(pieces, kept, fillvalue="")))


def one_line(text: str) -> str:
    """`text` with its lines joined: by nothing between Chinese or Japanese characters, else by a space."""
    return _SPACES.sub(" ", _BETWEEN_CJK.sub("", text.strip()).replace("\n", " "))


def without(text: str, opening: str, closing: str, instead: str = "") -> str:
    """`text` with every stretch from `opening` to the next `closing` replaced; one that never closes stays."""
    out: list[str] = []
    position = 0
    while (start := text.find(opening, position)) >= 0:
        end = text.find(closing, start + len(opening))
        if end < 0:
            break
        out += [text[position:start], instead]
        position = end + len(closing)
    return "".join([*out, text[position:]])


def cjk_share(text: str) -> float:
    """The share of `text` in Chinese, Japanese or Korean characters, 0 to 1."""
    letters = [c for c in text if c.isalpha()]
    if not letters:
        return 0.0
    return sum("\u2e80" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7af" for c in letters) / len(letters)
