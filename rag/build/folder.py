"""What stands in a collection's folder: the files that are sources, and what is left out, by name with the reason.

Looks at names, kinds and links only; opens nothing.
"""

from __future__ import annotations

import errno
import os
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from rag import documents
from rag.files import LEADS_OUT, printable, why_unfit
from rag.types import Skipped

QUESTIONS = "questions.jsonl"
"""The judged questions of a collection, beside its sources and not one of them."""
_KINDS = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}


@dataclass(frozen=True, slots=True)
class Survey:
    """The sources of a collection, sorted, and what cannot be one."""

    files: tuple[Path, ...]
    refused: tuple[Skipped, ...]


def survey(corpus: Path, *, follow_links: bool = False) -> Survey:
    """Look through a collection's folder and all folders in it; hidden ones are left alone. Never raises OSError.

    A link that leads out of the collection is refused unless `follow_links`.
    """
    files: list[Path] = []
    refused: list[Skipped] = []
    base = os.path.realpath(corpus)
    waiting: list[tuple[Path, tuple[str, ...]]] = [(corpus, (base,))]
    while waiting:
        folder, above = waiting.pop()
        try:
            names = sorted(path.name for path in folder.iterdir())
        except OSError as error:
            refused.append(_skipped(corpus, folder, f"the folder cannot be listed ({_reason(error)})"))
            continue
        for name in names:
            path = folder / name
            if name.startswith(".") or path == corpus / QUESTIONS:
                continue
            try:
                linked, mode = path.is_symlink(), path.stat().st_mode
            except OSError as error:
                if documents.is_source(path):
                    refused.append(_skipped(corpus, path, _unseen(path, error)))
                continue
            is_folder = stat.S_ISDIR(mode)
            if not is_folder and not documents.is_source(path):
                continue
            real = os.path.realpath(path) if linked else os.path.join(above[-1], name)  # noqa: PTH118  (may be no UTF-8)
            why = why_unfit(name) or (_why_not_followed(real, above, is_folder, follow_links) if linked else "")
            if not is_folder and not stat.S_ISREG(mode):
                why = f"it is {_KINDS.get(stat.S_IFMT(mode), 'something else')} and no file"
            if why:
                refused.append(_skipped(corpus, path, why))
            elif is_folder:
                waiting.append((path, (*above, real)))
            else:
                files.append(path)
    return Survey(tuple(sorted(files)), tuple(sorted(refused, key=lambda s: s.source)))


def identified(corpus: Path, files: Sequence[Path]) -> list[tuple[Path, str]]:
    """Every document of `files` with its id: the slug of its name, with its suffix or a number only where two clash."""
    taken: set[str] = set()
    found = []
    for path in files:
        if not documents.is_document(path):
            continue
        base = documents.slug(path.relative_to(corpus).with_suffix("").as_posix())
        numbered = (f"{base}-{n}" for n in count(2))  # made when asked for: most names are free at once
        candidates = chain((base, f"{base}-{path.suffix.lstrip('.').lower()}"), numbered)
        document_id = next(c for c in candidates if c not in taken)
        taken.add(document_id)
        found.append((path, document_id))
    return found


def twins(sources: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The documents (id and file name each) whose name looks like an earlier one's, and that name."""
    seen: dict[str, str] = {}
    for document_id, source in sources:
        looks = unicodedata.normalize("NFC", unicodedata.normalize("NFC", source).casefold())
        if seen.setdefault(looks, source) != source:
            yield document_id, seen[looks]


def _why_not_followed(real: str, above: tuple[str, ...], is_folder: bool, follow_links: bool) -> str:  # noqa: FBT001
    """Why the link to `real` in the folder `above[-1]` is not followed; "" when it is."""
    if is_folder and real in above:
        return "it is a link back to a folder that it is in"
    inside = real == above[0] or real.startswith(above[0].rstrip(os.sep) + os.sep)
    if is_folder and inside:
        return "it is a link to a folder of the collection, whose files are read where they are"
    return "" if inside or follow_links else LEADS_OUT


def _unseen(path: Path, error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "it is a link that leads in a circle"
    if error.errno == errno.ENOENT:
        return "it is a link to nothing" if path.is_symlink() else "it went while the collection was listed"
    return f"it cannot be looked at ({_reason(error)})"


def _skipped(corpus: Path, path: Path, why: str) -> Skipped:
    return Skipped(printable(path.relative_to(corpus).as_posix()), why)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
