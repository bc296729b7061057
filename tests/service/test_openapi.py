"""The OpenAPI description: the truth about the routes, and complete."""

from __future__ import annotations

from fastapi.testclient import TestClient

# DESIGN: the routes of the wire contract that this service has.
ROUTES = {
    "/v1/ask": {"post"},
    "/v1/verify": {"post"},
    "/v1/export": {"post"},
    "/v1/search": {"post"},
    "/v1/passages/{passage_id}": {"get"},
    "/v1/documents": {"get", "post"},
    "/v1/documents/{document_id}": {"get", "delete"},
    "/v1/documents/{document_id}/original": {"get"},
    "/v1/documents/{document_id}/reference": {"put", "delete"},
    "/v1/references": {"get"},
    "/v1/references/{reference_id}": {"get"},
    "/v1/fetch": {"get", "post"},
    "/v1/audit": {"get"},
    "/v1/collections": {"get"},
    "/v1/index": {"get"},
    "/v1/index/rebuild": {"post"},
    "/v1/index/rollback": {"post"},
    "/v1/index/diff": {"get"},
    "/v1/index/verify": {"post"},
    "/v1/index/prune": {"post"},
    "/v1/jobs": {"get"},
    "/v1/jobs/{job_id}": {"get", "delete"},
    "/v1/chat/completions": {"post"},
    "/v1/models": {"get"},
    "/v1/session": {"get", "post", "delete"},
    "/v1/models/{model}": {"get"},
    "/healthz": {"get"},
    "/readyz": {"get"},
    "/metrics": {"get"},
}


def test_the_description_holds_the_routes_of_the_contract(client: TestClient) -> None:
    """No route is missing from the description and none is in it that is not promised here."""
    paths = client.get("/openapi.json").json()["paths"]
    assert {path: set(operations) for path, operations in paths.items()} == ROUTES


def test_every_operation_is_described_with_its_errors(client: TestClient) -> None:
    """Each operation says what it does, and that its errors are problem details."""
    document = client.get("/openapi.json").json()
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["description"]
            assert "application/problem+json" in operation["responses"]["4XX"]["content"]
    assert "ProblemDetails" in document["components"]["schemas"]


def test_every_reference_of_the_description_resolves(client: TestClient) -> None:
    """No `$ref` leads nowhere."""
    document = client.get("/openapi.json").json()

    def references(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [ref for value in node.values() for ref in references(value)]
        return [ref for value in node for ref in references(value)] if isinstance(node, list) else []

    found = references(document)
    assert found
    for reference in found:
        assert reference.rpartition("/")[2] in document["components"]["schemas"]


def test_an_answer_has_the_fields_of_the_description(client: TestClient) -> None:
    """What /v1/ask sends is what the description says, field by field."""
    schema = client.get("/openapi.json").json()["components"]["schemas"]["Answer"]
    answer = client.post("/v1/ask", json={"question": "Who are the four new AI tigers?"}).json()
    assert set(answer) == set(schema["properties"])
