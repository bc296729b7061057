"""Questions about the bibliography as a list: which sources are about this, from then, in that language, by whom.

"Which source is about glowing fungi?", "What did Deng publish?", "Which entries are undated?" are answered by the
entries themselves, verbatim. What no entry has is not answered, with the reason. English only. Knows no vectors.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from rag.answer.about import Found, Lookup
from rag.answer.evidence import covered, present
from rag.answer.question import Question
from rag.function_words import STOP
from rag.lexical import terms, words
from rag.store import Generation
from rag.types import Reference, Span

_SOURCES = (
    r"(?:sources?|references?|entr(?:y|ies)|works|citations|(?:cited |listed )?works?|papers?|articles?|books?|reports?|studies|"
    r"publications?|stor(?:y|ies))"
)
_DATELESS = r"(?:undated|(?:no|without(?: an?)?|lacks? (?:an?|its)|missing (?:an?|its)?)\s*(?:date|year)s?)"
_RELATION = (
    r"(?:(?:that |which )?(?:is|are|was|were|deals?|treats?|discuss(?:es)?|covers?|compares?|concerns?|reviews?|comes?|dates?|has|have|"
    rf"had|lacks?)\b|about\b|on\b|from\b|by\b|in\b|of\b|with\b|published\b|written\b|dated\b|{_DATELESS})"
)
_WHICH = re.compile(
    rf"^\W*(?:which|what|list|name|show(?: me)?|give(?: me)?|are there)\s+(?:(?:of|all|any|the|its|these|listed|cited)\s+)*"
    rf"(?P<before>(?:[\w’'.&-]+\s+){{0,2}}?){_SOURCES}\b(?:\s+(?:of|in|from)\s+(?:the|its|this)\s+(?:bibliography|list|references|reference list))?"
    rf"(?P<rest>\s+{_RELATION}.*|\W*)$",
    re.IGNORECASE,
)
_WHAT_DID = re.compile(
    r"^\W*(?:what|which (?:work|paper|article|book|report|study)s?)\s+(?:did|has|have)\s+(?P<who>.+?)\s+"
    r"(?:publish|published|write|written|author|authored)\b(?P<rest>.*)$",
    re.IGNORECASE,
)
_HAS_NO_DATE = re.compile(_DATELESS, re.IGNORECASE)
_SAYS = re.compile(
    r"\b(?:say|says|said|argues?|claims?|reports? that|shows? that|states?|support|because|why|how)\b", re.IGNORECASE
)
"""What is asked of the text, not of the list."""
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d[a-z]?\b")
_UNCITED = re.compile(r"\b(?:never cited|not cited|uncited|cited nowhere)\b", re.IGNORECASE)
_SCRIPTS = {
    "chinese": re.compile(r"[\u3400-\u9fff]"),
    "japanese": re.compile(r"[\u3040-\u30ff]"),
    "korean": re.compile(r"[\uac00-\ud7af]"),
    "russian": re.compile(r"[\u0400-\u04ff]"),
    "arabic": re.compile(r"[\u0600-\u06ff]"),
    "greek": re.compile(r"[\u0370-\u03ff]"),
    "hebrew": re.compile(r"[\u0590-\u05ff]"),
    "hindi": re.compile(r"[\u0900-\u097f]"),
}
_IN_LANGUAGE = re.compile(rf"\b(?:in|written in)\s+({'|'.join(_SCRIPTS)})\b", re.IGNORECASE)
_CODES = {
    "zh": "chinese",
    "ja": "japanese",
    "ko": "korean",
    "ru": "russian",
    "ar": "arabic",
    "el": "greek",
    "he": "hebrew",
    "hi": "hindi",
}
_RELATING = frozenset(
    terms(
        "source sources reference references entry entries work works citation citations cited listed paper papers article articles book "
        "books report reports study studies publication publications story stories bibliography list published publish written write "
        "author authored deal deals treat treats discuss discusses cover covers compare compares concern concerns review reviews come "
        "comes date dated dates undated year lack lacks missing subject topic title called online never uncited nowhere"
    )
)
_ABOUT = 0.6
"""Least share of the topic's words, by weight, that an entry must hold."""
_NEAR_BEST = 0.85
_MOST = 12
"""Entries shown; of more the answer says how many there are."""


def look_up(generation: Generation, asked: Question, documents: Collection[str] | None = None) -> Lookup | None:
    """The entries a question asks for; None when it asks for none."""
    wanted = _Wanted.of(asked)
    if wanted is None:
        return None
    entries = [
        r
        for r in generation.references()
        if r.start is not None and (documents is None or r.document_id in documents) and wanted.fits(r)
    ]
    if wanted.uncited:
        never = {p.reference_id for p in generation.problems() if p.kind == "listed-but-never-cited"}
        entries = [r for r in entries if r.id in never]
    entries = _on_topic(generation, wanted, entries)
    if not entries:
        # "What did the companies publish?" asks the text, as long as no entry is theirs.
        return None if wanted.who else Lookup((), "no entry of the bibliography is like that", listed=True)
    texts = {d: generation.document(d) for d in {r.document_id for r in entries}}
    found = tuple(Found(texts[r.document_id], Span(r.start or 0, r.end or 0), r) for r in entries[:_MOST])
    more = f"{len(entries)} entries fit; the first {_MOST} are shown" if len(entries) > _MOST else ""
    return Lookup(found, more, listed=True)


class _Wanted:
    """What a question wants of an entry."""

    def __init__(self, text: str, who: str) -> None:
        self.who = {t for w in words(who) if w not in STOP for t in terms(w)}
        self.years = {m.group() for m in _YEAR.finditer(text)}
        self.dateless = bool(_HAS_NO_DATE.search(text))
        self.uncited = bool(_UNCITED.search(text))
        language = _IN_LANGUAGE.search(text)
        self.language = language.group(1).casefold() if language else ""
        rest = _IN_LANGUAGE.sub(" ", _YEAR.sub(" ", text))
        self.topic = [t for w in words(rest) if w not in STOP for t in terms(w) if t not in _RELATING]

    @classmethod
    def of(cls, asked: Question) -> _Wanted | None:
        """What is wanted, None where nothing of a list is."""
        if _SAYS.search(asked.text):
            return None
        if match := _WHAT_DID.match(asked.text):
            wanted = cls(match.group("rest"), match.group("who"))
            return wanted if wanted.who else None
        match = _WHICH.match(asked.text)
        if match is None:
            return None
        wanted = cls(f"{match.group('before')} {match.group('rest')}", "")
        says = wanted.years or wanted.dateless or wanted.uncited or wanted.language or wanted.topic
        return wanted if says else None

    def fits(self, reference: Reference) -> bool:
        """Whether an entry has the author, the year, the lack of one and the language wanted."""
        csl = reference.csl
        if self.who and not self.who <= _authors(reference):
            return False
        parts = ((csl.get("issued") or {}).get("date-parts") or [[]])[0]
        year = f"{parts[0]}{csl.get('year-suffix') or ''}" if parts else ""
        if self.years and not any(year in {y, y.rstrip("abcdefgh")} or year.startswith(y) for y in self.years if year):
            return False
        if self.dateless and parts:
            return False
        if not self.language:
            return True
        told = _CODES.get(str(csl.get("language") or "").split("-")[0])
        if self.language == "chinese" and _SCRIPTS["japanese"].search(reference.raw):
            return False
        return told == self.language if told else bool(_SCRIPTS[self.language].search(reference.raw))


def _on_topic(generation: Generation, wanted: _Wanted, entries: list[Reference]) -> list[Reference]:
    """The entries that hold the topic's words, and about as many of them as the best."""
    if not wanted.topic:
        return entries
    weights = {t: generation.idf(t) for t in wanted.topic}
    shares = [covered(weights, present(r.raw)) for r in entries]
    least = max([_ABOUT, *(_NEAR_BEST * s for s in shares)])
    return [r for r, share in zip(entries, shares, strict=True) if share >= least]


def _authors(reference: Reference) -> set[str]:
    people = [*(reference.csl.get("author") or ()), *(reference.csl.get("editor") or ())]
    return present(" ".join(f"{p.get('given') or ''} {p.get('family') or p.get('literal') or ''}." for p in people))
