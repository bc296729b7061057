"""Judged questions: the evidence of each is covered by exactly the entries that its answer must lead to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from rag.citations import audit

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def scope() -> Iterator[ModuleType]:
    """The benchmark's own module, so that test and figures cannot drift apart."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        from benchmarks.citations import scope

        yield scope


@pytest.mark.parametrize("name", ["digest", "numeric", "report-notes", "authoryear-es"])
def test_our_own_articles_relay_what_they_relay(scope: ModuleType, name: str) -> None:
    """In four collections of ours, own claims have no source and relayed ones exactly theirs."""
    judged, wrong = scope.faults(*scope.JUDGED[name])
    assert judged > 10
    assert wrong == []


def test_the_first_article_relays_what_it_relays(shared: Path, scope: ModuleType) -> None:
    """On the raw export, every judged piece of evidence leads to exactly its entries."""
    judged, wrong = scope.faults(*scope.JUDGED["raw article"])
    assert judged == 19
    assert wrong == []


def test_every_citation_of_the_first_article_resolves(shared: Path, scope: ModuleType) -> None:
    """All 17 entries are cited, nothing is missing, and the disagreements are named."""
    document, references, mentions = scope.read(shared / "corpus/article.txt")
    assert {m.reference_id for m in mentions} == {r.id for r in references}
    by_text = {document.text[m.start : m.end]: m for m in mentions}
    for cited in ("Feng, 2023", "Tho and Gan, 2023", "Ye, 2023", "The Decoder, 2023", "Jiang, 2024a", "Jiang, 2024b"):
        assert by_text[cited].resolution == "exact"
    for cited in ("Huang Rihan and Yao Haolong (2023)", "Huang, Yao, 2023", "Global Times, 2024"):
        assert by_text[cited].resolution == "year-mismatch"
    assert by_text["Huang, Yao, 2023"].reference_id != by_text["Huang, Zhang, Zheng, 2023"].reference_id
    kinds = {p.kind for p in audit(document, references, mentions)}
    assert {
        "year-mismatch",
        "missing-date",
        "missing-address",
        "date-contradiction",
        "entry-dated-before-event",
    } <= kinds
    assert not {"cited-but-not-listed", "listed-but-never-cited"} & kinds


def test_planted_faults_are_found(scope: ModuleType) -> None:
    """The faults that we planted in our own collections are in their audits."""
    planted = {
        "numeric": [("cited-but-not-listed", "14"), ("listed-but-never-cited", "Thorne")],
        "report-notes": [("year-mismatch", "2020"), ("listed-but-never-cited", "Ferry Crews")],
        "authoryear-es": [
            ("year-mismatch", "Torres"),
            ("listed-but-never-cited", "Echeverri"),
            ("cited-but-not-listed", "Urrutia"),
        ],
    }
    for name, wanted in planted.items():
        document, references, mentions = scope.read(scope.JUDGED[name][0])
        found = audit(document, references, mentions)
        for kind, words in wanted:
            assert [p for p in found if p.kind == kind and words in p.message], (name, kind)
