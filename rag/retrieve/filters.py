"""Which passages a search may find: by document, kind, author, year, language, section, and by what they cite.

A filter is resolved to rows before anything is searched, and the search is exact on those rows, so that nothing a
filter leaves is ever lost. Knows no question.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, Self, get_args
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from rag import asked
from rag.errors import InputError, NotFoundError
from rag.store import Generation
from rag.types import Document, Reference, Section

DocumentKind = Literal["article", "source"]
"""A `source` is a document that another document of the collection lists in its bibliography; the rest are articles."""

_WORDS = re.compile(r"[^\W_]+")

_sources: WeakKeyDictionary[Generation, frozenset[str]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Filters:
    """What a search is confined to. A field that is None confines nothing; several fields must all hold."""

    documents: tuple[str, ...] | None = None
    """Document ids."""
    kind: DocumentKind | None = None
    authors: tuple[str, ...] | None = None
    """Names, whole or in part, of which a document must bear one; accents and case do not matter."""
    year_from: int | None = None
    """First year of publication; a document without a date is left out."""
    year_to: int | None = None
    languages: tuple[str, ...] | None = None
    """BCP 47 tags; `zh` stands for `zh-Hans` too."""
    sections: tuple[str, ...] | None = None
    """Headings, as they stand; what is below one belongs to it."""
    cites: tuple[str, ...] | None = None
    """Reference ids of which a passage must cite one."""

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> Self:
        """Filters from outside. Raises InputError naming the field, its value and what it takes."""
        known = {f.name for f in fields(cls)}
        values: dict[str, Any] = {}
        for name, value in (given or {}).items():
            if name not in known:
                raise InputError(f"filter {name[:100]!r} is not known; there are: {', '.join(sorted(known))}")
            if value is None:
                continue
            if name == "kind":
                if value not in get_args(DocumentKind):
                    raise InputError(f"filter 'kind' is {str(value)[:100]!r}; it takes 'article' or 'source'")
            elif name in {"year_from", "year_to"}:
                if not isinstance(value, int) or isinstance(value, bool):
                    raise InputError(f"filter {name!r} is {value!r}; it takes a year such as 2024")
            elif (
                isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(v, str) for v in value)
            ):
                raise InputError(f"filter {name!r} takes a list of texts, not {str(value)[:100]!r}")
            elif len(value) > asked.MOST_VALUES or any(len(v) > asked.LONGEST_VALUE for v in value):
                raise InputError(
                    f"filter {name!r} takes at most {asked.MOST_VALUES:,} texts of at most {asked.LONGEST_VALUE} "
                    "characters; name fewer"
                )
            elif name in {"authors", "languages", "sections"}:  # the others are identifiers, which stand as they stand
                value = tuple(map(asked.line, value))  # noqa: PLW2901
            values[name] = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
        return cls(**values)

    def __bool__(self) -> bool:
        return any(getattr(self, f.name) is not None for f in fields(self))

    @property
    def within_documents(self) -> bool:
        """Whether they tell passages of one document apart, not only documents."""
        return self.sections is not None or self.cites is not None

    def document_ids(self, generation: Generation) -> list[str] | None:
        """The documents left, in their order; None where no filter speaks of documents.

        Raises NotFoundError for a document that does not exist.
        """
        if all(
            value is None
            for value in (self.documents, self.kind, self.authors, self.year_from, self.year_to, self.languages)
        ):
            return None
        documents = generation.documents()
        known = {d.id for d in documents}
        for document_id in self.documents or ():
            if document_id not in known:
                raise NotFoundError(f"document {document_id!r} is not in {generation.state.collection!r}")
        leaves = self._test(generation)
        return [d.id for d in documents if leaves(d)]

    def rows(self, generation: Generation, kinds: Sequence[str] | None = None) -> npt.NDArray[np.int64] | None:
        """The rows of the chunks left, also confined to these chunk kinds; None where that is all of them.

        Raises NotFoundError for a document or a reference that does not exist.
        """
        documents = self.document_ids(generation)
        if documents is None and kinds is None and not self.within_documents:
            return None
        rows = generation.rows(documents=documents, kinds=kinds)
        if self.cites is not None:
            for reference_id in self.cites:
                generation.reference(reference_id)
            rows = np.intersect1d(rows, generation.rows_citing(self.cites))
        if self.sections is not None:
            rows = np.intersect1d(rows, generation.rows_within(_spans(generation, self.sections, documents)))
        return rows

    def _test(self, generation: Generation) -> Callable[[Document], bool]:
        """Whether a document is left. What is wanted is read once, however many documents there are."""
        ids = frozenset(self.documents or ())
        languages = frozenset(tag.casefold() for tag in self.languages or ())
        names: dict[str, set[frozenset[str]]] = {}
        for wanted in self.authors or ():
            if words := frozenset(_folded(wanted).split()):
                names.setdefault(max(words, key=lambda word: (len(word), word)), set()).add(words)

        def written(document: Document) -> bool:
            for byline in document.authors:
                own = set(_folded(byline.name).split())
                if any(words <= own for word in own for words in names.get(word, ())):
                    return True
            return False

        def leaves(document: Document) -> bool:
            if self.documents is not None and document.id not in ids:
                return False
            if self.kind is not None and (document.id in sources_of(generation)) != (self.kind == "source"):
                return False
            if self.authors is not None and not written(document):
                return False
            if self.year_from is not None or self.year_to is not None:
                year = re.match(r"\d{4}", document.date or "")
                if year is None or not (self.year_from or 0) <= int(year.group()) <= (self.year_to or 9999):
                    return False
            return self.languages is None or not languages.isdisjoint(_tags(document.language))

        return leaves


def sources_of(generation: Generation) -> frozenset[str]:
    """The documents that another document of the generation lists: by DOI, by address, or by title."""
    if generation not in _sources:
        listed: dict[str, set[str]] = {}
        for reference in generation.references():
            for mark in _marks_of_entry(reference):
                listed.setdefault(mark, set()).add(reference.document_id)
        _sources[generation] = frozenset(
            document.id
            for document in generation.documents()
            if any(listed.get(mark, set()) - {document.id} for mark in _marks_of_document(document))
        )
    return _sources[generation]


def _marks_of_entry(reference: Reference) -> Iterable[str]:
    csl = reference.csl
    yield from _marks(csl.get("title"), csl.get("DOI"), csl.get("URL"))


def _marks_of_document(document: Document) -> Iterable[str]:
    yield from _marks(document.title, document.address, document.address)


def _marks(title: object, doi: object, address: object) -> Iterable[str]:
    """What tells that an entry and a document are the same work."""
    words = _folded(str(title or ""))
    if len(words) > 12:  # a title such as "Introduction" names many works
        yield f"title {words}"
    found = re.search(r"10\.\d{4,9}/\S+", str(doi or ""))
    if found:
        yield f"doi {found.group().rstrip('.,;').casefold()}"
    if address and not found:
        yield "address " + re.sub(r"^https?://(?:www\.)?", "", str(address).strip()).rstrip("/").casefold()


def _spans(
    generation: Generation, titles: Sequence[str], documents: Sequence[str] | None
) -> dict[str, list[tuple[int, int]]]:
    """Where the sections so titled stand, by document."""
    wanted = {_folded(title) for title in titles}
    kept = None if documents is None else set(documents)
    return {
        document.id: [(s.start, end) for s, end in _ended(document.sections) if _folded(s.title) in wanted]
        for document in generation.documents()
        if kept is None or document.id in kept
    }


def _ended(sections: Sequence[Section]) -> Iterator[tuple[Section, int]]:
    """Sections, each with where the next heading stands that is not below it."""
    last = max((s.end for s in sections), default=0)
    after: list[Section] = []
    """The headings behind, the nearest last; those below one nearer are left out."""
    for section in sorted(sections, key=lambda s: (s.start, s.level), reverse=True):
        while after and (after[-1].level > section.level or after[-1].start == section.start):
            after.pop()
        yield section, after[-1].start if after else last
        after.append(section)


def _tags(language: str | None) -> Iterator[str]:
    """The tags that stand for a language: `zh` and `zh-hans` for `zh-Hans`."""
    parts = (language or "").casefold().split("-")
    return ("-".join(parts[:n]) for n in range(1, len(parts) + 1) if parts[0])


def _folded(text: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(_WORDS.findall(plain))
