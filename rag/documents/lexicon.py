"""The words of `words.json`: what sections, buttons and bylines are called in many languages. Data, no rules."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def _tables() -> dict[str, list[str]]:
    tables: dict[str, list[str]] = json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))
    return tables


def words(table: str) -> frozenset[str]:
    """The plain words of a table, lower case."""
    return frozenset(_tables()[table])


def alternatives(table: str) -> str:
    """A table of patterns as one group of a regular expression."""
    return "(?:" + "|".join(_tables()[table]) + ")"
