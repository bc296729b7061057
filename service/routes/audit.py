"""GET /v1/audit: what is wrong in the bibliography and the citations, shown and never repaired in silence."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from rag.citations import explained, report
from rag.store import Generation
from service.contract import Audit, ProblemKind
from service.dependencies import GenerationDep

router = APIRouter(tags=["references"])


_SARIF: dict[int | str, dict[str, Any]] = {200: {"content": {"application/sarif+json": {"schema": {"type": "object"}}}}}


@router.get("/v1/audit", response_model=Audit, responses=_SARIF)
def audit(
    generation: GenerationDep,
    document_id: Annotated[str | None, Query(description="Only this document's problems.")] = None,
    form: Annotated[Literal["json", "sarif"], Query(alias="format", description="JSON, or SARIF 2.1.0.")] = "json",
) -> Audit | Response:
    """List every problem found, each with its place; "not found" never means "fake"."""
    if form == "json":
        return problems_of(generation, document_id)
    briefs = generation.documents()
    found = problems_of(generation, document_id).problems
    texts = {d.id: generation.document(d.id).text for d in briefs if document_id in {None, d.id}}
    log = report.sarif(found, texts, {d.id: d.source for d in briefs})
    return JSONResponse(log, media_type="application/sarif+json")


def problems_of(generation: Generation, document_id: str | None = None) -> Audit:
    """The problems of a generation or of one document, counted and explained. Raises NotFoundError."""
    if document_id is not None:
        generation.document(document_id)
    problems = generation.problems(document_id)
    counts = Counter(problem.kind for problem in problems)
    return Audit(
        index=generation.state,
        problems=problems,
        counts=dict(counts.most_common()),
        kinds={kind: _kind(kind) for kind in sorted(counts)},
    )


def _kind(kind: str) -> ProblemKind:
    severity, title, explanation = explained(kind)
    return ProblemKind(severity=severity, title=title, explanation=explanation)
