"""Which documents are works that other documents list: the source behind a bibliography entry.

A person says so (`reference` in the sidecar), or it is told by DOI, address, title, authors and year, with a
confidence. Titles are looked up by their first and last words, so that many documents meet many entries in time that
grows with their sum; the entries need not be in memory. The weights are by hand, measured in benchmarks/documents.
Knows no file and no index.
"""

from __future__ import annotations

import math
import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

import numpy as np

from rag.bibliography import identifiers
from rag.citations.names import Entry, main_titles, read_entry, words
from rag.types import Attachment, Document, Problem, Reference

LEAST = 0.8
"""Confidence below which a document stays unattached."""
AUTOMATIC, NONE = None, ""
"""What may be given for a document instead of an entry: that nobody has said anything, or that it is none of them."""
UNKNOWN = "unknown-attachment"
"""The kind of problem of a document said to be an entry that is not listed."""

_FRONT = 4000
"""Characters of a document that say what it is."""
_KEY = 5
_SHORTEST = 2
_ENTRIES = 4096
"""Entries that are remembered once they were compared."""
_BORNE = 0.75
"""Share of a title's words that a page must show to be taken for the work."""
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_YEAR = re.compile(r"1[4-9]\d\d|20\d\d")
_TITLE = {2: -0.6, 3: 0.2, 4: 1.2, 5: 1.8}
"""Log odds of an equal title by its words; from six on 2.2."""


@dataclass(frozen=True, slots=True)
class _Listed:
    """An entry as it is compared."""

    reference: Reference
    entry: Entry
    titles: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class _Front:
    """What a document says of itself."""

    titles: frozenset[tuple[str, ...]]
    words: tuple[str, ...]
    lines: frozenset[int]
    """Where in `words` a line begins: a title stands on lines of its own, a mention runs on."""
    held: frozenset[str]
    doi: str
    """Its own, where its address is one."""
    dois: frozenset[str]
    """Those that its front shows, its own or not."""
    address: str
    year: int | None
    signers: frozenset[str]
    """The words of its bylines; empty where it has none."""


def attach(
    documents: Iterable[Document], references: Sequence[Reference], given: Mapping[str, str | None]
) -> tuple[dict[str, tuple[Attachment, ...]], list[Problem]]:
    """The attachments of each document that has some, by its id, and what is wrong with those that were given.

    `given` says of a document which entry it is: an id, or ``document:entry`` where several lists use the id; NONE
    that it is no entry's; AUTOMATIC, or no word, that it is to be found out. A document is never its own source.
    The entries are gone through once, then a few are asked for: they need not be in memory.
    """
    if not references and not given:
        return {}, []  # there is nothing to be found out, and no document need be read
    listed = _Entries(references, {said for said in given.values() if said})
    found: dict[str, tuple[Attachment, ...]] = {}
    problems: list[Problem] = []
    for document in documents:
        said = given.get(document.id, AUTOMATIC)
        if said == NONE:
            continue
        best: dict[str, Attachment] = {}
        front = _front(document)
        for one in listed.near(front):
            if one.reference.document_id == document.id:
                continue
            attachment = _judged(one, front)
            before = best.get(one.reference.document_id)
            if attachment.confidence >= LEAST and (before is None or attachment.confidence > before.confidence):
                best[one.reference.document_id] = attachment
        if said is not None:
            meant = named((r for r in listed.said.get(said, ()) if r.document_id != document.id), said)
            best |= {r.document_id: Attachment(r.id, 1.0, "given") for r in meant}
            if not meant:
                message = (
                    f"{document.source or document.id} is said to be the entry {said!r}, which no bibliography lists; "
                    "correct it with `adfontes attach`"
                )
                problems.append(Problem(UNKNOWN, message, document_id=document.id))
        if best:
            found[document.id] = tuple(sorted(best.values(), key=lambda a: (-a.confidence, a.reference_id)))
    return found, problems


def bears_title(document: Document, reference: Reference) -> bool:
    """Whether a document shows the entry's title, or most of its words, where documents show theirs.

    True for an entry without a title, of which nothing can be asked.
    """
    titles = _titles(read_entry(reference, 0)) if reference.csl.get("title") else ()
    front = _front(document)
    return not titles or any(sum(w in front.held for w in t) >= _BORNE * len(t) for t in titles)


def plain_id(reference: Reference) -> str:
    """An entry's id within its own list."""
    return reference.id.removeprefix(f"{reference.document_id}:")


def qualified_id(reference: Reference) -> str:
    """An entry's id that stays the same when another list comes to use its plain one."""
    return f"{reference.document_id}:{plain_id(reference)}"


def named(references: Iterable[Reference], said: str) -> list[Reference]:
    """The entries that somebody means: the one of that id, lasting or present, else all that have it in their lists."""
    references = list(references)
    exact = [r for r in references if said in {r.id, qualified_id(r)}]
    return exact or [r for r in references if said == plain_id(r)]


# ── what is compared ─────────────────────────────────────────────────────────────────────────────────────────────


def _front(document: Document) -> _Front:
    end = min([_FRONT, *(span.start for span in document.bibliography())])
    text = document.text[:end]
    bylines = " ".join(b.name for b in document.authors)
    front: list[str] = []
    lines: set[int] = set()
    for line in text.split("\n"):
        lines.add(len(front))
        front += _words(line)
    year = _YEAR.match(document.date or "")
    return _Front(
        titles=frozenset(t for t in (_words(document.title or ""), _words(_main(document.title or ""))) if t),
        words=tuple(front),
        lines=frozenset(lines),
        held=frozenset(front) | frozenset(_words(f"{document.title or ''} {bylines}")),
        doi=next(iter(_dois_in(document.address or "")), ""),
        dois=frozenset(_dois_in(text)),
        address=_same_address(document.address or document.origin),
        year=int(year[0]) if year else None,
        signers=frozenset(_words(bylines)),
    )


def _titles(entry: Entry) -> tuple[tuple[str, ...], ...]:
    """The entry's title, whole and as far as its colon, longest first; too short ones say nothing."""
    if entry.title:
        found = {_words(entry.title), _words(_main(entry.title))}
    else:
        found = {_words(" ".join(t)) for t in main_titles(entry)}
    return tuple(sorted((t for t in found if len(t) >= _SHORTEST), key=len, reverse=True))


def _main(title: str) -> str:
    return re.split(r"[:：?!]\s|\s[-–—]\s", title)[0]


def _words(text: str) -> tuple[str, ...]:
    """Comparable words; writing without blanks is cut into characters."""
    return tuple(piece for word in words(text) for piece in (word if _CJK.search(word) and len(word) > 1 else (word,)))


def _dois_in(text: str) -> list[str]:
    if "10." not in text:  # as every DOI begins; the look for identifiers costs half a millisecond a page
        return []
    return [f.value.lower() for f in identifiers.find(text) if f.variable == "DOI" and f.well_formed]


def _same_address(address: str) -> str:
    """An address without what does not tell pages apart; empty for a site's front page, which is no work."""
    try:
        parts = urlsplit(address if "://" in address else f"https://{address}")
    except ValueError:
        return ""
    host, path = (parts.hostname or "").removeprefix("www."), parts.path.rstrip("/")
    return f"{host}{path}?{parts.query}" if "." in host and (path or parts.query) else ""


class _Entries:
    """All entries by what a document may show of them: hashes and numbers, the entries stay where they are."""

    def __init__(self, references: Sequence[Reference], said: AbstractSet[str]) -> None:
        self.said: dict[str, list[Reference]] = defaultdict(list)
        """Those that somebody may mean by what is `said`, by what is said."""
        self._references = references
        self._entry = lru_cache(maxsize=_ENTRIES)(self._listed)
        keys, numbers = array("q"), array("q")
        for number, reference in enumerate(references):
            if said:
                for word in said & {reference.id, qualified_id(reference), plain_id(reference)}:
                    self.said[word].append(reference)
            own = _keys(reference, _titles(read_entry(reference, number)))
            keys.extend(own)
            numbers.extend([number] * len(own))
        unsorted = np.array(keys, dtype=np.int64)
        order = np.argsort(unsorted, kind="stable")
        self._keys, self._numbers = unsorted[order], np.array(numbers, dtype=np.int64)[order]

    def near(self, front: _Front) -> Iterator[_Listed]:
        """The entries that share a DOI, an address or some words of a title with a document, in their order."""
        shown = {hash(("doi", doi)) for doi in {front.doi, *front.dois}}
        shown.add(hash(("address", front.address)))
        shown.update(map(hash, _keys_within([front.words, *front.titles])))
        wanted = np.fromiter(shown, dtype=np.int64, count=len(shown))
        first = np.searchsorted(self._keys, wanted, side="left")
        last = np.searchsorted(self._keys, wanted, side="right")
        there = np.flatnonzero(last > first)
        numbers = {int(n) for a, b in zip(first[there], last[there], strict=True) for n in self._numbers[a:b]}
        return map(self._entry, sorted(numbers))

    def _listed(self, number: int) -> _Listed:
        reference = self._references[number]
        entry = read_entry(reference, number)
        return _Listed(reference, entry, _titles(entry))


def _keys(reference: Reference, titles: Iterable[tuple[str, ...]]) -> set[int]:
    """Hashes of what a document that is this entry may show: a DOI, an address, a title's first or last words."""
    found = {hash(key) for title in titles for key in (title[:_KEY], title[-_KEY:])}
    if doi := _doi_of(reference):
        found.add(hash(("doi", doi)))
    if address := _same_address(str(reference.csl.get("URL") or "")):
        found.add(hash(("address", address)))
    return found


def _keys_within(texts: Iterable[tuple[str, ...]]) -> set[tuple[str, ...]]:
    return {
        text[i : i + n] for text in texts for n in range(_SHORTEST, _KEY + 1) for i in range(max(0, len(text) - n + 1))
    }


def _doi_of(reference: Reference) -> str:
    csl = reference.csl
    return str(csl.get("DOI") or "").lower() or next(iter(_dois_in(str(csl.get("URL") or ""))), "")


# ── judging ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _judged(one: _Listed, front: _Front) -> Attachment:
    odds, how = _of_title(one, front)
    doi = _doi_of(one.reference)
    if doi and doi == front.doi:
        odds, how = max(odds, 0.0) + 4.6, ["doi", *how]
    elif doi in front.dois:
        odds, how = odds + 3.0, ["doi", *how]  # a page may show the DOI of a work that it only speaks of
    elif doi and front.doi and not doi.startswith(front.doi) and not front.doi.startswith(doi):
        odds -= 3.0
    address = _same_address(str(one.reference.csl.get("URL") or ""))
    if address and address == front.address:
        odds, how = max(odds, 0.0) + 3.0, ["address", *how]
    if how:
        for more, name in (_of_authors(one.entry, front), _of_year(one.entry, front)):
            odds += more
            how += [name] if more > 0 else []
    return Attachment(one.reference.id, round(1 / (1 + math.exp(-odds)), 3) if how else 0.0, ", ".join(how))


def _of_title(one: _Listed, front: _Front) -> tuple[float, list[str]]:
    for number, title in enumerate(one.titles):
        weight = _weight(title)
        odds = _TITLE.get(weight, 2.2 if weight > 5 else -1.5) - (0.8 if number else 0.0)  # only as far as its colon
        if title in front.titles:
            return odds, ["title"]
        shortest = min((len(t) for t in front.titles if len(t) >= _KEY and title[: len(t)] == t), default=0)
        if shortest:
            return _TITLE.get(shortest, 2.2) - 0.8, ["title"]  # the page has the title without its tail
        if weight >= 4 and _stands(title, front):
            return odds - 1.0, ["title"]
    return -4.0, []


def _weight(title: tuple[str, ...]) -> int:
    """The title's length in words, two characters of writing without blanks to the word."""
    characters = sum(1 for w in title if _CJK.fullmatch(w))
    return len(title) - characters + characters // 2


def _stands(title: tuple[str, ...], front: _Front) -> bool:
    return any(front.words[i : i + 1] == title[:1] and front.words[i : i + len(title)] == title for i in front.lines)


def _of_authors(entry: Entry, front: _Front) -> tuple[float, str]:
    families = [_words(" ".join(n.family)) for n in entry.names]
    if not families:
        return 0.0, "authors"
    there = [set(f) <= (front.signers or front.held) for f in families]
    if there[0] or (len(there) > 2 and sum(there) * 2 > len(there)):
        return 1.8, "authors"
    if any(there):
        return 0.4, "authors"
    # Signed by others, a page that names the author is a review or a reply more often than the work.
    named_only = bool(front.signers) and set(families[0]) <= front.held
    return (-0.8 if named_only or not front.signers else -2.2), "authors"


def _of_year(entry: Entry, front: _Front) -> tuple[float, str]:
    if entry.year is None:
        return 0.0, "year"
    if front.year == entry.year:
        return 0.8, "year"
    if str(entry.year) in front.held:
        return 0.4, "year"
    if front.year is None or abs(front.year - entry.year) < 2:
        return 0.0, "year"
    return -1.0, "year"
