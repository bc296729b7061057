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
BEGIN_PEERS = "<!-- the peers, made by: python -m benchmarks.figures --write -->\n"
Row = tuple[str, str, str]
"""What was measured, the figure, the command."""
PEERS = {"txtai": "txtai", "llamaindex": "LlamaIndex", "haystack": "Haystack", "langchain": "LangChain"}
COMPARED = {
    "cold_start_s": ("cold start to first answer", " s", False),
    "documents_per_processor_s": ("building, documents a second of processor time", "", True),
    "change_s": ("one document changed", " s", False),
    "hybrid_p50_ms": ("a question, p50", " ms", False),
    "hybrid_p95_ms": ("a question, p95", " ms", False),
    "memory_mb": ("memory", " MB", False),
    "hybrid_ndcg_at_10": ("nDCG@10, hybrid", "", True),
    "dense_ndcg_at_10": ("nDCG@10, by meaning only", "", True),
}
"""Figure of the peers → what it is called, its unit, whether more is better."""


def rows() -> list[Row]:
    """All rows whose figures have been kept, in the order of the pipeline."""
    rooms = (_documents, _bibliography, _citations, _sources, _retrieval, _answers, _judge)
    return [row for room in rooms for row in room()]


def table() -> str:
    """The rows as a Markdown table."""
    lines = ["| what | figure | command |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {what} | {figure} | `{command}` |" for what, figure, command in rows())]) + "\n"


def peers() -> str:
    """Ad Fontes beside its peers: figures, how many times better ours are (×), and where we are behind."""
    kept = _kept("peers/FIGURES.json")
    tools = kept["tools"]
    ours, others = tools["adfontes"], {name: told for name, told in tools.items() if name != "adfontes"}
    lines = [f"| | Ad Fontes | {' | '.join(PEERS[name] for name in others)} |", "|---|---|" + "---|" * len(others)]
    behind = []
    for key, (what, unit, more_is_better) in COMPARED.items():
        cells = []
        for told in others.values():
            factor = ours[key] / told[key] if more_is_better else told[key] / ours[key]
            cells.append(f"{_shown(told[key])}{unit} (×{factor:.2f})")
            if factor < 1 and what not in behind:
                behind.append(what)
        lines.append(f"| {what} | **{_shown(ours[key])}{unit}** | {' | '.join(cells)} |")
    note = (
        f"\n{kept['documents']} documents and {kept['questions']} questions of {kept['set']}, {kept['threads']} thread "
        f"of two shared cores, {kept['date']}: `{kept['command']}`. ×: how many times better Ad Fontes is; below 1 "
        f"it is behind: {'; '.join(behind) or 'nowhere'}. "
        "What is measured and what differs: [benchmarks/peers](benchmarks/peers/README.md).\n"
    )
    return "\n".join(lines) + "\n" + note


def _shown(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


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
    """Print the tables, or with --write put them into the README."""
    made = {BEGIN: table(), BEGIN_PEERS: peers()}
    if "--write" in sys.argv:
        text = README.read_text(encoding="utf-8")
        for begin, own in made.items():
            before, rest = text.split(begin)
            text = before + begin + own + END + rest.split(END, 1)[1]
        README.write_text(text, encoding="utf-8")
    print("\n".join(made.values()))


if __name__ == "__main__":
    main()
