"""Text + references → mentions: finds the citations, gives each its entry, its scope and its problems.

What the format itself marks (`rag.citations.marked`) is no guess and wins. Else, whether a text cites by years or by
numbers is told by which of them leads into the list. Sections that are reference lists are not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from rag.citations import authorpage, authoryear, marked, notes, numeric, titles
from rag.citations.audit import problem, shown
from rag.citations.authoryear import Part
from rag.citations.marked import Places
from rag.citations.names import AuthorIndex, Entry, acronyms, words
from rag.citations.patterns import ACRONYM
from rag.citations.scope import Cited, scopes
from rag.types import Document, Mark, Mention, MentionKind, Problem, Reference, Span


def link(document: Document, references: Sequence[Reference]) -> tuple[tuple[Mention, ...], tuple[Problem, ...]]:
    """Link every citation of the text outside its bibliography sections.

    Returns the mentions in order of place, one for each (citation part, reference), and their problems. A part that
    leads to no entry is a mention too, `missing`. Never raises, whatever the text and the list hold.
    """
    printed = [
        Span(r.start, r.end)
        for r in references
        if r.start is not None and r.end is not None and r.raw == document.text[r.start : r.end]
    ]
    text = _without(document.text, [*document.bibliography(), *printed])
    index = AuthorIndex(references)
    short = shortened(text)
    parts = authoryear.repeat(text, authoryear.settle(text, authoryear.find(text, index, short), index))
    said = notes.read(document)
    signs = marked.signs(document)
    groups, numbered = numeric.read(_without(text, [*notes.signs(document.text, said), *signs], " "), references)
    if said and not signs and not any(r.label for r in references):
        groups = []
    found: list[Mention] = []
    exact = sum(p.resolution == "exact" for p in parts)
    if numeric.prevails(groups, len(parts), exact, references):
        for group in groups:
            for start, end, number in group.cited:
                if number in numbered:
                    found.append(_plain(start, end, "numeric", [references[numbered[number]].id]))
                else:
                    found.append(_unlisted(start, end, f"number {number}", document.id))
        found += _noted(document, text, said, signs, index) if signs else []
    else:
        inside = Places((n.start, n.end) for n in said)
        found += [
            _of_part(p, references, document.id)
            for p in parts
            if (p.entry and p.phrase.whole) or not inside.touches(p.start, p.start + 1)
        ]
        found += _noted(document, text, said, signs, index)
        if authorpage.prevails(paged := authorpage.find(text, index), exact):
            found += [_plain(p.start, p.end, "parenthetical", [e.id for e in p.entries]) for p in paged]
        taken = Places((m.start, m.end) for m in found)
        found += [
            _plain(n.start, n.end, "parenthetical", [e.id for e in n.entries])
            for n in titles.cut_short(text, index.entries)
            if not taken.touches(n.start, n.end)
        ]
    found = marked.settled(document, references, found)
    taken = Places((m.start, m.end) for m in found)
    for named in titles.find(text, index.entries):
        if not taken.touches(named.start, named.end):
            found.append(_plain(named.start, named.end, "title", [e.id for e in named.entries]))
    found.sort(key=lambda m: (m.start, m.end))
    called = {e.id: _called(e) for e in index.entries}
    cited = [
        Cited(m.start, m.end, m.kind, m.reference_id, called.get(m.reference_id or "", frozenset())) for m in found
    ]
    places = scopes(text, cited, document.language, short)
    mentions = tuple(replace(m, scope_start=p.start, scope_end=p.end) for m, p in zip(found, places, strict=True))
    return mentions, tuple(p for m in mentions for p in m.problems)


def _without(text: str, places: Iterable[Span | Mark], instead: str = "\n") -> str:
    """The text with one character in place of each of some of its parts: nothing is found there, and all offsets stay.

    A line break parts what stands before from what stands behind; a blank does not.
    """
    pieces, at = [], 0
    for place in sorted(places, key=lambda p: p.start):
        start, end = max(at, place.start), max(at, min(place.end, len(text)))
        pieces += [text[at:start], instead * (end - start)]
        at = end
    return "".join([*pieces, text[at:]])


def _noted(
    document: Document, text: str, said: list[notes.Note], signs: Sequence[Mark], index: AuthorIndex
) -> list[Mention]:
    """The note signs of the running text, each leading to the works that its note names."""
    named = notes.works(document.text, said, index) if said else {}
    if not named:
        return []
    if signs:
        return [_plain(s.start, s.end, "note", [e.id]) for s in signs for e in named.get(s.target, [])]
    first = text.rfind("\n", 0, min(n.start for n in said)) + 1
    places = [Span(s.start, s.end) for s in document.sections if s.kind == "notes"] or [Span(first, len(text))]
    running = _without(text, places)
    return [
        _plain(a, b, "note", [entry.id])
        for group in numeric.find(running, {n.number for n in said})
        for a, b, number in group.cited
        for entry in named.get(number, [])
    ]


def _unlisted(start: int, end: int, cited: str, document_id: str) -> Mention:
    said = f"The text cites {cited}, but the bibliography has no entry of that number."
    problems = (problem("cited-but-not-listed", said, start, end, document=document_id),)
    return Mention(start, end, "numeric", None, "missing", start, end, (), problems)


def _plain(start: int, end: int, kind: MentionKind, ids: list[str]) -> Mention:
    """A mention without problems of its own; ambiguous where several entries answer to it."""
    return Mention(start, end, kind, ids[0], "ambiguous" if ids[1:] else "exact", start, end, tuple(ids[1:]))


def _called(entry: Entry) -> frozenset[str]:
    """What the text may call the entry's first author in passing: a family name, an acronym."""
    if not entry.names:
        return frozenset()
    first = entry.names[0]
    return (
        entry.short | acronyms(first.family)
        if first.corporate
        else frozenset(w for w in first.family[-1:] if len(w) > 2)
    )


def shortened(text: str) -> dict[str, tuple[str, ...]]:
    """Acronyms that the text introduces behind their long form, with its words: "… Academy of Letters (NAL)"."""
    found: dict[str, tuple[str, ...]] = {}
    for match in ACRONYM.finditer(text):
        before = words(text[max(0, match.start() - 120) : match.start()])
        short = match["short"].lower()
        for size in range(2, min(len(short) + 5, len(before)) + 1):
            name = before[-size:]
            if name[0][0] == short[0] and _spells(short, name):
                found.setdefault(short, name)
                break
    return found


def _spells(short: str, name: tuple[str, ...]) -> bool:
    initials = iter(w[0] for w in name)
    return all(letter in initials for letter in short)


def _of_part(part: Part, references: Sequence[Reference], document_id: str) -> Mention:
    reference = references[part.entry.position] if part.entry is not None else None
    others = [references[e.position] for e in part.candidates]
    said = None if part.repeats or not references else _disagreement(part, reference, others)
    problems: tuple[Problem, ...] = ()
    if said is not None:
        key = reference.id if reference is not None else None
        problems = (problem(said[0], said[1], part.start, part.end, reference=key, document=document_id),)
    return Mention(
        part.start,
        part.end,
        part.kind,
        reference.id if reference is not None else None,
        part.resolution,
        part.start,
        part.end,
        tuple(r.id for r in others),
        problems,
    )


def _disagreement(part: Part, reference: Reference | None, others: list[Reference]) -> tuple[str, str] | None:
    """Kind and message of what is wrong with one citation, None where text and list agree."""
    entry, cited = part.entry, f"“{part.cited}”"
    if entry is None or reference is None:
        near = f" Nearest in the list: {'; '.join(map(shown, others[:3]))}." if others else ""
        return "cited-but-not-listed", f"The text cites {cited}, but no entry of the bibliography fits.{near}"
    listed, year = shown(reference), f"{entry.year}{entry.suffix}"
    if part.resolution == "ambiguous":
        return "ambiguous-citation", f"{cited} fits {len(others) + 1} entries; {listed} is only the first of them."
    if part.resolution == "year-mismatch" and entry.year is None:
        return "cannot-tell", f"The text cites {cited}, but {listed} bears no date, so the year cannot be checked."
    if part.resolution == "year-mismatch" and part.year != entry.year:
        return "year-mismatch", f"The text cites {cited}, but the list gives {year}: {listed}."
    if part.suffix != entry.suffix and (part.suffix or part.resolution == "year-mismatch"):
        return "suffix-mismatch", f"The text cites {cited}, but the list has the year as {year}: {listed}."
    if part.resolution == "author-variant" and part.agreement is None:
        return "author-mismatch", f"{cited} is spelt otherwise in the list: {listed}."
    if part.resolution == "author-variant":
        return "author-count", f"{cited} does not name as many authors as {listed} has."
    return None
