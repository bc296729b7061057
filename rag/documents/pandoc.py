"""What pandoc's Markdown adds to CommonMark: notes, citations by key (its manual, "Footnotes", "Citation syntax")."""

from __future__ import annotations

import re

from rag.documents.marks import Marks

_GOES_ON = r"\n(?![ ]{0,3}\[\^|[ ]{0,3}#)[ ]{0,3}\S[^\n]*+|(?:\n[ \t]*+(?=\n))*+\n(?:[ ]{4}|\t)[^\n]*+"
_NOTE = re.compile(rf"^[ ]{{0,3}}\[\^([\w-]{{1,60}}+)\]:[ \t]*+([^\n]*+(?:{_GOES_ON})*+)", re.MULTILINE)
_NOTE_SIGN = re.compile(r"(?<!\\)\[\^([\w-]{1,60}+)\](?![:(])")
_FENCE = re.compile(r"^[ ]{0,3}(?:(`{3,})[^`\n]*|(~{3,})[^\n]*)$", re.MULTILINE)
_CROSS_REFERENCE = "(?:fig|tbl|tab|sec|eq|lst|thm|lem|cor|prp|def|exm|exr|nte|tip|wrn|imp|cau)[-:]"
"""How Quarto's own cross-references begin, which look like citations."""
_KEY = re.compile(
    rf"(?<![\w@/.+])-?@(?:\{{([^{{}}\s]{{1,200}})\}}|((?!{_CROSS_REFERENCE})\w(?:[\w:.#$%&+?<>~/-]{{0,200}}\w)?+))"
)
_BRACKETS = re.compile(r"\[[^\[\]]*+\]")


def notes_out(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The text without its notes, which stand outside fences, and the notes: label and text."""
    fenced: list[tuple[int, int]] = []
    opened: tuple[int, str] | None = None
    for fence in _FENCE.finditer(text):
        sign = fence[1] or fence[2]
        if opened is None:
            opened = fence.start(), sign
        elif sign.startswith(opened[1]) and not fence[0].strip(" `~"):
            fenced.append((opened[0], fence.end()))
            opened = None
    out, notes, position = [], [], 0
    code = iter([*fenced, (len(text) + 1, len(text) + 1)])
    start, end = next(code)
    for match in _NOTE.finditer(text):
        while match.start() > end:
            start, end = next(code)
        if match.start() >= start:
            continue
        notes.append((match[1], re.sub(r"\n[ \t]+", "\n", match[2])))
        out.append(text[position : match.start()])
        position = match.end()
    return "".join([*out, text[position:]]), notes


def signed(text: str, marks: Marks) -> str:
    """The text with its notes' signs as escaped brackets, marked."""
    return _NOTE_SIGN.sub(lambda m: marks.put("note", m[1], rf"\[{m[1]}\]"), text)


def keyed(text: str, marks: Marks) -> str:
    """Citations by key, marked; "@" and the sign that leaves out the author are no part of what a reader reads."""
    if "@" not in text:
        return text
    brackets = [m.span() for m in _BRACKETS.finditer(text)]
    at = 0

    def put(match: re.Match[str]) -> str:
        nonlocal at
        while at < len(brackets) and brackets[at][1] <= match.start():
            at += 1
        inside = at < len(brackets) and brackets[at][0] < match.start()
        return marks.cited(match[1] or match[2], narrative=not inside)

    return _KEY.sub(put, text)
