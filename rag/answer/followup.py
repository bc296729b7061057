"""A question that leans on the ones before it, made to stand alone: rules, no model.

    Who makes Ernie Bot?      When was it launched?     →  When was Ernie Bot launched?
    Did the board raise it?   Why?                      →  Why did the board raise it?
    … users in China?         And in Japan?             →  … users in Japan?

In doubt a question stays as it was typed: a wrong guess would answer what nobody asked. What was made of a question is
shown to whoever asked it. What is read here has come through `rag.asked`. Knows no index and no model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.asked import REMEMBERED, Turn

_ENDS = " ?？.!"
_LONGEST_NAME = 120
"""Characters; what is longer stands for no thing, and would grow from turn to turn."""


@dataclass(frozen=True, slots=True)
class _Phrase:
    text: str
    start: int
    plural: bool
    name: bool


_AUX = r"(?:do|does|did|is|are|was|were|has|have|had|can|could|will|would|shall|should|may|might|must)"
_SUPPORT = re.compile(r"\b(?:do|does|did|can|could|will|would|should|may|might|must)\b", re.IGNORECASE)
_WH = r"(?:who|whom|whose|what|which|when|where|why|how)"
_NO_NAMES = """
    a an the this that these those it its they their them he his him she her hers we i you and but or so if then also
    what which who whom whose when where why how is are was were do does did has have had can could will would shall
    should may might must in on at by for from to of with about according please tell give name list describe explain
    january february march april june july august september october november december monday tuesday wednesday thursday
    friday saturday sunday
"""
_NOT_NAMES = frozenset(_NO_NAMES.split())
_NAME = re.compile(
    r"(?<![\w’'-])(?:[A-Z][\w’'&.-]*\w|[A-Z])(?:\s+(?:(?:of|de|von|van|der|la|el)\s+)?(?:[A-Z][\w’'&.-]*\w|[A-Z]|\d+(?:\.\d+)?(?=[\s?,.]|$)))*"
    r"|《[^》]{1,60}》|“[^”]{2,60}”"
)
_THE = re.compile(
    rf"\b(?:the|a|an|this|these|those)\s+((?:(?!\b(?:{_AUX}|in|on|at|by|for|from|to|with|about|than|and|or|when|while|as|that|who|which|of)\b)"
    r"[\w’'-]+[ ,]*)+(?:of\s+(?:the\s+)?[\w’'-]+(?:\s+[A-Z][\w’'-]+)*)?)",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\b(?:(?:January|February|March|April|May|June|July|August|September|October|November|December)\s+)?(?:1[5-9]|20)\d\d\b"
)
_SAYS = r"(?:say|said|says|write|writes|wrote|argue[sd]?|claim(?:s|ed)?|report(?:s|ed)?|think|thinks|hold|holds|state[sd]?|mention(?:s|ed)?)"

_IT = re.compile(r"\b(?P<word>it|its|this|that)\b(?!['’]s\b)", re.IGNORECASE)
_THEY = re.compile(r"(?<!of )\b(?P<word>they|them|their|theirs|these|those)\b", re.IGNORECASE)
_PERSON = re.compile(r"\b(?P<word>he|him|his|she|her|hers)\b", re.IGNORECASE)
_PRONOUNS = {"person": _PERSON, "plural": _THEY, "thing": _IT}
# "It" that stands for nothing, and "this", "that" that open a clause or go before a noun of their own.
_EMPTY_IT = re.compile(
    rf"\b{_AUX}\s+it\s+(?:\w+\s+)?(?:true|possible|likely|necessary|important|clear|said|claimed|argued|reported|known|that|to|about\s+time)\b"
    r"|\bit\s+(?:takes?|took|seems?|appears?|rain\w*)\b|\bdoes\s+it\s+(?:take|seem|matter)\b|\bdid\s+it\s+take\b|\b(?:is|was)\s+it\s+(?:\w+\s+){0,3}(?:that|who)\b",
    re.IGNORECASE,
)
_ITSELF = re.compile(
    r"\b(?:this|that|the)\s+(?:article|text|document|paper|collection|page|author|source|digest|essay|chapter|piece)s?\b"
    r"|\b(?:is|was)\s+this\s+about\b|\bwrote\s+this\b|\bthis\s+(?:say|written|published)\b",
    re.IGNORECASE,
)
_ALSO = re.compile(
    r"^\W*(?:and|but|so|what about|how about|and what about|and how about|y|¿y|e|und|et|was ist mit|qu['’]en est-il de|y qué hay de)\s+"
    r"(?P<rest>[^?？]{1,80}?)(?:\s+(?:too|as well|then|instead))?$",
    re.IGNORECASE,
)
_AND_ASKS = re.compile(rf"\W*(?:and|but|so)\s+(?:{_WH}|{_AUX})\b", re.IGNORECASE)
_CLAUSE = re.compile(rf"\b(?:{_AUX}|it|its|they|them|their|he|she|his|her)\b", re.IGNORECASE)
_PLACED = re.compile(r"(in|at|on|for|by|from|under|during|en|em|dans|bei)\s+(.+)$", re.IGNORECASE)
_PLACES = {
    preposition: re.compile(rf"\b{preposition}\s+(?:the\s+)?(?:[A-Z0-9][\w’'.-]*+\s?)+")
    for preposition in ("in", "at", "on", "for", "by", "from", "under", "during", "en", "em", "dans", "bei")
}
"""By preposition what it places something in, at or on: a run of capitalised words and figures."""
_ZH_ALSO = re.compile(r"^(?:那么?|还有)?(?P<rest>[^？?，,]{1,30}?)呢$")
_ZH_IT = re.compile(r"它们?|他们?|她们?")
_ZH_SUBJECT = re.compile(
    r"^(?P<subject>[\u3400-\u9fffA-Za-z0-9·《》“”\s-]{2,20}?)(?=在\S{0,8}?(?:年|月|日)|是|有(?!限)|为什么|什么时候|何时|如何|怎么|吸引|发布|推出|提出|认为|说|的|由|被|多少|会|能|对)"
)
_BARE = re.compile(rf"^\W*(?:and\s+|but\s+)?(?P<wh>{_WH})(?:\s+(?P<what>not|so|exactly|else))?$", re.IGNORECASE)
_INVERTED = re.compile(
    rf"^\W*(?:(?P<wh>when|where|why|how|since when)\s+)?(?P<clause>(?P<aux>{_AUX})\s+.+)$", re.IGNORECASE
)
_OBJECT = re.compile(r"^\W*(?:whom?|how\s+much)\s+(?P<clause>(?:do|does|did)\s+.+)$", re.IGNORECASE)
_MADE = re.compile(rf"^\W*who\s+(?P<verb>(?!{_AUX}\b)\w+)\s+(?P<rest>.+)$", re.IGNORECASE)
_PARTICIPLE = re.compile(r"(?:ed|en|lt|wn|te|de)$")
_AND = re.compile(r"^\W*(?:and|but|so)\s+", re.IGNORECASE)
_NOTHING_MORE = re.compile(r"\s*(?:[?.!,]|$)")
_OWNED = re.compile(r"\s+([\w-]+)(?=\s*[?.!,]|\s*$)")
_WORD_FOLLOWS = re.compile(r"\s+[a-z]")
_ACTS = re.compile(rf"\b{_AUX}\s$", re.IGNORECASE)
_AT = re.compile(r"\b(?:in|at|by|from|on)\s(?:the\s)?$", re.IGNORECASE)
_DONE = re.compile(r"(?:ed|en|ilt|wn|ught|ade|old)$")
_ACT = re.compile(rf"\b{_AUX}\s", re.IGNORECASE)
_SAID = re.compile(rf"\s{_SAYS}\b", re.IGNORECASE)
_ASKS_WHO = re.compile(r"\W*who\b", re.IGNORECASE)
_ASKS_NAME = re.compile(r"\W*(?:who|which|what)\b", re.IGNORECASE)
_JOINT = re.compile(r"\s(?:of|in|for|from)\s")


def stand_alone(question: str, earlier: Sequence[Turn]) -> str:
    """`question` with what it leaves unsaid taken from the turns before it, oldest first; unchanged when in doubt."""
    before: Turn | None = None
    for turn in earlier[-REMEMBERED:]:
        before = Turn(_understood(turn.question, before), turn.answer)
    return _understood(question, before)


def _understood(question: str, before: Turn | None) -> str:
    if before is None or not before.question or not question:
        return question
    for rule in (_continued, _asked_on, _resolved):
        understood = rule(question, before)
        if understood is not None:
            return understood[:1].upper() + understood[1:]
    return question


# ── "And in Japan?", "What about Doubao?" ───────────────────────────────────────────────────────────────────────


def _continued(question: str, before: Turn) -> str | None:
    """The question before, with the part that the new one replaces."""
    open_ended = question.rstrip(_ENDS)
    chinese = _ZH_ALSO.match(open_ended)
    match = chinese or _ALSO.match(open_ended)
    if match is None or (not chinese and _AND_ASKS.match(question)):
        return None
    rest = match["rest"].strip()
    if not chinese and _CLAUSE.search(rest):
        return None
    old = before.question
    date = _DATE.search(rest)
    if date and (there := _DATE.search(old)):
        return old[: there.start()] + date.group() + old[there.end() :]
    placed = _PLACED.match(rest)
    if placed:
        preposition, thing = placed[1].lower(), placed[2]
        same = [m for m in _PLACES[preposition].finditer(old) if not _DATE.search(m.group()) or date]
        if same:
            last = same[-1]
            tail = " " if last.group().endswith(" ") else ""
            return f"{old[: last.start()]}{preposition} {thing}{tail}{old[last.end() :]}"
        return f"{old.rstrip(_ENDS)} {preposition} {thing}?"
    subject = _chinese_subject(old) if chinese else None
    if subject:
        return old.replace(subject, rest, 1)
    subject_phrase = _subject(old)
    if subject_phrase is None:
        return None
    fits = bool(_names(rest)) if subject_phrase.name else subject_phrase.plural == _plural(rest)
    if not fits:
        return None
    return old[: subject_phrase.start] + rest + old[subject_phrase.start + len(subject_phrase.text) :]


# ── "Why?", "When?" ─────────────────────────────────────────────────────────────────────────────────────────────


def _asked_on(question: str, before: Turn) -> str | None:
    """The question before, asked for another thing."""
    bare = _BARE.match(question.rstrip(_ENDS))
    if bare is None:
        return None
    wh = bare["wh"].lower()
    asked_before = before.question.rstrip(_ENDS)
    inverted = _INVERTED.match(asked_before)
    if inverted and wh in {"why", "when", "where", "how"}:
        aux, clause = inverted["aux"].lower(), inverted["clause"][len(inverted["aux"]) :]
        if (bare["what"] or "").lower() == "not":
            aux = {"can": "can’t", "will": "won’t", "shall": "shan’t"}.get(aux, f"{aux}n’t")
        return f"{wh.capitalize()} {aux}{clause}?"
    asked = _OBJECT.match(asked_before)
    if asked and wh in {"why", "when", "where", "how"}:
        return f"{wh.capitalize()} {asked['clause']}?"
    made = _MADE.match(asked_before)
    if made and wh in {"when", "where", "why", "how"} and _PARTICIPLE.search(made["verb"]):
        rest = made["rest"]
        aux = "were" if _plural(rest) else "was"
        verb = {"wrote": "written", "made": "made"}.get(made["verb"].lower(), made["verb"])
        return f"{wh.capitalize()} {aux} {rest} {verb}?"
    return None


# ── "When was it launched?" ─────────────────────────────────────────────────────────────────────────────────────


def _resolved(question: str, before: Turn) -> str | None:
    """The question with its pronouns replaced by what they stand for."""
    chinese = _ZH_IT.search(question)
    if chinese:
        subject = _chinese_subject(before.question)
        return _ZH_IT.sub(lambda _: subject, question, count=1) if subject else None
    if _ITSELF.search(question):
        return None
    found = [(m, kind) for kind, pattern in _PRONOUNS.items() for m in pattern.finditer(question)]
    named_from = min((name.start for name in _names(question)), default=len(question))
    for match, kind in sorted(found, key=lambda pair: pair[0].start()):
        word = match["word"].lower()
        if named_from < match.start():
            return None  # the name stands in the question itself
        if word in {"it", "its"} and _EMPTY_IT.search(question):
            return None
        if word in {"this", "that", "these", "those"} and not _NOTHING_MORE.match(question, match.end()):
            continue
        named = _person(before) if kind == "person" else _subject(before.question, plural=kind == "plural")
        if named is None and kind == "plural":
            named = _answered(before)
        if named is None:
            return None
        # Later pronouns are left: they now have their name before them.
        return _AND.sub("", _put(question, match, named.text))
    return None


def _put(question: str, match: re.Match[str], name: str) -> str:
    head, tail = question[: match.start()], question[match.end() :]
    if not _possessive(question, match):
        return head + name + tail
    owned = _OWNED.match(tail)
    if owned and " of " in name:
        return f"{head}the {owned[1]} of {name}{tail[owned.end() :]}"
    return f"{head}{name}{'’' if name.endswith('s') and _plural(name) else '’s'}{tail}"


def _possessive(question: str, match: re.Match[str]) -> bool:
    word = match["word"].lower()
    if word in {"its", "their", "his"}:
        return True
    return word == "her" and _WORD_FOLLOWS.match(question, match.end()) is not None


# ── what a question is about ────────────────────────────────────────────────────────────────────────────────────


def _names(text: str) -> list[_Phrase]:
    """Proper names, without the capital that only opens the sentence and without months."""
    found = []
    for match in _NAME.finditer(text):
        start, name = match.start(), match.group()
        words = name.split()
        while words and words[0].casefold().rstrip(".") in _NOT_NAMES:
            cut = name.find(words[1]) if len(words) > 1 else len(name)
            start, name, words = start + cut, name[cut:], words[1:]
        name = re.sub(r"[’']s$", "", name)
        if (
            not words
            or len(name) > _LONGEST_NAME
            or _DATE.fullmatch(name)
            or name.isdigit()
            or name.casefold() == "may"
        ):
            continue
        found.append(_Phrase(name, start, _plural(name) and len(words) > 1, name=True))
    return found


def _things(text: str) -> list[_Phrase]:
    """Noun phrases with an article; behind "did …" the last word before a preposition is taken for the verb."""
    found = []
    for match in _THE.finditer(text):
        phrase = match.group().rstrip(" ,")
        words = phrase.split()
        verb = _ACTS.search(text, max(0, match.start() - len("should ")), match.start())
        done = _DONE.search(words[-1])
        if verb and len(words) > 2 and " of " not in phrase and (_SUPPORT.search(verb.group()) or done):
            words = words[:-1]
            phrase = " ".join(words)
        if words[0].lower() in {"a", "an", "this"}:
            phrase = " ".join(["the", *words[1:]])
        if 1 < len(words) <= 9 and len(phrase) <= _LONGEST_NAME:
            found.append(_Phrase(phrase, match.start(), _plural(phrase), name=False))
    return found


def _subject(question: str, *, plural: bool | None = None) -> _Phrase | None:
    """The thing a question is about: its name, else the noun phrase that fits in number."""
    names = _names(question)
    acts = _ACT.search(question)
    said = _SAID.search(question, acts.end() + 1) if acts else None  # "did Baidu say …"
    if said and plural is not None:
        spoken = [n for n in names if n.start >= said.end()]
        topic = [*spoken, *(t for t in _things(question) if t.start >= said.end())]
        names = spoken or ([] if topic else names)
    things = _things(question)
    if plural:
        candidates = [p for p in [*things, *names] if p.plural] or names
    else:
        candidates = names or [p for p in things if not p.plural] or (things if plural is None else [])
        if plural is False and _SUPPORT.search(question) and len(candidates) > 1:
            # "How much did Baidu pay for DeepSeek?": "it" is rather what was acted on than who acted.
            acted_on = [
                p for p in candidates[1:] if not _AT.search(question, max(0, p.start - len("from the ")), p.start)
            ]
            candidates = acted_on[-1:] or candidates
    return candidates[0] if candidates else None


def _person(before: Turn) -> _Phrase | None:
    """Whom "he" and "she" mean: who was asked for, else a name of the question."""
    if _ASKS_WHO.match(before.question) and before.answer:
        return _answered(before)
    names = [n for n in _names(before.question) if not n.plural]
    return names[0] if names else None


def _answered(before: Turn) -> _Phrase | None:
    """The first name in the answer that the question did not hold already."""
    if not before.answer or not _ASKS_NAME.match(before.question):
        return None
    asked = before.question.casefold()
    return next((n for n in _names(before.answer) if n.text.casefold() not in asked and " " in n.text), None)


def _plural(phrase: str) -> bool:
    head = _JOINT.split(phrase, maxsplit=1)[0]
    last = head.split()[-1].casefold() if head.split() else ""
    return last in {"people", "men", "women", "children", "data"} or (
        last.endswith("s") and not last.endswith(("ss", "us", "is", "’s", "'s")) and len(last) > 3
    )


def _chinese_subject(question: str) -> str | None:
    found = _ZH_SUBJECT.match(question)
    return found["subject"].strip() if found else None
