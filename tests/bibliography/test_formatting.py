"""References written out: five styles, several languages, and no item so odd that it raises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.bibliography import export, format_reference, parse

ITEM: dict[str, Any] = {
    "type": "article-journal",
    "author": [{"family": "Abrams", "given": "Tom"}, {"family": "Li", "given": "Wei"}],
    "title": "On rivers",
    "container-title": "Journal of Hydrology",
    "volume": "12",
    "issue": "3",
    "page": "45-67",
    "DOI": "10.1234/jh.2019.45",
    "issued": {"date-parts": [[2019]]},
}


@pytest.mark.parametrize(
    ("style", "begins"),
    [
        ("harvard", "Abrams, T. and Li, W. (2019) ‘On rivers’, Journal of Hydrology, 12(3), pp. 45–67."),
        ("apa", "Abrams, T., & Li, W. (2019). On rivers. Journal of Hydrology, 12(3), 45–67."),
        ("chicago", "Abrams, Tom, and Wei Li. 2019. “On Rivers.” Journal of Hydrology 12 (3): 45–67."),
        ("mla", "Abrams, Tom, and Wei Li. “On Rivers.” Journal of Hydrology, vol. 12, no. 3, 2019, pp. 45–67"),
        ("ieee", "T. Abrams and W. Li, “On rivers,” Journal of Hydrology, vol. 12, no. 3, pp. 45–67, 2019"),
    ],
)
def test_five_styles(style: str, begins: str) -> None:
    """Each style orders and marks the parts as its guide says, and ends with the DOI."""
    text = format_reference(ITEM, style)
    assert text.startswith(begins)
    assert "10.1234/jh.2019.45" in text


def test_a_question_is_followed_by_no_stop() -> None:
    """A title's own question mark ends it in every style, inside the quotation or out."""
    asked = {**ITEM, "title": "What do rivers say?"}
    assert "“What Do Rivers Say?” Journal" in format_reference(asked, "chicago")
    assert "What do rivers say? Journal" in format_reference(asked, "apa")
    assert "‘What do rivers say?’, Journal" in format_reference(asked, "harvard")


def test_initials_written_together_are_initials() -> None:
    """“CP” stands for two given names and is printed as two."""
    assert format_reference({**ITEM, "author": [{"family": "Lau", "given": "CP"}]}, "apa").startswith(
        "Lau, C. P. (2019)"
    )


def test_the_letter_of_the_year_is_printed() -> None:
    """2019a and 2019b stay apart in the author–date styles."""
    assert "(2019a)" in format_reference({**ITEM, "year-suffix": "a"}, "harvard")
    assert "(2019b)" in format_reference({**ITEM, "year-suffix": "b"}, "apa")


def test_words_follow_the_language() -> None:
    """“Available at” is said in the reader's language."""
    item = {"type": "webpage", "title": "Rivers", "URL": "https://example.org", "author": [{"literal": "River Trust"}]}
    assert "Available at" in format_reference(item, "harvard", "en")
    assert "Disponível em" in format_reference(item, "harvard", "pt-BR")
    assert "Verfügbar unter" in format_reference(item, "harvard", "de")


def test_what_is_unknown_falls_back_in_sight() -> None:
    """An unknown style reads as Harvard, an unknown language as English."""
    assert format_reference(ITEM, "no-such-style", "tlh") == format_reference(ITEM, "harvard", "en")


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=8), v, max_size=3),
    max_leaves=6,
)
_keys = st.sampled_from(
    [
        *ITEM,
        "publisher",
        "URL",
        "editor",
        "accessed",
        "edition",
        "medium",
        "custom",
        "year-suffix",
        "original-date",
        "id",
    ]
)


@given(
    csl=st.dictionaries(_keys, _values, max_size=8),
    style=st.sampled_from(["harvard", "apa", "chicago", "mla", "ieee", ""]),
)
@settings(max_examples=120, deadline=None)
def test_no_item_raises(csl: dict[str, Any], style: str) -> None:
    """Whatever stands in an item, a line of text comes out."""
    text = format_reference(csl, style)
    assert "\n" not in text


@given(title=st.text(st.sampled_from("ab <>&;/i\"'{}\\$%#_^~[]()黄"), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_titles_survive_whatever_marks_they_bear(title: str) -> None:
    """A title with marks that mean something to XML or TeX loses none of its letters."""
    text = format_reference({**ITEM, "title": f"Q{title}Z"}, "harvard")
    assert "Q" in text
    assert "Z" in text


def test_a_list_is_written_in_its_order() -> None:
    """The text export has one formatted reference a line; the CSL export is JSON with the references' ids."""
    references, _ = parse(
        "Kim, H., 2020. Book number one. Seoul: Press.\nAdams, B., 2019. Book number two. Oxford: Polity."
    )
    lines = export(references, "text", "apa").splitlines()
    assert [line.split(",")[0] for line in lines] == ["Kim", "Adams"]
    assert [item["id"] for item in json.loads(export(references, "csl"))] == ["kim-2020", "adams-2019"]
