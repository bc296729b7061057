"""Kill the process between two file operations of every change to sources and index, one after the other.

    python benchmarks/index/moments.py --runs 200 --of index
    python benchmarks/index/moments.py --runs 200 --of sources

`crash.py` kills at random moments, of which few lie inside writing. Here each change is done once to the end and the
operations by which it writes are counted: files opened for writing, made, linked, renamed, deleted, and waits for the
disk, in the collection's index folder, or in its folder of sources and on the pointer to the live generation. Then it
is done again from the same start, in a child that SIGKILLs itself right before the n-th of them. The moments are
spread evenly over all changes; where more runs are asked for than there are, the rest are killed some milliseconds
after one, within what is written between two operations. After each the live generation is verified, what a service
does at its start is done and a question asked, the sources are those of before or those of after, and the next rebuild
gives what a build from nothing gives.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rag import build, harvest, store
from rag.build import Incoming
from rag.settings import Settings
from rag.store import Generation
from rag.types import Reference
from rag.workspace import Workspace

COLLECTION = "moments"
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_OPERATIONS = {"os.rename": (0, 1), "os.remove": (0,), "os.mkdir": (0,), "os.rmdir": (0,), "os.link": (0, 1)}
"""Audit events that change a disk, and which of their arguments are paths; `open` and `os.fsync` are seen to apart."""

Work = Callable[[Workspace], object]
START = {
    "tides.md": "# Tides\n\nKestrel Bay opened its first tidal turbine in 2019 (Marlowe, 2019).\n\n## References\n\n"
    "Marlowe, T., 2019. Turning tides. Harbour Review, 12(3), pp. 4-19.\n",
    "owls.md": "# Owls\n\nThe Zemblan owl sleeps eleven hours a day. It hunts over the salt marsh at dusk.\n",
    "owls.toml": 'title = "Owls of the marsh"\n',
    "ferry.html": "<title>The ferry</title><p>The ferry leaves the old pier every morning before the tide turns.</p>",
    "ferry.html.toml": 'reference = ""\n\n[origin]\naddress = "https://example.org/ferry"\n',
}
_NEW = b"# Gulls\n\nThe gull follows the herring boats as far as the outer bank and sleeps upon the water.\n"
_OTHER = b"# Owls\n\nThe Zemblan owl was seen by day in March. Nobody knows what it was looking for out there.\n"


def _log(workspace: Workspace) -> None:
    reference = Reference("x", {"type": "book", "id": "x"}, "x", 0, 1)
    harvest._Log(workspace.settings.index / COLLECTION / harvest.LOG).note(  # noqa: SLF001
        reference, harvest.Outcome("x", "failed", reason="it is only noted")
    )


OF_INDEX: dict[str, Work] = {
    "rebuild": lambda w: w.rebuild(force=True),
    "rollback": lambda w: w.rollback(),
    "prune": lambda w: w.prune(keep=1),
}
OF_SOURCES: dict[str, Work] = {
    "add": lambda w: w.add(None, "gulls.md", _NEW, reference=""),
    "add several": lambda w: w.add_all(
        [Incoming("gulls.md", _NEW), Incoming("owls.md", _OTHER, ""), Incoming("tides.md", b"# Tides\n\n" + _OTHER)],
        overwrite=True,
    ),
    "replace": lambda w: w.add(None, "owls.md", _OTHER, overwrite=True),
    "remove": lambda w: w.remove(None, "owls"),
    "attach": lambda w: w.attach(None, "owls", "marlowe-2019"),
    "detach": lambda w: w.attach(None, "ferry", None),
    "save": lambda w: build.save(w.plan(), Incoming("gulls.md", _NEW, "", {"address": "https://example.org/gulls"})),
    "save anew": lambda w: build.save(w.plan(), Incoming("ferry.md", _NEW), instead_of=_folder(w) / "ferry.html"),
    "note": _log,
}


@dataclass(frozen=True)
class Moment:
    """Where a change is killed: before its n-th operation, or some seconds after it began."""

    change: str
    number: int
    later: float = 0.0


def _folder(workspace: Workspace) -> Path:
    return workspace.settings.corpus / COLLECTION


class Trials:
    """The changes, done and killed, each from the same start."""

    def __init__(self, base: Path, models: Path | None) -> None:
        self.base, self.models = base, models
        self.ends: Counter[str] = Counter()
        self._nothing: dict[tuple[Any, ...], Any] = {}
        first = self._workspace("start")
        _folder(first).mkdir(parents=True)
        for name, text in START.items():
            (_folder(first) / name).write_text(text, encoding="utf-8")
        for _ in range(2):
            first.rebuild(force=True)
        self.before = _files(_folder(first))

    def moments(self, changes: dict[str, Work], area: str) -> tuple[list[Moment], dict[str, Any]]:
        """Every moment of each change, and what the sources are after it."""
        found, after = [], {}
        for name, work in changes.items():
            workspace = self._fresh()
            told = self._killed(workspace, work, area, Moment(name, 0))
            assert told is not None, f"{name}: did not come to its end"
            after[name] = _files(_folder(workspace))
            found += [Moment(name, n) for n in range(1, told + 1)]
        return found, after

    def run(self, moment: Moment, work: Work, after: dict[str, bytes], area: str) -> None:
        """One child, one death, one look at what is left."""
        workspace = self._fresh()
        ended = self._killed(workspace, work, area, moment)
        self.ends[f"{moment.change}: {'killed' if ended is None else 'done'}"] += 1
        self._check(workspace, moment, after)

    def _workspace(self, name: str) -> Workspace:
        """Settings and folders of its own; the models are loaded once."""
        where = self.base / name
        settings = Settings(
            corpus=where / "corpus", index=where / "index", collection=COLLECTION, models=self.models, judge="none"
        )
        return Workspace(settings)

    def _fresh(self) -> Workspace:
        shutil.rmtree(self.base / "run", ignore_errors=True)
        shutil.copytree(self.base / "start", self.base / "run")
        return self._workspace("run")

    def _killed(self, workspace: Workspace, work: Work, area: str, moment: Moment) -> int | None:
        """How many operations the change had; None when it was killed before its end."""
        index = str(workspace.settings.index / COLLECTION)
        # A change of sources lasts until its generation is live, so that the pointer's moments are its own too.
        beside = (f"{index}/.{store.CURRENT}", f"{index}/.{harvest.LOG}")
        within = (index,) if area == "index" else (str(workspace.settings.corpus), *beside)
        counting, told = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(counting)
            code = 1
            try:
                operations = _Operations(within, moment)
                work(workspace)
                os.write(told, str(operations.count).encode())
                code = 0
            finally:
                os._exit(code)
        os.close(told)
        _, status = os.waitpid(child, 0)
        with os.fdopen(counting, "rb") as pipe:
            counted = pipe.read()
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL, f"{moment}: died of signal {os.WTERMSIG(status)}"
            return None
        assert os.WEXITSTATUS(status) == 0, f"{moment}: an error nobody expected; its traceback stands above"
        return int(counted)

    def _check(self, workspace: Workspace, moment: Moment, after: dict[str, bytes]) -> None:
        index = workspace.settings.index / COLLECTION
        live = store.current(index)
        assert live is not None
        store.verify(index, live)
        opened = self._workspace("run")
        opened.sweep()  # what a service does at its start: what was left over is put right
        sources = _files(_folder(workspace))
        assert sources in (self.before, after), f"{moment}: the sources are neither those of before nor of after"
        listed = opened.generation().manifest["sources"]
        went_live = listed == {name: hashlib.sha256(content).hexdigest() for name, content in after.items()}
        assert sources == after or not went_live, f"{moment}: what is live has been put back"
        assert opened.search("Who sleeps eleven hours a day?")[1]
        made = opened.rebuild()
        assert _same(opened.generation(), self._from_nothing(sources)), f"{moment}: not as from nothing"
        assert _files(_folder(workspace)) == sources
        left = [p.name for f in (index, _folder(workspace)) for p in f.glob(".*")]
        assert set(left) <= {".lock", ".fetched.json.part"}, f"{moment}: left behind: {left}"
        folders = {p.name for p in index.iterdir() if p.is_dir()}
        assert folders == {g.id for g in store.generations(index)}
        assert made.generation in folders

    def _from_nothing(self, sources: dict[str, bytes]) -> Generation:
        key = tuple(sorted(sources.items()))
        if key not in self._nothing:
            where = f"nothing-{len(self._nothing)}"
            workspace = self._workspace(where)
            _folder(workspace).mkdir(parents=True)
            for name, content in sources.items():
                (_folder(workspace) / name).write_bytes(content)
            workspace.rebuild()
            self._nothing[key] = workspace.generation()
        found: Generation = self._nothing[key]
        return found


class _Operations:
    """Counts what this process changes on the disk, and kills it at a moment."""

    def __init__(self, within: tuple[str, ...], moment: Moment) -> None:
        self.count = 0
        self._within, self._moment = within, moment
        self._wait = os.fsync
        os.fsync = self._synced  # type: ignore[assignment]
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            if isinstance(arguments[2], int) and arguments[2] & _WRITING:
                self._met(arguments[:1])
        elif event in _OPERATIONS:
            self._met([arguments[n] for n in _OPERATIONS[event]])
        elif event == "sqlite3.connect":
            self._met(arguments[:1])

    def _synced(self, descriptor: int) -> None:
        self._met([os.readlink(f"/proc/self/fd/{descriptor}")])  # noqa: PTH115
        self._wait(descriptor)

    def _met(self, paths: Iterable[Any]) -> None:
        names = [os.fsdecode(p) for p in paths if isinstance(p, str | bytes | os.PathLike)]
        if not any(n.startswith(self._within) for n in names):
            return
        self.count += 1
        if self.count == self._moment.number:
            if self._moment.later:
                threading.Timer(self._moment.later, os.kill, (os.getpid(), signal.SIGKILL)).start()
            else:
                os.kill(os.getpid(), signal.SIGKILL)


def _files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.glob("[!.]*"))}


def _same(one: Generation, other: Generation) -> bool:
    """Whether two generations hold the same but for their names and the dates when files were first seen.

    Vectors may differ in their last bits: those of texts that were embedded together do.
    """
    if _listed(one) != _listed(other):
        return False
    return np.allclose(one.vectors_of(range(one.size)), other.vectors_of(range(other.size)), atol=1e-5)


def _listed(generation: Generation) -> tuple[Any, ...]:
    manifest = generation.manifest
    exact = {n: f["sha256"] for n, f in manifest["files"].items() if n.startswith(("layout/", "lexical/"))}
    with closing(sqlite3.connect(f"file:{generation.folder / 'store.sqlite'}?mode=ro", uri=True)) as opened:
        rows = [
            opened.execute(f"SELECT * FROM {name} ORDER BY 1, 2, 3").fetchall()  # noqa: S608  (ours)
            for name in ("refs", "mentions", "problems", "chunks")
        ]
        texts = opened.execute("SELECT id, ord, text FROM documents ORDER BY ord").fetchall()
    attached = [d["attachments"] for d in manifest["provenance"]]
    return manifest["sources"], manifest["skipped"], manifest["counts"], exact, rows, texts, attached


def main() -> None:
    """Run as often as asked; exit status 0 only when everything held every time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--of", choices=("index", "sources"), default="index")
    parser.add_argument("--folder", type=Path, help="where the collection is made: ext4, tmpfs, …")
    parser.add_argument("--models", type=Path, help="a folder with the encoder's export")
    arguments = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="moments-", dir=arguments.folder))
    changes = OF_INDEX if arguments.of == "index" else OF_SOURCES
    started = time.monotonic()
    try:
        trials = Trials(base, arguments.models)
        found, after = trials.moments(changes, arguments.of)
        chance = random.Random(len(found))  # noqa: S311
        spread = [found[n * len(found) // arguments.runs] for n in range(min(arguments.runs, len(found)))]
        if arguments.runs > len(found):
            spread = list(found)
        while len(spread) < arguments.runs:
            one = chance.choice(found)
            spread.append(Moment(one.change, one.number, chance.uniform(0.0002, 0.02)))
        for moment in spread:
            trials.run(moment, changes[moment.change], after[moment.change], arguments.of)
        killed = sum(n for name, n in trials.ends.items() if name.endswith("killed"))
        print(f"{len(found)} moments of {arguments.of}; {len(spread)} runs, {killed} killed, all held, in", end=" ")
        print(f"{time.monotonic() - started:.0f} s: {dict(sorted(trials.ends.items()))}")
    finally:
        shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    main()
