"""BibTeX and BibLaTeX ↔ CSL-JSON, by bibtexparser. Knows nothing of lists or problems.

Names and fields follow the BibLaTeX manual (§2.1 entry types, §2.2 fields); what it has no field for keeps its
CSL name (``entrysubtype`` keeps a CSL type that BibTeX would blur). Accents, Han and other scripts are
written as they are; only the characters that TeX reads as commands are escaped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rag.bibliography import identifiers, tex
from rag.bibliography.shapes import OTHERS, date_parts

_TYPES = {
    "article-journal": "article",
    "article-magazine": "article",
    "article-newspaper": "article",
    "article": "unpublished",
    "book": "book",
    "chapter": "incollection",
    "entry-encyclopedia": "inreference",
    "paper-conference": "inproceedings",
    "thesis": "phdthesis",
    "report": "techreport",
    "webpage": "online",
    "dataset": "dataset",
    "software": "software",
    "document": "misc",
    "patent": "patent",
    "legislation": "legislation",
    "manuscript": "unpublished",
    "post-weblog": "online",
    "motion_picture": "movie",
}
_FROM_TYPES = {
    "article": "article-journal",
    "periodical": "article-journal",
    "book": "book",
    "mvbook": "book",
    "collection": "book",
    "proceedings": "book",
    "inbook": "chapter",
    "incollection": "chapter",
    "suppbook": "chapter",
    "bookinbook": "chapter",
    "inreference": "entry-encyclopedia",
    "inproceedings": "paper-conference",
    "conference": "paper-conference",
    "phdthesis": "thesis",
    "mastersthesis": "thesis",
    "thesis": "thesis",
    "techreport": "report",
    "report": "report",
    "manual": "report",
    "online": "webpage",
    "electronic": "webpage",
    "www": "webpage",
    "dataset": "dataset",
    "software": "software",
    "patent": "patent",
    "legislation": "legislation",
    "unpublished": "manuscript",
    "movie": "motion_picture",
    "booklet": "book",
}
_FIELDS = {
    "title": "title",
    "publisher-place": "address",
    "volume": "volume",
    "edition": "edition",
    "note": "note",
    "DOI": "doi",
    "URL": "url",
    "ISBN": "isbn",
    "ISSN": "issn",
    "language": "langid",
    "abstract": "abstract",
    "keyword": "keywords",
    "collection-title": "series",
    "genre": "type",
    "medium": "howpublished",
    "event-title": "eventtitle",
    "event-place": "venue",
    "number-of-pages": "pagetotal",
    "status": "pubstate",
    "archive": "eprinttype",
    "archive_location": "eprint",
    "PMID": "pmid",
    "PMCID": "pmcid",
    "chapter-number": "chapter",
    "version": "version",
    "title-short": "shorttitle",
    "original-title": "origtitle",
}
_FROM_FIELDS = {field: variable for variable, field in _FIELDS.items()} | {
    "location": "publisher-place",
    "language": "language",
    "archiveprefix": "archive",
}
_NAMES = ("author", "editor", "translator")
_VERBATIM = {"doi", "url", "eprint", "file"}
_ARTICLES = {"article-journal", "article-magazine", "article-newspaper"}
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_CONCATENATED = re.compile(r"#\s*+(?=[{\"\w])")
_INHERITED_NOT = frozenset(
    {"crossref", "xdata", "ids", "title", "subtitle", "author", "doi", "pages", "url", "keywords"}
)
"""Fields that an entry does not take over from the one it refers to; BibLaTeX manual, appendix B."""
_ACCESSED = re.compile(r"\s*(?:last\s+)?access(?:ed)?\b[:\s]*(?:on\s+)?(\d{4}-\d{2}-\d{2})", re.IGNORECASE)
_THESES = {"phdthesis": "PhD thesis", "mastersthesis": "Master’s thesis", "mathesis": "Master’s thesis"}


def read(text: str) -> tuple[list[tuple[str, dict[str, Any]]], list[str]]:
    """(key, CSL item) of every entry, and the first line of every block that bibtexparser cannot read.

    An entry whose key another has taken, or that names a field twice, is an entry all the same.
    """
    library = _library(text)
    entries, broken = list(library.entries), []
    for block in library.failed_blocks:
        kept = getattr(block, "ignore_error_block", None)
        if kept is not None and hasattr(kept, "fields"):
            for field in kept.fields:
                field.value = _unenclosed(str(field.value))
            entries.append(kept)
        else:
            broken.append(((block.raw or "").strip().splitlines() or [""])[0][:120])
    entries.sort(key=lambda entry: entry.start_line or 0)
    fields = [{f.key.lower(): _joined(str(f.value)) for f in entry.fields} for entry in entries]
    known: dict[str, dict[str, str]] = {}
    for entry, own in zip(entries, fields, strict=True):
        known.setdefault(entry.key, own)
    return [
        (entry.key, _item(str(entry.entry_type).lower(), _inherited(own, known)))
        for entry, own in zip(entries, fields, strict=True)
    ], broken


def _inherited(own: dict[str, str], known: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """An entry's own fields, and those of the entry that it refers to, whose title is what it stands in."""
    own = dict(own)
    for name in [n.strip() for field in ("crossref", "xdata") for n in own.get(field, "").split(",") if n.strip()]:
        parent = known.get(name, {})
        title = parent.get("booktitle") or parent.get("title")
        if title and "crossref" in own and not {"booktitle", "journal", "journaltitle"} & own.keys():
            own["booktitle"] = title
        own = {k: v for k, v in parent.items() if k not in _INHERITED_NOT} | own
    return own


def _unenclosed(value: str) -> str:
    """A field's value without the braces or quotes around it, which bibtexparser leaves to blocks it doubts."""
    return value[1:-1] if len(value) > 1 and value[0] + value[-1] in {"{}", '""'} else value


def _joined(value: str) -> str:
    """Pieces put together with "#" as one text."""
    if not re.match(r"[\"{][^#]*[\"}]\s*+#|\w++\s*+#", value):
        return value
    return "".join(piece.strip().strip('"').removeprefix("{").removesuffix("}") for piece in _CONCATENATED.split(value))


def write(items: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """Entries in the order given, keyed by the ids given."""
    return "".join(_entry(key, csl) for key, csl in items)


def _library(text: str) -> Any:  # noqa: ANN401 - bibtexparser's Library
    from bibtexparser import middlewares
    from bibtexparser.entrypoint import parse_string

    stack = [middlewares.ResolveStringReferencesMiddleware(), middlewares.RemoveEnclosingMiddleware()]
    return parse_string(text, parse_stack=stack)


def _item(kind: str, fields: dict[str, str]) -> dict[str, Any]:
    csl: dict[str, Any] = {"type": _FROM_TYPES.get(kind, "document")}
    if (exact := fields.pop("entrysubtype", "")) in _TYPES:
        csl["type"] = exact
    for name in _NAMES:
        if people := _people(fields.pop(name, "")):
            csl[name] = people
    for field, value in fields.items():
        variable = _FROM_FIELDS.get(field)
        text = tex.address(value) if field in _VERBATIM else tex.plain(value)
        if variable and text and not (field == "howpublished" and tex.address_in(value)):
            csl.setdefault(variable, text)
    if re.fullmatch(r"https?://\S+", fields.get("howpublished", "").strip()):
        csl.setdefault("URL", csl.pop("medium"))
    if said := next((a for f in ("howpublished", "note") if (a := tex.address_in(fields.get(f, "")))), ""):
        csl.setdefault("URL", said)
    if subtitle := tex.plain(fields.get("subtitle", "")):
        title = str(csl.get("title") or "")
        csl["title"] = f"{title}{'' if title.endswith(('?', '!')) else ':'} {subtitle}" if title else subtitle
    if "DOI" in csl:
        csl["DOI"] = identifiers.bare_doi(csl["DOI"])
    if container := next(
        (c for f in ("journaltitle", "journal", "booktitle") if (c := tex.plain(fields.get(f, "")))), ""
    ):
        csl["container-title"] = container
    if genre := _THESES.get(csl.get("genre", kind if kind == "mastersthesis" else "")):
        csl["genre"] = genre
    if publisher := next(
        (p for f in ("publisher", "school", "institution", "organization") if (p := tex.plain(fields.get(f, "")))), ""
    ):
        csl["publisher"] = publisher
    for field, variable in (
        ("number", "issue" if csl["type"] in _ARTICLES else "number"),
        ("issue", "issue"),
        ("eid", "number"),
    ):
        if value := tex.plain(fields.get(field, "")):
            csl.setdefault(variable, value)
    if pages := tex.plain(fields.get("pages", "")):
        csl["page"] = re.sub(r"(?:(?<!\s)\s++)?(?:--+|–|—)\s*+", "-", pages)
    _dates(fields, csl)
    return csl


def _dates(fields: Mapping[str, str], csl: dict[str, Any]) -> None:
    for field, variable in (("date", "issued"), ("urldate", "accessed"), ("origdate", "original-date")):
        if parts := _date_parts(fields.get(field, "")):
            csl[variable] = {"date-parts": [parts]}
    if "accessed" not in csl and (seen := _ACCESSED.match(fields.get("note", ""))):
        csl["accessed"] = {"date-parts": [_date_parts(seen[1])]}
    said = tex.plain(fields.get("year", ""))
    year = re.fullmatch(r"\D{0,8}?(-?\d{1,4})([a-z]?)(?:\s*[/–-]{1,2}\s*\d{2,4})?[\]~?]?", said)
    if year and year[2]:
        csl["year-suffix"] = year[2]
    if not year and said and not re.search(r"\d", said):
        csl.setdefault("status", said)  # "in press"
    if year and "issued" not in csl:
        month = tex.plain(fields.get("month", "")).lower()[:3]
        number = (
            _MONTHS.index(month) + 1
            if month in _MONTHS
            else int(month)
            if month.isdecimal() and 1 <= int(month) <= 12
            else None
        )
        day = tex.plain(fields.get("day", ""))
        parts = [
            int(year[1]),
            *([number] if number else []),
            *([int(day)] if number and day.isdecimal() and 1 <= int(day) <= 31 else []),
        ]
        csl["issued"] = {"date-parts": [parts]}


def _date_parts(value: str) -> list[int]:
    """Of a date, or the first of a range; uncertain ones ("1850~", EDTF level 1) count as they stand."""
    match = re.fullmatch(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?[~?%]?(?:/.*)?", value.strip())
    parts = [int(p) for p in match.groups() if p] if match else []
    return parts if len(parts) == 1 or not parts or 1 <= parts[1] <= 12 else parts[:1]  # 21 to 24 are seasons


def _people(value: str) -> list[dict[str, str]]:
    from bibtexparser.middlewares.names import (
        InvalidNameError,
        parse_single_name_into_parts,
        split_multiple_persons_names,
    )

    people: list[dict[str, str]] = []
    for name in split_multiple_persons_names(value) if value.strip() else []:
        if re.fullmatch(r"\{.*\}", name) and name.count("{") == 1 + sum(name.count(e) for e in ("{}",)):
            people.append({"literal": tex.plain(name)})
            continue
        try:
            parts = parse_single_name_into_parts(name, strict=False)
        except InvalidNameError:
            people.append({"literal": tex.plain(name)})
            continue
        said = {
            "family": tex.plain(" ".join(parts.last)),
            "given": tex.plain(" ".join(parts.first)),
            "non-dropping-particle": tex.plain(" ".join(parts.von)),
            "suffix": tex.plain(" ".join(parts.jr)),
        }
        person = {k: v for k, v in said.items() if v}
        if person.keys() == {"family"} or (person and "family" not in person):
            person = {"literal": " ".join(person.values())} if "," not in name else person
        if person:
            people.append(OTHERS if person == {"literal": "others"} else person)
    return people


def _entry(key: str, csl: Mapping[str, Any]) -> str:
    kind = str(csl.get("type") or "document")
    entry_type = _TYPES.get(kind, "misc")
    fields: dict[str, str] = {}
    for name in _NAMES:
        if people := [n for p in csl.get(name) or [] if isinstance(p, Mapping) and (n := _person(p))]:
            fields[name] = " and ".join(people)
    for variable, field in _FIELDS.items():
        value = csl.get(variable)
        if isinstance(value, (str, int)) and str(value).strip():
            fields[field] = tex.escaped_address(str(value)) if field in _VERBATIM else tex.escaped(str(value))
    if container := csl.get("container-title"):
        fields["journal" if kind in _ARTICLES else "booktitle"] = tex.escaped(str(container))
    if publisher := csl.get("publisher"):
        fields[{"thesis": "school", "report": "institution"}.get(kind, "publisher")] = tex.escaped(str(publisher))
    if issue := csl.get("issue"):
        fields["number" if kind in _ARTICLES else "issue"] = tex.escaped(str(issue))
    if number := csl.get("number"):
        fields["eid" if kind in _ARTICLES else "number"] = tex.escaped(str(number))
    if page := csl.get("page"):
        fields["pages"] = tex.escaped(re.sub(r"(?<=\w)-(?=\w)", "--", str(page)))
    for variable, field in (("issued", "date"), ("accessed", "urldate"), ("original-date", "origdate")):
        if parts := date_parts(csl.get(variable)):
            fields[field] = "-".join([f"{parts[0]:04}", *(f"{p:02}" for p in parts[1:3])])
            if variable == "issued":
                fields["year"] = f"{parts[0]}{csl.get('year-suffix') or ''}"
    if _FROM_TYPES.get(entry_type) != kind and kind in _TYPES:
        fields["entrysubtype"] = kind
    body = "".join(f"  {field} = {{{value}}},\n" for field, value in fields.items())
    safe = re.sub(r"[^\w:.+/-]", "-", key) or "x"
    return f"@{entry_type}{{{safe},\n{body}}}\n\n"


def _person(person: Mapping[str, Any]) -> str:
    if person == OTHERS:
        return "others"
    if person.get("literal") or not person.get("family"):
        literal = str(person.get("literal") or person.get("given") or "").strip()
        return f"{{{tex.escaped(literal)}}}" if literal else ""
    family, given, particle, suffix = (
        tex.escaped(str(person.get(k) or "")).strip() for k in ("family", "given", "non-dropping-particle", "suffix")
    )
    # A family name in several words, or in lower case, would be taken apart on the way back.
    family = f"{{{family}}}" if not re.fullmatch(r"[^\W\d_a-z][\w’'-]*", family) else family
    given = " ".join(f"{{{w}}}" if "," in w or w.lower() == "and" else w for w in given.split())
    head = f"{particle} {family}".strip()
    return ", ".join([head, *([suffix] if suffix else []), given])
