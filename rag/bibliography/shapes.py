"""The shapes that CSL-JSON gives its variables, for items that come from elsewhere.

https://docs.citationstyles.org/en/stable/specification.html#appendix-iv-variables
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_ISO = re.compile(r"\s*+(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?(?![\d-])")
_YEAR = re.compile(r"(?<!\d)(1\d{3}|20\d{2})(?!\d)")
NAMES = frozenset(
    ("author", "editor", "translator", "director", "container-author", "collection-editor", "interviewer", "recipient")
)
OTHERS = {"literal": "et al."}
"""The last author of a work of which not all are named."""
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
                csl[key] = {"date-parts": [parts], **_literal(value)}
        elif key == "custom":
            if isinstance(value, Mapping):
                csl[key] = dict(value)
        elif isinstance(value, (str, int, float)) and not isinstance(value, bool) and (text := _text(value)):
            csl[key] = text
    csl.setdefault("type", "document")
    return csl


def named(said: str) -> dict[str, str]:
    """A name as one string: "Family, Given", or a body's, or a person's who has but one."""
    family, comma, given = (part.strip() for part in said.partition(","))
    return {"family": family, "given": given} if comma and given else {"literal": said.strip().rstrip(",")}


def date_parts(value: object) -> list[int]:
    """[year], [year, month] or [year, month, day] of a CSL date, as far as it makes sense; else [].

    Dates that are one string ("raw", "literal", or no mapping at all) are read as ISO 8601 or by the year in them.
    """
    if isinstance(value, Mapping) and "date-parts" not in value:
        value = value.get("year") or value.get("raw") or value.get("literal")
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        iso = _ISO.match(str(value)) or _YEAR.search(str(value))
        return [int(p) for p in iso.groups() if p] if iso else []
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


def _literal(value: object) -> dict[str, str]:
    """A date's own words, where they say more than its year: "ca. 1990"."""
    said = value.get("literal") if isinstance(value, Mapping) else None
    return {"literal": _text(said)} if isinstance(said, str) and _text(said) else {}


def _people(value: object) -> list[dict[str, str]]:
    people = [named(value)] if isinstance(value, str) and value.strip() else value
    people = people if isinstance(people, (list, tuple)) else ()
    found = [
        {str(k): t for k, v in p.items() if isinstance(v, str) and (t := _text(v))}
        for p in people
        if isinstance(p, Mapping)
    ]
    return [p for p in found if p.keys() & {"family", "given", "literal"}]


def _text(value: object) -> str:
    return str(value).encode("utf-8", "replace").decode("utf-8").strip()
