"""GET, POST and DELETE /v1/documents[/{id}]: the sources, their stored text, and adding and removing them."""

from __future__ import annotations

import unicodedata
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from rag.errors import InputError
from service.contract import DocumentList, DocumentSummary, DocumentText
from service.dependencies import CollectionQuery, GenerationDep, ServiceDep
from service.jobs import Job

router = APIRouter(tags=["documents"])

IN_MEMORY = 1 << 20
"""Bytes of an upload kept in memory; the rest of it goes to a temporary file."""
_UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
                }
            },
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


@router.get("/v1/documents")
def documents(generation: GenerationDep) -> DocumentList:
    """List the documents of a collection."""
    found = [DocumentSummary.model_validate(document) for document in generation.documents()]
    return DocumentList(index=generation.state, documents=found)


@router.get("/v1/documents/{document_id}")
def document(document_id: str, generation: GenerationDep) -> DocumentText:
    """One document as it is stored, with its sections, its pages and its in-text citations."""
    found = generation.document(document_id)
    return DocumentText(
        **DocumentSummary.model_validate(found).model_dump(),
        text=found.text,
        sections=found.sections,
        pages=found.pages,
        mentions=generation.mentions(document_id),
        index=generation.state,
    )


@router.post("/v1/documents", status_code=202, openapi_extra=_UPLOAD_BODY)
async def upload(
    request: Request,
    response: Response,
    service: ServiceDep,
    collection: CollectionQuery = None,
    name: Annotated[str | None, Query(description="The file's name, where the body is the file itself.")] = None,
) -> Job:
    """Add a file to a collection, as a form's `file` or as the body itself; a job reads and indexes it.

    A collection of a new name is made by its first file.
    """
    target = service.workspace.named(collection)
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form(max_files=1, max_fields=8) as form:
            part = form.get("file")
            if not isinstance(part, UploadFile):
                raise InputError("the form has no file in a field named `file`")
            file_name, data = plain_name(name or part.filename), await part.read()
    else:
        file_name = plain_name(name)
        with SpooledTemporaryFile(max_size=IN_MEMORY) as spool:
            async for block in request.stream():
                await run_in_threadpool(spool.write, block)
            data = await run_in_threadpool(_whole, spool)
    if not data:
        raise InputError(f"the file {file_name!r} is empty")
    if len(data) > service.workspace.settings.max_upload_mb << 20:
        raise HTTPException(413)
    job = service.jobs.start(
        "add",
        target,
        lambda progress, cancelled: service.workspace.add(
            target, file_name, data, progress=progress, cancelled=cancelled
        ),
        subject=file_name,
    )
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job


@router.delete("/v1/documents/{document_id}", status_code=202)
def remove(
    document_id: str,
    generation: GenerationDep,
    service: ServiceDep,
    response: Response,
) -> Job:
    """Remove a document from its collection; a job makes the generation without it."""
    generation.document(document_id)
    collection = generation.state.collection
    job = service.jobs.start(
        "remove", collection, lambda _progress, _cancelled: service.workspace.remove(collection, document_id),
        subject=document_id,
    )  # fmt: skip
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job


def plain_name(name: str | None) -> str:
    """A file's own name, that can be no path. Raises InputError naming what is wrong with it."""
    if not name or not name.strip():
        raise InputError("the file has no name; give one, for example ?name=article.txt")
    plain = unicodedata.normalize("NFC", name.strip())
    if plain.startswith(".") or any(c in '/\\:*?"<>|' or not c.isprintable() for c in plain):
        raise InputError(f"the name {plain!r} is no plain file name; use letters, digits, spaces, dots and dashes")
    if len(plain.encode("utf-8", "replace")) > 200:
        raise InputError(f"the name of {len(plain)} characters is too long; at most 200 bytes are taken")
    return plain


def _whole(spool: IO[bytes]) -> bytes:
    spool.seek(0)
    return spool.read()
