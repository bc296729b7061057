"""Errors as RFC 9457 problem details: one shape for all of them, and never a word about the machine behind.

`KINDS` is the table of every problem the service can answer with; `/problems/<kind>` explains each.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from rag import errors
from service.answering import BrokenOffError

log = logging.getLogger("adfontes.service")
request_id: ContextVar[str] = ContextVar("request_id", default="-")
"""The request being answered, as the header X-Request-ID and the log name it."""
MEDIA_TYPE = "application/problem+json"


class NotReadyError(errors.AdFontesError):
    """The service cannot answer questions yet, or cannot at all."""


class NoKeyError(errors.AdFontesError):
    """A key is needed, and what was sent is none."""


class QuotaError(errors.AdFontesError):
    """A key has used up what it may."""


class OverloadedError(errors.AdFontesError):
    """More requests are waiting than the service will queue."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its HTTP status, its title and what a caller can do about it."""

    status: int
    title: str
    mend: str


KINDS: Mapping[str, Kind] = {
    "invalid-request": Kind(422, "The request is not valid", "Correct the fields named under `errors`."),
    "invalid-input": Kind(422, "The input cannot be used", "Correct what `detail` names."),
    "unreadable-document": Kind(422, "The file cannot be read as a document", "Give a file of a kind that is read."),
    "not-fetched": Kind(422, "The address cannot be fetched", "Give a public http(s) address, or upload the file."),
    "malformed-body": Kind(400, "The body is not JSON", "Send UTF-8 JSON with `Content-Type: application/json`."),
    "bad-request": Kind(400, "The request cannot be understood", "See `detail`."),
    "foreign-host": Kind(421, "The service is not known by this host name", "Use the address the service printed."),
    "foreign-origin": Kind(403, "Other web sites may not change anything here", "Use the page or a plain HTTP client."),
    "no-key": Kind(401, "An API key is needed", "Send `Authorization: Bearer <key>`; `adfontes keys add` makes one."),
    "no-scope": Kind(403, "The key may not do this", "Use a key with the scope that `detail` names."),
    "too-many": Kind(429, "Too much for this key", "Try again after `Retry-After` seconds."),
    "too-slow": Kind(408, "The request came too slowly", "Send it again, whole, over a connection that keeps moving."),
    "timed-out": Kind(504, "The answer took too long", "Ask for less, or raise the limit in the settings."),
    "not-found": Kind(404, "There is no such thing", "List what exists and use one of its identifiers."),
    "method-not-allowed": Kind(405, "The method is not allowed here", "See the `Allow` header and /openapi.json."),
    "busy": Kind(409, "Somebody else is writing", "Wait until the running job has finished, then try again."),
    "too-large": Kind(413, "The body is too large", "Send less, or raise the limit in the settings."),
    "unsupported-media-type": Kind(415, "The content type is not read here", "Send `Content-Type: application/json`."),
    "cancelled": Kind(503, "The work was stopped", "Ask again."),
    "no-index": Kind(503, "Nothing has been indexed yet", "Run `adfontes rebuild` or POST /v1/index/rebuild."),
    "damaged-index": Kind(503, "The index fails its checks", "Roll back or rebuild it."),
    "index-not-writable": Kind(507, "The index cannot be written", "Make room on the disk, then try again."),
    "index-rejected": Kind(409, "The new index does less well than it must", "Mend the sources, or the floors."),
    "model-unavailable": Kind(503, "A model cannot be loaded", "Run `adfontes doctor` where the service runs."),
    "not-ready": Kind(503, "Questions cannot be answered yet", "Try again when /readyz answers 200."),
    "broken-off": Kind(503, "The answer was broken off", "Ask again; if it ends so again, ask in other words."),
    "overloaded": Kind(503, "Too many questions at once", "Try again after `Retry-After` seconds."),
    "internal-error": Kind(
        500, "Something went wrong inside", "It has been logged; tell the operator the X-Request-ID."
    ),
}

_KIND_OF_ERROR: tuple[tuple[type[Exception], str], ...] = (  # the most special first
    (errors.NotFoundError, "not-found"),
    (errors.DocumentError, "unreadable-document"),
    (errors.FetchError, "not-fetched"),
    (errors.InputError, "invalid-input"),
    (errors.BusyError, "busy"),
    (errors.IndexMissingError, "no-index"),
    (errors.IndexDamagedError, "damaged-index"),
    (errors.IndexWriteError, "index-not-writable"),
    (errors.IndexRejectedError, "index-rejected"),
    (errors.ModelError, "model-unavailable"),
    (errors.CancelledError, "cancelled"),
    (BrokenOffError, "broken-off"),
    (NotReadyError, "not-ready"),
    (OverloadedError, "overloaded"),
    (NoKeyError, "no-key"),
    (QuotaError, "too-many"),
    (TimeoutError, "timed-out"),
)
_KIND_OF_STATUS = {400: "bad-request", 404: "not-found", 405: "method-not-allowed", 413: "too-large"}
_FOR_THE_LOG = {"model-unavailable", "internal-error"}
"""Kinds whose message may name files of this machine; a caller is told the kind alone."""


class FieldProblem(BaseModel):
    """One field of a request that is not valid."""

    where: str = Field(description="A JSON pointer into the body, or the name of a parameter or header.")
    detail: str


class ProblemDetails(BaseModel):
    """A problem in the shape of RFC 9457."""

    type: str = Field(description="A path that explains this kind of problem, for example `/problems/not-found`.")
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = Field(default_factory=list, description="The fields at fault, when there are any.")


def printable(text: object, limit: int = 500) -> str:
    """`text` as UTF-8 can carry it: lone surrogates replaced, control characters out, cut to `limit` characters."""
    whole = str(text)[: limit + 1].encode("utf-8", "replace").decode("utf-8")
    kept = "".join(c if c.isprintable() else " " for c in whole)
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def details(kind: str, detail: str | None = None, *, fields: list[FieldProblem] | None = None) -> ProblemDetails:
    """The problem details for a kind of `KINDS`."""
    known = KINDS[kind]
    return ProblemDetails(
        type=f"/problems/{kind}",
        title=known.title,
        status=known.status,
        detail=printable(detail or known.mend),
        errors=fields or [],
    )


def of_error(error: Exception) -> ProblemDetails:
    """What a caller may know of `error`; what it may not is logged."""
    kind = next((kind for cls, kind in _KIND_OF_ERROR if isinstance(error, cls)), "internal-error")
    if kind not in _FOR_THE_LOG:
        return details(kind, str(error))
    log.error("%s: %s request=%s", kind, error, request_id.get(), exc_info=error if kind == "internal-error" else None)
    return details(kind)


def response(problem: ProblemDetails, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The HTTP response that carries a problem."""
    extra = {"Retry-After": "1"} if problem.status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    return JSONResponse(
        problem.model_dump(exclude_defaults=True) | {"status": problem.status},
        status_code=problem.status,
        headers={**extra, **(headers or {})},
        media_type=MEDIA_TYPE,
    )


def _pointer(location: tuple[int | str, ...]) -> str:
    """Where a validation error stands: `#/filters/language` in the body, else `query limit`."""
    source, *path = location
    names = [printable(part, 80) for part in path]
    if source == "body":
        return "#" + "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)
    return " ".join([str(source), *names])


def _of_validation(request: Request, error: RequestValidationError) -> ProblemDetails:
    """A validation error without the values it was about: they may be huge, secret, or no Unicode at all."""
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return details("malformed-body", "The body is not valid JSON.")
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if any(tuple(item["loc"]) == ("body",) for item in found) and content_type not in ("application/json", ""):
        return details("unsupported-media-type", f"The content type {content_type!r} is not read here; send JSON.")
    fields = [
        FieldProblem(where=_pointer(tuple(item["loc"])), detail=printable(item["msg"], 200)) for item in found[:20]
    ]
    shown = "; ".join(f"{field.where}: {field.detail}" for field in fields[:3])
    return details("invalid-request", shown, fields=fields)


async def _on_validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  (Starlette types every handler alike)
    return response(_of_validation(request, error))


async def _on_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    kind = _KIND_OF_STATUS.get(error.status_code, "bad-request")
    told = error.detail if kind in ("bad-request", "too-large") else HTTPStatus(error.status_code).phrase
    problem = details(kind, None if told == HTTPStatus(error.status_code).phrase else str(told))
    headers = _allowed(request) or error.headers if kind == "method-not-allowed" else error.headers
    return response(problem.model_copy(update={"status": error.status_code}), headers)


def _allowed(request: Request) -> dict[str, str]:
    """An Allow header with the methods of every route at this path; Starlette names those of the first one only."""
    described = request.app.openapi()["paths"].items()
    found = {
        method.upper()
        for path, methods in described
        if compile_path(path)[0].match(request.url.path)
        for method in methods
    }
    return {"Allow": ", ".join(sorted(found))} if found else {}


async def _on_error(_: Request, error: Exception) -> JSONResponse:
    return response(of_error(error))


def install(app: FastAPI) -> None:
    """Make every foreseen error of `app` leave it as problem details; the guard does it for the unforeseen."""
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(errors.AdFontesError, _on_error)


def describe(schema: dict[str, Any]) -> dict[str, Any]:
    """Add the problem schema to an OpenAPI description whose operations point to it by `RESPONSES`."""
    own = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(own.pop("$defs"))
    schemas["ProblemDetails"] = own
    return schema


_CONTENT = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "The request cannot be answered as it is.", "content": _CONTENT},
    "5XX": {"description": "The service cannot answer now.", "content": _CONTENT},
}
