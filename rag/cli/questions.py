"""Commands that ask: ask, search."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.markup import escape

from rag.cli.shared import JsonFlag, out, print_answer, print_json, workspace_of

app = typer.Typer()
Documents = Annotated[list[str] | None, typer.Option("--document", help="Only this document (may be given again).")]
Kind = Annotated[str | None, typer.Option(help="Only `article`s, or only `source`s that a document here lists.")]
Authors = Annotated[list[str] | None, typer.Option("--author", help="Only documents of this author.")]
FromYear = Annotated[int | None, typer.Option(help="Only documents of this year or later.")]
ToYear = Annotated[int | None, typer.Option(help="Only documents of this year or earlier.")]
Languages = Annotated[list[str] | None, typer.Option("--language", help="Only documents in this language.")]
Sections = Annotated[list[str] | None, typer.Option("--section", help="Only passages below this heading.")]
Cites = Annotated[list[str] | None, typer.Option(help="Only passages that cite this bibliography entry.")]


@app.command()
def ask(
    context: typer.Context,
    question: str,
    *,
    limit: Annotated[int | None, typer.Option(min=1, max=100, help="Passages to retrieve.")] = None,
    style: Annotated[str | None, typer.Option(help="harvard, apa, chicago, mla or ieee.")] = None,
    document: Documents = None,
    kind: Kind = None,
    author: Authors = None,
    from_year: FromYear = None,
    to_year: ToYear = None,
    language: Languages = None,
    section: Sections = None,
    cites: Cites = None,
    as_json: JsonFlag = False,
) -> None:
    """Ask a question; the answer quotes the sources and leads on to their bibliography."""
    filters = _given(
        documents=document, kind=kind, authors=author, year_from=from_year, year_to=to_year, languages=language,
        sections=section, cites=cites,
    )  # fmt: skip
    workspace = workspace_of(context)
    workspace.preload()
    answer = workspace.ask(question, limit=limit, style=style, filters=filters)
    if as_json:
        print_json(asdict(answer))
    else:
        print_answer(answer)


@app.command()
def search(
    context: typer.Context,
    query: str,
    *,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Passages to show.")] = 5,
    document: Documents = None,
    kind: Kind = None,
    author: Authors = None,
    from_year: FromYear = None,
    to_year: ToYear = None,
    language: Languages = None,
    section: Sections = None,
    cites: Cites = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the passages nearest to a query, with their scores."""
    filters = _given(
        documents=document, kind=kind, authors=author, year_from=from_year, year_to=to_year, languages=language,
        sections=section, cites=cites,
    )  # fmt: skip
    generation, passages = workspace_of(context).search(query, limit=limit, filters=filters)
    if as_json:
        print_json({"index": asdict(generation.state), "passages": [asdict(p) for p in passages]})
        return
    for number, passage in enumerate(passages, 1):
        scores = ", ".join(f"{k} {v:.3f}" for k, v in asdict(passage.scores).items() if v is not None)
        out.print(f"[bold]{number}[/] {escape(passage.id)}  [dim]{escape(passage.section or '')}  {scores}[/]")
        out.print(escape(passage.text) + "\n")


def _given(**filters: Any) -> dict[str, Any]:  # noqa: ANN401  (of every filter's type)
    """The filters that were given; typer gives an empty list for an option left out."""
    return {name: value for name, value in filters.items() if value not in (None, [])}
