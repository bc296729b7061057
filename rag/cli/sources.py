"""Commands on the sources: add, documents, attach, detach, remove, rebuild."""

from __future__ import annotations

import re
import tempfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from rag.cli.shared import (
    JsonFlag,
    bar,
    exit_if_less,
    out,
    print_attachments,
    print_json,
    print_outcome,
    print_report,
    workspace_of,
)
from rag.errors import IndexDamagedError, IndexMissingError, InputError, NotFoundError
from rag.types import BuildReport

if TYPE_CHECKING:  # imported late: --help must be quick
    from rag.build import Incoming
    from rag.workspace import Workspace

app = typer.Typer()


@app.command()
def add(
    context: typer.Context,
    sources: Annotated[list[str], typer.Argument(help="Files, or addresses of the web, to put into the collection.")],
    *,
    reference: Annotated[
        str | None, typer.Option(help='The bibliography entry that the one source is; "" for none.')
    ] = None,
    replace: Annotated[bool, typer.Option(help="Overwrite files of the same name.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Put sources into the collection and rebuild its index.

    Exit status 1 unless all of them were indexed; 3 when they were, but a source that had been there could not be read
    again (see rebuild).
    """
    from rag.build import safe_name

    if reference is not None and len(sources) != 1:
        raise InputError(f"--reference says what one source is, but {len(sources)} are given; add them one by one")
    workspace = workspace_of(context)
    incoming: list[Incoming | None] = []
    reasons: list[str] = []
    with tempfile.TemporaryDirectory(prefix="adfontes-") as folder, bar(quiet=as_json) as progress:
        for number, source in enumerate(sources):
            try:
                room = Path(folder) / str(number)
                room.mkdir()
                incoming.append(_incoming(workspace, source, room, reference))
                reasons.append("")
            except InputError as error:
                incoming.append(None)
                reasons.append(str(error))
        there = [i for i in incoming if i is not None]
        report, refused = workspace.add_all(there, overwrite=replace, progress=progress)
    said = iter(refused)
    reasons = [reason if i is None else next(said) for i, reason in zip(incoming, reasons, strict=True)]
    names = [
        "" if i is None else safe_name(i.name) if not r else i.name for i, r in zip(incoming, reasons, strict=True)
    ]
    print_outcome(sources, names, reasons, report, as_json=as_json)


def _incoming(workspace: Workspace, source: str, folder: Path, reference: str | None) -> Incoming:
    """A file, or what stands at an address. Raises InputError when there is neither."""
    if re.match(r"[a-z][a-z0-9+.-]+://", source, re.IGNORECASE):
        return workspace.fetch(None, source, folder, reference=reference)
    from rag.build import Incoming

    path = Path(source)
    if not path.is_file():
        missing = "is a folder" if path.is_dir() else "is not there"
        raise InputError(f"{source!r} {missing}; give the path of a file, or an address that begins with https://")
    return Incoming(path.name, path, reference)


@app.command("documents")
def list_documents(context: typer.Context, *, as_json: JsonFlag = False) -> None:
    """List the documents: where each came from, what it is an entry of, and what was left out and why."""
    generation = workspace_of(context).generation()
    documents, skipped = generation.documents(), generation.manifest["skipped"]
    stale = {s["id"]: s["reason"] for s in generation.manifest.get("stale", ())}
    if as_json:
        shown = [{k: v for k, v in asdict(d).items() if k not in {"text", "sections", "pages"}} for d in documents]
        print_json({"documents": shown, "skipped": skipped, "stale": generation.manifest.get("stale", [])})
        return
    for document in documents:
        mark = "[yellow]stale[/]  " if document.id in stale else "[green]indexed[/]"
        out.print(f"{mark} [bold]{escape(document.id)}[/]  {escape(document.title or '')}")
        if document.id in stale:
            out.print(f"    [yellow]as it was read before[/]: {escape(stale[document.id])}")
        out.print(f"    [dim]{escape(document.origin)}, {escape(document.added)}, {escape(document.reader)}[/]")
        for attachment in document.attachments:
            told = f"{attachment.confidence:.2f}, by {attachment.how}"
            out.print(f"    [cyan]is[/] {escape(attachment.reference_id)}  [dim]{escape(told)}[/]")
    for entry in skipped:
        out.print(f"[red]skipped[/] {escape(entry['source'])}: {escape(entry['reason'])}")


@app.command()
def attach(
    context: typer.Context,
    document_id: str,
    reference_id: Annotated[
        str | None, typer.Argument(help="The bibliography entry; left out, it is found out by itself again.")
    ] = None,
    *,
    as_json: JsonFlag = False,
) -> None:
    """Say which entry of a bibliography a document is, and rebuild."""
    report = workspace_of(context).attach(None, document_id, reference_id)
    _print_attached(context, document_id, report, as_json=as_json)


@app.command()
def detach(context: typer.Context, document_id: str, *, as_json: JsonFlag = False) -> None:
    """Say that a document is no entry of any bibliography, whatever it looks like, and rebuild."""
    report = workspace_of(context).attach(None, document_id, "")
    _print_attached(context, document_id, report, as_json=as_json)


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
    if_missing: Annotated[bool, typer.Option(help="Do nothing when there is a whole index already.")] = False,
    force: Annotated[bool, typer.Option(help="Build anew even if nothing changed.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Bring the index up to the sources; embeds only what changed.

    Exit status 3 when it was done but a source that had been there could not be read: what was read of it before is
    kept and said to be stale, and the next rebuild tries again where the failure may pass.
    """
    workspace = workspace_of(context)
    if if_missing:
        with suppress(IndexMissingError, IndexDamagedError, NotFoundError):
            workspace.generation()
            if not workspace.damaged():
                return
    with bar(quiet=as_json) as progress:
        report = workspace.rebuild(progress=progress, force=force)
    if as_json:
        print_json(asdict(report))
    else:
        print_report(report)
    exit_if_less(report)


def _print_attached(context: typer.Context, document_id: str, report: BuildReport, *, as_json: bool) -> None:
    document = workspace_of(context).generation().document(document_id)
    if as_json:
        print_json(
            {"document": document_id, "attachments": list(map(asdict, document.attachments)), "report": asdict(report)}
        )
        return
    print_attachments(document)
    print_report(report)
