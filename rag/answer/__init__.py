"""Passages → Answer: look up or select, attribute, verify, abstain. Knows no index format and no HTTP.

question ──► read ──► about (the document, an entry)   ──► pieces
                └───► retrieve ► evidence ► select      ──► pieces ──► compose ──► Answer
"""

from rag.answer.compose import Options, ask, warm

__all__ = ["Options", "ask", "warm"]
