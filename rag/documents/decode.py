"""Bytes → characters, whatever the encoding; says so when the bytes are no text."""

from __future__ import annotations

import codecs

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
    best = from_bytes(data[: 1 << 20]).best()
    encoding = best.encoding if best else "cp1252"
    if encoding in {"gb2312", "gbk"}:
        encoding = "gb18030"  # the superset of both
    text = data.decode(encoding, errors="replace")
    return _checked(text, name), [
        _problem(f"{name}: not UTF-8; read as {encoding}. Save the file as UTF-8 if letters look wrong.", "info")
    ]


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
