"""What stands under the heading, the bold label or the lead-in that a question asks for: quoted whole.

"Who is the project manager?" is answered by the section "Project manager", "What are the objectives?" by the list
behind "The programme has three objectives:".
"""

from __future__ import annotations

import re

from rag.answer import structure, wording
from rag.answer.evidence import covered, present
from rag.answer.gather import Evidence, Piece
from rag.answer.plan import Told
from rag.function_words import STOP
from rag.lexical import terms, words
from rag.types import Document, Section, Span

_MOST_WORDS = 170
_LABEL = re.compile(r"(?:^|\n)[ \t]{0,8}(?P<label>[^\s.:|][^.:|\n]{1,50})[.:] (?=\S)")
_NUMBERED = re.compile(r"^[\dIVXivx.]+\s+")
_REST = 0.5
"""Least share of the question's other words that the body, the headings above and the title must hold."""
_FACTS = frozenset({"when", "quantity", "yes-no", "reason", "page"})
_FACT_WORDS = 30


def tell(found: Evidence) -> Told | None:
    """The body under the heading that the question names; None when no heading is what it asks for."""
    asked = _asked(found)
    if not asked or len(asked) > 8:
        return None
    most = _FACT_WORDS if found.asked.expects in _FACTS else _MOST_WORDS
    best: tuple[float, list[Piece]] = (0.0, [])
    for brief in found.documents[:50]:
        for section in brief.sections:
            heading = _heading(section.title)
            whole = section.title == brief.title  # the title heads everything, and so tells nothing
            if section.kind in {"bibliography", "front"} or whole or not heading or not heading <= asked:
                continue
            document = found.document(brief.id)
            score = _fits(found, document, section, asked, heading)
            if score > best[0]:
                spans = structure.short_body(document, section, most)
                pieces = _listed(found, document, spans)
                if pieces:
                    best = (score, pieces)
    if not best[1]:
        best = (1.0, _labelled(found, asked))
    return Told(best[1], kind="headed", confidence=min(1.0, best[0])) if best[1] else None


def _asked(found: Evidence) -> set[str]:
    vague = wording.said_terms("asking")
    return {t for t in found.asked.content if t not in vague} or set(found.asked.content)


def _heading(title: str) -> set[str]:
    return {t for w in words(_NUMBERED.sub("", title)) if w not in STOP for t in terms(w)}


def _fits(found: Evidence, document: Document, section: Section, asked: set[str], heading: set[str]) -> float:
    """How surely a section is what is asked for: its heading is asked for, and all else is spoken of in it."""
    above = " ".join(
        s.title
        for s in document.sections
        if s.start < section.start and s.level < section.level and s.end >= section.start
    )
    body = document.text[section.body_start : section.end]
    rest = {t: found.generation.idf(t) for t in asked - heading}
    share = covered(rest, present(f"{document.title or ''}\n{above}\n{body}", found.asked.language))
    weight = sum(found.generation.idf(t) for t in heading) / max(1e-9, sum(found.generation.idf(t) for t in asked))
    return share * (0.5 + weight / 2) if share >= _REST and (share == 1.0 or weight >= 0.5) else 0.0


def _listed(found: Evidence, document: Document, spans: list[Span]) -> list[Piece]:
    """The body's sentences and items, without a lead-in that says nothing beside them."""
    items = [structure.is_item(document, s) for s in spans]
    pieces = []
    for span, item in zip(spans, items, strict=True):
        piece = found.piece(document.id, span, item=item)
        if piece is not None:
            pieces.append(piece)
    return pieces


def _labelled(found: Evidence, asked: set[str]) -> list[Piece]:
    """The paragraph behind a label ("Civil.", "Project manager:") that is among the words asked for."""
    rarest = max(map(found.generation.idf, asked))
    for passage in found.passages:
        for match in _LABEL.finditer(passage.text):
            label = _heading(match["label"])
            if not label or not label <= asked or max(map(found.generation.idf, label)) < 0.8 * rarest:
                continue
            start = passage.start + match.start("label")
            stop = passage.text.find("\n", match.end())
            end = passage.end if stop < 0 else passage.start + stop
            rest = {t: found.generation.idf(t) for t in asked - label}
            held = present(f"{passage.section or ''} {passage.text[match.start() :]}", found.asked.language)
            if 3 <= len(passage.text[match.end() : end - passage.start].split()) <= 80 and covered(rest, held) >= 0.2:
                return [Piece(passage, Span(start, end))]
    return []
