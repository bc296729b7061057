"""/v1/documents: the sources, their stored text and origin; adding them by upload or address, attaching, removing."""

from __future__ import annotations

import shutil
import tempfile
import unicodedata
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from rag.attachments import named
from rag.errors import InputError
from rag.store import Generation
from rag.types import BuildReport, Document
from service.contract import AddressRequest, AttachRequest, DocumentList, DocumentSummary, DocumentText, SkippedSource
from service.dependencies import CollectionQuery, GenerationDep, Service, ServiceDep
from service.jobs import Job

router = APIRouter(tags=["documents"])

_LONGEST_ADDRESS = 1 << 16
"""Bytes of a body that names an address."""
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
            "application/json": {"schema": AddressRequest.model_json_schema()},
        },
    }
}


@router.get("/v1/documents")
def documents(generation: GenerationDep) -> DocumentList:
    """List the documents of a collection."""
    found = [_summary(document, generation) for document in generation.documents()]
    skipped = [SkippedSource(**entry) for entry in generation.manifest["skipped"]]
    return DocumentList(index=generation.state, documents=found, skipped=skipped)


def _summary(document: Document, generation: Generation) -> DocumentSummary:
    summary = DocumentSummary.model_validate(document)
    stale = any(entry["id"] == document.id for entry in generation.manifest.get("stale", ()))
    return summary.model_copy(update={"state": "stale"}) if stale else summary


@router.get("/v1/documents/{document_id}")
def document(document_id: str, generation: GenerationDep) -> DocumentText:
    """One document as it is stored, with its sections, its pages and its in-text citations."""
    found = generation.document(document_id)
    return DocumentText(
        **_summary(found, generation).model_dump(),
        text=found.text,
        sections=found.sections,
        pages=found.pages,
        mentions=generation.mentions(document_id),
        index=generation.state,
    )


@router.get("/v1/documents/{document_id}/original", response_class=FileResponse)
def original(document_id: str, generation: GenerationDep, service: ServiceDep) -> FileResponse:
    """The file as it came, to be saved and not to be shown: it is somebody else's and may hold anything."""
    path = service.workspace.original(generation.state.collection, generation.document(document_id))
    return FileResponse(path, media_type="application/octet-stream", filename=path.name)


@router.post("/v1/documents", status_code=202, openapi_extra=_UPLOAD_BODY)
async def upload(
    request: Request,
    response: Response,
    service: ServiceDep,
    *,
    collection: CollectionQuery = None,
    name: Annotated[str | None, Query(description="The file's name, where the body is the file itself.")] = None,
    reference: Annotated[
        str | None, Query(max_length=500, description="The bibliography entry that the source is.")
    ] = None,
    replace: Annotated[bool, Query(description="Overwrite a source of the same name.")] = False,
) -> Job:
    """Add a source to a collection; a job reads and indexes it.

    A form's `file`; or the file itself as the body, with its `name`; or JSON with the `address` it is fetched from.
    A collection of a new name is made by its first source.
    """
    target = service.workspace.named(collection)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json" and name is None:
        job = _from_address(service, target, _address_in(await _short(request)))
    else:
        room = _Room()
        if kind == "multipart/form-data":
            async with request.form(max_files=1, max_fields=8) as form:
                part = form.get("file")
                if not isinstance(part, UploadFile):
                    raise InputError("the form has no file in a field named `file`")
                path = room.path / plain_name(name or part.filename)
                with path.open("wb") as file:
                    await run_in_threadpool(shutil.copyfileobj, part.file, file, 1 << 20)
        else:
            path = room.path / plain_name(name)
            with path.open("wb") as file:
                async for block in request.stream():
                    await run_in_threadpool(file.write, block)
        size = path.stat().st_size
        if not size:
            raise InputError(f"the file {path.name!r} is empty")
        if size > service.workspace.settings.max_upload_mb << 20:
            raise HTTPException(413)
        job = service.jobs.start(
            "add",
            target,
            lambda progress, cancelled: room.used(
                lambda: service.workspace.add(
                    target,
                    path.name,
                    path,
                    reference=reference,
                    overwrite=replace,
                    progress=progress,
                    cancelled=cancelled,
                )
            ),
            subject=path.name,
        )
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job


@router.put("/v1/documents/{document_id}/reference", status_code=202)
def attach(
    document_id: str, wanted: AttachRequest, generation: GenerationDep, service: ServiceDep, response: Response
) -> Job:
    """Say which bibliography entry a document is; a job makes the generation that knows it."""
    return _attached(document_id, wanted.reference, generation, service, response)


@router.delete("/v1/documents/{document_id}/reference", status_code=202)
def detach(document_id: str, generation: GenerationDep, service: ServiceDep, response: Response) -> Job:
    """Say that a document is no bibliography entry, whatever it looks like."""
    return _attached(document_id, "", generation, service, response)


@router.delete("/v1/documents/{document_id}", status_code=202)
def remove(
    document_id: str,
    generation: GenerationDep,
    service: ServiceDep,
    response: Response,
) -> Job:
    """Remove a document, or a file that could not be indexed; a job makes the generation without it."""
    if document_id not in {entry.get("id") for entry in generation.manifest["skipped"]}:
        generation.document(document_id)
    collection = generation.state.collection
    job = service.jobs.start(
        "remove", collection, lambda _progress, _cancelled: service.workspace.remove(collection, document_id),
        subject=document_id,
    )  # fmt: skip
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job


def _attached(
    document_id: str, reference: str | None, generation: GenerationDep, service: ServiceDep, response: Response
) -> Job:
    generation.document(document_id)
    if reference and not named(generation.references(), reference):
        generation.reference(reference)  # raises, naming it
    collection = generation.state.collection
    job = service.jobs.start(
        "attach",
        collection,
        lambda _progress, _cancelled: service.workspace.attach(collection, document_id, reference),
        subject=document_id,
    )
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job


async def _short(request: Request) -> bytes:
    """The body of a request that uploads nothing."""
    body = b""
    async for block in request.stream():
        body += block
        if len(body) > _LONGEST_ADDRESS:
            raise HTTPException(413)
    return body


def _address_in(body: bytes) -> AddressRequest:
    try:
        return AddressRequest.model_validate_json(body)
    except ValidationError as error:
        found = [{**item, "loc": ("body", *item["loc"])} for item in error.errors(include_url=False)]
        raise RequestValidationError(found) from None


def _from_address(service: Service, collection: str, wanted: AddressRequest) -> Job:
    """A job that fetches. Raises FetchError at once for what its notation alone forbids."""
    service.workspace.fetcher().check(wanted.address)
    return service.jobs.start(
        "add",
        collection,
        lambda progress, cancelled: service.workspace.add_address(
            collection,
            wanted.address,
            reference=wanted.reference,
            overwrite=wanted.replace,
            progress=progress,
            cancelled=cancelled,
        ),
        subject=wanted.address,
    )


class _Room:
    """A folder of its own for an upload, gone when its job has used it, or will never come to."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="adfontes-"))
        self._close = weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)

    def used(self, work: Callable[[], BuildReport]) -> BuildReport:
        """Do the work that needs the folder, then let it go."""
        try:
            return work()
        finally:
            self._close()


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
