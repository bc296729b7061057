"""Passages → Answer: look up or select, attribute, verify, abstain. Knows no index format and no HTTP.

question ──► read ──► about (the document, an entry)   ──► pieces
   ▲            └───► retrieve ► evidence ► select      ──► pieces ──► compose ──► Answer
   └─ stand_alone: a question that leans on the ones before it
"""

from rag.answer.compose import Options, ask, warm
from rag.answer.followup import stand_alone
from rag.answer.model import LanguageModel
from rag.answer.rerank import LanguageModelReranker
from rag.asked import Turn

__all__ = ["LanguageModel", "LanguageModelReranker", "Options", "Turn", "ask", "stand_alone", "warm"]
