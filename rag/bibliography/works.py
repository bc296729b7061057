"""What a document holds of the works it cites (`Document.works`) → CSL-JSON, and which printed entry each of them is.

EndNote's records are read by their XML export's element names, Word's sources by those of ECMA-376 part 1, 22.6.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rag.bibliography import csl, names, slugs, tagged
from rag.bibliography.structured import read_structured
from rag.documents.archive import parse_xml
from rag.documents.markup import tag_of
from rag.errors import DocumentError
from rag.types import Reference, Work

_ENDNOTE = {
    "title": "titles/title",
    "container-title": "titles/secondary-title",
    "volume": "volume",
    "issue": "number",
    "page": "pages",
    "publisher": "publisher",
    "publisher-place": "pub-location",
    "edition": "edition",
    "DOI": "electronic-resource-num",
    "URL": "urls/related-urls/url",
}
_WORD = {
    "title": ("title",),
    "container-title": ("journalname", "booktitle", "conferencename", "internetsitetitle", "periodicaltitle"),
    "volume": ("volume",),
    "issue": ("issue",),
    "page": ("pages",),
    "publisher": ("publisher", "institution"),
    "publisher-place": ("city",),
    "edition": ("edition",),
    "DOI": ("doi",),
    "URL": ("url",),
    "ISBN": ("standardnumber",),
}
_WORD_KINDS = {
    "JournalArticle": "article-journal",
    "ArticleInAPeriodical": "article-magazine",
    "Book": "book",
    "BookSection": "chapter",
    "ConferenceProceedings": "paper-conference",
    "Report": "report",
    "InternetSite": "webpage",
    "DocumentFromInternetSite": "webpage",
    "Patent": "patent",
}
_LEAST_TITLE = 12
"""Letters of a title by which an entry is known."""


def references(works: Sequence[Work]) -> tuple[Reference, ...]:
    """The works as a list of their own, for a document that prints none; those without a title are left out."""
    taken: set[str] = set()
    found: list[Reference] = []
    for work in works:
        if work.form == "bibtex":
            found += read_structured(work.data.encode(), "bibtex")[0]
            continue
        item = item_of(work)
        if item.get("title"):
            item["custom"] = {"key": work.key}
            found.append(Reference(slugs.unique(slugs.slug(item), taken), item))
    return tuple(found)


def keyed(listed: Sequence[Reference], works: Sequence[Work]) -> list[Reference]:
    """The printed entries, each with the key of the work that it prints, told by DOI or title."""
    found = list(listed)
    open_ = {i: _Printed.of(r) for i, r in enumerate(listed)} if works else {}
    for work in works if listed else ():
        item = item_of(work)
        doi, title = str(item.get("DOI") or "").lower(), _letters(item.get("title"))
        at = next((i for i, printed in open_.items() if printed.bears(doi, title)), None)
        if at is not None:
            del open_[at]
            custom = listed[at].csl.get("custom")
            said = {**(custom if isinstance(custom, Mapping) else {}), "key": work.key}
            found[at] = replace(listed[at], csl={**listed[at].csl, "custom": said})
    return found


@dataclass(frozen=True, slots=True)
class _Printed:
    """What a printed entry is known by."""

    doi: str
    title: str
    letters: str

    @classmethod
    def of(cls, entry: Reference) -> _Printed:
        return cls(str(entry.csl.get("DOI") or "").lower(), _letters(entry.csl.get("title")), _letters(entry.raw))

    def bears(self, doi: str, title: str) -> bool:
        """Whether it prints the work of this DOI, or of this title in letters alone."""
        return bool(doi and doi == self.doi) or (
            len(title) >= _LEAST_TITLE and (title in self.letters or title == self.title)
        )


def item_of(work: Work) -> dict[str, Any]:
    """The CSL item of a work; nothing of what cannot be read."""
    if work.form == "bibtex":
        return {}
    if work.form == "csl":
        try:
            data = json.loads(work.data)
        except (ValueError, RecursionError):
            return {}
        return csl.item(data)[1] if isinstance(data, Mapping) else {}
    try:
        root = parse_xml(work.data.encode("utf-8", "replace"), "the work") if work.data else None
    except DocumentError:
        return {}
    if root is None:
        return {}
    return csl.item(_of_endnote(root) if work.form == "endnote" else _of_word(root))[1]


def _letters(value: object) -> str:
    return "".join(c for c in names.fold(str(value or "")) if c.isalnum())


def _of_endnote(record: Any) -> dict[str, Any]:  # noqa: ANN401
    kind = next((e.get("name") or "" for e in record.iter() if tag_of(e) == "ref-type"), "")
    item: dict[str, Any] = {"type": tagged.kind([kind])}
    item |= {variable: said for variable, path in _ENDNOTE.items() if (said := _at(record, path.split("/")))}
    for role in ("author", "editor"):
        holder = {"author": "authors", "editor": "secondary-authors"}[role]
        people = [_said(e) for group in record.iter() if tag_of(group) == holder for e in group]
        if people:
            item[role] = [p for person in people for p in names.parse(person)]
    item["issued"] = {"raw": _at(record, ["dates", "year"])}
    return item


def _of_word(source: Any) -> dict[str, Any]:  # noqa: ANN401
    fields = {tag_of(e): _said(e) for e in source}
    item: dict[str, Any] = {"type": _WORD_KINDS.get(fields.get("sourcetype", ""), "document")}
    for variable, known in _WORD.items():
        if said := next((fields[k] for k in known if fields.get(k)), ""):
            item[variable] = said
    people = [
        {k: said for k, tag in (("family", "last"), ("given", "first")) if (said := _at(person, [tag]))}
        for role in source
        if tag_of(role) == "author"
        for own in role
        if tag_of(own) == "author"
        for person in own.iter()
        if tag_of(person) == "person"
    ]
    body = next((_said(e) for e in source.iter() if tag_of(e) == "corporate"), "")
    if people or body:
        item["author"] = people or [{"literal": body}]
    item["issued"] = {"raw": fields.get("year", "")}
    return item


def _at(element: Any, path: Sequence[str]) -> str:  # noqa: ANN401
    for tag in path:
        element = next((e for e in element if tag_of(e) == tag), None)
        if element is None:
            return ""
    return _said(element)


def _said(element: Any) -> str:  # noqa: ANN401
    return " ".join("".join(element.itertext()).split())
