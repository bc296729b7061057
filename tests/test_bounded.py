"""Whatever work on a foreign text does, it ends in time, its reason is told, and the next text is worked on."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import bounded_tasks
import pytest

from rag.bounded import Worker
from rag.errors import CancelledError, DocumentError, TransientError


@pytest.fixture
def worker() -> Iterator[Worker]:
    """A child that can do the tests' tasks, started and at work before."""
    with Worker(memory_mb=600, tasks=bounded_tasks.TASKS) as made:
        assert greeted(made)
        yield made


def greeted(worker: Worker) -> bool:
    """Whether the child, or another in its place, does its work."""
    return bool(worker.run("greet", {"said": "hello"}, b"12345", name="x") == "hello 5")


@pytest.mark.parametrize(
    ("task", "limits", "said", "at_once"),
    [
        (
            "never_end",
            {"seconds": 0.3, "patience": 1e6},
            r"a\.txt: takes more than 0\.3 seconds of processor time",
            False,
        ),
        ("hang", {"seconds": 0.1, "patience": 3}, r"a\.txt: the work on it was not done after 0\.3 seconds", True),
        ("eat", {}, r"a\.txt: needs more memory", False),
        ("die", {}, r"a\.txt: the process at work on it was ended \(signal 9\)", True),
        ("open_nothing", {}, r"a\.txt: cannot be opened \(No such file", False),
    ],
)
def test_what_may_pass_is_told_apart(
    worker: Worker, task: str, limits: dict[str, float], said: str, *, at_once: bool
) -> None:
    """Time, memory, a signal and a file that does not open say nothing of the file, and nobody is accused."""
    started = time.monotonic()
    with pytest.raises(TransientError, match=said) as caught:
        worker.run(task, {}, name="a.txt", **limits)
    assert caught.value.at_once == at_once
    assert time.monotonic() - started < 30
    assert greeted(worker)


@pytest.mark.parametrize(("task", "said"), [("nest", "nested too deeply"), ("fail", "two and two are five")])
def test_what_the_file_says_itself_is_final(worker: Worker, task: str, said: str) -> None:
    """What fails alike every time is no passing failure."""
    with pytest.raises(DocumentError, match=rf"a\.txt: .*{said}") as caught:
        worker.run(task, {}, name="a.txt")
    assert not isinstance(caught.value, TransientError)
    assert greeted(worker)


def test_only_what_is_in_the_table_is_done(worker: Worker) -> None:
    """No name from outside becomes a function that is called."""
    with pytest.raises(DocumentError, match="KeyError"):
        worker.run("os:getcwd", {}, name="a.txt")


def test_killed_by_somebody_else(worker: Worker) -> None:
    """A child that is killed in the middle of its work is told as that, and another takes its place."""
    pid = worker.pid
    assert pid
    threading.Timer(0.2, os.kill, (pid, signal.SIGKILL)).start()
    with pytest.raises(TransientError, match="signal 9"):
        worker.run("hang", {}, name="a.txt")
    assert greeted(worker)
    assert worker.pid != pid


@pytest.mark.parametrize("task", ["never_end", "hang"])
def test_work_is_stopped_within_a_second(worker: Worker, task: str) -> None:
    """Whoever no longer wants the work, or waits behind it for its turn, is let go at once, whatever the child does."""
    stop = threading.Event()
    waits: list[float] = []

    def ask() -> None:
        with pytest.raises(CancelledError):
            worker.run(task, {}, name="a.txt", cancelled=stop.is_set)
        waits.append(time.monotonic())

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    asked = time.monotonic()
    stop.set()
    for thread in threads:
        thread.join(10)
    assert len(waits) == 2
    assert max(waits) - asked < 1
    assert greeted(worker)
