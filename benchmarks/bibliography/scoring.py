"""Field scores: what is compared, how it is normalised, and the gold answers of SciELO.

A field counts as right when it equals the gold value after white space and final punctuation are
normalised (quotation marks around a whole title and the kind of dash in a page range too). Micro F1:
a wrong value is one false find and one miss.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from lxml import etree

from benchmarks.bibliography import corpora
from rag.bibliography import dates, identifiers, names

FIELDS = ("authors", "year", "title", "container", "volume", "issue", "pages", "DOI", "URL", "publisher")
Fields = dict[str, str]


class Pair(NamedTuple):
    """A raw string and its gold fields."""

    raw: str
    gold: Fields
    source: str


def normal(field: str, value: str) -> str:
    """White space collapsed, marks at the edges dropped, dashes alike, abbreviated page ranges written out."""
    value = re.sub(r"\s+(?=[,.;:)])", "", " ".join(value.split())).strip(" \t,;:.·\"“”„«»‘’'()[]。，；")
    if field == "pages":
        value = re.sub(r"^(?:pp?|pages?|págs?)\.?\s*", "", re.sub(r"\s*[-–—‐‑−]+\s*", "-", value), flags=re.IGNORECASE)
        if m := re.fullmatch(r"(\d+)-(\d+)", value):
            first, last = m[1], m[2]
            last = first[: len(first) - len(last)] + last if len(last) < len(first) else last
            value = first if first == last else f"{first}-{last}"
    if field == "DOI":
        value = value.lower()
    if field == "URL":
        value = value.rstrip("/")
    return value


def people(found: Iterable[Mapping[str, str]]) -> str:
    """The family names (or names of bodies) in order."""
    return "|".join(normal("authors", n.get("family") or n.get("literal") or n.get("given") or "") for n in found)


def of_csl(csl: Mapping[str, Any]) -> Fields:
    """The compared fields of a parsed entry."""
    issued = csl.get("issued", {}).get("date-parts", [[""]])[0]
    fields = {
        "authors": people(csl.get("author", [])),
        "year": str(issued[0]) if issued else "",
        "title": csl.get("title", ""),
        "container": csl.get("container-title", ""),
        "volume": csl.get("volume", ""),
        "issue": csl.get("issue", ""),
        "pages": csl.get("page", ""),
        "DOI": csl.get("DOI", ""),
        "URL": csl.get("URL", ""),
        "publisher": csl.get("publisher", ""),
    }
    return {k: n for k, v in fields.items() if (n := normal(k, str(v)))}


def of_labelled(item: corpora.Labelled) -> Fields:
    """The gold fields of a tagged string: the first stretch of each kind; identifiers as the tags place them."""
    fields = {
        "authors": people(names.parse(", ".join(item.values("author")))),
        "year": next((str(d.year) for v in item.values("date") for d in dates.find(v) if d.year), ""),
        "title": next(iter(item.values("title")), ""),
        "container": next(iter(item.values("container")), ""),
        "volume": next(iter(item.values("volume")), ""),
        "issue": next(iter(item.values("issue")), ""),
        # "168 p" is how long a book is, not where in it (CSL: number-of-pages); the tag sets do not tell them apart.
        "pages": next((v for v in item.values("page") if not re.fullmatch(r"\d+\s*(?:pp?|с)\.?", v)), ""),
        "publisher": next(iter(item.values("publisher")), ""),
    }
    for value in item.values("web"):
        for found in identifiers.find(value):
            if found.variable in {"DOI", "URL"}:
                fields.setdefault(found.variable, found.value)
    return {k: n for k, v in fields.items() if (n := normal(k, v))}


def scielo() -> Iterator[Pair]:
    """The raw strings of SciELO with their parsed fields (each article CC BY 4.0); never trained on."""
    parser = etree.XMLParser(load_dtd=False, no_network=True, resolve_entities=False)
    for path in sorted((corpora.SHARED / "scielo_jats").glob("*.xml")):
        for ref in etree.parse(str(path), parser).iter("ref"):
            mixed, parsed = ref.find("mixed-citation"), ref.find("element-citation")
            if mixed is not None and parsed is not None and (raw := _text(mixed)):
                yield Pair(raw, _jats_fields(parsed), f"scielo/{path.name}")


def _text(node: etree._Element) -> str:
    return " ".join("".join(node.itertext()).split())


def _jats_fields(parsed: etree._Element) -> Fields:
    def first(*tags: str) -> str:
        return next((t for tag in tags for n in parsed.iter(tag) if (t := _text(n))), "")

    title = first("article-title", "chapter-title", "part-title", "data-title")
    source = first("source")
    journal = parsed.get("publication-type") == "journal"
    authors: list[dict[str, str]] = []
    for group in [g for g in parsed.findall("person-group") if g.get("person-group-type", "author") == "author"] or [
        parsed
    ]:
        for child in group:
            if child.tag == "name":
                authors.append(
                    {"family": child.findtext("surname") or "", "given": child.findtext("given-names") or ""}
                )
            elif child.tag == "collab":
                authors.append({"literal": _text(child)})
    begin, end = first("fpage"), first("lpage")
    links = [_text(n) for n in parsed.iter("ext-link")]
    dois = [_text(n) for n in parsed.iter("pub-id") if n.get("pub-id-type") == "doi"] + [
        u for u in links if "doi.org/" in u
    ]
    fields = {
        "authors": people(authors),
        "year": re.sub(r"(?<=\d{4})[a-z]$", "", first("year")),
        "title": title or ("" if journal else source),
        "container": source if title or journal else "",
        "volume": first("volume"),
        "issue": first("issue"),
        "pages": f"{begin}-{end}" if begin and end else begin or first("page-range", "elocation-id"),
        "DOI": re.sub(r"^.*?(?=10\.\d{4})", "", dois[0]) if dois else "",
        "URL": next((u for u in links if "doi.org/" not in u), ""),
        "publisher": first("publisher-name"),
    }
    return {k: n for k, v in fields.items() if (n := normal(k, v))}


class Score:
    """Counts of right, false and missed values by field."""

    def __init__(self) -> None:
        self.right: Counter[str] = Counter()
        self.false: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self.wrong: dict[str, list[tuple[str, str, str]]] = defaultdict(list)

    def add(self, gold: Fields, found: Fields, raw: str) -> None:
        """Compare one entry."""
        for field in FIELDS:
            want, have = gold.get(field, ""), found.get(field, "")
            if want == have:
                self.right[field] += bool(want)
                continue
            self.false[field] += bool(have)
            self.missed[field] += bool(want)
            self.wrong[field].append((want, have, raw))

    def f1(self, field: str | None = None) -> float:
        """Micro F1, of one field or of all."""
        chosen = FIELDS if field is None else (field,)
        right = sum(self.right[f] for f in chosen)
        total = 2 * right + sum(self.false[f] + self.missed[f] for f in chosen)
        return 2 * right / total if total else 1.0

    def table(self) -> dict[str, float]:
        """All figures, rounded to three digits."""
        right = self.right.total()
        apart = {
            "precision": round(right / (right + self.false.total() or 1), 4),
            "recall": round(right / (right + self.missed.total() or 1), 4),
        }
        return {"micro": round(self.f1(), 4), **apart, **{f: round(self.f1(f), 3) for f in FIELDS}}
