"""Labelled reference strings in styles that the training sets hardly have (ABNT, Vancouver, Harvard, …).

Fields come from the training strings themselves and from small lists of invented Portuguese and Spanish
titles, journals and bodies; the styles are templates of our own. A template is a string in which ``{title}``
is a field and everything else is printed as it stands and labelled O. Nothing here reads SciELO.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.bibliography import corpora
from rag.bibliography import names

_STYLES = tomllib.loads(Path(__file__).with_name("styles.toml").read_text(encoding="utf-8"))
_TEMPLATES: dict[str, list[str]] = _STYLES["templates"]
_WORDS: dict[str, list[str]] = _STYLES["words"]
_MONTHS: dict[str, list[str]] = _STYLES["months"]
_PERSON = re.compile(r"[^\W\d_][\w’' -]{1,20} \| [A-ZÀ-Þ].*")
_FIELD = re.compile(r"(\{\w+\}|<\w+>)")


class Pools(NamedTuple):
    """Values that the training strings give."""

    people: list[tuple[str, str]]
    titles: list[str]
    books: list[str]
    journals: list[str]
    publishers: list[str]
    places: list[str]


def rendered(train: list[corpora.Labelled], count: int, rng: random.Random) -> Iterator[corpora.Labelled]:
    """`count` labelled strings, the same for the same seed."""
    pools = _pools(train)
    kinds, weights = list(_STYLES["weights"]), list(_STYLES["weights"].values())
    for _ in range(count):
        yield _fill(rng.choice(_TEMPLATES[rng.choices(kinds, weights)[0]]), pools, rng)


def recombined(train: list[corpora.Labelled], count: int, rng: random.Random) -> Iterator[corpora.Labelled]:
    """Real strings with some of their values exchanged for those of other strings, all collections alike.

    What stays is how a list orders and marks its fields; what changes are the words, so that the model learns
    the one without leaning on the other.
    """
    pool: dict[str, list[str]] = {}
    by_source: dict[str, list[corpora.Labelled]] = {}
    for item in train:
        by_source.setdefault(item.source, []).append(item)
        for label, a, b in item.spans:
            pool.setdefault(_like(label, item.raw[a:b]), []).append(item.raw[a:b])
    sources = list(by_source)
    weights = [len(by_source[source]) ** 0.5 for source in sources]
    for source in rng.choices(sources, weights, k=count):
        yield _exchanged(rng.choice(by_source[source]), pool, rng)


def _like(label: str, value: str) -> str:
    """Values of one kind: names written alike, numbers of like form, texts in like script."""
    if label in {"author", "editor", "translator"}:
        first = (
            "I"
            if re.match(r"[^\W\d_]\.", value)
            else "F,I"
            if re.match(r"[\w’' -]+,\s*[^\W\d_]\.", value)
            else "F I"
            if re.match(r"\w+ [A-Z]{1,3}\b", value)
            else "F"
        )
        return f"author|{first}|{',' in value}|{';' in value}"
    if label in {"volume", "issue", "page", "date", "edition", "note", "genre", "web", "label"}:
        return f"{label}|{re.sub('[0-9]+', '0', value)[:6]}"
    return f"{label}|{value[:1].isascii()}|{len(value) > 60}"


def _exchanged(item: corpora.Labelled, pool: dict[str, list[str]], rng: random.Random) -> corpora.Labelled:
    raw = ""
    spans: list[tuple[str, int, int]] = []
    position = 0
    for label, a, b in sorted(item.spans, key=lambda s: s[1]):
        if a < position:
            continue
        value = item.raw[a:b]
        if label not in {"web", "label"} and rng.random() < 0.6:
            other = rng.choice(pool[_like(label, value)])
            value = other if (other[-1] == ".") == (value[-1] == ".") else value
        raw += item.raw[position:a]
        spans.append((label, len(raw), len(raw) + len(value)))
        raw += value
        position = b
    return corpora.Labelled(raw + item.raw[position:], tuple(spans), "recombined")


def _pools(train: list[corpora.Labelled]) -> Pools:
    people: list[tuple[str, str]] = []
    for item in train:
        for value in item.values("author")[:1]:
            parsed = [(n.get("family", ""), n.get("given", "")) for n in names.parse(value)[:4]]
            people.extend(p for p in parsed if _PERSON.fullmatch(" | ".join(p)))

    def values(label: str, low: int, high: int) -> list[str]:
        return [v for i in train for v in i.values(label)[:1] if low <= len(v) <= high and "http" not in v]

    titles = values("title", 15, 180)
    books = [
        v
        for i in train
        if i.values("publisher") and not i.values("volume")
        for v in i.values("title")[:1]
        if 8 < len(v) < 120
    ]
    return Pools(
        people, titles, books or titles, values("container", 3, 80), values("publisher", 3, 60), values("place", 3, 30)
    )


def _fill(template: str, pools: Pools, rng: random.Random) -> corpora.Labelled:
    raw = ""
    spans: list[tuple[str, int, int]] = []
    style = _PersonStyle(rng, after=template[8:10] if template.startswith("{author}") else " ")
    bound: dict[str, str] = {}
    for piece in _FIELD.split(_vary(template, rng)):
        if piece.startswith("<"):
            raw += _literal(piece[1:-1], rng)
            continue
        if not piece.startswith("{"):
            raw += piece[1:] if raw.endswith((".", "?", "!")) and piece.startswith(".") else piece
            continue
        name = piece[1:-1]
        label, text = _value(name, template, pools, style, bound)
        # "SILVA, João. Title": where no mark of the template follows the authors, a full stop does.
        closing = (
            "."
            if label == "author" and not raw and text[-1] != "." and re.match(r"\{author\} [{“](?!date)", template)
            else ""
        )
        spans.append((label, len(raw), len(raw) + len(text)))
        raw += text + closing
    return corpora.Labelled(raw, tuple(spans), "rendered")


def _vary(template: str, rng: random.Random) -> str:
    """Small liberties that real lists take: a field missing, a mark doubled or dropped."""
    if rng.random() < 0.12:
        template = (
            template.replace("({issue})", "")
            .replace(", n. {issue}", "")
            .replace(", no. {issue}", "")
            .replace(", n.{issue}", "")
        )
    if rng.random() < 0.5:
        template = re.sub(r"[ ,]*(?:doi: |DOI: )?<doi>\.?", "", template)
    if rng.random() < 0.06:
        template = template.rstrip(".")
    if rng.random() < 0.3:
        template = template.replace("“", '"').replace("”", '"').replace("‘", "'").replace("’", "'")
    if rng.random() < 0.1:
        template = template.replace(" – ", " - ")
    return template


class _PersonStyle:
    """How one list writes its people, the same for all of a string."""

    def __init__(self, rng: random.Random, after: str) -> None:
        self.rng = rng
        self.upper = rng.random() < 0.25
        self.full = rng.random() < 0.22
        self.han = rng.random() < 0.015
        self.plain = rng.random() < 0.06
        self.form = rng.choice(("F, I. I.", "F, I.I.", "F II", "F, I. I.", "I. I. F", "I.I. F", "F I. I.", "F, I.I."))
        self.between = rng.choice((", ", ", ", "; ", "; "))
        if self.form == "F II" or self.form.startswith("I"):
            self.between = ", "
        self.last = rng.choice((" & ", " and ", ", & ", ", and ", " e ", " y ", "; ", "; & ", ", ", ", "))
        if "; " in self.between and self.last == ", ":
            self.last = "; "
        if self.form == "F II":
            self.last = ", "
        self.after = after

    def one(self, person: tuple[str, str], *, first: bool = True) -> str:
        rng = self.rng
        family, given = person
        if self.upper:
            family = family.upper()
        if self.han:
            return f"{family}, {given[0]}. {rng.choice(_WORDS['han_names'])}"
        if self.plain:
            return f"{given if len(given) > 3 else rng.choice(_WORDS['given'])} {family}"
        initials = [w[0] for w in re.findall(r"[^\W\d_]+", given) if w[0].isupper()][:3] or ["A"]
        if self.full and self.form != "F II":
            shown = (
                given
                if len(given) > 3
                else rng.choice(_WORDS["given"]) + (f" {initials[0]}." if rng.random() < 0.3 else "")
            )
            return f"{family}, {shown}" if first or self.between == "; " else f"{shown} {family}"
        if self.form == "F II":
            return f"{family} {''.join(initials)}"
        join = "" if "I.I." in self.form else " "
        shown = join.join(f"{i}." for i in initials)
        if self.form.startswith("I"):
            return f"{shown} {family}"
        if rng.random() < 0.04:
            shown += " " + rng.choice(_WORDS["particles"])
        return f"{family}{',' if ',' in self.form else ''} {shown}"

    def many(self, people: list[tuple[str, str]]) -> str:
        shown = [self.one(p, first=i == 0) for i, p in enumerate(people)]
        if len(shown) == 1:
            return shown[0]
        if self.rng.random() < 0.1:
            return f"{self.between.join(shown)}{',' if self.rng.random() < 0.6 else ''} et al."
        return self.between.join(shown[:-1]) + self.last + shown[-1]


def _value(name: str, template: str, pools: Pools, style: _PersonStyle, bound: dict[str, str]) -> tuple[str, str]:
    rng = style.rng
    local = rng.random() < 0.45
    if name in {"author", "editor", "translator"}:
        most = {"author": 6, "editor": 3, "translator": 2}[name]
        if name == "author" and rng.random() < 0.05:
            return "author", rng.choice(_WORDS["bodies"])
        people = [
            _person(pools, rng)
            for _ in range(rng.choice((1, 1, 2, 2, 3, 4, most)) if most > 2 else rng.choice((1, 1, 2)))
        ]
        if name == "translator":
            return name, " e ".join(f"{rng.choice(_WORDS['given'])} {f}" for f, _ in people)
        return name, style.many(people)
    if name in {"hans", "kors"}:
        chosen = rng.sample(_WORDS["han_names"] if name == "hans" else _WORDS["korean_names"], rng.choice((1, 1, 2, 3)))
        return "author", rng.choice((", ", "，", "、") if name == "hans" else (", ", "・", ", ")).join(
            chosen
        ) + rng.choice(("", "", "", ", 等" if name == "hans" else " 외 3인"))
    if name in {"hantitle", "kortitle"}:
        words = rng.sample(_WORDS["han_words"] if name == "hantitle" else _WORDS["korean_words"], rng.randint(3, 7))
        text = ("" if name == "hantitle" else " ").join(words)
        if rng.random() < 0.3:
            text += rng.choice(("——以", ": ", "：", ", ")) + ("" if name == "hantitle" else " ").join(
                rng.sample(words, 2)
            )
        return "title", text
    if name == "hanjournal":
        return "container", rng.choice(("", "中国", "当代")) + "".join(rng.sample(_WORDS["han_words"], 2)) + rng.choice(
            ("", "研究", "学报", "评论")
        )
    if name == "korjournal":
        return "container", rng.choice(_WORDS["korean_journals"])
    if name in {"hanplace", "korplace"}:
        return "place", rng.choice(_WORDS["han_places"]) if name == "hanplace" else rng.choice(("서울", "부산", "대구"))
    if name in {"hanpress", "korpress", "hanuni"}:
        return "publisher", rng.choice(
            {
                "hanpress": _WORDS["han_presses"],
                "korpress": _WORDS["korean_presses"],
                "hanuni": _WORDS["han_universities"],
            }[name]
        )
    if name == "act":
        number = rng.choice(
            (
                f"{rng.randint(1, 14)}.{rng.randint(100, 999)}",
                str(rng.randint(10, 999)),
                f"{rng.randint(1, 99)}/{rng.randint(1970, 2023)}",
            )
        )
        day = f"{rng.randint(1, 28)} de {_MONTHS['pt_long'][rng.randrange(12)]} de {rng.randint(1930, 2023)}"
        text = f"{rng.choice(_WORDS['acts']).format(number)}, de {day}"
        return "title", text if rng.random() < 0.35 else f"{text}. {rng.choice(_WORDS['subjects'])}"
    if name == "state":
        country = rng.choice(_WORDS["countries"])
        return "author", f"{country}. {rng.choice(_WORDS['state']).format(country)}"
    if name == "series":
        return "series", rng.choice(
            (
                "Lecture Notes in Computer Science",
                "Coleção Debates",
                "Que sais-je ?",
                "Studies in Linguistics",
                "Texto & Arte",
            )
        )
    if name == "number":
        return "volume", str(rng.randint(1, 300))
    if name in {"dm", "md"}:
        of_month, month_name = rng.randint(1, 28), rng.choice(_MONTHS["long"])
        return "date", f"{of_month} {month_name}" if name == "dm" else f"{month_name} {of_month}"
    if name == "body":
        body = rng.choice(_WORDS["bodies"])
        return "author", body.upper() if rng.random() < 0.1 else body
    if name == "title":
        books = template in _TEMPLATES["book"]
        source = pools.books if books else pools.titles
        text = (
            f"{rng.choice(_WORDS['what'])} {rng.choice(_WORDS['of'])}{rng.choice(_WORDS['tail'])}"
            if local
            else rng.choice(source)
        )
        if "“" not in template and "‘{" not in template:
            text = text.strip("\"“”'")
        if local and rng.random() < 0.3:
            words = rng.sample(_WORDS["nouns"], 3)
            text = rng.choice(
                ("{0}, {1} e {2}", "{0} e {1}", "{0}, {1}, {2}", "{0}: {1} e {2}", "{0}", "{0} y {1}")
            ).format(*words)
        if rng.random() < 0.06:
            text = f"{text.rstrip('.?!')}{rng.choice(('? ', '. ', '! '))}{rng.choice(source).strip('“”')}"
        if rng.random() < 0.03:
            pinyin, han, english = rng.choice(_STYLES["words"]["han_titles"])
            text = rng.choice(
                (
                    f"{pinyin} {han} [{english}]",
                    f"{pinyin} {han}",
                    f"{text} [{english}]",
                    f"{han} [{english}]",
                    f"{pinyin} [{english}]",
                )
            )
        elif rng.random() < 0.02:
            text = f"{text} [{rng.choice(source).strip('“”[]')}]"
        return "title", text
    if name == "container":
        if template in _TEMPLATES["law"]:
            return "container", rng.choice(_WORDS["gazettes"])
        if template in _TEMPLATES["meeting"]:
            return "container", rng.choice(
                ("Anais", "Anais", "Atas")
            ) if "[...]" in template or "..." in template else f"Proceedings of the {rng.choice(_WORDS['events'])}"
        if template in _TEMPLATES["chapter"]:
            return "container", f"{rng.choice(_WORDS['what'])} {rng.choice(_WORDS['of'])}" if local else rng.choice(
                pools.books
            )
        if rng.random() < 0.02:
            return "container", " ".join(rng.choice(_WORDS["han_journals"]))
        return "container", rng.choice(_WORDS["journals"]) if local else rng.choice(pools.journals)
    if name == "news":
        return "container", rng.choice(_WORDS["news"])
    if name == "event":
        return "container", rng.choice(_WORDS["events"])
    if name in {"publisher", "university"}:
        pool = _WORDS["universities"] if name == "university" else (_WORDS["publishers"] if local else pools.publishers)
        return "publisher", rng.choice(pool)
    if name == "place":
        return "place", bound.setdefault("place", rng.choice(_WORDS["places"] if local else pools.places))
    if name == "genre":
        in_english = "University" in template
        return "genre", "PhD thesis" if in_english else rng.choice(_WORDS["theses"])
    if name == "edition":
        return "edition", rng.choice(
            ("2. ed", "2ª ed", "3rd ed.", "2nd ed", "3 ed", "4a ed", "2nd edn", "1st ed", "5. Aufl", "rev. ed.")
        )
    year = bound.setdefault(
        "year", str(rng.choice((rng.randint(1900, 2024), rng.randint(1985, 2024), rng.randint(2000, 2024))))
    )
    if name == "date":
        suffix = rng.choice("abc") if rng.random() < 0.04 else ""
        return "date", year + suffix
    month = rng.randrange(12)
    if name == "mdate":
        return (
            "date",
            f"{_MONTHS['pt'][month]}{rng.choice(('/' + _MONTHS['pt'][min(11, month + 3)], ''))} {year}"
            if local
            else f"{_MONTHS['en'][month]}. {year}",
        )
    if name == "vdate":
        return "date", f"{year} {_MONTHS['en'][month]}" if rng.random() < 0.6 else year
    if name == "ldate":
        return (
            "date",
            f"{rng.randint(1, 28)} {_MONTHS['pt'][month]} {year}"
            if local
            else f"{_MONTHS['long'][month]} {rng.randint(1, 28)}, {year}",
        )
    if name == "volume":
        return "volume", str(
            rng.choice((rng.randint(1, 60), rng.randint(1, 400)))
        ) if rng.random() < 0.95 else rng.choice(("XII", "IV", "53A", "esp"))
    if name == "issue":
        return "issue", rng.choice(
            (
                str(rng.randint(1, 12)),
                str(rng.randint(1, 12)),
                f"{rng.randint(1, 3)}-{rng.randint(4, 6)}",
                "Suppl 1",
                "spe",
                "1/2",
            )
        )
    begin = rng.randint(1, 1800)
    end = begin + rng.randint(1, 40)
    if name == "page":
        last = (
            str(end)[-2:] if rng.random() < 0.2 and str(end)[:-2] == str(begin)[:-2] and len(str(end)) > 2 else str(end)
        )
        return "page", f"{begin}{rng.choice('-–-')}{last}"
    if name == "page1":
        return "page", str(rng.choice((begin, rng.randint(10000, 999999))))
    return "page", f"e{rng.randint(1000, 999999)}"


def _person(pools: Pools, rng: random.Random) -> tuple[str, str]:
    if rng.random() < 0.5:
        return rng.choice(pools.people)
    family = rng.choice(_WORDS["families"])
    if rng.random() < 0.15:
        family += f"{rng.choice(' -')}{rng.choice(_WORDS['families'])}"
    if rng.random() < 0.04:
        family += f" {rng.choice(_WORDS['suffixes'])}"
    if rng.random() < 0.04:
        family = f"{rng.choice(_WORDS['particles'])} {family}"
    return family, " ".join(rng.sample(_WORDS["given"], rng.choice((1, 2, 2))))


def _literal(name: str, rng: random.Random) -> str:
    """What is printed and belongs to no field of ours, or is found by rule."""
    day, year, month = rng.randint(1, 28), rng.randint(2005, 2024), rng.randrange(12)
    host = rng.choice(
        ("www.example.org", "repositorio.example.br", "www.gov.example", "journals.example.com", "bit.ly")
    )
    folder = rng.choice(("article/view/", "pdf/", "", "news/2020/01/"))
    url = f"http{rng.choice(('s', ''))}://{host}/{folder}{rng.randint(1000, 999999)}"
    if name == "doi":
        suffix = f"{rng.choice(('s', 'j.x.', 'journal.pone.', ''))}{rng.randint(10000, 9999999)}"
        doi = f"10.{rng.randint(1000, 9999)}/{suffix}"
        return rng.choice((f"https://doi.org/{doi}", f"http://dx.doi.org/{doi}", doi, f"https://doi.org/{doi}"))
    if name == "web":
        access = rng.choice(
            (
                f" Acesso em: {day} {_MONTHS['pt'][month]} {year}.",
                f" Accessed {day} {_MONTHS['long'][month]} {year}.",
                "",
                f" (acesso em {day}-V-{year}).",
            )
        )
        lead = rng.choice(("Disponível em: ", "Disponible en: ", "Available from: ", "Available at: ", ""))
        return f"{lead}{url}{rng.choice(('.', ''))}{access}"
    if name == "arxiv":
        return rng.choice(("arXiv:", "")) + f"{rng.randint(10, 23)}{rng.randint(10, 12)}.{rng.randint(10000, 99999)}"
    if name == "avail":
        return f"{rng.choice(('Available from: ', 'Disponível em: ', 'Disponible en: '))}{url}"
    if name == "cited":
        return rng.choice(
            (
                f"[cited {year} {_MONTHS['en'][month]} {day}]",
                f"[citado {year} jun {day}]",
                f"[Acceso {day} enero {year}]",
                f"[cited {_MONTHS['en'][month]} {day}, {year}]",
            )
        )
    if name == "np":
        return rng.choice((f"{rng.randint(80, 700)} p", f"{rng.randint(80, 700)}p", f"p. {rng.randint(80, 700)}"))
    if name == "by":
        return rng.choice(_WORDS["translated"])
    if name == "degree":
        return rng.choice(
            ("Doutorado em Educação", "Mestrado em Letras", "Mestrado", "Doutorado em Ciências", "Maestría en Historia")
        )
    return {
        "leaves": f"{rng.randint(80, 300)} f", "nth": str(rng.randint(1, 40)),
    }.get(name, "")  # fmt: skip
