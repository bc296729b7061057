"""A BEIR folder → the material that all tools are given: so many documents and questions, by a fixed seed.

The documents that are right for the questions, others beside them, one document changed. Chunks are cut by `rag.chunks`
within 200 tokens, so that no tool's encoder cuts anything off.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rag import chunks
from rag.evaluate import runs, sets
from rag.types import Document

SEED = 7
ADDED = "The lighthouse keeper of Fastnet counted eleven herring boats before breakfast."
"""What the changed document says besides; nothing else in the set is about it."""


def prepare(folder: Path, into: Path, documents: int, questions: int) -> Mapping[str, Mapping[str, int]]:
    """Write the material to `into`, and return by question the documents that are right, with their grades."""
    drawn = runs.sampled(sets.read(folder), questions, documents, seed=SEED)
    first = drawn.documents[0]
    changed = replace(first, text=f"{first.text} {ADDED}", sections=_longer(first))
    told = {
        "documents": [_told(d) for d in drawn.documents],
        "changed": _told(changed),
        "added": ADDED,
        "questions": [(q.id, q.text) for q in drawn.queries],
    }
    into.parent.mkdir(parents=True, exist_ok=True)
    into.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    return {q.id: q.relevant for q in drawn.queries}


def _longer(document: Document) -> Any:  # noqa: ANN401  (sections)
    return tuple(replace(s, end=s.end + len(ADDED) + 1) for s in document.sections)


def _told(document: Document) -> dict[str, Any]:
    texts = _texts(document)
    return {
        "id": document.id,
        "title": document.title or "",
        "text": document.text,
        "chunks": [{"id": f"{document.id}#{n}", "text": text} for n, text in enumerate(texts)],
    }


def _texts(document: Document) -> Iterable[str]:
    """What is embedded of a document: its chunks with the title in front; not the title as a chunk of its own."""
    return [chunks.embedded_text(document, c) for c in chunks.split(document) if c.kind == "text"]
