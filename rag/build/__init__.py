"""Corpus → generation: read, link, chunk, embed what is new, check, publish.

A rebuild happens aside: readers keep the old generation until one rename makes the new one live. Vectors are reused
by the hash of what was embedded, so a rebuild costs what changed. Knows no question and no HTTP.
"""

from rag.build.changes import add, attach, remove, safe_name, save
from rag.build.folder import QUESTIONS, survey
from rag.build.journal import sweep, writing
from rag.build.pipeline import index, rebuild
from rag.build.plan import Incoming, Plan

__all__ = [
    "QUESTIONS",
    "Incoming",
    "Plan",
    "add",
    "attach",
    "index",
    "rebuild",
    "remove",
    "safe_name",
    "save",
    "survey",
    "sweep",
    "writing",
]
