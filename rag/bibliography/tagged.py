"""Reference managers' files of tagged lines → CSL-JSON: PubMed (.nbib), EndNote's refer (.enw), Web of Science (.ciw).

Tags as their makers describe them: NLM, "MEDLINE/PubMed Data Element (Field) Descriptions"; EndNote's refer import; Web
of Science's field tags. RIS is `rag.bibliography.ris`; `dialect` tells which of the four a text is, whatever its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from rag.bibliography.shapes import named

Dialect = Literal["ris", "pubmed", "refer", "wos"]
Record = dict[str, list[str]]
_FIRST = {
    "pubmed": re.compile(r"^PMID ?- ", re.MULTILINE),
    "refer": re.compile(r"^%[0AT] ", re.MULTILINE),
    "wos": re.compile(r"^(?:FN |VR \d|PT [A-Z]\b)", re.MULTILINE),
}
_LINES = {
    "pubmed": re.compile(r"^([A-Z]{2,4}) *- ?(.*)$"),
    "refer": re.compile(r"^%(\S) (.*)$"),
    "wos": re.compile(r"^([A-Z][A-Z0-9])(?: (.*))?$"),
}
_BEGINS: dict[Dialect, frozenset[str]] = {
    "pubmed": frozenset({"PMID"}),
    "refer": frozenset({"0"}),
    "wos": frozenset({"PT", "EF"}),
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = re.compile(r"(\d{4})(?:[ /-]+([A-Za-z]{3}|\d{1,2})\w*)?(?:[ /-]+(\d{1,2})\b)?")
_KINDS = {
    "journal article": "article-journal",
    "j": "article-journal",
    "article": "article-journal",
    "review": "article-journal",
    "book": "book",
    "b": "book",
    "edited book": "book",
    "book section": "chapter",
    "book chapter": "chapter",
    "conference proceedings": "paper-conference",
    "conference paper": "paper-conference",
    "s": "paper-conference",
    "thesis": "thesis",
    "report": "report",
    "web page": "webpage",
    "newspaper article": "article-newspaper",
    "magazine article": "article-magazine",
    "dataset": "dataset",
    "patent": "patent",
    "p": "patent",
    "preprint": "article",
    "computer program": "software",
    "electronic article": "article-journal",
    "statute": "legislation",
}
# CSL variable → the tags that may hold it, the best first; several values are joined.
_PUBMED = {
    "title": "TI BTI",
    "container-title": "JT TA",
    "volume": "VI",
    "issue": "IP",
    "page": "PG",
    "language": "LA",
    "abstract": "AB",
    "publisher": "PB",
    "publisher-place": "PL",
    "PMID": "PMID",
    "PMCID": "PMC",
    "ISBN": "ISBN",
}
_REFER = {
    "title": "T",
    "container-title": "J B",
    "volume": "V",
    "issue": "N",
    "page": "P",
    "publisher": "I",
    "DOI": "R",
    "publisher-place": "C",
    "URL": "U",
    "abstract": "X",
    "edition": "7",
    "collection-title": "S",
    "language": "G",
}
_WOS = {
    "title": "TI",
    "container-title": "SO",
    "volume": "VL",
    "issue": "IS",
    "number": "AR",
    "DOI": "DI",
    "ISSN": "SN",
    "publisher": "PU",
    "publisher-place": "PI",
    "ISBN": "BN",
    "abstract": "AB",
    "collection-title": "SE",
    "language": "LA",
}


def dialect(text: str) -> Dialect:
    """Which of these formats a text is; RIS where nothing else fits."""
    if re.search(r"^TY {0,2}- ?", text, re.MULTILINE):
        return "ris"
    found: list[Dialect] = ["pubmed", "refer", "wos"]
    return next((d for d in found if _FIRST[d].search(text[:20_000])), "ris")


def read(text: str, kind: Dialect) -> list[tuple[str, dict[str, Any]]]:
    """(key, CSL item) of every record."""
    make = {"pubmed": _pubmed, "refer": _refer, "wos": _wos}[kind]
    return [make(record) for record in _records(text, kind) if _BEGINS[kind] & record.keys() and len(record) > 1]


def _records(text: str, kind: Dialect) -> Iterator[Record]:
    """Records of tag → values; a line that begins with blanks goes on with the one before."""
    record: Record = {}
    tag = ""
    for line in text.split("\n"):
        found = _LINES[kind].match(line)
        if found and found[1] in _BEGINS[kind] and record:
            yield record
            record, tag = {}, ""
        if found:
            tag = found[1]
            record.setdefault(tag, []).append((found[2] or "").strip())
        elif line.startswith((" ", "\t")) and tag:
            # In Web of Science each further author stands on such a line of its own.
            if kind == "wos" and tag in {"AU", "AF", "BE", "BA"}:
                record[tag].append(line.strip())
            else:
                record[tag][-1] += f" {line.strip()}"
    if record:
        yield record


def _fields(record: Record, table: Mapping[str, str]) -> dict[str, Any]:
    csl: dict[str, Any] = {}
    for variable, tags in table.items():
        if said := next((" ".join(v for v in record[t] if v) for t in tags.split() if any(record.get(t, ()))), ""):
            csl[variable] = said
    return csl


def _people(csl: dict[str, Any], variable: str, names: list[str], bodies: list[str] | None = None) -> None:
    people = [*map(named, filter(None, names)), *({"literal": b} for b in bodies or [] if b)]
    if people:
        csl[variable] = people


def _issued(csl: dict[str, Any], said: str) -> None:
    match = _DATE.search(said)
    if match:
        month = match[2] or ""
        number = int(month) if month.isdigit() else _MONTHS.index(month.lower()) + 1 if month.lower() in _MONTHS else 0
        parts = [int(match[1]), *([number] if 1 <= number <= 12 else [])]
        csl["issued"] = {"date-parts": [[*parts, int(match[3])] if match[3] and len(parts) > 1 else parts]}


def kind(said: Sequence[str]) -> str:
    """The CSL type of the first of these names, as EndNote, PubMed and Web of Science give them, that is known."""
    return next((_KINDS[s.lower()] for s in said if s.lower() in _KINDS), "document")


def _pubmed(record: Record) -> tuple[str, dict[str, Any]]:
    csl = {"type": kind(record.get("PT", [])), **_fields(record, _PUBMED)}
    if csl["type"] == "document" and "container-title" in csl:
        csl["type"] = "article-journal"
    csl["title"] = str(csl.get("title", "")).removesuffix(".")
    _people(csl, "author", record.get("FAU") or record.get("AU", []), record.get("CN"))
    _people(csl, "editor", record.get("FED") or record.get("ED", []))
    _issued(csl, " ".join(record.get("DP", [])))
    doi = next((v for t in ("LID", "AID") for v in record.get(t, []) if v.endswith("[doi]")), "")
    if doi:
        csl["DOI"] = doi.removesuffix("[doi]").strip()
    if number := re.match(r"[\dXx-]{8,9}", " ".join(record.get("IS", [])[:1])):
        csl["ISSN"] = number[0]
    return " ".join(record.get("PMID", [])), csl


def _refer(record: Record) -> tuple[str, dict[str, Any]]:
    csl = {"type": kind(record.get("0", [])), **_fields(record, _REFER)}
    _people(csl, "author", record.get("A", []))
    _people(csl, "editor", record.get("E", []))
    _issued(csl, " ".join([*record.get("D", []), *record.get("8", [])[:1]]))
    if number := " ".join(record.get("@", [])[:1]):
        csl["ISSN" if re.fullmatch(r"\d{4}-?\d{3}[\dXx]", number) else "ISBN"] = number
    return " ".join(record.get("F", record.get("M", []))), csl


def _wos(record: Record) -> tuple[str, dict[str, Any]]:
    csl = {"type": kind([*record.get("DT", []), *record.get("PT", [])]), **_fields(record, _WOS)}
    _people(csl, "author", record.get("AF") or record.get("AU", []), record.get("CA"))
    _people(csl, "editor", record.get("BE", []))
    _issued(csl, " ".join([*record.get("PY", []), *record.get("PD", [])]))
    first, last = " ".join(record.get("BP", [])), " ".join(record.get("EP", []))
    if first:
        csl["page"] = f"{first}-{last}" if last and last != first else first
    return " ".join(record.get("UT", [])), csl
