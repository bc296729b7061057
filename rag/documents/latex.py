r"""LaTeX source → blocks: sections, lists and the bibliography; pylatexenc (MIT) turns the rest into plain text.

Only the file itself is read: \input and \include name other files and are noted as a problem.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence

from rag.documents import latex_source
from rag.documents.blocks import Block, Draft
from rag.documents.clean import without
from rag.documents.dates import parse_date
from rag.documents.decode import decode
from rag.documents.marks import Marks
from rag.documents.people import clean_name
from rag.types import Problem

READER = "latex/2"
_LEVELS = {
    "part": 2,
    "chapter": 2,
    "section": 2,
    "subsection": 3,
    "subsubsection": 4,
    "paragraph": 5,
    "subparagraph": 6,
}
_COMMAND = re.compile(
    r"\\(title|author|date|part|chapter|section|subsection|subsubsection|paragraph|subparagraph|caption|footnote|thanks)\*?\s*+(?:\[[^\]]{0,1000}+\]\s*+)?\{"
)
_CITE = re.compile(r"~?\\(?P<name>[a-zA-Z]{0,30}[cC]ite[a-zA-Z]{0,30}+)\*?\s*+(?:\([^()]{0,1000}+\)\s*+){0,2}(?=[\[{])")
_CITED = re.compile(r"\s*+((?:\[[^\]]{0,1000}+\]\s*+){0,2})\{([^{}]*+)\}")
_NO_CITATION = re.compile(r"nocite|[a-z]*cite(?:style|alias|reset|text)|defcitealias|setcitestyle", re.IGNORECASE)
_NARRATIVE = re.compile(
    r"(?:[tT]extcites?|[cC]ite(?:t|alt|alp|author|year|title|num)|onlinecite|newcite|shortciteN?|citeN|citeA)"
)
_DROP_ENVIRONMENTS = ("tikzpicture", "comment", "filecontents", "filecontents*", "lstlisting_", "pgfpicture")
_BIBITEM = re.compile(
    r"\\bibitem\s*+(?:\[(?:[^\[\]{}]++|\{(?:[^{}]++|\{(?:[^{}]++|\{[^{}]*+\})*+\})*+\})*+\]\s*+)?\{([^{}]*+)\}"
)
_ASIDES = re.compile(r"\\(?:thanks|inst|affil|orcid|email|footnote)\*?\s*+\{[^{}]*+\}")
_LAYOUT = re.compile(
    r"\\(?:label|vspace|hspace|includegraphics|bibliographystyle|pagestyle|thispagestyle|setcounter)\*?"
    r"(?:\[[^\]]{0,1000}+\])?\{[^{}]*+\}"
)
_DOTLESS = re.compile(r"\\(['`^\"~=.uvHck])\s*+\{?\\([ij])(?![A-Za-z])\s*+\}?")
_BRACE = re.compile(r"(?<!\\)[{}]")
_FRONT = {"title", "author", "date"}
_MARK = "\x1e"


def read_latex(data: bytes, name: str) -> Draft:
    """Read one LaTeX source file. Raises DocumentError when the bytes are no text."""
    source, problems = decode(data, name)
    return read_source(source, name, problems)


def read_source(source: str, name: str, problems: list[Problem], listed: str = "") -> Draft:
    """Read LaTeX source; `listed` is its `thebibliography` where that is a file of its own."""
    draft = Draft([], READER, "application/x-tex", problems=problems)
    source = latex_source.without_comments(source.replace("\r\n", "\n"))
    for other in re.findall(r"\\(?:input|include)\s*\{([^{}]*)\}", source):
        draft.problems.append(Problem("part-left-out", f"{name} takes in {other!r}, another file; add that one too."))
    source, whole = latex_source.expanded(*latex_source.defined(source))
    if not whole:
        said = f"{name} defines commands by each other without end; they were left out, and words may be missing."
        draft.problems.append(Problem("part-left-out", said))
    preamble, begin, body = source.partition(r"\begin{document}")
    if not begin:
        preamble, body = "", source
    body = body.split(r"\end{document}")[0]
    _front(draft, preamble + body)
    for environment in _DROP_ENVIRONMENTS:
        body = without(body, rf"\begin{{{environment}}}", rf"\end{{{environment}}}")
    body, _, own = body.partition(r"\begin{thebibliography}")
    listed = own or listed
    _body(draft, body)
    if listed:
        draft.blocks.append(Block("References", "heading", 2, kind="bibliography"))
        draft.blocks += [Block(draft.marks.put("entry", key, text)) for key, text in entries(listed)]
    return draft


def entries(listed: str) -> list[tuple[str, str]]:
    r"""Key and text of every `\bibitem` of a `thebibliography`, as BibTeX writes it into a .bbl file."""
    listed = latex_source.without_comments(listed).split(r"\end{thebibliography}", maxsplit=1)[0]
    marks = list(_BIBITEM.finditer(listed))
    found = []
    for match, following in zip(marks, [*marks[1:], None], strict=False):
        entry = listed[match.end() : following.start() if following else len(listed)].replace(r"\newblock", " ")
        addresses: list[str] = []
        text = " ".join(plain(entry, Marks(), addresses).split())
        linked = [a for a in (plain(address, Marks()) for address in addresses) if a not in text]
        if text:
            found.append((match[1].strip(), " ".join([text, *linked])))
    return found


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
            draft.title = " ".join(plain(_ASIDES.sub("", said).replace(r"\\", " "), Marks()).split()) or None
        elif match[1] == "author" and not draft.authors:
            for part in re.split(r"\\and\b|\\AND\b|\\\\|,|\band\b", _ASIDES.sub("", said)):
                name = clean_name(" ".join(plain(part, Marks()).split()))
                if name and " " in name:
                    draft.authors.append(name)
        elif match[1] == "date" and draft.date is None:
            draft.date = parse_date(" ".join(plain(said, Marks()).split()))
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
        draft.blocks.append(Block(" ".join(plain(title, Marks()).split()), "heading", _LEVELS[match[1]]))
    _text(draft, body[position:], notes)
    if notes:
        draft.blocks.append(Block("Notes", "heading", 2, kind="notes"))
        draft.blocks.extend(Block(f"[{i}] {note}") for i, note in enumerate(notes, start=1))


def _text(draft: Draft, source: str, notes: list[str]) -> None:
    source = _front_commands_out(source)
    source = _notes_out(source, notes, draft.marks)
    # A paragraph ends at a blank line and at any environment that stands on its own.
    source = re.sub(
        r"\\(begin|end)\{(itemize|enumerate|description|quote|quotation|figure|table|center|abstract)\*?\}(?:\[[^\]]{0,1000}+\])?",
        "\n\n",
        source,
    )
    source = re.sub(r"\\item\s*(?:\[([^\]]{0,1000}+)\])?", lambda m: f"\n{_MARK}{(m[1] or '').strip()} ", source)
    for paragraph in re.split(r"\n\s*\n", source):
        items = paragraph.split(_MARK)
        text = " ".join(plain(items[0], draft.marks).split())
        if text:
            draft.blocks.append(Block(text))
        lines = [" ".join(plain(item, draft.marks).split()) for item in items[1:]]
        lines = [f"- {line}" for line in lines if line]
        if lines:
            draft.blocks.append(Block("\n".join(lines), "list"))


def _front_commands_out(source: str) -> str:
    out, position = [], 0
    for match, _, end in _commands(source, _FRONT):
        out.append(source[position : match.start()])
        position = end
    return "".join([*out, source[position:]])


def _notes_out(source: str, notes: list[str], marks: Marks) -> str:
    """Footnotes become numbers in brackets, marked; their text is gathered in `notes`."""
    out, position = [], 0
    for match, said, end in _commands(source, {"footnote"}):
        notes.append(" ".join(plain(said, marks).split()))
        number = str(len(notes))
        out += [source[position : match.start()], " ", marks.put("note", number, f"[{number}]")]
        position = end
    return "".join([*out, source[position:]])


def _citations(source: str, marks: Marks) -> str:
    """Citation commands as their keys, marked: in brackets, or as a word where they are part of the sentence."""
    out, position = [], 0
    for match in _CITE.finditer(source):
        if match.start() < position:
            continue
        groups: list[re.Match[str]] = []
        end = match.end()
        while (group := _CITED.match(source, end)) and (not groups or match["name"].endswith("cites")):
            groups.append(group)
            end = group.end()
        if groups:
            out += [source[position : match.start()], _cited(match["name"], groups, marks)]
            position = end
    return "".join([*out, source[position:]])


def _cited(name: str, groups: Sequence[re.Match[str]], marks: Marks) -> str:
    r"""The keys, with the notes of `\cite[see][p. 4]{key}` before and behind them."""
    if _NO_CITATION.fullmatch(name):
        return ""
    narrative = _NARRATIVE.fullmatch(name) is not None
    said = []
    for group in groups:
        notes = [note.strip() for note in re.findall(r"\[([^\]]{0,1000}+)\]", group[1])]
        before, after = (notes[0], notes[1]) if len(notes) > 1 else ("", notes[0] if notes else "")
        keys = [key.strip() for key in group[2].split(",") if key.strip()]
        shown = ", ".join(marks.cited(key, narrative=narrative) for key in keys)
        if narrative:
            said.append(f"{before} {shown}{f' ({after})' if after else ''}".strip())
        else:
            said.append(", ".join(part for part in (f"{before} {shown}".strip(), after) if part))
    return " " + ("; ".join(said) if narrative else f"[{'; '.join(said)}]")


def plain(source: str, marks: Marks, addresses: list[str] | None = None) -> str:
    """LaTeX as plain Unicode; citations become their keys, marked; links' addresses are put into `addresses`."""
    from pylatexenc.latex2text import LatexNodes2Text

    source = latex_source.written_out(_LAYOUT.sub("", _citations(source, marks)), addresses)
    source = _DOTLESS.sub(r"\\\1{\2}", source)
    try:
        converter = LatexNodes2Text(math_mode="text", strict_latex_spaces=False)
        text = str(converter.latex_to_text(source, tolerant_parsing=True))
    except (ValueError, IndexError, KeyError, RecursionError, AttributeError, TypeError):
        # A parser stopped by broken source must not lose the text: the words without the commands.
        return re.sub(r"\\[a-zA-Z]+\*?|[{}$]", " ", source)
    return re.sub(r"<(https?://[^<>\s]+)>", r"\1", text)
