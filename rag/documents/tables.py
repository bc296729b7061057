"""Spreadsheets and delimited text → blocks: a sheet is a section, a row a line with its cells between bars.

python-calamine (MIT) reads XLSX, XLS and ODS.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from rag.documents.archive import Package
from rag.documents.blocks import Block, Draft
from rag.documents.decode import decode
from rag.errors import DocumentError
from rag.types import Problem

_ROWS_TOGETHER = 25
"""Rows in one block: a table of thousands of rows is no paragraph."""
_MOST_ROWS = 20_000
_SNIFFED = 8_000
"""Characters the delimiter is told from: the sniffer's time grows with the square of what it is given."""


def read_spreadsheet(data: bytes, name: str) -> Draft:
    """Read an XLSX, XLS or ODS workbook. Raises DocumentError for damaged, encrypted and bomb-like files."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    kind = "application/vnd.ms-excel"
    if data.startswith(b"PK"):
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        Package(data, name)  # checks the sizes before anything is unpacked
    draft = Draft([], "xlsx/1", kind)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        for sheet in book.sheet_names:
            rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=True)
            if rows:
                draft.blocks.append(Block(sheet, "heading", 2))
                _add(draft, name, [[_cell(value) for value in row] for row in rows])
    except PasswordError as error:
        raise DocumentError(
            f"{name}: the workbook is encrypted; save it without a password and add it again."
        ) from error
    except (CalamineError, OSError, ValueError) as error:
        raise DocumentError(f"{name}: the workbook cannot be read ({error}); save it anew as .xlsx.") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # how a fault in Rust code shows; it is no Exception
            raise
        raise DocumentError(f"{name}: the workbook is damaged; save it anew as .xlsx.") from error
    return draft


def read_delimited(data: bytes, name: str) -> Draft:
    """Read CSV or TSV, the delimiter told from the text. Raises DocumentError when the bytes are no text."""
    text, problems = decode(data, name)
    draft = Draft([], "csv/1", "text/csv", problems=problems)
    try:
        dialect: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(text[:_SNIFFED], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel_tab if PurePath(name).suffix.lower() == ".tsv" else csv.excel
    csv.field_size_limit(1 << 20)
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""), dialect)]
    except csv.Error as error:
        raise DocumentError(f"{name}: not readable as a table ({error}).") from error
    _add(draft, name, rows)
    return draft


def _cell(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    return " ".join(str(value).split())


def _add(draft: Draft, name: str, rows: Sequence[Sequence[str]]) -> None:
    lines = [" | ".join(_trimmed(row)) for row in rows[:_MOST_ROWS]]
    lines = [line for line in lines if line.strip(" |")]
    if len(rows) > _MOST_ROWS:
        draft.problems.append(
            Problem("rows-left-out", f"{name}: {len(rows) - _MOST_ROWS} rows beyond the first {_MOST_ROWS} left out.")
        )
    for start in range(0, len(lines), _ROWS_TOGETHER):
        draft.blocks.append(Block("\n".join(lines[start : start + _ROWS_TOGETHER]), "table"))


def _trimmed(row: Iterable[str]) -> list[str]:
    cells = list(row)
    while cells and not cells[-1]:
        cells.pop()
    return cells
