"""What the commands share: the workspace that the flags name, progress bars, and how things are printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

from rag.files import printable
from rag.settings import Settings
from rag.types import Answer, BuildReport, Checked, Document, Progress

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
LESS = 3
"""The exit status of work that was done, while the index holds less than what had been there should say."""
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def workspace_of(context: typer.Context, **more: Any) -> Any:  # noqa: ANN401  (imported late: --help must be quick)
    """Open the workspace that flags, environment, settings file and defaults name."""
    from rag.workspace import Workspace

    return Workspace(settings_of(context, **more))


def settings_of(context: typer.Context, **more: Any) -> Settings:  # noqa: ANN401
    """The settings, the flags of the program and of the command (None means not given) over all others."""
    flags = context.find_object(dict) or {}
    return Settings.load(**(flags | {name: value for name, value in more.items() if value is not None}))


def print_json(value: object) -> None:
    """Print a value as JSON to standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def print_report(report: BuildReport) -> None:
    """Say what a rebuild did, and which sources it left out and why."""
    if report.unchanged:
        out.print(f"nothing changed: {report.chunks} chunks stay as they are, nothing embedded ({report.generation})")
    else:
        out.print(
            f"{report.generation}: {report.documents} documents, {report.chunks} chunks, "
            f"{report.references} references, {report.mentions} citations, {report.problems} findings; "
            f"{report.embedded} texts embedded, {report.reused} reused, {report.seconds:.1f} s"
        )
    for s in report.stale:
        out.print(f"[yellow]stale[/] {escape(s.source)}, kept as it was read before: {escape(s.reason)}")
    for s in report.skipped:
        mark = "[red]dropped[/]" if s.dropped else "[yellow]skipped[/]"
        out.print(f"{mark} {escape(s.source)}: {escape(s.reason)}")


def exit_if_less(report: BuildReport | None) -> None:
    """End with LESS where a source that had been there is missing from the index, or is in it as it was before."""
    if report is not None and (report.stale or any(s.dropped for s in report.skipped)):
        raise typer.Exit(LESS)


def print_outcome(
    sources: Sequence[str], names: Sequence[str], reasons: Sequence[str], report: BuildReport | None, *, as_json: bool
) -> None:
    """Say of each source (as given, and as the collection calls it) whether it was indexed, or why not.

    The exit status is 1 unless all were, else what `exit_if_less` says.
    """
    left_out = {} if report is None else {s.source: s.reason for s in (*report.skipped, *report.stale)}
    found = [reason or left_out.get(name, "") for name, reason in zip(names, reasons, strict=True)]
    done = [
        {
            "source": printable(source),
            "state": "skipped" if reason else "indexed",
            "reason": reason,
            "file": "" if reason else name,
        }
        for source, name, reason in zip(sources, names, found, strict=True)
    ]
    skipped = sum(1 for reason in found if reason)
    if as_json:
        print_json({"sources": done, "report": asdict(report) if report else None})
    else:
        for entry in done:
            mark = "[green]indexed[/]" if entry["state"] == "indexed" else "[red]skipped[/]"
            as_file = f" as {entry['file']}" if entry["file"] != Path(entry["source"]).name and entry["file"] else ""
            why = f": {entry['reason']}" if entry["reason"] else ""
            out.print(f"{mark} {escape(entry['source'] + as_file + why)}")
        out.print(f"{len(done) - skipped} indexed, {skipped} skipped, of {len(done)}")
        if report is not None:
            print_report(report)
    if skipped:
        raise typer.Exit(1)
    exit_if_less(report)


def print_attachments(document: Document) -> None:
    """Say which bibliography entries a document is, how surely, and what told it."""
    for attachment in document.attachments:
        told = f"{attachment.confidence:.2f}, by {attachment.how}"
        out.print(f"{escape(document.id)} [cyan]is[/] {escape(attachment.reference_id)}  [dim]{escape(told)}[/]")
    if not document.attachments:
        out.print(f"{escape(document.id)} is no entry of a bibliography")


def print_answer(answer: Answer) -> None:
    """Print an answer with its numbered citations and the entries behind them."""
    drawn = 0
    for sentence in answer.sentences:
        marks = "".join(f"[{i + 1}]" for i in sentence.citations)
        verdict = "" if sentence.verdict == "supported" else f" [red]({sentence.verdict})[/]"
        out.print(f"{escape(answer.answer[drawn : sentence.end].strip())} [cyan]{escape(marks)}[/]{verdict}")
        drawn = sentence.end
    if answer.status == "abstained" and not answer.sentences:
        out.print(f"[bold]{escape(answer.answer)}[/]")
        for passage in [p for p in answer.passages if p.kind == "text"][:3]:
            out.print(f"    [dim]nearest: {escape(shortened(passage.text, 160))}[/]")
    for notice in answer.notices:
        out.print(f"[yellow]note:[/] {escape(notice)}")
    _print_citations(answer)
    state = answer.index
    out.print(f"[dim]{state.collection} {state.generation}, {sum(answer.timings_ms.values()):.0f} ms[/]")


_COLOURS = {
    "supported": "green",
    "partial": "yellow",
    "unsupported": "red",
    "contradicted": "bold red",
    "unchecked": "dim",
}


def print_checked(checked: Checked) -> None:
    """Print each sentence with its verdict, what carries it, and the entries behind that."""
    for sentence in checked.sentences:
        marks = "".join(f"[{i + 1}]" for i in sentence.citations)
        text = " ".join(checked.text[sentence.start : sentence.end].split())
        missing = f" [dim]not there: {escape(', '.join(sentence.missing))}[/]" if sentence.missing else ""
        verdict = f"[{_COLOURS[sentence.verdict]}]{sentence.verdict:>12}[/]"
        out.print(f"{verdict}  {escape(text)} [cyan]{escape(marks)}[/]{missing}")
    for notice in checked.notices:
        out.print(f"[yellow]note:[/] {escape(notice)}")
    _print_citations(checked)


def _print_citations(told: Answer | Checked) -> None:
    listed = {r.id: r for r in told.references}
    if told.citations:
        out.print()
    for citation in told.citations:
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


def shortened(text: str, length: int) -> str:
    """`text` on one line, cut to `length` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= length else flat[: length - 1] + "…"


class _Rate(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        """The rate of a task; nothing before it is known."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.1f}/s")


@contextmanager
def bar(*, quiet: bool) -> Iterator[Any]:
    """A progress bar on standard error; yields the function that takes `Progress`."""
    columns = (TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Bar(*columns, console=err, disable=quiet, transient=True) as bar:
        tasks: dict[str, Any] = {}

        def progress(p: Progress) -> None:
            if p.stage not in tasks:
                tasks[p.stage] = bar.add_task(p.stage, total=p.total)
            bar.update(tasks[p.stage], completed=p.done, total=p.total)

        yield progress
