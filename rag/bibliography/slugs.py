"""Readable reference ids: first author's family name, year, suffix — unique within a list, stable while the list is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain, count
from typing import Any

from rag.bibliography import names

_MAX_WORDS = 8


def slug(csl: Mapping[str, Any]) -> str:
    """``deng-2024``, ``jiang-2024a``, ``cyberspace-administration-of-china-2021``, ``…-nd`` without a year."""
    return f"{_who(csl) or 'anonymous'}-{_when(csl)}"


def unique(wanted: str, taken: set[str]) -> str:
    """`wanted`, or `wanted` with the first free letter (b, c … z), then number, behind it; the result joins `taken`."""
    candidate = wanted
    letters = (f"{wanted}{'' if wanted[-1:].isdigit() else '-'}{letter}" for letter in "bcdefghijklmnopqrstuvwxyz")
    further = chain(letters, (f"{wanted}-{n}" for n in count(len(taken))))
    while candidate in taken:
        candidate = next(further)
    taken.add(candidate)
    return candidate


def _who(csl: Mapping[str, Any]) -> str:
    for role in ("author", "editor", "director", "translator"):
        people = csl.get(role)
        if isinstance(people, list) and people and isinstance(people[0], Mapping):
            first = people[0]
            name = str(first.get("family") or first.get("literal") or first.get("given") or "")
            entered_under = names.jurisdiction(name)
            if word := _words(entered_under[1] if entered_under else name):
                return word
    return _words(str(csl.get("title") or csl.get("container-title") or ""), limit=4)


def _when(csl: Mapping[str, Any]) -> str:
    issued = csl.get("issued")
    parts = issued.get("date-parts") if isinstance(issued, Mapping) else None
    if isinstance(parts, list) and parts and isinstance(parts[0], list) and parts[0]:
        return f"{parts[0][0]}{csl.get('year-suffix') or ''}"
    return "nd"


def _words(text: str, limit: int = _MAX_WORDS) -> str:
    return "-".join(re.findall(r"[^\W_]+", names.fold(re.sub(r"['’‘]", "", text)))[:limit])
