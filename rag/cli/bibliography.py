"""Commands about the bibliography: audit, references."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from rag.cli.shared import JsonFlag, out, print_json, shortened, workspace_of
from rag.errors import InputError
from rag.types import Problem

app = typer.Typer()
_COLOURS = {"error": "red", "warning": "yellow", "info": "dim"}


@app.command()
def audit(
    context: typer.Context,
    *,
    strict: Annotated[bool, typer.Option(help="Exit with 1 when there is any error or warning.")] = False,
    form: Annotated[str, typer.Option("--format", help="text, json, sarif (2.1.0) or csv.")] = "text",
    document: Annotated[str | None, typer.Option(help="Only this document's problems.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """List what is wrong with the bibliography and the in-text citations. Nothing is repaired silently."""
    from rag.citations import report

    form = "json" if as_json else form
    if form not in {"text", "json", "sarif", "csv"}:
        raise InputError(f"format {form!r} is not known; use text, json, sarif or csv")
    generation = workspace_of(context).generation()
    if document is not None:
        generation.document(document)
    problems = generation.problems(document)
    texts = {d.id: generation.document(d.id).text for d in generation.documents()} if form != "json" else {}
    if form == "json":
        print_json({"index": asdict(generation.state), "problems": [asdict(p) for p in problems]})
    elif form == "sarif":
        print_json(report.sarif(problems, texts, {d.id: d.source for d in generation.documents()}))
    elif form == "csv":
        csv.writer(sys.stdout).writerows([report.COLUMNS, *report.rows(problems, texts)])
    else:
        _print_problems(problems, texts)
    if strict and any(p.severity != "info" for p in problems):
        raise typer.Exit(1)


def _print_problems(problems: Sequence[Problem], texts: Mapping[str, str]) -> None:
    from rag.citations import explained, report

    for p in problems:
        place = ""
        if quote := shortened(report.quoted(p, texts), 120):
            place = f"\n    [dim]{escape(p.document_id or '')}:{p.start}-{p.end}  “{escape(quote)}”[/]"
        out.print(f"[{_COLOURS[p.severity]}]{p.severity:7}[/] [bold]{p.kind}[/]  {escape(p.message)}{place}")
    kinds = dict.fromkeys(p.kind for p in problems)
    if kinds:
        out.print()
    for kind in kinds:
        out.print(f"[dim]{kind}: {escape(explained(kind)[2])}[/]")
    counted = {s: sum(p.severity == s for p in problems) for s in _COLOURS}
    out.print(f"{counted['error']} errors, {counted['warning']} warnings, {counted['info']} notes")


@app.command()
def references(
    context: typer.Context,
    *,
    form: Annotated[str, typer.Option("--format", help="text, bibtex, ris or csl.")] = "text",
    style: Annotated[str | None, typer.Option(help="harvard, apa, chicago, mla or ieee.")] = None,
    only: Annotated[list[str] | None, typer.Option("--id", help="Only this entry; may be given again.")] = None,
    answer: Annotated[
        str | None, typer.Option(help="Only what this answer used: a file of `ask --json`, or - for standard input.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Print the bibliography, or the entries that an answer used, formatted or exported."""
    from rag.bibliography import STYLES, export

    if form not in {"text", "bibtex", "ris", "csl"}:
        raise InputError(f"format {form!r} is not known; use text, bibtex, ris or csl")
    if style is not None and style not in STYLES:
        raise InputError(f"style {style!r} is not known; use {', '.join(STYLES)}")
    workspace = workspace_of(context)
    generation = workspace.generation()
    wanted = [*(only or []), *(_used(answer) if answer is not None else [])]
    all_of_them = only is None and answer is None
    listed = generation.references() if all_of_them else [generation.reference(i) for i in dict.fromkeys(wanted)]
    if as_json:
        print_json([asdict(r) for r in listed])
        return
    text = export(listed, form, style or workspace.settings.citation_style)  # type: ignore[arg-type]
    sys.stdout.write(text.rstrip("\n") + "\n" if text else "")


def _used(answer: str) -> list[str]:
    """The entries of an answer that `ask --json` printed. Raises InputError for anything else."""
    try:
        text = sys.stdin.read() if answer == "-" else Path(answer).read_text(encoding="utf-8")
        found: Any = json.loads(text)
        return [str(reference["id"]) for reference in found["references"]]
    except OSError as error:
        raise InputError(
            f"{answer}: cannot be read ({error.strerror}); give a file of `adfontes ask --json`"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{answer}: this is no answer; give a file that `adfontes ask --json` printed") from error
