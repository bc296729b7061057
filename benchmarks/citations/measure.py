"""In-text citations on real papers, end to end from raw text and raw list: precision, recall and F1.

    python -m benchmarks.citations.measure [--data DIR] [--list raw|gold|both] [--show ARTICLE] [--superscript FORM]

What is counted: a link is a place in the text and an entry of the list. A predicted mention that resolves counts as
true when the gold has a link to the same entry whose span it overlaps; a gold link counts as found the same way.
Mentions of kind `title` are left out (the gold tags none), and so are mentions that resolve to nothing. Micro over an
article's text and over a set's articles; translations of an article, printed with the list of the original, are a row
of their own.

The gold is not clean: it leaves citations untagged and here and there tags the wrong entry. `f1` counts all that
against us; `f1_tagged` leaves out a predicted link only where the same words are linked to the same entry elsewhere in
the text, or the same author and year are. `elife-kitchen-sink` and `elife-00666` are edited fixtures whose text and
list do not belong together; they count like the rest.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.citations.jats import Body, articles
from rag.citations import link
from rag.types import Document, Mention, Reference

HERE = Path(__file__).parent
SETS = ("elife_jats", "scielo_jats", "plos_jats")
Figures = dict[str, dict[str, Any]]
ReadList = Callable[[Body], tuple[list[Reference], dict[str, str]]]


@dataclass
class Score:
    """Counts of one article or set; `predicted` and `gold` may find their counterparts apart, hence two hit counts."""

    right: int = 0
    predicted: int = 0
    found: int = 0
    gold: int = 0
    untagged: int = 0
    """Of the wrong ones, those whose very words the gold links to that entry elsewhere in the same body."""

    def add(self, other: Score) -> None:
        """Count another body or article in."""
        self.right += other.right
        self.predicted += other.predicted
        self.found += other.found
        self.gold += other.gold
        self.untagged += other.untagged

    @property
    def precision(self) -> float:
        """Share of the predicted links that the gold has."""
        return self.right / self.predicted if self.predicted else 1.0

    @property
    def recall(self) -> float:
        """Share of the gold links that were found."""
        return self.found / self.gold if self.gold else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of the two."""
        return _mean(self.precision, self.recall)

    @property
    def f1_tagged(self) -> float:
        """The same, leaving out what the gold forgot to tag."""
        rest = self.predicted - self.untagged
        return _mean(self.right / rest if rest else 1.0, self.recall)

    def figures(self) -> dict[str, float | int]:
        """What goes into the file of figures."""
        return {
            "precision": round(self.precision, 4),
            "recall": round(self.recall, 4),
            "f1": round(self.f1, 4),
            "f1_tagged": round(self.f1_tagged, 4),
            "links": self.gold,
        }


def _mean(p: float, r: float) -> float:
    return 2 * p * r / (p + r) if p + r else 0.0


def raw_list(body: Body) -> tuple[list[Reference], dict[str, str]]:
    """The list as plain text through the bibliography room; returns references and their ids' XML ids."""
    from rag.bibliography import parse

    starts, text = [], ""
    for entry in body.references:
        starts.append(len(text))
        text += entry.raw + "\n\n"
    references, _ = parse(text, language=body.language)
    keys: dict[str, str] = {}
    for reference in references:
        if reference.start is not None:
            i = max(i for i, s in enumerate(starts) if s <= reference.start)
            keys[reference.id] = body.references[i].key
    return list(references), keys


def gold_list(body: Body) -> tuple[list[Reference], dict[str, str]]:
    """The list with the XML's own fields: what linking alone can do."""
    found = [Reference(f"r{i}", e.csl, e.raw, label=e.label) for i, e in enumerate(body.references)]
    return found, {f"r{i}": e.key for i, e in enumerate(body.references)}


def score(body: Body, read: ReadList, show: Callable[[str], None] | None = None) -> Score:
    """Link one body and count; `show` gets a line for every fault."""
    references, keys = read(body)
    mentions, _ = link(Document("d", body.text, language=body.language), references)
    predicted = [(m, keys.get(m.reference_id)) for m in mentions if m.reference_id is not None and m.kind != "title"]
    gold = [(start, end, key) for start, end, ks in body.links for key in ks]
    by_key: dict[str, list[tuple[int, int]]] = {}
    for start, end, key in gold:
        by_key.setdefault(key, []).append((start, end))
    predicted_by_key: dict[str | None, list[Mention]] = {}
    for mention, hit in predicted:
        predicted_by_key.setdefault(hit, []).append(mention)
    result = Score(predicted=len(predicted), gold=len(gold))
    for mention, hit in predicted:
        if any(a < mention.end and mention.start < b for a, b in by_key.get(hit or "", ())):
            result.right += 1
            continue
        words = body.text[mention.start : mention.end]
        result.untagged += any(_same(body.text[a:b], words) for a, b in by_key.get(hit or "", ()))
        if show:
            show(f"  false   {_around(body.text, mention.start, mention.end)} → {hit} ({mention.resolution})")
    for start, end, key in gold:
        if any(start < m.end and m.start < end for m in predicted_by_key.get(key, ())):
            result.found += 1
        elif show:
            raw = next((e.raw for e in body.references if e.key == key), "")
            got = [m.resolution for m in mentions if start < m.end and m.start < end]
            show(f"  missing {_around(body.text, start, end)} → {key} {got}: {raw[:90]}")
    return result


def _same(tagged: str, untagged: str) -> bool:
    """Whether two citations say the same: the same words, or the same first name and year."""
    one, other = (re.findall(r"[^\W_]{3,}", re.sub(r"[’']s\b", "", t).casefold()) for t in (tagged, untagged))
    year = [t[-1] for t in (one, other) if t and t[-1][:4].isdigit()]
    return _bare(tagged) == _bare(untagged) or (len(year) == 2 and year[0] == year[1] and one[0] == other[0])


def _bare(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip().casefold()


def _around(text: str, start: int, end: int) -> str:
    return repr(text[max(0, start - 40) : start] + "⟦" + text[start:end] + "⟧" + text[end : end + 25])


def measure(data: Path, read: ReadList, *, superscript: str = "plain", only: Sequence[str] = SETS) -> Figures:
    """All sets: `{set: {"all": figures, "worst": [article, f1], "lowest": {article: f1}}}`."""
    out: Figures = {}
    for name in only:
        scores: dict[str, dict[str, Score]] = {name: {}}
        for path in sorted((data / name).glob("*.xml")):
            for body in articles(path, superscript=superscript):
                if body.links:
                    counted = score(body, read)
                    kinds = ["/translations", "/with translations"] if body.translation else ["", "/with translations"]
                    for kind in kinds:
                        scores.setdefault(name + kind, {}).setdefault(path.stem, Score()).add(counted)
        if f"{name}/translations" not in scores:
            del scores[f"{name}/with translations"]
        for title, row in scores.items():
            total = Score()
            for article in row.values():
                total.add(article)
            worst = min(row, key=lambda k: row[k].f1)
            out[title] = {
                "all": total.figures(),
                "worst": [worst, round(row[worst].f1, 4)],
                "lowest": {k: round(row[k].f1, 4) for k in sorted(row, key=lambda k: row[k].f1)[:5]},
            }
    return out


def both(data: Path) -> dict[str, Figures]:
    """The list as raw strings, and with the XML's own fields."""
    return {"end to end": measure(data, raw_list), "gold list": measure(data, gold_list)}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE.parents[2] / "shared" / "data")
    parser.add_argument("--show", help="print every fault of the articles whose name contains this")
    parser.add_argument("--list", choices=["raw", "gold", "both"], default="both", help="how the list is read")
    parser.add_argument("--superscript", default="plain", choices=["plain", "caret", "unicode"])
    options = parser.parse_args()
    if options.show is not None:
        for name in SETS:
            for path in sorted(p for p in (options.data / name).glob("*.xml") if options.show in p.stem):
                for body in articles(path, superscript=options.superscript):
                    lines: list[str] = []
                    result = score(body, gold_list if options.list == "gold" else raw_list, lines.append)
                    print(name, path.stem, body.language, result.figures(), *lines, sep="\n")
        return
    for title, kind, read in (("end to end", "raw", raw_list), ("gold list", "gold", gold_list)):
        if options.list not in {kind, "both"}:
            continue
        begun = time.perf_counter()
        for name, found in measure(options.data, read, superscript=options.superscript).items():
            print(f"{title:11} {name:24} {found['all']}  worst {found['worst']}")
            print("            ", ", ".join(f"{k} {f:.3f}" for k, f in found["lowest"].items()))
        print(f"{title}: {time.perf_counter() - begun:.1f} s")


if __name__ == "__main__":
    main()
