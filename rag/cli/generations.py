"""Commands about the built generations: index list, diff, verify, rollback, prune."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from rag.cli.shared import JsonFlag, err, out, print_json, workspace_of

index_app = typer.Typer(help="The built generations of a collection.", invoke_without_command=True)
_Generation = Annotated[str | None, typer.Argument(help="A generation, as `adfontes index list` names it.")]


@index_app.callback()
def index(context: typer.Context, *, as_json: JsonFlag = False) -> None:
    """List the generations of the collection, the live one marked; the same as `index list`."""
    if context.invoked_subcommand is None:
        _list(context, as_json=as_json)


@index_app.command("list")
def list_all(context: typer.Context, *, as_json: JsonFlag = False) -> None:
    """List the generations of the collection, newest first, the live one marked."""
    _list(context, as_json=as_json)


def _list(context: typer.Context, *, as_json: bool) -> None:
    listed = workspace_of(context).generations()
    if as_json:
        print_json([asdict(g) for g in listed])
        return
    for g in listed:
        mark = "[green]*[/]" if g.current else " "
        out.print(f"{mark} {g.id}  {g.built_at}  {g.documents} documents, {g.chunks} chunks  {g.manifest_sha256[:12]}")
    if not listed:
        out.print("no generation yet; build one with `adfontes rebuild`")


@index_app.command("diff")
def diff(
    context: typer.Context, old: _Generation = None, new: _Generation = None, *, as_json: JsonFlag = False
) -> None:
    """Say what changed between two generations: from the one before the live one to the live one, or those named."""
    found = workspace_of(context).diff(old=old, new=new)
    if as_json:
        print_json(asdict(found))
        return
    out.print(f"{found.old} → {found.new}: {found.chunks[0]} → {found.chunks[1]} chunks")
    for what in ("documents", "references"):
        for how, mark in (("added", "[green]+[/]"), ("removed", "[red]-[/]"), ("changed", "[yellow]~[/]")):
            for name in getattr(found, f"{what}_{how}", ()):
                out.print(f"{mark} {what[:-1]} {escape(name)}")
    for name in found.settings_changed:
        out.print(f"[yellow]~[/] {escape(name)}")


@index_app.command("rollback")
def rollback(context: typer.Context, generation: _Generation = None) -> None:
    """Make an older generation live: the one named, or the one before."""
    out.print(f"live: {workspace_of(context).rollback(generation=generation).id}")


@index_app.command("verify")
def verify(context: typer.Context, generation: _Generation = None, *, as_json: JsonFlag = False) -> None:
    """Check every byte of every generation against its manifest; exit status 1 when one is not what was written."""
    found = workspace_of(context).verify(generation=generation)
    if as_json:
        print_json(found)
    else:
        for name, wrong in found.items():
            out.print(f"[red]damaged[/] {escape(wrong)}" if wrong else f"{name} is whole")
    if any(found.values()):
        raise typer.Exit(1)


@index_app.command("prune")
def prune(
    context: typer.Context,
    *,
    keep: Annotated[int | None, typer.Option(min=1, help="Generations to keep, the live one included.")] = None,
) -> None:
    """Delete the oldest generations, never the live one; the setting `keep_generations` says how many stay."""
    gone = workspace_of(context).prune(keep=keep)
    err.print(f"{len(gone)} deleted")
    for name in gone:
        out.print(name)
