"""Faults planted in real articles, and whether the audit finds each at its place and stays silent otherwise.

Every article of the sets with author–year citations is read as running text and plain list. One fault a time is put
in, chosen by a seeded generator, and counts as found when the audit of the changed article has a problem of that kind
that names it and that the unchanged article has not. Beside that, the citations called unlisted although the gold
links them are counted.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.citations.jats import Body, articles
from rag.bibliography import parse
from rag.citations import audit, link
from rag.types import Document, Problem

SETS = ("elife_jats", "scielo_jats")
PER_ARTICLE = 2
"""Faults of each kind planted in one article, one after the other."""
Planted = tuple[str, list[str], str]
"""Text, list and something the finding must say."""


def measure(data: Path) -> dict[str, dict[str, float]]:
    """Kind → planted, found and the share; and the false alarms of the articles as they are."""
    chance = random.Random(7)  # noqa: S311 - the same faults every time
    counts = {kind: [0, 0] for kind in KINDS}
    linked = alarms = 0
    for name in SETS:
        for path in sorted((data / name).glob("*.xml")):
            for body in articles(path):
                if not body.links or body.translation:
                    continue
                raws = [entry.raw for entry in body.references]
                clean = _audited(body, body.text, raws)
                before = {(p.kind, p.message) for p in clean}
                linked += len(body.links)
                alarms += sum(
                    p.kind == "cited-but-not-listed"
                    and any(a < (p.end or 0) and (p.start or 0) < b for a, b, _ in body.links)
                    for p in clean
                )
                for kind, plant in KINDS.items():
                    for text, changed, said in plant(body, raws, chance):
                        new = [p for p in _audited(body, text, changed) if (p.kind, p.message) not in before]
                        counts[kind][0] += 1
                        counts[kind][1] += any(p.kind == kind and said in p.message for p in new)
    out: dict[str, dict[str, float]] = {
        kind: {"planted": n, "found": k, "share": round(k / n, 3) if n else 0.0} for kind, (n, k) in counts.items()
    }
    out["called unlisted though the gold links it"] = {"citations": linked, "alarms": alarms}
    return out


def _audited(body: Body, text: str, raws: list[str]) -> tuple[Problem, ...]:
    references, problems = parse("\n\n".join(raws), language=body.language)
    references = tuple(references)
    document = Document("d", text, language=body.language)
    mentions, _ = link(document, references)
    return (*audit(document, references, mentions), *problems)


def _cited_once(body: Body) -> list[tuple[int, int, int]]:
    """Citations (start, end, entry) by author and year whose author the text names nowhere else."""
    found = []
    at = {entry.key: i for i, entry in enumerate(body.references)}
    for a, b, keys in body.links:
        family = _family(body.references[at[keys[0]]].raw)
        cited = body.text[a:b].casefold()
        by_year = re.search(r"\W(?:19|20)\d\d\)?$", cited)
        if len(keys) == 1 and by_year and family in cited and body.text.casefold().count(family) == 1:
            found.append((a, b, at[keys[0]]))
    return found


def _family(raw: str) -> str:
    """The first word of an entry, which in such lists is its first author's."""
    word = re.search(r"[^\W\d_]{2,}", raw)
    return word[0].casefold() if word else "\0"


def _year_changed(body: Body, raws: list[str], chance: random.Random) -> Iterator[Planted]:
    for start, end, _ in _some(_cited_once(body), chance):
        cited = body.text[start:end]
        year = re.findall(r"(?:19|20)\d\d", cited)[-1]
        wrong = str(int(year) + chance.choice((-1, 1)))
        yield body.text[:start] + cited.replace(year, wrong) + body.text[end:], raws, wrong


def _entry_removed(body: Body, raws: list[str], chance: random.Random) -> Iterator[Planted]:
    for start, end, i in _some(_cited_once(body), chance):
        yield body.text, raws[:i] + raws[i + 1 :], body.text[start:end][:4]


def _citation_removed(body: Body, raws: list[str], chance: random.Random) -> Iterator[Planted]:
    for start, end, i in _some(_cited_once(body), chance):
        yield body.text[:start] + body.text[end:], raws, raws[i].strip()[:4]


def _entry_doubled(body: Body, raws: list[str], chance: random.Random) -> Iterator[Planted]:
    for i in _some(range(len(raws)), chance):
        number = re.match(r"\W*\d{1,3}\b", raws[-1])
        again = re.sub(r"^\W*\d{1,3}\b", f"{len(raws) + 1}", raws[i]) if number else raws[i]
        yield body.text, [*raws, again.replace(". ", ".  ")], ""


def _date_removed(body: Body, raws: list[str], chance: random.Random) -> Iterator[Planted]:
    years = r"\W{0,2}\b(?:19|20)\d\d[a-z]?\b\W?"
    once = [i for i, raw in enumerate(raws) if len(re.findall(years, raw)) == 1 and "http" not in raw]
    for i in _some(once, chance):
        yield body.text, [*raws[:i], re.sub(years, " ", raws[i]), *raws[i + 1 :]], ""


def _doi_broken(body: Body, raws: list[str], chance: random.Random) -> Iterator[Planted]:
    for i in _some(range(len(raws)), chance):
        if "10." not in raws[i]:
            yield body.text, [*raws[:i], raws[i].rstrip(". ") + ". doi: 10/abc-123.", *raws[i + 1 :]], "10/abc-123"


def _some(items: Sequence[Any], chance: random.Random) -> list[Any]:
    return chance.sample(items, min(PER_ARTICLE, len(items)))


KINDS: dict[str, Callable[[Body, list[str], random.Random], Iterator[Planted]]] = {
    "year-mismatch": _year_changed,
    "cited-but-not-listed": _entry_removed,
    "listed-but-never-cited": _citation_removed,
    "duplicate-entry": _entry_doubled,
    "missing-date": _date_removed,
    "malformed-doi": _doi_broken,
}
