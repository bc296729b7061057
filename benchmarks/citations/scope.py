"""Judged questions against scopes: whether the evidence of each lies under exactly the entries it should lead to."""

from __future__ import annotations

import json
from pathlib import Path

from rag import documents
from rag.bibliography import parse
from rag.citations import covering, link
from rag.types import Document, Mention, Reference

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
JUDGED = {
    "digest": (ROOT / "corpus/china-generative-ai/damiani-2024.md", ROOT / "tests/gold/digest.jsonl"),
    "numeric": (ROOT / "tests/corpora/numeric/lantern-moss.md", ROOT / "tests/gold/numeric.jsonl"),
    "report-notes": (ROOT / "tests/corpora/report-notes/night-ferries.txt", ROOT / "tests/gold/report-notes.jsonl"),
    "authoryear-es": (ROOT / "tests/corpora/authoryear-es/relojes-de-sal.md", ROOT / "tests/gold/authoryear-es.jsonl"),
    "raw article": (SHARED / "corpus/article.txt", SHARED / "gold/article-public.jsonl"),
}
"""Name → the document and its judged questions."""
DISPUTED = {("numeric.jsonl", "n24"), ("report-notes.jsonl", "r32")}
"""Left out: the judged words open a sentence that a citation closes, so rule 1 gives them to it; these questions, made
for answers, name no entry."""


def read(path: Path) -> tuple[Document, list[Reference], tuple[Mention, ...]]:
    """A file through reading, parsing and linking."""
    document = documents.read(path)
    references = [
        r
        for span in document.bibliography()
        for r in parse(document.text[span.start : span.end], offset=span.start, language=document.language)[0]
    ]
    return document, references, link(document, references)[0]


def faults(path: Path, questions: Path) -> tuple[int, list[str]]:
    """How many questions were judged, and those whose evidence has other references than it should."""
    document, references, mentions = read(path)
    judged, wrong = 0, []
    for line in questions.read_text(encoding="utf-8").splitlines():
        question = json.loads(line)
        start = document.text.find(question["evidence"] or "\0")
        if (
            (questions.name, question["id"]) in DISPUTED
            or start < 0
            or any(s.overlaps(start, start + 1) for s in document.bibliography())
        ):
            continue
        judged += 1
        over = covering(mentions, start, start + len(question["evidence"]))
        wanted = {r.id for r in references for f in question["references"] if f.lower() in r.raw.lower()}
        if {m.reference_id for m in over if m.reference_id} != wanted:
            wrong.append(question["id"])
    return judged, wrong


def measure() -> dict[str, dict[str, int]]:
    """Of each judged document here: how many pieces of evidence, and how many lead to exactly their entries."""
    out = {}
    for name, (path, questions) in JUDGED.items():
        if path.exists() and questions.exists():
            judged, wrong = faults(path, questions)
            out[name] = {"judged": judged, "right": judged - len(wrong)}
    return out
