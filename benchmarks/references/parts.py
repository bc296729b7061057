"""The figures that need a few lines only: the raw article's audit, round trips of real entries, the speed curve."""

from __future__ import annotations

import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from benchmarks.bibliography import scoring
from benchmarks.citations import scope
from benchmarks.citations.invented import invented
from rag.bibliography import export, parse, parse_entry, read_structured
from rag.citations import audit, link
from rag.types import Document, Reference

SHARED = Path(__file__).parents[3] / "shared"
Form = Literal["bibtex", "ris", "csl"]
PATHS: dict[str, tuple[Form, ...]] = {
    "BibTeX": ("bibtex",),
    "RIS": ("ris",),
    "CSL-JSON": ("csl",),
    "BibTeX → RIS → CSL-JSON → BibTeX": ("bibtex", "ris", "csl", "bibtex"),
}


def audited() -> list[list[str]]:
    """What the audit finds in the raw article: kind, severity and entry of each problem, in the order of the text."""
    document, references, mentions = scope.read(SHARED / "corpus" / "article.txt")
    found = [[p.kind, p.severity, p.reference_id or ""] for p in audit(document, references, mentions)]
    return [list(one) for one in dict.fromkeys(map(tuple, found))]


def items() -> list[dict[str, Any]]:
    """Real CSL items: the fields of SciELO's and eLife's files, and what our parser makes of SciELO's strings."""
    found = [
        {**reference.csl}
        for name in ("scielo_jats", "elife_jats")
        for path in sorted((SHARED / "data" / name).glob("*.xml"))
        for reference in read_structured(path.read_bytes(), "jats")[0]
    ]
    found += [parse_entry(pair.raw)[0] for pair in scoring.scielo()]
    return [{k: v for k, v in item.items() if k != "custom"} for item in found]


def round_trips() -> dict[str, dict[str, Any]]:
    """Path → items and fields sent along it, and how many fields of each name came back changed or not at all."""
    sent = items()
    out: dict[str, dict[str, Any]] = {}
    for name, forms in PATHS.items():
        references = [Reference(f"id{i}", item) for i, item in enumerate(sent)]
        for form in forms:
            back, _ = read_structured(export(references, form).encode(), form)
            references = [
                Reference(f"id{i}", {k: v for k, v in r.csl.items() if k != "custom"}) for i, r in enumerate(back)
            ]
        lost = Counter(
            key
            for item, reference in zip(sent, references, strict=True)
            for key, value in item.items()
            if reference.csl.get(key) != value
        )
        out[name] = {"items": len(sent), "fields": sum(map(len, sent)), "lost": dict(lost)}
    return out


def speed() -> list[dict[str, float | str]]:
    """Seconds on one core to parse a list, to link a text and to audit both, as list and text grow together."""
    rows: list[dict[str, float | str]] = []
    parse(invented(20, 60, numbered=False)[1][0].raw)
    for count in (125, 250, 500, 1000, 2000):
        for numbered in (False, True):
            row = timed(*sized(count, numbered=numbered))
            cited = "number" if numbered else "author and year"
            rows.append({"references": count, "mentions": 3 * count, "cited by": cited, **row})
    return rows


def sized(count: int, *, numbered: bool) -> tuple[Document, str]:
    """A text with three citations of each of `count` entries, and their list."""
    document, listed = invented(count, 3 * count, numbered=numbered)
    lines = [f"[{i}] {r.raw}" if numbered else r.raw for i, r in enumerate(listed, 1)]
    return document, "\n".join(lines)


def timed(document: Document, text: str) -> dict[str, float]:
    """One point of the curve: seconds of each step and how much was found."""
    marks = [time.perf_counter()]
    references, _ = parse(text)
    marks.append(time.perf_counter())
    mentions, _ = link(document, references)
    marks.append(time.perf_counter())
    audit(document, references, mentions)
    marks.append(time.perf_counter())
    steps = [round(b - a, 3) for a, b in pairwise(marks)]
    return {
        "parse": steps[0],
        "link": steps[1],
        "audit": steps[2],
        "entries found": len(references),
        "mentions found": len(mentions),
    }
