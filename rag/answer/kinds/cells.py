"""Rows of tables: the cell of a row and a column that a question names, the row that has the most."""

from __future__ import annotations

import re

from rag.answer import structure, wording
from rag.answer.evidence import covered, present
from rag.answer.gather import Evidence
from rag.answer.plan import Told
from rag.answer.structure import Table
from rag.lexical import terms, words
from rag.types import Document

_NUMBER = re.compile(r"-?\d[\d,. ]*")


def tell(found: Evidence) -> Told | None:
    """The row that a question asks for; None when no table has it."""
    seen: set[tuple[str, int]] = set()
    for passage in found.passages[:4]:
        if structure.BAR not in passage.text:
            continue
        document = found.document(passage.document_id)
        section = document.section_at(passage.start)
        start, end = (section.body_start, section.end) if section else (passage.start, passage.end)
        for table in structure.tables(document, start, end):
            if (document.id, table.lines[0].start) in seen:
                continue
            seen.add((document.id, table.lines[0].start))
            told = _from_table(found, document, table, section.title if section else "")
            if told is not None:
                return told
    return None


def _from_table(found: Evidence, document: Document, table: Table, heading: str) -> Told | None:
    asked = set(found.asked.content)
    caption = table.caption.of(document.text) if table.caption else ""
    columns = [_held(asked, h) for h in table.header]
    spoken = set(words(found.asked.text))
    most, least = bool(spoken & wording.said("most")), bool(spoken & wording.said("least"))
    measured = [i for i in range(1, len(table.header)) if columns[i]]
    if (most or least) and found.asked.expects != "quantity":
        if not measured:
            return None
        column = max(measured, key=lambda i: len(columns[i]))
        rows = [
            (v, n)
            for n, row in enumerate(table.rows[1:], 1)
            if (v := _value(row, column)) is not None and not _total(row)
        ]
        if len(rows) < 2:
            return None
        _, n = (max if most else min)(rows, key=lambda r: r[0])
        return _told(found, document, table, [n], [column])
    if spoken & {"each", "every", "all", "list", "jede", "chaque", "cada"} and _speaks_of(
        found, f"{caption} {heading} {' '.join(table.header)}"
    ):
        lines = list(range(1, len(table.rows)))
        wanted = [max(measured, key=lambda i: len(columns[i]))] if measured else list(range(1, len(table.header)))
        return _told(found, document, table, lines, wanted)
    named = [
        n for n, row in enumerate(table.rows[1:], 1) if row[0] and set(terms(row[0])) and set(terms(row[0])) <= asked
    ]
    if not named:
        return None
    rest = asked - {t for n in named for t in terms(table.rows[n][0])}
    if not measured:
        return None
    column = max(measured, key=lambda i: len(columns[i]))
    weights = {t: found.generation.idf(t) for t in rest}
    if covered(weights, present(f"{caption} {heading} {' '.join(table.header)} {document.title or ''}")) < 0.5:
        return None
    return _told(found, document, table, named, [column])


def _held(asked: set[str], header: str) -> set[str]:
    return asked & set(terms(header))


def _value(row: tuple[str, ...], column: int) -> float | None:
    match = _NUMBER.search(row[column]) if column < len(row) else None
    try:
        return float(match.group().replace(",", "").replace(" ", "")) if match else None
    except ValueError:
        return None


def _total(row: tuple[str, ...]) -> bool:
    return row[0].casefold().startswith(("total", "sum", "all", "average", "mean", "gesamt"))


def _speaks_of(found: Evidence, text: str) -> bool:
    vague = wording.said_terms("asking")
    weights = {t: found.generation.idf(t) for t in found.asked.content if t not in vague}
    return covered(weights, present(text, found.asked.language)) >= 0.6


def _told(found: Evidence, document: Document, table: Table, rows: list[int], columns: list[int]) -> Told | None:
    pieces = []
    for n in rows[:15]:
        row, span = table.rows[n], table.lines[n]
        cells = [f"{table.header[c]}: {row[c]}" for c in columns if c < len(row) and c < len(table.header)]
        text = (
            f"{table.header[0]} {row[0]} – {'; '.join(cells)}."
            if table.header[0]
            else f"{row[0]} – {'; '.join(cells)}."
        )
        piece = found.piece(document.id, span, text=text, item=len(rows) > 1)
        if piece is not None:
            pieces.append(piece)
    return Told(pieces, kind="cells", confidence=0.95) if pieces else None
