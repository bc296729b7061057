"""What in-text citations look like, in the languages we read: years, name phrases, connectors, lead-ins. Data only."""

from __future__ import annotations

import re


def word_set(*lines: str) -> frozenset[str]:
    """The words of several lines, as a set."""
    return frozenset(word for line in lines for word in line.split())


UNDATED = (
    r"(?:forthcoming|in\s+press|in\s+prep(?:aration)?|submitted|no\s+prelo|en\s+prensa|im\s+Druck|im\s+Erscheinen|"
    r"sous\s+presse|à\s+paraître|n\.\s?d\.|s\.\s?d\.|s\.\s?f\.|s/d|o\.\s?J\.|undated|无日期)"
)
"""What stands where the year should, when there is none."""

YEAR = re.compile(
    r"(?<![\d_A-Z./–-])(?P<year>1[4-9]\d\d|20\d\d)(?P<suffix>\s?[a-h](?![\w.’']))?(?![\d%′″]|\.\d|\s?[-–]\s?\?)"
    r"(?P<original>\s?[\[/(´]++\s?(?:1[4-9]\d\d|20\d\d)(?:\s?[-–/]\s?\d{2,4})?\s?[\])]?)?"
    rf"|(?<![\w.])(?P<undated>(?i:{UNDATED}))(?!\w)"
)
"""A year as a citation prints it: suffix letter and the year of the first edition in brackets included."""

MORE_SUFFIXES = re.compile(r"(?:(?<!\s)\s++)?(?:,|;|and|&|e|y|und|et|/|-|–)\s*+(?P<suffix>[a-h])(?![\w.’'])")

ET_AL = re.compile(
    r",?\s{0,3}(?:\bet\.?\s*al\b\.?(?:['’]s)?|\b(?:and|&)\s+(?:his\s+|her\s+|their\s+)?(?:colleagues|co-?workers|others|collaborators)\b"
    r"|\be\s+(?:colaboradore?s|outros|cols?\b\.?)|\by\s+(?:colaboradores|otros|cols?\b\.?)|\bu\.\s?a\.|\bund\s+andere\b"
    r"|\bet\s+(?:coll?\b\.?|autres\b)|等人?)",
    re.IGNORECASE,
)

JOINERS = word_set(
    "and & e y und et with com con avec mit e/ou 和 与 及 、 och og en i ve oraz и та و 및",
)
"""Words that stand between two authors."""

LINKING = re.compile(r"\b(?:and|e|y|und|et|or|ou|o|also|again|see|ver|veja)\b", re.IGNORECASE)
"""Small words between two years of the same authors."""

PRINTED_ENTRY = re.compile(
    r"(?<![^\W\d_])(?:[^\W\d_]{2,}+,?\s++[A-Z]{1,3}(?:\.\s?[A-Z]){0,2}\b\.?,?\s++(?:&\s++|and\s++(?![A-Z]{1,3}\b))?){2,40}\(?$"
)
"""Two or more names with their initials behind, right before a year: an entry printed in full, not a citation."""

LOCATOR = re.compile(
    r"(?:(?:,\s*+|(?<![\s,])\s++)?\b(?:p{1,2}|pg|pág|págs|S|fig|figs|tab|table|ch|chap|cap|vol|v|n|nº|no|sec|section|eq|app|note|verse|t)\b\.?\s*"
    r"[\divxlc]+(?:\s?[-–]\s?[\divxlc]+)?)",
    re.IGNORECASE,
)
"""A place inside the work cited: "p. 12", "cap. 3"."""

ABBREVIATED = word_set(
    "al col cols coord coords dr ed eds hg hrsg inc jl jm jp jr ltd mc mr ms org orgs sr st",
)
"""Words that a full stop may follow inside a name."""

SECOND_HAND = re.compile(
    r"[^()\n]{0,16}[)\]]?,?\s{0,9}\(?(?:apud|(?:as\s+)?(?:cited|quoted)\s+(?:in|by|from)|citad[oa]\s+(?:em|por|en)|zit(?:iert|\.)\s+nach|"
    r"cité(?:e)?\s+(?:par|dans|in))\b",
    re.IGNORECASE,
)
"""What follows a work known only through another."""

IBID = re.compile(r"(?<=[(\[;（])\s*(?P<ibid>(?:[Ii]bid(?:em)?|[Ii]dem|[Ee]bd|[Ee]benda|同上)\b\.?)")
"""The work cited last, again."""

NOT_AUTHORS = word_set(
    "january february march april may june july august september october november december jan feb mar apr jun",
    "jul aug sep sept oct nov dec janeiro fevereiro março marco abril maio junho julho agosto setembro outubro",
    "novembro dezembro enero febrero marzo mayo junio julio septiembre octubre noviembre diciembre januar",
    "februar märz mai juni juli oktober dezember janvier février mars avril juin juillet août septembre octobre",
    "novembre décembre marco marz fevrier aout decembre",
    "spring summer autumn fall winter in since until before after during by from the a an on",
    "at to of for this that these as figure fig table tab figura tabela tabla section chapter appendix equation",
    "however nonetheless nevertheless moreover furthermore similarly likewise conversely therefore thus hence indeed",
    "recently finally additionally consequently instead meanwhile interestingly notably specifically also later",
    "earlier while whereas although though both either neither following according see unlike like besides despite",
    "when where because but and or then here first second third firstly secondly lastly overall still yet subsequently",
    "entretanto todavia contudo porém porem ademais assim segundo conforme para seguindo recentemente finalmente além",
    "alem também tambem já ja embora enquanto quando como ainda sin embargo además ademas asimismo según segun aunque",
    "mientras cuando tampoco así asi luego jedoch allerdings dennoch außerdem ausserdem zudem auch laut gemäß",
    "gemass während wahrend obwohl ebenso ferner schließlich schliesslich cependant toutefois néanmoins neanmoins",
    "ainsi aussi selon après apres enfin pourtant ensuite lorsque comme",
    "eq box version vol no day early late mid circa ca em na desde até en de du le la les im seit bis vor nach",
)
"""Capitalised words before a year that name no author."""

PREPOSITIONS = word_set(
    "of the for on in and to at de da do das dos del della di van von der den ter ten te la le el los las al du",
    "des zu zur af av bin ibn und für et pour e y en em no na à",
)
"""Small words inside the name of a person or a body."""

CREDITS = re.compile(
    r"\b(?:according\s+to|by|see|following|follows|segundo|conforme|para|por|segue|según|"
    r"de\s+acuerdo\s+con|laut|nach|bei|selon|"
    r"d[’']après|par|chez|secondo|volgens|enligt|ifølge)\s+$",
    re.IGNORECASE,
)
"""Words right before a name that say that something is this person's."""

ACRONYM = re.compile(r"[(\[（](?P<short>[A-Z][A-Za-z]{0,3}[A-Z](?:[A-Za-z]{0,5}[A-Z])?)s?[)\]）]")
"""A short form introduced in brackets behind its long form; a plural "s" is not part of it."""
