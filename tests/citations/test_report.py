"""Problems as SARIF and as rows: places that other programs can trust."""

from __future__ import annotations

from rag.citations import KINDS, audit, explained, link, report
from rag.types import Document, Problem, Reference

TEXT = "Salt is old.\nTin is older (Adler, 2012).\n"
LIST = [Reference("adler-2011", {"author": [{"family": "Adler"}], "issued": {"date-parts": [[2011]]}}, "Adler, 2011.")]


def problems() -> tuple[Problem, ...]:
    """One disagreement with a place, and one note without."""
    document = Document("d", TEXT, language="en")
    mentions, _ = link(document, LIST)
    return (*audit(document, LIST, mentions), Problem("date-incomplete", "No year.", "info", document_id="d"))


def test_sarif_says_what_where_and_how_grave() -> None:
    """Each problem is a result of a rule of the run, with the line, the characters and the words it is about."""
    log = report.sarif(problems(), {"d": TEXT}, {"d": "a folder/salt.txt"})
    assert (log["version"], log["$schema"].rsplit("/", 1)[-1]) == ("2.1.0", "sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"] == "adfontes"
    assert run["columnKind"] == "unicodeCodePoints"
    first, second = run["results"]
    assert [rules[r["ruleIndex"]]["id"] for r in (first, second)] == [first["ruleId"], second["ruleId"]]
    assert (first["ruleId"], first["level"]) == ("year-mismatch", "warning")
    (place,) = first["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "a%20folder/salt.txt"
    region = place["physicalLocation"]["region"]
    assert (region["startLine"], region["startColumn"], region["endLine"]) == (2, 15, 2)
    at = region["charOffset"]
    assert TEXT[at : at + region["charLength"]] == region["snippet"]["text"] == "Adler, 2012"
    assert TEXT.splitlines()[1][region["startColumn"] - 1 : region["endColumn"] - 1] == "Adler, 2012"
    assert (second["level"], "region" in second["locations"][0]["physicalLocation"]) == ("note", False)


def test_rows_hold_a_column_for_everything() -> None:
    """A row names severity, kind, document, place, entry, message and the words."""
    first, second = report.rows(problems(), {"d": TEXT})
    assert dict(zip(report.COLUMNS, first, strict=True)) | {"message": ""} == {
        "severity": "warning",
        "kind": "year-mismatch",
        "document": "d",
        "start": "27",
        "end": "38",
        "reference": "adler-2011",
        "message": "",
        "text": "Adler, 2012",
    }
    assert second[3:6] == ("", "", "")


def test_every_kind_has_an_explanation_even_one_that_nobody_listed() -> None:
    """A kind that only a reader of documents knows is explained by its slug."""
    assert explained("year-mismatch") == KINDS["year-mismatch"]
    assert explained("no-such-kind")[1] == "No such kind"
