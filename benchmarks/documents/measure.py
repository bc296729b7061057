"""How well real files are read: outcome, reason, seconds and memory of each, text recall and precision where known.

    python benchmarks/documents/measure.py [--data ../shared/data] [--quick] [--json FIGURES.json]

Every file goes through the reading process with its limits, as in the service. Recall and precision compare the words
of the stored text, as a multiset, with those of the Markdown that comes with the data.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import re
import statistics
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rag.bounded import Worker
from rag.documents import read_isolated
from rag.errors import DocumentError

HERE = Path(__file__).parent
DATA = HERE.parents[2] / "shared" / "data"
FOLDERS = ("ingest_pdf", "ingest_office")
_ASIDE = {"groundtruth", "expected_outputs"}
_MARKUP = re.compile(r"<!--.*?-->|\]\([^)\s]*\)|data:image\S+|&(?:amp|lt|gt|quot|nbsp);|\\(?=\W)|\\_", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one file."""

    file: str
    outcome: str
    """``read`` or ``skipped``."""
    reason: str
    seconds: float
    peak_mb: float
    """Memory of the reading process after the file; it serves several and never shrinks."""
    characters: int = 0
    recall: float | None = None
    precision: float | None = None


def files(data: Path, *, quick: bool = False) -> Iterator[Path]:
    """The files to read, in a stable order; `quick` takes every fourth and all that have an expected text."""
    for folder in FOLDERS:
        found = [
            p
            for p in sorted((data / folder).rglob("*"))
            if p.is_file() and not _ASIDE & set(p.parts) and p.name != "SOURCE.md" and p.suffix != ".LICENSE"
        ]
        yield from (p for i, p in enumerate(found) if not quick or i % 4 == 0 or expected(p))


def expected(path: Path) -> Path | None:
    """The Markdown that says what the file holds."""
    beside = path.parent.parent / "groundtruth" / f"{path.name}.md"
    if beside.exists():
        return beside
    output = path.parent / "expected_outputs" / f"{path.stem}.md"
    return output if output.exists() and path.suffix == ".pdf" else None


def words(text: str) -> Counter[str]:
    """The words of a text, as often as they stand in it; raised numbers as the expected texts have them, plain."""
    return Counter(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


def measure(data: Path, *, quick: bool = False) -> list[Row]:
    """Read every file in the process with limits; nothing is written."""
    rows = []
    with Worker() as worker:
        for path in files(data, quick=quick):
            name = path.relative_to(data).as_posix()
            start = time.perf_counter()
            try:
                found = read_isolated(path, worker=worker)
            except DocumentError as error:
                rows.append(Row(name, "skipped", str(error), time.perf_counter() - start, worker.peak_mb))
                continue
            seconds = time.perf_counter() - start
            reason = ", ".join(sorted({p.kind for p in found.problems}))
            gold = expected(path)
            recall = precision = None
            if gold is not None:
                want, got = words(_MARKUP.sub(" ", gold.read_text(encoding="utf-8"))), words(found.text)
                shared = sum((want & got).values())
                recall = shared / max(1, sum(want.values()))
                precision = shared / max(1, sum(got.values()))
            rows.append(Row(name, "read", reason, seconds, worker.peak_mb, len(found.text), recall, precision))
    return rows


def summary(rows: list[Row]) -> dict[str, Any]:
    """The figures that are quoted and held."""
    known = [r for r in rows if r.recall is not None and r.precision is not None]

    def mean(kind: str, part: str) -> float:
        values = [getattr(r, part) for r in known if r.file.endswith(kind)]
        return round(statistics.fmean(values), 4) if values else 0.0

    kinds = sorted({Path(r.file).suffix for r in known})
    return {
        "files": len(rows),
        "read": sum(r.outcome == "read" for r in rows),
        "skipped": sum(r.outcome == "skipped" for r in rows),
        "with_expected_text": len(known),
        "recall": mean("", "recall"),
        "precision": mean("", "precision"),
        "by_kind": {k: {"recall": mean(k, "recall"), "precision": mean(k, "precision")} for k in kinds},
        "slowest_seconds": round(max(r.seconds for r in rows), 2),
        "peak_mb": round(max(r.peak_mb for r in rows)),
    }


def data_hash(data: Path) -> str:
    """What the figures were measured on: a hash over the names and bytes of all files."""
    total = hashlib.sha256()
    for path in files(data):
        total.update(path.relative_to(data).as_posix().encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def main() -> None:
    """Print the table, then the summary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path, default=None, help="write the figures here")
    given = parser.parse_args()
    rows = measure(given.data, quick=given.quick)
    for r in rows:
        quality = f"R {r.recall:.3f} P {r.precision:.3f}" if r.recall is not None and r.precision is not None else ""
        print(f"{r.file[:70]:70} {r.outcome:8} {r.seconds:6.2f} s {r.peak_mb:5.0f} MB {quality:15} {r.reason[:110]}")
    figures = summary(rows)
    print(json.dumps(figures, indent=1))
    if given.json:
        about = {
            "command": "python benchmarks/documents/measure.py --json benchmarks/documents/FIGURES.json",
            "data_sha256": data_hash(given.data),
            "python": platform.python_version(),
            "summary": figures,
            "files": [asdict(r) | {"seconds": round(r.seconds, 3), "peak_mb": round(r.peak_mb)} for r in rows],
        }
        given.json.write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.exit(0 if rows else 1)


if __name__ == "__main__":
    main()
