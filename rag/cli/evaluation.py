"""The command that judges: eval."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from rag.cli.shared import JsonFlag, bar, out, print_json, shortened, workspace_of
from rag.types import Progress

app = typer.Typer()


@app.command("eval")
def evaluate(
    context: typer.Context,
    questions: Annotated[Path, typer.Argument(help="Judged questions, one JSON object a line.")],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Ask judged questions and print how many answers are right, rightly cited and rightly declined."""
    from rag import evaluate as evaluation

    workspace = workspace_of(context)
    judged = evaluation.load(questions)
    generation = workspace.generation()
    workspace.warm()
    with bar(quiet=as_json) as progress:
        outcomes = evaluation.run(
            judged, workspace.ask, generation, lambda n: progress(Progress("checking", n, len(judged)))
        )
    measures = evaluation.measure(outcomes)
    if as_json:
        body = evaluation.report(outcomes, measures)
        print_json({"index": asdict(generation.state), "questions": str(questions), **body})
        return
    table = Table("measure", "value", box=None)
    for name, value in asdict(measures).items():
        table.add_row(name.replace("_", " "), "–" if value is None else f"{value:g}")
    out.print(table)
    for o in outcomes:
        if o.failures:
            out.print(f"\n[red]{escape(o.id)}[/] [bold]{escape(o.question)}[/] [dim]confidence {o.confidence:.3f}[/]")
            out.print(f"    {escape('; '.join(o.failures))}\n    [dim]{escape(shortened(o.answer, 400))}[/]")
