"""Commands about the built generations: index, index rollback, index verify."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from rag.cli.shared import JsonFlag, out, print_json, workspace_of

index_app = typer.Typer(help="The built generations of a collection.", invoke_without_command=True)


@index_app.callback()
def index(context: typer.Context, *, as_json: JsonFlag = False) -> None:
    """List the generations of the collection, the live one marked."""
    if context.invoked_subcommand is not None:
        return
    listed = workspace_of(context).generations()
    if as_json:
        print_json([asdict(g) for g in listed])
        return
    for g in listed:
        mark = "[green]*[/]" if g.current else " "
        out.print(f"{mark} {g.id}  {g.built_at}  {g.documents} documents, {g.chunks} chunks  {g.manifest_sha256[:12]}")
    if not listed:
        out.print("no generation yet; build one with `adfontes rebuild`")


@index_app.command("rollback")
def rollback(context: typer.Context, generation: Annotated[str | None, typer.Argument()] = None) -> None:
    """Make an older generation live: the one named, or the one before."""
    out.print(f"live: {workspace_of(context).rollback(generation=generation).id}")


@index_app.command("verify")
def verify(context: typer.Context) -> None:
    """Check every file of the live generation against its manifest."""
    state = workspace_of(context).generation().state
    out.print(f"{state.generation} is whole (manifest {state.manifest_sha256[:12]})")
