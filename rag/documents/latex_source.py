r"""LaTeX source made simple before it is read: comments out, the file's own macros, units and links written out.

TeX would run the macros; here they are put in by text, as `\newcommand` and `\def` with plain arguments define them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.documents import units

_KEPT = r"\\(?:url|nolinkurl|href)\s*+\{[^{}\n]*+\}"
_COMMENT = re.compile(rf"({_KEPT})|(?<!\\)%[^\n]*+(\n[ \t]*+|$)?")
_BRACES = re.compile(r"\\.|[{}]", re.DOTALL)
_NEW_COMMAND = re.compile(
    r"\\(?:(?:re|provide)?newcommand|DeclareRobustCommand|DeclareMathOperator)\*?\s*+\{?\s*+\\([A-Za-z@]{1,60}+)\s*+\}?\s*+"
    r"(?:\[([1-9])\])?\s*+(?:\[([^\[\]]{0,500}+)\])?\s*+(?=\{)"
)
_DEF = re.compile(r"\\(?:long\\)?[egx]?def\s*+\\([A-Za-z@]{1,60}+)((?:#[1-9])*+)\s*+(?=\{)")
_COMMAND = re.compile(r"\\([A-Za-z@]++)")
_LEFT = frozenset(
    (
        *("section", "subsection", "subsubsection", "paragraph", "subparagraph", "title", "author", "date"),
        *("footnote", "item", "begin", "end", "ref", "label"),
    )
)
"""Commands that are read as what they are, however the file sets them; so are citations."""
_PARAMETER = re.compile(r"#([1-9])")
_OPTIONAL = re.compile(r"\s*+\[([^\[\]]{0,1000}+)\]")
_TOKEN = re.compile(r"\s*+(\\[A-Za-z@]++|\\.|[^\s{}\\])")
_XSPACE = re.compile(r"\\xspace(?![A-Za-z@])(?=([A-Za-z0-9(\\$])?)")
_PASSES = 8
"""How deep macros may use each other."""
_GROWTH = 200_000
"""Characters, beside twice its own length, to which macros may make a source grow."""
_ADDRESS = re.compile(r"[%#_&~]")
_ESCAPED = {"~": r"\textasciitilde{}"}
_QUANTITIES = {
    "SI": "nu",
    "qty": "nu",
    "num": "n",
    "si": "u",
    "unit": "u",
    "ang": "a",
    "SIrange": "nnu",
    "qtyrange": "nnu",
    "numrange": "nn",
    "SIlist": "lu",
    "qtylist": "lu",
    "numlist": "l",
}


@dataclass(frozen=True, slots=True)
class Macro:
    """A command that the file defines for itself."""

    body: str
    arguments: int
    optional: str | None
    """What the first argument is where it is left out."""


def without_comments(source: str) -> str:
    """The source without what stands behind its % signs; addresses keep theirs."""
    return _COMMENT.sub(
        lambda m: m[1] or ("\n" if m[2] and m.start() and source[m.start() - 1] == "\n" else ""), source
    )


def pairs(source: str) -> dict[int, int]:
    """Where each opening brace's partner stands; braces without one are left out."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for match in _BRACES.finditer(source):
        if match[0] == "{":
            opened.append(match.start())
        elif match[0] == "}" and opened:
            found[opened.pop()] = match.start()
    return found


def defined(source: str) -> tuple[str, dict[str, Macro]]:
    r"""The source without its definitions, and the macros; `\DeclareMathOperator` defines one too."""
    partners, macros = pairs(source), dict[str, Macro]()
    out, position = [], 0
    found = sorted([*_NEW_COMMAND.finditer(source), *_DEF.finditer(source)], key=lambda m: m.start())
    for match in found:
        end = partners.get(match.end())
        if match.start() < position or end is None:
            continue
        body = source[match.end() + 1 : end]
        if match[1] in _LEFT or "cite" in match[1].lower():
            pass
        elif match.re is _DEF:
            macros[match[1]] = Macro(body, len(match[2]) // 2, None)
        else:
            macros[match[1]] = Macro(body, int(match[2] or 0), match[3])
        out.append(source[position : match.start()])
        position = end + 1
    return "".join([*out, source[position:]]), macros


def expanded(source: str, macros: Mapping[str, Macro]) -> tuple[str, bool]:
    """The source with its macros put in, and whether all could be."""
    most = 2 * len(source) + _GROWTH
    for _ in range(_PASSES):
        new = _once(source, macros, most)
        if new is None:
            return _spaced(source), False
        if new == source:
            return _spaced(source), True
        source = new
    return _spaced(source), False


def _once(source: str, macros: Mapping[str, Macro], most: int) -> str | None:
    """The source with the macros put in that stand in it now; None where it would have more than `most` characters."""
    partners = pairs(source)
    out: list[str] = []
    position, length = 0, len(source)
    for match in _COMMAND.finditer(source):
        macro = macros.get(match[1])
        if macro is None or match.start() < position:
            continue
        given, end = _arguments(source, match.end(), macro, partners)
        if given is None:
            continue
        said = _filled(macro.body, given, most)
        length += len(said)
        if length > most:
            return None
        out += [source[position : match.start()], said]
        position = end
    return "".join([*out, source[position:]])


def _filled(body: str, given: Sequence[str], most: int) -> str:
    """The body with its parameters filled in; what grows beyond `most` characters is cut there."""
    out: list[str] = []
    position = length = 0
    for match in _PARAMETER.finditer(body):
        number = int(match[1])
        out += [body[position : match.start()], given[number - 1] if number <= len(given) else ""]
        length += len(out[-1])
        position = match.end()
        if length > most:
            break
    return "".join([*out, body[position:]])


def _arguments(source: str, at: int, macro: Macro, partners: Mapping[int, int]) -> tuple[list[str] | None, int]:
    given: list[str] = []
    if macro.optional is not None and macro.arguments:
        options = _OPTIONAL.match(source, at)
        given.append(options[1] if options else macro.optional)
        at = options.end() if options else at
    while len(given) < macro.arguments:
        said, at = argument(source, at, partners)
        if said is None:
            return None, at
        given.append(said)
    return given, at


def argument(source: str, at: int, partners: Mapping[int, int]) -> tuple[str | None, int]:
    """The next argument, in braces or a single token, and where it ends; None where there is none."""
    opening = at
    while opening < len(source) and source[opening].isspace():
        opening += 1
    if source[opening : opening + 1] == "{":
        end = partners.get(opening)
        return (None, at) if end is None else (source[opening + 1 : end], end + 1)
    token = _TOKEN.match(source, at)
    return (token[1], token.end()) if token else (None, at)


def _spaced(source: str) -> str:
    return _XSPACE.sub(lambda m: " " if m[1] else "", source)


def written_out(source: str, addresses: list[str] | None = None) -> str:
    r"""Links and quantities as text: `\SI{3}{\metre}` as 3 m, `\href` by its text, its address put into `addresses`."""
    partners = pairs(source)
    out, position = [], 0
    for match in _COMMAND.finditer(source):
        kinds = {"href": "at", "url": "a", "nolinkurl": "a"}.get(match[1]) or _QUANTITIES.get(match[1])
        if kinds is None or match.start() < position:
            continue
        options = _OPTIONAL.match(source, match.end())
        end = options.end() if options and match[1] in _QUANTITIES else match.end()
        given: list[str] = []
        while len(given) < len(kinds) and source[end : end + 9].lstrip().startswith("{"):
            one, end = argument(source, end, partners)
            if one is None:
                break
            given.append(one)
        if len(given) < len(kinds):
            continue
        if match[1] == "href" and addresses is not None:
            addresses.append(_address(given[0]))
        out += [source[position : match.start()], _said(match[1], given)]
        position = end
    return "".join([*out, source[position:]])


def _said(name: str, given: list[str]) -> str:
    if name == "href":
        return given[1]
    if name in {"url", "nolinkurl"}:
        return _address(given[0])
    if name == "ang":
        return f"{given[0]}°"
    *numbers, unit = [*given, ""] if "u" not in _QUANTITIES[name] else given
    if name.endswith("list"):
        said = ", ".join(n.strip() for n in numbers[0].split(";"))
    else:
        said = "–".join(n.strip() for n in numbers)
    said = said.replace("+-", " ± ").replace(r"\pm", " ± ")
    return " ".join(part for part in (said, units.said(unit)) if part)


def _address(said: str) -> str:
    """An address as LaTeX would have to be told to print it."""
    return _ADDRESS.sub(lambda m: _ESCAPED.get(m[0], f"\\{m[0]}"), re.sub(r"\\([%#_&~])", r"\1", said.strip()))
