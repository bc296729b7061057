"""The command that fetches what a bibliography lists: fetch-sources."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from rag.cli.shared import JsonFlag, bar, err, out, print_json, print_report, workspace_of

app = typer.Typer()

_MARKS = {"saved": "green", "held": "dim", "unchanged": "dim", "no-address": "yellow", "failed": "red"}


@app.command("fetch-sources")
def fetch_sources(
    context: typer.Context,
    entries: Annotated[list[str] | None, typer.Argument(help="Entries to try; all when none is named.")] = None,
    *,
    refresh: Annotated[bool, typer.Option(help="Ask for what is newer than the copies held.")] = False,
    retry: Annotated[bool, typer.Option(help="Ask again for what failed for good before.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Try to have a copy of every cited work, by its address and DOI, and rebuild.

    Polite: robots.txt, a pause for each host, Retry-After, our name. Ctrl+C stops after the address at hand; the next
    run goes on from there.
    """
    workspace = workspace_of(context)
    with _stoppable() as stopped, bar(quiet=as_json) as progress:
        run = workspace.fetch_sources(
            only=entries or None, refresh=refresh, retry=retry, progress=progress, cancelled=stopped.is_set
        )
    counts = Counter(outcome.state for outcome in run.outcomes)
    if as_json:
        print_json(
            {
                "complete": run.complete,
                "counts": counts,
                "outcomes": [asdict(outcome) for outcome in run.outcomes],
                "report": asdict(run.report) if run.report else None,
            }
        )
    else:
        for outcome in run.outcomes:
            mark = f"[{_MARKS[outcome.state]}]{outcome.state}[/]"
            again = f" [dim](worth another try from {escape(outcome.again_at)})[/]" if outcome.again_at else ""
            said = outcome.reason or outcome.source or outcome.address
            out.print(f"{mark} [bold]{escape(outcome.reference_id)}[/] {escape(said)}{again}")
        out.print(", ".join(f"{counts[state]} {state}" for state in _MARKS if counts[state]) or "no entries")
        if run.report is not None:
            print_report(run.report)
        if not run.complete:
            err.print("[yellow]stopped;[/] run it again to go on")
    if not run.complete:
        raise typer.Exit(1)


@contextmanager
def _stoppable() -> Iterator[threading.Event]:
    """An event that the first Ctrl+C sets; the second one interrupts as ever."""
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    before = signal.getsignal(signal.SIGINT)

    def stop(*_: object) -> None:
        stopped.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)
