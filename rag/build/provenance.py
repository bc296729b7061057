"""Where each document came from, and which listed works the documents are: what the sidecars say, kept in the index."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rag import attachments, documents
from rag.build.drafts import Drafts, Read
from rag.build.folder import twins
from rag.build.plan import Plan
from rag.errors import DocumentError
from rag.store import Generation
from rag.types import Document, Problem

TWIN = "names-alike"
"""The kind of problem of a document whose file's name looks like another's."""


class Placing:
    """Gives documents their origin, their date and the hash of their text.

    What came as a plain file has the date when it was first indexed with these bytes.
    """

    def __init__(self, plan: Plan, live: Generation | None) -> None:
        self._plan = plan
        self._now = datetime.now(UTC).isoformat(timespec="seconds")
        known = live.manifest["provenance"] if live is not None else ()
        self._before = {(d["source"], d["sha256"]): str(d["added"]) for d in known}

    def __call__(self, document: Document) -> Document:
        """The same, placed."""
        origin: Mapping[str, Any] = _known(self._plan, document.source).get("origin", {})
        added = self._before.get((document.source, document.sha256)) or self._now
        address = str(origin.get("final_address") or origin.get("address") or "")
        return replace(
            document,
            address=document.address or address or None,
            origin=str(origin.get("address") or origin.get("name") or Path(document.source).name),
            added=str(origin.get("retrieved") or added),
            text_sha256=hashlib.sha256(document.text.encode("utf-8", "surrogatepass")).hexdigest(),
        )


def attached(plan: Plan, drafts: Drafts) -> Iterator[Read]:
    """The drafts in their order, each with the entries that it is."""
    said = {}
    for document_id, source in drafts.sources:
        known = _known(plan, source)
        if "reference" in known:
            said[document_id] = known["reference"]
    found, problems = attachments.attach(drafts.documents(), drafts.references(), said)
    of_document: dict[str, list[Problem]] = defaultdict(list)
    for document_id, other in twins(drafts.sources):
        message = f"the file's name looks like that of {other!r}; a disk may keep only one of them, so rename one"
        of_document[document_id].append(Problem(TWIN, message, "warning", document_id=document_id))
    for problem in problems:
        of_document[problem.document_id or ""].append(problem)
    for read in drafts:
        kept = (p for p in read.problems if p.kind not in {attachments.UNKNOWN, TWIN})
        yield replace(
            read,
            document=replace(read.document, attachments=found.get(read.document.id, ())),
            problems=(*kept, *of_document.get(read.document.id, ())),
        )


def _known(plan: Plan, source: str) -> Mapping[str, Any]:
    """What the sidecars of a source say; nothing when they changed for the worse since they were read.

    The next rebuild then sees that they did.
    """
    try:
        return documents.known_of(plan.corpus / source, plan.root)
    except DocumentError:
        return {}


def provenance(document: Document) -> dict[str, Any]:
    """What the manifest says of a document."""
    return {
        "id": document.id,
        "source": document.source,
        "origin": document.origin,
        "added": document.added,
        "media_type": document.media_type,
        "reader": document.reader,
        "sha256": document.sha256,
        "text_sha256": document.text_sha256,
        "attachments": [
            {"reference_id": a.reference_id, "confidence": a.confidence, "how": a.how} for a in document.attachments
        ],
    }
