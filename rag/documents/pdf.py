"""PDF → blocks with pages: reading order, headings by their size, running heads and page numbers left out.

PDFium (through pypdfium2, BSD/Apache) draws the letters out; it is the engine of a browser, so damaged files end in an
error and not in a hang. Scans without a text layer and files under a password are refused with their reason.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rag.documents.blocks import Block, Draft
from rag.documents.clean import clean, one_line
from rag.documents.dates import parse_date
from rag.documents.glyphs import segments_of
from rag.documents.headings import could_be_heading
from rag.documents.layout import Line, Paragraph, fit_columns, join, lines_in_order, paragraphs, vocabulary_of
from rag.documents.names import kind_of_title, perhaps_bibliography
from rag.documents.people import bare_names, names_in_byline
from rag.errors import DocumentError
from rag.types import Problem

READER = "pdf/1"
_PAGE_NUMBER = re.compile(
    r"^(?:page|p\.|seite|página|pág\.|стр\.|第)?\s*+(?:[-–—|\[(]\s*+)?(?:\d{1,4}|[ivxlc]{1,7})\s*+(?:[-–—|\])]\s*+)?"
    r"(?:页|頁|(?:/|of|von|de|di|из)\s*+\d{1,4})?$",
    re.IGNORECASE,
)
# What a browser prints around a page: the moment, the address, "1/3".
_PRINTED = re.compile(
    r"^\d{1,2}[/.]\d{1,2}[/.]\d{2,4},? \d{1,2}:\d\d\b.{0,120}$|^(?:https?|file)://\S++(?:\s++\|?\s*+\d++/\d++)?$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^(?:\d{1,2}(?:\.\d{1,2}){0,3}\.?|[IVX]{1,5}\.|[A-Z]\.)\s+[^\W\d_]")
_EDGE_LINES = 3
_JUNK_TITLE = re.compile(
    r"^(?:untitled|microsoft word|title|document\d*|.*\.(?:docx?|tex|dvi|indd|pdf|rtf|qxd|wpd|odt))\b", re.IGNORECASE
)
_MOST_REMOVED = 0.3
_LONGEST_RUN = 3
"""Headings in a row, with no text between them, that a document may have; more are labels of a drawing or a form."""


def read_pdf(data: bytes, name: str) -> Draft:
    """Read a PDF with a text layer. Raises DocumentError for encrypted, damaged and scanned files."""
    import pypdfium2 as pdfium  # type: ignore[import-untyped]

    try:
        source = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        raise _refused(name, str(error)) from error
    try:
        return _read(source, name)
    finally:
        source.close()


def _refused(name: str, said: str) -> DocumentError:
    if "password" in said.lower():
        return DocumentError(
            f"{name}: the PDF is encrypted; remove its password (print it to a new PDF) and add it again."
        )
    if "security" in said.lower():
        return DocumentError(f"{name}: the PDF's protection is not known here; print it to a new PDF and add that.")
    return DocumentError(f"{name}: the PDF is damaged or cut off and cannot be opened; get a whole copy of it.")


def _read(source: Any, name: str) -> Draft:  # noqa: ANN401  (pypdfium2 is untyped)
    import pypdfium2 as pdfium

    draft = Draft([], READER, "application/pdf", page_count=len(source))
    pages: list[list[Line]] = []
    unreadable: list[int] = []
    for number in range(1, len(source) + 1):
        try:
            page = source[number - 1]
            pages.append(lines_in_order(segments_of(page), number))
            page.close()
        except pdfium.PdfiumError:
            pages.append([])
            unreadable.append(number)
    letters = [sum(c.isalnum() for line in page for c in line.text) for page in pages]
    if not sum(letters):
        raise DocumentError(
            f"{name}: no text on any of its {len(pages)} pages, which are pictures or drawings; "
            "run text recognition on it (for example ocrmypdf) and add the result."
        )
    empty = [i + 1 for i, count in enumerate(letters) if not count]
    if empty:
        listed = ", ".join(map(str, empty[:20]))
        draft.problems.append(
            Problem("page-without-text", f"{name}: no text on page {listed}{' …' if len(empty) > 20 else ''}.")
        )
    pages, removed = _without_running_heads(pages)
    if removed:
        quoted = "; ".join(f"“{r}”" for r in list(dict.fromkeys(removed))[:20])
        draft.problems.append(
            Problem("furniture-removed", f"{len(removed)} running heads and page numbers left out: {quoted}.", "info")
        )
    _note_garbled(draft, name, pages)
    lines = [line for page in pages for line in page]
    fit_columns(lines)
    found = paragraphs(lines)
    vocabulary = vocabulary_of(lines)
    body = _body_size(lines)
    levels = _levels(found, body)
    # Where much of the text is bold, bold says nothing.
    bold_tells = sum(len(line.text) for line in lines if line.bold) < 0.3 * sum(len(line.text) for line in lines)
    draft.blocks = [_block(p, vocabulary, body, levels, bold_tells=bold_tells) for p in found]
    _unhead_runs(draft.blocks)
    _mark_opening(draft, found, source, body)
    return draft


def _without_running_heads(pages: list[list[Line]]) -> tuple[list[list[Line]], list[str]]:
    """Drop lines that come back at the edges of many pages, and page numbers; returns the rest and what went."""
    seen: Counter[tuple[str, bool]] = Counter()
    edges: list[list[tuple[Line, bool]]] = []
    for page in pages:
        by_height = sorted(page, key=lambda line: line.base)
        edge = [(line, True) for line in _edge(by_height)] + [(line, False) for line in _edge(by_height[::-1])]
        edges.append(edge)
        seen.update({(_pattern(line.text), top) for line, top in edge})
    filled = sum(bool(page) for page in pages)

    def comes_back(line: Line, *, top: bool) -> bool:
        often = seen[_pattern(line.text), top]
        if filled == 2:
            return often == 2 and len(line.text) < 80 and not line.text.endswith(".")
        return often >= max(3, 0.4 * filled) and len(line.text) < 150

    back = {id(line): len(line.text) for edge in edges for line, top in edge if comes_back(line, top=top)}
    if sum(back.values()) > _MOST_REMOVED * sum(len(line.text) for page in pages for line in page):
        back = {}  # pages that say the same, not pages under one head
    removed: list[str] = []
    left: list[list[Line]] = []
    for page, edge in zip(pages, edges, strict=True):
        gone = {
            id(line): line.text
            for line, _ in edge
            if id(line) in back or (len(page) > 2 and (_PAGE_NUMBER.match(line.text) or _PRINTED.match(line.text)))
        }
        removed.extend(gone.values())
        left.append([line for line in page if id(line) not in gone])
    return left, removed


def _edge(lines: Sequence[Line]) -> list[Line]:
    """The outermost line of a page, and those next to it that a gap parts from the text."""
    zone = sum(abs(line.base - lines[0].base) < 0.4 * line.size for line in lines[:_EDGE_LINES])
    for i in range(max(1, zone), min(_EDGE_LINES, len(lines) - 1) + 1):
        if abs(lines[i].base - lines[i - 1].base) > 1.8 * lines[i].size:
            zone = i
    return list(lines[:zone])


def _pattern(text: str) -> str:
    return re.sub(r"\d+|\b[ivxlc]+\b", "#", text.casefold()).strip()


def _note_garbled(draft: Draft, name: str, pages: list[list[Line]]) -> None:
    text = "".join(line.text for page in pages for line in page)
    odd = sum(c == "\ufffd" or "\ue000" <= c <= "\uf8ff" or (c < " " and c not in "\n\t\x02") for c in text)
    if odd > 0.02 * len(text):
        draft.problems.append(
            Problem(
                "garbled-text",
                f"{name}: {odd} of {len(text)} characters have no meaning (fonts without a table of letters).",
            )
        )


def _body_size(lines: Sequence[Line]) -> float:
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[round(line.size * 2) / 2] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 10.0


def _levels(found: Sequence[Paragraph], body: float) -> dict[float, int]:
    """Sizes above the body's, largest first, as heading levels from 1."""
    large = {p.size for p in found if p.size > 1.12 * body and sum(len(line.text) for line in p.lines) < 250}
    sizes = sorted(large, reverse=True)
    return {size: min(level, 6) for level, size in enumerate(sizes, start=1)}


def _unhead_runs(blocks: list[Block]) -> None:
    """Turn rows of headings without text between them back into lines of text."""
    run: list[Block] = []
    for block in [*blocks, Block("")]:
        if block.role == "heading":
            run.append(block)
            continue
        for heading in run if len(run) > _LONGEST_RUN else []:
            if not kind_of_title(heading.text):
                heading.role = "paragraph"
        run = []


def _block(
    paragraph: Paragraph, vocabulary: frozenset[str], body: float, levels: dict[float, int], *, bold_tells: bool
) -> Block:
    text = join(paragraph.lines, vocabulary)
    page = paragraph.lines[0].page
    if any(line.cells > 1 for line in paragraph.lines):
        return Block(text, "table", page=page)
    plain = one_line(clean(text))
    if len(plain) < 200 and len(paragraph.lines) <= 4 and _is_heading(plain, paragraph, body, bold_tells=bold_tells):
        depth = re.match(r"^\d+((?:\.\d+)*)", plain)
        level = levels.get(paragraph.size, 2 + (depth[1].count(".") if depth else 0))
        return Block(plain, "heading", max(level, 2), page)
    return Block(text, "paragraph", page=page)


def _is_heading(text: str, paragraph: Paragraph, body: float, *, bold_tells: bool) -> bool:
    if not any(c.isalpha() for c in text) or len(text) < 3:
        return False
    if paragraph.size > 1.12 * body:
        return len(text) > 3 and not (text.endswith((".", ",", ";")) and len(text.split()) > 12)
    if (kind_of_title(text) or perhaps_bibliography(text)) and len(paragraph.lines) == 1:
        return not text[0].islower() and (paragraph.bold or text.isupper() or text.istitle() or len(text.split()) == 1)
    if paragraph.bold and bold_tells:
        return could_be_heading(text) and not text.endswith(".")
    return bool(_NUMBERED.match(text)) and text.isupper() and could_be_heading(text)


def _mark_opening(draft: Draft, found: Sequence[Paragraph], source: Any, body: float) -> None:  # noqa: ANN401
    """The title is what the metadata say if it stands on the first page, else the largest heading at its top."""
    try:
        metadata = source.get_metadata_dict()
    except UnicodeDecodeError:  # damaged metadata are none
        metadata = {}
    told = " ".join((metadata.get("Title") or "").split())
    first = [(p, b) for p, b in zip(found, draft.blocks, strict=True) if b.page == 1]
    title = next((b for _, b in first[:15] if told and len(told) > 5 and _letters(told) == _letters(b.text)), None)
    if title is None:
        possible = [(p, b) for p, b in first[:15] if len(b.text) > 5 and not kind_of_title(b.text)]
        largest = max((p.size for p, _ in possible), default=0)
        if largest > 1.12 * body:
            title = next(b for p, b in possible if p.size == largest)
    if title is not None and len(title.text) < 300:
        title.role, title.level, title.text = "title", 1, one_line(clean(title.text))
        draft.title = title.text
        after = draft.blocks.index(title) + 1
        for block in draft.blocks[after : after + 6]:
            text = one_line(clean(block.text))
            if block.role == "heading" or kind_of_title(text) or len(text) > 200:
                break
            if names_in_byline(text) or bare_names(text) or parse_date(text):
                block.role = "byline"
    elif len(told) > 5 and not _JUNK_TITLE.match(told) and "\ufffd" not in told:
        draft.title = told
    author = " ".join((metadata.get("Author") or "").split())
    opening = " ".join(b.text for _, b in first[:10])
    if author and author in opening and bare_names(author):
        draft.authors = bare_names(author)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()
