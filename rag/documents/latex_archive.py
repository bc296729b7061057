r"""Archives of LaTeX source, as arXiv gives them (.tar.gz, or one file in .gz) → blocks.

The file with `\documentclass` is read, with what it takes in by `\input`, `\include` and `\subfile` put in its place;
the bibliography is the .bbl beside it, else the .bib files. Nothing is unpacked to disk, and no name leads out of the
archive.
"""

from __future__ import annotations

import gzip
import io
import posixpath
import re
import tarfile
import zlib
from collections.abc import Mapping

from rag.documents.archive import MAX_MEMBERS, MAX_UNPACKED
from rag.documents.blocks import Draft
from rag.documents.decode import decode
from rag.documents.latex import read_source
from rag.documents.latex_source import without_comments
from rag.errors import DocumentError
from rag.types import Problem, Work

_SUFFIXES = (".tex", ".ltx", ".bbl", ".bib")
_LARGEST = 8 << 20
"""Bytes of one source file that is read."""
_TAKEN_IN = re.compile(r"\\(?:input|include|subfile)\s*+(?:\{([^{}]{1,300})\}|([^\s{}\\%]{1,300}))")
_DEEPEST = 10
_LONGEST = 20_000_000
"""Characters of the whole source, files that are taken in twice counted twice."""


def read_latex_archive(data: bytes, name: str) -> Draft:
    """Read an archive of LaTeX source. Raises DocumentError when it is damaged, too large or holds no such source."""
    files = _files(data, name)
    problems: list[Problem] = []
    texts: dict[str, str] = {}
    for path, content in files.items():
        texts[path], wrong = decode(content, f"{name}: {path}")
        problems += wrong
    mains = [
        p for p, text in texts.items() if p.endswith((".tex", ".ltx")) and r"\documentclass" in without_comments(text)
    ]
    if not mains:
        raise DocumentError(f"{name}: an archive without LaTeX source; unpack it and add the documents in it.")
    main = min(mains, key=lambda p: (posixpath.basename(p) not in {"main.tex", "ms.tex", "paper.tex"}, -len(texts[p])))
    left: list[str] = []
    source = _whole(texts, main, left, 0, [_LONGEST])
    problems += [
        Problem("part-left-out", f"{name} takes in {other!r}, which the archive does not hold.")
        for other in dict.fromkeys(left)
    ]
    lists = {p: text for p, text in texts.items() if p.endswith(".bbl")}
    stem = posixpath.splitext(main)[0]
    listed = lists.get(f"{stem}.bbl") or next(iter(lists.values()), "")
    draft = read_source(source, name, problems, listed)
    if not listed and r"\begin{thebibliography}" not in source:
        draft.works = {p: Work(p, "bibtex", text) for p, text in texts.items() if p.endswith(".bib")}
    return draft


def _files(data: bytes, name: str) -> dict[str, bytes]:
    """The source files by their paths, read as they come; a single compressed file is main.tex."""
    found: dict[str, bytes] = {}
    unpacked = 0
    try:
        with gzip.open(io.BytesIO(data)) as stream:
            head = stream.read(512)
            if head[257:262] != b"ustar" and not _old_tar(head):
                return {"main.tex": head + stream.read(_LARGEST)}
        with tarfile.open(fileobj=io.BytesIO(data), mode="r|gz") as archive:
            for count, member in enumerate(archive):
                unpacked += member.size
                if count > MAX_MEMBERS or unpacked > MAX_UNPACKED:
                    said = (
                        f"{name}: more than {MAX_MEMBERS} files or {MAX_UNPACKED >> 20} MiB in one archive; unpack it."
                    )
                    raise DocumentError(said)
                path = posixpath.normpath(member.name).lstrip("/")
                if member.isreg() and path.lower().endswith(_SUFFIXES) and member.size <= _LARGEST:
                    content = archive.extractfile(member)
                    found[path] = content.read() if content else b""
    except (OSError, EOFError, zlib.error, tarfile.TarError, ValueError) as error:
        raise DocumentError(f"{name}: the file is damaged or cut off ({error}); get a whole copy of it.") from error
    return found


def _old_tar(head: bytes) -> bool:
    """Whether a block is the head of a member in the oldest form of tar, which has no magic number."""
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.TarError:
        return False
    return True


def _whole(texts: Mapping[str, str], path: str, left: list[str], depth: int, room: list[int]) -> str:
    """A file's text with the files that it takes in, as far as there is room; `left` is told those that are missing."""
    text = without_comments(texts[path])
    room[0] -= len(text)
    folder = posixpath.dirname(path)
    out, position = [], 0
    for match in _TAKEN_IN.finditer(text):
        asked = (match[1] or match[2]).strip()
        tried = [
            posixpath.normpath(posixpath.join(base, f"{asked}{end}")) for base in (folder, "") for end in ("", ".tex")
        ]
        found = next((p for p in tried if p in texts), None)
        if found is None or depth >= _DEEPEST or room[0] < 0:
            left.append(asked)
            said = ""
        else:
            said = _whole(texts, found, left, depth + 1, room)
        out += [text[position : match.start()], said]
        position = match.end()
    return "".join([*out, text[position:]])
