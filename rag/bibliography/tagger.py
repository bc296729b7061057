"""A linear-chain CRF that labels the words of a reference string.

The method is that of Lafferty, McCallum and Pereira (ICML 2001), as ParsCit, AnyStyle and GROBID use it for
references; the features are our own: what a word looks like, what stands around it, and what the whole
string has shown so far (a quotation, a year, the word "In"). The model file and what it was trained on are
described in ``model/CARD.md``. Knows nothing of CSL.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from rag.bibliography import addresses, identifiers
from rag.bibliography.dates import MONTHS
from rag.bibliography.names import fold
from rag.bibliography.segments import Segment
from rag.packaged import verified

MODEL = Path(__file__).with_name("model") / "references.crfsuite"

_TOKEN = re.compile(r"[^\W\d_]+(?:[’'‐-][^\W\d_]+)*|\d+|[^\w\s]|_+")
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d$")
_OPEN, _CLOSE = "([{（【<", ")]}）】>"
_QUOTE_PAIRS = {"“": "”", "«": "»", "„": "“", "‘": "’", "「": "」", "『": "』", "《": "》"}
_CUE_WORDS = {
    "in": "in em en dans apud",
    "ed": "ed eds editor editors edited org orgs hrsg coord coords organizador organizadores editores dir hg",
    "edn": "edition edn edicao edicion aufl auflage",
    "vol": "vol v volume bd band tomo t vols",
    "no": "no n nr num issue number heft fasc supl suppl supplement special ano year",
    "pp": "p pp pages page pag pags s seiten",
    "tr": "trans translated translator trad traducao traduccion tr traduzido",
    "and": "et and e y und &",
    "al": "al",
    "gen": (
        "thesis dissertation tese dissertacao tesis phd mestrado doutorado report relatorio preprint "
        "technical rep master"
    ),
    "pub": (
        "press publishers publisher publishing verlag editora springer wiley elsevier editorial books "
        "editions edicoes inc"
    ),
    "uni": "university universidade universidad universite universitat institute",
    "jou": (
        "journal j revista rev review annals letters lett zeitschrift bulletin bull phys cadernos boletim "
        "acta archives transactions magazine arch sci"
    ),
    "proc": "anais proceedings proc conference workshop symposium congress congresso conf symp meeting",
    "web": "available disponivel disponible retrieved verfugbar url doi",
    "acc": "accessed acesso access cited acessado citado consultado viewed",
    "ser": "series lecture notes colecao serie reihe",
}
_CUES = {word: cue for cue, words in _CUE_WORDS.items() for word in words.split()}
_ONE_AT_A_TIME = Lock()
"""crfsuite's tagger keeps the string it is reading, so threads take turns."""


class Token(NamedTuple):
    """A word, a number or one punctuation mark."""

    text: str
    start: int
    end: int


def tokens(raw: str) -> list[Token]:
    """Cut a reference string; an address, a DOI or a day of access is one token, so that its parts mislead nobody."""
    result: list[Token] = []
    position = 0
    for fixed in [*addresses.segments(raw, identifiers.find(raw)), None]:
        end = fixed.start if fixed else len(raw)
        result.extend(Token(m[0], m.start(), m.end()) for m in _TOKEN.finditer(raw, position, end))
        if fixed and fixed.end > position:
            result.append(Token(f"<{fixed.label}>", max(position, fixed.start), fixed.end))
            position = fixed.end
    return result


def features(cut: list[Token]) -> list[list[str]]:
    """The features of every token of one string, as crfsuite wants them."""
    n = len(cut)
    words = [_word(t.text) for t in cut]
    shapes = [_shape(t.text) for t in cut]
    cues = [_cue(w) for w in words]
    spaced = [i > 0 and cut[i].start > cut[i - 1].end for i in range(n)]
    state = _states(cut, words, shapes)
    style = _style(cut, shapes)
    names_end = _names_end(cut, shapes)
    chunk = _chunks(cut, shapes, words)
    rows: list[list[str]] = []
    for i in range(n):
        row = [f"w={words[i]}", f"s={shapes[i]}", f"at={min(9, 10 * i // n)}", state[i], f"sp={spaced[i]:d}"]
        if cues[i]:
            row.append(f"c={cues[i]}")
        if words[i].isalpha() and len(words[i]) > 3:
            row += [f"p3={words[i][:3]}", f"e3={words[i][-3:]}"]
        for d in (-3, -2, -1, 1, 2, 3):
            j = i + d
            if 0 <= j < n:
                row.append(f"s{d}={shapes[j]}")
                if abs(d) < 3:
                    row.append(f"w{d}={words[j]}")
                if cues[j]:
                    row.append(f"c{d}={cues[j]}")
            elif abs(d) < 3:
                row.append("BOS" if j < 0 else "EOS")
        around = [shapes[j] if 0 <= j < n else "#" for j in (i - 1, i, i + 1)]
        row += [
            f"s-10={around[0]}|{around[1]}",
            f"s01={around[1]}|{around[2]}",
            f"s-101={'|'.join(around)}",
            f"st={style}|{state[i][:5]}",
            f"ss={state[i]}|{shapes[i]}",
        ]
        if i > 1:
            row.append(f"s-2-10={shapes[i - 2]}|{around[0]}|{around[1]}")
        if i + 2 < n:
            row.append(f"s012={around[1]}|{around[2]}|{shapes[i + 2]}")
        row.append(f"nx={_next_mark(cut, i)}")
        here = "in" if i < names_end else f"a{min(i - names_end, 3)}"
        row += [f"nm={here}", f"nms={here}|{shapes[i]}", *chunk[i], f"nmc={here}|{chunk[i][-1]}"]
        rows.append(row)
    return rows


def _names_end(cut: list[Token], shapes: list[str]) -> int:
    """Where the list of names with initials at the head of the string ends ("Lau, A., B. Kim and Berg CD")."""
    end = i = 0
    family = False  # a family name waits for its initials
    loose = False  # initials wait for their family name
    while i < len(cut):
        shape, text = shapes[i], cut[i].text
        if shape == "X" or (shape in {"XX2", "XX3"} and family and cut[i - 1].text[0].isalpha()):
            loose = not family and (loose or end < i or i == 0)
            i += 1
            while i < len(cut) and (cut[i].text in ".-" or shapes[i] == "X"):
                i += 1
            family = False
            end = i if not loose else end
        elif shape[0] == "X" or shape in {"H", "HH"}:
            if not loose and end and end == i:
                return end  # a word right behind "Lau, A." begins the title
            ahead = i + 1
            while ahead < min(len(cut), i + 4) and (
                (shapes[ahead][0] == "X" and len(shapes[ahead]) > 1 and shapes[ahead] not in {"XX2", "XX3"})
                or cut[ahead].text in ",-"
            ):
                ahead += 1
            behind = ahead < len(cut) and (shapes[ahead] == "X" or shapes[ahead] in {"XX2", "XX3"})
            if not loose and not behind:
                return end
            i = i + 1
            if loose:
                end, loose = i, False
            else:
                family = True
        elif text in ",;&-/" or text.lower() in _JOINERS:
            i += 1
        else:
            return end
    return end


_PARTICLES = frozenset(
    ["de", "da", "do", "dos", "das", "von", "van", "der", "den", "del", "della", "di", "la", "le", "el"]
)
_JOINERS = frozenset(["and", "und", "et", "e", "y", "al"]) | _PARTICLES
_NUMBERS = re.compile(r"v|vol|no|n|nr|p|pp|bd|t|jg|s|h|heft|issue|num|volume|pages")


def _chunks(cut: list[Token], shapes: list[str], words: list[str]) -> list[list[str]]:
    """Features of the stretch between two marks in which each token stands, and how far the numbers are.

    A journal stands right before its volume, a title before the journal: the count of stretches up to the
    next stretch of numbers says which is which in whatever language.
    """
    n = len(cut)
    bounds: list[tuple[int, int]] = []
    start = 0
    for i, token in enumerate(cut):
        stop = token.text in ',;:()[]“”"«»?!。，' or (
            token.text == "." and (not i or shapes[i - 1][0] != "X" or len(shapes[i - 1]) > 2)
        )
        if (
            token.text == "."
            and i
            and (len(cut[i - 1].text) < 4 or not _ends_word(cut, i))
            and shapes[i - 1][0] == "X"
            and i + 1 < n
            and shapes[i + 1][0] == "X"
        ):
            stop = stop and len(shapes[i - 1]) < 3 and cut[i - 1].text.islower()
        if stop:
            bounds.append((start, i))
            start = i + 1
    bounds.append((start, n))
    kinds = [_chunk_kind(shapes[a:b], words[a:b]) for a, b in bounds]
    ahead = [9] * (len(bounds) + 1)
    for k in range(len(bounds) - 1, -1, -1):
        empty = bounds[k][0] >= bounds[k][1]
        ahead[k] = 0 if kinds[k] == "num" else ahead[k + 1] if empty else min(9, ahead[k + 1] + 1)
    rows: list[list[str]] = []
    for k, (a, b) in enumerate(bounds):
        left = cut[a - 1].text if a else "#"
        right = cut[b].text if b < n else "#"
        length = min(b - a, 3) if b - a < 4 else (4 if b - a < 7 else 7 if b - a < 13 else 13)
        before = kinds[k - 1] if k else "#"
        after = kinds[k + 1] if k + 1 < len(kinds) else "#"
        for i in range(a, min(b + 1, n)):
            if i == b:
                rows.append([f"cm={before}|{kinds[k]}|{right}|{after}"])
                continue
            rows.append(
                [
                    f"ca={min(ahead[k], 5)}",
                    f"cl={left}|{right}|{length}",
                    f"ck={before}|{kinds[k]}|{after}",
                    f"cr={right}|{after}|{length}",
                    f"ci={min(k, 6)}|{min(ahead[k], 5)}",
                    f"cp={left}|{kinds[k]}|{right}|{after}",
                ]
            )
    return rows


def _chunk_kind(shapes: list[str], words: list[str]) -> str:
    """What a stretch looks like: numbers, a year, initials, one or a few capitalised words, a phrase."""
    solid = [s for s in shapes if s not in ".,-–—'’"]
    if not solid:
        return "-"
    if all(
        s[0] in "dY" or s == "M" or _NUMBERS.fullmatch(w) for s, w in zip(shapes, words, strict=True) if s not in ".-–—"
    ):
        return "year" if "Y" in solid and len(solid) < 3 else "date" if "M" in solid else "num"
    if solid[0][0] == "<" and len(solid[0]) > 1:
        return "web"
    if solid[-1][0] == "d" and len(solid) < 9 and all(s[0] in "Xxd" for s in solid):
        return "wnum"
    capitals = sum(s[0] in "XHK" for s in solid)
    if len(solid) < 4:
        return "ini" if all(s == "X" for s in solid) else f"{'C' if capitals == len(solid) else 'c'}{len(solid)}"
    return f"{'C' if capitals > 0.6 * len(solid) else 'c'}{'m' if len(solid) < 7 else 'l'}"


def label(raw: str) -> list[Segment]:
    """Label one reference string; the segments are in order and do not overlap. Empty for an empty string."""
    cut = tokens(raw)
    if not cut:
        return []
    rows = features(cut)
    with _ONE_AT_A_TIME:
        labels = _tagger().tag(rows)
    return join(raw, cut, labels)


def join(raw: str, cut: list[Token], labels: list[str]) -> list[Segment]:
    """Neighbouring tokens of one label → one segment; a lone mark labelled O inside a field does not break it."""
    segments: list[Segment] = []
    for i, (token, name) in enumerate(zip(cut, labels, strict=True)):
        if name == "O":
            continue
        if segments and segments[-1].label == name and _joins(raw[segments[-1].end : token.start], labels, i):
            segments[-1] = Segment(name, segments[-1].start, token.end)
        else:
            segments.append(Segment(name, token.start, token.end))
    return segments


def _joins(between: str, labels: list[str], i: int) -> bool:
    return labels[i - 1] == labels[i] or (len(between.strip()) <= 1 and between.strip() not in set("()[]"))


@lru_cache(maxsize=1)
def _tagger() -> Any:  # noqa: ANN401 - pycrfsuite has no types
    import pycrfsuite

    tagger = pycrfsuite.Tagger()
    tagger.open(str(verified("rag.bibliography.model") / MODEL.name))
    return tagger


@lru_cache(maxsize=20_000)
def _word(text: str) -> str:
    if text.isdigit():
        return "<year>" if _YEAR.match(text) else f"<d{min(len(text), 7)}>"
    return fold(text)


@lru_cache(maxsize=20_000)
def _shape(text: str) -> str:
    if text.isdigit():
        return "Y" if _YEAR.match(text) else f"d{min(len(text), 5)}"
    if text[0] == "<" and len(text) > 1:
        return text
    if not text[0].isalpha():
        return text
    if text.lower() in MONTHS and len(text) > 2:
        return "M"
    if "\u3400" <= text[0] <= "\u9fff":
        return "H" if len(text) < 5 else "HH"
    if text[0] >= "\u3040" and not text[0].islower() and not text[0].isupper():
        return "K"
    if len(text) == 1:
        return "X" if text.isupper() else "x"
    if text.isupper():
        return f"XX{min(len(text), 4)}"
    if text[0].isupper():
        return "Xx2" if len(text) < 4 else "Xx"
    return "x2" if len(text) < 4 else "xx"


@lru_cache(maxsize=20_000)
def _cue(word: str) -> str:
    return "mon" if word in MONTHS else _CUES.get(word, "")


def _states(cut: list[Token], words: list[str], shapes: list[str]) -> list[str]:
    """For each token, what has been seen before it: quotation, brackets, years, stops, "In"."""
    result: list[str] = []
    depth = stops = years = 0
    quote = ""
    was_quoted = seen_in = False
    for i, token in enumerate(cut):
        text = token.text
        if quote and text == quote and (text not in "’'" or _ends_word(cut, i)):
            quote, was_quoted = "", True
            here = "q"
        elif not quote and (text in _QUOTE_PAIRS or text == '"') and _opens(cut, i):
            quote = _QUOTE_PAIRS.get(text, '"')
            here = "q"
        else:
            here = "Q" if quote else ("a" if was_quoted else "n")
        if text in _OPEN:
            depth += 1
        result.append(f"{here}{min(depth, 1)}{min(years, 2)}{'i' if seen_in else '-'}{min(stops, 5)}")
        if text in _CLOSE:
            depth = max(0, depth - 1)
        if shapes[i] == "Y":
            years += 1
        if words[i] in {"in", "em"} and (i == 0 or not cut[i - 1].text[-1].isalnum()):
            seen_in = True
        if (text in ".。?!" and i and shapes[i - 1][0] != "X") or (
            text in ".?!" and i and shapes[i - 1] == "Xx" and not quote
        ):
            stops += 1
    return result


def _opens(cut: list[Token], i: int) -> bool:
    """A quotation that holds a whole title begins behind a mark or number, one inside a title behind a word."""
    return i == 0 or not cut[i - 1].text[0].isalpha()


def _ends_word(cut: list[Token], i: int) -> bool:
    return i + 1 >= len(cut) or cut[i + 1].start > cut[i].end or not cut[i + 1].text[0].isalnum()


def _style(cut: list[Token], shapes: list[str]) -> str:
    """What kind of list the string comes from, told by its head and its year."""
    n = len(shapes)
    year = next((i for i, s in enumerate(shapes) if s == "Y"), None)
    where = "none" if year is None else ("early" if year < max(8, n // 3) else "late" if year > 2 * n // 3 else "mid")
    boxed = year is not None and year > 0 and cut[year - 1].text in "(["
    first = shapes[0][:2] if shapes else ""
    quoted = any(t.text in _QUOTE_PAIRS or t.text == '"' for t in cut)
    second = cut[1].text if n > 1 and not cut[1].text[0].isalnum() else ("X" if n > 1 and shapes[1][0] == "X" else "x")
    return f"{first}{second}{where}{boxed:d}{quoted:d}"


def _next_mark(cut: list[Token], i: int) -> str:
    """The next punctuation mark behind this word and how far it is, which tells a list of names from a title."""
    for d in range(1, 7):
        if i + d >= len(cut):
            return "end"
        if not cut[i + d].text[0].isalnum():
            return f"{cut[i + d].text[:2]}{min(d, 3)}"
    return "far"
