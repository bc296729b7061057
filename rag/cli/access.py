"""Commands about API keys: keys add, keys list, keys revoke."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from rag.cli.shared import JsonFlag, err, out, print_json, settings_of

keys_app = typer.Typer(help="API keys: who may ask the service, and what.", no_args_is_help=True)


@keys_app.command("add")
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Whose key it is, for the list and the log.")],
    *,
    scope: Annotated[list[str] | None, typer.Option(help="ask, write or admin; may be given again.")] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Only this collection; may be given again. Else all.")
    ] = None,
    rate: Annotated[int | None, typer.Option(min=1, help="Requests a minute (else ADFONTES_RATE_LIMIT).")] = None,
    quota: Annotated[int | None, typer.Option(min=1, help="Questions a day (else ADFONTES_DAILY_QUOTA).")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Days until it expires; else never.")] = None,
) -> None:
    """Make a key and print it, once: only its hash is kept."""
    from service.keys import Keys

    key, secret = Keys(settings_of(context).keys).add(
        name, scopes=scope or ["ask"], collections=only, rate=rate, quota=quota, days=days
    )
    err.print(f"key {key.id} for {escape(key.name)}: {', '.join(sorted(key.scopes))}; it is not shown again:")
    print(secret)


@keys_app.command("list")
def listed(context: typer.Context, *, as_json: JsonFlag = False) -> None:
    """List the keys: whose, what for, until when, and how much they were used today."""
    from service.keys import Keys

    found = Keys(settings_of(context).keys).all()
    if as_json:
        print_json([key.shown() for key in found])
        return
    for key in found:
        reach = ", ".join(sorted(key.collections)) if key.collections is not None else "all collections"
        state = "revoked" if key.revoked_at else f"until {key.expires_at[:10]}" if key.expires_at else "no end"
        out.print(f"{key.id}  [bold]{escape(key.name)}[/]  {', '.join(sorted(key.scopes))}  {reach}  {state}")
    if not found:
        out.print("no key yet; make one with `adfontes keys add NAME`")


@keys_app.command("revoke")
def revoke(context: typer.Context, key: Annotated[str, typer.Argument(help="The key's id, as listed.")]) -> None:
    """Make a key useless from the next request on, in every running service."""
    from service.keys import Keys

    gone = Keys(settings_of(context).keys).revoke(key)
    out.print(f"revoked: {gone.id} ({escape(gone.name)})")
