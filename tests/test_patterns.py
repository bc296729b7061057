"""No pattern and no parser runs away, whatever it is fed: every one of them is fed strings that repeat themselves.

What a pattern is fed is made from its own repetitions (`pumping.py`); what grows clearly faster than its input fails.
Python's `re` holds the interpreter's lock, so that one such text would stop every client.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from html import escape
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent / "documents"))

import make_documents
import pumping

from rag import asked, bibliography, chunks, citations, documents, function_words, lexical, retrieve, sentences
from rag.answer import evidence, opposites, orders, polarity, question, stand_alone
from rag.asked import Turn
from rag.citations import cohesion
from rag.citations.audit import _future
from rag.errors import AdFontesError
from rag.retrieve import parts
from rag.settings import Settings
from rag.types import Document, Reference
from service import export
from service.contract import LONGEST_TEXT
from service.routes import chat

ROOMS = {
    "answer": ("rag.answer",),
    "questions": ("rag.retrieve", "rag.lexical", "rag.function_words", "rag.asked"),
    "documents": ("rag.documents", "rag.fetch", "rag.sentences", "rag.chunks"),
    "references": ("rag.bibliography", "rag.attachments", "rag.harvest"),
    "citations": ("rag.citations",),
    "service": ("service",),
}
LIMIT = Settings().max_question_chars
ASKED = (
    "rag.answer.about._AUTHOR",
    "rag.answer.about._TITLE",
    "rag.answer.listed._WHAT_DID",
    "rag.answer.question._BESIDES",
    "rag.retrieve.parts._",
)
"""Patterns that only ever see a question, on one line. All others are linear on any text."""
MADE: dict[str, Callable[[], object]] = {
    "rag.bibliography.formatting.format_reference": lambda: re.compile(r"(?<![\w/.-])2020(?![\w/-])"),
    "rag.citations.audit._future": lambda: _future(None),
    "rag.citations.authoryear._other_year": lambda: re.compile(r"\b2020\b"),
    "rag.citations.cohesion._compiled": lambda: [cohesion._compiled(language) for language in ("en", "zh")],
    "rag.citations.cohesion.anywhere": lambda: None,  # within _compiled, as the next
    "rag.citations.cohesion.first": lambda: None,
    "rag.documents.latex.read_latex": lambda: re.compile(
        r"\\begin\{a\}(?:(?!\\end\{a\}).)*+(?:\\end\{a\})?", re.DOTALL
    ),
}
"""Functions that compile patterns of values of the moment, with samples; what is not here is compiled in its module."""


def _room(pattern: pumping.Found) -> str:
    return next((room for room, names in ROOMS.items() if pattern.place.startswith(names)), "others")


def _fault(found: pumping.Found) -> str | None:
    if found.place.startswith(ASKED):
        return pumping.judge(found, folded=True, short=LIMIT, long=LONGEST_TEXT)
    return pumping.judge(found)


@cache
def _patterns() -> tuple[pumping.Found, ...]:
    return tuple(pumping.patterns())


@pytest.mark.parametrize("room", [*ROOMS, "others"])
def test_no_pattern_runs_away(room: str) -> None:
    """Every compiled pattern of a room takes time in proportion to its text, whatever repeats in it."""
    faults = {p.place: _fault(p) for p in _patterns() if _room(p) == room}
    assert {place: why for place, why in faults.items() if why} == {}
    assert faults, "no pattern was found in this room"


def test_patterns_made_of_values_are_known() -> None:
    """A function that compiles patterns of values of the moment is listed with samples, which do not run away."""
    assert set(pumping.made()) - set(MADE) == set(), "compile it once in its module, or list it in MADE"
    faults = {}
    for name, samples in MADE.items():
        for place, sample in pumping.within(name, samples()):
            # What may begin with anything but a word is only ever matched where a sentence begins.
            how = "match" if sample.pattern.startswith(r"\W*") else "search"
            faults[place] = pumping.judge(pumping.Found(place, sample, frozenset({how})))
    assert {place: why for place, why in faults.items() if why} == {}


BAD = {
    r"(a+)+$": "search",
    r"\s*x": "finditer",
    r"^\W*and\s+(.{1,80}?)\s*(?:too)?\s*[?.!]*\s*$": "match",
    r"(?:<!--.*?-->\s*)*<": "search",
    r"\[.*\]": "search",
    r"\bwhat did\b.*\bpay\b": "search",
    r"^(?:%[^\n]*\n?|\s)*@": "match",
}
GOOD = {
    r"a+b?": "finditer",
    r"(?<!\s)\s*+x": "finditer",
    r"^\W*+and\s++([^?]{1,80})": "match",
    r"“[^“”]*”": "sub",
    r"^(?>.*?\bwhat did\b).*\bpay\b": "search",
    r"(?:x|y|z)\w*\b": "finditer",
}


@pytest.mark.parametrize("pattern", [*BAD, *GOOD])
def test_the_harness_tells_bad_patterns_from_good_ones(pattern: str) -> None:
    """Exponential, cubic and quadratic patterns are found, linear ones are not."""
    method = BAD.get(pattern) or GOOD[pattern]
    found = pumping.judge(pumping.Found("here", re.compile(pattern), frozenset({method})))
    assert (found is not None) == (pattern in BAD), found


def test_patterns_are_found_wherever_they_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patterns in tuples, dictionaries, dataclasses and calls are found, and those made of values are told."""
    (tmp_path / "rag").mkdir()
    (tmp_path / "service").mkdir()
    (tmp_path / "rag/kept_here.py").write_text(
        "import re\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass Held:\n    p: re.Pattern\n"
        "ONE = re.compile('one')\nTWO = (re.compile('two'), {'k': [re.compile('three')]}, Held(re.compile('four')))\n"
        "def f(t, word):\n"
        "    re.sub('five' + ONE.pattern, '', t, flags=re.I)\n    ONE.match(t)\n"
        "    return re.search(rf'{word}', t) or re.compile('six').fullmatch(t)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "rag"))
    monkeypatch.setattr(pumping, "ROOT", tmp_path)
    monkeypatch.setattr(pumping.importlib, "import_module", lambda name: __import__(name.removeprefix("rag.")))
    pumping._modules.cache_clear()
    try:
        found = {p.pattern.pattern: p for p in pumping.patterns()}
        assert set(found) == {"one", "two", "three", "four", "fiveone", "six"}
        assert found["one"].anchored
        assert found["fiveone"].pattern.flags & re.IGNORECASE
        assert list(pumping.made()) == ["rag.kept_here.f"]
    finally:
        pumping._modules.cache_clear()


# ── every door ───────────────────────────────────────────────────────────────────────────────────────────────

PIECES = (
    "(", "[", "{", "<", ")", "]", ",", ";", ".", '"', "“", "'", "%", "#", "*", "_", "`", "|", "=", "\\", "$", "&", "-",
    " ", "\n", "\t", "a", "A", "a ", "A. ", "1", "1 ", "2020 ", "2020, ", "et al. ", " and ", "and ", "中", "what did ",
    "A b (Smith, 2020). ", "(Smith, 2020; ", "Smith, J., ", "[1]", "[1, ", "<a ", "<b>x", "\\a{", "@a{b, ", "%a\n",
    "- a\n", "# a\n", "TY  - JOUR\n", "Smith, J. (2020) A. B: C.\n\n",
)  # fmt: skip


def _text(before: str = "", after: str = "") -> Callable[[str], str]:
    return lambda pumped: f"{before}{pumped}{after}"


def _paragraphs(pumped: str) -> str:
    """A body that leads to a bibliography."""
    listed = "Smith, J. (2020) A book. London: Press."
    return f"A title\n\nSome text (Smith, 2020) and more. {pumped}\n\nReferences\n\n{listed}"


def _read(suffix: str, made: Callable[[str], str | bytes]) -> Callable[[str], object]:
    def read(pumped: str) -> object:
        data = made(pumped)
        with suppress(AdFontesError):
            return documents.read(Path(f"a{suffix}"), data=data.encode() if isinstance(data, str) else data)
        return None

    return read


@cache
def _listed() -> tuple[Reference, ...]:
    return bibliography.parse("Smith, J. (2020) A book. London: Press.\n\nJones, A. (2021) Another. Paris: Presse.")[0]


def _link(pumped: str) -> object:
    text = _paragraphs(pumped)
    made = Document(id="a", text=text, source="a.txt", sha256="", media_type="text/plain", reader="text")
    mentions, _ = citations.link(made, _listed())
    return citations.audit(made, _listed(), mentions)


def _chunks(pumped: str) -> object:
    return chunks.split(
        Document(id="a", text=pumped, source="a.txt", sha256="", media_type="text/plain", reader="text")
    )


JATS = (
    "<article xmlns:xlink='x'><front/><body><sec><title>A</title><p>{}</p></sec></body><back><ref-list>"
    "<ref id='a'><mixed-citation>{}</mixed-citation></ref></ref-list></back></article>"
)
DOORS: dict[str, Callable[[str], object]] = {
    **{f"kind {name}": (lambda pumped, name=name: documents.kind_of(pumped.encode(), name)) for name in
       ("a", "a.txt", "a.tex", "a.html", "a.md", "a.bib")},
    "txt": _read(".txt", _text("A title\n\n")),
    "txt with a list": _read(".txt", _paragraphs),
    "md": _read(".md", _text("# A title\n\n")),
    "html": _read(".html", _text("<!DOCTYPE html><html><body><h1>A</h1><p>")),
    "tex": _read(".tex", _text("\\documentclass{article}\\begin{document}\n", "\\end{document}")),
    "csv": _read(".csv", _text("a,b\n1,2\n")),
    "tsv": _read(".tsv", _text("a\tb\n1\t2\n")),
    "adoc": _read(".adoc", _text("= A title\n\n")),
    "rtf": _read(".rtf", _text("{\\rtf1\\ansi ", "}")),
    "jats": _read(".xml", lambda pumped: JATS.format(*[escape(pumped.replace("\x00", ""))] * 2)),
    "docx": _read(".docx", lambda pumped: make_documents.docx(
        make_documents.paragraph(escape(pumped.replace("\x00", ""))))),
    "odt": _read(".odt", lambda pumped: make_documents.odt(f"<text:p>{escape(pumped.replace(chr(0), ''))}</text:p>")),
    "epub": _read(".epub", lambda pumped: make_documents.epub({"a.xhtml": f"<p>{escape(pumped)}</p>"}, "")),
    "pptx": _read(".pptx", lambda pumped: make_documents.pptx(
        [make_documents.shape("body", escape(pumped.replace("\x00", "")))])),
    "xlsx": _read(".xlsx", lambda pumped: make_documents.xlsx("A", [["a", escape(pumped.replace("\x00", ""))]])),
    "pdf": _read(".pdf", lambda pumped: make_documents.pdf(
        [[(72.0, 700.0 - n % 50, 10.0, line, False) for n, line in enumerate(re.findall(r"[ -~]{1,80}", pumped))]])),
    "sentences": sentences.split,
    "paragraphs": sentences.paragraphs,
    "chunks": _chunks,
    "terms": lexical.terms,
    "reference list": bibliography.parse,
    "reference": lambda pumped: bibliography.parse_entry(f"Smith, J. (2020) {pumped}"),
    "bibtex": lambda pumped: bibliography.read_structured(pumped.encode(), "bibtex"),
    "bibtex field": lambda pumped: bibliography.read_structured(f"@book{{a, title = {{{pumped}}}}}".encode(), "bibtex"),
    "ris": lambda pumped: bibliography.read_structured(f"TY  - JOUR\nTI  - {pumped}\nER  - \n".encode(), "ris"),
    "csl": lambda pumped: bibliography.read_structured(b'[{"type": "book", "title": ' + repr(pumped).encode(), "csl"),
    "jats list": lambda pumped: bibliography.read_structured(JATS.format("", escape(pumped)).encode(), "jats"),
    "citations": _link,
    "orders": orders.orders,
    "bare": evidence.bare,
    "present": evidence.present,
    "denied": lambda pumped: polarity.denied(question.read("Did Baidu raise the tariff in China?"), pumped),
    "opposed": lambda pumped: opposites.opposed(
        question.read("Did the tariff rise?"), pumped.replace("a", "tariff fell ")),
    "meets": lambda pumped: [question.meets(kind, pumped, question.read("How long is the Pier?"))
                             for kind in ("quantity", "when", "page", "reason", "person", "place")],
    "export": lambda pumped: export._escaped(export._plain(pumped), keep_numbers=True),
    "chat messages": lambda pumped: chat._questions(
        [chat.Message(role="user", content=pumped), chat.Message(role="assistant", content=pumped)]),
}  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
def test_no_door_of_a_document_runs_away(door: str) -> None:
    """Reading a file, cutting it and linking its citations take time in proportion to its length."""
    work = DOORS[door]
    work("a")  # what is loaded once
    faults = []
    for piece in PIECES:
        why = pumping.runs_away(work, pumping.text_of("", piece, "\x00"), short=5_000, quick=0.03, limit=0.8)
        if why:
            faults.append(f"{piece!r}: {why}")
    assert faults == []


def _stand_alone(typed: str) -> str:
    before = [Turn("Who makes Ernie Bot?", typed), Turn(typed, "Baidu says so."), Turn("Did the board raise it?")]
    return stand_alone(asked.question(typed, LONGEST_TEXT), asked.earlier(before, LONGEST_TEXT))


QUESTIONS: dict[str, Callable[[str], object]] = {
    "read": lambda typed: question.read(asked.line(typed)),
    "parts": lambda typed: (parts.parts(asked.line(typed)), parts.questions(asked.line(typed))),
    "language": function_words.language_of,
    "stand alone": _stand_alone,
    "filters": lambda typed: retrieve.Filters.of(
        {"authors": [typed[:500]] * 1000, "sections": [typed[:500]] * 100, "languages": [typed[:500]] * 100}
    ),
}


@pytest.mark.parametrize("door", QUESTIONS)
def test_no_question_takes_long(door: str) -> None:
    """A question of the greatest length that is taken is understood within a twentieth of a second of work."""
    work = QUESTIONS[door]
    slow = {}
    for piece in PIECES:
        for lead in ("", "and ", "who wrote this article ", "what did ", "does a ", "compare "):
            text = (lead + piece * LIMIT)[: LIMIT - 1] + "x"
            spent = pumping.took(work, text, limit=2.0)
            if spent > 0.05 and (spent := pumping.took(work, text, limit=2.0, tries=3)) > 0.05:
                slow[lead + piece] = spent
    assert slow == {}
