"""Commands that ask: ask, search, verify."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from rag.cli.shared import JsonFlag, out, print_answer, print_checked, print_json, workspace_of
from rag.errors import InputError

app = typer.Typer()
Confined = dict[str, Any] | None
FILTERS = {
    "documents": ("document", list[str], "Only this document (may be given again)."),
    "kind": ("kind", str, "Only `article`s, or only `source`s that a document here lists."),
    "authors": ("author", list[str], "Only documents of this author."),
    "year_from": ("from_year", int, "Only documents of this year or later."),
    "year_to": ("to_year", int, "Only documents of this year or earlier."),
    "languages": ("language", list[str], "Only documents in this language."),
    "sections": ("section", list[str], "Only passages below this heading."),
    "cites": ("cites", list[str], "Only passages that cite this bibliography entry."),
}
"""Filter → its option, what the option takes, its help."""


def _filtered(command: Callable[..., None]) -> Callable[..., None]:
    """`command` with an option for each filter where it takes `filters`; it gets those that were given."""
    parameters = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        if parameter.name != "filters":
            parameters.append(parameter)
            continue
        for name, takes, told in FILTERS.values():
            option = typer.Option(f"--{name.replace('_', '-')}", help=told)
            annotation = Annotated[takes | None, option]  # type: ignore[valid-type]  # made as it runs
            parameters.append(parameter.replace(name=name, annotation=annotation, default=None))

    @wraps(command)
    def filled(**given: Any) -> None:  # noqa: ANN401  (of every option's type)
        # typer gives an empty list for an option left out
        filters = {f: v for f, (name, *_) in FILTERS.items() if (v := given.pop(name)) not in (None, [])}
        command(**given, filters=filters)

    filled.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    filled.__annotations__ = {p.name: p.annotation for p in parameters}
    return filled


@app.command()
@_filtered
def ask(
    context: typer.Context,
    question: str,
    *,
    limit: Annotated[int | None, typer.Option(min=1, max=100, help="Passages to retrieve.")] = None,
    style: Annotated[str | None, typer.Option(help="harvard, apa, chicago, mla or ieee.")] = None,
    filters: Confined = None,
    as_json: JsonFlag = False,
) -> None:
    """Ask a question; the answer quotes the sources and leads on to their bibliography."""
    workspace = workspace_of(context)
    workspace.preload()
    answer = workspace.ask(question, limit=limit, style=style, filters=filters)
    if as_json:
        print_json(asdict(answer))
    else:
        print_answer(answer)


@app.command()
@_filtered
def search(
    context: typer.Context,
    query: str,
    *,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Passages to show.")] = 5,
    filters: Confined = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the passages nearest to a query, with their scores."""
    generation, passages = workspace_of(context).search(query, limit=limit, filters=filters)
    if as_json:
        print_json({"index": asdict(generation.state), "passages": [asdict(p) for p in passages]})
        return
    for number, passage in enumerate(passages, 1):
        scores = ", ".join(f"{k} {v:.3f}" for k, v in asdict(passage.scores).items() if v is not None)
        out.print(f"[bold]{number}[/] {escape(passage.id)}  [dim]{escape(passage.section or '')}  {scores}[/]")
        out.print(escape(passage.text) + "\n")


@app.command()
@_filtered
def verify(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="A text file, or `-` for standard input.")],
    *,
    against: Annotated[
        list[Path] | None, typer.Option(help="A text file to hold it to instead of the sources (may be given again).")
    ] = None,
    style: Annotated[str | None, typer.Option(help="harvard, apa, chicago, mla or ieee.")] = None,
    filters: Confined = None,
    as_json: JsonFlag = False,
) -> None:
    """Say of each sentence of a text whether the sources carry it, and where they do."""
    passages = [_text(str(one)) for one in against] if against else None
    checked = workspace_of(context).check(_text(file), passages=passages, style=style, filters=filters)
    if as_json:
        print_json(asdict(checked))
    else:
        print_checked(checked)


def _text(name: str) -> str:
    """A file's text, or what standard input holds. Raises InputError for what cannot be read or is no text."""
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name!r} is no text in UTF-8; save it as plain text") from error
    except OSError as error:
        raise InputError(
            f"{name!r} cannot be read ({error.strerror}); name a text file, or - for standard input"
        ) from error
