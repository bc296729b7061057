"""BibTeX and BibLaTeX ↔ CSL-JSON, by bibtexparser. Knows nothing of lists or problems.

Names and fields follow the BibLaTeX manual (§2.1 entry types, §2.2 fields); what it has no field for keeps its
CSL name (``entrysubtype`` keeps a CSL type that BibTeX would blur). Accents, Han and other scripts are
written as they are; only the characters that TeX reads as commands are escaped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rag.bibliography.shapes import date_parts

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
_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "$": r"\$",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    '"': r"\textquotedbl{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}",
}
_UNESCAPES = {v: k for k, v in _ESCAPES.items()}
_COMMANDS = re.compile("|".join(re.escape(v) for v in sorted(_UNESCAPES, key=len, reverse=True)))


def read(text: str) -> tuple[list[tuple[str, dict[str, Any]]], list[str]]:
    """(key, CSL item) of every entry, and the first line of every block that bibtexparser cannot read."""
    library = _library(text)
    lines = [(block.raw or "").strip().splitlines() for block in library.failed_blocks]
    return [(entry.key, _item(entry)) for entry in library.entries], [
        found[0][:120] if found else "" for found in lines
    ]


def write(items: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """Entries in the order given, keyed by the ids given."""
    return "".join(_entry(key, csl) for key, csl in items)


def _library(text: str) -> Any:  # noqa: ANN401 - bibtexparser's Library
    from bibtexparser import middlewares
    from bibtexparser.entrypoint import parse_string

    stack = [middlewares.ResolveStringReferencesMiddleware(), middlewares.RemoveEnclosingMiddleware()]
    return parse_string(text, parse_stack=stack)


def _item(entry: Any) -> dict[str, Any]:  # noqa: ANN401 - bibtexparser's Entry
    fields = {f.key.lower(): str(f.value) for f in entry.fields}
    kind = str(entry.entry_type).lower()
    csl: dict[str, Any] = {"type": _FROM_TYPES.get(kind, "document")}
    if (exact := fields.pop("entrysubtype", "")) in _TYPES:
        csl["type"] = exact
    for name in _NAMES:
        if people := _people(fields.pop(name, "")):
            csl[name] = people
    for field, value in fields.items():
        variable = _FROM_FIELDS.get(field)
        text = value.strip() if field in _VERBATIM else _plain(value)
        if variable and text:
            csl.setdefault(variable, text)
    if "DOI" in csl:
        csl["DOI"] = re.sub(
            r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", "", csl["DOI"].replace(r"\_", "_"), flags=re.IGNORECASE
        )
    if container := next((c for f in ("journaltitle", "journal", "booktitle") if (c := _plain(fields.get(f, "")))), ""):
        csl["container-title"] = container
    if publisher := next(
        (p for f in ("publisher", "school", "institution", "organization") if (p := _plain(fields.get(f, "")))), ""
    ):
        csl["publisher"] = publisher
    for field, variable in (
        ("number", "issue" if csl["type"] in _ARTICLES else "number"),
        ("issue", "issue"),
        ("eid", "number"),
    ):
        if value := _plain(fields.get(field, "")):
            csl.setdefault(variable, value)
    if pages := _plain(fields.get("pages", "")):
        csl["page"] = re.sub(r"(?:(?<!\s)\s++)?(?:--+|–|—)\s*+", "-", pages)
    _dates(fields, csl)
    return csl


def _dates(fields: Mapping[str, str], csl: dict[str, Any]) -> None:
    for field, variable in (("date", "issued"), ("urldate", "accessed"), ("origdate", "original-date")):
        if parts := _date_parts(fields.get(field, "")):
            csl[variable] = {"date-parts": [parts]}
    year = re.fullmatch(r"\s*(-?\d{1,4})([a-z]?)\s*", _plain(fields.get("year", "")))
    if year and year[2]:
        csl["year-suffix"] = year[2]
    if year and "issued" not in csl:
        month = _plain(fields.get("month", "")).lower()[:3]
        number = (
            _MONTHS.index(month) + 1
            if month in _MONTHS
            else int(month)
            if month.isdecimal() and 1 <= int(month) <= 12
            else None
        )
        day = _plain(fields.get("day", ""))
        parts = [
            int(year[1]),
            *([number] if number else []),
            *([int(day)] if number and day.isdecimal() and 1 <= int(day) <= 31 else []),
        ]
        csl["issued"] = {"date-parts": [parts]}


def _date_parts(value: str) -> list[int]:
    match = re.fullmatch(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:/.*)?", value.strip())
    return [int(p) for p in match.groups() if p] if match else []


def _people(value: str) -> list[dict[str, str]]:
    from bibtexparser.middlewares.names import (
        InvalidNameError,
        parse_single_name_into_parts,
        split_multiple_persons_names,
    )

    people: list[dict[str, str]] = []
    for name in split_multiple_persons_names(value) if value.strip() else []:
        if re.fullmatch(r"\{.*\}", name) and name.count("{") == 1 + sum(name.count(e) for e in ("{}",)):
            people.append({"literal": _plain(name)})
            continue
        try:
            parts = parse_single_name_into_parts(name, strict=False)
        except InvalidNameError:
            people.append({"literal": _plain(name)})
            continue
        said = {
            "family": _plain(" ".join(parts.last)),
            "given": _plain(" ".join(parts.first)),
            "non-dropping-particle": _plain(" ".join(parts.von)),
            "suffix": _plain(" ".join(parts.jr)),
        }
        person = {k: v for k, v in said.items() if v}
        if person.keys() == {"family"} or (person and "family" not in person):
            person = {"literal": " ".join(person.values())} if "," not in name else person
        if person and person != {"literal": "others"}:
            people.append(person)
    return people


def _plain(value: str) -> str:
    """TeX → text: our own escapes exactly, then whatever accents other writers wrote as commands."""
    pieces: list[str] = []
    position = 0
    for match in _COMMANDS.finditer(value):
        pieces += [_accents(value[position : match.start()]), _UNESCAPES[match[0]]]
        position = match.end()
    pieces.append(_accents(value[position:]))
    return " ".join("".join(pieces).split())


def _accents(value: str) -> str:
    if "\\" not in value:
        return value.replace("{", "").replace("}", "").replace("~", " ")
    from pylatexenc.latex2text import LatexNodes2Text

    try:
        return str(LatexNodes2Text(math_mode="verbatim", keep_braced_groups=False).latex_to_text(value))
    except Exception:  # noqa: BLE001 - TeX that its reader cannot read stays as written
        return value


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
            fields[field] = _address(str(value)) if field in _VERBATIM else _tex(str(value))
    if container := csl.get("container-title"):
        fields["journal" if kind in _ARTICLES else "booktitle"] = _tex(str(container))
    if publisher := csl.get("publisher"):
        fields[{"thesis": "school", "report": "institution"}.get(kind, "publisher")] = _tex(str(publisher))
    if issue := csl.get("issue"):
        fields["number" if kind in _ARTICLES else "issue"] = _tex(str(issue))
    if number := csl.get("number"):
        fields["eid" if kind in _ARTICLES else "number"] = _tex(str(number))
    if page := csl.get("page"):
        fields["pages"] = _tex(re.sub(r"(?<=\w)-(?=\w)", "--", str(page)))
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
    if person.get("literal") or not person.get("family"):
        literal = str(person.get("literal") or person.get("given") or "").strip()
        return f"{{{_tex(literal)}}}" if literal else ""
    family, given, particle, suffix = (
        _tex(str(person.get(k) or "")).strip() for k in ("family", "given", "non-dropping-particle", "suffix")
    )
    # A family name in several words, or in lower case, would be taken apart on the way back.
    family = f"{{{family}}}" if not re.fullmatch(r"[^\W\d_a-z][\w’'-]*", family) else family
    given = " ".join(f"{{{w}}}" if "," in w or w.lower() == "and" else w for w in given.split())
    head = f"{particle} {family}".strip()
    return ", ".join([head, *([suffix] if suffix else []), given])


def _tex(value: str) -> str:
    return "".join(_ESCAPES.get(c, c) for c in " ".join(value.split()))


def _address(value: str) -> str:
    """Addresses stay verbatim; braces, which would unbalance the file, are percent-encoded as RFC 3986 has it."""
    return re.sub(r"\s", "", value).replace("{", "%7B").replace("}", "%7D")
