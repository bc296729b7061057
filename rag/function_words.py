"""Words that ask and join, by language, and what they tell: the language of something as short as a question.

Plain tables; knows no passage and no model.
"""

from __future__ import annotations

import re

from rag.lexical import words

_FUNCTION_WORDS = {
    "en": """
    a an the this that these those there here it its he she they them their his her we our us you your i my me who whom
    whose which what when where why how is are was were be been being am do does did done doing have has had having can
    could may might must shall should will would of in on at by for from to into onto with without within over under
    about against between among through during before after since until on as than then so if or and but nor not no yes
    any some all each every both either neither more most much many few less least very too also just only own same such
    s t d ll re ve m r u ur pls plz tell say says said please according give gave name list describe explain mention
    mentions mentioned
    there's that's article text document author authors source sources
    """,
    "es": """
    el la los las un una unos unas de del al y o u que qué quién quiénes cuál cuáles cuándo dónde cómo cuánto cuánta
    cuántos cuántas por para con sin en es son fue fueron ser se su sus lo le les ha han había según más menos como
    """,
    "pt": """
    o os um uma uns umas do da dos das no na nos nas e ou quem qual quais quando onde como quanto quantos quantas foi
    por que em são ao pela pelo não
    """,
    "de": """
    der die das den dem des ein eine einer eines einem und oder ist sind war waren wer was wann wo wie warum welche
    welcher welches wieviel von zu im am bei mit nach aus auf für hat haben wurde wurden nicht viele
    """,
    "fr": """
    le la les une des du et ou qui que quoi quel quelle quels quelles quand où comment pourquoi combien est sont était a
    ont été dans par pour sur avec sans ce cette ces son sa ses il elle ils elles ne pas se de
    """,
}
_BY_LANGUAGE = {language: frozenset(listed.split()) for language, listed in _FUNCTION_WORDS.items()}
STOP = frozenset().union(*_BY_LANGUAGE.values())
"""Words that ask and join, in every language known here."""
ASKING_CHARACTERS = frozenset("的了是在有和与对从向被把将会能可为以及这那其之们吗呢吧什么多少哪谁何怎样如几")
"""Chinese characters that ask and join: a word of these alone says nothing of what is asked about."""
_SCRIPTS = (  # a Greek letter alone is a symbol
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("zh", re.compile(r"[\u3400-\u9fff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("ru", re.compile(r"[\u0400-\u04ff]{2}")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("el", re.compile(r"[\u0370-\u03ff]{3}")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
)
_ACCENTED = re.compile(r"[\u00a1\u00bf\u00c0-\u024f]")


def language_of(text: str) -> str | None:
    """The language of something as short as a question, by script and function words; None when it cannot be told."""
    for language, script in _SCRIPTS:
        if script.search(text):
            return language
    found = words(text)
    score = {language: sum(w in listed for w in found) for language, listed in _BY_LANGUAGE.items()}
    foreign = bool(_ACCENTED.search(text))  # "on", "as" and "do" are small words elsewhere too
    best = max(score, key=lambda language: (score[language], foreign and language != "en"))
    return best if score[best] > 0 else None
