"""Commands that run and check the whole: serve, mcp, settings, doctor."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from rag.cli.shared import JsonFlag, err, out, print_json, settings_of, workspace_of
from rag.errors import AdFontesError, SettingsError
from rag.settings import Settings, misspelt

if TYPE_CHECKING:
    from rag.workspace import Workspace

LEAST_FREE_GIB = 0.5
"""Below this a rebuild may fail for want of room."""

app = typer.Typer()


@app.command()
def serve(
    context: typer.Context,
    *,
    host: Annotated[str | None, typer.Option(help="Address to bind (ADFONTES_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to bind, 0 for a free one (ADFONTES_PORT).")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that serve (ADFONTES_WORKERS).")] = None,
) -> None:
    """Serve the page and the API."""
    workspace = workspace_of(context, host=host, port=port, workers=workers)
    chosen = workspace.settings
    if chosen.workers == 1:
        workspace.preload()  # while the service is imported
    from service import serving

    for name in misspelt():
        err.print(f"[yellow]note:[/] the environment variable {name} is no setting")
    err.print(f"Ad Fontes at http://{chosen.host}:{chosen.port}/  (stop with Ctrl+C)")
    serving.serve(workspace)


@app.command()
def mcp(context: typer.Context) -> None:
    """Serve the tools for language models over standard input and output (Model Context Protocol)."""
    from service.tools import serve_stdio

    serve_stdio(workspace_of(context))


@app.command("settings")
def list_settings(context: typer.Context, *, as_json: JsonFlag = False) -> None:
    """Show every setting: its value, where it comes from, and what it is for."""
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
    """Check versions, settings, disk, models and every index; exit 1 when a question could not be answered."""
    workspace = workspace_of(context)
    checks = [_checked(name, attempt) for name, attempt in _attempts(workspace).items()]
    if as_json:
        print_json(checks)
    else:
        for check in checks:
            mark = "[green]ok[/]  " if check["ok"] else "[red]fail[/]"
            out.print(f"{mark} {check['check']}: {escape(str(check['detail']))}")
    if not all(check["ok"] for check in checks):
        raise typer.Exit(1)


def _attempts(workspace: Workspace) -> dict[str, Callable[[], str]]:
    """What is checked, in the order in which one failure explains the next."""
    chosen = workspace.settings
    attempts: dict[str, Callable[[], str]] = {"versions": _versions, "settings": lambda: _settings(chosen)}
    attempts |= {f"disk {folder}": partial(_disk, folder) for folder in (chosen.corpus, chosen.index)}
    attempts["keys"] = lambda: _keys(chosen)
    attempts["encoder"] = lambda: f"{workspace.encoder().name}, {workspace.encoder().dimension} dimensions"
    attempts["judge"] = lambda: judge.name if (judge := workspace.judge()) else "turned off"
    for name in workspace.collections() or [chosen.collection]:
        attempts[f"index {name}"] = partial(_index, workspace, name)
    attempts["question"] = lambda: f"answered in {sum(workspace.ask('What is this about?').timings_ms.values()):.0f} ms"
    return attempts


def _checked(name: str, attempt: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"check": name, "ok": True, "detail": attempt()}
    except (AdFontesError, OSError) as error:
        return {"check": name, "ok": False, "detail": str(error)}


def _versions() -> str:
    names = ("adfontes", "torch", "sentence-transformers", "faiss-cpu", "onnxruntime", "tiktoken", "fastapi", "uvicorn")
    return ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in names)])


def _settings(chosen: Settings) -> str:
    wrong = misspelt()
    if wrong:
        raise SettingsError(f"{', '.join(wrong)}: no such setting; `adfontes settings` lists them")
    own = [
        f"{n} = {getattr(chosen, n)} ({chosen.origin(n)})"
        for n in Settings.model_fields
        if chosen.origin(n) != "default"
    ]
    return "; ".join(own) or "all at their defaults"


def _disk(folder: Path) -> str:
    there = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    free = shutil.disk_usage(there).free / 2**30
    if not os.access(there, os.W_OK):
        raise SettingsError(f"{str(there)!r} cannot be written; rebuilding needs it")
    if free < LEAST_FREE_GIB:
        raise SettingsError(f"only {free:.1f} GiB are free at {str(there)!r}; a rebuild needs room for another index")
    return f"{free:.1f} GiB free"


def _keys(chosen: Settings) -> str:
    from service.keys import Keys

    usable = sum(key.usable for key in Keys(chosen.keys).all())
    return f"{usable} usable in {chosen.keys}; required: {chosen.require_keys} (bound to {chosen.host})"


def _index(workspace: Workspace, name: str) -> str:
    generation = workspace.generation(name)
    whole = f"{generation.state.generation}, {generation.size} chunks, whole"
    out = [f"{entry['source']} ({entry['reason']})" for entry in generation.manifest["skipped"]]
    return f"{whole}; left out: {'; '.join(out)}" if out else whole
