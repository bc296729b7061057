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
