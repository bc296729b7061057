"""`adfontes`: the command line. Reads the settings, opens a workspace, prints what it says; exit 0 only on success."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from rag.errors import AdFontesError, InputError
from rag.settings import Settings
from rag.types import Answer, BuildReport, Progress

app = typer.Typer(
    name="adfontes",
    help="Ask your sources; every sentence of the answer leads back to the passage and on to the bibliography.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
index_app = typer.Typer(help="The built generations of a collection.", invoke_without_command=True)
app.add_typer(index_app, name="index")
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def settings(
    context: typer.Context,
    corpus: Annotated[Path | None, typer.Option(help="Folder of collections (ADFONTES_CORPUS).")] = None,
    index: Annotated[Path | None, typer.Option(help="Folder of generations (ADFONTES_INDEX).")] = None,
    collection: Annotated[str | None, typer.Option(help="Collection to work with (ADFONTES_COLLECTION).")] = None,
    encoder: Annotated[str | None, typer.Option(help="Encoder's name or path (ADFONTES_ENCODER).")] = None,
) -> None:
    """Take the settings that every command shares."""
    context.obj = {"corpus": corpus, "index": index, "collection": collection, "encoder": encoder}


@app.command()
def add(
    context: typer.Context,
    sources: Annotated[list[Path], typer.Argument(help="Files to put into the collection.")],
    *,
    replace: Annotated[bool, typer.Option(help="Overwrite files of the same name.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Put files into the collection and rebuild its index."""
    workspace = _workspace(context)
    files: list[tuple[str, bytes]] = []
    refused: dict[int, str] = {}
    for number, source in enumerate(sources):
        try:
            files.append((source.name, source.read_bytes()))
        except OSError as error:
            refused[number] = f"{str(source)!r} cannot be read: {error.strerror or error}; give the path of a file"
    with _bar(quiet=as_json) as progress:
        report, skipped_files = workspace.add_all(files, overwrite=replace, progress=progress)
    reasons = {s.source: s.reason for s in skipped_files}
    done = []
    for number, source in enumerate(sources):
        reason = refused.get(number) or reasons.get(source.name, "")
        done.append({"source": str(source), "state": "skipped" if reason else "indexed", "reason": reason})
    skipped = [d for d in done if d["state"] == "skipped"]
    if as_json:
        _print_json({"sources": done, "report": asdict(report) if report else None})
    else:
        for entry in done:
            mark = "[green]indexed[/]" if entry["state"] == "indexed" else "[red]skipped[/]"
            out.print(f"{mark} {escape(entry['source'])}{': ' + escape(entry['reason']) if entry['reason'] else ''}")
        out.print(f"{len(done) - len(skipped)} indexed, {len(skipped)} skipped, of {len(done)}")
        if report is not None:
            _print_report(report)
    if skipped:
        raise typer.Exit(1)


@app.command()
def remove(context: typer.Context, document_id: str, *, as_json: JsonFlag = False) -> None:
    """Take a document out of the collection and rebuild its index."""
    report = _workspace(context).remove(None, document_id)
    if as_json:
        _print_json(asdict(report))
    else:
        _print_report(report)


@app.command()
def rebuild(
    context: typer.Context,
    *,
    if_missing: Annotated[bool, typer.Option(help="Do nothing when there is an index already.")] = False,
    force: Annotated[bool, typer.Option(help="Build anew even if nothing changed.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Bring the index up to the sources; embeds only what changed."""
    workspace = _workspace(context)
    if if_missing and any(g.current for g in workspace.generations()):
        return
    with _bar(quiet=as_json) as progress:
        report = workspace.rebuild(progress=progress, force=force)
    if as_json:
        _print_json(asdict(report))
    else:
        _print_report(report)


@app.command()
def ask(
    context: typer.Context,
    question: str,
    *,
    limit: Annotated[int | None, typer.Option(min=1, max=100, help="Passages to retrieve.")] = None,
    style: Annotated[str | None, typer.Option(help="harvard, apa, chicago, mla or ieee.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Ask a question; the answer quotes the sources and leads on to their bibliography."""
    answer = _workspace(context).ask(question, limit=limit, style=style)
    if as_json:
        _print_json(asdict(answer))
    else:
        _print_answer(answer)


@app.command()
def search(
    context: typer.Context,
    query: str,
    *,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Passages to show.")] = 5,
    as_json: JsonFlag = False,
) -> None:
    """Show the passages nearest to a query, with their scores."""
    generation, passages = _workspace(context).search(query, limit=limit)
    if as_json:
        _print_json({"index": asdict(generation.state), "passages": [asdict(p) for p in passages]})
        return
    for number, passage in enumerate(passages, 1):
        scores = ", ".join(f"{k} {v:.3f}" for k, v in asdict(passage.scores).items() if v is not None)
        out.print(f"[bold]{number}[/] {escape(passage.id)}  [dim]{escape(passage.section or '')}  {scores}[/]")
        out.print(escape(passage.text) + "\n")


@app.command()
def audit(
    context: typer.Context,
    *,
    strict: Annotated[bool, typer.Option(help="Exit with 1 when there is any error or warning.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """List what is wrong with the bibliography and the in-text citations. Nothing is repaired silently."""
    generation = _workspace(context).generation()
    problems = generation.problems()
    if as_json:
        _print_json({"index": asdict(generation.state), "problems": [asdict(p) for p in problems]})
    else:
        colours = {"error": "red", "warning": "yellow", "info": "dim"}
        texts = {d.id: generation.document(d.id).text for d in generation.documents()}
        for p in problems:
            place = ""
            if p.start is not None and p.end is not None and p.document_id in texts:
                quote = " ".join(texts[p.document_id][p.start : p.end].split())
                place = f"\n    [dim]{escape(p.document_id)}:{p.start}-{p.end}  “{escape(_shortened(quote, 120))}”[/]"
            out.print(f"[{colours[p.severity]}]{p.severity:7}[/] [bold]{p.kind}[/]  {escape(p.message)}{place}")
        counted = {s: sum(p.severity == s for p in problems) for s in colours}
        out.print(f"{counted['error']} errors, {counted['warning']} warnings, {counted['info']} notes")
    if strict and any(p.severity != "info" for p in problems):
        raise typer.Exit(1)


@app.command()
def references(
    context: typer.Context,
    *,
    form: Annotated[str, typer.Option("--format", help="text, bibtex, ris or csl.")] = "text",
    style: Annotated[str | None, typer.Option(help="harvard, apa, chicago, mla or ieee.")] = None,
    only: Annotated[list[str] | None, typer.Option("--id", help="Only this entry; may be given again.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Print the bibliography, or the entries that an answer used, formatted or exported."""
    from rag.bibliography import export

    workspace = _workspace(context)
    generation = workspace.generation()
    listed = [generation.reference(i) for i in only] if only else generation.references()
    if as_json:
        _print_json([asdict(r) for r in listed])
        return
    if form not in {"text", "bibtex", "ris", "csl"}:
        raise InputError(f"format {form!r} is not known; use text, bibtex, ris or csl")
    sys.stdout.write(export(listed, form, style or workspace.settings.citation_style).rstrip("\n") + "\n")  # type: ignore[arg-type]


@app.command("eval")
def evaluate(
    context: typer.Context,
    questions: Annotated[Path, typer.Argument(help="Judged questions, one JSON object a line.")],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Ask judged questions and print how many answers are right, rightly cited and rightly declined."""
    from rag import evaluate as evaluation

    workspace = _workspace(context)
    judged = evaluation.load(questions)
    generation = workspace.generation()
    workspace.warm()
    with _bar(quiet=as_json) as progress:
        outcomes = evaluation.run(
            judged, workspace.ask, generation, lambda n: progress(Progress("checking", n, len(judged)))
        )
    measures = evaluation.measure(outcomes)
    if as_json:
        body = evaluation.report(outcomes, measures)
        _print_json({"index": asdict(generation.state), "questions": str(questions), **body})
        return
    table = Table("measure", "value", box=None)
    for name, value in asdict(measures).items():
        table.add_row(name.replace("_", " "), "–" if value is None else f"{value:g}")
    out.print(table)
    for o in outcomes:
        if o.failures:
            out.print(f"\n[red]{escape(o.id)}[/] [bold]{escape(o.question)}[/] [dim]confidence {o.confidence:.3f}[/]")
            out.print(f"    {escape('; '.join(o.failures))}\n    [dim]{escape(_shortened(o.answer, 400))}[/]")


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to bind (ADFONTES_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to bind, 0 for a free one (ADFONTES_PORT).")] = None,
) -> None:
    """Serve the page and the API."""
    import uvicorn

    from service.app import create_app

    workspace = _workspace(context, host=host, port=port)
    config = workspace.settings
    err.print(f"Ad Fontes at http://{config.host}:{config.port}/  (stop with Ctrl+C)")
    uvicorn.run(create_app(workspace), host=config.host, port=config.port, log_level="warning")


@index_app.callback()
def index(context: typer.Context, *, as_json: JsonFlag = False) -> None:
    """List the generations of the collection, the live one marked."""
    if context.invoked_subcommand is not None:
        return
    listed = _workspace(context).generations()
    if as_json:
        _print_json([asdict(g) for g in listed])
        return
    for g in listed:
        mark = "[green]*[/]" if g.current else " "
        out.print(f"{mark} {g.id}  {g.built_at}  {g.documents} documents, {g.chunks} chunks  {g.manifest_sha256[:12]}")
    if not listed:
        out.print("no generation yet; build one with `adfontes rebuild`")


@index_app.command("rollback")
def rollback(context: typer.Context, generation: Annotated[str | None, typer.Argument()] = None) -> None:
    """Make an older generation live: the one named, or the one before."""
    out.print(f"live: {_workspace(context).rollback(generation=generation).id}")


@index_app.command("verify")
def verify(context: typer.Context) -> None:
    """Check every file of the live generation against its manifest."""
    state = _workspace(context).generation().state
    out.print(f"{state.generation} is whole (manifest {state.manifest_sha256[:12]})")


@app.command()
def doctor(context: typer.Context, *, as_json: JsonFlag = False) -> None:
    """Check settings, models and index; exit 1 when a question could not be answered."""
    from importlib.metadata import version

    workspace = _workspace(context)
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
        _print_json(checks)
    else:
        for check in checks:
            mark = "[green]ok[/]  " if check["ok"] else "[red]fail[/]"
            out.print(f"{mark} {check['check']}: {escape(str(check['detail']))}")
    if not all(check["ok"] for check in checks):
        raise typer.Exit(1)


def main() -> None:
    """Run the command line; errors that a person can act on are one line on standard error and exit status 1."""
    try:
        app()
    except AdFontesError as error:
        err.print(f"[red]error:[/] {escape(str(error))}")
        sys.exit(1)


# ── printing ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _workspace(context: typer.Context, **more: Any) -> Any:  # noqa: ANN401  (imported late: --help must be quick)
    from rag.workspace import Workspace

    return Workspace(Settings.load(**(context.find_object(dict) or {}), **more))


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def _print_report(report: BuildReport) -> None:
    if report.unchanged:
        out.print(f"nothing changed: {report.chunks} chunks stay as they are, nothing embedded ({report.generation})")
    else:
        out.print(
            f"{report.generation}: {report.documents} documents, {report.chunks} chunks, "
            f"{report.references} references, {report.mentions} citations, {report.problems} findings; "
            f"{report.embedded} texts embedded, {report.reused} reused, {report.seconds:.1f} s"
        )
    for s in report.skipped:
        out.print(f"[yellow]skipped[/] {escape(s.source)}: {escape(s.reason)}")


def _print_answer(answer: Answer) -> None:
    for sentence in answer.sentences:
        marks = "".join(f"[{i + 1}]" for i in sentence.citations)
        verdict = "" if sentence.verdict == "supported" else f" [red]({sentence.verdict})[/]"
        out.print(f"{escape(answer.answer[sentence.start : sentence.end])} [cyan]{escape(marks)}[/]{verdict}")
    if answer.status == "abstained":
        out.print(f"[bold]{escape(answer.answer)}[/]")
        for passage in [p for p in answer.passages if p.kind == "text"][:3]:
            out.print(f"    [dim]nearest: {escape(_shortened(passage.text, 160))}[/]")
    for notice in answer.notices:
        out.print(f"[yellow]note:[/] {escape(notice)}")
    listed = {r.id: r for r in answer.references}
    if answer.citations:
        out.print()
    for citation in answer.citations:
        place = f"{citation.document_id}:{citation.location.start_char_index}-{citation.location.end_char_index}"
        section = f", “{citation.location.section}”" if citation.location.section else ""
        page = f", p. {citation.location.page}" if citation.location.page else ""
        out.print(
            f"[cyan]\\[{citation.index + 1}][/] {escape(citation.relation)}  [dim]{escape(place + section + page)}[/]"
        )
        for reference_id in citation.reference_ids:
            reference = listed[reference_id]
            out.print(f"      → {escape(reference.formatted)}  [dim]{escape(reference.id)}[/]")
            for problem in reference.problems:
                if problem.severity != "info":
                    out.print(f"        [yellow]{problem.kind}[/] {escape(problem.message)}")
    state = answer.index
    out.print(f"[dim]{state.collection} {state.generation}, {sum(answer.timings_ms.values()):.0f} ms[/]")


def _shortened(text: str, length: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= length else flat[: length - 1] + "…"


@contextmanager
def _bar(*, quiet: bool) -> Iterator[Any]:
    columns = (TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=err, disable=quiet, transient=True) as bar:
        tasks: dict[str, Any] = {}

        def progress(p: Progress) -> None:
            if p.stage not in tasks:
                tasks[p.stage] = bar.add_task(p.stage, total=p.total)
            bar.update(tasks[p.stage], completed=p.done, total=p.total)

        yield progress


if __name__ == "__main__":
    main()
