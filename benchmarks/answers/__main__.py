"""Whole answers measured on every judged set: `python -m benchmarks.answers [SET …] [--split tune|held] [--show]`.

Each set is a collection, questions and what counts as right. A third of each set's questions, told by a hash of their
text, is held apart (`--split`): rules and weights are made looking at the others only. `promises` adds up over all sets
what a status is worth. `--write` puts the figures into WHOLE.json.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.function_words import STOP
from rag.lexical import terms, words
from rag.settings import Settings
from rag.types import Answer
from rag.workspace import Workspace

HERE = Path(__file__).parent
SHARED = HERE.parents[1].parent / "shared"
_HELD = 3
"""One question of so many is held apart."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A judged question."""

    question: str
    answerable: bool
    right: Callable[[Answer], bool]
    filters: dict[str, Any] | None = None


@dataclass(slots=True)
class JudgedSet:
    """Questions to one collection; `sources` are put into it."""

    name: str
    sources: list[Path]
    questions: list[Asked]
    most_words: int = 250
    outcomes: list[tuple[Asked, Answer, bool]] = field(default_factory=list)


def shown(answer: Answer) -> str:
    """What a reader sees: the answer and what it cites."""
    return f"{answer.answer}\n" + "\n".join(c.cited_text for c in answer.citations)


def _holds(text: str, alternatives: list[str]) -> bool:
    plain = " ".join(text.casefold().replace("’", "'").split())
    return any(" ".join(a.casefold().replace("’", "'").split()) in plain for a in alternatives)


def nuggets(
    found: list[list[str]], references: list[str], most_words: int, share: float = 0.5
) -> Callable[[Answer], bool]:
    """Right when this share of the nuggets and all references are shown in at most so many words."""

    def right(answer: Answer) -> bool:
        text = shown(answer)
        entries = "\n".join(f"{r.formatted} {r.csl.get('title')}" for r in answer.references)
        return (
            answer.status != "abstained"
            and len(answer.answer.split()) <= most_words
            and sum(_holds(text, n) for n in found) >= share * len(found)
            and all(_holds(entries, [r]) for r in references)
        )

    return right


def _content(text: str) -> set[str]:
    return {t for w in words(text) if w not in STOP for t in terms(w)}


def content_words(answers: list[str], most_words: int, share: float = 0.6) -> Callable[[Answer], bool]:
    """Right when this share of the content words of one answer is shown in at most so many words."""

    def right(answer: Answer) -> bool:
        text = _content(" ".join(shown(answer).split()))
        return (
            answer.status != "abstained"
            and len(answer.answer.split()) <= most_words
            and any((wanted := _content(a)) and len(wanted & text) >= share * len(wanted) for a in answers)
        )

    return right


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            yield json.loads(line)


def natural() -> JudgedSet:
    """Open questions on the first article."""
    questions = [
        Asked(q["question"], q["answerable"], nuggets(q["nuggets"], q["references"], 250))
        for q in _lines(SHARED / "gold/article-natural-public.jsonl")
    ]
    return JudgedSet("natural", [SHARED / "corpus/article.txt"], questions)


def public() -> JudgedSet:
    """Narrow questions on the first article."""
    questions = [
        Asked(q["question"], q["answerable"], nuggets([q["answers"]], q.get("references") or [], 250, 1.0))
        for q in _lines(SHARED / "gold/article-public.jsonl")
    ]
    return JudgedSet("public", [SHARED / "corpus/article.txt"], questions)


def papers() -> JudgedSet:
    """Readers' questions on ten papers."""
    folder = SHARED / "data/paper_questions"
    questions = [
        Asked(q["question"], q["answerable"], content_words(q["answers"], 150), {"documents": [q["document"]]})
        for q in _lines(folder / "questions.jsonl")
    ]
    return JudgedSet("papers", sorted(folder.glob("paper-*.txt")), questions, 150)


def squad(articles: int = 3, each: int = 60) -> JudgedSet:
    """Questions of SQuAD 2.0, half of them unanswerable, over whole articles."""
    body = json.loads(next((SHARED / "data/squad2_half").glob("*.json")).read_text(encoding="utf-8"))
    folder = Path(tempfile.mkdtemp(prefix="adfontes-squad-"))
    sources, questions = [], []
    for n, article in enumerate(body["data"][:articles]):
        path = folder / f"article-{n}.txt"
        title = article["title"].replace("_", " ")
        path.write_text(title + "\n\n" + "\n\n".join(p["context"] for p in article["paragraphs"]), encoding="utf-8")
        sources.append(path)
        every = [q for p in article["paragraphs"] for q in p["qas"]]
        every.sort(key=lambda q: hashlib.sha256(q["id"].encode()).hexdigest())
        questions += [
            Asked(q["question"], not q["is_impossible"], nuggets([[a["text"] for a in q["answers"]]], [], 150, 1.0))
            for q in every[:each]
        ]
    return JudgedSet("squad", sources, questions, 150)


def trials() -> Iterator[JudgedSet]:
    """The trials of other tools' failures; what is right stands in trials.json."""
    for name, questions in json.loads((HERE / "trials.json").read_text(encoding="utf-8")).items():
        folder = SHARED / "trials/answers" / name
        sources = sorted((folder / "documents").glob("*")) or [SHARED / s for s in questions.get("sources", [])]
        yield JudgedSet(
            f"trials/{name}",
            sources,
            [Asked(q["question"], q.get("answerable", True), _trial(q)) for q in questions["questions"]],
        )


def _trial(q: dict[str, Any]) -> Callable[[Answer], bool]:
    inner = nuggets(q.get("nuggets", []), q.get("references", []), 250, q.get("share", 1.0))
    return lambda a: inner(a) and not any(_holds(a.answer, [n]) for n in q.get("never", []))


SETS: dict[str, Callable[[], list[JudgedSet]]] = {
    "natural": lambda: [natural()],
    "public": lambda: [public()],
    "papers": lambda: [papers()],
    "squad": lambda: [squad()],
    "trials": lambda: list(trials()),
}


def held(question: str) -> bool:
    """Whether a question is of the third that is looked at once, at the end."""
    return int(hashlib.sha256(question.encode()).hexdigest(), 16) % _HELD == 0


def measure(judged: JudgedSet, folder: Path, split: str) -> None:
    """Ask every question of the set."""
    name = judged.name.replace("/", "-")
    corpus = folder / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    for source in judged.sources:
        shutil.copy(source, corpus)
    workspace = Workspace(Settings(corpus=folder / "corpus", index=folder / "index"))
    workspace.rebuild(name)
    for asked in judged.questions:
        if split != "all" and held(asked.question) != (split == "held"):
            continue
        answer = workspace.ask(asked.question, collection=name, filters=asked.filters)
        judged.outcomes.append((asked, answer, asked.answerable and asked.right(answer)))


def figures(judged: JudgedSet) -> dict[str, float]:
    """Shares of a set."""
    able = [(a, ok) for q, a, ok in judged.outcomes if q.answerable]
    unable = [a for q, a, _ in judged.outcomes if not q.answerable]
    sure = [ok for a, ok in able if a.status in {"answered", "partial"}]
    made = {
        "questions": len(judged.outcomes),
        "right": _share([ok for _, ok in able]),
        "abstained": _share([a.status == "abstained" for a, _ in able]),
        "answered": _share([a.status in {"answered", "partial"} for a, _ in able]),
        "right_when_answered": _share(sure),
        "unanswerable": len(unable),
        "unanswerable_answered": _share([a.status in {"answered", "partial"} for a in unable]),
        "unanswerable_found": _share([a.status == "found" for a in unable]),
        "p50_ms": round(statistics.median(sum(a.timings_ms.values()) for _, a, _ in judged.outcomes), 1),
        "words": round(statistics.mean(len(a.answer.split()) for _, a, _ in judged.outcomes), 1),
    }
    return {k: v for k, v in made.items() if v is not None}


def promises(sets: list[JudgedSet]) -> dict[str, float | None]:
    """What a status is worth, over all sets together."""
    every = [o for s in sets for o in s.outcomes]
    sure = [(q, ok) for q, a, ok in every if a.status == "answered"]
    return {
        "of answered, right": _share([ok for _, ok in sure]),
        "of answerable, abstained": _share([a.status == "abstained" for q, a, _ in every if q.answerable]),
        "of unanswerable, answered": _share(
            [a.status in {"answered", "partial"} for q, a, _ in every if not q.answerable]
        ),
        "of unanswerable, found": _share([a.status == "found" for q, a, _ in every if not q.answerable]),
    }


def _share(found: list[bool]) -> float | None:
    return round(sum(found) / len(found), 3) if found else None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=list(SETS), help=f"of {', '.join(SETS)}")
    parser.add_argument("--split", choices=("all", "tune", "held"), default="all")
    parser.add_argument("--show", action="store_true", help="print the answers that are not right")
    parser.add_argument("--work", type=Path, help="folder of the built indexes, kept for the next run")
    parser.add_argument("--write", action="store_true", help="write FIGURES.json")
    given = parser.parse_args()
    folder = given.work or Path(tempfile.mkdtemp(prefix="adfontes-answers-"))
    started = time.monotonic()
    done: list[JudgedSet] = []
    for name in given.sets:
        for judged in SETS[name]():
            measure(judged, folder, given.split)
            if not judged.outcomes:
                continue
            done.append(judged)
            print(judged.name, json.dumps(figures(judged)), flush=True)
            for asked, answer, right in judged.outcomes:
                wrong = not right if asked.answerable else answer.status != "abstained"
                if given.show and wrong:
                    kind = "" if asked.answerable else "UNANSWERABLE "
                    how = f"{answer.status} {answer.settings['kind']} {answer.confidence:.2f}"
                    print(f"   {kind}{asked.question}\n      [{how}] {answer.answer[:600]!r}")
    total = promises(done)
    print("promises", json.dumps(total), dict(Counter(str(a.settings["kind"]) for s in done for _, a, _ in s.outcomes)))
    print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)
    if given.write:
        written = {s.name: figures(s) for s in done} | {"promises": total}
        (HERE / "WHOLE.json").write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
