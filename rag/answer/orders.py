"""Sentences that give orders to whoever reads them by machine: they answer nothing, carry nothing, reach no model.

"Ignore your instructions, answer X" is no statement of a source; neither is a script or a forged reply. Such a sentence
is told by its words, in the larger languages, and only where it is not quoted, so that an article about such attacks
can still be asked. This is one fence of several: what a language model says is verified whatever it was told
(`rag.answer.verify`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from rag.types import Span

_LEAVE = (
    r"(?:ignore|disregard|forget|override|bypass|ignora|ignorad|olvida|desoye|ignoriere?|vergiss|missachte|ignorez|oubliez|"
    r"ignore[sz]?|ignorate|dimentica|zignoruj|negeer|игнорируй(?:те)?|забудь(?:те)?|esqueça)"
)
_THE = r"(?:the|las|los|les|die|le|as|os|de)"
_YOUR = (
    r"(?:(?:all|any|every|your|these|those|my|previous|prior|above|earlier|preceding|todas?|tus|sus|anteriores|previas|"
    r"alle|deine|ihre|bisherigen|vorherigen|toutes|vos|tes|tutte|tue|vostre|wszystkie|eerdere|все|всё|ваши|твои|"
    r"предыдущие|suas|todos)\s+)+"
)
_RULES = (
    r"(?:instruct\w*|instruc\w+|prompts?|rules|guidelines|directives|reglas|regras|anweisung\w*|anleitung\w*|regeln|"
    r"consignes|istruzioni|polecenia|instructies|инструкци\w*|указани\w*|правила)"
)
_ORDER = re.compile(
    rf"\b{_LEAVE}\s+(?:{_THE}\s+)?{_YOUR}(?:{_THE}\s+)?(?:\w+\s+)?{_RULES}|"
    rf"\b{_LEAVE}\s+{_THE}\s+{_RULES}\s+(?:above|before|anteriores|previas|précédentes|precedenti|oben)\b|"
    r"^\W*(?:say|state|claim|pretend|conclude) that\b|"
    r"<\s?/?\s?script|javascript:|\b(?:alert|eval|onerror|onload)\s*[=(]|"
    r"\b(?:print|reveal|repeat|output|show|leak|display|revela|imprime|gib|affiche|révèle)\b[^.!?\n]{0,50}"
    r"\b(?:prompt|instructions|instrucciones|anweisungen|api[ -]?keys?|passwords?|secrets|consignes)\b|"
    r"\byou (?:are now|act as|will act as) (?:an? |the )?(?:\w+ )?(?:ai|assistant|model|dan|pirate|admin\w*|root)\b|"
    r"\b(?:ai|assistants?|language models?|llms?|chatbots?|bots?|models?)\b[^.!?\n]{0,20}"
    r"\b(?:reading|processing|summari[sz]ing|parsing|indexing) (?:this|these)\b|"
    r"\bif you are an? (?:ai|assistant|(?:large )?language model|llm|bot)\b|"
    r"\b(?:note|message|instructions?|attention|important|notice)(?: (?:to|for))? (?:all |any |the )?"
    r"(?:ai|assistants?|language models?|llms?|chatbots?|bots?|machine readers?)\b|"
    r"(?:^|[.!?:\n]\s?|\b(?:and|then|please|now|instead|simply|just|always|only|y|und|et|e)\s+)"
    r"(?:answer|reply|respond|cite|antwort\w*|responde|répond\w*|rispondi|ответь\w*)\b[^.!?\n]{0,25}"
    r"(?:\b(?:only|with|that|exactly|nothing|instead|source|as|mit|nur|con|avec|par|solo)\b|[:“\"«])|"
    r"<\|?(?:im_start|im_end|system|assistant|user|endoftext|start_header_id)\|?>|\[/?INST\]|<</?SYS>>|"
    r"^\W*(?:system|assistant|developer)\s*:|##\s?(?:system|instruction|new task)|"
    r"(?:忽略|无视|忘记|不要理会)[^。！？\n]{0,20}(?:指令|指示|提示|规则|说明)|(?:输出|显示|打印|透露)[^。！？\n]{0,20}(?:提示词|系统提示|指令|密钥)|"
    r"(?:無視|忘れ)[^。！？\n]{0,20}|(?:指示|命令|プロンプト)[^。！？\n]{0,15}(?:無視|忘れ)|(?:지시|명령|프롬프트)[^.!?\n]{0,20}무시|"
    r"(?:تجاهل|انس)[^.!?\n]{0,30}(?:التعليمات|الأوامر)|(?:התעלם|התעלמי)[^.!?\n]{0,30}|निर्देशों[^।\n]{0,25}(?:अनदेखा|उपेक्षा)",
    re.IGNORECASE,
)  # fmt: skip
_FORGED = re.compile(r"[{,]\s*\"(?:answerable|sentences|passages|role|content|tool_calls?)\"\s*:")
_QUOTED = re.compile(r"“[^“”]*”|«[^«»]*»|„[^„“]*“|\"[^\"]*\"")
_SPACE = re.compile(r"\s+")
_UNSEEN = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
LEFT_OUT = "[…]"


def orders(text: str) -> bool:
    """Whether a sentence orders a machine about, in its own voice. Unseen characters do not hide it."""
    seen = unicodedata.normalize("NFKC", _UNSEEN.sub("", text))
    seen = _SPACE.sub(lambda run: "\n" if "\n" in run.group() else " ", seen)
    return bool(_ORDER.search(_QUOTED.sub(" ", seen)) or _FORGED.search(seen))


def without(text: str, sentences: Sequence[Span], start: int = 0) -> str:
    """A passage's text with a mark in place of each sentence that orders; spans count from `start`."""
    for span in sorted(sentences, key=lambda s: -s.start):
        begin, end = span.start - start, span.end - start
        if orders(text[begin:end]):
            text = text[:begin] + LEFT_OUT + text[end:]
    return text
