"""A passing failure loses nothing: what was live stays live, is said to be stale, and is read again."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bounded_tasks
import pytest

from rag import bounded, cli
from rag.bounded import TASKS, Worker
from rag.errors import CancelledError
from rag.workspace import Workspace

NEW = "It hums at night."


@pytest.fixture
def corpus(fresh: Workspace) -> Path:
    """The folder of a small collection that is live."""
    fresh.rebuild()
    return fresh.settings.corpus / "c"


@contextmanager
def instead(**tasks: str) -> Iterator[None]:
    """Children that do something else where they should do these tasks."""
    table = dict(TASKS) | {task: bounded_tasks.TASKS[other] for task, other in tasks.items()}
    with Worker(memory_mb=600, tasks=table) as worker, pytest.MonkeyPatch.context() as patch:
        patch.setattr(bounded, "shared", lambda: worker)
        yield


@contextmanager
def limited(task: str, **limits: float) -> Iterator[None]:
    """Children that have less time for a task."""
    real = Worker.run

    def run(self: Worker, asked: str, *more: Any, **how: Any) -> Any:
        return real(self, asked, *more, **(how | limits if asked == task else how))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Worker, "run", run)
        yield


@contextmanager
def without_end(task: str, how: str, **limits: float) -> Iterator[None]:
    """Children that come to no end with a task, and little time for it."""
    with instead(**{task: how}), limited(task, **limits):
        yield


def change(corpus: Path) -> None:
    """Say one thing more in the article."""
    path = corpus / "tides.md"
    path.write_text(path.read_text().replace("4,000 homes.", f"4,000 homes. {NEW}"))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (lambda: without_end("analyse", "never_end", seconds=0.2, patience=1e6), "processor time"),
        (lambda: instead(analyse="die"), "signal 9"),
        (lambda: without_end("read", "hang", seconds=0.2, patience=1), "may be busy"),
        (lambda: instead(read="open_nothing"), "cannot be opened"),
    ],
    ids=["endless", "killed", "busy", "unopened"],
)
def test_a_document_stays_as_it_was_until_it_can_be_read(
    fresh: Workspace, corpus: Path, fault: Callable[[], Any], said: str
) -> None:
    """While work on a changed source is ended, its last good form is live, stale with the reason; then it is read."""
    live = fresh.generation()
    change(corpus)
    with fault():
        report = fresh.rebuild()
        (stale,) = report.stale
        assert (stale.source, stale.id, stale.again, stale.dropped) == ("tides.md", "tides", True, False)
        assert said in stale.reason
        kept = fresh.generation()
        assert kept.document("tides").text == live.document("tides").text
        assert kept.mentions("tides") == live.mentions("tides")
        assert kept.references() == live.references()
        assert kept.chunks("tides") == live.chunks("tides")
        assert [p.kind for p in kept.document("tides").problems].count("stale") == 1
        assert [p.document_id for p in kept.problems() if p.kind == "stale"] == ["tides"]
        again = fresh.rebuild()
        assert (again.unchanged, again.generation, again.stale) == (True, report.generation, report.stale)
    healed = fresh.rebuild()
    assert (healed.unchanged, healed.stale) == (False, ())
    assert NEW in fresh.generation().document("tides").text
    assert "stale" not in {p.kind for p in fresh.generation().problems()}
    assert fresh.rebuild().unchanged


def test_a_new_source_is_tried_again_though_nothing_changed(fresh: Workspace, corpus: Path) -> None:
    """What was never live is left out, with its reason, as long as it cannot be read, and then comes in by itself."""
    (corpus / "gulls.txt").write_text("Gulls nest on roofs.\n\nThey return to the harbour in March of each year.\n")
    with instead(read="open_nothing"):
        report = fresh.rebuild()
        assert [(s.source, s.again, s.dropped) for s in report.skipped] == [("gulls.txt", True, False)]
        assert (report.documents, report.stale) == (1, ())
        assert fresh.rebuild().unchanged
    report = fresh.rebuild()
    assert (report.documents, report.skipped) == (2, ())


def test_work_that_was_ended_is_done_once_more(fresh: Workspace, corpus: Path) -> None:
    """A child that is killed once costs nothing but time."""
    change(corpus)
    real, tries = Worker.run, []

    def run(self: Worker, asked: str, *more: Any, **how: Any) -> Any:
        tries.append(asked)
        return real(self, "die" if len(tries) == 1 else asked, *more, **how)

    with instead(die="die"), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Worker, "run", run)
        report = fresh.rebuild()
    assert tries == ["read", "read", "analyse"]
    assert report.stale == ()
    assert NEW in fresh.generation().document("tides").text


def test_a_source_that_was_damaged_stays_as_it_was(fresh: Workspace, corpus: Path) -> None:
    """New bytes that cannot be read do not take a document away; it is not tried again, and goes when its file does."""
    (corpus / "tides.md").write_bytes(b"\0\0")
    report = fresh.rebuild()
    assert [(s.source, s.again) for s in report.stale] == [("tides.md", False)]
    assert fresh.ask("How many homes does the turbine power?").status == "answered"
    again = fresh.rebuild()
    assert (again.unchanged, again.stale) == (True, report.stale)
    (corpus / "owls.txt").write_text("The Zemblan owl sleeps eleven hours a day, in hollow trees by the river.")
    assert [s.source for s in fresh.rebuild().stale] == ["tides.md"]
    assert len([p for p in fresh.generation().problems() if p.kind == "stale"]) == 1
    (corpus / "tides.md.toml").write_text("no TOML")
    assert [s.source for s in fresh.rebuild().stale] == ["tides.md"]
    (corpus / "tides.md").unlink()
    (corpus / "tides.md.toml").unlink()
    report = fresh.rebuild()
    assert (report.stale, report.skipped) == ((), ())
    assert [d.id for d in fresh.generation().documents()] == ["owls"]


def test_a_list_that_cannot_be_read_takes_no_entries_away(fresh: Workspace, corpus: Path) -> None:
    """Documents that lean on a bibliography file stay as they were while it cannot be read; the file is named."""
    (corpus / "gulls.md").write_text("# Gulls\n\nGulls nest on roofs (Varga, 2018). They return each March.\n")
    (corpus / "gulls.bib").write_text("@article{v, author={Varga, Ida}, title={Roof gulls}, year={2018}}\n")
    fresh.rebuild()
    (corpus / "gulls.bib").write_text("@article{v, author={Varga, Ida}, title={Roof gulls, again}, year={2018}}\n")
    with instead(list="die"):
        report = fresh.rebuild()
    assert [(s.source, s.again, s.dropped) for s in report.skipped] == [("gulls.bib", True, True)]
    assert [s.source for s in report.stale] == ["gulls.md"]
    (mention,) = fresh.generation().mentions("gulls")
    assert mention.reference_id
    healed = fresh.rebuild()
    assert (healed.stale, healed.skipped) == ((), ())
    assert fresh.generation().reference(mention.reference_id).csl["title"] == "Roof gulls, again"


def test_a_build_is_stopped_within_a_second_while_a_text_is_linked(fresh: Workspace, corpus: Path) -> None:
    """Whatever a pattern does with a text, whoever stops the build need not wait for it, and nothing has changed."""
    live = fresh.generation().state.generation
    change(corpus)
    stop = threading.Event()
    asked: list[float] = []
    threading.Timer(2.5, lambda: (asked.append(time.monotonic()), stop.set())).start()
    with instead(analyse="never_end"), pytest.raises(CancelledError):
        fresh.rebuild(cancelled=stop.is_set)
    assert time.monotonic() - asked[0] < 1
    assert fresh.generation().state.generation == live


def test_the_command_line_says_so(
    fresh: Workspace, corpus: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`rebuild` and `add` exit 3 while a document is stale, `documents` and `doctor` name it, and then all is well."""

    def run(*words: object) -> tuple[int, str]:
        at = ["--corpus", fresh.settings.corpus, "--index", fresh.settings.index, "--collection", "c"]
        monkeypatch.setattr(sys, "argv", ["adfontes", *map(str, [*at, *words])])
        status = 0
        try:
            cli.main()
        except SystemExit as ended:
            status = int(ended.code or 0)
        return status, capsys.readouterr().out

    assert run("rebuild")[0] == 0
    good = (corpus / "tides.md").read_bytes()
    (corpus / "tides.md").write_bytes(b"\0\0")
    status, said = run("rebuild")
    assert status == 3
    assert "stale tides.md" in said
    owls = corpus.parent / "owls.txt"
    owls.write_text("The Zemblan owl sleeps eleven hours a day, in hollow trees by the river.")
    status, said = run("add", "--json", owls)
    assert status == 3
    assert [s["source"] for s in json.loads(said)["report"]["stale"]] == ["tides.md"]
    assert [s["id"] for s in json.loads(run("documents", "--json")[1])["stale"]] == ["tides"]
    assert "as it was read before" in run("documents")[1]
    status, said = run("doctor", "--json")
    (check,) = (c for c in json.loads(said) if c["check"] == "sources c")
    assert (status, check["ok"], check["note"]) == (0, True, True)
    assert "tides.md is stale" in check["detail"]
    (corpus / "tides.md").write_bytes(good)
    assert run("rebuild")[0] == 0
