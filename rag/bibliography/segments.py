"""The labelled stretch of an entry: what rules and model give, and what fields are made of."""

from __future__ import annotations

from typing import NamedTuple


class Segment(NamedTuple):
    """`raw[start:end]` of an entry says its `label` (author, date, title, container, volume, page …)."""

    label: str
    start: int
    end: int
