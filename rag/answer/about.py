"""Questions about a document itself or about an entry of its bibliography: answered from what was read, not searched.

"Who wrote this article?" is answered by the words that say so; "What is the DOI of Deng's report?" by the entry.
What the document or the entry does not say is not answered. Knows no vectors.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.answer.evidence import present
from rag.answer.question import Question
from rag.lexical import terms
from rag.sentences import split
from rag.store import Generation
from rag.types import Document, Reference, Span

_THIS = (
    r"(?:this|the|that)\s+(?:\w+\s+)?(?:article|paper|report|document|text|essay|piece|study|digest|publication|brief|chapter)|"
    r"(?:este|el)\s+(?:artículo|informe|texto|documento|estudio)|(?:este|o)\s+(?:artigo|relatório|texto)|"
    r"(?:dieser?|der|den)\s+(?:artikel|text|bericht|aufsatz)|(?:cet|l['’])\s*article|(?:这|本)(?:篇)?(?:文章|论文|报告)"
)
_AUTHOR = re.compile(
    rf"\b(?:who\s+(?:wrote|authored|is\s+the\s+(?:author|writer)\s+of|are\s+the\s+(?:authors|writers)\s+of)|"
    rf"(?:author|writer|authors)(?:'s name)?\s+of|by\s+whom\s+(?:was|is)|qui[eé]n(?:es)?\s+escribi(?:ó|eron)|quem\s+escreveu|"
    rf"wer\s+(?:schrieb|hat)|qui\s+a\s+écrit)\s*(?:{_THIS})\s*(?:written|geschrieben)?\s*\??\s*$|"
    rf"^\W*(?:who(?:'s| is| are)\s+the\s+(?:authors?|writers?))\s*\??\s*$|(?:谁写了|作者是谁)",
    re.IGNORECASE,
)
_TITLE = re.compile(
    rf"\b(?:title|name|título|titel|titre)\s+(?:of|del?|d[oe]|des|dieses)?\s*(?:{_THIS})\s*\??\s*$|\bwhat\s+is\s+(?:{_THIS})\s+called\b",
    re.IGNORECASE,
)
_PURPOSE = re.compile(
    rf"^\W*(?:what\s+(?:is|does)|what's)\s+(?:{_THIS})\s+(?:about|discuss|deal with|argue|examine|cover|try to (?:do|show))\b|"
    rf"\b(?:purpose|aim|goal|topic|subject|thesis|main (?:question|argument|point|idea))\s+of\s+(?:{_THIS})|"
    rf"^\W*(?:summari[sz]e|sum up)\s+(?:{_THIS})|\bde qu[eé] trata\s+(?:{_THIS})|\bworum geht es\b",
    re.IGNORECASE,
)
_STATED_PURPOSE = re.compile(
    r"\b(?:this|the|our)\s+(?:\w+\s+)?(?:article|paper|report|essay|study|brief|chapter|review|analysis|piece|digest)\s+(?:\w+\s+)?"
    r"(?:aim|attempt|seek|tr(?:y|ie)|examin|explor|argu|ask|discuss|investigat|analy[sz]|identif|review|describ|present|propos|"
    r"show|consider|address|assess|set|look|trac|put)\w*|\bwe\s+(?:here\s+)?(?:aim|seek|examine|explore|argue|ask|investigate|show)\b|"
    r"\b(?:este|el presente)\s+(?:artículo|informe|estudio|trabajo)\s+\w+|\b(?:dieser|der vorliegende)\s+(?:artikel|beitrag)\s+\w+",
    re.IGNORECASE,
)
_FIELDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("DOI", re.compile(r"\bdoi\b", re.IGNORECASE)),
    (
        "URL",
        re.compile(
            r"\b(?:url|web\s*address|address|link|web\s*page|website|available\s+from|dirección|enlace)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "page",
        re.compile(r"\b(?:page numbers?|(?:what|which|on what|on which) pages|page range|páginas)\b", re.IGNORECASE),
    ),
    (
        "volume",
        re.compile(r"\b(?:which|what) (?:volume|issue)\b|\bvolume (?:and issue )?(?:number)? of\b", re.IGNORECASE),
    ),
    (
        "container-title",
        re.compile(
            r"\b(?:which|what)\s+(?:\w+\s+)?(?:journal|newspaper|magazine|outlet|periodical|news\s+agency|news\s+site|revista)\b|"
            r"^(?>.*?\bwhere\b).*\b(?:published|appear)",
            re.IGNORECASE,
        ),
    ),
    ("publisher", re.compile(r"\bwho\s+published\b|\bpublisher\s+of\b|\bpublishing house\b", re.IGNORECASE)),
    (
        "issued",
        re.compile(
            r"\bpublication\s+(?:date|year)|(?:date|year)\s+of\s+publication|"
            r"^(?>.*?\b(?:when|(?:what|which)\s+(?:year|date|day))\b).*\b(?:publish|appear|come\s+out|came\s+out|report\b)",
            re.IGNORECASE,
        ),
    ),
    ("title", re.compile(r"\b(?:full\s+|english\s+)?(?:title|headline|translation)\s+of\b", re.IGNORECASE)),
    (
        "author",
        re.compile(r"\b(?:who\s+(?:wrote|authored)|authors?\s+of|by\s+whom)\b|\bqui[eé]n escribió\b", re.IGNORECASE),
    ),
)
_WORK = re.compile(
    r"\b(?:bibliograph\w*|references?|entry|listed|cit(?:e[sd]?|ation)|paper|article|report|work|study|piece|book|story|headline|"
    r"memorandum|thesis|handbook|artículo|informe|libro)\b",
    re.IGNORECASE,
)
_GENERIC = frozenset(
    terms(
        "doi url web address link page pages number numbers range volume issue journal newspaper magazine outlet periodical news agency "
        "site published publish publisher publication date year title headline translation english full author authors wrote written "
        "authored paper article report work study piece book story reference entry bibliography listed list cited cite cites citation "
        "source online available appeared appear find come came out carry carried run ran print printed chinese"
    )
)
_NOT_WORD = re.compile(r"[^\w\s&-]|_")
_MOST_WORDS, _SOME_WORDS = 0.75, 0.45
"""Share of a question's words, by weight, that an entry must hold: alone, and when its author is named too."""


@dataclass(frozen=True, slots=True)
class Found:
    """Words that answer: a span of a document's text, and the entry it is, if it is one."""

    document: Document
    span: Span
    reference: Reference | None = None


@dataclass(frozen=True, slots=True)
class Lookup:
    """The outcome of looking a question up: `found` may be empty with a `notice` that says what is missing."""

    found: tuple[Found, ...]
    notice: str = ""
    listed: bool = False
    """Whether what was found are the items of a list."""


def asks_field(question: Question) -> bool:
    """Whether a question asks where a work is to be found: its page, volume, DOI or address."""
    if question.expects == "page":
        return True
    return any(name in {"DOI", "URL", "page", "volume"} and p.search(question.text) for name, p in _FIELDS)


def look_up(generation: Generation, question: Question, documents: Sequence[str] | None = None) -> Lookup | None:
    """Answer a question about a document or an entry; None when it asks for neither."""
    wanted = [d for d in generation.documents() if documents is None or d.id in documents]
    if _AUTHOR.search(question.text):
        return _bylines(generation, wanted)
    if _TITLE.search(question.text):
        return _titles(generation, wanted)
    if _PURPOSE.search(question.text) and (stated := _purposes(generation, wanted)).found:
        return stated
    return _entries(generation, question, {d.id for d in wanted})


def _bylines(generation: Generation, documents: Sequence[Document]) -> Lookup:
    found = []
    for brief in documents:
        placed = [b for b in brief.authors if b.start is not None]
        if not placed:
            continue
        document = generation.document(brief.id)
        for byline in placed:
            found.append(Found(document, _sentence_at(document, byline.start or 0)))  # noqa: PERF401  (reads better)
    known = "; ".join(f"{d.id}: {', '.join(b.name for b in d.authors)}" for d in documents if d.authors)
    notice = "" if found else f"no text says who wrote it{f' (the collection notes {known})' if known else ''}"
    return Lookup(tuple(dict.fromkeys(found)), notice)


def _titles(generation: Generation, documents: Sequence[Document]) -> Lookup:
    found = []
    for brief in documents:
        document = generation.document(brief.id)
        start = document.text.find(document.title) if document.title else -1
        if start >= 0:
            found.append(Found(document, Span(start, start + len(document.title or ""))))
    return Lookup(tuple(found), "" if found else "no text gives a title")


def _purposes(generation: Generation, documents: Sequence[Document]) -> Lookup:
    """The first sentence of each document that says what the document is for."""
    found = []
    for brief in documents:
        document = generation.document(brief.id)
        end = min((s.start for s in document.bibliography()), default=len(document.text))
        for span in split(document.text, 0, end, document.language):
            if _STATED_PURPOSE.search(span.of(document.text)):
                found.append(Found(document, span))
                break
    return Lookup(tuple(found))


def _entries(generation: Generation, question: Question, documents: set[str]) -> Lookup | None:
    """The entries a question asks a bibliographic fact of: all its names stand in them, and an author or most words."""
    field = next((name for name, pattern in _FIELDS if pattern.search(question.text)), None)
    if field is None or (field not in {"DOI", "URL", "page", "volume"} and not _WORK.search(question.text)):
        return None
    asked = [t for t in question.content if t not in _GENERIC]
    if not asked:
        return None
    best: list[tuple[float, Reference]] = []
    for reference in generation.references():
        if reference.document_id not in documents or reference.start is None:
            continue
        held = present(_NOT_WORD.sub(" ", reference.raw))
        if any(name not in held for name in (*question.names, *question.figures) if name not in _GENERIC):
            continue
        weights = {t: generation.idf(t) for t in asked}
        score = sum(w for t, w in weights.items() if t in held) / sum(weights.values())
        if score >= _MOST_WORDS or (score >= _SOME_WORDS and _author_terms(reference) & set(asked)):
            best.append((score, reference))
    if not best:
        return None
    top = max(score for score, _ in best)
    chosen = [r for score, r in best if score >= top - 1e-9]
    if len(chosen) > 3:
        return None
    having = [r for r in chosen if r.csl.get(field) or (field == "publisher" and r.csl.get("container-title"))]
    if not having:
        names = ", ".join(r.id for r in chosen)
        return Lookup((), f"the bibliography lists {names} but gives no {field}")
    texts = {d: generation.document(d) for d in {r.document_id for r in having}}
    return Lookup(tuple(Found(texts[r.document_id], Span(r.start or 0, r.end or 0), r) for r in having))


def _author_terms(reference: Reference) -> set[str]:
    names = (a.get("family") or a.get("literal") or "" for a in reference.csl.get("author") or ())
    return {t for name in names for t in terms(str(name))}


def _sentence_at(document: Document, offset: int) -> Span:
    section = document.section_at(offset)
    start, end = (
        (section.body_start, section.end) if section and offset >= section.body_start else (0, len(document.text))
    )
    for span in split(document.text, start, end, document.language):
        if span.start <= offset < span.end:
            return span
    return Span(offset, min(len(document.text), offset + 80))
