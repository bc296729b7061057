"""A span of a document → whose claim it is: the document's own, or relayed from a listed work.

A sentence is `relayed` when the scope of an in-text citation covers it (ARCHITECTURE.md, "Scope"); the references are
those citations' targets, in text order. Knows no question and no model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.citations import covering
from rag.types import Attribution, Document, Mention, Reference, Span

_BODY = re.compile(
    r"\b(?:board|council|committee|commission|ministry|department|office|agency|authority|academy|institute?|university|"
    r"association|society|organi[sz]ation|group|company|bank|union|foundation|cent(?:re|er)|team|consultants|bureau|"
    r"trust|press|news|times|post|inc|ltd)\b",
    re.IGNORECASE,
)
"""Words that tell the name of a body of people, which is not cut down to its last word."""


class Sources(Protocol):
    """Where documents, their in-text citations and the entries behind them are: a generation, or passages given."""

    def document(self, document_id: str) -> Document:
        """A document by its id."""

    def mentions(self, document_id: str) -> Sequence[Mention]:
        """Its in-text citations."""

    def reference(self, reference_id: str) -> Reference:
        """An entry by its id."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose claim a span makes: the attribution, the in-text citations that say so, the entries, and that in words."""

    attribution: Attribution
    mentions: tuple[Mention, ...]
    reference_ids: tuple[str, ...]
    relation: str


def attribute(sources: Sources, document: Document, span: Span, entry: Reference | None = None) -> Claim:
    """Whose claim `span` of `document` is. An entry of the bibliography is the document's own statement."""
    if entry is not None:
        return Claim("own", (), (entry.id,), f"the bibliography of {names_of(document)} lists")
    mentions: Sequence[Mention] = covering(sources.mentions(document.id), span.start, span.end)
    ids = tuple(dict.fromkeys(m.reference_id for m in mentions if m.reference_id))
    if not mentions and document.attachments:
        # A listed work speaks for itself: it is called as the lists call it, and the citation goes on to its entries.
        listed = tuple(a.reference_id for a in document.attachments)
        return Claim("own", (), listed, f"{short(sources.reference(listed[0]))} says")
    if not mentions:
        return Claim("own", (), (), f"{names_of(document)} {_verb(document, 'say')}")
    cited = [short(sources.reference(i)) for i in ids]
    cited += [f"“{document.text[m.start : m.end]}”, not in its list" for m in mentions if m.reference_id is None]
    return Claim(
        "relayed", tuple(mentions), ids, f"{names_of(document)} {_verb(document, 'report')}, citing {_joined(cited)}"
    )


def short(reference: Reference) -> str:
    """A work as running text names it: "Deng (2024)", "Tho and Gan (2023)", "Huang et al. (2023)", "WDTA (n.d.)"."""
    csl = reference.csl
    people = csl.get("author") or csl.get("editor") or ()
    names = [str(p.get("family") or p.get("literal") or "").strip() for p in people]
    names = [n for n in names if n]
    who = f"{names[0]} et al." if len(names) > 2 else _joined(names) or f"“{csl.get('title') or reference.id}”"
    parts = ((csl.get("issued") or {}).get("date-parts") or [[]])[0]
    year = f"{parts[0]}{csl.get('year-suffix') or ''}" if parts else str(csl.get("status") or "n.d.")
    return f"{who} ({year})"


def names_of(document: Document) -> str:
    """A document as running text names it: "Damiani (2024)", or by its title."""
    names = [b.name if _BODY.search(b.name) else b.name.rsplit(" ", 1)[-1] for b in document.authors]
    if not names:
        return f"“{document.title}”" if document.title else f"“{document.source or document.id}”"
    who = f"{names[0]} et al." if len(names) > 2 else _joined(names)
    return f"{who} ({document.date[:4]})" if document.date else who


def _verb(document: Document, verb: str) -> str:
    return verb if len(document.authors) > 1 else f"{verb}s"


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
