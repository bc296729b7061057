"""All figures of retrieval by one command: each public set whole by the default settings, and the parts of a search.

    python -m benchmarks.retrieval --keep ../eval-index [--only scifact cmrc …] [--no-ablation]

Writes FIGURES.json as it goes, set by set; what is not run keeps its figures. `--keep` keeps the indexes, so that a run
that was stopped, or one with other weights, embeds nothing again; with none at hand the sets take about an hour and a
half on one core, most of it SciFact's sentences. Floors for small parts of the same sets stand in FLOORS.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.retrieval import ablation
from rag.evaluate import runs, sets, statistics
from rag.settings import Settings
from rag.workspace import Workspace

HERE = Path(__file__).parent
FIGURES = HERE / "FIGURES.json"
DATA = HERE.parents[2] / "shared" / "data"


@dataclass(frozen=True, slots=True)
class _Set:
    path: str
    sample: int | None = None
    answerable: bool = False
    """Only questions that their document answers."""
    ablation: bool = True


SETS: Mapping[str, _Set] = {
    "scifact": _Set("scifact"),
    "squad2_half_answerable": _Set("squad2_half/dev-v2.0.json", answerable=True),
    "squad2_half": _Set("squad2_half/dev-v2.0.json", sample=2000, ablation=False),
    "cmrc": _Set("cmrc2018/cmrc2018_trial.json"),
}
_SHAPING = ("encoder", "sparse", "chunk_tokens", "dense_weight", "reranker")


def measure(given: sets.EvaluationSet, keep: Path) -> dict[str, Any]:
    """A set under the default settings, with what either side reaches alone."""
    made: dict[str, Any] = {}
    alone: dict[str, Any] = {}
    for weight in (Settings().dense_weight, 0.0, 1.0):
        workspace = Workspace(Settings(index=keep, collection=f"eval-{given.sha256[:16]}", dense_weight=weight))
        workspace.index_documents(given.documents)
        run = runs.run(
            given,
            workspace.generation(),
            lambda query, *, limit, w=workspace: w.search(query, limit=limit, kinds=("text",))[1],
            None,
            settings={name: getattr(workspace.settings, name) for name in _SHAPING},
            models={},
        )
        found = run.estimates()
        if not made:
            made = {
                "set": {"name": given.name, "sha256": given.sha256, "documents": len(given.documents)},
                "settings": dict(run.settings),
                "measures": {name: asdict(e) for name, e in found.items()},
            }
            ours = run
        else:
            side = "dense" if weight else "lexical"
            apart = statistics.compare(list(run.values["nDCG@10"].values()), list(ours.values["nDCG@10"].values()))
            alone[side] = {"nDCG@10": found["nDCG@10"].mean, "fused_more_by": asdict(apart) if apart else None}
    return made | {"alone": alone}


def main() -> None:
    """Measure, print and write FIGURES.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, required=True, help="folder for the indexes, kept")
    parser.add_argument("--only", nargs="*", choices=list(SETS), default=list(SETS))
    parser.add_argument("--no-ablation", action="store_true")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the public sets")
    parser.add_argument("--figures", type=Path, default=FIGURES, help="where to write them")
    options = parser.parse_args()
    figures: dict[str, Any] = json.loads(options.figures.read_bytes()) if options.figures.is_file() else {}
    for name in options.only:
        one = SETS[name]
        given = runs.sampled(sets.read(options.data / one.path), one.sample)
        if one.answerable:
            given = replace(given, queries=tuple(q for q in given.queries if q.judged and q.judged.answerable))
        figures[name] = measure(given, options.keep)
        print(name, {m: round(e["mean"], 4) for m, e in figures[name]["measures"].items()}, flush=True)
        if one.ablation and not options.no_ablation:
            figures.setdefault("ablation", {})[name] = ablation.table(given, options.keep)
        options.figures.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
