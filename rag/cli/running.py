"""Commands that run and check the whole: serve, mcp, settings, doctor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.markup import escape

from rag.cli.shared import JsonFlag, err, out, print_json, settings_of, workspace_of
from rag.errors import AdFontesError

app = typer.Typer()


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to bind (ADFONTES_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to bind, 0 for a free one (ADFONTES_PORT).")] = None,
) -> None:
    """Serve the page and the API."""
    workspace = workspace_of(context, host=host, port=port)
    workspace.preload()  # while the service is imported
    import uvicorn

    from service.app import create_app

    config = workspace.settings
    err.print(f"Ad Fontes at http://{config.host}:{config.port}/  (stop with Ctrl+C)")
    uvicorn.run(create_app(workspace), host=config.host, port=config.port, log_level="warning")


@app.command()
def mcp(context: typer.Context) -> None:
    """Serve the tools for language models over standard input and output (Model Context Protocol)."""
    from service.tools import serve_stdio

    serve_stdio(workspace_of(context))


@app.command("settings")
def list_settings(context: typer.Context, *, as_json: JsonFlag = False) -> None:
    """Show every setting: its value, where it comes from, and what it is for."""
    from rag.settings import Settings, misspelt

    chosen = settings_of(context)
    rows = [
        {"setting": name, "value": str(getattr(chosen, name)), "origin": chosen.origin(name), "help": field.description}
        for name, field in Settings.model_fields.items()
    ]
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            out.print(f"[bold]{row['setting']}[/] = {escape(str(row['value']))}  [cyan]{escape(str(row['origin']))}[/]")
            out.print(f"    [dim]{escape(str(row['help']))}[/]")
    for name in misspelt():
        err.print(f"[yellow]note:[/] the environment variable {name} is no setting")


@app.command()
def doctor(context: typer.Context, *, as_json: JsonFlag = False) -> None:
    """Check settings, models and index; exit 1 when a question could not be answered."""
    from importlib.metadata import version

    workspace = workspace_of(context)
    checks: list[dict[str, Any]] = [{"check": "version", "ok": True, "detail": version("adfontes")}]
    for name, value in workspace.settings.model_dump(mode="json").items():
        checks.append({"check": f"setting {name}", "ok": True, "detail": str(value)})
    attempts: tuple[tuple[str, Callable[[], str]], ...] = (
        ("encoder", lambda: f"{workspace.encoder().name}, {workspace.encoder().dimension} dimensions"),
        ("index", lambda: f"{workspace.generation().state.generation}, {workspace.generation().size} chunks, whole"),
        ("question", lambda: f"{workspace.ask('What is this about?').timings_ms}"),
    )
    for name, attempt in attempts:
        try:
            checks.append({"check": name, "ok": True, "detail": attempt()})
        except AdFontesError as error:
            checks.append({"check": name, "ok": False, "detail": str(error)})
    if as_json:
        print_json(checks)
    else:
        for check in checks:
            mark = "[green]ok[/]  " if check["ok"] else "[red]fail[/]"
            out.print(f"{mark} {check['check']}: {escape(str(check['detail']))}")
    if not all(check["ok"] for check in checks):
        raise typer.Exit(1)
