"""The public files are read as well as they were when the floors were set; nothing of them is lost on the way."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
BENCHMARK = ROOT / "benchmarks" / "documents"

pytestmark = pytest.mark.skipif(not (DATA / "ingest_office").exists(), reason=f"the public files are not here: {DATA}")


@pytest.fixture(scope="module")
def measure() -> ModuleType:
    """The benchmark, which is no package."""
    spec = importlib.util.spec_from_file_location("documents_measure", BENCHMARK / "measure.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_floors_hold(measure: ModuleType) -> None:
    """Every file ends as read or as skipped with its name and reason; recall, precision, time and memory hold."""
    floors = json.loads((BENCHMARK / "FLOORS.json").read_text(encoding="utf-8"))
    assert measure.data_hash(DATA) == floors["data_sha256"], "other data than the floors were set on"
    rows = measure.measure(DATA)
    figures = measure.summary(rows)
    assert figures["read"] + figures["skipped"] == figures["files"] == floors["files"]
    for row in rows:
        if row.outcome == "skipped":
            assert row.reason.startswith(Path(row.file).name)
            assert "please report" not in row.reason
    for name in ("read", "recall", "precision"):
        assert figures[name] >= floors[name], name
    for kind, floor in floors["by_kind"].items():
        for name, value in floor.items():
            assert figures["by_kind"][kind][name] >= value, (kind, name)
    assert figures["slowest_seconds"] <= floors["slowest_seconds"]
    assert figures["peak_mb"] <= floors["peak_mb"]


def test_journal_articles_have_their_parts() -> None:
    """Every JATS article of the data has title, authors, date, sections and a reference list with its entries."""
    from lxml import etree

    from rag.documents import read

    files = sorted(p for d in ("scielo_jats", "elife_jats", "plos_jats") for p in (DATA / d).glob("*.xml"))
    with_list = 0
    for path in files:
        found = read(path)
        root = etree.parse(path, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)).getroot()
        for part in [*root.iter("sub-article"), *root.iter("response")]:
            part.getparent().remove(part)
        references = [e for e in root.iter("ref") if "".join(e.itertext()).strip()]
        listed = sum(len(span.of(found.text).strip().split("\n\n")) for span in found.bibliography())
        if references:
            with_list += 1
            assert listed >= len(references), path.name
        assert found.title, path.name
        assert found.language, path.name
    assert with_list > 60
