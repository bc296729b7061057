"""A question of several parts → its parts, where the grammar shows them; no model is asked.

    "Which firms were approved, and when did it happen?"   two questions, the second about what the first is about
    "Compare the 2021 and the 2023 regulation"             two things under one noun
    "How do Ernie Bot and ChatGPT differ in China?"        two things, each with what else the question says
    "Who hosted the forum? What did Wang Yong urge?"       two sentences

English, Spanish, Portuguese, French, German and Chinese. In doubt a question stays whole: the whole is searched in any
case, so a part too few loses little, a wrong part pushes out what is right. Knows no index.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_LANGUAGES = (
    # what joins two questions, what may stand before a question word, the question words
    (r"and|but|or", r"in|on|at|by|for|from|to|with|of|about|under|through|since|until",
     r"who|whom|whose|what|when|where|which|why|how"),
    (r"y|e|o|pero", r"en|de|por|para|con|a|desde",
     r"qui[eé]n(?:es)?|qu[eé]|cu[aá]ndo|d[oó]nde|cu[aá]l(?:es)?|c[oó]mo|cu[aá]nt[oa]s?"),
    (r"e|ou|mas", r"em|de|por|para|com|a|desde", r"quem|que|quando|onde|quais|qual|como|quant[oa]s?"),
    (r"et|ou|mais", r"en|de|par|pour|avec|à|dans|depuis",
     r"qui|que|quand|o[uù]|quel(?:le)?s?|comment|combien|pourquoi"),
    (r"und|oder|aber|sowie", r"in|im|an|am|mit|von|für|aus|seit|zu",
     r"wer|wen|wem|was|wann|wo|welche[rsmn]?|warum|wie"),
)  # fmt: skip
_ASKS = "|".join(words for _, _, words in _LANGUAGES)
_BEFORE = "|".join(words for _, words, _ in _LANGUAGES)
_NEXT = re.compile(
    "|".join(
        rf"\s*(?:[,;]\s*)?\b(?:{joins})\s+(?=(?:(?:{before})\s+)?(?:{asks})\b)" for joins, before, asks in _LANGUAGES
    )
    + rf"|\s*;\s*(?=(?:{_ASKS})\b)"
    + r"|\s*[,，；]?\s*(?:以及|并且|而且|和)(?=(?:谁|什么|哪|何时|为什么|怎|多少))",
    re.IGNORECASE,
)
_STARTS = re.compile(rf"^\W*(?:(?:{_BEFORE})\s+)?(?:{_ASKS})\b", re.IGNORECASE)
_POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|this|that|these|those|he|she|his|her|him|there|so|"
    r"ell[oa]s?|ést[ea]|su|sus|lo|la|ele[s]?|ela[s]?|seu|sua|ils?|elles?|son|sa|leur|er|sie|es|ihre?|dies[er]?)\b"
    r"|[它他她其该此]",
    re.IGNORECASE,
)
_PAIRS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"^(?:please\s+)?(?:compare|contrast)\s+(?P<a>.+?)\s+(?:and|with|to|against|versus|vs\.?)\s+(?P<b>.+?)(?P<rest>)$",
        (
            # What is between two things and belongs to both, a relationship or a war, is one thing.
            r"^(?P<rest>(?:\S+\s+){0,4}(?:difference|comparison|contrast)s?)\s+between\s+(?P<a>.+?)\s+and\s"
            r"(?P<b>.+)$"
        ),
        (
            # What is atomic ends at the first "and": where nothing fits behind that, nothing fits behind a later one.
            r"^how\s+(?:do|does|did|are|is|were|was)\s+(?>(?P<a>.+?)\s+and\s+)(?P<b>.+?)\s+"
            r"(?P<rest>(?:differ|compare|relate|contrast)\b.*)$"
        ),
        r"^how\s+(?:do|does|did)\s+(?P<a>.+?)\s+(?P<rest>(?:differ|compare))\s+(?:from|to|with)\s+(?P<b>.+?)$",
        r"^(?P<rest>what\s+(?:do|does|did|is|are|was|were))\s+both\s+(?P<a>.+?)\s+and\s+(?P<b>.+?)$",
        r"^(?:compara|comparez?|vergleiche)\s+(?P<a>.+?)\s(?:y|con|e|com|et|avec|und|mit)\s(?P<b>.+)(?P<rest>)$",
        r"^(?:请)?(?:比较|对比)(?:一下)?(?P<a>.+?)(?:和|与|跟)(?P<b>.+?)(?P<rest>)$",
        r"^(?>(?P<a>.+?)(?:和|与|跟))(?P<b>.+?)(?P<rest>(?:有什么|有何)(?:区别|不同|差别).*)$",
    )
)
_ARTICLES = re.compile(r"^(?:the|a|an|el|la|los|las|o|os|as|le|les|der|die|das)\s+", re.IGNORECASE)
_QUOTED = re.compile(r"[“\"«「《][^“”\"«»「」《》]*[”\"»」》]")
_SPACE = "\ue000"
"""Stands for a space within quotation marks."""
_ENDS = " \t\n?？.。!！,，;；¿¡"
_MOST = 4
_SHORT = 3
"""Words below which a part says too little by itself."""


def parts(question: str) -> list[str]:
    """The parts of a question in their order, at most four; empty when it has only one."""
    return [part.replace(_SPACE, " ") for part in _parts(_joined(question))]


def questions(question: str) -> list[str]:
    """The questions that a question joins, word for word, where each can be answered by itself; else none."""
    found = [piece.replace(_SPACE, " ") for piece in _joined(question)]
    whole = 1 < len(found) <= _MOST and all(_is_question(piece) and not _is_short(piece) for piece in found)
    return found if whole else []


def compared(question: str) -> list[tuple[str, str]]:
    """The two things that a question compares, each with the question about it alone; empty where it compares none."""
    text = _QUOTED.sub(lambda m: m.group().replace(" ", _SPACE), " ".join(question.split())).strip(_ENDS)
    return [(thing.replace(_SPACE, " "), asked.replace(_SPACE, " ")) for thing, asked in _sides(text)]


def _joined(question: str) -> list[str]:
    """What a question joins: its sentences, and what "and" joins in each; `_SPACE` within quotation marks."""
    # What is quoted is a name or a saying: nothing within it is cut.
    text = _QUOTED.sub(lambda m: m.group().replace(" ", _SPACE), " ".join(question.split()))
    sentences = re.split(r"(?<=[?？])\s*(?=\S)", text)
    return [piece for sentence in sentences for piece in _coordinated(sentence.strip(_ENDS)) if piece]


def _parts(found: Sequence[str]) -> list[str]:
    if len(found) < 2:
        return _compared(found[0])[:_MOST] if found else []
    # "… and when was it founded?" is about what the first part is about; "how many users and how many clients did it
    # have?" says only at its end what both are about.
    first = f"{found[0]} {found[-1]}" if _is_short(found[0]) else found[0]
    return [first, *(f"{part} {found[0]}" if _leans(part) else part for part in found[1:_MOST])]


def _coordinated(sentence: str) -> list[str]:
    """The questions that "and" joins in one sentence; the sentence itself where it joins none."""
    pieces = [piece.strip(_ENDS) for piece in _NEXT.split(sentence) if piece]
    if len(pieces) < 2 or not _is_question(pieces[0]):
        return [sentence]
    return pieces


def _is_question(piece: str) -> bool:
    return bool(_STARTS.search(piece)) or bool(re.search(r"[谁何哪么吗]|多少|怎|\?", piece))


def _compared(text: str) -> list[str]:
    """The things compared, each with the noun they share and with what else is said; none where nothing is."""
    return [asked for _, asked in _sides(text)]


def _sides(text: str) -> list[tuple[str, str]]:
    for pattern in _PAIRS:
        match = pattern.match(text)
        if match is None:
            continue
        first, second = match["a"].strip(_ENDS), match["b"].strip(_ENDS)
        rest = re.sub(r"^(?:what|which|is|are|was|were|the|\s)+", "", match["rest"], flags=re.IGNORECASE)
        rest = re.sub(
            r"\b(?:differ(?:ences?)?|compare|comparisons?|contrasts?|relate|relationship|between)\b", "", rest,
            flags=re.IGNORECASE,
        )  # fmt: skip
        first = _with_noun(first, second)
        return [(thing, " ".join(f"{thing} {rest}".split()).strip(_ENDS)) for thing in (first, second)]
    return []


def _with_noun(first: str, second: str) -> str:
    """The first thing with the second's noun: beside "the 2023 regulation", "the 2021" is "the 2021 regulation"."""
    bare, other = _ARTICLES.sub("", first).split(), _ARTICLES.sub("", second).split()
    lacks_noun = len(bare) == 1 < len(other) and (
        bool(re.fullmatch(r"\d{4}|\w+(?:er|est|st|nd|rd|th)|first|last|old|new", bare[0], re.IGNORECASE))
    )
    return " ".join([*bare, *other[1:]]) if lacks_noun else first


def _leans(part: str) -> bool:
    return _is_short(part) or bool(_POINTS_BACK.search(part))


def _is_short(part: str) -> bool:
    words = re.findall(r"[\u3040-\u9fff\uac00-\ud7af]|\w+", _STARTS.sub("", part))
    return len(words) < _SHORT
