"""GET /v1/audit: what is wrong in the bibliography and the citations, shown and never repaired in silence."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Query

from rag.citations import KINDS
from service.contract import Audit, ProblemKind
from service.dependencies import GenerationDep

router = APIRouter(tags=["references"])


@router.get("/v1/audit")
def audit(
    generation: GenerationDep,
    document_id: Annotated[str | None, Query(description="Only this document's problems.")] = None,
) -> Audit:
    """List every problem found, each with its place; "not found" never means "fake"."""
    if document_id is not None:
        generation.document(document_id)
    problems = generation.problems(document_id)
    counts = Counter(problem.kind for problem in problems)
    return Audit(
        index=generation.state,
        problems=problems,
        counts=dict(counts.most_common()),
        kinds={kind: _kind(kind) for kind in sorted(counts) if kind in KINDS},
    )


def _kind(kind: str) -> ProblemKind:
    severity, title, explanation = KINDS[kind]
    return ProblemKind(severity=severity, title=title, explanation=explanation)
