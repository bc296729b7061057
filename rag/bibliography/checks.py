"""What is wrong with an entry, named and never repaired.

The kinds, and what each one claims:

========================  ========  ==========================================================================
``missing-date``          warning   the entry gives no year (entries marked "n.d." or "forthcoming": info)
``missing-title``         warning   no title could be told (info where journal and volume or page say enough)
``missing-author``        info      nobody is named as author or editor
``missing-address``       warning   the entry says that it stands online and gives no URL or DOI
``malformed-doi``         warning   what is written as a DOI is none (ISO 26324)
``malformed-isbn``        warning   wrong length or check digit (ISO 2108)
``malformed-address``     warning   what is written as a URL names no host
``date-contradiction``    warning   the address's or DOI's own date is not the entry's (info where it may be innocent)
``duplicate-entry``       warning   the same work stands in the list twice
``unparsed-remainder``    info      a stretch of text that no field explains
========================  ========  ==========================================================================
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rag.bibliography import dates, identifiers, names
from rag.bibliography.segments import Segment
from rag.types import Csl, Problem, Reference, Severity

_MALFORMED = {"DOI": "malformed-doi", "URL": "malformed-address", "ISBN": "malformed-isbn"}
_EXPLAIN = {
    "DOI": "is not a DOI (a DOI is 10., a registrant number, a slash and a suffix)",
    "URL": "is not an address (scheme://host/path)",
    "ISBN": "is not an ISBN (10 or 13 digits with a matching check digit)",
}
_LABEL = re.compile(r"(?:(?<!\s)\s++)?(?:[\[(]\d{1,4}[\])]|\d{1,4}(?=[.)\s]))[.)]?\s*+")
_WORD = re.compile(r"[^\W\d_]+")
MAX_READ = 4000
"""Characters of one entry that are read; longer "entries" are running text that lost its line breaks."""
_SAYS_ONLINE = re.compile(
    r"[\[(]\s*on-?line\s*[\])]|\bavailable (?:from|at)\b|\bretrieved from\b|\bdispon[ií](?:vel|ble) (?:em|en)\b",
    re.IGNORECASE,
)
_UPLOAD = re.compile(
    r"/(?:uploads?|files?|documents?|media|assets|content/dam|sites/default|storage)/|\.(?:pdf|docx?|xlsx?|zip)$",
    re.IGNORECASE,
)


def entry(
    raw: str, csl: dict[str, Any], found: Sequence[identifiers.Found], segments: Sequence[Segment], *, cut: bool = False
) -> tuple[Problem, ...]:
    """The problems of one entry; spans are offsets into `raw`."""
    problems: list[Problem] = []

    def report(kind: str, message: str, severity: Severity = "warning", span: tuple[int, int] | None = None) -> None:
        start, end = span or (0, len(raw))
        problems.append(Problem(kind, message, severity, start, end))

    if not raw.strip():
        report("unparsed-remainder", "The entry is empty.", "info")
        return tuple(problems)
    who = _who(csl)
    if "issued" not in csl:
        said = csl.get("status") or any(s.label == "no-date" for s in segments) or dates.NO_DATE.search(raw[:300])
        message = f"{who}: the entry gives no date" + (
            " and says so." if said else "; add the year, or “n.d.” if there is none."
        )
        report("missing-date", message, "info" if said else "warning")
    if not csl.get("title"):
        # Physics and chemistry lists leave titles out: journal, volume and page say which work it is.
        terse = csl.get("container-title") and (csl.get("volume") or csl.get("page"))
        report("missing-title", f"{who}: no title could be told from “{_short(raw)}”.", "info" if terse else "warning")
    if not any(csl.get(role) for role in ("author", "editor", "director", "translator")):
        report("missing-author", f"“{_short(raw)}” names no author or editor that could be told.", "info")
    if "URL" not in csl and "DOI" not in csl and _SAYS_ONLINE.search(raw):
        report("missing-address", f"{who}: the entry says that it stands online and gives no address.")
    for f in found:
        if not f.well_formed and f.variable in _MALFORMED:
            report(_MALFORMED[f.variable], f"{who}: “{f.value}” {_EXPLAIN[f.variable]}.", span=(f.start, f.end))
        elif contradiction := _contradiction(csl, f):
            message, severity = contradiction
            report("date-contradiction", f"{who}: {message}", severity, (f.start, f.end))
    for start, end in _unexplained(raw, segments):
        report("unparsed-remainder", f"{who}: no field explains “{_short(raw[start:end])}”.", "info", (start, end))
    if cut:
        report("unparsed-remainder", f"{who}: only the beginning of this very long entry was read.", "warning")
    return tuple(problems)


def _unexplained(raw: str, segments: Sequence[Segment]) -> list[tuple[int, int]]:
    """Stretches of several words that stand in no segment; a structured entry has no segments and no such stretches."""
    gaps: list[tuple[int, int]] = []
    position = 0
    for start, end in [*sorted((s.start, s.end) for s in segments), (min(len(raw), MAX_READ), 0)] if segments else []:
        words = _WORD.findall(raw, position, max(position, start))
        if len(words) >= 4 and sum(map(len, words)) >= 20:
            stretch = raw[position:start]
            gaps.append((position + len(stretch) - len(stretch.lstrip(" .,;:")), start))
        position = max(position, end)
    return gaps


def _contradiction(csl: dict[str, Any], found: identifiers.Found) -> tuple[str, Severity] | None:
    """A date inside an address or DOI that cannot be the entry's own."""
    parts = ((csl.get("issued") or {}).get("date-parts") or [[]])[0]
    if not parts:
        return None
    if found.variable == "DOI":
        year = dates.in_doi(found.value)
        # Such a DOI is given out when the paper is accepted, so an earlier year is usual and a later one impossible.
        if year is not None and year > parts[0]:
            return f"the DOI {found.value} carries the year {year}, the entry says {parts[0]}.", "warning"
        return None
    if found.variable != "URL" or not (inside := dates.in_address(found.value)):
        return None
    year, month, day = inside
    written = f"{year}-{month:02}" + (f"-{day:02}" if day else "")
    said = "-".join(f"{p:02}" for p in parts)
    innocent: Severity = "info" if _UPLOAD.search(found.value) else "warning"
    if year != parts[0]:
        near_new_year = abs(year - parts[0]) == 1 and {month, parts[1] if len(parts) > 1 else month} == {1, 12}
        return f"the address carries the date {written}, the entry says {said}.", "info" if near_new_year else innocent
    if len(parts) > 1 and month != parts[1]:
        apart = abs((month * 30 + (day or 15)) - (parts[1] * 30 + (parts[2] if len(parts) > 2 else 15)))
        return f"the address carries the date {written}, the entry says {said}.", "info" if apart <= 2 else innocent
    if len(parts) > 2 and day and day != parts[2]:
        # One day apart is mostly a time zone or the printed edition.
        severity: Severity = "info" if abs(day - parts[2]) == 1 else innocent
        return f"the address carries the date {written}, the entry says {said}.", severity
    return None


def duplicates(references: Sequence[Reference]) -> tuple[Reference, ...]:
    """Mark every reference that gives a work a second time: same DOI, or same first author, year and title."""
    seen: dict[tuple[str, ...], Reference] = {}
    marked: list[Reference] = []
    for reference in references:
        keys = _keys(reference)
        earlier = next((seen[k] for k in keys if k in seen), None)
        for key in keys:
            seen.setdefault(key, reference)
        if earlier is not None:
            problem = Problem(
                "duplicate-entry",
                f"{_who(reference.csl)}: the same work is already listed as {earlier.id}.",
                "warning",
                reference.start,
                reference.end,
                reference.id,
            )
            reference = replace(reference, problems=(*reference.problems, problem))  # noqa: PLW2901
        marked.append(reference)
    return tuple(marked)


def _keys(reference: Reference) -> list[tuple[str, ...]]:
    csl = reference.csl
    keys: list[tuple[str, ...]] = []
    if doi := csl.get("DOI"):
        keys.append(("doi", str(doi).lower()))
    title = re.sub(r"\W+", " ", names.fold(str(csl.get("title") or ""))).strip()
    if len(title) > 12:
        keys.append(("work", names.fold(_who(csl)), title, str(csl.get("volume", "")), str(csl.get("page", ""))))
    place = tuple(names.fold(str(csl.get(k, ""))) for k in ("container-title", "volume", "page"))
    if all(place):
        # Lists of physics and chemistry leave titles out: journal, volume and page are one work.
        keys.append(("place", *place))
    if bare := re.sub(r"[\W_]+", "", _LABEL.sub("", reference.raw)).casefold():
        keys.append(("raw", bare))
    return keys


def _who(csl: Csl) -> str:
    for role in ("author", "editor"):
        people = csl.get(role)
        if people:
            first = people[0]
            name = first.get("literal") or first.get("family") or ""
            parts = ((csl.get("issued") or {}).get("date-parts") or [[]])[0]
            return f"{name} ({parts[0]})" if parts else str(name)
    return _short(str(csl.get("title") or "An entry"))


def _short(text: str, limit: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
