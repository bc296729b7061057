"""Reading takes time in proportion to its input: no text, however made, makes it take the square of that."""

from __future__ import annotations

import contextlib
import html
import io
import math
import signal
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag import chunks, sentences
from rag.documents import kind_of, read
from rag.errors import DocumentError
from rag.types import Document

SHORTEST, LONGEST = 10_000, 80_000
"""Characters. For eight times the text linear work takes eight times as long, quadratic work 64 times."""
MOST = 24
IDLE = 0.2
"""Seconds of processor time for the longest text that are not looked at more closely."""
LIMIT = 20
"""Seconds of processor time after which a run is stopped."""


def _file(name: str, made: Callable[[str], bytes] = str.encode) -> Callable[[str], object]:
    """The door of a format: `read`, given a file with the text in it."""

    def work(text: str) -> None:
        with contextlib.suppress(DocumentError):
            read(Path(name), data=made(text))

    return work


def _package(members: dict[str, str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as package:
        for name, content in members.items():
            package.writestr(name, content)
    return file.getvalue()


def _docx(body: str) -> bytes:
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    return _package({"word/document.xml": f'<w:document xmlns:w="{space}"><w:body>{body}</w:body></w:document>'})


def _jats(body: str) -> bytes:
    return f'<?xml version="1.0"?><article article-type="x"><front/><body>{body}</body></article>'.encode()


def _epub(body: str) -> bytes:
    return _package(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container><rootfile full-path="a.opf"/></container>',
            "a.opf": '<package><item id="a" href="a.xhtml"/><itemref idref="a"/></package>',
            "a.xhtml": f"<html><body>{body}</body></html>",
        }
    )


def _odt(body: str) -> bytes:
    spaces = " ".join(f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in ("office", "text", "table"))
    content = f"<office:content {spaces}><office:body><office:text>{body}</office:text></office:body></office:content>"
    return _package({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})


PROSE = (
    "(", "[", "“", '"', "'", ",", "1", "2020 ", " ", "\n", "\n \n", "\t", "a", "A. ", "et al. ", "and ", "! ", "![",
    "(A. ", "A b (Smith, 2020). ", "(Smith, 2020; ", "Smith, J. (2020). A title. A Journal, 1(2), 3-4.\n\n",
    "http://a.b/c ", "a | ", "a\tb\n", "- a\n", "12 views ", "회1회", "References\n\n",
    "3 May 2024\n", "中", "。", "x@y",
)  # fmt: skip
TAGS = ("<a ", "<b>", "</b>", "<p>a</p>", "<div>", "<ul><li>", "<nav>a</nav>b", "<article>", "<table><tr><td>", "<!--")
DOORS: dict[str, tuple[Callable[[str], object], tuple[str, ...]]] = {
    "kind": (
        lambda text: kind_of(text.encode(), "a"),
        (*PROSE, "%", "% a\n", "@comment a\n", "<!--a-->", "|---", "a[b](#"),
    ),
    "kind of XML": (
        lambda text: kind_of(b"<?xml?>" + text.encode(), "a"),
        ("<!--a-->", "<?a?>", "<!a[]>", "<!--a>", "<a "),
    ),
    "sentences": (lambda text: sentences.split(text, language="de"), (*PROSE, "1. a ", "`a`", "<!--")),
    "paragraphs": (sentences.paragraphs, ("\n", " \n", "\n \n", "a\n\n")),
    "chunks": (lambda text: chunks.split(Document("a", text)), ("a", "a ", " ", "A b (Smith, 2020). ")),
    "text": (_file("a.txt"), PROSE),
    "list of references": (
        _file("a.txt", lambda text: f"This is prose, and it ends with a full stop.\n\nReferences\n\n{text}".encode()),
        ("1", "Smith, J. 2020. ", "a\n", "http://", "《"),
    ),
    "Markdown": (_file("a.md"), ("[a](", "_a ", "`", "> ", "- ", "| a ", "[^1]", "<!--", "<a ", "&")),
    "HTML": (_file("a.html", lambda text: f"<html><body>{text}</body></html>".encode()), TAGS),
    "EPUB": (_file("a.epub", _epub), TAGS),
    "LaTeX": (
        _file("a.tex", lambda text: rf"\begin{{document}}{text}".encode()),
        ("%", "{", r"\a{", r"\title{", r"\title[", r"\cite[", r"\begin{comment}", r"\bibitem[", "^"),
    ),
    "RTF": (_file("a.rtf", lambda text: f"{{\\rtf1 {text}}}".encode()), ("{", "}", r"\par ", r"\'e9", "a", r"{\b a}")),
    "AsciiDoc": (_file("a.adoc"), ("= a", "*a ", "_", "a[", "http://", "<<", "1", "|===\n|a\n", "a\n")),
    "CSV": (_file("a.csv"), (",", '"', '"a",', "a;b\n", "'a ", "\n")),
    "JATS": (
        _file("a.xml", _jats),
        ("<p>a</p>", "<sec>", "<p>a<list><list-item><p>b</p></list-item></list></p>", "a "),
    ),
    "Word": (
        _file("a.docx", _docx),
        ("<w:p><w:r><w:t>a b.</w:t></w:r></w:p>", "<w:tbl><w:tr><w:tc>", "<w:p><w:r><w:txbxContent>"),
    ),
    "text in Word": (
        _file("a.docx", lambda text: _docx(f"<w:p><w:r><w:t>{html.escape(text)}</w:t></w:r></w:p>")),
        (" ", "(", "1 ", "a. "),
    ),
    "OpenDocument": (
        _file("a.odt", _odt),
        ("<text:p>a</text:p>", "<text:list><text:list-item>", "<table:table><table:table-row><table:table-cell>"),
    ),
}


class _StoppedError(BaseException):
    """No reader takes this for an error of a file."""


def _stop(*_: object) -> None:
    raise _StoppedError


@pytest.fixture(autouse=True)
def _alarm() -> Iterator[None]:
    before = signal.signal(signal.SIGVTALRM, _stop)
    yield
    signal.signal(signal.SIGVTALRM, before)


def _took(work: Callable[[str], object], piece: str, length: int) -> float:
    """Seconds of processor time, infinity where the limit was reached."""
    text = piece * (length // len(piece))
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT)
    start = time.thread_time()
    try:
        work(text)
    except _StoppedError:
        return math.inf
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return time.thread_time() - start


def _allowed(short: float) -> float:
    return max(IDLE, min(MOST * short, LIMIT))


@pytest.mark.parametrize("door", DOORS)
def test_time_grows_with_the_text(door: str) -> None:
    """Eight times the text takes about eight times as long, whatever the text repeats."""
    work, pieces = DOORS[door]
    work("Some text. ")  # loads what the format needs
    for piece in pieces:
        short = _took(work, piece, SHORTEST)
        if short * (LONGEST / SHORTEST) ** 2 < IDLE:
            continue  # even the square of it would be over in no time
        long = _took(work, piece, LONGEST)
        if long > _allowed(short):  # a busy machine may have been in the way: the best of some tries
            short, long = (min(_took(work, piece, length) for _ in range(3)) for length in (SHORTEST, LONGEST))
        assert long <= _allowed(short), (door, piece, short, long)
