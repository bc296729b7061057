"""Promises that hold for any text and any list."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from rag.citations import KINDS, audit, covering, link
from rag.types import Document, Reference, Section

WORDS = (
    "Adler",
    "Berg",
    "(Adler, 2001)",
    "et al.",
    "and",
    "2004a, b",
    "However,",
    "We",
    "This",
    "van der",
    "O’Brien",
    "陈伟",
)
SIGNS = (
    "[1]",
    "[2–4]",
    "¹²",
    "^3",
    "words3,4",
    "n.d.",
    "ibid.",
    "(ibid., p. 4)",
    "[^1]:",
    "s.d.",
    "16 April 2024",
    "2020",
)
MARKS = (
    "&",
    ";",
    ",",
    ".",
    "(",
    ")",
    "[",
    "]",
    "（",
    "）",
    "—",
    "’s",
    "\n\n",
    "\n",
    "\t",
    "“Of Salt and Tin”",
    "2001 [1990]",
)
PIECES = st.sampled_from([*WORDS, *SIGNS, *MARKS])
TEXTS = st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=60).map(" ".join))
CSL = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {
            "author": st.lists(
                st.one_of(
                    st.fixed_dictionaries({"family": st.sampled_from(["Adler", "Berg", "陈", "", "O’Brien"])}),
                    st.fixed_dictionaries({"literal": st.text(max_size=20)}),
                ),
                max_size=3,
            ),
            "issued": st.sampled_from(
                [{"date-parts": [[2001]]}, {"date-parts": [[2024, 4, 6]]}, {"date-parts": [[]]}, {}, None]
            ),
            "title": st.sampled_from(["", "Of Salt and Tin", "Salt: a life"]),
        }
    ),
    st.fixed_dictionaries({"author": st.text(max_size=5), "issued": st.text(max_size=5)}),
)
REFERENCES = st.lists(
    st.tuples(CSL, st.text(max_size=60), st.sampled_from([None, "1", "2", "[3]", "x"])), max_size=5
).map(lambda rows: [Reference(f"r{i}", csl, raw, label=label) for i, (csl, raw, label) in enumerate(rows)])


@settings(max_examples=300, deadline=None)
@given(TEXTS, REFERENCES, st.sampled_from([None, "en", "pt", "zh", "xx"]), st.booleans())
def test_linking_never_raises_and_never_points_outside(
    text: str, references: list[Reference], language: str | None, noted: bool
) -> None:
    """Spans lie in the text, scopes hold their mentions, ids are listed, kinds are explained, whatever comes in."""
    half = len(text) // 2
    sections = (Section("Notes", 1, "notes", half, half, len(text)),) if noted else ()
    document = Document("d", text, language=language, sections=sections)
    mentions, _ = link(document, references)
    ids = {r.id for r in references}
    for m in mentions:
        assert 0 <= m.scope_start <= m.start < m.end <= m.scope_end <= len(text)
        assert (m.reference_id in ids) if m.resolution != "missing" else m.reference_id is None
        assert set(m.candidates) <= ids
    for problem in audit(document, references, mentions):
        assert problem.kind in KINDS
        assert problem.start is None or problem.end is None or 0 <= problem.start <= problem.end <= len(text)
    assert set(covering(mentions, 0, len(text))) <= set(mentions)


def test_time_grows_with_the_text_and_not_with_its_square() -> None:
    """A thousand entries and three thousand mentions take seconds, in prose and in hostile strings alike."""
    references = [
        Reference(
            f"r{i}",
            {"author": [{"family": f"Name{chr(97 + i % 26)}{i}"}], "issued": {"date-parts": [[1900 + i % 120]]}},
        )
        for i in range(1000)
    ]
    cited = [f"The river rose (Name{chr(97 + i % 26)}{i}, {1900 + i % 120})." for i in range(1000)] * 3
    hostile = ["(" * 40_000, "A " * 40_000 + "2004", "Adler et al. " * 8_000, "2004, " * 10_000, "(2004) " * 10_000]
    for text in (" ".join(cited), *hostile):
        begun = time.process_time()
        link(Document("d", text, language="en"), references)
        assert time.process_time() - begun < 8
