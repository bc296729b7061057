"""Documents, references and the audit: the sources as data."""

from __future__ import annotations

import json

from fastapi.testclient import TestClient


def test_documents_are_listed_without_their_text(client: TestClient) -> None:
    """The list tells what each document is; the text comes with the document itself."""
    listed = client.get("/v1/documents").json()["documents"]
    assert [document["id"] for document in listed] == ["damiani-2024"]
    assert listed[0]["authors"][0]["name"] == "Pietro Damiani"
    assert "text" not in listed[0]


def test_a_document_comes_with_the_places_of_its_parts(client: TestClient) -> None:
    """Sections, in-text citations and bibliography entries are spans of the text returned with them."""
    document = client.get("/v1/documents/damiani-2024").json()
    text = document["text"]
    assert all(0 <= s["start"] <= s["body_start"] <= s["end"] <= len(text) for s in document["sections"])
    shown = [text[m["start"] : m["end"]] for m in document["mentions"]]
    assert "Deng, 2024" in shown
    for entry in client.get("/v1/references", params={"document_id": "damiani-2024"}).json()["references"]:
        assert text[entry["start"] : entry["end"]] == entry["raw"]


def test_the_bibliography_is_complete_and_counts_its_citations(client: TestClient) -> None:
    """All seventeen entries are there, each with how often the text cites it."""
    references = client.get("/v1/references").json()["references"]
    assert len(references) == 17
    document = client.get("/v1/documents/damiani-2024").json()
    resolved = [m for m in document["mentions"] if m["reference_id"]]
    assert sum(reference["mentions"] for reference in references) == len(resolved)
    assert next(r for r in references if r["id"] == "deng-2024")["mentions"] >= 1


def test_one_entry_is_the_same_as_in_the_list(client: TestClient) -> None:
    """An entry asked for alone is the entry of the list."""
    listed = client.get("/v1/references", params={"style": "apa"}).json()["references"]
    for entry in listed[:3]:
        assert client.get(f"/v1/references/{entry['id']}", params={"style": "apa"}).json() == entry


def test_csl_export_is_what_the_entries_say(client: TestClient) -> None:
    """The CSL-JSON file holds every entry under its identifier."""
    response = client.get("/v1/references", params={"format": "csl"})
    assert response.headers["content-disposition"].endswith('.json"')
    assert {item["id"] for item in json.loads(response.text)} == {
        entry["id"] for entry in client.get("/v1/references").json()["references"]
    }


def test_text_export_is_the_formatted_list(client: TestClient) -> None:
    """The plain text holds one formatted entry a line."""
    lines = client.get("/v1/references", params={"format": "text"}).text.splitlines()
    assert lines == [entry["formatted"] for entry in client.get("/v1/references").json()["references"]]


def test_bibtex_and_ris_hold_the_entries_asked_for(client: TestClient) -> None:
    """An export of two entries is a file with those two."""
    ids = ["deng-2024", "allen-2022"]
    bibtex = client.get("/v1/references", params={"format": "bibtex", "id": ids})
    assert bibtex.headers["content-type"].startswith("application/x-bibtex")
    assert bibtex.text.count("\n@") + bibtex.text.startswith("@") == 2
    ris = client.get("/v1/references", params={"format": "ris", "id": ids})
    assert ris.text.count("TY  -") == 2


def test_the_audit_names_each_problem_and_explains_its_kind(client: TestClient) -> None:
    """The disagreeing years, the missing date and the missing address are found and explained."""
    audit = client.get("/v1/audit").json()
    found = {(problem["kind"], problem["reference_id"]) for problem in audit["problems"]}
    assert ("year-mismatch", "global-times-2023") in found
    assert {"year-mismatch", "missing-date", "missing-address"} <= set(audit["counts"])
    assert sum(audit["counts"].values()) == len(audit["problems"])
    for kind in audit["counts"]:
        assert audit["kinds"][kind]["explanation"]


def test_the_audit_comes_as_sarif_too(client: TestClient) -> None:
    """The same problems, as results of a SARIF run."""
    response = client.get("/v1/audit", params={"format": "sarif"})
    assert response.headers["content-type"].startswith("application/sarif+json")
    (run,) = response.json()["runs"]
    audit = client.get("/v1/audit").json()
    assert [result["ruleId"] for result in run["results"]] == [problem["kind"] for problem in audit["problems"]]
    assert set(audit["kinds"]) == set(audit["counts"])


def test_the_audit_of_one_document_is_a_part_of_the_whole(client: TestClient) -> None:
    """Confined to a document the audit holds that document's problems."""
    whole = client.get("/v1/audit", params={"collection": "harbour"}).json()["problems"]
    part = client.get("/v1/audit", params={"collection": "harbour", "document_id": "traps"}).json()["problems"]
    assert part == [problem for problem in whole if problem["document_id"] == "traps"]


def test_collections_are_listed_with_their_state(client: TestClient) -> None:
    """Each collection tells whether it is the default one and what is live in it."""
    listed = {one["name"]: one for one in client.get("/v1/collections").json()["collections"]}
    assert listed["china-generative-ai"]["default"]
    assert not listed["harbour"]["default"]
    assert listed["harbour"]["index"]["collection"] == "harbour"
