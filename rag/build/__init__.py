"""Corpus → generation: read, link, chunk, embed what is new, check, publish.

A rebuild happens aside: readers keep the old generation until one rename makes the new one live. Vectors are reused
by the hash of what was embedded, so a rebuild costs what changed. Knows no question and no HTTP.
"""

from rag.build.changes import add, attach, remove, safe_name
from rag.build.pipeline import rebuild
from rag.build.plan import Incoming, Plan

__all__ = ["Incoming", "Plan", "add", "attach", "rebuild", "remove", "safe_name"]
