"""Bytes → characters, whatever the encoding; says so when the bytes are no text."""

from __future__ import annotations

import codecs
import re

from rag.errors import DocumentError
from rag.types import Problem

_MARKS = [
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
_SAMPLE = 1 << 16
_IN_USE = [
    *["cp1250", "cp1251", "koi8_r", "koi8_u", "gb18030", "big5", "cp932", "euc_jp", "iso2022_jp", "cp949", "cp1253"],
    *["cp1254", "cp1255", "cp1256", "cp1257", "iso8859_2", "iso8859_5", "iso8859_7", "iso8859_8", "iso8859_9"],
    *["tis_620", "mac_roman", "mac_cyrillic", "cp866"],
]
"""The encodings texts are really in; the rarer ones look alike in a short text and are guessed too often."""
_LETTER = r"[^\W\d_]"
_SYMBOL_IN_WORD = re.compile(
    rf"(?<={_LETTER})[\xa1-\xa9\xab-\xb6\xb8\xb9\xbb-\xbf\xd7\xf7\ufffd](?={_LETTER})"
    rf"|[\xa4\xa6\xa8\xb4\xb8\xbc-\xbe]{_LETTER}|[\x80-\x9f]"
)


_AS_BROWSERS = {"gb2312": "gb18030", "gbk": "gb18030", "iso-8859-1": "cp1252", "latin1": "cp1252", "ascii": "utf-8"}
"""Labels that browsers read as the supersets they mostly are (WHATWG, Encoding)."""
_SEVEN_BITS = ("iso2022", "hz")


def labelled(data: bytes, label: str) -> str:
    """The characters of `data` in the encoding that a page or a server names. Raises LookupError, UnicodeError."""
    label = label.strip().lower()
    return data.decode(_AS_BROWSERS.get(label, label))


def marked(data: bytes, label: str) -> bytes:
    """`data` as UTF-8 under its mark, where a server named another encoding and the bytes bear it out; else unchanged.

    Servers often name an encoding that their pages have left for UTF-8: bytes that are UTF-8 stay what they are, but
    for encodings in seven bits, whose bytes look like UTF-8.
    """
    if any(data.startswith(mark) for mark, _ in _MARKS):
        return data
    try:
        text = labelled(data, label)
        if codecs.lookup(label).name.startswith(_SEVEN_BITS) or not _is_utf8(data):
            return codecs.BOM_UTF8 + text.encode()
    except (LookupError, UnicodeError):
        pass
    return data


def decode(data: bytes, name: str) -> tuple[str, list[Problem]]:
    """The characters of `data`, with a problem when the encoding had to be guessed.

    Tried in order: a byte-order mark, UTF-8, UTF-16 without a mark, then the guess of charset-normalizer.
    Raises DocumentError for bytes that are no text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _lenient(data, encoding, name)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        # A file cut off in the middle of a character is still UTF-8.
        if error.start >= len(data) - 3 and error.start > 0 and not data.isascii():
            return _lenient(data, "utf-8", name)
    else:
        return _checked(text, name), []
    wide = _wide(data)
    if wide:
        return _lenient(data, wide, name)
    return _guessed(data, name)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _lenient(data: bytes, encoding: str, name: str) -> tuple[str, list[Problem]]:
    text = data.decode(encoding, errors="replace")
    lost = text.count("\ufffd")
    problems = (
        [] if not lost else [_problem(f"{name}: {lost} characters could not be decoded as {encoding}.", "warning")]
    )
    return _checked(text, name), problems


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark shows as a zero in every other byte, for Latin text."""
    even, odd = data[0:_SAMPLE:2], data[1:_SAMPLE:2]
    if not even or not odd:
        return None
    if odd.count(0) > 0.4 * len(odd) and even.count(0) < 0.05 * len(even):
        return "utf-16-le"
    if even.count(0) > 0.4 * len(even) and odd.count(0) < 0.05 * len(odd):
        return "utf-16-be"
    return None


def _guessed(data: bytes, name: str) -> tuple[str, list[Problem]]:
    from charset_normalizer import from_bytes

    if data[:_SAMPLE].count(0) > 0.01 * len(data[:_SAMPLE]):
        raise _no_text(name)
    encoding = "cp1252"
    if not _western(data):
        best = from_bytes(data[: 1 << 20], cp_isolation=_IN_USE).best()
        encoding = best.encoding if best else "cp1252"
    text = data.decode(encoding, errors="replace")
    return _checked(text, name), [
        _problem(f"{name}: not UTF-8; read as {encoding}. Save the file as UTF-8 if letters look wrong.", "info")
    ]


def _western(data: bytes) -> bool:
    """Whether the bytes make sense as Windows-1252: few letters beyond ASCII, and no symbol in the middle of a word."""
    text = data[:_SAMPLE].decode("cp1252", errors="replace")
    letters = [c for c in text if c.isalpha()]
    beyond = sum(c > "\x7f" for c in letters)
    return beyond < 0.2 * len(letters) and not _SYMBOL_IN_WORD.search(text)


def _checked(text: str, name: str) -> str:
    sample = text[:_SAMPLE]
    odd = sum(c < " " and c not in "\t\n\r\f\x0b\x1b" for c in sample) + sample.count("\ufffd")
    if sample and odd > 0.1 * len(sample):
        raise _no_text(name)
    return text


def _no_text(name: str) -> DocumentError:
    return DocumentError(
        f"{name}: the bytes are no text and no document format that can be read here; "
        "export it as PDF, HTML or plain text and add that."
    )


def _problem(message: str, severity: str) -> Problem:
    return Problem(kind="encoding-guessed", message=message, severity="info" if severity == "info" else "warning")
