"""JATS (the XML of journals) → blocks: front matter, sections, notes and the reference list as marked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rag.documents.archive import parse_xml
from rag.documents.blocks import Block, Draft
from rag.documents.clean import PLAIN, raised
from rag.documents.marks import Marks, without_marks
from rag.documents.markup import tag_of
from rag.errors import DocumentError
from rag.types import Problem

READER = "jats/2"
_SPACE = re.compile(r"\s+")
_SKIP = {
    "table-wrap-foot",
    "alternatives_",
    "graphic",
    "inline-graphic",
    "media",
    "object-id",
    "processing-meta",
    "permissions",
    "tex-math",
}
_FLOATING = {"list", "table-wrap", "fig", "disp-quote", "def-list", "boxed-text"}
_PARTS = {
    "surname",
    "given-names",
    "year",
    "article-title",
    "chapter-title",
    "data-title",
    "part-title",
    "source",
    "volume",
    "issue",
}


def read_jats(data: bytes, name: str) -> Draft:
    """Read a JATS or NLM article. Raises DocumentError when it is no XML."""
    root = parse_xml(data, name)
    article = root if tag_of(root) == "article" else next((e for e in root.iter() if tag_of(e) == "article"), None)
    if article is None:
        raise DocumentError(f"{name}: this XML holds no article; JATS, HTML or plain text can be read.")
    draft = Draft([], READER, "application/jats+xml")
    draft.language = article.get("{http://www.w3.org/XML/1998/namespace}lang")
    _front(article, draft)
    walk = _Walk(draft.blocks, draft.marks)
    for part in article:
        if tag_of(part) == "body":
            first = len(draft.blocks)
            walk.flow(part, 2)
            if first < len(draft.blocks) and draft.blocks[first].role != "heading":
                draft.blocks[first].opens = True
        elif tag_of(part) in {"back", "floats-group"}:
            walk.back(part)
    others = sum(tag_of(e) in {"sub-article", "response"} for e in article)
    if others:
        message = (
            f"{name}: {others} parts that are articles of their own (translations, letters, replies) were left out."
        )
        draft.problems.append(Problem("sub-articles-left-out", message, "info"))
    return draft


def _text(element: Any, marks: Marks | None = None) -> str:  # noqa: ANN401
    return _SPACE.sub(" ", "".join(_pieces(element, marks))).strip()


def _pieces(element: Any, marks: Marks | None = None) -> Iterator[str]:  # noqa: ANN401
    yield element.text or ""
    for child in element:
        tag = tag_of(child)
        before = child.getprevious()
        if tag in {"given-names", "suffix"} and before is not None and not before.tail:
            yield " "  # "<surname>Burks</surname><given-names>C</given-names>": the elements part the name
        if tag == "break":
            yield " "
        elif tag == "sup":
            yield raised("".join(_pieces(child, marks)))
        elif tag == "xref" and marks is not None:
            yield _led(child, "".join(_pieces(child, marks)), marks)
        elif tag and tag not in _SKIP and tag != "fn":
            yield from _pieces(child, marks)
        yield child.tail or ""


def _led(xref: Any, said: str, marks: Marks) -> str:  # noqa: ANN401
    """A cross-reference to entries of the list, or to a note, marked."""
    if xref.get("ref-type") == "fn":
        return marks.put("note", without_marks(said).translate(PLAIN).strip("[]() "), said)
    if xref.get("ref-type") == "bibr":
        for key in (xref.get("rid") or "").split():
            said = marks.put("citation", key, said)
    return said


def _find(element: Any, *tags: str) -> Any:  # noqa: ANN401
    """The first descendant along `tags`, None without one."""
    for tag in tags:
        element = next((e for e in element.iter() if tag_of(e) == tag), None) if element is not None else None
    return element


def _front(article: Any, draft: Draft) -> None:  # noqa: ANN401
    meta = _find(next((e for e in article if tag_of(e) == "front"), None), "article-meta") if len(article) else None
    if meta is None:
        return
    title = _find(meta, "title-group", "article-title")
    if title is not None and _text(title):
        draft.title = _text(title)
        draft.blocks.append(Block(draft.title, "title", 1))
    names: dict[str, None] = {}
    for group in (e for e in meta if tag_of(e) == "contrib-group"):
        for person in (e for e in group if tag_of(e) == "contrib"):
            if (person.get("contrib-type") or "author") == "author":
                name = _name(person)
                if name:
                    names[name] = None
    draft.authors = list(names)
    if draft.authors:
        draft.blocks.append(Block(", ".join(draft.authors), "byline"))
    draft.date = _date(meta)
    doi = next((_text(e) for e in meta.iter() if tag_of(e) == "article-id" and e.get("pub-id-type") == "doi"), None)
    draft.address = f"https://doi.org/{doi}" if doi else None
    walk = _Walk(draft.blocks, draft.marks)
    for part in meta:
        if tag_of(part) in {"abstract", "trans-abstract"}:
            walk.section(part, 2, "Abstract")
        elif tag_of(part) == "kwd-group":
            words = [_text(e) for e in part.iter() if tag_of(e) == "kwd"]
            heading = next((_text(e) for e in part if tag_of(e) == "title"), "Keywords")
            if words:
                draft.blocks.append(Block(f"{heading}: {'; '.join(words)}"))


def _name(person: Any) -> str | None:  # noqa: ANN401
    for element in person.iter():
        if tag_of(element) == "name":
            parts = {tag_of(e): _text(e) for e in element}
            return (
                " ".join(p for p in (parts.get("given-names"), parts.get("surname"), parts.get("suffix")) if p) or None
            )
        if tag_of(element) in {"string-name", "collab"}:
            return _text(element) or None
    return None


def _date(meta: Any) -> str | None:  # noqa: ANN401
    """The most exact publication date; what was first published wins among equals."""
    best = ""
    for element in meta:
        if tag_of(element) == "pub-date":
            parts = {tag_of(e): _text(e) for e in element}
            year, month, day = parts.get("year", ""), parts.get("month", ""), parts.get("day", "")
            if not re.fullmatch(r"\d{4}", year):
                continue
            date = year
            if month.isdigit() and 1 <= int(month) <= 12:
                date += f"-{int(month):02d}"
                if day.isdigit() and 1 <= int(day) <= 31:
                    date += f"-{int(day):02d}"
            best = date if len(date) > len(best) else best
    return best or None


class _Walk:
    def __init__(self, blocks: list[Block], marks: Marks) -> None:
        self.blocks, self.marks = blocks, marks

    def text(self, element: Any) -> str:  # noqa: ANN401
        return _text(element, self.marks)

    def flow(self, parent: Any, level: int) -> None:  # noqa: ANN401
        for element in parent:
            tag = tag_of(element)
            if tag in {"sec", "app", "ack", "notes", "glossary"}:
                self.section(element, level)
            elif tag == "p":
                self.paragraph(element)
            elif tag in {"list", "def-list"}:
                self.listing(element)
            elif tag == "ref-list":
                self.references(element, level)
            elif tag == "fn-group":
                self.notes(element, level)
            elif tag in {
                "table-wrap",
                "fig",
                "fig-group",
                "boxed-text",
                "supplementary-material",
                "disp-quote",
                "verse-group",
                "statement",
            }:
                self.floating(element, level)
            elif tag == "disp-formula":
                self.add(self.text(element))
            elif tag in {"app-group", "floats-group", "array", "table-wrap-group"}:
                self.flow(element, level)

    def add(self, text: str) -> None:
        if text:
            self.blocks.append(Block(text))

    def section(self, element: Any, level: int, otherwise: str = "") -> None:  # noqa: ANN401
        title = next((_text(e) for e in element if tag_of(e) == "title"), "")
        names = {"ack": "Acknowledgements", "notes": "Notes", "glossary": "Glossary", "app": "Appendix"}
        title = title or otherwise or names.get(tag_of(element), "")
        if title:
            self.blocks.append(
                Block(title, "heading", level, kind="notes" if tag_of(element) in {"ack", "notes"} else None)
            )
        self.flow(element, level + 1)

    def paragraph(self, element: Any) -> None:  # noqa: ANN401
        """A paragraph; lists, figures and tables inside it come after it."""
        if not any(tag_of(e) in _FLOATING for e in element):
            self.add(self.text(element))
            return
        text: list[str] = [element.text or ""]
        for child in element:
            if tag_of(child) in _FLOATING:
                self.add(_SPACE.sub(" ", "".join(text)).strip())
                holder = [child]
                self.flow(holder, 4)
                text = []
            elif tag_of(child) not in _SKIP:
                text.extend(_pieces(child, self.marks))
            text.append(child.tail or "")
        self.add(_SPACE.sub(" ", "".join(text)).strip())

    def listing(self, element: Any) -> None:  # noqa: ANN401
        ordered = (element.get("list-type") or "") in {"order", "ordered"}
        lines = []
        for number, item in enumerate((e for e in element if tag_of(e) in {"list-item", "def-item"}), start=1):
            label = next((_text(e) for e in item if tag_of(e) == "label"), "")
            body = " ".join(filter(None, (self.text(e) for e in item if tag_of(e) not in {"label", ""})))
            lines.append(f"{label or (f'{number}.' if ordered else '-')} {body}")
        if lines:
            self.blocks.append(Block("\n".join(lines), "list"))

    def floating(self, element: Any, level: int) -> None:  # noqa: ANN401
        label = next((_text(e) for e in element if tag_of(e) == "label"), "")
        caption = " ".join(filter(None, (self.text(p) for e in element if tag_of(e) == "caption" for p in e)))
        self.add(" ".join(filter(None, [label, caption])))
        rows = [r for r in element.iter() if tag_of(r) == "tr"]
        lines = [" | ".join(self.text(c) for c in row if tag_of(c) in {"td", "th"}) for row in rows]
        lines = [line for line in lines if line.strip(" |")]
        if lines:
            self.blocks.append(Block("\n".join(lines), "table"))
        for foot in (e for e in element if tag_of(e) == "table-wrap-foot"):
            self.add(self.text(foot))
        self.flow(
            [e for e in element if tag_of(e) not in {"caption", "label", "table", "table-wrap-foot", "title"}],
            level + 1,
        )

    def back(self, element: Any) -> None:  # noqa: ANN401
        self.flow(element, 2)

    def notes(self, element: Any, level: int) -> None:  # noqa: ANN401
        notes = [_text_with_notes(e, self.marks) for e in element if tag_of(e) == "fn"]
        if any(notes):
            title = next((_text(e) for e in element if tag_of(e) == "title"), "Notes")
            self.blocks.append(Block(title, "heading", level, kind="notes"))
            for note in notes:
                self.add(note)

    def references(self, element: Any, level: int) -> None:  # noqa: ANN401
        title = next((_text(e) for e in element if tag_of(e) == "title"), "") or "References"
        self.blocks.append(Block(title, "heading", level, kind="bibliography"))
        for child in element:
            if tag_of(child) == "ref":
                entry = _entry(child)
                self.add(self.marks.put("entry", child.get("id"), entry) if child.get("id") else entry)
            elif tag_of(child) == "ref-list":
                self.references(child, level + 1)
            elif tag_of(child) == "p":
                self.paragraph(child)


def _text_with_notes(note: Any, marks: Marks) -> str:  # noqa: ANN401
    label = next((_text(e) for e in note if tag_of(e) == "label"), "")
    return " ".join(filter(None, [f"[{label}]" if label else "", *(_text(e, marks) for e in note if tag_of(e) == "p")]))


def _entry(ref: Any) -> str:  # noqa: ANN401
    """One entry as its author wrote it, else put together from its fields."""
    label = next((_text(e) for e in ref if tag_of(e) == "label"), "")
    written = next((_text(e) for e in ref.iter() if tag_of(e) == "mixed-citation"), "")
    entry = written or next(
        (_composed(e) for e in ref.iter() if tag_of(e) in {"element-citation", "nlm-citation", "citation"}), ""
    )
    if not label or entry.startswith(label):
        return entry
    return f"{label.rstrip('.')}. {entry}" if label.rstrip(".").isdigit() else f"{label} {entry}"


def _composed(citation: Any) -> str:  # noqa: ANN401
    people: list[str] = []
    fields: dict[str, str] = {}
    rest: list[str] = []
    for element in citation.iter():
        tag = tag_of(element)
        if tag == "name":
            parts = {tag_of(e): _text(e) for e in element}
            people.append(" ".join(p for p in (parts.get("surname"), parts.get("given-names")) if p))
        elif tag in {"collab", "string-name"}:
            people.append(_text(element))
        elif tag in {"fpage", "lpage"} or tag in _PARTS - {"surname", "given-names"}:
            fields.setdefault(tag, _text(element))
        elif tag in {
            "pub-id",
            "ext-link",
            "uri",
            "publisher-name",
            "publisher-loc",
            "edition",
            "comment",
            "conf-name",
            "date-in-citation",
        }:
            said = _text(element)
            if tag == "pub-id" and element.get("pub-id-type"):
                said = f"{element.get('pub-id-type')}: {said}"
            rest.append(said)
    volume = fields.get("volume", "") + (f"({fields['issue']})" if "issue" in fields else "")
    pages = "–".join(p for p in (fields.get("fpage"), fields.get("lpage")) if p)
    titles = [
        fields[t] for t in ("article-title", "chapter-title", "data-title", "part-title", "source") if t in fields
    ]
    head = ", ".join(people)
    if "year" in fields:
        head = f"{head} ({fields['year']})".strip()
    located = ":".join(p for p in (volume, pages) if p)
    return ". ".join(p.rstrip(".") for p in (head, *titles, located, *rest) if p) + "."
