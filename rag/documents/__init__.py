"""Files → Documents: clean text with sections, pages and offsets, one reader a format.

`read` tells the kind by content, lets that format's reader make blocks and lays them out as one text. Knows nothing
of chunks, citations or the index. What cannot be read at all raises DocumentError; all else is in `Document.problems`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from rag.documents.assemble import assemble
from rag.documents.blocks import Draft
from rag.documents.decode import marked
from rag.documents.isolated import MAX_BYTES, kind_isolated, read_isolated
from rag.documents.kinds import kind_of
from rag.documents.sidecar import known_of, sidecars_of, written
from rag.errors import DocumentError, TransientError
from rag.types import Document

__all__ = [
    "BIBLIOGRAPHY_KINDS",
    "MAX_BYTES",
    "is_bibliography",
    "is_document",
    "is_source",
    "kind_isolated",
    "kind_of",
    "known_of",
    "read",
    "read_isolated",
    "sidecars_of",
    "slug",
    "written",
]

BIBLIOGRAPHY_KINDS: dict[str, Literal["bibtex", "bbl", "ris", "csl", "rdf"]] = {
    ".bib": "bibtex",
    ".bibtex": "bibtex",
    ".bbl": "bbl",
    ".ris": "ris",
    ".nbib": "ris",
    ".enw": "ris",
    ".ciw": "ris",
    ".json": "csl",
    ".yaml": "csl",
    ".yml": "csl",
    ".rdf": "rdf",
}
"""Suffixes of files that are reference lists, and what `rag.bibliography.read_structured` reads them as."""
_NEITHER_SUFFIXES = frozenset({".toml", ".tmp", ".part", ".lock", ".log", ".pyc"})
_NEITHER_STEMS = frozenset({"readme", "license", "licence", "copying", "notice", "thumbs", "desktop"})

# Media type → module:function. A reader is `(bytes, name) -> Draft` and is imported when its format first comes.
_READERS = {
    "text/plain": "text:read_text",
    "text/markdown": "markdown:read_markdown",
    "text/html": "html:read_html",
    "application/pdf": "pdf:read_pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx:read_docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "slides:read_pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "tables:read_spreadsheet",
    "application/vnd.ms-excel": "tables:read_spreadsheet",
    "application/vnd.oasis.opendocument.text": "odt:read_odt",
    "application/vnd.oasis.opendocument.spreadsheet": "tables:read_spreadsheet",
    "application/epub+zip": "epub:read_epub",
    "application/jats+xml": "jats:read_jats",
    "application/x-tex": "latex:read_latex",
    "application/gzip": "latex_archive:read_latex_archive",
    "application/rtf": "rtf:read_rtf",
    "text/csv": "tables:read_delimited",
    "text/tab-separated-values": "tables:read_delimited",
    "text/asciidoc": "asciidoc:read_asciidoc",
}
_WHY_NOT = {
    "application/x-bibtex": "a BibTeX bibliography; end its name in .bib and it is read as one",
    "application/x-research-info-systems": "a reference manager's export; end its name in .ris and it is read as one",
    "application/x-endnote+xml": "an EndNote library in XML; export it from EndNote as RIS (.ris) and add that",
    "application/json": "JSON holds data, not prose; a CSL-JSON bibliography belongs in a file ending in .json",
    "application/zip": "a zip archive; unpack it and add the documents in it",
    "application/x-ole-storage": "an old binary Office file; save it as .docx, .xlsx or .pptx",
    "application/x-encrypted-office": "the file is encrypted; save it without a password and add it again",
    "application/msword": "an old Word file (.doc); save it as .docx",
    "application/vnd.ms-powerpoint": "an old PowerPoint file (.ppt); save it as .pptx",
    "application/vnd.ms-outlook": "an Outlook message; save it as HTML or plain text",
    "application/xml": "XML that is no JATS article; export it as HTML or plain text",
    "application/octet-stream": "the format is not known; export it as PDF, HTML or plain text",
}


def read(
    path: Path, *, data: bytes | None = None, known: Mapping[str, Any] | None = None, document_id: str | None = None
) -> Document:
    """Read one file, or `data` under the name `path`, as a Document.

    `known` (title, authors, date, language, address; see `known_of`) wins over what the text says; the encoding that a
    server named when the file was fetched is believed where the bytes bear it out. The id is
    `document_id`, else the slug of the file's stem. Raises DocumentError, naming the file and the mend, for what
    cannot be read at all; everything less is a Problem of the document.
    """
    if data is None:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise TransientError(f"{path.name}: cannot be opened ({error.strerror or error}).") from error
    name = path.name
    if not data.strip(b" \t\r\n\x00\xef\xbb\xbf"):
        raise DocumentError(f"{name}: the file is empty; add it again once it has content.")
    kind = kind_of(data, name)
    charset = (known or {}).get("origin", {}).get("charset")
    encoded = marked(data, charset) if charset and kind.startswith("text/") else data
    draft = _reader(kind, name)(encoded, name)
    document = assemble(
        draft,
        document_id=document_id or slug(path.stem),
        source=name,
        sha256=hashlib.sha256(data).hexdigest(),
        known=known,
    )
    if not any(c.isalnum() for c in document.text):
        raise DocumentError(f"{name}: no text was found in it ({kind}).")
    return document


def _reader(kind: str, name: str) -> Callable[[bytes, str], Draft]:
    if kind not in _READERS:
        why = _WHY_NOT.get(kind, f"{kind} is no document with text; export it as PDF, HTML or plain text")
        raise DocumentError(f"{name}: {why}.")
    module, function = _READERS[kind].split(":")
    reader: Callable[[bytes, str], Draft] = getattr(import_module(f"rag.documents.{module}"), function)
    return reader


def slug(name: str) -> str:
    """`name` as an id: lower case letters and digits of any script, everything else one hyphen; never empty."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\W_]+", "-", folded).strip("-") or "document"


def is_bibliography(path: Path) -> bool:
    """Whether a file of a collection is a reference list of its own (.bib, .ris, CSL-JSON and their like)."""
    return path.suffix.lower() in BIBLIOGRAPHY_KINDS and not _aside(path)


def is_document(path: Path) -> bool:
    """Whether a file of a collection is to be read as a document.

    All are but bibliographies, sidecars, hidden and temporary files, and READMEs: a file of an unknown kind is
    offered to `read`, which says why it cannot be used, so that nothing vanishes unseen.
    """
    return not _aside(path) and path.suffix.lower() not in BIBLIOGRAPHY_KINDS


def is_source(path: Path) -> bool:
    """Whether a file of a collection is a document or a bibliography."""
    return is_document(path) or is_bibliography(path)


def _aside(path: Path) -> bool:
    if path.name.startswith((".", "~$", "_quarto.", "_config.")) or path.name.endswith("~"):
        return True
    return path.suffix.lower() in _NEITHER_SUFFIXES or path.stem.casefold() in _NEITHER_STEMS
