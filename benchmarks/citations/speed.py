"""How long linking and auditing take as a text and its list grow: the curve should be a straight line.

python -m benchmarks.citations.speed
"""

from __future__ import annotations

import random
import time

from rag.citations import audit, link
from rag.types import Document, Reference

SYLLABLES = ("ba", "do", "ri", "ke", "lu", "mo", "na", "pe", "so", "ti", "va", "zu", "chen", "gro", "hal", "mer")


def invented(references: int, mentions: int, *, numbered: bool, seed: int = 7) -> tuple[Document, list[Reference]]:
    """A document of so many citations of so many entries; the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311
    listed, cited = [], []
    for i in range(references):
        family = "".join(chance.choices(SYLLABLES, k=3)).capitalize()
        year = chance.randint(1960, 2024)
        raw = f"{family}, A., {year}. On the rivers of {family.lower()}land. Journal of Rivers {i}."
        csl = {"author": [{"family": family, "given": "A."}], "issued": {"date-parts": [[year]]}, "title": raw[20:60]}
        listed.append(Reference(f"r{i}", csl, raw, label=str(i + 1) if numbered else None))
        cited.append(f"[{i + 1}]" if numbered else f"({family}, {year})")
    sentences = []
    for i in range(mentions):
        sentences.append(f"The {chance.choice(SYLLABLES)} of the river rose in the spring {cited[i % references]}.")
        sentences.append("However, it fell again." + ("\n\n" if i % 4 == 3 else ""))
    return Document("d", " ".join(sentences), language="en"), listed


def main() -> None:
    """Print one line a size."""
    for references, mentions in ((125, 375), (250, 750), (500, 1500), (1000, 3000), (2000, 6000)):
        row = []
        for numbered in (False, True):
            document, listed = invented(references, mentions, numbered=numbered)
            begun = time.perf_counter()
            found, _ = link(document, listed)
            linked = time.perf_counter()
            audit(document, listed, found)
            row.append(f"{linked - begun:6.2f} s + audit {time.perf_counter() - linked:5.2f} s ({len(found)} mentions)")
        print(f"{references:5} references {mentions:5} mentions   years {row[0]}   numbers {row[1]}")


if __name__ == "__main__":
    main()
