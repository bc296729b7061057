"""GET /v1/references[/{id}]: the bibliography, as data, as formatted entries or as a file for a reference manager."""

from __future__ import annotations

import json
from collections import Counter
from functools import lru_cache
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from rag.bibliography import export, format_reference
from rag.store import Generation
from rag.types import Reference
from service.contract import ReferenceEntry, ReferenceList, Style
from service.dependencies import GenerationDep, Service, ServiceDep

router = APIRouter(tags=["references"])

FileFormat = Literal["bibtex", "ris", "csl", "text"]
Format = Literal["json"] | FileFormat
MEDIA_TYPES = {
    "bibtex": "application/x-bibtex",
    "ris": "application/x-research-info-systems",
    "csl": "application/vnd.citationstyles.csl+json",
    "text": "text/plain",
}
SUFFIXES = {"bibtex": "bib", "ris": "ris", "csl": "json", "text": "txt"}
_TEXT = {"schema": {"type": "string"}}
_FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": dict.fromkeys(MEDIA_TYPES.values(), _TEXT)
        | {MEDIA_TYPES["csl"]: {"schema": {"type": "array", "items": {"type": "object"}}}}
    }
}
FormatQuery = Annotated[Format, Query(alias="format", description="JSON, or a file of another format.")]
StyleQuery = Annotated[Style | None, Query(description="How entries are formatted.")]


@router.get("/v1/references", response_model=ReferenceList, responses=_FILES)
def references(
    generation: GenerationDep,
    service: ServiceDep,
    *,
    document_id: Annotated[str | None, Query(description="Only this document's bibliography.")] = None,
    ids: Annotated[list[str] | None, Query(alias="id", description="Only these entries.", max_length=500)] = None,
    form: FormatQuery = "json",
    style: StyleQuery = None,
) -> ReferenceList | Response:
    """List the bibliography, with what is wrong in each entry and how often the text cites it."""
    if form != "json":
        found = _found(generation, document_id, ids)
        return _file(found, form, _style(service, style), generation.state.collection)
    return entries(generation, service, document_id=document_id, ids=ids, style=style)


@router.get("/v1/references/{reference_id}", response_model=ReferenceEntry, responses=_FILES)
def reference(
    reference_id: str,
    generation: GenerationDep,
    service: ServiceDep,
    *,
    form: FormatQuery = "json",
    style: StyleQuery = None,
) -> ReferenceEntry | Response:
    """One bibliography entry."""
    found = generation.reference(reference_id)
    if form != "json":
        return _file([found], form, _style(service, style), found.id)
    return _entry(generation, found, _cited(generation, {found.document_id}), _style(service, style))


def entries(
    generation: Generation,
    service: Service,
    *,
    document_id: str | None = None,
    ids: list[str] | None = None,
    style: str | None = None,
) -> ReferenceList:
    """The entries of a generation, of one document or of these identifiers. Raises NotFoundError."""
    found = _found(generation, document_id, ids)
    cited = _cited(generation, {reference.document_id for reference in found})
    shown = [_entry(generation, reference, cited, _style(service, style)) for reference in found]
    return ReferenceList(index=generation.state, references=shown)


def _found(generation: Generation, document_id: str | None, ids: list[str] | None) -> list[Reference]:
    if document_id is not None:
        generation.document(document_id)
    if ids is not None:
        return [generation.reference(reference_id) for reference_id in dict.fromkeys(ids)]
    return generation.references(document_id)


def _style(service: Service, style: str | None) -> str:
    return style or service.workspace.settings.citation_style


def _cited(generation: Generation, document_ids: set[str]) -> Counter[str]:
    """In-text citations by the entry they resolve to."""
    return Counter(
        mention.reference_id
        for document_id in document_ids
        for mention in generation.mentions(document_id)
        if mention.reference_id is not None
    )


def _entry(generation: Generation, reference: Reference, cited: Counter[str], style: str) -> ReferenceEntry:
    return ReferenceEntry(
        id=reference.id,
        document_id=reference.document_id,
        label=reference.label,
        raw=reference.raw,
        start=reference.start,
        end=reference.end,
        csl=reference.csl,
        formatted=_formatted(json.dumps(dict(reference.csl), sort_keys=True), style),
        mentions=cited[reference.id],
        documents=list(generation.attached(reference.id)),
        problems=list(reference.problems),
    )


@lru_cache(maxsize=20_000)
def _formatted(csl: str, style: str) -> str:
    """An entry in a style. Formatting takes milliseconds, and a long list is shown again and again."""
    return format_reference(json.loads(csl), style)


def _file(references: list[Reference], form: FileFormat, style: str, name: str) -> Response:
    body = export(references, form, style)
    # The name is a collection's or an entry's: letters, digits, dots, dashes and underscores.
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in name)
    return Response(
        body,
        media_type=MEDIA_TYPES[form],
        headers={"Content-Disposition": f'attachment; filename="{safe}.{SUFFIXES[form]}"'},
    )
