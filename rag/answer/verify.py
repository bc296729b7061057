"""Does the cited text carry the sentence? A verdict and its probability for each sentence of an answer.

A verbatim quotation is carried by definition, and that it is verbatim is checked here against the stored text, not
believed. Knows no index.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.types import Verdict


def verdict(sentence: str, cited: Sequence[str]) -> tuple[Verdict, float]:
    """The verdict on `sentence` given the texts it cites, and the probability of support, 0 to 1."""
    said = " ".join(sentence.split())
    if said and any(said in " ".join(text.split()) for text in cited):
        return "supported", 1.0
    return "unsupported", 0.0
