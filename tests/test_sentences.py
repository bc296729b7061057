"""Sentence spans: exact, ordered, whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.sentences import paragraphs, split

PIECES = st.lists(
    st.sampled_from(
        [
            "Dr. ",
            "Smith ",
            "et al. ",
            "(2020) ",
            "(",
            ")",
            "said. ",
            "“Yes.” ",
            "\n\n",
            "\n",
            "3.5 ",
            "今天很好。",
            "é",
            "\u200b",
            "! ",
        ]
    )
)


@given(st.one_of(st.text(max_size=400), PIECES.map("".join)))
def test_spans_are_in_order_trimmed_and_leave_only_white_space_out(text: str) -> None:
    """Whatever the text, sentences are trimmed slices in order, and between them stands only white space."""
    position = 0
    for span in split(text):
        assert span.start >= position
        assert not text[position : span.start].strip()
        assert span.of(text) == span.of(text).strip() != ""
        position = span.end
    assert not text[position:].strip()


@given(st.text(max_size=300))
def test_paragraphs_hold_all_that_is_not_white_space(text: str) -> None:
    """Paragraphs never lose a character that is not white space."""
    assert "".join("".join(p.of(text).split()) for p in paragraphs(text)) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "It rose (cf. Allen, G. C. 2022. Foo) in May. It fell.",
            ["It rose (cf. Allen, G. C. 2022. Foo) in May.", "It fell."],
        ),
        ("See Smith et al. 2010. Then go on.", ["See Smith et al. 2010.", "Then go on."]),
        ("Dr. Noe came. He left.", ["Dr. Noe came.", "He left."]),
        ("Founded by J. R. Moss. The end.", ["Founded by J. R. Moss.", "The end."]),
        ("今天天气很好。我们去公园吧！", ["今天天气很好。", "我们去公园吧！"]),
        ("A “New Era.” Demonstrations worked.", ["A “New Era.”", "Demonstrations worked."]),
        ("One line\nbroken in two. Next.", ["One line\nbroken in two.", "Next."]),
    ],
)
def test_scholarly_full_stops_end_nothing(text: str, expected: list[str]) -> None:
    """Initials, abbreviations and brackets do not cut a sentence; real ends do."""
    assert [s.of(text) for s in split(text)] == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("de", ["Am 3. Oktober 1990 kam die Einheit.", "Danach, z. B. in Berlin, begann Prof. Dr. Meier den Umbau."]),
        ("de", ["Das Werk erschien im 19. Jahrhundert.", "Es hat u. a. drei Bände, d. h. ca. 900 Seiten."]),
        ("de", ["Laut Art. 5 Abs. 1 gilt dies.", "„Das ist viel.“", "Es waren 19.", "Danach kam niemand."]),
        ("fr", ["M. Dupont connaît plusieurs cas, p. ex. celui de Lyon.", "Voir art. 5 et p. 23.", "C'est tout."]),
        ("fr", ["« Qu'est-ce que c'est ? » demanda-t-il.", "Le Dr Martin ne répondit pas."]),
        ("es", ["El Sr. García fue a EE. UU. con la Dra. López.", "¿Qué dijo?", "¡Nada!", "Véase la pág. 23."]),
        ("es", ["La Sra. Ruiz vive en la Av. Libertad núm. 5.", "Trabaja allí, p. ej. los lunes."]),
        ("pt", ["A Av. Paulista tem 2,8 km.", "O Sr. Silva e a Dra. Souza moram lá.", "Ver p. 23."]),
        ("zh", ["他说：“我不知道。”", "然后离开了。", "2023年8月15日，《暂行办法》正式施行！", "这意味着什么？"]),
        ("zh", ["据 Deng (2024) 报道，GPT-4 的参数超过1.7万亿。", "这是 OpenAI 的估计。"]),
        ("en", ["百度 launched Ernie Bot.", "它吸引了两亿用户。", "It grew fast."]),
    ],
)
def test_sentences_of_six_languages_and_of_mixed_ones(language: str, expected: list[str]) -> None:
    """Abbreviations, ordinals, inverted marks and ideographic stops are read as the language means them."""
    text = " ".join(expected)
    assert [s.of(text) for s in split(text, language=language)] == expected
    if language == "zh":
        text = "".join(expected)
        assert [s.of(text) for s in split(text, language=language)] == expected
