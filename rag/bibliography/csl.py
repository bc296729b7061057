"""CSL-JSON and its relatives → CSL items: Crossref's answers, Better BibTeX JSON, Zotero's own items, CSL YAML.

Crossref's REST API gives titles as lists and types of its own; Zotero's items name their fields otherwise (its "CSL
mapping", zotero/zotero-schema).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from rag.bibliography import identifiers, shapes

_CROSSREF = {
    "journal-article": "article-journal",
    "book-chapter": "chapter",
    "proceedings-article": "paper-conference",
    "posted-content": "article",
    "dissertation": "thesis",
    "monograph": "book",
    "edited-book": "book",
    "reference-book": "book",
    "peer-review": "review",
    "report-component": "report",
    "reference-entry": "entry-encyclopedia",
}
_ZOTERO = {
    "journalArticle": "article-journal",
    "magazineArticle": "article-magazine",
    "newspaperArticle": "article-newspaper",
    "book": "book",
    "bookSection": "chapter",
    "conferencePaper": "paper-conference",
    "thesis": "thesis",
    "report": "report",
    "webpage": "webpage",
    "blogPost": "post-weblog",
    "manuscript": "manuscript",
    "patent": "patent",
    "dataset": "dataset",
    "computerProgram": "software",
    "encyclopediaArticle": "entry-encyclopedia",
    "film": "motion_picture",
    "statute": "legislation",
    "bill": "bill",
    "case": "legal_case",
    "hearing": "hearing",
    "preprint": "article",
    "dictionaryEntry": "entry-dictionary",
    "presentation": "speech",
    "standard": "standard",
    "document": "document",
}
_FIELDS = {
    "title": "title caseName nameOfAct subject",
    "volume": "volume codeVolume",
    "issue": "issue",
    "page": "pages",
    "container-title": "publicationTitle bookTitle proceedingsTitle encyclopediaTitle dictionaryTitle websiteTitle "
    "blogTitle",
    "publisher": "publisher institution university company studio distributor repository",
    "edition": "edition",
    "publisher-place": "place",
    "DOI": "DOI",
    "URL": "url",
    "ISBN": "ISBN",
    "ISSN": "ISSN",
    "language": "language",
    "abstract": "abstractNote",
    "collection-title": "series seriesTitle",
    "genre": "thesisType reportType websiteType",
    "number": "reportNumber number billNumber patentNumber publicLawNumber",
    "event-title": "conferenceName",
    "version": "versionNumber",
    "number-of-pages": "numPages",
    "title-short": "shortTitle",
    "archive": "archive",
}
_ROLES = {"editor": "editor", "translator": "translator", "seriesEditor": "collection-editor", "director": "director"}
_NO_WORK = frozenset({"attachment", "note", "annotation"})
_TAGS = re.compile(r"</?(?:i|b|em|strong|sub|sup|sc|span|scp|inf)(?:\s[^<>]{0,100})?>", re.IGNORECASE)
_YAML = re.compile(r"^(?:references:|- (?:id|type):)", re.MULTILINE)
_LONGEST_YAML = 5_000_000
_KEY = re.compile(r"^[ \t]*+Citation Key:[ \t]*+(\S+)[ \t]*+$", re.MULTILINE | re.IGNORECASE)
_PMID = re.compile(r"^[ \t]*+PMID:[ \t]*+(\d+)[ \t]*+$", re.MULTILINE)


def loads(text: str) -> Any:  # noqa: ANN401  (JSON)
    """The values of a JSON or YAML text. Raises ValueError."""
    if not _YAML.search(text[:2000]):
        return json.loads(text)
    import yaml  # type: ignore[import-untyped,unused-ignore]

    try:
        return yaml.load(text[:_LONGEST_YAML], getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  (safe loaders both)
    except yaml.YAMLError as error:
        raise ValueError(f"neither JSON nor YAML: {str(error)[:120]}") from error


def items(value: object) -> list[object] | None:
    """The items in a file's value, whatever wraps them; None where it holds no list of items and is no item."""
    if isinstance(value, Mapping):
        value = value.get("message", value)
    if isinstance(value, Mapping):
        inner = next((value[k] for k in ("items", "references") if isinstance(value.get(k), list)), None)
        value = inner if inner is not None else [value]
    if not isinstance(value, list):
        return None
    found = [one["data"] if isinstance(one, Mapping) and isinstance(one.get("data"), Mapping) else one for one in value]
    return [one for one in found if not (isinstance(one, Mapping) and one.get("itemType") in _NO_WORK)]


def item(one: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Key and CSL item."""
    key = str(one.get("citation-key") or one.get("citationKey") or "")
    note = str(one.get("note") or one.get("extra") or "")
    if not key and (said := _KEY.search(note)):
        key = said[1]
    key = key or str(one.get("id") or one.get("key") or "")
    csl = shapes.shaped(_of_zotero(one) if "itemType" in one else _single(one))
    csl["type"] = _CROSSREF.get(csl["type"], csl["type"])
    if "title" in csl:
        csl["title"] = _TAGS.sub("", str(csl["title"]))
    if "DOI" in csl:
        csl["DOI"] = identifiers.bare_doi(str(csl["DOI"]))
    if "PMID" not in csl and (said := _PMID.search(note)):
        csl["PMID"] = said[1]
    return key, csl


def _single(one: Mapping[str, Any]) -> dict[str, Any]:
    """An item whose texts are no lists, as Crossref's are."""
    return {
        k: v[0] if k not in shapes.NAMES and isinstance(v, list) and v and isinstance(v[0], str) else v
        for k, v in one.items()
        if k != "message-type"
    }


def _of_zotero(one: Mapping[str, Any]) -> dict[str, Any]:
    csl: dict[str, Any] = {"type": _ZOTERO.get(str(one.get("itemType")), "document"), "note": one.get("extra")}
    for variable, names in _FIELDS.items():
        if said := next((one[n] for n in names.split() if one.get(n)), None):
            csl[variable] = said
    creators = one.get("creators")
    for creator in creators if isinstance(creators, list) else ():
        if isinstance(creator, Mapping):
            person = {
                "family": creator.get("lastName"),
                "given": creator.get("firstName"),
                "literal": creator.get("name"),
            }
            role = _ROLES.get(str(creator.get("creatorType")), "author")
            csl.setdefault(role, []).append({k: v for k, v in person.items() if v})
    csl["issued"] = one.get("date")
    csl["accessed"] = one.get("accessDate")
    return csl
