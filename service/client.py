"""The service from Python: the same words as inside it, over HTTP.

    with Client("http://127.0.0.1:8000") as sources:
        answer = sources.ask("How many users had Ernie Bot attracted?")
        for citation in answer.citations:
            print(citation.cited_text, citation.reference_ids)

Answers are `rag.types.Answer`, errors those of `rag.errors` with the words the service gave.
Knows no index and no model.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter

from rag import errors
from rag.types import Answer, BuildReport, Checked, Citation, Passage, Sentence
from service.contract import Audit, DocumentList, DocumentText, ReferenceList, SearchResult
from service.jobs import Job

T = TypeVar("T")
_ERRORS: Mapping[str, type[errors.AdFontesError]] = {
    "not-found": errors.NotFoundError,
    "unreadable-document": errors.DocumentError,
    "not-fetched": errors.InputError,
    "invalid-input": errors.InputError,
    "invalid-request": errors.InputError,
    "too-large": errors.InputError,
    "busy": errors.BusyError,
    "no-index": errors.IndexMissingError,
    "damaged-index": errors.IndexDamagedError,
    "model-unavailable": errors.ModelError,
    "cancelled": errors.CancelledError,
}
_PARTS: Mapping[str, TypeAdapter[Any]] = {
    "retrieval.completed": TypeAdapter(list[Passage]),
    "answer.delta": TypeAdapter(str),
    "citation.added": TypeAdapter(Citation),
    "sentence.verified": TypeAdapter(Sentence),
    "answer.completed": TypeAdapter(Answer),
}
Event = tuple[str, Any]
"""An event's name and what it tells: passages, a piece of text, a Citation, a Sentence, at the end the Answer."""


class Client:
    """A connection to a running service. Close it, or use it in a `with` statement."""

    def __init__(
        self, address: str = "http://127.0.0.1:8000", *, key: str | None = None, timeout: float = 60.0
    ) -> None:
        """`key` is an API key, where the service asks for one; `timeout` is seconds for one request."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=address, timeout=timeout, headers=headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def ask(self, question: str, **how: Any) -> Answer:  # noqa: ANN401  (the fields of AskRequest)
        """Answer a question. Keywords are the fields of POST /v1/ask: collection, history, filters and so on."""
        return self._get(Answer, "POST", "/v1/ask", json={"question": question, **how})

    def stream(self, question: str, **how: Any) -> Iterator[Event]:  # noqa: ANN401
        """The events of an answer as it comes about; the last one is `answer.completed` with the Answer."""
        body = {"question": question, **how, "stream": True}
        with self._http.stream("POST", "/v1/ask", json=body) as response:
            if response.is_error:
                response.read()
                raise _error(response.json())
            name = ""
            for line in response.iter_lines():
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    yield _event(name, json.loads(value))

    def check(self, text: str, **how: Any) -> Checked:  # noqa: ANN401  (the fields of CheckRequest)
        """Hold a text to the sources. Keywords are the fields of POST /v1/verify: passages, collection, filters."""
        return self._get(Checked, "POST", "/v1/verify", json={"text": text, **how})

    def search(self, query: str, **how: Any) -> SearchResult:  # noqa: ANN401
        """Find passages. Keywords are the fields of POST /v1/search: collection, limit, filters."""
        return self._get(SearchResult, "POST", "/v1/search", json={"query": query, **how})

    def documents(self, *, collection: str | None = None) -> DocumentList:
        """The documents of a collection."""
        return self._get(DocumentList, "GET", "/v1/documents", params=_given(collection=collection))

    def document(self, document_id: str, *, collection: str | None = None) -> DocumentText:
        """One document with its stored text."""
        path = f"/v1/documents/{quote(document_id, safe='')}"
        return self._get(DocumentText, "GET", path, params=_given(collection=collection))

    def references(
        self, *, collection: str | None = None, document_id: str | None = None, style: str | None = None
    ) -> ReferenceList:
        """The bibliography of a collection or of one document."""
        params = _given(collection=collection, document_id=document_id, style=style)
        return self._get(ReferenceList, "GET", "/v1/references", params=params)

    def export(
        self,
        form: Literal["bibtex", "ris", "csl", "text"],
        *,
        collection: str | None = None,
        document_id: str | None = None,
        style: str | None = None,
    ) -> str:
        """The bibliography as a file for a reference manager."""
        params = _given(format=form, collection=collection, document_id=document_id, style=style)
        return self._send("GET", "/v1/references", params=params).text

    def export_answer(
        self,
        answer: Answer,
        form: Literal["text", "markdown", "docx", "bibtex", "ris", "csl"],
        *,
        style: str | None = None,
    ) -> bytes:
        """An answer as a file."""
        body = {"answer": TypeAdapter(Answer).dump_python(answer, mode="json"), "format": form, "style": style}
        return self._send("POST", "/v1/export", json=body).content

    def audit(self, *, collection: str | None = None, document_id: str | None = None) -> Audit:
        """What is wrong in the bibliography and the citations."""
        return self._get(Audit, "GET", "/v1/audit", params=_given(collection=collection, document_id=document_id))

    def add(self, source: Path | str, *, collection: str | None = None, reference: str | None = None) -> BuildReport:
        """Add a file, or what stands at an address, and wait until it can be asked.

        `reference` is the bibliography entry that it is. Raises what its fetching, reading or indexing raised.
        """
        params = _given(collection=collection)
        if isinstance(source, str):
            body = {"address": source, **_given(reference=reference)}
            return self._wait(self._get(Job, "POST", "/v1/documents", params=params, json=body))
        params |= _given(reference=reference)
        with source.open("rb") as file:
            job = self._get(Job, "POST", "/v1/documents", params=params, files={"file": (source.name, file)})
        return self._wait(job)

    def attach(self, document_id: str, reference: str | None, *, collection: str | None = None) -> BuildReport:
        """Say which bibliography entry a document is, None to leave it to be found out, and wait until it is live."""
        path = f"/v1/documents/{quote(document_id, safe='')}/reference"
        body = {"reference": reference}
        return self._wait(self._get(Job, "PUT", path, params=_given(collection=collection), json=body))

    def detach(self, document_id: str, *, collection: str | None = None) -> BuildReport:
        """Say that a document is no bibliography entry, and wait until that is live."""
        path = f"/v1/documents/{quote(document_id, safe='')}/reference"
        return self._wait(self._get(Job, "DELETE", path, params=_given(collection=collection)))

    def remove(self, document_id: str, *, collection: str | None = None) -> BuildReport:
        """Remove a document from a collection and wait until it is gone."""
        path = f"/v1/documents/{quote(document_id, safe='')}"
        return self._wait(self._get(Job, "DELETE", path, params=_given(collection=collection)))

    def rebuild(self, *, collection: str | None = None) -> BuildReport:
        """Rebuild a collection's index and wait until it is live."""
        return self._wait(self._get(Job, "POST", "/v1/index/rebuild", json=_given(collection=collection)))

    def _wait(self, job: Job) -> BuildReport:
        while job.active:
            time.sleep(0.1)
            job = self._get(Job, "GET", f"/v1/jobs/{job.id}")
        if job.report is None:
            if job.problem is None:
                raise errors.CancelledError(f"job {job.id} was cancelled; nothing was published")
            raise _error(job.problem.model_dump())
        return job.report

    def _get(self, shape: type[T], method: str, path: str, **how: Any) -> T:  # noqa: ANN401
        return TypeAdapter(shape).validate_json(self._send(method, path, **how).content)

    def _send(self, method: str, path: str, **how: Any) -> httpx.Response:  # noqa: ANN401
        response = self._http.request(method, path, **how)
        if response.is_error:
            raise _error(response.json())
        return response


def _event(name: str, data: Any) -> Event:  # noqa: ANN401
    if name == "error":
        raise _error(data)
    inner = {"answer.delta": "text", "retrieval.completed": "passages"}.get(name)
    return name, _PARTS[name].validate_json(json.dumps(data[inner] if inner else data))


def _error(problem: Mapping[str, Any]) -> errors.AdFontesError:
    kind = str(problem.get("type", "")).rpartition("/")[2]
    return _ERRORS.get(kind, errors.AdFontesError)(f"{problem.get('title')}: {problem.get('detail')}")


def _given(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}
