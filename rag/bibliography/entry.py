"""One entry → CSL-JSON and its problems: labelled segments come in, clean fields go out.

Fields that CSL has no place for stand under ``custom``: ``original`` (the spelling in its own script, by
CSL variable: ``author`` a list in the order of the names, ``title``, ``container-title``),
``translated-title`` (a bracketed translation), ``jurisdiction`` (the country a body is entered under),
``et-al`` (True where the list itself abbreviates its authors).
"""

from __future__ import annotations

import re
from typing import Any

from rag.bibliography import addresses, checks, dates, identifiers, marked, names, online, second_look, tagger
from rag.bibliography.segments import Segment
from rag.types import Problem

_SURROGATES = re.compile("[\ud800-\udfff]")
_HALF_WIDTH = {c: c - 0xFEE0 for c in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
"""Full-width forms → ASCII, character by character, so that offsets stay."""
_EDGE = " \t\r\n\u00a0\u3000,;:.。．，；：、"
_QUOTES = '“”"«»„‟'
_ROLES = {"author": "author", "editor": "editor", "translator": "translator", "director": "director"}
_PLAIN = {
    "publisher": "publisher",
    "place": "publisher-place",
    "medium": "medium",
    "genre": "genre",
    "series": "collection-title",
    "note": "note",
    "edition": "edition",
}
_NEUTRAL = {"label", "lead", "note"}
_TOTAL = re.compile(r"(?:p\.?\s*)?(\d{1,4})\s*(?:pp?|págs?|pages|f|fls?|S)\.?$", re.IGNORECASE)
_LABEL = re.compile(
    r"\s*(?:\[\d{1,4}\]|\(\d{1,3}\)|\d{1,3}[.)]|\d{1,3}(?=\s+[^\W\d_])|\d{1,3}\s?[-–](?=\s?[^\W\d_])|"
    r"[•▪●*·‣–-])\s*(?=\S)"
)
_BROKEN_WORD = re.compile(r"(?<!\w)(\w+)[-‐\u00ad]\n\s*(?=[a-zà-ÿ])")
_COMPOUNDS = frozenset(
    "two three four self non co cross long short well high low multi post pre anti semi full half part".split()  # noqa: SIM905 - read as prose
)
"""First halves after which a hyphen at the line's end is the word's own ("two-\\nsided")."""
_TRANSLATION = re.compile(r"(?:(?<!\s)\s++)?\[(?P<translation>(?=[^\[\]]*[^\W\d_]{2}\s)[^\[\]]{8,}+)\]\s*+(?:\.\s*+)?$")
_BRACKET = re.compile(r"\s*\[[^\[\]]{8,}\]")
_MEDIUM = re.compile(
    r"(?:(?<!\s)\s++)?\[(?P<medium>internet|on-?line|en línea|em linha|en ligne|"
    r"(?:\w+\s){1,2}(?:na|en la|on the) internet|electronic(?: resource)?|pdf|video|podcast|film|dvd|audio|blog|tweet|"
    r"computer software|dataset)\]\s*+(?:\.\s*+)?$",
    re.IGNORECASE,
)


_VOLUME_AND_ISSUE = re.compile(r"(\d{1,4})\.(\d{1,3})")
"""As the Modern Language Association has them: "35.11"."""
_SPAN_OF_YEARS = re.compile(r"\d{4}\s+(?:a|à|to|bis|until|e|y|and)\s+\d{4}")
_SAID_PAGE = re.compile(r"[\s,.(]pp?\.\s?(\d{1,6})\b")
_HEAD = re.compile(r"[^\d\n]{3,300}")
_STROKES = re.compile(r"(?<=[\w.])\s?/(?=\s?[^\W\d_][^/,\d]{0,40},\s?[^\W\d_])")
"""Between authors, "Teich, I./Preiser, E.", as German lists have it."""


def parse_entry(
    raw: str, *, language: str | None = None, inverted: bool | None = True
) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """Read one reference-list entry; `inverted`: of a list that gives family names first, None where it is not known.

    Returns one CSL-JSON item (without ``id``) and what is wrong with the entry; spans of the problems are
    offsets into `raw`. Never raises, never repairs: what looks wrong stays as written and is named.
    """
    text = _SURROGATES.sub("\ufffd", raw[: checks.MAX_READ])
    if label := _LABEL.match(text):
        text = " " * label.end() + text[label.end() :]
    head = _HEAD.match(text)
    if head and "://" not in head[0]:
        text = _STROKES.sub(lambda m: m[0].replace("/", ";"), head[0]) + text[head.end() :]
    plain = text.translate(_HALF_WIDTH)  # "．" and "，" divide as "." and "," do; the values stay as written
    found = identifiers.find(plain)
    segments = _segments(plain, found)
    csl = assemble(text, segments, found, inverted=inverted)
    if language and csl:
        csl.setdefault("language", language)
    return csl, checks.entry(raw, csl, found, segments, cut=len(raw) > checks.MAX_READ)


def _segments(text: str, found: list[identifiers.Found]) -> list[Segment]:
    for by_rule in (online.segment, marked.segment):
        if (segments := by_rule(text)) is not None:
            return segments
    return _by_model(text, found)


def _by_model(text: str, found: list[identifiers.Found]) -> list[Segment]:
    """The model's reading, with everything about addresses and days of access left to rules."""
    fixed = addresses.segments(text, found)
    read = [s for s in tagger.label(text) if not any(f.start < s.end and s.start < f.end for f in fixed)]
    return sorted([*second_look.mended(text, read), *fixed], key=lambda s: s.start)


def assemble(
    text: str, segments: list[Segment], found: list[identifiers.Found], *, inverted: bool | None = True
) -> dict[str, Any]:
    """Turn labelled segments into CSL variables."""
    csl: dict[str, Any] = {"type": "document"}
    custom: dict[str, Any] = {}
    for label, variable in _ROLES.items():
        stretch = ", ".join(_people(text[s.start : s.end]) for s in _first_group(segments, label))
        if people := names.parse(stretch, inverted=inverted):
            csl[variable] = people
        if label == "author":
            _author_extras(stretch, csl, custom)
    _titles(text, segments, csl, custom)
    _title_from_body(csl, custom)
    for label, variable in _PLAIN.items():
        if value := _first(text, segments, label):
            csl.setdefault(variable, value)
    _numbers(text, segments, csl)
    _issued(text, segments, csl)
    for identifier in found:
        if identifier.variable == "arXiv":
            csl.setdefault("archive", "arXiv")
            csl.setdefault("archive_location", identifier.value)
        else:
            csl.setdefault(identifier.variable, identifier.value)
    if custom:
        csl["custom"] = custom
    csl["type"] = _type(text, csl, segments)
    return csl


def _first_group(segments: list[Segment], label: str) -> list[Segment]:
    """The first run of segments of one label; names that turn up again behind a title are not the authors."""
    group: list[Segment] = []
    for segment in sorted(segments, key=lambda s: s.start):
        if segment.label == label:
            group.append(segment)
        elif group and segment.label not in _NEUTRAL:
            break
    return group


def _author_extras(stretch: str, csl: dict[str, Any], custom: dict[str, Any]) -> None:
    people = csl.get("author", [])
    originals = names.original_names(stretch)
    if originals and any("family" in p and not names.HAN.search(p["family"]) for p in people):
        custom.setdefault("original", {})["author"] = originals
    if re.search(r"\bet\s*al\b|\band others\b|等", stretch):
        custom["et-al"] = True
    if len(people) == 1 and "literal" in people[0] and (entered := names.jurisdiction(people[0]["literal"])):
        custom["jurisdiction"] = entered[0]


def _titles(text: str, segments: list[Segment], csl: dict[str, Any], custom: dict[str, Any]) -> None:
    for label, variable in (("title", "title"), ("container", "container-title")):
        value = _first(text, _with_bracket(text, segments, label), label, quotes=True)
        if not value:
            continue
        if medium := _MEDIUM.search(value):
            csl["medium"] = medium["medium"]
            value = value[: medium.start()].strip(_EDGE)
        translation = _TRANSLATION.search(value)
        if translation and translation.start() > 3:
            custom[f"translated-{variable}"] = translation["translation"]
            value = value[: translation.start()].strip(_EDGE)
        if re.search(r"[A-Za-z]{3}", value) and (han := _han_part(value)):
            custom.setdefault("original", {})[variable] = han
        csl[variable] = value


def _title_from_body(csl: dict[str, Any], custom: dict[str, Any]) -> None:
    """An entry without a title whose only author is "Body. More words" has its title in the words."""
    people = csl.get("author", [])
    if "title" in csl or "container-title" in csl or len(people) != 1 or ". " not in people[0].get("literal", ""):
        return
    body, _, title = people[0]["literal"].partition(". ")
    if len(body) > 2 and len(title.split()) > 1:
        csl["author"], csl["title"] = [{"literal": body}], title.strip(_EDGE)
        custom.pop("jurisdiction", None)


def _with_bracket(text: str, segments: list[Segment], label: str) -> list[Segment]:
    """Let a title reach to the end of the bracket that translates it, wherever inside the bracket the model stopped."""
    result = list(segments)
    for i, segment in enumerate(segments):
        if segment.label != label:
            continue
        opened = text.find("[", segment.start + 4, segment.end)
        match = _BRACKET.match(text, opened if opened > 0 else segment.end)
        if match and match.end() >= segment.end and re.search(r"[^\W\d_]{3}\s", match[0]):
            result[i] = segment._replace(end=match.end())
        break
    return result


def _han_part(value: str) -> str:
    """The stretch in Han script of a title that gives both, from its first Han character to the last."""
    runs = list(names.HAN.finditer(value))
    if not runs or not re.match(r"[A-Za-z]", value):
        return ""
    return value[runs[0].start() :].strip(_EDGE)


def _numbers(text: str, segments: list[Segment], csl: dict[str, Any]) -> None:
    for label in ("volume", "issue"):
        if value := _first(text, segments, label):
            value = re.sub(
                r"^(?:vol(?:ume)?s?|v|bd|band|t|tomo|tome|nos?|n|nr|n[uú]m|number|issue|iss|heft|h|fasc)[.º°]?\s*(?=[\dIVXLC(])",
                "",
                value,
                flags=re.IGNORECASE,
            )
            csl[label] = value.strip("() ,.;:")
    if "issue" not in csl and (both := _VOLUME_AND_ISSUE.fullmatch(csl.get("volume", ""))):
        csl["volume"], csl["issue"] = both.groups()
    if pages := _first(text, segments, "page"):
        if total := _TOTAL.match(pages):
            csl["number-of-pages"] = total[1]
            return
        pages = re.sub(r"^(?:pp?|pages?|págs?|S|s|ss|seiten?)\b\.?:?\s*", "", pages, flags=re.IGNORECASE)
        csl["page"] = re.sub(r"(?:(?<!\s)\s++)?[-–—‐‑−]++\s*+", "-", pages).strip(" ()[],.;:")
    elif "volume" in csl and (page := _SAID_PAGE.search(text, max((s.end for s in segments), default=0))):
        csl["page"] = page[1]


def _issued(text: str, segments: list[Segment], csl: dict[str, Any]) -> None:
    """The year is where the entry puts its date; a day given elsewhere ("6 April") completes it."""
    stretches = [s for s in segments if s.label == "date"]
    if len(stretches) > 1:  # "De 1969 a 2019" in a title is no date of the work
        stretches = [s for s in stretches if not _SPAN_OF_YEARS.search(text, s.start, s.end)] or stretches
    bare = [s for s in stretches if not (text[s.start - 1 : s.start] == "[" and text[s.end : s.end + 1] == "]")]
    if bare and len(bare) < len(stretches):
        # "Title [1926]. … Press, 2019": the bracketed year is when the work was first written.
        first = next((d for s in stretches if s not in bare for d in dates.find(text[s.start : s.end])), None)
        if first and first.parts:
            csl["original-date"] = {"date-parts": [first.parts]}
        stretches = bare
    read = [d for s in stretches for d in dates.find(text[s.start : s.end])]
    year = next((d for d in read if d.year is not None), None)
    if year is not None:
        parts = year.parts
        day = next((d for d in read if d.month and (d.year in {None, year.year})), None)
        if day is not None and len(parts) == 1:
            parts = [year.parts[0], *([day.month] if day.month else []), *([day.day] if day.day else [])]
        csl["issued"] = {"date-parts": [parts]}
        if year.suffix:
            csl["year-suffix"] = year.suffix
    elif act := next((d for d in dates.find(str(csl.get("title", ""))) if d.day and d.year), None):
        # "Decree no. 2848, of 7 December 1940": an act bears its date in its title.
        csl["issued"] = {"date-parts": [act.parts]}
    elif status := dates.FORTHCOMING.search(text):
        csl["status"] = status[0]
    for s in segments:
        if s.label == "accessed" and (when := dates.find(text[s.start : s.end])) and when[0].parts:
            csl["accessed"] = {"date-parts": [when[0].parts]}


def _first(text: str, segments: list[Segment], label: str, *, quotes: bool = False) -> str:
    return next((v for s in segments if s.label == label and (v := _clean(text[s.start : s.end], quotes=quotes))), "")


def _people(value: str) -> str:
    """Like `_clean`, but the full stop of a last initial stays ("Deng, I.")."""
    value = " ".join(value.split()).strip(_EDGE.replace(".", ""))
    return (
        value if re.search(r"(?:^|[\s.-])[^\W\d_a-z]\.$|\b(?:Jr|Sr|al|Inc|Ltd|Co)\.$", value) else value.rstrip(".。 ")
    )


def _clean(value: str, *, quotes: bool = False) -> str:
    """One line, no punctuation at the edges; with `quotes`, also the quotation marks around the whole."""
    value = _BROKEN_WORD.sub(lambda m: m[0].rstrip() if m[1].lower() in _COMPOUNDS else m[1], value)
    value = " ".join(value.split()).strip(_EDGE)
    if quotes and value and value[0] in _QUOTES + "‘'":
        closing = {"“": "”", "‘": "’", "«": "»", "„": "“", '"': '"', "'": "'"}.get(value[0], value[0])
        if value.find(closing, 1) == len(value) - 1 or closing not in value[1:]:
            value = value[1:].removesuffix(closing)
    return value.strip(_EDGE)


_NEWS = re.compile(
    r"\b(?:times|post|guardian|herald|tribune|daily|news|reuters|bloomberg|cnn|bbc|street journal|gazette|"
    r"telegraph|"
    r"zeitung|le monde|el país|folha|estadão|economist|observer|independent|xinhua|press)\b",
    re.IGNORECASE,
)


def _type(text: str, csl: dict[str, Any], segments: list[Segment]) -> str:
    labels = {s.label for s in segments}
    container = str(csl.get("container-title", ""))
    day = len((csl.get("issued") or {}).get("date-parts", [[]])[0]) > 1
    if re.search(
        r"\b(?:thesis|dissertation|dissertação|tese|tesis|doctoral|master['’]s|Diplomarbeit|Habilitation)\b",
        text,
        re.IGNORECASE,
    ):
        return "thesis"
    if re.search(
        r"\b(?:proceedings|proc\.|conference|symposium|workshop|anais|congress[o]?)\b", container, re.IGNORECASE
    ):
        return "paper-conference"
    if container and ("volume" in labels or "issue" in labels) and "publisher" not in csl:
        return "article-journal"
    if container and (day or csl.get("medium")) and ("URL" in csl or csl.get("medium") or _NEWS.search(container)):
        return "article-newspaper"
    if container and ("editor" in csl or "publisher" in csl):
        return "chapter"
    if container:
        return "article-journal"
    if csl.get("medium") or ("URL" in csl and "publisher" not in csl):
        return "report" if "publisher" in csl else "webpage"
    if "publisher" in csl:
        return "report" if "URL" in csl and "literal" in (csl.get("author") or [{}])[0] else "book"
    return "article" if csl.get("archive") == "arXiv" else "document"
