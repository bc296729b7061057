"""Rankings → measures, question by question: nDCG@10, MRR@10, Recall@5, @20 and @100, by ir-measures.

ir-measures (MacAvaney, Macdonald and Ounis 2022) computes them with NIST's trec_eval. Knows no index.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ir_measures

from rag.types import Passage

MEASURES = ("nDCG@10", "MRR@10", "Recall@5", "Recall@20", "Recall@100")
DEPTH = 100
_NAMES = {"nDCG@10": "nDCG@10", "MRR@10": "RR@10", "Recall@5": "R@5", "Recall@20": "R@20", "Recall@100": "R@100"}


def by_document(passages: Sequence[Passage]) -> list[str]:
    """The documents of these passages in the order of their best passage, at most `DEPTH`."""
    return list(dict.fromkeys(p.document_id for p in passages))[:DEPTH]


def measured(
    relevant: Mapping[str, Mapping[str, int]], rankings: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, float]]:
    """Measure → question → value, for every judged question; one without a ranking counts as nothing found."""
    parsed = {ir_measures.parse_measure(trec): name for name, trec in _NAMES.items()}
    run = {query: {item: float(-place) for place, item in enumerate(ranking)} for query, ranking in rankings.items()}
    values = {name: dict.fromkeys(relevant, 0.0) for name in MEASURES}
    judged = {query: dict(grades) for query, grades in relevant.items()}
    for metric in ir_measures.iter_calc(list(parsed), judged, run):
        values[parsed[metric.measure]][metric.query_id] = float(metric.value)
    return values
