"""One list of what is wrong, or cannot be told, between a text and its bibliography.

`KINDS` is the table of every kind that reading, parsing and linking may report, with what a person should understand by
it. Nothing here repairs anything, and nothing here says that a work does not exist: "not found" is all that can be seen.
"""

# ruff: noqa: E501 (explanations are whole sentences)

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from rag import sentences
from rag.citations.cues import CUES, known
from rag.types import Document, Mention, Problem, Reference, Severity

KINDS: dict[str, tuple[Severity, str, str]] = {
    # between text and list
    "cited-but-not-listed": (
        "error",
        "Cited but not listed",
        "The text cites a work for which the bibliography has no entry. It may be missing from the list, or be listed under another name.",
    ),
    "listed-but-never-cited": (
        "info",
        "Listed but never cited",
        "No citation in the text leads to this entry. It may be background reading, or its citation may have been lost in editing.",
    ),
    "year-mismatch": (
        "warning",
        "Year disagrees",
        "The text cites one year and the list gives another for the same authors. One of the two is wrong; which one cannot be told from here.",
    ),
    "suffix-mismatch": (
        "warning",
        "Year letter disagrees",
        "The letter behind the year (2024a, 2024b) differs between text and list, so the citation may lead to another work of that year.",
    ),
    "author-mismatch": (
        "warning",
        "Author spelt differently",
        "The text spells an author otherwise than the list. The entry given is the only one of that year with a similar name.",
    ),
    "author-count": (
        "info",
        "Authors left out",
        "The text names fewer authors than the entry has, without “et al.”, or uses “et al.” where the list names no others.",
    ),
    "ambiguous-citation": (
        "warning",
        "More than one entry fits",
        "Two or more entries have these authors and this year. The text does not say which one is meant.",
    ),
    "entry-dated-before-event": (
        "warning",
        "Entry older than what it is cited for",
        "The entry's date lies before an event that the text reports from it. A date in the text or in the entry may be wrong.",
    ),
    "cannot-tell": (
        "info",
        "Cannot tell",
        "There is not enough to judge by: the entry bears no date, no citation could be read in the text, or no entry in the list.",
    ),
    # within one entry, or between entries
    "missing-date": ("warning", "No date", "The entry bears no date."),
    "missing-title": ("warning", "No title", "No title could be read from the entry."),
    "missing-author": ("info", "No author", "Nobody could be read from the entry as its author or editor."),
    "missing-address": (
        "warning",
        "No address",
        "The entry is of something published online but gives neither address nor DOI.",
    ),
    "malformed-doi": (
        "warning",
        "DOI not well formed",
        "What is given as a DOI cannot be one: it should begin with “10.”, a number and a slash.",
    ),
    "malformed-isbn": ("warning", "ISBN not well formed", "The ISBN's length or check digit is wrong."),
    "malformed-address": ("warning", "Address not well formed", "The web address cannot be one as it is printed."),
    "duplicate-entry": ("warning", "Listed twice", "The same work seems to stand in the list more than once."),
    "date-contradiction": (
        "warning",
        "Date and address disagree",
        "The entry's own DOI or address bears a date that contradicts the entry's date.",
    ),
    "unreadable-list": (
        "error",
        "List not readable",
        "The bibliography file could not be read in its format, so none of its entries are known.",
    ),
    "unreadable-entry": (
        "error",
        "Entry not readable",
        "One entry of the bibliography file could not be read in its format; the others were.",
    ),
    "unknown-attachment": (
        "warning",
        "Said to be an entry that is not listed",
        "The document was said to be a work of the bibliography, but no list of the collection has that entry.",
    ),
    "unparsed-remainder": ("info", "Not understood", "A part of the list could not be read as (part of) an entry."),
    # among the files
    "source-left-out": (
        "error",
        "Source left out",
        "A file of the collection is not in the index, so nothing of it can be found or cited. The message says why.",
    ),
    "names-alike": (
        "warning",
        "Two names alike",
        "The names of two files differ only in case, or in how an accent is stored. Both are indexed; a disk that sees no difference keeps one.",
    ),
    # while the document was read
    "furniture-removed": ("info", "Page furniture left out", "Lines of the page around the text were left out of it."),
    "hidden-text-removed": ("info", "Hidden text left out", "Text that the page does not show was left out."),
    "date-incomplete": ("info", "Date without a year", "The document gives a day without its year, so it has no date."),
    "encoding-guessed": (
        "info",
        "Encoding guessed",
        "The file does not say how its letters are encoded; it was told from the text.",
    ),
    "garbled-text": (
        "warning",
        "Garbled text",
        "Many characters have no meaning, so citations and entries may be lost.",
    ),
    "page-without-text": (
        "warning",
        "Page without text",
        "A page holds no text that could be read; it may be a picture.",
    ),
    "stale": (
        "warning",
        "Not what its file says now",
        "The file could not be read again, so the document is kept as it was read before. The message says why; the next rebuild that can read it brings it up to date.",
    ),
}
"""Kind → (severity, title, explanation). Shown by the command line, the service and the page."""


def explained(kind: str) -> tuple[Severity, str, str]:
    """Severity, title and explanation of any kind; of one that only a reader of documents knows, what its slug says."""
    title = kind.replace("-", " ").capitalize()
    return KINDS.get(kind, ("info", title, "Noted while the document was read; the message says what and where."))


_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan janeiro enero januar jänner janvier",
            "february feb fevereiro fev febrero februar février",
            "march mar março marzo märz mars",
            "april apr abril abr avril",
            "may maio mayo mai",
            "june jun junho junio juni juin",
            "july jul julho julio juli juillet",
            "august aug agosto ago août",
            "september sep sept setembro set septiembre septembre",
            "october oct outubro out octubre oktober okt octobre",
            "november nov novembro noviembre novembre",
            "december dec dezembro dez diciembre dic dezember décembre",
        ),
        1,
    )
    for name in names.split()
}
_MONTH = "|".join(sorted((m for m in _MONTHS if len(m) > 3 or m == "may"), key=len, reverse=True))
_DAY_BEFORE = re.compile(r"\b\d{1,2}\.\s*\Z")
_MOST_EVENTS = 100
"""Dates of one stretch of text that are looked at."""
_EVENT = re.compile(
    rf"\b(?P<d1>[0-3]?\d)(?:st|nd|rd|th|\.|º|er)?\s+(?:of\s+|de\s+)?(?P<m1>{_MONTH})\b(?:,?\s+(?:de\s+|del\s+)?(?P<y1>(?:19|20)\d\d))?"
    rf"|\b(?P<m2>{_MONTH})\s+(?P<d2>[0-3]?\d)(?:st|nd|rd|th)?\b(?!\d)(?:,?\s+(?P<y2>(?:19|20)\d\d))?"
    rf"|\b(?P<m3>{_MONTH})\b,?\s+(?:de\s+|del\s+)?(?P<y3>(?:19|20)\d\d)"
    r"|(?:(?P<y4>(?:19|20)\d\d)\s*年\s*)?(?P<m4>1[0-2]|[1-9])\s*月(?:\s*(?P<d4>[0-3]?\d)\s*日)?",
    re.IGNORECASE,
)


def audit(document: Document, references: Sequence[Reference], mentions: Sequence[Mention]) -> tuple[Problem, ...]:
    """Every problem of the references, of the mentions, and of the two together, in the order of the text.

    Places are offsets into `document.text`; None for entries kept in a file of their own. Never raises.
    """
    found = [p for r in references for p in r.problems]
    found += [p for m in mentions for p in m.problems]
    found += _never_cited(references, mentions)
    found += _before_event(document, references, mentions)
    placed = dict.fromkeys(found)
    return tuple(sorted(placed, key=lambda p: (p.start is None, p.start or 0, p.kind)))


def problem(
    kind: str, message: str, start: int | None, end: int | None, *, reference: str | None = None, document: str = ""
) -> Problem:
    """A problem of one of `KINDS`, with that kind's severity."""
    return Problem(kind, message, KINDS[kind][0], start, end, reference, document or None)


def _never_cited(references: Sequence[Reference], mentions: Sequence[Mention]) -> Iterator[Problem]:
    cited = {m.reference_id for m in mentions}
    if mentions and not references:
        yield problem(
            "cannot-tell",
            "No bibliography could be read, so whether what the text cites is listed cannot be told.",
            mentions[0].start,
            mentions[0].end,
        )
        return
    if references and not any(m.reference_id for m in mentions):
        first = references[0]
        yield problem(
            "cannot-tell",
            "No citation in the text could be read, so whether the entries are cited cannot be told.",
            first.start,
            references[-1].end,
            document=first.document_id,
        )
        return
    maybe = {c for m in mentions for c in m.candidates}
    for reference in references:
        if reference.id in cited:
            continue
        if reference.id in maybe:
            message = f"{shown(reference)} may be meant by a citation that fits several entries; no citation leads to it for certain."
        else:
            message = f"No citation in the text leads to {shown(reference)}."
        yield problem(
            "listed-but-never-cited",
            message,
            reference.start,
            reference.end,
            reference=reference.id,
            document=reference.document_id,
        )


def shown(reference: Reference) -> str:
    """The entry in a few words, for messages."""
    raw = " ".join(reference.raw.split()) or str(reference.csl.get("title") or reference.id)
    return f"“{raw[:70]}{'…' if len(raw) > 70 else ''}”"


def _before_event(
    document: Document, references: Sequence[Reference], mentions: Sequence[Mention]
) -> Iterator[Problem]:
    """Entries whose date lies before a date that the citing sentence tells of.

    Of an entry that bears a year alone, only the year right behind it counts, and only where nothing else is cited:
    older works are cited for what they say in general beside dates of any year.
    """
    dated = {r.id: date for r in references if (date := _issued(r)) is not None}
    by_id = {r.id: r for r in references}
    text, future = document.text, _future(document.language)
    bounds = sentences.split(text, language=document.language) if dated else []
    told: dict[tuple[int, int], list[re.Match[str]]] = {}
    at = 0
    places = sorted(m.start for m in mentions)
    for mention in sorted(mentions, key=lambda m: m.start):
        while at < len(bounds) and bounds[at].end <= mention.start:
            at += 1
        if mention.reference_id not in dated or at >= len(bounds):
            continue
        issued = dated[mention.reference_id]
        begin, end = max(bounds[at].start, mention.scope_start), min(bounds[at].end, mention.scope_end)
        if day := _DAY_BEFORE.search(text, max(0, begin - 5), begin):  # "16. April" is easily cut in two
            begin = day.start()
        if (begin, end) not in told:  # works cited side by side cover the same stretch
            to_come = future.search(text, begin, end)
            told = {(begin, end): [] if to_come else [*islice(_EVENT.finditer(text, begin, end), _MOST_EVENTS)]}
        alone = bisect_left(places, bounds[at].end) - bisect_left(places, bounds[at].start) == 1
        for match in told[begin, end]:
            event = _date(match, issued[0])
            if event is None or not _earlier(issued, event):
                continue
            if len(issued) == 1 and (event[0] - issued[0] > 1 or not alone):
                continue
            reference = by_id[mention.reference_id]
            yield problem(
                "entry-dated-before-event",
                f"The text reports something of {match[0]} from {shown(reference)}, whose entry is dated "
                f"{'-'.join(f'{n:02d}' for n in issued)}: before it happened. One of the two dates may be wrong.",
                match.start(),
                match.end(),
                reference=reference.id,
                document=document.id,
            )
            break


def _issued(reference: Reference) -> tuple[int, ...] | None:
    """Year, perhaps month and day; None where the entry bears no date."""
    issued = reference.csl.get("issued")
    parts = issued.get("date-parts") if isinstance(issued, Mapping) else None
    try:
        date = tuple(int(n) for n in parts[0][:3]) if parts else ()
    except (TypeError, ValueError, IndexError):
        return None
    return date or None


def _date(match: re.Match[str], year: int) -> tuple[int, ...] | None:
    """The date a match tells of; the entry's own year where the text gives none."""
    groups = match.groupdict()
    given = next((groups[f"y{i}"] for i in range(1, 5) if groups[f"y{i}"]), None)
    month = next(groups[f"m{i}"] for i in range(1, 5) if groups[f"m{i}"])
    day = next((groups[f"d{i}"] for i in (1, 2, 4) if groups[f"d{i}"]), None)
    number = int(month) if month.isdigit() else _MONTHS[month.lower()]
    if day is not None and not 1 <= int(day) <= 31:
        return None
    if not given and day is None:
        return None
    return (int(given) if given else year, number, *([int(day)] if day else []))


def _earlier(issued: tuple[int, ...], event: tuple[int, ...]) -> bool:
    shared = min(len(issued), len(event))
    return issued[:shared] < event[:shared]


def _future(language: str | None) -> re.Pattern[str]:
    code = known(language)
    rows = [CUES[code]] if code else list(CUES.values())
    return re.compile("|".join(rf"\b(?:{c.future})\b" for c in rows if c is not CUES["zh"]) or r"将", re.IGNORECASE)
