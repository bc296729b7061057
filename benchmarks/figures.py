"""The README's table of figures, made from what the benchmarks kept: `python -m benchmarks.figures --write`.

Each row is read from the FIGURES.json that the command beside it writes; a test holds README and files together.
Measures nothing itself.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
BEGIN, END = "<!-- made by: python -m benchmarks.figures --write -->\n", "<!-- end of figures -->"
Row = tuple[str, str, str]
"""What was measured, the figure, the command."""


def rows() -> list[Row]:
    """All rows whose figures have been kept, in the order of the pipeline."""
    rooms = (_documents, _bibliography, _citations, _sources, _retrieval, _answers, _judge)
    return [row for room in rooms for row in room()]


def table() -> str:
    """The rows as a Markdown table."""
    lines = ["| what | figure | command |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {what} | {figure} | `{command}` |" for what, figure, command in rows())]) + "\n"


def _documents() -> list[Row]:
    kept = _kept("documents/FIGURES.json")
    s = kept["summary"]
    what = f"{s['files']} files of all kinds, some broken: read / skipped with a reason"
    return [
        (what, f"{s['read']} / {s['skipped']}", kept["command"]),
        (
            f"their text against the expected one ({s['with_expected_text']} files): recall, precision",
            f"{s['recall']:.3f}, {s['precision']:.3f}",
            kept["command"],
        ),
    ]


def _bibliography() -> list[Row]:
    kept = _kept("references/FIGURES.json")["parsing"]
    names = {"scielo": "SciELO, never trained on", "left out": "the parts of AnyStyle and GROBID left out"}
    return [
        (
            f"reference strings → fields, {kept['strings'][key]} strings ({name}): micro F1",
            f"{kept['f1'][key]['micro']:.3f}",
            "python -m benchmarks.references",
        )
        for key, name in names.items()
    ]


def _citations() -> list[Row]:
    kept = _kept("references/FIGURES.json")["linking"]["end to end"]
    names = {"elife_jats": "eLife", "scielo_jats": "SciELO", "plos_jats": "PLOS, numeric"}
    found = []
    for key, name in names.items():
        all_ = kept[key]["all"]
        found.append(
            (
                f"in-text citations → entries, from raw text ({name}, {all_['links']} links): precision, recall, F1",
                f"{all_['precision']:.3f}, {all_['recall']:.3f}, {all_['f1']:.3f}",
                "python -m benchmarks.references",
            )
        )
    return found


def _sources() -> list[Row]:
    kept = _kept("sources/FIGURES.json")
    known, found = kept["recognised"], kept["found"]
    neither, denied, borne = (found[label] for label in ("neither", "CONTRADICT", "SUPPORT"))
    what = f"{known['articles']} articles among {known['other_entries']} entries, no DOI"
    return [
        (
            f"listed works recognised, {what}: with metadata, as bare text",
            f"{known['with metadata']['recall']:.3f}, {known['bare text']['recall']:.3f}",
            kept["command"],
        ),
        (
            "the cited work's own sentence cited beside the claim (SciFact): where it bears it, denies it, neither",
            ", ".join(f"{row['found']}/{row['claims']}" for row in (borne, denied, neither)),
            kept["command"],
        ),
    ]


def _retrieval() -> list[Row]:
    kept = _kept("retrieval/FIGURES.json")
    sets = (
        ("scifact", "SciFact, 809 train claims", "nDCG@10", "adfontes eval ../shared/data/scifact"),
        (
            "squad2_half_answerable",
            "SQuAD 2.0, half of dev, answerable",
            "nDCG@10",
            "adfontes eval ../shared/data/squad2_half/dev-v2.0.json",
        ),
        ("cmrc", "CMRC 2018 trial, Chinese", "Recall@5", "adfontes eval ../shared/data/cmrc2018/cmrc2018_trial.json"),
    )
    found = []
    for key, name, measure, command in sets:
        value = kept[key]["measures"][measure]
        value = value["mean"] if isinstance(value, dict) else value
        found.append((f"passages for questions ({name}): {measure}", f"{value:.3f}", command))
    return found


def _answers() -> list[Row]:
    kept = _kept("answers/FIGURES.json")
    m = kept["raw article, public questions"]["measures"]
    shown = (m["evidence"]["mean"], m["references"]["mean"], m["declined"]["mean"])
    what = "30 public questions on the first article: right passage cited, right entries, unanswerable ones declined"
    command = "adfontes --collection raw eval ../shared/gold/article-public.jsonl"
    return [(what, ", ".join(f"{x:.2f}" for x in shown), command)]


def _judge() -> list[Row]:
    kept = _kept("training/RESULTS.json")
    rows = (
        ("question answerable from its passage or not, adversarial, unseen articles: AUC",
         kept["squad2_half"]["answerable_by_sentences"]),
        ("claim supported by a sentence of an abstract or not, SciFact's unseen half: AUC",
         kept["scifact"]["supported_against_all"]),
    )  # fmt: skip
    command = "python -m benchmarks.training.evaluate_judge rag/models/judge"
    return [(what, f"{found['auc']:.3f}", command) for what, found in rows]


def _kept(name: str) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads((HERE / name).read_text(encoding="utf-8"))
    return kept


def main() -> None:
    """Print the table, or with --write put it into the README."""
    made = table()
    if "--write" in sys.argv:
        text = README.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        README.write_text(before + BEGIN + made + END + rest.split(END)[1], encoding="utf-8")
    print(made)


if __name__ == "__main__":
    main()
