"""The kinds of question, one module each behind one door: `tell(evidence) -> Told | None`.

The first that has something to say answers. A kind that does not recognise its question returns None; one that does
and knows that there is nothing returns a plan with the outcome "none", and nobody else is asked.
"""

from collections.abc import Callable

from rag.answer.gather import Evidence
from rag.answer.kinds import (
    cells,
    comparison,
    definition,
    documents,
    fact,
    headed,
    lookup,
    overview,
    says,
    source,
)
from rag.answer.plan import Told

KINDS: tuple[Callable[[Evidence], Told | None], ...] = (
    documents.tell,
    overview.tell,
    says.tell,
    lookup.tell,
    source.tell,
    cells.tell,
    comparison.tell,
    headed.tell,
    definition.tell,
    fact.tell,
)
