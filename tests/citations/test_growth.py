"""Linking and judging take time that grows with the text and no faster, whatever stands in it."""

from __future__ import annotations

import pytest
from growth import grows_with

from rag.citations import audit, link, report
from rag.types import Document, Reference

PIECES = {
    "brackets": "(",
    "commas": ", ",
    "blanks": " ",
    "letters": "A",
    "words": "A b ",
    "years": "2020 ",
    "years in brackets": "(2020) ",
    "one long bracket": "Smith, 2020; ",
    "brackets left open": "(Smith, 2020; ",
    "brackets side by side": "(Smith, 2020) ",
    "sentences": "A b (Smith, 2020). ",
    "names spelt otherwise": "A b (Smyth, 2020). ",
    "dates": "3 May 2021 (Smith, 2020), ",
    "numbers": "[1], ",
    "lists left open": "[1, ",
    "raised numbers": "¹",
    "ibid": "A (Smith, 2020). (ibid.) ",
    "pages": "(Smith 10). ",
    "titles": "The Title of Smithaaa and More ",
    "notes": "\n[^1]: Smith, The Title of Smithaaa and More. ",
}
BEGUN = "A b (Smith, 2020). "
"""What stands before them: years that follow may be the same author's."""
OF_LISTS = ("brackets left open", "names spelt otherwise", "numbers", "raised numbers", "titles", "notes")
"""Those whose work hangs on the list."""


def _entry(number: int, *, numbered: bool) -> Reference:
    family = "Smith" + "".join(chr(97 + number // n % 26) for n in (1, 26, 676)) if number else "Smith"
    csl = {
        "type": "book",
        "title": f"The Title of {family} and More",
        "author": [{"family": family, "given": "J."}],
        "issued": {"date-parts": [[2020 - number % 30]]},
    }
    label = str(number + 1) if numbered else None
    return Reference(f"r{number}", csl, f"{family}, J. ({2020 - number % 30}). A title.", label=label, document_id="d")


LISTS = {
    "three entries": [_entry(n, numbered=False) for n in range(3)],
    "three hundred": [_entry(n, numbered=False) for n in range(300)],
    "numbered": [_entry(n, numbered=True) for n in range(300)],
}


@pytest.mark.parametrize("listed", LISTS)
def test_linking_grows_with_the_text(listed: str) -> None:
    """No text makes the linker run away, be the list short, long or numbered."""

    def work(text: str) -> object:
        return link(Document("d", BEGUN + text), LISTS[listed])

    names = PIECES if listed == "three entries" else OF_LISTS
    assert [name for name in names if not grows_with(work, PIECES[name])] == []


def test_judging_grows_with_the_text() -> None:
    """Nor the audit, nor the reports of what it finds."""

    def work(text: str) -> object:
        document = Document("d", BEGUN + text)
        mentions, _ = link(document, LISTS["three entries"])
        problems = audit(document, LISTS["three entries"], mentions)
        texts = {"d": document.text}
        return report.sarif(problems, texts, {}), report.rows(problems, texts)

    names = ("one long bracket", "names spelt otherwise", "dates", "sentences")
    assert [name for name in names if not grows_with(work, PIECES[name])] == []
