"""The shapes that CSL-JSON gives its variables, for items that come from elsewhere.

https://docs.citationstyles.org/en/stable/specification.html#appendix-iv-variables
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAMES = frozenset(
    ("author", "editor", "translator", "director", "container-author", "collection-editor", "interviewer", "recipient")
)
DATES = frozenset(("issued", "accessed", "original-date", "event-date", "submitted"))


def shaped(item: Mapping[str, Any]) -> dict[str, Any]:
    """Keep of an item what has the shape of CSL-JSON, so that nobody downstream must ask again.

    Names become lists of mappings of strings, dates ``{"date-parts": [[y, m, d]]}`` of integers, everything else
    a string without white space at its ends; ``custom`` stays as it is, and what has another shape is left out.
    """
    csl: dict[str, Any] = {}
    for key, value in item.items():
        if key in NAMES:
            if people := _people(value):
                csl[key] = people
        elif key in DATES:
            if parts := date_parts(value):
                csl[key] = {"date-parts": [parts]}
        elif key == "custom":
            if isinstance(value, Mapping):
                csl[key] = dict(value)
        elif isinstance(value, (str, int, float)) and not isinstance(value, bool) and (text := _text(value)):
            csl[key] = text
    csl.setdefault("type", "document")
    return csl


def date_parts(value: object) -> list[int]:
    """[year], [year, month] or [year, month, day] of a CSL date, as far as it makes sense; else []."""
    parts = value.get("date-parts") if isinstance(value, Mapping) else None
    first = parts[0] if isinstance(parts, (list, tuple)) and parts else None
    numbers: list[int] = []
    for part in first[:3] if isinstance(first, (list, tuple)) else ():
        text = str(part)
        if isinstance(part, bool) or not (text.isascii() and text.isdecimal()) or len(text) > 4:
            break
        numbers.append(int(text))
    if not numbers or not numbers[0]:
        return []
    if len(numbers) > 1 and not 1 <= numbers[1] <= 12:
        return numbers[:1]
    return numbers[:2] if len(numbers) > 2 and not 1 <= numbers[2] <= 31 else numbers


def _people(value: object) -> list[dict[str, str]]:
    people = value if isinstance(value, (list, tuple)) else ()
    found = [
        {str(k): t for k, v in p.items() if isinstance(v, str) and (t := _text(v))}
        for p in people
        if isinstance(p, Mapping)
    ]
    return [p for p in found if p.keys() & {"family", "given", "literal"}]


def _text(value: object) -> str:
    return str(value).encode("utf-8", "replace").decode("utf-8").strip()
