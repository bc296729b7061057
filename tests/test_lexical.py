"""Index terms: one word of a language, however it is bent, joined or typed, is one term."""

from __future__ import annotations

import pytest

from rag.lexical import question_terms, terms


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "regulations", "regulation"),
        ("en", "the company's models", "company model"),
        ("en", "a naïve café", "naive cafe"),
        ("de", "Häuser der Großstädte", "Haus Grossstadt"),
        ("de", "KI-Modelle", "KI Modell"),
        ("de", "Müllers Bücher", "Muller Buch"),
        ("fr", "l'article d’Anne qu'elle étudie", "article Anne elle etudie"),
        ("fr", "les chevaux nationaux", "cheval national"),
        ("es", "¿Cuántos niños cantan canciones?", "cuantos nino cantaba cancion"),
        ("pt", "as nações e os órgãos", "nacoes orgaos"),
    ],
)
def test_forms_of_a_word_are_one_term(language: str, one: str, other: str) -> None:
    """Inflection, elision, umlauts, compounds with a hyphen and missing accents do not part question and text."""
    assert set(terms(other, language)) <= set(terms(one, language))


def test_chinese_is_counted_by_characters_and_pairs_beside_any_script() -> None:
    """A Chinese word is found wherever it stands, next to Latin letters and figures too."""
    assert {"技术", "模型", "ai", "gpt", "4"} <= set(terms("AI技术和GPT-4模型", "zh"))
    assert {"2023", "年", "8", "月"} <= set(terms("2023年8月", "zh"))
    assert set(terms("规制", "ja")) <= set(terms("生成AIの规制について", "ja"))


def test_a_question_is_read_as_each_language_of_the_index_would() -> None:
    """In an index of two languages a question has the terms of both, and none twice."""
    found = question_terms("Häuser houses", ["de", "en"])
    assert {"haus", "hous"} <= set(found)
    assert len(found) == len(set(found))
