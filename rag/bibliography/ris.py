"""RIS ↔ CSL-JSON, by rispy. Knows nothing of lists or problems.

Tags follow the RIS format as its publisher described it and reference managers use it. RIS has one field a
name; a comma that belongs to a body's own name is doubled, as reference managers do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rag.bibliography.shapes import date_parts

_TYPES = {
    "article-journal": "JOUR",
    "article-newspaper": "NEWS",
    "article-magazine": "MGZN",
    "article": "UNPB",
    "book": "BOOK",
    "chapter": "CHAP",
    "entry-encyclopedia": "ENCYC",
    "paper-conference": "CPAPER",
    "thesis": "THES",
    "report": "RPRT",
    "webpage": "ELEC",
    "post-weblog": "BLOG",
    "dataset": "DATA",
    "software": "COMP",
    "legislation": "STAT",
    "patent": "PAT",
    "motion_picture": "MPCT",
    "manuscript": "MANSCPT",
    "document": "GEN",
}
_FROM_TYPES = {v: k for k, v in _TYPES.items()} | {
    "CONF": "paper-conference",
    "EJOUR": "article-journal",
    "EBOOK": "book",
    "ECHAP": "chapter",
    "ICOMM": "webpage",
    "WEB": "webpage",
    "EDBOOK": "book",
    "ABST": "article-journal",
    "INPR": "article-journal",
    "DICT": "entry-encyclopedia",
    "GOVDOC": "report",
}
_FIELDS = {
    "title": "title",
    "container-title": "secondary_title",
    "collection-title": "tertiary_title",
    "volume": "volume",
    "issue": "number",
    "publisher": "publisher",
    "publisher-place": "place_published",
    "edition": "edition",
    "DOI": "doi",
    "abstract": "abstract",
    "language": "language",
    "genre": "type_of_work",
    "medium": "custom1",
    "event-place": "custom2",
    "version": "custom8",
    "number": "custom7",
    "event-title": "custom3",
    "number-of-pages": "custom4",
    "status": "custom5",
    "year-suffix": "custom6",
    "PMID": "accession_number",
    "archive": "name_of_database",
    "archive_location": "call_number",
    "section": "section",
    "title-short": "short_title",
}
_ALSO = {
    "primary_title": "title",
    "journal_name": "container-title",
    "alternate_title2": "container-title",
    "alternate_title3": "container-title",
    "alternate_title1": "container-title",
}
_TAG = re.compile(r"^\ufeff?\s{0,3}([A-Z][A-Z0-9]) {0,3}-(?: (.*))?$")
_NAMES = {"author": "authors", "editor": "secondary_authors", "translator": "subsidiary_authors"}


def read(text: str) -> list[tuple[str, dict[str, Any]]]:
    """(id, CSL item) of every record; raises what rispy raises on text that is no RIS."""
    import rispy

    return [(str(r.get("id") or ""), _item(r)) for r in rispy.loads(_regular(text), skip_unknown_tags=True)]


def _regular(text: str) -> str:
    """RIS as its description has it: two blanks before the dash, and each record with its end."""
    lines: list[str] = []
    inside = False
    for line in text.split("\n"):
        tag = _TAG.match(line)
        if tag and tag[1] in {"TY", "ER"}:
            if inside and tag[1] == "TY":
                lines.append("ER  - ")
            inside = tag[1] == "TY"
        if tag or inside:  # what stands between records, as their numbers do, is no part of one
            lines.append(f"{tag[1]}  - {tag[2] or ''}" if tag else line)
    return "\n".join([*lines, *(["ER  - "] if inside else [])])


def write(items: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """Records in the order given."""
    import rispy
    from rispy.writer import RisWriter

    class Plain(RisWriter):  # type: ignore[misc]
        """Without the running number that rispy prints above each record and that the format does not know."""

        def set_header(self, count: int) -> str:  # noqa: ARG002
            return ""

    return str(rispy.dumps([_record(key, csl) for key, csl in items], implementation=Plain)).lstrip("\n")


def _item(record: Mapping[str, Any]) -> dict[str, Any]:
    csl: dict[str, Any] = {"type": _FROM_TYPES.get(str(record.get("type_of_reference", "")).strip(), "document")}
    for variable, field in _NAMES.items():
        found = [*record.get(field, []), *(record.get("first_authors", []) if variable == "author" else [])]
        if people := [p for name in found if (p := _person(str(name)))]:
            csl[variable] = people
    for field, variable in [*((f, v) for v, f in _FIELDS.items()), *_ALSO.items()]:
        if value := " ".join(str(record.get(field) or "").split()):
            csl.setdefault(variable, value)
    first, last = (" ".join(str(record.get(k) or "").split()) for k in ("start_page", "end_page"))
    if first or last:
        csl["page"] = f"{first}-{last}" if first and last and first != last else first or last
    if urls := [u for u in record.get("urls", []) if str(u).strip()]:
        csl["URL"] = str(urls[0]).strip()
    if number := str(record.get("issn") or "").strip():
        csl["ISSN" if re.fullmatch(r"\d{4}-?\d{3}[\dXx]", number) else "ISBN"] = number
    if notes := [n for n in record.get("notes", []) if str(n).strip()]:
        csl["note"] = " ".join(str(n) for n in notes)
    if words := [w for w in record.get("keywords", []) if str(w).strip()]:
        csl["keyword"] = ", ".join(str(w) for w in words)
    said = str(record.get("date") or record.get("year") or record.get("publication_year") or "")
    for variable, value in (
        ("issued", said),
        ("accessed", str(record.get("access_date") or "")),
        ("original-date", str(record.get("original_publication") or "")),
    ):
        if parts := _date_parts(value):
            csl[variable] = {"date-parts": [parts]}
    return csl


def _record(key: str, csl: Mapping[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {"type_of_reference": _TYPES.get(str(csl.get("type")), "GEN"), "id": _line(key)}
    for variable, field in _NAMES.items():
        if people := [n for p in csl.get(variable) or [] if isinstance(p, Mapping) and (n := _name(p))]:
            record[field] = people
    for variable, field in _FIELDS.items():
        value = csl.get(variable)
        if isinstance(value, (str, int)) and (text := _line(value)):
            record[field] = text
    if page := _line(csl.get("page") or ""):
        ends = re.fullmatch(r"(\w+)-(\w+)", page)
        record["start_page"] = ends[1] if ends and ends[1] != ends[2] else page
        if ends and ends[1] != ends[2]:
            record["end_page"] = ends[2]
    if url := _line(csl.get("URL") or ""):
        record["urls"] = [url]
    if number := _line(csl.get("ISSN") or csl.get("ISBN") or ""):
        record["issn"] = number
    if note := _line(csl.get("note") or ""):
        record["notes"] = [note]
    if keyword := _line(csl.get("keyword") or ""):
        record["keywords"] = [w.strip() for w in keyword.split(",") if w.strip()]
    for variable, field in (("issued", "date"), ("accessed", "access_date"), ("original-date", "original_publication")):
        if parts := date_parts(csl.get(variable)):
            record[field] = "/".join([f"{parts[0]:04}", *(f"{p:02}" for p in parts[1:])])
            if variable == "issued":
                record["year"] = f"{parts[0]:04}"
    return record


def _line(value: object) -> str:
    return " ".join(str(value).split())


def _name(person: Mapping[str, Any]) -> str:
    if person.get("literal") or not person.get("family"):
        # Reference managers double the comma that is part of a body's name.
        return _line(person.get("literal") or person.get("given") or "").replace(",", ",,")
    family = _line(f"{person.get('non-dropping-particle') or ''} {person['family']}")
    parts = [family, _line(person.get("given") or ""), _line(person.get("suffix") or "")]
    return ", ".join(parts).rstrip(", ") + ("," if not any(parts[1:]) else "")


def _person(name: str) -> dict[str, str]:
    if ",," in name:
        return {"literal": _line(name.replace(",,", ","))}
    parts = [_line(p) for p in name.split(",", 2)]
    if len(parts) == 1:
        return {"literal": parts[0]} if parts[0] else {}
    return {k: v for k, v in zip(("family", "given", "suffix"), parts, strict=False) if v}


def _date_parts(value: str) -> list[int]:
    match = re.match(r"\s*(\d{4})(?:[/-](\d{1,2})?)?(?:[/-](\d{1,2})?)?", value)
    if not match:
        return []
    year, month, day = (int(p) if p else 0 for p in match.groups())
    if not 1 <= month <= 12:
        return [year]
    return [year, month, day] if 1 <= day <= 31 else [year, month]
