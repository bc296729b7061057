"""An answer to take away: text, Markdown, a Word file, or its references for a reference manager.

Every form says the same: the question, the answer with its numbers, and for each number whose claim it is, the verbatim
quote, where it stands, and the bibliography entries behind it. Knows no HTTP.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rag.bibliography import export as bibliography
from rag.bibliography import format_reference
from rag.errors import NotFoundError
from rag.store import Generation
from rag.types import Answer, Reference

ReferenceForm = Literal["bibtex", "ris", "csl"]
_ADDRESS = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:)\]’”]")
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~])")


@dataclass(frozen=True, slots=True)
class Source:
    """What a number stands for."""

    number: int
    claim: str
    """Whose claim it is and where it stands."""
    quote: str
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """An answer, ready to be set in any form."""

    question: str
    runs: tuple[tuple[str, tuple[int, ...]], ...]
    """The answer in pieces, each with the numbers behind it."""
    notices: tuple[str, ...]
    sources: tuple[Source, ...]
    colophon: str


def paper(answer: Answer, generation: Generation | None, style: str) -> Paper:
    """The answer, its entries in `style`; what the live generation no longer has stays as it was given."""
    given = {r.id: r.formatted for r in answer.references}
    entries = {i: _formatted(generation, i, style) or formatted for i, formatted in given.items()}
    titles = {d.id: d.title for d in generation.documents() if d.title} if generation is not None else {}
    sources = []
    for citation in answer.citations:
        place = ", ".join(
            part
            for part in (
                titles.get(citation.document_id, citation.document_id),
                citation.location.section and f"“{citation.location.section}”",
                citation.location.page and f"p. {citation.location.page}",
            )
            if part
        )
        claim = f"{citation.relation[:1].upper()}{citation.relation[1:]}: {place}" if citation.relation else place
        behind = tuple(entries[i] for i in dict.fromkeys(citation.reference_ids) if i in entries)
        sources.append(
            Source(citation.index + 1, _plain(claim), _plain(citation.cited_text), tuple(map(_plain, behind)))
        )
    state = answer.index
    return Paper(
        question=_plain(answer.question),
        runs=tuple(_runs(answer)),
        notices=tuple(map(_plain, answer.notices)),
        sources=tuple(sources),
        colophon=_plain(f"Ad Fontes, {state.collection}, generation {state.generation}, {answer.generator}"),
    )


def references(answer: Answer, generation: Generation | None, form: ReferenceForm, style: str) -> str:
    """The entries that the answer leads to, as a file; those that the live generation no longer has are left out."""
    found: list[Reference] = []
    for reference_id in dict.fromkeys(cited.id for cited in answer.references):
        reference = _reference(generation, reference_id)
        if reference is not None:
            found.append(reference)
    return bibliography(found, form, style)


def text(made: Paper) -> str:
    """Plain text, to be pasted anywhere."""
    lines = [made.question, "", _numbered(made), ""]
    lines += [f"Note: {notice}" for notice in made.notices]
    for source in made.sources:
        lines += [f"[{source.number}] {' '.join([_ended(source.claim), *source.entries])}", f"    “{source.quote}”"]
    return "\n".join([*lines, "", made.colophon, ""])


def markdown(made: Paper) -> str:
    """CommonMark; whatever the sources hold stays text."""
    lines = [f"## {_escaped(made.question)}", "", _escaped(_numbered(made), keep_numbers=True), ""]
    lines += [f"*{_escaped(notice)}*\n" for notice in made.notices]
    if made.sources:
        lines += ["### Sources", ""]
    for source in made.sources:
        said = " ".join([_ended(source.claim), *source.entries])
        lines += [f"{source.number}. {_escaped(said)}", "", f"   > {_escaped(source.quote)}", ""]
    return "\n".join([*lines, f"*{_escaped(made.colophon)}*", ""])


def docx(made: Paper) -> bytes:
    """A Word file: headings, superscript numbers, addresses that can be followed."""
    from docx import Document
    from docx.shared import Pt

    document = Document()
    document.core_properties.title = made.question[:255]
    document.core_properties.author = "Ad Fontes"
    document.add_heading(made.question, level=1)
    body = document.add_paragraph()
    for piece, numbers in made.runs:
        body.add_run(piece)
        if numbers:
            body.add_run(", ".join(map(str, numbers))).font.superscript = True
    for notice in made.notices:
        document.add_paragraph().add_run(notice).italic = True
    if made.sources:
        document.add_heading("Sources", level=2)
    for source in made.sources:
        entry = document.add_paragraph()
        entry.add_run(f"{source.number}  ").bold = True
        entry.add_run(_ended(source.claim))
        document.add_paragraph(f"“{source.quote}”", style="Quote")
        for formatted in source.entries:
            _linked(document.add_paragraph(), formatted)
    last = document.add_paragraph().add_run(made.colophon)
    last.font.size = Pt(8)
    held = io.BytesIO()
    document.save(held)
    return held.getvalue()


def _linked(paragraph: Any, formatted: str) -> None:  # noqa: ANN401  (python-docx's own)
    """The text with its addresses as links."""
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    drawn = 0
    for match in _ADDRESS.finditer(formatted):
        paragraph.add_run(formatted[drawn : match.start()])
        link = OxmlElement("w:hyperlink")
        link.set(qn("r:id"), paragraph.part.relate_to(match.group(), RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
        link.append(paragraph.add_run(match.group())._r)  # noqa: SLF001  (the library has no other way)
        paragraph._p.append(link)  # noqa: SLF001
        drawn = match.end()
    paragraph.add_run(formatted[drawn:])


def _runs(answer: Answer) -> Iterator[tuple[str, tuple[int, ...]]]:
    drawn = 0
    for sentence in answer.sentences:
        end = max(drawn, sentence.end)
        yield _plain(answer.answer[drawn:end], strip=False), tuple(i + 1 for i in sentence.citations)
        drawn = end
    if answer.answer[drawn:]:
        yield _plain(answer.answer[drawn:], strip=False), ()


def _numbered(made: Paper) -> str:
    return "".join(piece + "".join(f" [{n}]" for n in numbers) for piece, numbers in made.runs).strip()


def _formatted(generation: Generation | None, reference_id: str, style: str) -> str | None:
    reference = _reference(generation, reference_id)
    return None if reference is None else format_reference(reference.csl, style)


def _reference(generation: Generation | None, reference_id: str) -> Reference | None:
    if generation is None:
        return None
    try:
        return generation.reference(reference_id)
    except NotFoundError:
        return None


def _ended(claim: str) -> str:
    return claim if claim.endswith((".", "!", "?")) else claim + "."


def _plain(value: str, *, strip: bool = True) -> str:
    """On one line, without what XML and terminals cannot hold."""
    kept = "".join(c if c.isprintable() else " " for c in value if not 0xD800 <= ord(c) <= 0xDFFF)
    return " ".join(kept.split()) if strip else kept


def _escaped(value: str, *, keep_numbers: bool = False) -> str:
    escaped = _MARKUP.sub(r"\\\1", value)
    return re.sub(r"\\\[(\d+)\\\]", r"[\1]", escaped) if keep_numbers else escaped


MEDIA_TYPES: Mapping[str, str] = {
    "text": "text/plain; charset=utf-8",
    "markdown": "text/markdown; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
SUFFIXES: Mapping[str, str] = {
    "text": "txt",
    "markdown": "md",
    "docx": "docx",
    "bibtex": "bib",
    "ris": "ris",
    "csl": "json",
}
