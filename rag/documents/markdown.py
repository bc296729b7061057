"""Markdown → blocks: headings, lists and tables by markdown-it-py (MIT); emphasis goes, links keep text and address."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from rag.documents import pandoc
from rag.documents.blocks import Block, Draft
from rag.documents.clean import without
from rag.documents.dates import parse_date
from rag.documents.decode import decode
from rag.documents.marks import Marks
from rag.documents.names import names_bibliography, names_notes, perhaps_bibliography
from rag.documents.people import bare_names, names_in_byline

if TYPE_CHECKING:
    from markdown_it.token import Token

READER = "markdown/2"
_FRONT_MATTER = re.compile(r"\A(---|\+\+\+)[ \t]*\r?\n(.*?)\r?\n\1[ \t]*(?:\r?\n|\Z)", re.DOTALL)
# Notes and numbered references are no link definitions, which leave no text behind.
_NUMBERED = re.compile(r"^[ ]{0,3}\[(\d{1,3})\]:[ \t]+", re.MULTILINE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_ATTRIBUTES = re.compile(r"(?:(?<!\s)\s++)?\{[#.][^{}]*+\}\s*+$")


def read_markdown(data: bytes, name: str) -> Draft:
    """Read CommonMark with tables and YAML or TOML front matter. Raises DocumentError when the bytes are no text."""
    from markdown_it import MarkdownIt

    text, problems = decode(data, name)
    draft = Draft([], READER, "text/markdown", problems=problems)
    front = _FRONT_MATTER.match(text)
    if front and _read_front_matter(draft, front[1], front[2]):
        text = text[front.end() :]
    text, notes = pandoc.notes_out(text)
    text = _NUMBERED.sub(r"\n\[\1\] ", text)
    text = pandoc.signed(text, draft.marks)
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    walk = _Walk(draft)
    walk.over(parser.parse(text))
    _name_title(draft)
    if notes:
        _open_notes(draft)
        for label, said in notes:
            inner = _Walk(Draft([], READER, marks=draft.marks))
            inner.over(parser.parse(said))
            draft.blocks.append(Block(f"[{label}] {' '.join(b.text for b in inner.draft.blocks)}"))
    return draft


def _open_notes(draft: Draft) -> None:
    """Begin the section of the notes, unless the last one is called so already."""
    last = next((b for b in reversed(draft.blocks) if b.role == "heading"), None)
    if last is not None and names_notes(last.text):
        last.kind = "notes"
    else:
        draft.blocks.append(Block("Notes", "heading", 2, kind="notes"))


class _Walk:
    """Turns the token stream into blocks; inside the reference list links keep their address."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.in_bibliography = False
        self.items: list[str] = []
        self.markers: list[str] = []
        self.counters: list[int | None] = []
        self.heading = 0
        self.row: list[str] | None = None
        self.rows: list[str] = []

    def over(self, tokens: list[Token]) -> None:
        for token in tokens:
            self.take(token)

    def take(self, token: Token) -> None:
        kind = token.type
        if kind == "heading_open":
            self.heading = int(token.tag[1])
        elif kind == "heading_close":
            self.heading = 0
        elif kind in {"bullet_list_open", "ordered_list_open"}:
            start = token.attrs.get("start", 1) if kind == "ordered_list_open" else None
            self.counters.append(int(start) if start is not None else None)
        elif kind in {"bullet_list_close", "ordered_list_close"}:
            self.counters.pop()
            if not self.counters:
                self.flush_list()
        elif kind == "list_item_open":
            self.markers.append(self.marker())
        elif kind == "list_item_close":
            if self.markers:
                self.markers.pop()
        elif kind == "inline":
            self.inline(token)
        elif kind in {"fence", "code_block"}:
            self.add(token.content)
        elif kind == "html_block":
            self.add(_TAG.sub(" ", without(_BREAK.sub("\n", token.content), "<!--", "-->", " ")))
        elif kind == "tr_open":
            self.row = []
        elif kind == "tr_close" and self.row is not None:
            self.rows.append(" | ".join(self.row))
            self.row = None
        elif kind == "table_close":
            self.draft.blocks.append(Block("\n".join(self.rows), "table"))
            self.rows = []

    def marker(self) -> str:
        count = self.counters[-1]
        if count is None:
            return "- "
        self.counters[-1] = count + 1
        return f"{count}. "

    def inline(self, token: Token) -> None:
        text = _inline(token, self.draft.marks, addresses=self.in_bibliography)
        if self.heading:
            title = _ATTRIBUTES.sub("", text)
            self.draft.blocks.append(Block(title, "heading", self.heading))
            self.in_bibliography = names_bibliography(title) or perhaps_bibliography(title)
        elif self.row is not None:
            self.row.append(text)
        else:
            self.add(text)

    def add(self, text: str) -> None:
        if not text.strip():
            return
        if not self.counters:
            byline = self.opening() and len(text) < 200 and "\n" not in text and _is_byline(text)
            self.draft.blocks.append(Block(text, "byline" if byline else "paragraph"))
            return
        marker = self.markers[-1] if self.markers else ""
        if self.markers:
            self.markers[-1] = "  "
        self.items.append(marker + text.strip())

    def opening(self) -> bool:
        blocks = self.draft.blocks
        return bool(blocks) and blocks[0].role == "heading" and (len(blocks) == 1 or blocks[-1].role == "byline")

    def flush_list(self) -> None:
        if self.in_bibliography:
            # Entries: one a paragraph, as in every other format; a bullet says nothing there, a number does.
            entries = [item.removeprefix("- ") for item in self.items]
            self.draft.blocks.extend(Block(entry) for entry in entries)
        elif self.items:
            self.draft.blocks.append(Block("\n".join(self.items), "list"))
        self.items = []


def _inline(token: Token, marks: Marks, *, addresses: bool) -> str:
    out: list[str] = []
    words: list[int] = []  # pieces that are code or a link's text, in which no sign means anything
    targets: list[tuple[str, int]] = []
    for child in token.children or []:
        if child.type in {"text", "code_inline"}:
            if child.type == "code_inline" or targets:
                words.append(len(out))
            out.append(child.content)
        elif child.type in {"softbreak", "hardbreak"}:
            out.append("\n" if child.type == "hardbreak" else " ")
        elif child.type == "image":
            out.append(child.content)
        elif child.type == "html_inline":
            out.append("\n" if _BREAK.match(child.content) else "")
        elif child.type == "link_open":
            targets.append((str(child.attrs.get("href", "")), len(out)))
        elif child.type == "link_close" and targets:
            target, since = targets.pop()
            said = "".join(out[since:])
            if addresses and "://" in target and target.rstrip("/") not in said:
                words.append(len(out))
                out.append(f" {target}")
    pieces: list[str] = []
    begin = 0
    for at in [*words, len(out)]:
        pieces += [pandoc.keyed("".join(out[begin:at]), marks), *out[at : at + 1]]
        begin = at + 1
    return "".join(pieces)


def _is_byline(text: str) -> bool:
    return bool(names_in_byline(text) or bare_names(text)) or parse_date(text) is not None


def _name_title(draft: Draft) -> None:
    """The first heading of level 1 is the title, if nothing of weight stands before it and it is the only one."""
    top = [b for b in draft.blocks if b.role == "heading" and b.level == 1]
    headings = [b for b in draft.blocks if b.role == "heading"]
    if top and headings[0] is top[0]:
        top[0].role = "title"
        draft.title = draft.title or top[0].text
        for other in top[1:]:
            other.level = 2


def _read_front_matter(draft: Draft, fence: str, said: str) -> bool:
    """Whether the text between the fences is front matter; what it tells is kept in `draft`."""
    fields: dict[str, Any]
    if fence == "+++":
        try:
            fields = tomllib.loads(said)
        except tomllib.TOMLDecodeError:
            return False
    else:
        fields = _yaml_fields(said)
        if not fields:
            return False
    folded = {key.casefold(): value for key, value in fields.items()}
    title = folded.get("title")
    draft.title = title if isinstance(title, str) else None
    authors = folded.get("authors", folded.get("author", []))
    authors = authors if isinstance(authors, list) else [authors]
    draft.authors = [a for a in authors if isinstance(a, str) and a]
    date = folded.get("date")
    draft.date = parse_date(str(date)) if date else None
    language = folded.get("lang", folded.get("language"))
    draft.language = language if isinstance(language, str) else None
    address = folded.get("url", folded.get("doi"))
    draft.address = address if isinstance(address, str) else None
    return True


def _yaml_fields(said: str) -> dict[str, Any]:
    """The plain fields of YAML front matter: scalars and lists of scalars, all that a title or an author needs."""
    fields: dict[str, Any] = {}
    key = ""
    for line in said.splitlines():
        pair = re.match(r"^([A-Za-z][\w-]*):(?:\s+(.*))?$", line)
        item = re.match(r"^\s*-\s+(.*)$", line)
        if pair:
            key, value = pair[1], (pair[2] or "").strip()
            inner = re.fullmatch(r"\[(.*)\]", value)
            fields[key] = [_unquoted(v) for v in inner[1].split(",")] if inner else _unquoted(value)
        elif item and key:
            if not isinstance(fields[key], list):
                fields[key] = []
            fields[key].append(_unquoted(re.sub(r"^name:\s*", "", item[1])))
    return fields


def _unquoted(value: str) -> str:
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
