"""Author strings → CSL names. Knows nothing of where in an entry the string stood.

People become ``{"family", "given"}``, bodies become ``{"literal"}``. Names are kept as written (an
upper-case family name stays upper case); only separators, "et al." and editor marks are dropped.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

Name = dict[str, str]

HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff々]+(?:[·・][\u3400-\u9fff]+)*")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_ET_AL = re.compile(
    r"(?:(?<![\s,;&(\[])[\s,;&(\[]++)?\b(?:(?:and|&|e|y|et|und)\s*+)?"
    r"\b(?:et\s*al\b\.?|et\s+alii\b\.?|and\s+others\b|e\s+outros\b|y\s+otros\b|u\.\s?a\.)[)\]]?|等[。.,，]?",
    re.IGNORECASE,
)
EDITOR_MARK = re.compile(
    r"(?:(?<![\s,])[\s,]++)?[(\[]?\b(?:eds?|editors?|edited\s+by|ed\.\s+by|orgs?|organizador(?:a|es|as)?|coords?|coordinador(?:a|es|as)?|"
    r"hrsg|hg|"
    r"dirs?|compilers?|comps?|éds?|editores)\b\.?(?:\s*by\b)?\s*[)\]]?[\s:,]*+",
    re.IGNORECASE,
)
_PARTICLE = (
    r"(?:von|van|der|den|de|del|della|di|da|do|dos|das|du|des|la|le|los|las|el|al|bin|ibn|ten|ter|zu|zur|af|av|y|e|"
    r"d['’]|’t|'t)"
)
_UPPER = r"[A-ZÀ-ÖØ-ÞĀĂĄĆĈĊČĎĐĒĖĘĚĞĢĪĮİĶĹĻĽŁŃŅŇŌŐŘŚŞŠŢŤŪŮŰŲŹŻŽΑ-ΩА-Я]"
_INITIALS = re.compile(
    rf"(?:(?:{_UPPER}[hjcu]?\.?[\s‐‑–-]*){{1,5}}(?:{_PARTICLE}\s*){{0,3}}(?:{_UPPER}\.\s?)?|"
    rf"(?:{_UPPER}[a-z]{{0,2}}\.[\s-]*){{1,5}})$"
)
_STARTS_WITH_INITIALS = re.compile(rf"(?:{_UPPER}[a-z]{{0,3}}\.[\s‐‑-]*+)+(?={_UPPER}|{_PARTICLE}\s)")
_ENDS_WITH_INITIALS = re.compile(rf"(?P<family>.*[^\s.,])\s+(?P<given>(?:{_UPPER}\.?[\s‐‑-]?){{1,4}})$")
_SUFFIX = re.compile(r"(?:Jr|Sr|Jnr|Filho|Neto|Júnior|Junior|II|III|IV)\.?$", re.IGNORECASE)
_EAST_ASIAN_MARKS = re.compile(
    r"(?:(?<!·)·++(?=[、，,;；\s]))?(?:[、，,;；\s]++(?:·++(?=[、，,;；\s]))?)++(?:(?:and|&)\s*+)?|(?<=[\u3400-\u9fff\uac00-\ud7af])[·・](?=[\u3400-\u9fff\uac00-\ud7af])"
)
_SHOUTED = re.compile(
    rf"(?P<family>{_UPPER}{{2,}}(?:[ '’-]{_UPPER}{{2,}})*)\s+"
    rf"(?P<given>{_UPPER}[^\W\d_A-Z]+(?:[ -]{_UPPER}[^\W\d_A-Z]+)*)"
)
"""A family name in capitals before its given name, as French lists have it: "LATOUR Bruno"."""
_ANNOTATION = re.compile(r"(?:(?<!\s)\s++)?[(\[](?:ORCID|in\s)[^)\]]{0,200}[)\]]", re.IGNORECASE)
_CONJUNCTION = re.compile(
    r"(?:(?<!\s)\s++|(?:(?<!\s)\s++)?[,;]\s++)(?:and|und|et|en|og|och|y|e|i)\s++|"
    r"(?:(?<!\s)\s++)?(?:[,;]\s*+)?&\s*+",
    re.IGNORECASE,
)
_BODY = re.compile(
    r"\b(?:academ(?:y|ia)|administration|agenc(?:y|ia)|assembl(?:y|eia)|associa(?:tion|ção)|asociación|authority|bank|banco|board|bureau|"
    r"cent(?:er|re|ro)|coali(?:tion|ção)|college|colégio|comiss(?:ão|ion)|comisión|comit(?:ê|é)|committee|commission|company|conference|"
    r"confedera\w+|congress\w*|conselho|consejo|consortium|co(?:rp|rporation|uncil|urt)|daily|department|departamento|"
    r"empresa|federa\w+|foundation|fórum|forum|funda(?:ção|ción)|g(?:overnment|overno|roup|rupo)|hospital|inc|initiative|institut\w*|"
    r"international|journal|laborator\w*|league|library|ltd|llc|gmbh|magazine|minist\w+|museum|nations|network|news\w*|observat\w+|office|"
    r"organi[sz]a\w+|parliament|partnership|party|post|press|program\w*|prefeitura|project|projeto|review|república|republic|rede|school|"
    r"secretar\w+|senado|service|serviço|sistema|society|sociedad\w*|society|staff|team|times|tribune|tribunal|trust|union|união|"
    r"universi\w+|university|agence|ministère|société|verband|bundes\w+|working|world|global|national|nacional|brasil|china|usa|"
    r"european|standard|consortium|collaboration|collaborators|investigators|study)\b",
    re.IGNORECASE,
)
_JURISDICTION = re.compile(r"(?P<place>[^\W\d_][\w\s'’-]{2,40})\.\s+(?P<body>\S+\s+\S.*)$", re.DOTALL)


_MIDDLE_INITIAL = re.compile(rf"{_UPPER}\.")
_WORD = rf"{_UPPER}[\w'’-]++"
_FAMILY_FIRST = re.compile(
    rf"(?:(?:{_PARTICLE}\s){{0,2}}{_WORD}(?:\s{_WORD})?,\s*(?:{_UPPER}\b|{_UPPER}[\w]?\.)|{_WORD},\s{_WORD}|"
    rf"{_WORD}\s{_UPPER}{{1,3}}(?=[,.;])(?!\.\s?{_UPPER}[a-z]))"
)
_GIVEN_FIRST = re.compile(
    rf"{_WORD}\s(?:{_UPPER}\.\s?)*(?:{_PARTICLE}\s){{0,2}}{_WORD}(?:,\s{_WORD}\s|,?\s(?:and|&|und|y|e|et)\s{_WORD})"
)
"""Names of two persons or more with the family name last; one alone could be a body."""


def parse(text: str, *, inverted: bool | None = True) -> list[Name]:
    """Split an author string into CSL names, in order.

    `inverted` says that the list gives family names first, so a lone name without a comma is a body
    ("Global Times") rather than a person; where it is not known (None), a given name tells. Han characters beside a
    romanised name are left out here (see `original_names`).
    """
    text = " ".join(_ANNOTATION.sub("", text).replace("،", ",").replace("؛", ";").split())
    text = _ET_AL.sub(" ", text).strip(" ,;:")
    text = EDITOR_MARK.sub(" ", text).strip(" ,;:") if EDITOR_MARK.search(text) else text
    if not any(c.isalpha() for c in text):
        return []
    if _CJK.search(text):
        latin = re.sub(r"\s+", " ", re.sub(r"(?:(?<!\s)\s++)?([,;])", r"\1", HAN.sub("", text))).strip(" ,;()（）")
        if not re.search(r"[^\W\d_]{2,}", latin) or not HAN.search(text):
            pieces = _EAST_ASIAN_MARKS.split(text)
            return [_east_asian(part) for part in pieces if part]
        text = latin
    if inverted is None:
        inverted = "," not in text and _CONJUNCTION.search(text) is None and not _begins_with_given_name(text)
    if _is_body(text, inverted=inverted):
        return [{"literal": _close(text)}]
    if ";" in text:
        parts = [p.strip(" ,&") for p in re.split(r";\s*(?:(?:and|e|y|&|et|und)\s+)?", text)]
        pieces = [q for p in parts for q in _CONJUNCTION.split(p)] if len(parts) > 1 else parts
        return [name for p in pieces if p for name in _one_or_more(p)]
    groups = [g.strip(" ,") for g in _CONJUNCTION.split(text)]
    names: list[Name] = []
    for i, group in enumerate(g for g in groups if g):
        names.extend(_group([p.strip() for p in group.split(",") if p.strip()], first=i == 0, inverted=inverted))
    return names


def inverted(entries: Sequence[str]) -> bool | None:
    """Whether a list gives family names first: more of its entries begin so ("Lee, A.", "Lee A,") than the other way.

    None where no entry tells.
    """
    first = sum(_FAMILY_FIRST.match(entry) is not None for entry in entries)
    last = sum(_GIVEN_FIRST.match(entry) is not None for entry in entries)
    return first >= last if first or last else None


@lru_cache(maxsize=1)
def _given_names() -> frozenset[str]:
    lines = (Path(__file__).parent / "given_names.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(name for line in lines[1:] for name in line.split())


def original_names(text: str) -> list[str]:
    """The Han spellings that stand beside romanised names, in order ("Huang, R. 黄日涵" → ["黄日涵"])."""
    return HAN.findall(_ET_AL.sub(" ", text))


def jurisdiction(literal: str) -> tuple[str, str] | None:
    """("China", "Cyberspace Administration of China") for a body entered under its country, None otherwise."""
    match = _JURISDICTION.match(literal)
    if match is None or len(match["place"].split()) > 4 or not _BODY.search(match["body"]):
        return None
    return match["place"], match["body"]


def is_body(text: str) -> bool:
    """Whether the words themselves say that this is an organisation and no person."""
    return _BODY.search(text) is not None


def fold(text: str) -> str:
    """Lower case without diacritics, for comparing and for slugs."""
    decomposed = unicodedata.normalize(
        "NFKD", text.replace("ø", "o").replace("ł", "l").replace("Ł", "L").replace("ß", "ss")
    )
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def _begins_with_given_name(text: str) -> bool:
    words = text.split()
    return len(words) > 1 and (words[0].casefold() in _given_names() or _MIDDLE_INITIAL.fullmatch(words[1]) is not None)


def _is_body(text: str, *, inverted: bool) -> bool:
    words = text.split()
    if any(_INITIALS.fullmatch(p.strip()) for p in text.split(",")[1:]):
        return False
    if jurisdiction(text):
        return True
    if "," in text or ";" in text:
        first = text.split(",", maxsplit=1)[0]
        return is_body(text) and len(first.split()) > 2 and not _STARTS_WITH_INITIALS.match(text)
    if _STARTS_WITH_INITIALS.match(text) or _ENDS_WITH_INITIALS.fullmatch(text):
        return False
    if _SHOUTED.fullmatch(text) and not is_body(text):
        return False
    if is_body(text) and not (_CONJUNCTION.search(text) and len(words) < 6 and not inverted):
        return True
    if len(words) == 1:
        return True
    return (inverted and not _CONJUNCTION.search(text)) or words[0].lower() in {"the", "o", "os", "la", "le"}


def _group(parts: list[str], *, first: bool, inverted: bool) -> list[Name]:
    names: list[Name] = []
    i = 0
    while i < len(parts):
        part = parts[i]
        following = parts[i + 1] if i + 1 < len(parts) else None
        if _SUFFIX.match(part) and names and "given" in names[-1]:
            names[-1]["suffix"] = part
            i += 1
        elif (following is not None and _INITIALS.fullmatch(following) and not _has_initials(part)) or (
            following is not None and _takes_given(part, following, parts, i, first=first, inverted=inverted)
        ):
            names.append(_with_suffix({"family": part, "given": following}))
            i += 2
        else:
            names.append(_single(part))
            i += 1
    return names


def _has_initials(part: str) -> bool:
    """Whether a part is a name with its initials already ("W. E. Howard", "SMITH J")."""
    return bool(_STARTS_WITH_INITIALS.match(part) or _ENDS_WITH_INITIALS.fullmatch(part))


def _takes_given(part: str, following: str, parts: list[str], i: int, *, first: bool, inverted: bool) -> bool:
    """Whether "part, following" is "Family, Given" with a full given name and not two people."""
    if _STARTS_WITH_INITIALS.match(part) or _ENDS_WITH_INITIALS.fullmatch(part) or _SUFFIX.match(following):
        return False
    if _SHOUTED.fullmatch(part):
        return False
    if _STARTS_WITH_INITIALS.match(following) and not re.fullmatch(rf"(?:{_UPPER}\.\s*)+", following):
        # "Lee, W. E. Howard": the second is a whole name, unless the first is a bare family name that leads the list.
        return i == 0 and first and len(part.split()) == 1 and len(parts) == 2
    short = len([w for w in part.split() if not re.fullmatch(_PARTICLE, w, re.IGNORECASE)]) <= 2
    if len(parts) == 2 and i == 0:
        return short and (inverted or len(part.split()) == 1)
    return i == 0 and first and len(part.split()) == 1


def _one_or_more(text: str) -> list[Name]:
    """What stands between two semicolons: a name, or several where the list forgot one ("Kabir, M.H., Hasan, N.")."""
    parts = [p.strip() for p in text.split(",") if p.strip()]
    if len(parts) > 2 and not (len(parts) == 3 and _SUFFIX.match(parts[2])):
        return _group(parts, first=True, inverted=True)
    return [_inverted(text)] if "," in text else [_single(text)]


def _inverted(text: str) -> Name:
    family, _, given = text.partition(",")
    given, _, suffix = given.partition(",")
    name = {"family": family.strip(), "given": given.strip()}
    if _SUFFIX.match(given.strip()):
        return _single(f"{family} {given}")
    if suffix.strip():
        name["suffix"] = suffix.strip()
    return _with_suffix(name) if name["given"] and name["family"] else _single(text.strip(" ,"))


def _with_suffix(name: Name) -> Name:
    """Read "GABRIEL JÚNIOR, R. F." → family GABRIEL, suffix JÚNIOR."""
    family, _, last = name["family"].rpartition(" ")
    return (
        {**name, "family": family, "suffix": last} if family and _SUFFIX.match(last) and last[0] not in "IV" else name
    )


def _single(text: str) -> Name:
    """One name without a comma: "W. E. Howard", "Arias A", "James Ball", or a body."""
    text = text.strip(" ,;")
    if match := _STARTS_WITH_INITIALS.match(text):
        return {"family": text[match.end() :].strip(), "given": match[0].strip()}
    if (match := _ENDS_WITH_INITIALS.fullmatch(text)) and not is_body(match["family"]):
        return {"family": match["family"].strip(), "given": match["given"].strip()}
    if (match := _SHOUTED.fullmatch(text)) and not is_body(text):
        return {"family": match["family"], "given": match["given"]}
    words = text.split()
    if len(words) < 2 or len(words) > 5 or is_body(text) or not words[0][:1].isupper():
        return {"literal": _close(text)}
    cut = len(words) - 1
    while cut > 1 and re.fullmatch(_PARTICLE, words[cut - 1], re.IGNORECASE):
        cut -= 1
    if _SUFFIX.match(words[-1]) and cut > 1:
        return {"family": words[-2], "given": " ".join(words[:-2]), "suffix": words[-1]}
    return {"family": " ".join(words[cut:]), "given": " ".join(words[:cut])}


_COMPOUND = frozenset(
    [
        "欧阳",
        "司马",
        "诸葛",
        "上官",
        "司徒",
        "东方",
        "夏侯",
        "皇甫",
        "尉迟",
        "公孙",
        "慕容",
        "令狐",
        "歐陽",
        "司馬",
        "諸葛",
        "東方",
    ]
)


_COMPOUND_KOREAN = frozenset(["남궁", "제갈", "선우", "황보", "독고", "사공", "서문"])


def _east_asian(text: str) -> Name:
    """A name in its own script, family name first: one character of it, but for the compound names of each language."""
    text = text.strip()
    if re.fullmatch(r"[\uac00-\ud7af]{2,4}", text):
        cut = 2 if text[:2] in _COMPOUND_KOREAN and len(text) > 2 else 1
        return {"family": text[:cut], "given": text[cut:]}
    if not re.fullmatch(r"[\u3400-\u9fff々]{2,4}", text):
        return {"literal": text}
    # Four characters without such a family name are Japanese: two and two.
    cut = 2 if (text[:2] in _COMPOUND and len(text) > 2) or len(text) == 4 else 1
    return {"family": text[:cut], "given": text[cut:]}


def _close(text: str) -> str:
    """Drop a final full stop unless it ends an abbreviation ("Inc.")."""
    return text if re.search(r"\b(?:Inc|Ltd|Co|Corp|Jr|Sr|[A-Z])\.$", text) else text.rstrip(". ")
