"""What a question asks for: its content words, names and figures, and the kind of answer it expects.

Plain tables and patterns; knows no passage and no model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rag.function_words import STOP
from rag.lexical import terms, words

Expected = Literal["person", "when", "quantity", "page", "place", "reason", "manner", "yes-no", "any"]

_OUTER = re.compile(r"[’']s\b|[\s-]+")
_WH = re.compile(r"[^\W\d_]+")
_CAPITALISED = re.compile(r"\b(?:[A-Z][\w’'&.-]*\w|[A-Z])\b|\b[\w-]{0,40}[A-Z]{2,}[\w-]*\b")
_NAME_FOLLOWS = re.compile(r"\s+[A-Z]|[’']s\b")
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_FIGURE = re.compile(r"\d[\d.,]*\d|\d")
_NUMBER_WORDS = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|million|billion|trillion|half|"
    r"uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|cien|mil|millones|"
    r"zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|hundert|tausend|deux|trois|quatre|cinq|sept|huit|neuf|dix|cent|mille)\b",
    re.IGNORECASE,
)
_MONTH = re.compile(
    r"\b(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|"
    r"dec(?:ember)?|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre)\b",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"\b(?:1[5-9]|20)\d\d\b|\b(?:before|after|since|until|during|when|ago|year|month|week|day|decade|century|later|earlier|"
    r"yesterday|today|recently|now|antes|después|desde|año|années?|seit|jahr)\w*\b",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"\b(?:because|since|as|due to|owing to|therefore|thus|hence|so that|in order to|result|reason|cause[sd]?|lead|led|"
    r"porque|debido|por tanto|weil|daher|parce que|car|puisque)\w*\b",
    re.IGNORECASE,
)
_PAGE = re.compile(r"\b(?:pp?\.|pages?|páginas?|seiten?)\s*\d", re.IGNORECASE)
_HOW_MANY = re.compile(
    r"\b(?:how many|cu[aá]nt[oa]s|quant[oa]s|wie ?viele|combien d[e’'])\s*((?:[\w-]+\s*){1,3})", re.IGNORECASE
)
_BESIDES = re.compile(
    r",?\s+and\s+(?:(?:since|until|in|on|at|by|from|with)\s+)?"
    r"((?:when|where|who|whom|why|how (?:many|much)|(?:what|which) (?:year|month|date|day|page|number|share))\b)(?=\W*$|\s+\w+)",
    re.IGNORECASE,
)
_ANYBODY = frozenset(
    ["people", "persons", "inhabitants", "times", "personas", "habitantes", "veces", "pessoas", "menschen", "personnes"]
)
_HOW_MUCH = re.compile(r"\bhow (long|old|deep|high|tall|wide|far|fast|heavy|thick)\b", re.IGNORECASE)
_LENGTH = r"(?:kilo|centi|milli)?met(?:re|er)s?|k?m|cm|mm|miles?|feet|foot|ft|inch(?:es)?|yards?|fathoms?"
_AGES = r"years?|months?|weeks?|days?|hours?|minutes?|seconds?|decades?|centur(?:y|ies)|nights?|seasons?"
_UNITS = {
    unit: re.compile(rf"\b(?:{said})\b", re.IGNORECASE)
    for unit, said in {
        "long": rf"{_LENGTH}|{_AGES}|since|until|pages?|words?",
        "old": rf"{_AGES}|age|born",
        "deep": _LENGTH,
        "high": rf"{_LENGTH}|per ?cent|%",
        "tall": _LENGTH,
        "wide": _LENGTH,
        "thick": _LENGTH,
        "far": _LENGTH,
        "fast": rf"km/h|mph|knots?|per|{_AGES}",
        "heavy": r"kg|(?:kilo)?gram(?:me)?s?|tons?|tonnes?|pounds?",
    }.items()
}
_SUBJECT = re.compile(
    r"^\W*(?:when|where|who|how\s+\w+)\s+(?:was|were|is|are|did|does|do|will)\s+(?:the|an?|its|their)\s+(?:(?:\w+est|most\s+\w+|first|last|new|old)\s+)?(\w+)",
    re.IGNORECASE,
)
_BOUNDS = (
    (
        re.compile(r"\b(?:since when|from when|when\b.{0,60}\b(?:begin|began|start|started))\b", re.IGNORECASE),
        re.compile(r"\b(?:(?:ever )?since|beg[iau]n|started|from .{1,40} on(?:wards?)?)\b", re.IGNORECASE),
    ),
    (
        re.compile(r"\b(?:until|till|up to) when\b", re.IGNORECASE),
        re.compile(r"\b(?:until|till|up to|ends?|ended|expires?|before)\b", re.IGNORECASE),
    ),
)
"""What asks for the bound of a time, and how a sentence gives one, as a date or as an event."""
_PEOPLE = re.compile(
    r"\b(?:authors?|members?|workers?|volunteers?|guides?|companies|firms?|scientists?|researchers?|president|director|"
    r"minister|chair(?:man|woman)?|chief|founders?|officials?|government|board|council|students?|users?)\b",
    re.IGNORECASE,
)
_EXPECTS: tuple[tuple[Expected, re.Pattern[str]], ...] = (
    ("page", re.compile(r"\b(?:which|what|on what) pages?\b", re.IGNORECASE)),
    (
        "quantity",
        re.compile(
            r"\bhow (?:many|much|large|big|long|old|far|high|fast|often)\b|\b(?:what|which) (?:number|share|percentage|percent|"
            r"proportion|amount|sum|price|cost|fine|rate|size|population|total)\b|^(?>.*?\bwhat (?:did|does|do|would|will|is|was)\b).*\b(?:costs?|pay|spend|earn|charge)\b|\bcu[aá]nt[oa]s?\b|\bquant[oa]s?\b|\bwie ?viele?\b|"
            r"\bcombien\b|多少|几个",
            re.IGNORECASE,
        ),
    ),
    (
        "when",
        re.compile(
            r"^\W*(?:and\s+)?(?:(?:since|until|till|from|by|up to)\s+)?when\b|\b(?:since|until|till) when\b|"
            r"\bwhen\s+(?:is|are|was|were|do|does|did|has|have|had|will|would|can|could|should|must)\b|\bwhen\W*$|"
            r"\b(?:what|which) (?:year|month|date|day|decade|century)\b|\bcu[aá]ndo\b|\bquando\b|"
            r"\bwann\b|\bquand\b|\bqu[eé] año\b|什么时候|何时|哪一年",
            re.IGNORECASE,
        ),
    ),
    (
        "reason",
        re.compile(r"^\W*(?:why|for what reason)\b|\bpor qu[eéê]\b|\bwarum\b|\bpourquoi\b|为什么", re.IGNORECASE),
    ),
    ("person", re.compile(r"\b(?:who|whom|whose)\b|\bqui[eé]n(?:es)?\b|\bquem\b|\bwer\b|\bqui\b|谁", re.IGNORECASE)),
    ("place", re.compile(r"^\W*where\b|\bd[oó]nde\b|\bonde\b|\bwo\b|\boù\b|哪里", re.IGNORECASE)),
    ("manner", re.compile(r"^\W*how\b|\bc[oó]mo\b|\bwie\b|\bcomment\b|如何|怎么", re.IGNORECASE)),
    (
        "yes-no",
        re.compile(
            r"^\W*(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might|must)\b|吗",
            re.IGNORECASE,
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Question:
    """A question, read. `content`, `names` and `figures` are index terms (`rag.lexical.terms`)."""

    text: str
    expects: Expected
    content: tuple[str, ...]
    names: tuple[str, ...]
    """Terms written as proper names or acronyms: what an answer may not do without."""
    figures: tuple[str, ...]
    must_have: tuple[str, ...]
    """The names and figures as the question spells them."""
    counted: tuple[str, ...]
    """Terms of what "how many" counts: "users", "business clients"; empty where anything may be counted."""
    unit: str
    """The dimension that "how long", "how deep" … asks for; a key of `_UNITS`, or empty."""
    besides: tuple[tuple[str, Expected], ...]
    """Further things asked for in the same sentence, in its words: ("and when", "when")."""
    language: str | None


def read(text: str, language: str | None = "en") -> Question:
    """Take a question apart. Never raises."""
    content = [t for w in words(text) if w not in STOP for t in terms(w, language)]
    first = _WH.search(text)
    names: dict[str, None] = {}
    spelled: dict[str, None] = {}
    if not text.isupper():
        for match in _CAPITALISED.finditer(text):
            at_start = first is not None and match.start() == first.start()
            if at_start and match.group().casefold() in STOP:
                continue
            if at_start and not match.group().isupper() and not _followed_by_name(text, match.end()):
                continue
            spelled.update(dict.fromkeys(w for w in _OUTER.split(match.group()) if w and w.casefold() not in STOP))
            names.update(dict.fromkeys(t for w in words(match.group()) if w not in STOP for t in terms(w, language)))
    figures = dict.fromkeys(t for m in _FIGURE.finditer(text) for t in terms(m.group(), language))
    besides = _BESIDES.search(text)
    expects = _kind(text[: besides.start()] if besides else text)
    return Question(
        text=text,
        expects=expects,
        content=tuple(dict.fromkeys(content)),
        names=tuple(n for n in names if n not in figures),
        figures=tuple(figures),
        must_have=(*spelled, *dict.fromkeys(m.group() for m in _FIGURE.finditer(text))),
        counted=_counted(text, language),
        besides=tuple((m.group().strip(" ,?"), _kind(m.group(1))) for m in _BESIDES.finditer(text)),
        unit=next((m.group(1).casefold() for m in [_HOW_MUCH.search(text)] if m), ""),
        language=language,
    )


def _kind(text: str) -> Expected:
    return next((kind for kind, pattern in _EXPECTS if pattern.search(text)), "any")


def subject(asked: Question) -> tuple[str, ...]:
    """Terms of what a question is about: its names, or else what stands behind "when was the …"; empty if unclear."""
    if asked.names:
        return asked.names
    match = _SUBJECT.search(asked.text)
    return tuple(t for t in terms(match.group(1), asked.language) if t in asked.content) if match else ()


def bounds(asked: Question, sentence: str) -> bool:
    """Whether a sentence says "since …" to a question that asks since when, or "until …" to one that asks until when."""
    return any(wants.search(asked.text) and says.search(sentence) for wants, says in _BOUNDS)


def meets(expects: Expected, sentence: str, asked: Question) -> float:
    """How well a sentence has the kind of thing asked for: 1 it has, 0 it has not, ½ cannot be told by form."""
    known = set(asked.content) | set(asked.figures)
    if expects == "quantity":
        if asked.unit and not _UNITS[asked.unit].search(sentence):
            return 0.0
        figures = [m.group() for m in _FIGURE.finditer(sentence) if not _YEAR.fullmatch(m.group())]
        return float(any(f not in known for f in figures) or bool(_NUMBER_WORDS.search(sentence)))
    if expects == "when":
        return float(bool(_TIME.search(sentence) or _MONTH.search(sentence)))
    if expects == "page":
        return float(bool(_PAGE.search(sentence)))
    if expects == "reason":
        return 1.0 if _REASON.search(sentence) else 0.5
    if expects in {"person", "place"}:
        return float(bool(_fresh_names(sentence, asked)) or (expects == "person" and bool(_PEOPLE.search(sentence))))
    return 0.5


def counts(sentence: str, asked: Question) -> float:
    """Whether a sentence speaks of what "how many" counts: 1 it does or nothing is to be counted, 0 it does not."""
    return float(not asked.counted or not set(asked.counted).isdisjoint(terms(sentence, asked.language)))


def _counted(text: str, language: str | None) -> tuple[str, ...]:
    match = _HOW_MANY.search(text)
    if match is None:
        return ()
    nouns = [w for w in words(match.group(1)) if w not in STOP][:2]
    return () if not nouns or nouns[0] in _ANYBODY else tuple(t for w in nouns for t in terms(w, language))


def _fresh_names(sentence: str, asked: Question) -> list[str]:
    """The proper names of a sentence that the question does not hold already, in full or by their initials."""
    known = {*asked.content, *asked.figures, *(t for w in words(asked.text) for t in terms(w, asked.language))}
    initials = "".join(w[0] for w in _WH.findall(asked.text) if w[0].isupper()).casefold()
    beginnings = {k[:5] for k in known}
    fresh = []
    for match in _CAPITALISED.finditer(sentence):
        name = match.group()
        if match.start() == 0 and not name.isupper() and not _followed_by_name(sentence, match.end()):
            continue
        if name.casefold() in STOP or _MONTH.fullmatch(name) or (name.isupper() and name.casefold() in initials):
            continue
        # "Ministry" is no news to "Minister": stems differ where words do not.
        if any(t not in known and t[:5] not in beginnings for t in terms(name, asked.language)):
            fresh.append(name)
    return fresh


def _followed_by_name(text: str, end: int) -> bool:
    return bool(_NAME_FOLLOWS.match(text, end))
