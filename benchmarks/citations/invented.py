"""Texts and lists of any size, invented, for the speed curve: as they grow, the time should grow in a straight line."""

from __future__ import annotations

import random

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
