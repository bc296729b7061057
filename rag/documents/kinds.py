"""What a file is, told by its bytes; the name only decides between kinds of text that look alike."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import PurePath

_MAGIC = [
    (b"{\\rtf", "application/rtf"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x1f\x8b", "application/gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\x7fELF", "application/x-executable"),
    (b"MZ\x90\x00", "application/x-executable"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (b"%!PS", "application/postscript"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
]
_OLE_STREAMS = {
    "EncryptedPackage": "application/x-encrypted-office",
    "Workbook": "application/vnd.ms-excel",
    "WordDocument": "application/msword",
    "PowerPoint Document": "application/vnd.ms-powerpoint",
    "__properties_version1.0": "application/vnd.ms-outlook",
}
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
_OFFICE = "application/vnd.openxmlformats-officedocument."
_BY_SUFFIX = {
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".mdown": "text/markdown",
    ".qmd": "text/markdown",
    ".rmd": "text/markdown",
    ".tex": "application/x-tex",
    ".latex": "application/x-tex",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".adoc": "text/asciidoc",
    ".asciidoc": "text/asciidoc",
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "text/html",
}
_SAMPLE = 1 << 16
_TAGGED = re.compile(r"^(?:TY {1,2}- [A-Z]|PMID ?- \d|%0 [A-Z]|FN (?:Clarivate|Thomson|ISI)|PT [A-Z]$)", re.MULTILINE)
"""How records of RIS, PubMed, EndNote's refer and Web of Science begin."""
_MARKUP = re.compile(r"<(?:!--.*?-->\s*+)?(?:!DOCTYPE\s++)?[\w:]", re.DOTALL | re.IGNORECASE)
_ROOT = re.compile(
    r"(?>\s++|<\?.*?\?>|<!--.*?-->|<!(?!--)[^>\[]*+(?:\[.*?\])?>)*+<(?:\w+:)?(?P<root>[\w-]+)", re.DOTALL
)
_BIBTEX_ENTRY = r"@\w++\s*+[{(]\s*+[^\s,]+\s*[,}]"
_BIBTEX = re.compile(rf"(?>(?!{_BIBTEX_ENTRY})(?:%|@comment\b)[^\n]*+\s*+)*+{_BIBTEX_ENTRY}", re.IGNORECASE)
"""An entry, below comments at most."""
_HTML_TAGS = re.compile(r"</(?:p|div|span|h[1-6]|a|li|table|section|article)>", re.IGNORECASE)
_MARKDOWN = [
    re.compile(r"^#{1,6} \S", re.MULTILINE),
    re.compile(r"\[[^\[\]\n]++\]\((?:https?://|#|\.{0,2}/)[^)\[\n]*+\)"),
    re.compile(r"^(?:```|~~~)", re.MULTILINE),
    re.compile(r"(?<!\w)\*\*[^*\n]+\*\*(?!\w)"),
    re.compile(r"^(?=[^\S\n]*+\S)\|?(?>\s*+:?-{3,}+:?\s*+\|)++", re.MULTILINE),
]


def kind_of(data: bytes, name: str) -> str:
    """The media type of `data`; ``application/octet-stream`` when nothing is recognised, never raises.

    `name` decides only among kinds of text (Markdown, CSV, AsciiDoc look like plain text).
    """
    if b"%PDF-" in data[:1024]:
        return "application/pdf"
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_kind(data)
    for mark, kind in _MAGIC:
        if data.startswith(mark):
            return _ole_kind(data) if kind == "application/x-ole-storage" else kind
    if data[:4] == b"RIFF" or data[4:8] == b"ftyp":
        return "application/octet-stream"
    return _text_kind(data, name)


def _zip_kind(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                said = archive.read("mimetype").decode("ascii", "replace").strip()
                if said == "application/epub+zip" or said.startswith(_OPEN_DOCUMENT):
                    return said
    except Exception:  # noqa: BLE001  (zipfile raises a dozen kinds on damaged archives)
        # Damaged, but the head may still say what it was meant to be.
        names = {n for n in ("word/", "ppt/", "xl/") if n.encode() in data[:4096]}
    for part, kind in (
        ("word/", "wordprocessingml.document"),
        ("ppt/", "presentationml.presentation"),
        ("xl/", "spreadsheetml.sheet"),
    ):
        if any(n.startswith(part) for n in names):
            return _OFFICE + kind
    if "META-INF/container.xml" in names:
        return "application/epub+zip"
    return "application/zip"


def _ole_kind(data: bytes) -> str:
    """What an OLE compound file holds, by the names of its streams."""
    for stream, kind in _OLE_STREAMS.items():
        if stream.encode("utf-16-le") in data:
            return kind
    return "application/x-ole-storage"


def _text_kind(data: bytes, name: str) -> str:
    text = _peek(data)
    suffix = PurePath(name).suffix.lower()
    head = text.lstrip("\ufeff \t\r\n")
    if head.startswith("<?xml") or _MARKUP.match(head):
        return _markup_kind(head, suffix)
    if re.search(r"\\documentclass\b|\\begin\{document\}", text):
        return "application/x-tex"
    if _BIBTEX.match(head):
        return "application/x-bibtex"
    if _TAGGED.search(head[:4000]):
        return "application/x-research-info-systems"
    if head[:1] in "[{" and suffix in {".json", ".jsonl"}:
        return "application/json"
    if head.startswith("WEBVTT"):
        return "text/vtt"
    if suffix in _BY_SUFFIX:
        return "text/plain" if _BY_SUFFIX[suffix] == "text/html" and not _HTML_TAGS.search(text) else _BY_SUFFIX[suffix]
    if sum(len(p.findall(text)) >= 2 for p in _MARKDOWN) >= 2 or len(_MARKDOWN[0].findall(text)) >= 3:
        return "text/markdown"
    return "text/plain"


def _markup_kind(head: str, suffix: str) -> str:
    first = _ROOT.match(head)
    root = (first["root"] or "").lower() if first else ""
    if root == "article" and re.search(r"JATS|NLM//DTD|<front>|<journal-meta|article-type=|xmlns:mml|<ref-list", head):
        return "application/jats+xml"
    if root == "xml" and "<records>" in head and "<record>" in head:
        return "application/x-endnote+xml"
    if root in {"html", "head", "body"} or re.match(
        r"[^<]*(?:<\?.*?\?>\s*)?<!doctype\s+html", head, re.IGNORECASE | re.DOTALL
    ):
        return "text/html"
    if head.startswith("<?xml") or re.match(r"<[\w:]++[^<>]*\sxmlns[:=]", head):
        return "application/xml"
    if _HTML_TAGS.search(head) and suffix not in {".md", ".markdown", ".txt"}:
        return "text/html"
    return _BY_SUFFIX.get(suffix, "text/plain")


def _peek(data: bytes) -> str:
    sample = data[:_SAMPLE]
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return sample.decode("utf-16", "replace")
    return sample.decode("utf-8", "replace")
