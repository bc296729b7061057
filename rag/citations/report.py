"""Problems as files that other programs read: SARIF for code hosts and editors, rows for a spreadsheet.

SARIF 2.1.0 (OASIS): one run, a rule for each kind found, a result for each problem. A place is given as characters of
the stored text (``charOffset``), and as the stretch itself (``snippet``). Knows nothing of where texts are kept.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from rag.citations.audit import explained
from rag.types import Problem, Severity

_LEVELS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LINE = re.compile(r"\n")
COLUMNS = ("severity", "kind", "document", "start", "end", "reference", "message", "text")


def sarif(problems: Sequence[Problem], texts: Mapping[str, str], sources: Mapping[str, str]) -> dict[str, Any]:
    """One SARIF log; `texts` and `sources` (the files' names) go by document id."""
    kinds = {kind: n for n, kind in enumerate(dict.fromkeys(p.kind for p in problems))}
    shown = {p.document_id for p in problems}
    lines = {key: [0, *(m.end() for m in _LINE.finditer(text))] for key, text in texts.items() if key in shown}
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "adfontes", "rules": [_rule(kind) for kind in kinds]}},
                "columnKind": "unicodeCodePoints",
                "results": [_result(p, kinds[p.kind], texts, sources, lines) for p in problems],
            }
        ],
    }


def rows(problems: Sequence[Problem], texts: Mapping[str, str]) -> list[tuple[str, ...]]:
    """`COLUMNS` of every problem; empty where a problem has no place or no entry."""
    return [
        (
            p.severity,
            p.kind,
            p.document_id or "",
            "" if p.start is None else str(p.start),
            "" if p.end is None else str(p.end),
            p.reference_id or "",
            p.message,
            " ".join(quoted(p, texts).split()),
        )
        for p in problems
    ]


def quoted(problem: Problem, texts: Mapping[str, str]) -> str:
    """The stretch of text that a problem is about; empty where it has no place."""
    text = texts.get(problem.document_id or "")
    if text is None or problem.start is None or problem.end is None:
        return ""
    return text[problem.start : problem.end]


def _rule(kind: str) -> dict[str, Any]:
    severity, title, explanation = explained(kind)
    return {
        "id": kind,
        "name": "".join(word.capitalize() for word in kind.split("-")),
        "shortDescription": {"text": title},
        "fullDescription": {"text": explanation},
        "defaultConfiguration": {"level": _LEVELS[severity]},
    }


def _result(
    problem: Problem,
    rule: int,
    texts: Mapping[str, str],
    sources: Mapping[str, str],
    lines: Mapping[str, Sequence[int]],
) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": problem.kind,
        "ruleIndex": rule,
        "level": _LEVELS[problem.severity],
        "message": {"text": problem.message},
    }
    document = problem.document_id or ""
    if document:
        place: dict[str, Any] = {"artifactLocation": {"uri": _uri(sources.get(document) or document)}}
        if quote := quoted(problem, texts):
            place["region"] = _region(lines[document], problem, quote)
        result["locations"] = [{"physicalLocation": place}]
    if problem.reference_id:
        result["properties"] = {"reference_id": problem.reference_id}
    return result


def _region(lines: Sequence[int], problem: Problem, quote: str) -> dict[str, Any]:
    """A stretch in lines and columns, both from one; `lines` is where each line of the text begins."""
    start, end = problem.start or 0, problem.end or 0
    first, last = bisect_right(lines, start), bisect_right(lines, end)
    return {
        "startLine": first,
        "startColumn": start - lines[first - 1] + 1,
        "endLine": last,
        "endColumn": end - lines[last - 1] + 1,
        "charOffset": start,
        "charLength": end - start,
        "snippet": {"text": quote},
    }


def _uri(name: str) -> str:
    from urllib.parse import quote

    return quote(name)
