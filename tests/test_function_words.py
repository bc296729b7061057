"""The language of a question, told by its script and its small words."""

from __future__ import annotations

import pytest

from rag.function_words import language_of


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "Who signed the treaty of Versailles?"),
        ("de", "Wer hat den Vertrag unterzeichnet?"),
        ("fr", "Quelles sont les quatre licornes chinoises ?"),
        ("es", "¿Qué empresas obtuvieron permiso?"),
        ("pt", "Quem fez o discurso no fórum?"),
        ("pt", "Desde quando as lâmpadas do Hall of Bells são âmbar?"),
        ("fr", "Dans quelle grotte n’a-t-on trouvé aucune mousse vivante ?"),
        ("en", "What did Perrault say about the naïveté of the café?"),
        ("zh", "GPT-4模型有多少参数？"),
        ("ja", "生成AIの規制は何ですか"),
        ("el", "Ποιος υπέγραψε τη συνθήκη;"),
        ("en", "What is fully understood about γδ T cells and NF-κB?"),
        (None, "Tocilizumab dosage"),
    ],
)
def test_a_short_question_shows_its_language(language: str | None, question: str) -> None:
    """Six languages by their words, others by their script; a Greek symbol is no Greek, a bare term tells nothing."""
    assert language_of(question) == language
