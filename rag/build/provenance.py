"""Where each document came from, and which listed works the documents are: what the sidecars say, kept in the index."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rag import attachments, documents
from rag.build.plan import Plan
from rag.build.reading import Read
from rag.store import Generation
from rag.types import Document, Problem


def with_provenance(plan: Plan, read: Sequence[Read], live: Generation | None) -> list[Read]:
    """The same with origin, date and text hash of each document, and the entries that it is.

    What came as a plain file has the date when it was first indexed with these bytes.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    before = {} if live is None else {(d.source, d.sha256): d.added for d in live.documents()}
    known = {r.document.id: documents.known_of(plan.corpus / r.document.source) for r in read}
    placed = [
        _placed(
            r.document,
            known[r.document.id].get("origin", {}),
            before.get((r.document.source, r.document.sha256)) or now,
        )
        for r in read
    ]
    found, problems = attachments.attach(
        placed,
        [reference for r in read for reference in r.references],
        {i: fields["reference"] for i, fields in known.items() if "reference" in fields},
    )
    of_document: dict[str, list[Problem]] = {}
    for problem in problems:
        of_document.setdefault(problem.document_id or "", []).append(problem)
    return [
        replace(
            r,
            document=replace(document, attachments=found.get(document.id, ())),
            problems=(
                *(p for p in r.problems if p.kind != attachments.UNKNOWN),
                *of_document.get(document.id, ()),
            ),
        )
        for r, document in zip(read, placed, strict=True)
    ]


def provenance(read: Sequence[Read]) -> list[dict[str, Any]]:
    """What the manifest says of each document."""
    return [
        {
            "id": d.id,
            "source": d.source,
            "origin": d.origin,
            "added": d.added,
            "media_type": d.media_type,
            "reader": d.reader,
            "sha256": d.sha256,
            "text_sha256": d.text_sha256,
            "attachments": [
                {"reference_id": a.reference_id, "confidence": a.confidence, "how": a.how} for a in d.attachments
            ],
        }
        for d in (r.document for r in read)
    ]


def _placed(document: Document, origin: Mapping[str, Any], added: str) -> Document:
    address = str(origin.get("final_address") or origin.get("address") or "")
    return replace(
        document,
        address=document.address or address or None,
        origin=str(origin.get("address") or origin.get("name") or Path(document.source).name),
        added=str(origin.get("retrieved") or added),
        text_sha256=hashlib.sha256(document.text.encode("utf-8", "surrogatepass")).hexdigest(),
    )
