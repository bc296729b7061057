"""Warnings and errors of the audit on published articles, drawn at random with what they are about, to be judged.

    python -m benchmarks.citations.sample --count 60 --seed 1

PLOS, eLife and SciELO have been through editors: of what the audit says of them, at most one in ten may be false.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tqdm import tqdm  # type: ignore[import-untyped,unused-ignore]

from rag import documents
from rag.analysis import analyse
from rag.types import Document, Problem, Reference

SHARED = Path(__file__).parents[3] / "shared"
_AROUND = 90
"""Characters shown before and behind the place of a problem."""


def found(path: Path) -> Iterator[tuple[Document, Problem, Reference | None]]:
    """The warnings and errors of one article, each with the entry it names."""
    document = documents.read(path)
    analysis = analyse(document)
    listed = {r.id: r for r in analysis.references}
    for problem in analysis.problems:
        if problem.severity != "info":
            yield document, problem, listed.get(problem.reference_id or "")


def shown(document: Document, problem: Problem, entry: Reference | None) -> str:
    """What a person needs to judge it."""
    lines = [f"{document.source}  {problem.severity} {problem.kind}", f"  {problem.message}"]
    if problem.start is not None and problem.end is not None:
        before = document.text[max(0, problem.start - _AROUND) : problem.start]
        after = document.text[problem.end : problem.end + _AROUND]
        said = f"{before}⟦{document.text[problem.start : problem.end]}⟧{after}"
        lines.append(f"  text: {' '.join(said.split())}")
    if entry is not None:
        lines.append(f"  entry: {entry.raw[:240]}")
    return "\n".join(lines)


def main() -> None:
    """Read the articles, count what was found and print a sample."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    paths = [
        p for name in ("plos_jats", "elife_jats", "scielo_jats") for p in sorted((SHARED / "data" / name).glob("*.xml"))
    ]
    everything = [one for path in tqdm(paths, mininterval=10) for one in found(path)]
    print(f"{len(paths)} articles, {len(everything)} warnings and errors")
    for kind, count in Counter(problem.kind for _, problem, _ in everything).most_common():
        print(f"  {count:5} {kind}")
    chance = Random(options.seed)  # noqa: S311  (a sample, no secret)
    drawn = chance.sample(everything, min(options.count, len(everything)))
    print("\n" + "\n\n".join(f"{n}. {shown(*one)}" for n, one in enumerate(drawn, 1)))


if __name__ == "__main__":
    main()
