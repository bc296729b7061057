"""`adfontes`: the command line. Reads the settings, opens a workspace, prints what it says; exit 0 only on success."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

# Before numpy is loaded: its threads, asked for a small product, spin afterwards and take processors from the models.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import typer
from rich.markup import escape

from rag.cli import access, bibliography, evaluation, fetching, generations, questions, running, sources
from rag.cli.shared import err
from rag.errors import AdFontesError, SettingsError

app = typer.Typer(
    name="adfontes",
    help="Ask your sources; every sentence of the answer leads back to the passage and on to the bibliography.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for room in (sources, fetching, questions, evaluation, bibliography, running):
    app.registered_commands += room.app.registered_commands
app.add_typer(generations.index_app, name="index")
app.add_typer(access.keys_app, name="keys")


@app.callback()
def settings(
    context: typer.Context,
    *,
    corpus: Annotated[Path | None, typer.Option(help="Folder of collections (ADFONTES_CORPUS).")] = None,
    index: Annotated[Path | None, typer.Option(help="Folder of generations (ADFONTES_INDEX).")] = None,
    collection: Annotated[str | None, typer.Option(help="Collection to work with (ADFONTES_COLLECTION).")] = None,
    encoder: Annotated[str | None, typer.Option(help="Encoder's name or path (ADFONTES_ENCODER).")] = None,
    file: Annotated[Path | None, typer.Option("--settings", help="Settings file (ADFONTES_SETTINGS).")] = None,
    given: Annotated[
        list[str] | None, typer.Option("--set", help="Any setting, as NAME=VALUE; may be given again.")
    ] = None,
) -> None:
    """Take the settings that every command shares."""
    flags: dict[str, Any] = {}
    for one in given or ():
        name, equals, value = one.partition("=")
        if not equals:
            raise SettingsError(f"--set takes NAME=VALUE, for example --set passages=12, and not {one!r}")
        flags[name.strip().removeprefix("ADFONTES_").lower()] = value
    named = {"corpus": corpus, "index": index, "collection": collection, "encoder": encoder}
    context.obj = {"file": file, **flags, **{name: value for name, value in named.items() if value is not None}}


def main() -> None:
    """Run the command line; errors that a person can act on are one line on standard error and exit status 1."""
    try:
        app()
    except AdFontesError as error:
        err.print(f"[red]error:[/] {escape(str(error))}")
        sys.exit(1)
