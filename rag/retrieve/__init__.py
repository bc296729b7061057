"""Question → passages. Knows no answer and no file.

search ──► filters (which rows may be found) ──► candidates of each side ──► one fused score ──► Passages
"""

from rag.retrieve.filters import Filters
from rag.retrieve.parts import compared, questions
from rag.retrieve.search import Embedded, Vectors, embed, search, speaking

__all__ = ["Embedded", "Filters", "Vectors", "compared", "embed", "questions", "search", "speaking"]
