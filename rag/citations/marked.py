"""Citations and notes as the format itself marks them: facts, which no guess at the text overrules.

LaTeX, pandoc and JATS say which entry a citation means; DOCX, ODT, LaTeX, Markdown and JATS say which numbers are signs
of notes. What the text alone seemed to cite stays where it agrees, with the problems found in it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate

from rag.citations.audit import problem
from rag.types import Document, Mark, Mention, MentionKind, Reference


class Places:
    """Which stretches of a text are spoken for."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(spans)
        self._starts = [start for start, _ in ordered]
        self._reached = list(accumulate((end for _, end in ordered), max))

    def touches(self, start: int, end: int) -> bool:
        """Whether one of them shares a character with `start:end`."""
        before = bisect_left(self._starts, end)
        return before > 0 and self._reached[before - 1] > start


def citations(document: Document) -> list[Mark]:
    """The marked citations."""
    return [m for m in document.marks if m.kind in {"citation", "narrative"}]


def signs(document: Document) -> list[Mark]:
    """The marked signs of notes."""
    return [m for m in document.marks if m.kind == "note"]


def by_key(document: Document, references: Sequence[Reference]) -> dict[str, list[str]]:
    """Key → ids of the entries that bear it: in their file, in the list's print, or as the format marks them."""
    found: dict[str, dict[str, None]] = {}
    for reference in references:
        custom = reference.csl.get("custom")
        said = str(custom.get("key") or "") if isinstance(custom, Mapping) else ""
        for key in (said, (reference.label or "").strip("[]() ")):
            if key:
                found.setdefault(key, {})[reference.id] = None
    entries = sorted((m for m in document.marks if m.kind == "entry"), key=lambda m: m.start)
    starts = [m.start for m in entries]
    for reference in references:
        if reference.start is None or reference.end is None:
            continue
        at = max(bisect_left(starts, reference.end) - 1, 0)
        if at < len(entries) and entries[at].start < reference.end and reference.start < entries[at].end:
            found[entries[at].target] = {**found.get(entries[at].target, {}), reference.id: None}
    return {key: list(ids) for key, ids in found.items()}


def settled(document: Document, references: Sequence[Reference], guessed: Sequence[Mention]) -> list[Mention]:
    """`guessed`, corrected by the marks: in a marked place only what is marked is cited.

    A text that marks its citations leaves no number unmarked, so those are no citations; a range, of which only the
    ends are marked, keeps what lies between. A key without an entry is a citation that is missing, unless none has one.
    """
    marks = citations(document)
    keys = by_key(document, references)
    bare = Places((m.start, m.end) for m in marks if document.text[m.start : m.end].casefold() == m.target.casefold())
    if not any(m.target in keys for m in marks):
        return [m for m in guessed if not bare.touches(m.start, m.end)]
    marked = Places((m.start, m.end) for m in marks)
    ids_at: dict[tuple[int, int], set[str]] = {}
    for mark in marks:
        ids_at.setdefault((mark.start, mark.end), set()).update(keys.get(mark.target, ()))
    places = sorted(ids_at)
    starts = [start for start, _ in places]
    kept: list[Mention] = []
    agreed: set[tuple[tuple[int, int], str]] = set()
    for mention in guessed:
        if bare.touches(mention.start, mention.end):
            continue  # a key says no author and no year
        if not marked.touches(mention.start, mention.end):
            if mention.kind != "numeric":
                kept.append(mention if mention.reference_id else _doubted(mention))
            continue
        within = [
            p
            for p in places[max(bisect_left(starts, mention.start) - 1, 0) : bisect_left(starts, mention.end)]
            if p[1] > mention.start
        ]
        right = [p for p in within if mention.reference_id in ids_at[p]]
        ranged = mention.kind == "numeric" and len(within) == 2
        if (right and mention.resolution != "ambiguous") or (ranged and mention.resolution == "exact"):
            kept.append(mention)
            agreed.update((p, mention.reference_id or "") for p in right)
    return [*kept, *(m for mark in marks for m in _of_mark(mark, keys, agreed, document))]


def _doubted(mention: Mention) -> Mention:
    """A citation of what is not listed, by its looks, where the format marks all others: who named a species, maybe."""
    return replace(mention, problems=tuple(replace(p, severity="info") for p in mention.problems))


def _of_mark(
    mark: Mark, keys: Mapping[str, Sequence[str]], agreed: set[tuple[tuple[int, int], str]], document: Document
) -> list[Mention]:
    place = (mark.start, mark.end)
    ids = keys.get(mark.target, ())
    if any((place, one) in agreed for one in ids):
        return []
    kind: MentionKind = "narrative" if mark.kind == "narrative" else "parenthetical"
    if document.text[mark.start : mark.end].strip("[]()").isdigit():
        kind = "numeric"
    if ids:
        others = tuple(ids[1:])
        return [Mention(*place, kind, ids[0], "ambiguous" if others else "exact", *place, others)]
    shown = document.text[mark.start : mark.end]
    said = f"The text cites {shown[:80]}, but the bibliography has no entry of that key."
    wrong = problem("cited-but-not-listed", said, *place, document=document.id)
    return [Mention(*place, kind, None, "missing", *place, (), (wrong,))]
