"""The command that judges: eval."""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from rag.cli.shared import JsonFlag, bar, err, out, print_json, settings_of, shortened
from rag.errors import SettingsError
from rag.settings import Settings
from rag.types import Progress

if TYPE_CHECKING:
    from rag.evaluate.risk import Point
    from rag.evaluate.runs import Run
    from rag.evaluate.sets import EvaluationSet

app = typer.Typer()
_SHAPING = (
    "encoder",
    "sparse",
    "judge",
    "chunk_tokens",
    "passages",
    "dense_weight",
    "reranker",
    "generator",
    "llm_model",
    "citation_style",
)
"""The settings that a report shows: those that can change a figure."""


@app.command("eval")
def evaluate(
    context: typer.Context,
    questions: Annotated[
        Path, typer.Argument(help="A BEIR folder, a SQuAD file (.json), or judged questions, one JSON object a line.")
    ],
    *,
    split: Annotated[str | None, typer.Option(help="Which judgements of a BEIR folder: train, dev, test.")] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="Only so many of the questions, drawn by the seed.")] = None,
    documents: Annotated[
        int | None, typer.Option(min=1, help="Only so many of the documents: the right ones and others beside them.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the samples.")] = 0,
    answers: Annotated[
        bool | None,
        typer.Option(help="Also ask the questions and judge the answers; by default where judged questions are given."),
    ] = None,
    against: Annotated[
        list[str] | None, typer.Option(help="A second run with this setting, as NAME=VALUE, compared with the first.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Folder for the temporary index, kept: the next run embeds nothing again.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write an HTML report with plots to this file.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Judge retrieval and answers on a public or private set, in a temporary index made as the service makes its own.

    Retrieval: nDCG@10, MRR@10, Recall@5, @20 and @100. Answers: given, right, rightly cited, rightly declined. Each
    with a 95% bootstrap interval; two settings are compared question by question.
    """
    from rag.evaluate import page, runs, sets

    given = runs.sampled(sets.read(questions, split=split), sample, documents, seed)
    asked = given.kind == "gold" if answers is None else answers
    settings = [settings_of(context)]
    if against:
        settings.append(_changed(context, against))
    with _folder(keep) as folder:
        found = [_run(given, one, folder, asked=asked, quiet=as_json) for one in settings]
    body = runs.as_json(given, found)
    if report is not None:
        report.parent.mkdir(parents=True, exist_ok=True)
        command = "adfontes " + shlex.join(sys.argv[1:])
        report.write_text(page.page(given, found, command), encoding="utf-8")
        err.print(f"report: {report}")
    if as_json:
        print_json(body)
    else:
        _print(given, found)


def _changed(context: typer.Context, against: Sequence[str]) -> Settings:
    values = {}
    for one in against:
        name, equals, value = one.partition("=")
        if not equals:
            raise SettingsError(f"--against takes NAME=VALUE, for example --against dense_weight=0.4, and not {one!r}")
        values[name.strip().lower()] = value
    return settings_of(context, **values)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="adfontes-eval-") as folder:
        yield Path(folder)


def _run(given: EvaluationSet, settings: Settings, folder: Path, *, asked: bool, quiet: bool) -> Run:
    """Build the index aside, then search and ask."""
    from rag.evaluate import runs
    from rag.evaluate_answers import of_answer, our_verifier
    from rag.workspace import Workspace

    update: dict[str, Any] = {"index": folder, "models": settings.models or settings.index / ".models"}
    if given.documents:
        update["collection"] = f"eval-{given.sha256[:16]}"
    workspace = Workspace(settings.model_copy(update=update))
    with bar(quiet=quiet) as progress:
        if given.documents:
            workspace.index_documents(given.documents, progress=progress)
        else:
            workspace.rebuild(progress=progress)
    workspace.warm()
    generation = workspace.generation()
    with bar(quiet=quiet) as progress:
        return runs.run(
            given,
            generation,
            # Running text, as an answer is made from it: titles and bibliography entries are found by other ways.
            lambda query, *, limit: workspace.search(query, limit=limit, kinds=("text",))[1],
            workspace.ask if asked else None,
            settings={name: str(getattr(settings, name)) for name in _SHAPING},
            models={"encoder_sha256": str(generation.manifest["encoder"]["fingerprint"])},
            quality=partial(of_answer, supports=our_verifier(workspace.judge())),
            unheld=partial(workspace.ask, threshold=0.0),
            progress=lambda done, total: progress(Progress("checking", done, total)),
        )


def _at(run: Run) -> list[tuple[str, Point]]:
    """What some thresholds buy, the one that stood first."""
    wanted = [(f"{run.threshold:g} (stands)", run.threshold)] if run.threshold else []
    wanted += [(f"{t:g}", t) for t in (0.1, 0.2, 0.4, 0.6)]
    return [(label, last) for label, t in wanted for last in [p for p in run.curve if p.threshold >= t][-1:]]


def _print(given: EvaluationSet, found: Sequence[Run]) -> None:
    from rag.evaluate.runs import differences

    out.print(
        f"[bold]{escape(given.name)}[/]: {len(given.queries)} questions, {len(given.documents) or 'its'} documents"
    )
    table = Table("measure", "mean", "95% interval", "questions", box=None)
    if len(found) == 2:
        for head in ("against", "difference", "95% interval", "p"):
            table.add_column(head)
    apart = differences(*found) if len(found) == 2 else {}
    second = found[-1].estimates()
    for name, e in found[0].estimates().items():
        row = [name, f"{e.mean:.4f}", f"{e.low:.4f} to {e.high:.4f}", str(e.n)]
        if name in apart:
            d = apart[name]
            row += [f"{second[name].mean:.4f}", f"{d.mean:+.4f}", f"{d.low:+.4f} to {d.high:+.4f}", f"{d.p:.4f}"]
        table.add_row(*row)
    for run in found:
        if run.separation is not None:
            table.add_row("confidence tells answerable (AUC)", f"{run.separation:.4f}")
        for label, point in _at(run):
            table.add_row(
                f"threshold {label}: answered, of those not right", f"{point.coverage:.4f}", f"{point.risk:.4f}"
            )
    out.print(table)
    for o in found[0].outcomes:
        if o.failures:
            out.print(f"\n[red]{escape(o.id)}[/] [bold]{escape(o.question)}[/] [dim]confidence {o.confidence:.3f}[/]")
            out.print(f"    {escape('; '.join(o.failures))}\n    [dim]{escape(shortened(o.answer, 400))}[/]")
