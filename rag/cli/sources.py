"""Commands that change the sources: add, remove, rebuild."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from rag.cli.shared import JsonFlag, bar, out, print_json, print_report, workspace_of

app = typer.Typer()


@app.command()
def add(
    context: typer.Context,
    sources: Annotated[list[Path], typer.Argument(help="Files to put into the collection.")],
    *,
    replace: Annotated[bool, typer.Option(help="Overwrite files of the same name.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Put files into the collection and rebuild its index."""
    workspace = workspace_of(context)
    files: list[tuple[str, bytes]] = []
    refused: dict[int, str] = {}
    for number, source in enumerate(sources):
        try:
            files.append((source.name, source.read_bytes()))
        except OSError as error:
            refused[number] = f"{str(source)!r} cannot be read: {error.strerror or error}; give the path of a file"
    with bar(quiet=as_json) as progress:
        report, skipped_files = workspace.add_all(files, overwrite=replace, progress=progress)
    reasons = {s.source: s.reason for s in skipped_files}
    done = []
    for number, source in enumerate(sources):
        reason = refused.get(number) or reasons.get(source.name, "")
        done.append({"source": str(source), "state": "skipped" if reason else "indexed", "reason": reason})
    skipped = [d for d in done if d["state"] == "skipped"]
    if as_json:
        print_json({"sources": done, "report": asdict(report) if report else None})
    else:
        for entry in done:
            mark = "[green]indexed[/]" if entry["state"] == "indexed" else "[red]skipped[/]"
            out.print(f"{mark} {escape(entry['source'])}{': ' + escape(entry['reason']) if entry['reason'] else ''}")
        out.print(f"{len(done) - len(skipped)} indexed, {len(skipped)} skipped, of {len(done)}")
        if report is not None:
            print_report(report)
    if skipped:
        raise typer.Exit(1)


@app.command()
def remove(context: typer.Context, document_id: str, *, as_json: JsonFlag = False) -> None:
    """Take a document out of the collection and rebuild its index."""
    report = workspace_of(context).remove(None, document_id)
    if as_json:
        print_json(asdict(report))
    else:
        print_report(report)


@app.command()
def rebuild(
    context: typer.Context,
    *,
    if_missing: Annotated[bool, typer.Option(help="Do nothing when there is an index already.")] = False,
    force: Annotated[bool, typer.Option(help="Build anew even if nothing changed.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Bring the index up to the sources; embeds only what changed."""
    workspace = workspace_of(context)
    if if_missing and any(g.current for g in workspace.generations()):
        return
    with bar(quiet=as_json) as progress:
        report = workspace.rebuild(progress=progress, force=force)
    if as_json:
        print_json(asdict(report))
    else:
        print_report(report)
