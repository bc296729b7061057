"""Commands about the bibliography: audit, references."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from rag.cli.shared import JsonFlag, out, print_json, shortened, workspace_of
from rag.errors import InputError

app = typer.Typer()


@app.command()
def audit(
    context: typer.Context,
    *,
    strict: Annotated[bool, typer.Option(help="Exit with 1 when there is any error or warning.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """List what is wrong with the bibliography and the in-text citations. Nothing is repaired silently."""
    generation = workspace_of(context).generation()
    problems = generation.problems()
    if as_json:
        print_json({"index": asdict(generation.state), "problems": [asdict(p) for p in problems]})
    else:
        colours = {"error": "red", "warning": "yellow", "info": "dim"}
        texts = {d.id: generation.document(d.id).text for d in generation.documents()}
        for p in problems:
            place = ""
            if p.start is not None and p.end is not None and p.document_id in texts:
                quote = " ".join(texts[p.document_id][p.start : p.end].split())
                place = f"\n    [dim]{escape(p.document_id)}:{p.start}-{p.end}  “{escape(shortened(quote, 120))}”[/]"
            out.print(f"[{colours[p.severity]}]{p.severity:7}[/] [bold]{p.kind}[/]  {escape(p.message)}{place}")
        counted = {s: sum(p.severity == s for p in problems) for s in colours}
        out.print(f"{counted['error']} errors, {counted['warning']} warnings, {counted['info']} notes")
    if strict and any(p.severity != "info" for p in problems):
        raise typer.Exit(1)


@app.command()
def references(
    context: typer.Context,
    *,
    form: Annotated[str, typer.Option("--format", help="text, bibtex, ris or csl.")] = "text",
    style: Annotated[str | None, typer.Option(help="harvard, apa, chicago, mla or ieee.")] = None,
    only: Annotated[list[str] | None, typer.Option("--id", help="Only this entry; may be given again.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Print the bibliography, or the entries that an answer used, formatted or exported."""
    from rag.bibliography import export

    workspace = workspace_of(context)
    generation = workspace.generation()
    listed = [generation.reference(i) for i in only] if only else generation.references()
    if as_json:
        print_json([asdict(r) for r in listed])
        return
    if form not in {"text", "bibtex", "ris", "csl"}:
        raise InputError(f"format {form!r} is not known; use text, bibtex, ris or csl")
    sys.stdout.write(export(listed, form, style or workspace.settings.citation_style).rstrip("\n") + "\n")  # type: ignore[arg-type]
