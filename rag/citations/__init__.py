"""In-text citations: which entry of the bibliography each leads to, what text it covers, and what disagrees.

The door:

- `link(document, references) -> (mentions, problems)`: every citation part with its exact span, entry and scope;
- `audit(document, references, mentions) -> problems`: one list of everything wrong, or not to be told;
- `covering(mentions, start, end) -> mentions`: whose claims a sentence relays;
- `notes_of(document) -> notes`: the numbered notes and where their texts stand;
- `KINDS`: kind of problem → (severity, title, explanation); `explained(kind)` also for those that readers report;
- `report`: problems as SARIF or as rows of a table.

How far a citation reaches is told in words in `rag.citations.scope`. Nothing here raises on any text.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.citations import report
from rag.citations.audit import KINDS, audit, explained
from rag.citations.linking import link
from rag.citations.notes import read as notes_of
from rag.types import Mention

_LEAST = 12
"""Characters that a scope must share with a sentence to be about it: more than a bracket and a mark."""

__all__ = ["KINDS", "audit", "covering", "explained", "link", "notes_of", "report"]


def covering(mentions: Sequence[Mention], start: int, end: int) -> tuple[Mention, ...]:
    """The mentions whose scopes, taken together, cover at least half of `start:end`; none where they do not.

    So a sentence with three clauses and a citation behind each is covered by all three, and a sentence of which only an
    aside is cited is left to its author.
    """
    inside = [m for m in mentions if min(m.scope_end, end) - max(m.scope_start, start) >= _LEAST]
    covered, reached = 0, start
    for mention in sorted(inside, key=lambda m: m.scope_start):
        begin, stop = max(mention.scope_start, reached), min(mention.scope_end, end)
        covered += max(0, stop - begin)
        reached = max(reached, stop)
    return tuple(inside) if covered * 2 >= end - start else ()
