r"""LaTeX source → blocks: sections, lists and the bibliography; pylatexenc (MIT) turns the rest into plain text.

Only the file itself is read: \input and \include name other files and are noted as a problem.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from rag.documents.blocks import Block, Draft
from rag.documents.clean import without
from rag.documents.dates import parse_date
from rag.documents.decode import decode
from rag.documents.people import clean_name
from rag.types import Problem

READER = "latex/1"
_LEVELS = {
    "part": 2,
    "chapter": 2,
    "section": 2,
    "subsection": 3,
    "subsubsection": 4,
    "paragraph": 5,
    "subparagraph": 6,
}
_COMMENT = re.compile(r"(?<!\\)%.*?(?:\n[ \t]*|$)")
_COMMAND = re.compile(
    r"\\(title|author|date|part|chapter|section|subsection|subsubsection|paragraph|subparagraph|caption|footnote|thanks)\*?\s*+(?:\[[^\]]{0,1000}+\]\s*+)?\{"
)
_CITE = re.compile(r"~?\\[a-zA-Z]{0,30}cite[a-zA-Z]{0,30}+\*?\s*+((?:\[[^\]]{0,1000}+\]\s*+){0,2})\{([^{}]*+)\}")
_DROP_ENVIRONMENTS = ("tikzpicture", "comment", "filecontents", "filecontents*", "lstlisting_", "pgfpicture")
_BIBITEM = re.compile(r"\\bibitem\s*+(?:\[((?:[^\[\]{}]++|\{[^{}]*+\})*+)\]\s*+)?\{([^{}]*+)\}")
_ASIDES = re.compile(r"\\(?:thanks|inst|affil|orcid|email|footnote)\*?\s*+\{[^{}]*+\}")
_LAYOUT = re.compile(
    r"\\(?:label|vspace|hspace|includegraphics|bibliographystyle|pagestyle|thispagestyle|setcounter)\*?"
    r"(?:\[[^\]]{0,1000}+\])?\{[^{}]*+\}"
)
_BRACE = re.compile(r"(?<!\\)[{}]")
_FRONT = {"title", "author", "date"}
_MARK = "\x1e"


def read_latex(data: bytes, name: str) -> Draft:
    """Read one LaTeX source file. Raises DocumentError when the bytes are no text."""
    source, problems = decode(data, name)
    draft = Draft([], READER, "application/x-tex", problems=problems)
    source = _COMMENT.sub(
        lambda m: "" if m[0].strip() != m[0] else "\n" if m[0].endswith("\n") else "", source.replace("\r\n", "\n")
    )
    for other in re.findall(r"\\(?:input|include)\s*\{([^{}]*)\}", source):
        draft.problems.append(Problem("part-left-out", f"{name} takes in {other!r}, another file; add that one too."))
    preamble, begin, body = source.partition(r"\begin{document}")
    if not begin:
        preamble, body = "", source
    body = body.split(r"\end{document}")[0]
    _front(draft, preamble + body)
    for environment in _DROP_ENVIRONMENTS:
        body = without(body, rf"\begin{{{environment}}}", rf"\end{{{environment}}}")
    body, _, listed = body.partition(r"\begin{thebibliography}")
    _body(draft, body)
    if listed:
        _bibliography(draft, listed)
    return draft


def _argument(source: str, opening: int) -> tuple[str, int]:
    """The text between the brace at `opening` and its partner, and where it ends."""
    depth = 0
    for brace in _BRACE.finditer(source, opening):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return source[opening + 1 : brace.start()], brace.end()
    return source[opening + 1 :], len(source)


def _commands(source: str, names: Container[str]) -> Iterator[tuple[re.Match[str], str, int]]:
    """The commands of these names, each with its argument and where that ends; none inside the argument of another."""
    position = 0
    for match in _COMMAND.finditer(source):
        if match.start() >= position and match[1] in names:
            said, position = _argument(source, match.end() - 1)
            yield match, said, position


def _front(draft: Draft, source: str) -> None:
    for match, said, _ in _commands(source, _FRONT):
        if match[1] == "title" and draft.title is None:
            draft.title = " ".join(plain(_ASIDES.sub("", said).replace(r"\\", " ")).split()) or None
        elif match[1] == "author" and not draft.authors:
            for part in re.split(r"\\and\b|\\AND\b|\\\\|,|\band\b", _ASIDES.sub("", said)):
                name = clean_name(" ".join(plain(part).split()))
                if name and " " in name:
                    draft.authors.append(name)
        elif match[1] == "date" and draft.date is None:
            draft.date = parse_date(" ".join(plain(said).split()))
    if draft.title:
        draft.blocks.append(Block(draft.title, "title", 1))
    if draft.authors:
        draft.blocks.append(Block(", ".join(draft.authors), "byline"))


def _body(draft: Draft, body: str) -> None:
    """Cut the body at its headings; what stands between two is text."""
    body = re.sub(
        r"\\(?:maketitle|tableofcontents|listoffigures|listoftables|appendix|printbibliography|bibliography\s*\{[^{}]*\})",
        "\n\n",
        body,
    )
    body = re.sub(r"\\begin\{abstract\}", r"\\section{Abstract}", body).replace(r"\end{abstract}", "\n\n")
    position = 0
    notes: list[str] = []
    for match, title, end in _commands(body, _LEVELS):
        _text(draft, body[position : match.start()], notes)
        position = end
        draft.blocks.append(Block(" ".join(plain(title).split()), "heading", _LEVELS[match[1]]))
    _text(draft, body[position:], notes)
    if notes:
        draft.blocks.append(Block("Notes", "heading", 2, kind="notes"))
        draft.blocks.extend(Block(f"[{i}] {note}") for i, note in enumerate(notes, start=1))


def _text(draft: Draft, source: str, notes: list[str]) -> None:
    source = _front_commands_out(source)
    source = _notes_out(source, notes)
    # A paragraph ends at a blank line and at any environment that stands on its own.
    source = re.sub(
        r"\\(begin|end)\{(itemize|enumerate|description|quote|quotation|figure|table|center|abstract)\*?\}(?:\[[^\]]{0,1000}+\])?",
        "\n\n",
        source,
    )
    source = re.sub(r"\\item\s*(?:\[([^\]]{0,1000}+)\])?", lambda m: f"\n{_MARK}{(m[1] or '').strip()} ", source)
    for paragraph in re.split(r"\n\s*\n", source):
        items = paragraph.split(_MARK)
        text = " ".join(plain(items[0]).split())
        if text:
            draft.blocks.append(Block(text))
        lines = [" ".join(plain(item).split()) for item in items[1:]]
        lines = [f"- {line}" for line in lines if line]
        if lines:
            draft.blocks.append(Block("\n".join(lines), "list"))


def _front_commands_out(source: str) -> str:
    out, position = [], 0
    for match, _, end in _commands(source, _FRONT):
        out.append(source[position : match.start()])
        position = end
    return "".join([*out, source[position:]])


def _notes_out(source: str, notes: list[str]) -> str:
    """Footnotes become numbers in brackets; their text is gathered in `notes`."""
    out, position = [], 0
    for match, said, end in _commands(source, {"footnote"}):
        notes.append(" ".join(plain(said).split()))
        out.append(f"{source[position : match.start()]} [{len(notes)}]")
        position = end
    return "".join([*out, source[position:]])


def _bibliography(draft: Draft, listed: str) -> None:
    draft.blocks.append(Block("References", "heading", 2, kind="bibliography"))
    listed = listed.split(r"\end{thebibliography}", maxsplit=1)[0]
    marks = list(_BIBITEM.finditer(listed))
    for match, following in zip(marks, [*marks[1:], None], strict=False):
        entry = listed[match.end() : following.start() if following else len(listed)].replace(r"\newblock", " ")
        text = " ".join(plain(entry).split())
        if text:
            draft.blocks.append(Block(f"[{match[2].strip()}] {text}"))


def _cited(match: re.Match[str]) -> str:
    r"""A citation command as its keys in brackets, with the note of `\cite[p. 4]{key}` behind them."""
    if match[0].lstrip("~").startswith(r"\nocite"):
        return ""
    notes = [note for note in re.findall(r"\[([^\]]{0,1000}+)\]", match[1]) if note.strip()]
    after = f", {notes[-1].strip()}" if notes else ""
    before = f"{notes[0].strip()} " if len(notes) > 1 else ""
    return f" [{before}{match[2].strip()}{after}]"


def plain(source: str) -> str:
    """LaTeX as plain Unicode; citations become their keys in brackets, formulas stay readable."""
    from pylatexenc.latex2text import LatexNodes2Text

    source = _LAYOUT.sub("", _CITE.sub(_cited, source))
    try:
        converter = LatexNodes2Text(math_mode="text", strict_latex_spaces=False)
        text = str(converter.latex_to_text(source, tolerant_parsing=True))
    except (ValueError, IndexError, KeyError, RecursionError, AttributeError, TypeError):
        # A parser stopped by broken source must not lose the text: the words without the commands.
        return re.sub(r"\\[a-zA-Z]+\*?|[{}$]", " ", source)
    return re.sub(r"<(https?://[^<>\s]+)>", r"\1", text)
