"""All figures of the bibliography's parser, by one command: ``python -m benchmarks.bibliography.measure``.

Prints micro and per-field F1 (see `scoring`) on SciELO (never trained on), on the files of AnyStyle and GROBID
left out of training and on the collections left out whole; what rules add to the model; the speed curve; and
keeps everything in FIGURES.json. ``--floors`` also raises the floors in FLOORS.json to just under these figures;
a floor is never lowered by this program.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import re
import statistics
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.bibliography import corpora, scoring
from rag.bibliography import online, parse, parse_entry, tagger
from rag.bibliography.split import split

HERE = Path(__file__).parent
FIGURES, FLOORS = HERE / "FIGURES.json", HERE / "FLOORS.json"
MARGIN = 0.003
"""How far under a figure its floor is set: less than any loss worth noticing, more than rounding."""

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


def rules_share(pairs: list[scoring.Pair]) -> dict[str, Any]:
    """What share of the field values rules decide instead of the model: all DOIs and URLs, and whole online entries."""
    fixed = decided = online_entries = 0
    for pair in pairs:
        fields = scoring.of_csl(parse_entry(pair.raw)[0])
        by_rule = online.segment(pair.raw) is not None
        online_entries += by_rule
        decided += len(fields)
        fixed += len(fields) if by_rule else sum(f in fields for f in ("DOI", "URL"))
    return {
        "entries": len(pairs),
        "values": decided,
        "decided by rules": round(fixed / decided, 3),
        "entries read by the grammar of online entries": online_entries,
    }


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


def speed() -> dict[str, dict[str, float]]:
    """Seconds to parse lists of 100, 300 and 1,000 entries as running text, the median of three."""
    raw = [p.raw for p in scoring.scielo()]
    curve: dict[str, dict[str, float]] = {}
    parse("\n\n".join(raw[:20]))
    for count in (100, 300, 1000):
        text = "\n\n".join(raw[i % len(raw)] for i in range(count))
        taken = []
        for _ in range(3):
            begun = time.perf_counter()
            found = len(parse(text)[0])
            taken.append(time.perf_counter() - begun)
        middle = statistics.median(taken)
        curve[str(count)] = {
            "seconds": round(middle, 3),
            "ms an entry": round(1000 * middle / count, 3),
            "entries found": found,
        }
    return curve


def measure() -> dict[str, Any]:
    """Everything, as it is written to FIGURES.json."""
    gold = sets()
    articles = by_article(gold["scielo"])
    return {
        "command": "python -m benchmarks.bibliography.measure",
        "model_sha256": hashlib.sha256(tagger.MODEL.read_bytes()).hexdigest(),
        "model_bytes": tagger.MODEL.stat().st_size,
        "python": platform.python_version(),
        "strings": {name: len(pairs) for name, pairs in gold.items()},
        "f1": {name: score(pairs).table() for name, pairs in gold.items()},
        "scielo by article": {
            "worst five": dict(sorted(articles.items(), key=lambda kv: kv[1])[:5]),
            "median": statistics.median(articles.values()),
        },
        "rules on scielo": rules_share(gold["scielo"]),
        "entries found by layout": layouts(),
        "speed, one core": speed(),
    }


def raised(figures: dict[str, Any], floors: dict[str, float]) -> dict[str, float]:
    """Floors just under the figures, never lower than they were."""
    return {
        name: max(floors.get(name, 0.0), round(table["micro"] - MARGIN, 4)) for name, table in figures["f1"].items()
    }


def main() -> None:
    """Measure, print, keep."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--floors", action="store_true", help="raise FLOORS.json to just under these figures")
    given = arguments.parse_args()
    figures = measure()
    FIGURES.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1, ensure_ascii=False))
    if given.floors:
        floors = json.loads(FLOORS.read_text(encoding="utf-8")) if FLOORS.exists() else {}
        FLOORS.write_text(json.dumps(raised(figures, floors), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
