"""What a fetched file is called in a collection: a plain name, told from the answer, never a path."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from rag.fetch.client import Fetched

_SUFFIXES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "application/pdf": ".pdf",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "application/jats+xml": ".xml",
    "application/xml": ".xml",
    "text/xml": ".xml",
    "application/epub+zip": ".epub",
    "application/rtf": ".rtf",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/x-tex": ".tex",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
}
_NAME = re.compile(
    r"filename\*\s*=\s*(?:utf-8|iso-8859-1)''(?P<coded>[^;\s]+)|filename\s*=\s*\"?(?P<plain>[^\";]+)", re.IGNORECASE
)


def file_name(fetched: Fetched, kind: str, *, stem: str = "") -> str:
    """A name for what was fetched: `stem`, else what the site proposes, else its address says.

    Its suffix is that of `kind`, the media type told by content.
    """
    return f"{_plain(stem) or _proposed(fetched) or 'page'}{_SUFFIXES.get(kind, '.txt')}"


def _proposed(fetched: Fetched) -> str:
    named = _NAME.search(fetched.disposition)
    if named:
        return _plain(_without_suffix(unquote(named["coded"] or named["plain"])))
    parts = urlsplit(fetched.final_address)
    last = unquote(parts.path.rstrip("/").rsplit("/", 1)[-1])
    return _plain(_without_suffix(last)) or _plain((parts.hostname or "").removeprefix("www."))


def _without_suffix(name: str) -> str:
    return re.sub(r"\.[A-Za-z]\w{0,4}$", "", name)


def _plain(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-._")[:80].strip("-._")
