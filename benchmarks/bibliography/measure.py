"""The figures of the bibliography's parser; ``python -m benchmarks.bibliography.measure`` prints them.

Micro and per-field F1 (see `scoring`) on SciELO (never trained on), on the files of AnyStyle and GROBID left out of
training and on the collections left out whole; what rules add to the model; entries found by layout. They are kept,
with all other figures of references, by ``python -m benchmarks.references``.
"""

from __future__ import annotations

import hashlib
import json
import re
import statistics
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.bibliography import corpora, scoring
from rag.bibliography import online, parse_entry, tagger
from rag.bibliography.entry import assemble
from rag.bibliography.split import split

Sets = dict[str, list[scoring.Pair]]


def sets() -> Sets:
    """The gold strings by name; ``left out`` is everything of AnyStyle and GROBID that training does not see."""
    _, by_file, collections = corpora.split()

    def pairs(items: Iterable[corpora.Labelled]) -> list[scoring.Pair]:
        return [scoring.Pair(i.raw, scoring.of_labelled(i), i.source) for i in items]

    return {
        "scielo": list(scoring.scielo()),
        "left out": pairs([*by_file, *collections]),
        "left out by file": pairs(by_file),
        "collection: GROBID evaluation lists": pairs(i for i in collections if "evaluation" in i.source),
        "collection: GROBID odd strings": pairs(i for i in collections if "raw_ref" in i.source),
    }


def score(pairs: Iterable[scoring.Pair]) -> scoring.Score:
    """Parse every string and compare."""
    total = scoring.Score()
    for pair in pairs:
        total.add(pair.gold, scoring.of_csl(parse_entry(pair.raw)[0]), pair.raw)
    return total


def by_article(pairs: Iterable[scoring.Pair]) -> dict[str, float]:
    """Micro F1 of each file."""
    totals: dict[str, scoring.Score] = {}
    for pair in pairs:
        totals.setdefault(pair.source, scoring.Score()).add(
            pair.gold, scoring.of_csl(parse_entry(pair.raw)[0]), pair.raw
        )
    return {name: round(total.f1(), 3) for name, total in totals.items()}


def rules_share(pairs: list[scoring.Pair]) -> dict[str, float]:
    """What rules do: their share of the values (identifiers, whole online entries), and micro F1 without them."""
    fixed = decided = 0
    alone = scoring.Score()
    for pair in pairs:
        fields = scoring.of_csl(parse_entry(pair.raw)[0])
        by_rule = online.segment(pair.raw) is not None
        decided += len(fields)
        fixed += len(fields) if by_rule else sum(f in fields for f in ("DOI", "URL"))
        alone.add(pair.gold, scoring.of_csl(assemble(pair.raw, tagger.label(pair.raw), [])), pair.raw)
    return {"decided by rules": round(fixed / decided, 3), "without rules": round(alone.f1(), 4)}


def layouts() -> dict[str, float]:
    """How many of SciELO's entries come back whole when each article's list is laid out in seven ways (F1)."""
    lists: dict[str, list[str]] = {}
    for pair in scoring.scielo():
        lists.setdefault(pair.source, []).append(re.sub(r"^\s*(?:\[\d{1,3}\]|\d{1,3}\.?(?=\s+\S))\s*", "", pair.raw))

    def broken(raw: str, indent: str = "") -> str:
        return f"\n{indent}".join(textwrap.wrap(raw, 80, break_long_words=False, break_on_hyphens=False))

    forms: dict[str, Callable[[list[str]], str]] = {
        "one a line": "\n".join,
        "blank lines between": "\n\n".join,
        "broken at 80, nothing between": lambda raws: "\n".join(broken(r) for r in raws),
        "broken at 80, blank lines between": lambda raws: "\n\n".join(broken(r) for r in raws),
        "broken at 80, hanging": lambda raws: "\n".join(broken(r, "    ") for r in raws),
        "broken at 80, numbered 1.": lambda raws: "\n".join(broken(f"{i}. {r}") for i, r in enumerate(raws, 1)),
        "numbered [1]": lambda raws: "\n".join(f"[{i}] {r}" for i, r in enumerate(raws, 1)),
    }
    result: dict[str, float] = {}
    for name, lay in forms.items():
        right = found = wanted = 0
        for raws in lists.values():
            text = lay(raws)
            entries = Counter(" ".join(text[e.body : e.end].split()) for e in split(text)[0])
            right += (entries & Counter(raws)).total()
            found, wanted = found + entries.total(), wanted + len(raws)
        result[name] = round(2 * right / (found + wanted), 3)
    return result


def measure() -> dict[str, Any]:
    """Everything, as it is kept."""
    gold = sets()
    articles = by_article(gold["scielo"])
    return {
        "model_sha256": hashlib.sha256(tagger.MODEL.read_bytes()).hexdigest(),
        "model_bytes": tagger.MODEL.stat().st_size,
        "strings": {name: len(pairs) for name, pairs in gold.items()},
        "f1": {name: score(pairs).table() for name, pairs in gold.items()},
        "scielo by article": {
            "worst five": dict(sorted(articles.items(), key=lambda kv: kv[1])[:5]),
            "median": statistics.median(articles.values()),
        },
        "rules": {name: rules_share(gold[name]) for name in ("scielo", "left out")},
        "entries found by layout": layouts(),
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1, ensure_ascii=False))
