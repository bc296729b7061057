"""AsciiDoc → blocks: titles, lists, tables and paragraphs; macros and attributes go, their text stays."""

from __future__ import annotations

import re

from rag.documents.blocks import Block, Draft
from rag.documents.decode import decode

READER = "asciidoc/1"
_TITLE = re.compile(r"^(={1,6})\s+(\S.*?)(?:(?<!\s)\s++=++)?$")
_FENCE = re.compile(r"^(?:-{4,}|\.{4,}|_{4,}|\*{4,}|={4,}|\+{4,}|-{2})$")
_ATTRIBUTE = re.compile(r"^(?::[\w!-]+:.*|\[[^\]]*\]|//.*|(?:toc|image|include|video|audio)::.*)$")
_ITEM = re.compile(r"^(\*{1,5}|-|\.{1,5}|\d+\.)\s+(\S.*)$")
_MACRO = re.compile(
    r"(?:link:|xref:|mailto:)?(https?://[^\s\[\]]{1,2000}+|(?<![\w./#-])[\w./#-]++)\[([^\]]{0,1000}+)\]"
)
_REFERENCE = re.compile(r"<<([^<>]*+)>>")
_CELL = re.compile(r"(?:(?<!\S)(?:\d*+(?:\.\d++)?[+*])?[<^>]?(?:\.[<^>])?[adehlmsv]?)?\|")
"""A bar, and in front of it how many columns and rows the cell spans, how it is aligned and set."""
_EMPHASIS = re.compile(r"(?<!\w)([*_`#+]{1,2})(?=\S)")


def read_asciidoc(data: bytes, name: str) -> Draft:
    """Read an AsciiDoc file. Raises DocumentError when the bytes are no text."""
    text, problems = decode(data, name)
    draft = Draft([], READER, "text/asciidoc", problems=problems)
    lines: list[str] = []
    items: list[list[str]] = []
    rows: list[str] | None = None

    def close() -> None:
        if items:
            draft.blocks.append(Block("\n".join(" ".join(item) for item in items), "list"))
        elif lines:
            draft.blocks.append(Block(" ".join(lines)))
        lines.clear()
        items.clear()

    for raw in [*text.splitlines(), ""]:
        line = raw.strip()
        title = _TITLE.match(line)
        item = _ITEM.match(line)
        if line.startswith("|==="):
            close()
            if rows is not None:
                draft.blocks.append(Block("\n".join(rows), "table"))
            rows = [] if rows is None else None
        elif rows is not None:
            if line:
                rows.append(" | ".join(_plain(cell.strip()) for cell in _CELL.split(line) if cell.strip()))
        elif not line:
            close()
        elif title:
            close()
            level = len(title[1])
            first = level == 1 and not draft.blocks
            draft.blocks.append(Block(_plain(title[2]), "title" if first else "heading", level))
            draft.title = draft.title or (_plain(title[2]) if first else None)
        elif _FENCE.match(line) or _ATTRIBUTE.match(line):
            close()
        elif item:
            if lines and not items:
                close()
            items.append([item[1] if item[1][0].isdigit() else "-", _plain(item[2])])
        elif items:
            items[-1].append(_plain(line))
        else:
            lines.append(
                _plain(line.removeprefix(".") if line.startswith(".") and len(line) > 1 and line[1].isalpha() else line)
            )
    return draft


def _plain(text: str) -> str:
    text = _REFERENCE.sub(lambda m: m[1].partition(",")[2].lstrip(), text)
    return _unmarked(_MACRO.sub(lambda m: m[2] or m[1], text))


def _unmarked(line: str) -> str:
    """A line without the marks of emphasis around its words."""
    out: list[str] = []
    position = 0
    alone: set[str] = set()  # marks that nothing closes any more
    while opening := _EMPHASIS.search(line, position):
        end = -1
        for mark in dict.fromkeys((opening[1], opening[1][0])):
            start = opening.start() + len(mark)
            end = _closing(line, mark, start) if mark not in alone else -1
            if end >= 0:
                out += [line[position : opening.start()], line[start:end]]
                position = end + len(mark)
                break
            alone.add(mark)
        else:
            out.append(line[position : opening.start() + 1])
            position = opening.start() + 1
    return "".join([*out, line[position:]])


def _closing(line: str, mark: str, start: int) -> int:
    """Where the text from `start` on is closed by `mark`, -1 when it is not."""
    end = line.find(mark, start + 1)
    while end >= 0 and (line[end - 1].isspace() or re.match(r"\w", line[end + len(mark) : end + len(mark) + 1])):
        end = line.find(mark, end + 1)
    return end
