"""What a document or a section is about, its key points, its conclusions: its own sentences, chosen for coverage.

A section is quoted whole where it is short. Of a longer text the sentences nearest to its middle that say different
things are taken (centroid and maximal marginal relevance: Carbonell and Goldstein 1998), those first that state its
purpose; they keep the text's order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from rag.answer import evidence, wording
from rag.answer.gather import Evidence, Piece
from rag.answer.orders import orders
from rag.answer.plan import MOST_WORDS, Told, trimmed
from rag.lexical import terms, words
from rag.types import Document, Section, Span

_PURPOSE = re.compile(
    r"\b(?:this|the|our|present)\s+(?:\w+\s+)?(?:article|paper|report|essay|study|brief|chapter|review|analysis|piece|digest|plan|work)\s+"
    r"(?:\w+\s+)?(?:aim|attempt|seek|tr[yi]|examin|explor|argu|ask|discuss|investigat|analy[sz]|identif|review|describ|present|propos|"
    r"show|consider|address|assess|set|look|trac|put|give|introduc|stud|report)\w*|"
    r"\bwe\s+(?:here\s+)?(?:aim|seek|examine|explore|argue|ask|investigate|show|propose|present|introduce|study|describe)\b|"
    r"\b(?:este|el presente)\s+(?:artículo|informe|estudio|trabajo)\s+\w+|"
    r"\b(?:dieser|der vorliegende)\s+(?:artikel|beitrag|bericht)\s+\w+|"
    r"\b(?:cet|le présent)\s+(?:article|rapport|travail)\s+\w+|\beste\s+(?:artigo|relatório|estudo|trabalho)\s+\w+",
    re.IGNORECASE,
)
_SUMMARY = frozenset(terms("abstract summary overview synopsis resumen résumé resumo zusammenfassung abstrakt 摘要"))
_CONCLUDES = frozenset(
    terms(
        "conclusion conclusions concluding summary outlook closing final conclusión conclusiones conclusão fazit "
        "schluss schlussfolgerungen 结论"
    )
)
_FURNITURE = re.compile(r"\b(?:[Ff]igure|[Ff]ig\.|[Tt]able|[Ss]ection|[Aa]ppendix|[Cc]hapter)\s*\d|^\W*[a-z]|\bBIBREF")
_VARIED = 0.65
"""Weight of nearness to the middle against newness."""
_EACH = 45
"""Words of each document where several are summed up."""
_MOST_DOCUMENTS = 8


def tell(found: Evidence) -> Told | None:
    """The sentences that give an overview; None when the question wants none."""
    wants = _wants(found)
    if wants is None:
        return None
    scope = found.scope
    if scope.section_named:
        missing = [f"no section is called “{scope.section_named}”"]
        return _of_sections(found) if scope.sections else Told(kind="overview", outcome="none", notices=missing)
    documents = found.documents[:_MOST_DOCUMENTS]
    budget = MOST_WORDS if len(documents) == 1 else _EACH
    pieces: list[Piece] = []
    for brief in documents:
        document = found.document(brief.id)
        own = _conclusion(found, document, budget) if wants == "conclusion" else _whole(found, document, budget)
        if len(documents) > 1 and own:
            own[0] = _led(own[0], f"{document.title or document.source}: ")
        pieces += own
    left = len(found.documents) - len(documents)
    notices = [f"{left} more documents are not summed up; name one"] if left > 0 else []
    return Told(pieces, kind="overview", confidence=1.0 if pieces else 0.0, notices=notices) if pieces else None


def _wants(found: Evidence) -> str | None:
    """Which of "overview" and "conclusion" a question asks for, where it asks for nothing more particular."""
    text = found.scope.text
    said = set(words(text))
    conclusion = not said.isdisjoint(wording.said("conclusion")) and (
        not said.isdisjoint(wording.said("overview_main")) or len(found.asked.content) <= 2
    )
    asks = (
        wording.speaks("overview_asks", text)
        or (not said.isdisjoint(wording.said("overview_main")) and not said.isdisjoint(wording.said("overview_nouns")))
        or (found.scope.section_named and found.scope.sections and not _particular(found))
    )
    if not (asks or conclusion):
        return None
    if found.scope.section_named and asks:
        return "overview"
    if _particular(found):
        return None
    return "conclusion" if conclusion else "overview"


def _particular(found: Evidence) -> bool:
    """Whether the question names a matter besides the document: "about copyright"."""
    known = (
        wording.said_terms("overview")
        | wording.said_terms("conclusion")
        | wording.said_terms("says")
        | wording.said_terms("asking")
    )
    titles = (
        {t for d in found.documents[:3] for t in terms(d.title or "")}
        if found.scope.documents or len(found.documents) == 1
        else set()
    )
    left = [t for t in terms(found.scope.text) if t in found.asked.content and t not in known and t not in titles]
    return bool(left)


def _of_sections(found: Evidence) -> Told:
    pieces: list[Piece] = []
    for document_id, section in found.scope.sections[:3]:
        document = found.document(document_id)
        pieces += _chosen(
            found, document, _stretches(document, section), MOST_WORDS // min(3, len(found.scope.sections))
        )
    return Told(pieces, kind="overview", confidence=1.0 if pieces else 0.0, outcome="answered" if pieces else "none")


def _conclusion(found: Evidence, document: Document, budget: int) -> list[Piece]:
    """What a document concludes: its section of that name, else the end of its text."""
    bodies = [s for s in document.sections if s.kind in {"body", "front"} and s.end > s.body_start]
    named = [s for s in bodies if _CONCLUDES & set(terms(s.title))]
    if named:
        return _chosen(found, document, _stretches(document, named[-1]), budget)
    last = next(
        (s for s in reversed(bodies) if s.kind == "body" and len(document.text[s.body_start : s.end].split()) > 25),
        None,
    )
    return _chosen(found, document, _stretches(document, last), budget) if last else _whole(found, document, budget)


def _whole(found: Evidence, document: Document, budget: int) -> list[Piece]:
    """A document in some sentences: its own summary, or what states its purpose and what lies nearest its middle."""
    for section in document.sections:
        if (
            section.kind in {"body", "front"}
            and _SUMMARY & set(terms(section.title))
            and len(terms(section.title)) <= 3
        ):
            own = _chosen(found, document, _stretches(document, section), budget)
            if own:
                return own
    stretches = [
        span for s in document.sections if s.kind in {"body", "front"} for span in _stretches(document, s, below=False)
    ] or [Span(0, min([len(document.text), *(b.start for b in document.bibliography())]))]
    return _chosen(found, document, stretches, budget)


def _stretches(document: Document, section: Section, *, below: bool = True) -> list[Span]:
    """The running text of a section, and of what stands below it, without headings."""
    end = section.end
    if below:
        end = min(
            (s.start for s in document.sections if s.start > section.start and s.level <= section.level),
            default=len(document.text),
        )
    inner = [s for s in document.sections if section.start < s.start < end]
    found, position = [], section.body_start
    for other in inner:
        if other.start > position:
            found.append(Span(position, other.start))
        position = max(position, other.body_start)
    if below or not inner:
        found.append(Span(position, end))
    elif inner[0].start > section.body_start:
        found = [Span(section.body_start, inner[0].start)]
    return [s for s in found if document.text[s.start : s.end].strip()]


def _chosen(found: Evidence, document: Document, stretches: Sequence[Span], budget: int) -> list[Piece]:
    """All sentences where they are few, else those that cover the text, in its order."""
    every = [s for stretch in stretches for s in found.sentences(document, stretch)]
    every = [s for s in every if " | " not in s.of(document.text) and len(words(s.of(document.text))) > 3]
    every = [s for s in every if not orders(s.of(document.text))]
    if sum(len(s.of(document.text).split()) for s in every) <= budget * 1.15:
        return _pieces(found, document, every)
    firsts = {next((s for s in every if s.start >= stretch.start), None) for stretch in stretches}
    vectors = found.sentence_vectors(document, every[:1500])
    usable = [s for s in every if s in vectors and _quotable(s.of(document.text))]
    if not usable:
        return trimmed(_pieces(found, document, every), budget)
    matrix = np.stack([vectors[s] for s in usable])
    middle = matrix.mean(axis=0)
    middle /= np.linalg.norm(middle) or 1.0
    merit = matrix @ middle
    for i, span in enumerate(usable):
        text = span.of(document.text)
        merit[i] += 0.35 * bool(_PURPOSE.search(text)) + 0.06 * (span in firsts)
    taken: list[int] = []
    total = 0
    while len(taken) < min(8, len(usable)):
        near = matrix @ matrix[taken].T if taken else np.zeros((len(usable), 1))
        score = _VARIED * merit - (1 - _VARIED) * near.max(axis=1)
        score[taken] = -np.inf
        for i, span in enumerate(usable):
            if total and total + len(span.of(document.text).split()) > budget:
                score[i] = -np.inf
        best = int(score.argmax())
        if not np.isfinite(score[best]):
            break
        taken.append(best)
        total += len(usable[best].of(document.text).split())
    return _pieces(found, document, sorted((usable[i] for i in taken), key=lambda s: s.start))


def _quotable(text: str) -> bool:
    return (
        not evidence.HANGING.match(text)
        and not _FURNITURE.search(text)
        and 7 <= len(text.split()) <= 60
        and text.rstrip()[-1:] in '.!。”"'
    )


def _pieces(found: Evidence, document: Document, spans: Sequence[Span]) -> list[Piece]:
    return [p for s in spans if (p := found.piece(document.id, s)) is not None]


def _led(piece: Piece, lead: str) -> Piece:
    return Piece(piece.passage, piece.span, piece.probability, lead, item=True)
