"""AsciiDoc → blocks: titles, lists, tables and paragraphs; macros and attributes go, their text stays."""

from __future__ import annotations

import re

from rag.documents.blocks import Block, Draft
from rag.documents.decode import decode

READER = "asciidoc/1"
_TITLE = re.compile(r"^(={1,6})\s+(\S.*?)(?:\s+=+)?$")
_FENCE = re.compile(r"^(?:-{4,}|\.{4,}|_{4,}|\*{4,}|={4,}|\+{4,}|-{2})$")
_ATTRIBUTE = re.compile(r"^(?::[\w!-]+:.*|\[[^\]]*\]|//.*|(?:toc|image|include|video|audio)::.*)$")
_ITEM = re.compile(r"^(\*{1,5}|-|\.{1,5}|\d+\.)\s+(\S.*)$")
_MACRO = re.compile(r"(?:link:|xref:|mailto:)?(https?://[^\s\[\]]+|[\w./#-]+)\[([^\]]*)\]")
_EMPHASIS = re.compile(r"(?<!\w)([*_`#+]{1,2})(\S(?:.*?\S)?)\1(?!\w)")


def read_asciidoc(data: bytes, name: str) -> Draft:
    """Read an AsciiDoc file. Raises DocumentError when the bytes are no text."""
    text, problems = decode(data, name)
    draft = Draft([], READER, "text/asciidoc", problems=problems)
    lines: list[str] = []
    items: list[str] = []
    rows: list[str] | None = None

    def close() -> None:
        if items:
            draft.blocks.append(Block("\n".join(items), "list"))
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
                rows.append(
                    " | ".join(
                        _plain(cell.strip()) for cell in re.split(r"(?:\d*[.+]?\d*[aehlmsv]?)\|", line) if cell.strip()
                    )
                )
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
            items.append(f"{item[1] if item[1][0].isdigit() else '-'} {_plain(item[2])}")
        elif items:
            items[-1] += " " + _plain(line)
        else:
            lines.append(
                _plain(line.removeprefix(".") if line.startswith(".") and len(line) > 1 and line[1].isalpha() else line)
            )
    return draft


def _plain(text: str) -> str:
    text = re.sub(r"<<[^,>]*,?\s*([^>]*)>>", r"\1", text)
    text = _MACRO.sub(lambda m: m[2] or m[1], text)
    return _EMPHASIS.sub(r"\2", text)
