"""Kill the process at random moments of every change to an index, and look at what is left.

    python benchmarks/index/crash.py --runs 200

Each run forks a child that adds, changes, rebuilds, rolls back or removes, and dies by SIGKILL: half of the time after
a random time, half of the time at a random one of its file operations (opening, renaming, deleting, making folders), so
that the short moments of publishing are met as often as the long ones of embedding. Every fifth run meets a full disk
instead (a limit on file sizes). Afterwards the index must be whole and hold the documents of before or of after, no
source may be lost or half written, and the next start must leave nothing behind.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from rag import store
from rag.errors import AdFontesError
from rag.settings import Settings
from rag.workspace import Workspace

COLLECTION = "crash"
OPERATIONS = ("add", "change", "rebuild", "rollback", "remove")
_AUDITED = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree", "sqlite3.connect")
_WORDS = [
    "heron",
    "tide",
    "lantern",
    "ferry",
    "harbour",
    "gull",
    "crown",
    "turbine",
    "pier",
    "rope",
    "anchor",
    "mist",
    "bell",
    "quay",
]


class Sea:
    """A small collection, changed at random by children that die."""

    def __init__(self, base: Path, seed: int, models: Path | None) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        settings = Settings(
            corpus=base / "corpus", index=base / "index", collection=COLLECTION, models=models, keep_generations=3
        )
        self.workspace = Workspace(settings)
        self.corpus, self.index = settings.corpus / COLLECTION, settings.index / COLLECTION
        self.corpus.mkdir(parents=True)
        for n in range(3):
            (self.corpus / f"start-{n}.md").write_text(self._prose(), encoding="utf-8")
        self.workspace.rebuild()
        self.workspace.rebuild(force=True)
        self.number = 0
        self.usual: dict[str, tuple[float, int]] = {}
        """By operation how long it takes and how many file operations it has."""
        self.ends: Counter[str] = Counter()

    def run(self, *, full: bool, by_step: bool) -> None:
        """One child, one death, one look at what is left."""
        name = self.chance.choice(OPERATIONS)
        before_files, before_index = self._files(), self._indexed()
        work, after_files = self._operation(name, before_files)
        seconds, steps = self.usual.get(name, (1.0, 200))
        step = self.chance.randint(1, int(steps * 1.05)) if by_step else None
        limit = self.chance.choice((0, 512, 4096, 20_000, 60_000, 200_000)) if full else None
        ended, took, counted = self._forked(
            work, step=step, after=None if by_step or full else self.chance.uniform(0, seconds * 1.1), limit=limit
        )
        if ended == "done":
            self.usual[name] = (took, max(counted, 1))
        self.ends[f"{name}: {ended}"] += 1
        self._check(name, before_files, after_files, before_index)

    def _operation(self, name: str, files: dict[str, str]) -> tuple[Callable[[], object], dict[str, str]]:
        self.number += 1
        text = self._prose()
        some = self.chance.choice(sorted(files))
        if (name == "remove" and len(files) < 3) or (name == "add" and len(files) > 6):
            name = "change"
        if name == "add":
            new = f"new-{self.number}.md"
            return lambda: self.workspace.add(None, new, text.encode()), {**files, new: text}
        if name == "change":
            return lambda: self.workspace.add(None, some, text.encode(), overwrite=True), {**files, some: text}
        if name == "remove":
            rest = {n: t for n, t in files.items() if n != some}
            return lambda: self.workspace.remove(None, some.removesuffix(".md")), rest
        if name == "rollback":
            return self.workspace.rollback, files
        return lambda: self.workspace.rebuild(force=True), files

    def _forked(
        self, work: Callable[[], object], *, step: int | None, after: float | None, limit: int | None
    ) -> tuple[str, float, int]:
        """How the child ended, how long it took and how many file operations it had."""
        counting, told = os.pipe()
        started = time.monotonic()
        child = os.fork()
        if child == 0:
            os.close(counting)
            code = 1
            try:
                count = 0

                def audit(event: str, _: object) -> None:
                    nonlocal count
                    if event in _AUDITED:
                        count += 1
                        if count == step:
                            os.kill(os.getpid(), signal.SIGKILL)

                if limit is not None:
                    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
                sys.addaudithook(audit)
                try:
                    work()
                    code = 0
                except (AdFontesError, OSError):
                    code = 3
                os.write(told, str(count).encode())
            finally:
                os._exit(code)
        os.close(told)
        if after is not None:
            time.sleep(after)
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        with os.fdopen(counting, "rb") as pipe:
            counted = int(pipe.read() or b"0")
        took = time.monotonic() - started
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL, f"died of signal {os.WTERMSIG(status)}"
            return "killed", took, counted
        code = os.WEXITSTATUS(status)
        assert code in (0, 3), "an error nobody expected; its traceback stands above"
        return ("done" if code == 0 else "refused"), took, counted

    def _check(
        self, name: str, before: dict[str, str], after: dict[str, str], before_index: dict[str, dict[str, str]]
    ) -> None:
        live = store.current(self.index)
        assert live is not None
        store.verify(self.index, live)
        files = self._files()
        assert files in (before, after), f"{name}: the sources are neither those of before nor those of after"
        indexed = self._texts(live)
        possible = [*before_index.values(), self._words_of(after)]
        assert indexed in possible, f"{name}: the live generation is of neither before nor after"
        if name != "rollback" and live not in before_index:
            assert indexed == self._words_of(after)
        # The next rebuild: whatever was left is gone, a change that did not end is put back, the index is brought up to
        # the sources.
        self.workspace.rebuild()
        files = self._files()
        assert files in (before, after), f"{name}: the sources put back are neither those of before nor those of after"
        assert self._texts(store.current(self.index) or "") == self._words_of(files)
        left = [p.name for f in (self.index, self.corpus) for p in f.glob(".*") if p.name != ".lock"]
        assert not left, f"{name}: left behind: {left}"
        whole = {g.id for g in store.generations(self.index)}
        folders = {p.name for p in self.index.iterdir() if p.is_dir()}
        assert folders == whole
        assert len(whole) <= self.workspace.settings.keep_generations

    def _indexed(self) -> dict[str, dict[str, str]]:
        return {g.id: self._texts(g.id) for g in store.generations(self.index)}

    def _texts(self, generation: str) -> dict[str, str]:
        opened = store.Generation.open(self.index, generation)
        return {d.source: " ".join(opened.document(d.id).text.split()) for d in opened.documents()}

    def _words_of(self, files: dict[str, str]) -> dict[str, str]:
        return {name: " ".join(text.replace("# ", "").split()) for name, text in files.items()}

    def _files(self) -> dict[str, str]:
        return {p.name: p.read_text(encoding="utf-8") for p in self.corpus.glob("[!.]*.md")}

    def _prose(self) -> str:
        lines = [" ".join(self.chance.choices(_WORDS, k=9)).capitalize() + "." for _ in range(6)]
        return f"# {' '.join(self.chance.choices(_WORDS, k=3)).title()}\n\n{' '.join(lines)}\n"


def main() -> None:
    """Run as often as asked; exit status 0 only when everything held every time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--folder", type=Path, help="where the collection is made: ext4, tmpfs, …")
    parser.add_argument("--models", type=Path, help="a folder with the encoder's export")
    arguments = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="crash-", dir=arguments.folder))
    print(f"seed {arguments.seed} in {base}", flush=True)
    try:
        sea = Sea(base, arguments.seed, arguments.models)
        for number in range(arguments.runs):
            sea.run(full=number % 5 == 4, by_step=number % 2 == 0 and number % 5 != 4)
        print(f"{arguments.runs} runs, all held: {dict(sorted(sea.ends.items()))}")
    finally:
        shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    main()
