"""Plain text → blocks: paragraphs, headings, lists and the reference list, from text that marks none of them.

Takes a file as it comes: hard-wrapped or one line a paragraph, raw web exports with their furniture, any encoding.
"""

from __future__ import annotations

import re

from rag.documents import furniture
from rag.documents.blocks import Block, Draft
from rag.documents.clean import clean, one_line
from rag.documents.decode import decode
from rag.documents.entries import looks_like_entry, share_of_entries
from rag.documents.headings import could_be_heading, is_list_item, level_of
from rag.documents.names import kind_of_title, names_bibliography, perhaps_bibliography
from rag.documents.opening import split_opening
from rag.types import Problem

READER = "text/1"
_WRAP_WIDEST = 110
_NARROWEST_WRAP = 50
_RULE = re.compile(r"^[=\-~_*#.\s]{3,}$")
_ENDED = re.compile(r"[.。\])]$|https?://\S{1,600}+$")
_ENTRY_START = re.compile(r"^(?:\[\w{1,12}\]|\d{1,3}[.)]\s)")


def read_text(data: bytes, name: str) -> Draft:
    """Read plain text in any encoding. Raises DocumentError when the bytes are no text."""
    text, problems = decode(data, name)
    draft = draft_of(text)
    draft.problems[:0] = problems
    return draft


def draft_of(text: str) -> Draft:
    """The blocks of `text`, a raw export or plain prose."""
    hanging = _hanging(text)
    stripped = furniture.strip(_unstacked(_blocks(clean(_ruled(text)))))
    draft = Draft([], READER, problems=removed_problems(stripped))
    draft.address = stripped.addresses[0] if stripped.addresses else None
    draft.date = stripped.dates[0] if stripped.dates else None
    opening, rest = split_opening(stripped)
    draft.blocks = [*opening, *structure(rest, hanging=hanging)]
    return draft


def _ruled(text: str) -> str:
    """Cells that tabs part, on two lines or more in a row, get bars: the tabs themselves do not last."""
    lines = text.split("\n")
    tabbed = [bool(re.search(r"\S\t\s*+\S", line)) for line in lines]
    for i, line in enumerate(lines):
        if tabbed[i] and ((i and tabbed[i - 1]) or (i + 1 < len(lines) and tabbed[i + 1])):
            lines[i] = re.sub(r"(?<=\S)[ ]*+\t\s*+(?=\S)", " | ", line)
    return "\n".join(lines)


def _unstacked(blocks: list[list[str]]) -> list[list[str]]:
    """Above the first prose, and wherever a known heading stands on top of its text, every line is a block."""
    out: list[list[str]] = []
    top = True
    for block in blocks:
        top = top and not furniture.is_prose(block)
        if top and not any(map(is_list_item, block)):
            out.extend([line] for line in block)
            continue
        out.extend([block[:1], block[1:]] if len(block) > 1 and _heads(block[0], block[1:]) else [block])
    return out


def _heads(line: str, below: list[str]) -> bool:
    if perhaps_bibliography(line):
        return share_of_entries(below) >= 0.5
    return names_bibliography(line) or kind_of_title(line) == "author-note"


def removed_problems(stripped: furniture.Stripped) -> list[Problem]:
    """What the stripping took and could not use, as notes for the reader's eye."""
    problems: list[Problem] = []
    if stripped.removed:
        quoted = "; ".join(f"“{line}”" for line in stripped.removed[:40])
        more = f" and {len(stripped.removed) - 40} more" if len(stripped.removed) > 40 else ""
        problems.append(
            Problem(
                "furniture-removed",
                f"{len(stripped.removed)} lines of page furniture left out: {quoted}{more}.",
                "info",
            )
        )
    if stripped.undated and not stripped.dates:
        problems.append(
            Problem("date-incomplete", f"“{stripped.undated[0]}” names no year, so the document has no date.", "info")
        )
    return problems


def structure(blocks: list[list[str]], *, hanging: bool = False) -> list[Block]:
    """Tell headings, lists, entries and paragraphs apart. `blocks` are lists of lines, cleaned."""
    out: list[Block] = []
    in_bibliography = False
    for i, lines in enumerate(blocks):
        following = [" ".join(b) for b in blocks[i + 1 : i + 9]]
        if _is_heading(lines, following, in_bibliography=in_bibliography):
            title = lines[0]
            out.append(Block(title, "heading", level_of(title)))
            opens = names_bibliography(title) or (
                perhaps_bibliography(title) and share_of_entries(following[:6]) >= 0.5
            )
            in_bibliography = opens or (in_bibliography and bool(following) and looks_like_entry(following[0]))
        elif in_bibliography:
            out.extend(Block(entry) for entry in _entries(lines, hanging=hanging))
        elif len(lines) > 1 and all(" | " in line for line in lines):
            out.append(Block("\n".join(lines), "table"))
        elif any(is_list_item(line) for line in lines[1:]) or (len(lines) > 1 and is_list_item(lines[0])):
            out.append(Block("\n".join(_items(lines)), "list"))
        else:
            out.append(Block(one_line("\n".join(lines))))
    return out


def _is_heading(lines: list[str], following: list[str], *, in_bibliography: bool) -> bool:
    if len(lines) != 1 or not could_be_heading(lines[0]):
        return False
    line = lines[0]
    if kind_of_title(line) or perhaps_bibliography(line):
        return bool(following)
    if not following:
        return False
    if in_bibliography:
        # Between entries stand only headings of parts ("Primary sources") and whatever follows the list.
        return not re.search(r"\d{4}", line) and len(line.split()) <= 6
    return _text_follows(following)


def _text_follows(following: list[str]) -> bool:
    """Whether prose comes next, or after at most one more heading."""
    for text in following[:2]:
        if furniture.is_prose([text]) or is_list_item(text):
            return True
        if not could_be_heading(text):
            return len(text) > 40
    return False


def _blocks(text: str) -> list[list[str]]:
    """Blank lines part blocks; in a text with one line a paragraph, line ends do as well."""
    blocks: list[list[str]] = []
    for chunk in re.split(r"\n\s*\n", text):
        lines = [line for line in chunk.split("\n") if line]
        underlined = len(lines) > 1 and bool(_RULE.match(lines[1])) and not _RULE.match(lines[0])
        if underlined:
            blocks.append([lines[0]])
            lines = lines[2:]
        lines = [line for line in lines if not _RULE.match(line)]
        if not lines:
            continue
        blocks.extend(_paragraphs(lines))
    return blocks


def _paragraphs(lines: list[str]) -> list[list[str]]:
    if len(lines) == 1 or max(map(len, lines)) <= _NARROWEST_WRAP or _is_wrapped(lines):
        return [lines]
    # Not wrapped, and too wide for verse or an address: each line is a paragraph, items stay together.
    out: list[list[str]] = []
    for line in lines:
        if out and is_list_item(line) and is_list_item(out[-1][-1]):
            out[-1].append(line)
        else:
            out.append([line])
    return out


def _is_wrapped(lines: list[str]) -> bool:
    """Whether the lines were broken for their width: nearly all but the last reach for the same margin."""
    widest, inner = max(map(len, lines)), lines[:-1]
    if widest > _WRAP_WIDEST:
        return False
    if len(lines) > 3 and sum(bool(re.search(r"[.!?]$", line)) for line in inner) > 0.8 * len(inner):
        return False
    return sum(len(line) >= 0.7 * widest for line in inner) >= 0.6 * len(inner)


def _items(lines: list[str]) -> list[str]:
    items: list[list[str]] = []
    for line in lines:
        if items and not is_list_item(line):
            items[-1].append(line)
        else:
            items.append([line])
    return [" ".join(item) for item in items]


def _hanging(text: str) -> bool:
    """Whether the reference list of a wrapped text indents the lines that go on an entry."""
    lines = [line for line in text.expandtabs().split("\n")[-400:] if line.strip()]
    indented = sum(line.startswith("  ") for line in lines)
    return bool(lines) and 0.25 <= indented / len(lines) <= 0.85


def _entries(lines: list[str], *, hanging: bool) -> list[str]:
    """The entries in one block of a reference list: usually one; several when nothing but line ends part them."""
    starts = [i for i, line in enumerate(lines) if _ENTRY_START.match(line)]
    if len(starts) > 1 and starts[0] == 0:
        return [one_line("\n".join(lines[a:b])) for a, b in zip(starts, [*starts[1:], len(lines)], strict=True)]
    complete = all(looks_like_entry(line) for line in lines) or all(_ENDED.search(line) for line in lines)
    if len(lines) > 1 and not hanging and complete:
        return list(lines)
    starts = [i for i, line in enumerate(lines) if i == 0 or _begins_entry(lines[i - 1], line)]
    return [one_line("\n".join(lines[a:b])) for a, b in zip(starts, [*starts[1:], len(lines)], strict=True)]


def _begins_entry(before: str, line: str) -> bool:
    """Whether `line` starts a new entry in an unindented list: the one before ended, this one is signed."""
    ended = re.search(r"[.。]$|https?://\S{1,600}+$", before)
    return bool(ended) and bool(re.match(r"[^\W\d_][\w’'\-]+,\s+[^\W\d_](?:\.|\w+)", line))
