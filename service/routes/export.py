"""POST /v1/export: an answer as text, Markdown, a Word file, or its references for a reference manager."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from rag.errors import AdFontesError
from rag.store import Generation
from rag.types import Answer
from service import export as exporting
from service.contract import Request, Style
from service.dependencies import Service, ServiceDep
from service.routes.references import MEDIA_TYPES as REFERENCE_TYPES

router = APIRouter(tags=["ask"])

Form = Literal["text", "markdown", "docx", "bibtex", "ris", "csl"]
_TYPES = {**REFERENCE_TYPES, **exporting.MEDIA_TYPES}
_DEEPEST = 50
"""How deep an answer's values may be nested."""
_LONGEST = 500
"""How many values a list of an answer may hold: no question brings as many citations."""
_FREE = {"settings", "csl"}
_FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {kind.partition(";")[0]: {"schema": {"type": "string"}} for kind in _TYPES.values()}
        | {exporting.MEDIA_TYPES["docx"]: {"schema": {"type": "string", "format": "binary"}}}
        | {REFERENCE_TYPES["csl"]: {"schema": {"type": "array", "items": {"type": "object"}}}},
    }
}


def _like_an_answer(answer: object) -> object:
    """Refuse what no answer holds: values nested deeply, very long lists, true and false.

    The last two pydantic would take for numbers; the free fields, of which an answer may hold any, are left alone.
    """
    level: list[tuple[object, bool]] = [(answer, False)]
    for _ in range(_DEEPEST):
        if any(isinstance(value, bool) and not free for value, free in level):
            raise PydanticCustomError("boolean", "must not hold true or false where an answer holds numbers or text")
        if any(isinstance(value, list) and len(value) > _LONGEST for value, _ in level):
            raise PydanticCustomError(
                "long", "must not hold lists of more than {longest} values", {"longest": _LONGEST}
            )
        level = [inner for value, free in level for inner in _within(value, free=free)]
        if not level:
            return answer
    raise PydanticCustomError("deep", "must not be nested more than {deepest} deep", {"deepest": _DEEPEST})


def _within(value: object, *, free: bool) -> list[tuple[object, bool]]:
    if isinstance(value, Mapping):
        return [(inner, free or key in _FREE) for key, inner in value.items()]
    return [(inner, free) for inner in value] if isinstance(value, list) else []


class ExportRequest(Request):
    """An answer as POST /v1/ask gave it, and what to make of it."""

    model_config = ConfigDict(strict=False)  # an answer's parts are no objects yet
    answer: Annotated[Answer, BeforeValidator(_like_an_answer)]
    format: Form
    style: Style | None = Field(default=None, description="How references are formatted.")


_MAKE: Mapping[str, Callable[[exporting.Paper], str | bytes]] = {
    "text": exporting.text,
    "markdown": exporting.markdown,
    "docx": exporting.docx,
}


@router.post("/v1/export", response_class=Response, responses=_FILES)
def export(request: ExportRequest, service: ServiceDep) -> Response:
    """Set an answer as a file: question, answer with its numbers, and what each number stands for."""
    answer, style = request.answer, request.style or service.workspace.settings.citation_style
    generation = _generation(service, answer.index.collection)
    if request.format in ("bibtex", "ris", "csl"):
        body: str | bytes = exporting.references(answer, generation, request.format, style)
    else:
        paper = exporting.paper(answer, generation, style)
        body = _MAKE[request.format](paper)
    name = f'attachment; filename="answer.{exporting.SUFFIXES[request.format]}"'
    return Response(body, media_type=_TYPES[request.format], headers={"Content-Disposition": name})


def _generation(service: Service, collection: str) -> Generation | None:
    """The live generation of a collection; None where there is none, or none that the caller may see."""
    try:
        return service.workspace.generation(collection)
    except AdFontesError:
        return None
