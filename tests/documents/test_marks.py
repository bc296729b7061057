"""Marks: what a reader says of places in its text survives cleaning, exactly where it stands; and LaTeX made simple."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import make_documents as make
from hypothesis import given
from hypothesis import strategies as st

from rag.documents import latex_source, read
from rag.documents.marks import Marks, without_marks

_WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)


@given(pieces=st.lists(st.tuples(_WORDS, st.booleans()), max_size=12))
def test_what_is_marked_is_found_where_it_stands(pieces: list[tuple[str, bool]]) -> None:
    """Taken out, marks leave the text alone and say the offsets of exactly what was marked."""
    marks, text, plain = Marks(), "", ""
    wanted = []
    for foreign, marked in pieces:
        said = without_marks(foreign)
        if marked and said.strip():
            wanted.append((len(plain), len(plain) + len(said), "citation", said))
        text += marks.put("citation", said, said) if marked else said
        plain += said
    assert marks.taken_out(text) == (plain, tuple(wanted))


@given(text=st.text(st.sampled_from("\ufdd0\ufdd1\ufdd2 09ab"), max_size=30))
def test_signs_in_a_foreign_text_do_no_harm(text: str) -> None:
    """A text that holds the signs of marks itself loses them, and says nothing that nobody said."""
    marks = Marks()
    found, placed = marks.taken_out(text)
    assert not placed
    assert not set(found) & set("\ufdd0\ufdd1\ufdd2")


def test_notes_are_marked_in_every_format_that_has_them() -> None:
    """Word, LibreOffice, LaTeX, Markdown: the sign in the text is marked with the number of its note."""
    docx = make.docx(
        '<w:p><w:r><w:t>Dams hold</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r></w:p>',
        footnotes='<w:footnote w:id="2"><w:p><w:r><w:t>See.</w:t></w:r></w:p></w:footnote>',
    )
    odt = make.odt(
        "<text:p>Dams hold<text:note><text:note-citation>2</text:note-citation><text:note-body><text:p>See.</text:p>"
        "</text:note-body></text:note></text:p>"
    )
    tex = rb"\documentclass{article}\begin{document}One\footnote{A.} Dams hold\footnote{See.}\end{document}"
    for name, data in {"a.docx": docx, "a.odt": odt, "a.tex": tex, "a.md": b"Dams hold[^2]\n\n[^2]: See.\n"}.items():
        found = read(Path(name), data=data)
        assert [found.text[m.start : m.end] for m in found.marks if m.target == "2"] == ["[2]"], name
        assert {m.kind for m in found.marks} == {"note"}


def test_notes_of_markdown_end_where_they_end() -> None:
    """A note goes on over lazy and indented lines; code is none, and what follows a note is text."""
    raw = b"Dams.[^a]\n\n[^a]: See the\nvalley.\n\n    And *more*.\n\nAfter.\n\n```\n[^b]: code\n```\n"
    found = read(Path("a.md"), data=raw)
    assert found.text == "Dams.[a]\n\nAfter.\n\n[^b]: code\n\nNotes\n\n[a] See the valley. And more."


def test_latex_macros_units_and_links_are_written_out() -> None:
    r"""A file's own commands, siunitx's quantities and links lose no word, no unit and no percent sign."""
    source = rb"""\documentclass{article} \newcommand{\model}{\textsc{Luma}\xspace} \newcommand{\acc}[2][about]{#1 #2\% right}
\def\data#1{Open#1}\title{\model: Rivers}\begin{document}\maketitle
We give \model with \acc{91} and \acc[over]{95} on \data{River}. It fell to \SI{12}{\percent}, at \qty{4.5}{\kilo\metre\per\second}
over \SIrange{2}{3}{\square\metre}. The \href{https://x.example/a%20b}{code} is at \url{https://x.example/~a_b%20c}. % gone
\end{document}"""
    found = read(Path("a.tex"), data=source)
    assert found.title == "Luma: Rivers"
    assert " ".join(found.text.split("\n\n")[-1].split()) == (
        "We give Luma with about 91% right and over 95% right on OpenRiver. It fell to 12 %, at 4.5 km/s over 2–3 m². "
        "The code is at https://x.example/~a_b%20c."
    )


def test_macros_that_grow_without_end_are_left_out() -> None:
    """Commands that double each other end at once, and the document says that words may be missing."""
    names = "abcdefghijklmnopqrstuvwxyz"
    bomb = "".join(rf"\newcommand{{\x{a}}}{{\x{b}\x{b}\x{b}\x{b}\x{b}\x{b}\x{b}\x{b}}}" for a, b in pairwise(names))
    wide = rf"\def\w{{{'many words ' * 5000}}}" + r"\w " * 5000
    for source in (bomb + r"\begin{document}\xa\end{document}", r"\begin{document}" + wide + r"\end{document}"):
        begun = time.monotonic()
        simple, macros = latex_source.defined(source)
        text, whole = latex_source.expanded(simple, macros)
        assert not whole
        assert len(text) < 2 * len(source) + 300_000
        assert time.monotonic() - begun < 5
    found = read(
        Path("a.tex"), data=(rb"\documentclass{a}" + bomb.encode() + rb"\begin{document}Dams \xa hold.\end{document}")
    )
    assert "part-left-out" in {p.kind for p in found.problems}
    assert found.text.startswith("Dams")
