"""What stands in a collection's folder, whatever its name and kind: told, and the rest goes on; changed as a whole."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from rag import build, documents, files, store
from rag.build import Incoming, journal, reading
from rag.build.folder import identified, survey
from rag.cli import app
from rag.errors import CancelledError, DocumentError, InputError, NotFoundError
from rag.settings import Settings
from rag.types import Skipped
from rag.workspace import Workspace
from service.app import create_app

OWLS = "# Owls\n\nThe Zemblan owl sleeps eleven hours a day and hunts over the salt marsh at dusk.\n"
NAMELESS = os.fsdecode(b"caf\xe9.md")


@pytest.fixture
def folder(fresh: Workspace) -> Path:
    """The folder of the collection `c`."""
    return fresh.settings.corpus / "c"


def left_out(skipped: tuple[Skipped, ...]) -> dict[str, str]:
    """The reasons by file."""
    return {s.source: s.reason for s in skipped}


# ── what stands there ────────────────────────────────────────────────────────────────────────────────────────────


def test_files_that_can_be_no_source_are_told_by_name_everywhere(fresh: Workspace, folder: Path) -> None:
    """Pipes, sockets, devices, names that are no text, empty and endless things: told in print, JSON and HTTP."""
    (folder / NAMELESS).write_text(OWLS)
    (folder / "new\nline.md").write_text(OWLS)
    (folder / os.fsdecode(b"\xff")).mkdir()
    (folder / os.fsdecode(b"\xff") / "inner.md").write_text(OWLS)
    os.mkfifo(folder / "pipe.md")
    os.mkfifo(folder / "list.bib")
    os.mkfifo(folder / "tides.md.toml")
    (folder / "device.md").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(folder)  # a socket's path must be short
        listening.bind("socket.md")
        os.chdir(here)
        (folder / "empty.md").touch()
        (folder / "paper.pdf").mkdir()
        (folder / "paper.pdf/inside.md").write_text(OWLS)
        (folder / ("n" * 251 + ".md")).write_text(OWLS)
        (folder / ".hidden.md").write_text(OWLS)
        report = fresh.rebuild()
    out = left_out(report.skipped)
    assert set(out) == {
        "caf\\xe9.md",
        "new\\nline.md",
        "\\xff",
        "pipe.md",
        "list.bib",
        "device.md",
        "socket.md",
        "empty.md",
    }
    assert "not UTF-8" in out["caf\\xe9.md"]
    assert "control characters" in out["new\\nline.md"]
    assert "pipe" in out["pipe.md"]
    assert "device" in out["device.md"]
    assert "empty" in out["empty.md"]
    assert {d.source for d in fresh.generation().documents()} == {
        "tides.md",
        "paper.pdf/inside.md",
        "n" * 251 + ".md",
    }
    assert fresh.rebuild().unchanged
    assert {p.message.split(":")[0] for p in fresh.generation().problems() if p.kind == "source-left-out"} == set(out)
    flags = ["--corpus", str(fresh.settings.corpus), "--index", str(fresh.settings.index), "--collection", "c"]
    for command in ("rebuild", "documents", "audit", "rebuild --json", "documents --json", "audit --json", "doctor"):
        said = CliRunner().invoke(app, [*flags, *command.split()])
        assert said.exit_code == 0, (command, said.output, said.exception)
        as_told = {name.replace("\\", "\\\\") if "--json" in command else name for name in out}
        assert all(name in said.output for name in as_told), command
    with TestClient(create_app(fresh), base_url="http://127.0.0.1") as client:
        assert {s["source"] for s in client.get("/v1/documents").json()["skipped"]} == set(out)
        assert client.get("/v1/audit").json()["counts"]["source-left-out"] == len(out)
        assert client.get("/v1/audit?format=sarif").status_code == 200
    (folder / NAMELESS).rename(folder / "cafe.md")
    assert "caf\\xe9.md" not in left_out(fresh.rebuild().skipped)


def test_a_name_that_is_no_text_is_told_when_it_is_added(fresh: Workspace, tmp_path: Path) -> None:
    """The command line can print, in words and in JSON, what it was given."""
    given = tmp_path / os.fsdecode(b"owl\xff.md")
    given.write_text(OWLS)
    flags = ["--corpus", str(fresh.settings.corpus), "--index", str(fresh.settings.index), "--collection", "c"]
    for form in ([], ["--json"]):
        said = CliRunner().invoke(app, [*flags, "add", str(given), *form])
        assert said.exit_code == 0, (said.output, said.exception)
        assert "owl.md" in said.output
    assert (fresh.settings.corpus / "c/owl.md").read_text() == OWLS


def test_links_out_of_the_collection_are_refused_unless_set(fresh: Workspace, folder: Path, tmp_path: Path) -> None:
    """A file, a folder, a list or a sidecar that a link brings in from outside is read only if it is set."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "owls.md").write_text(OWLS)
    (outside / "owls.toml").write_text('title = "Secret title"')
    (outside / "up").symlink_to(".")
    (folder / "file.md").symlink_to(outside / "owls.md")
    (folder / "all").symlink_to(outside)
    (folder / "own.md").write_text(OWLS.replace("Owls", "Own"))
    (folder / "own.toml").symlink_to(outside / "owls.toml")
    (folder / "again.md").symlink_to("tides.md")
    (folder / "nothing.md").symlink_to("not-there.md")
    (folder / "circle.md").symlink_to("circle.md")
    (folder / "here").symlink_to(".")
    out = left_out(fresh.rebuild().skipped)
    assert set(out) == {"file.md", "all", "own.md", "nothing.md", "circle.md", "here"}
    assert all("follow_links" in out[name] for name in ("file.md", "all", "own.md"))
    assert "to nothing" in out["nothing.md"]
    assert "circle" in out["circle.md"]
    assert "folder" in out["here"]
    assert {d.source for d in fresh.generation().documents()} == {"tides.md", "again.md"}

    following = Workspace(fresh.settings.model_copy(update={"follow_links": True}))
    out = left_out(following.rebuild().skipped)
    generation = following.generation()
    assert {"file.md", "own.md", "all/owls.md"} <= {d.source for d in generation.documents()}
    assert generation.document("own").title == "Secret title"
    assert {"nothing.md", "circle.md", "here"} <= set(out)
    assert any(name == "all/up" and "back to a folder" in why for name, why in out.items())
    original = following.original(None, generation.document("file"))
    assert original.read_text() == OWLS
    with pytest.raises(NotFoundError):
        fresh.original(None, generation.document("file"))
    with pytest.raises(InputError, match="out of the collection"):
        following.remove(None, "all-owls")
    following.remove(None, "file")
    assert (outside / "owls.md").read_text() == OWLS
    assert not (folder / "file.md").is_symlink()


def test_a_link_put_in_the_way_after_the_look_leads_nowhere(tmp_path: Path) -> None:
    """A folder swapped for a link to the outside, again and again while it is read, never gives what lies outside."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "real").mkdir(parents=True)
    outside.mkdir()
    (root / "real/a.md").write_text("inside")
    (outside / "a.md").write_text("outside")
    (root / "way").symlink_to("real")
    ended = threading.Event()

    def swap() -> None:
        while not ended.is_set():
            for target in (outside, "real"):
                (root / "next").symlink_to(target)
                (root / "next").replace(root / "way")

    thread = threading.Thread(target=swap)
    thread.start()
    found = set()
    try:
        until = time.monotonic() + 3
        while time.monotonic() < until:
            try:
                found.add(files.read(root / "way/a.md", root))
            except OSError:
                found.add(b"refused")
    finally:
        ended.set()
        thread.join()
    assert found == {b"inside", b"refused"}


def test_names_that_look_alike_are_both_indexed_and_told(fresh: Workspace, folder: Path) -> None:
    """Names that differ only in case or in how an accent is stored are two documents, and each pair is a problem."""
    (folder / "Tides.md").write_text(OWLS)
    (folder / "caf\u00e9.md").write_text(OWLS.replace("Owls", "Composed"))
    (folder / "cafe\u0301.md").write_text(OWLS.replace("Owls", "Decomposed"))
    assert fresh.rebuild().documents == 4
    alike = [p for p in fresh.generation().problems() if p.kind == "names-alike"]
    assert len(alike) == 2
    (folder / "Tides.md").unlink()
    fresh.rebuild()
    assert [p.kind for p in fresh.generation().problems()].count("names-alike") == 1


# ── what changes or goes while it is read ────────────────────────────────────────────────────────────────────────


def between_listing_and_reading(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """`act` once all hashes are known and nothing is read yet."""
    hashed = reading.hashed

    def and_then(*arguments: object) -> object:
        found = hashed(*arguments)  # type: ignore[arg-type]
        act()
        return found

    monkeypatch.setattr("rag.build.pipeline.hashed", and_then)


def test_a_file_that_changes_once_is_read_as_it_is_now(
    fresh: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the index lists of it is what it read, so that the next rebuild has nothing to do."""
    (folder / "owls.md").write_text("# Older\n\nThis is what stood here before the file was changed.\n")
    between_listing_and_reading(monkeypatch, lambda: (folder / "owls.md").write_text(OWLS))
    assert fresh.rebuild().skipped == ()
    assert "Zemblan" in fresh.generation().document("owls").text
    monkeypatch.undo()
    assert fresh.rebuild().unchanged


def test_a_file_that_goes_on_changing_is_told_and_left(
    fresh: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is another each time it is looked at is left out with the reason, and read when it has come to rest."""
    (folder / "owls.md").write_text(OWLS)
    real, times = files.read, []

    def changing(path: Path, root: Path | None = None, *, most: int | None = None) -> bytes:
        if path.name == "owls.md":
            times.append(path)
            path.write_text(f"{OWLS}\nLine {len(times)} was added while it was read.\n")
        return real(path, root, most=most)

    monkeypatch.setattr(files, "read", changing)
    report = fresh.rebuild()
    assert "changes while it is read" in left_out(report.skipped)["owls.md"]
    assert (report.documents, len(times)) == (1, 2)
    monkeypatch.undo()
    assert fresh.rebuild().documents == 2


def test_a_file_that_grows_under_the_reader_is_never_taken_half(tmp_path: Path) -> None:
    """What is read is what the file held at one moment, or an error says that it changes."""
    path = tmp_path / "growing.txt"
    path.write_bytes(b"")
    ended = threading.Event()

    def grow() -> None:
        with path.open("ab", buffering=0) as file:
            while not ended.is_set():
                file.write(b"0123456789abcdef\n" * 1000)
                if file.tell() > 1 << 20:
                    file.truncate(0)

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        told, until = 0, time.monotonic() + 20
        while not told and time.monotonic() < until:
            try:
                files.read(path, tmp_path)
            except OSError as error:
                told += "changes while it is read" in str(error)
    finally:
        ended.set()
        thread.join()
    assert told > 0


@pytest.mark.parametrize("name", ["owls.md", "list.bib", "owls.md.toml", "gone/owls.md"])
def test_what_goes_between_listing_and_reading_is_told(
    fresh: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A file, a list, a sidecar or a whole folder taken away meanwhile: nothing is raised, the rest is indexed."""
    (folder / "gone").mkdir()
    (folder / "gone/owls.md").write_text(OWLS)
    (folder / "owls.md").write_text(OWLS)
    (folder / "owls.md.toml").write_text('title = "Told beside"')
    (folder / "list.bib").write_text("@book{a, title={Owls of the marsh}, author={Lind, B.}, year={2020}}")
    taken = folder / name.split("/", maxsplit=1)[0]
    between_listing_and_reading(monkeypatch, lambda: shutil.rmtree(taken) if taken.is_dir() else taken.unlink())
    report = fresh.rebuild()
    out = left_out(report.skipped)
    assert set(out) == ({name} if not name.endswith(".toml") else set())
    assert all("went while the collection was read" in why for why in out.values())
    monkeypatch.undo()
    after = fresh.rebuild()
    assert not after.unchanged
    assert after.skipped == ()


def test_what_cannot_be_opened_is_told_and_read_once_it_can(
    fresh: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file without permission, also to root here, has an id by which it can be removed, and comes when it opens."""
    (folder / "locked.md").write_text(OWLS)
    real = os.open

    def refusing(path: object, *arguments: object, **more: object) -> int:
        if str(path).endswith("locked.md"):
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **more)  # type: ignore[call-overload,no-any-return]

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refusing)
        (skipped,) = fresh.rebuild().skipped
        assert (skipped.source, skipped.id) == ("locked.md", "locked")
        assert "Permission denied" in skipped.reason
        assert fresh.rebuild().unchanged
    assert fresh.rebuild().documents == 2


def test_a_list_that_cannot_be_opened_for_long_takes_no_entries_away(
    fresh: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through any number of rebuilds what leans on the list keeps its entries, and all else is not read anew."""
    (folder / "owls.md").write_text(f"{OWLS}\nIt was first counted in 2020 (Lind, 2020).\n")
    (folder / "owls.bib").write_text("@book{lind, title={Owls of the marsh}, author={Lind, B.}, year={2020}}")
    fresh.rebuild()
    assert [r.id for r in fresh.generation().references("owls")]
    real = os.open

    def refusing(path: object, *arguments: object, **more: object) -> int:
        if str(path).endswith("owls.bib"):
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **more)  # type: ignore[call-overload,no-any-return]

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refusing)
        for number in range(3):
            (folder / f"other-{number}.md").write_text(OWLS.replace("Owls", f"Number {number}"))
            report = fresh.rebuild()
            assert [(s.source, s.dropped) for s in report.skipped] == [("owls.bib", True)]
            assert [s.source for s in report.stale] == ["owls.md"]
            assert [r.id for r in fresh.generation().references("owls")]
            assert fresh.rebuild().unchanged
    assert fresh.rebuild().stale == ()
    assert [r.id for r in fresh.generation().references("owls")]


def test_a_folder_that_cannot_be_listed_is_told(
    fresh: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of the collection is indexed."""
    (folder / "shut").mkdir()
    real = Path.iterdir

    def refusing(self: Path) -> object:
        if self.name == "shut":
            raise PermissionError(13, "Permission denied")
        return real(self)

    monkeypatch.setattr(Path, "iterdir", refusing)
    report = fresh.rebuild()
    assert left_out(report.skipped) == {"shut": "the folder cannot be listed (Permission denied)"}
    assert report.documents == 1


def test_a_sidecar_spoilt_while_others_are_read_raises_nothing(fresh: Workspace, folder: Path) -> None:
    """What is known of a document is asked again late in a build; by then it may be no TOML any more."""
    (folder / "tides.md.toml").write_text('title = "Tides"')

    def spoil(progress: object) -> None:
        if getattr(progress, "stage", "") == "chunking":
            (folder / "tides.md.toml").write_text("[[[[")

    build.rebuild(fresh.plan(progress=spoil))
    assert fresh.generation().documents()[0].id == "tides"
    (stale,) = fresh.rebuild().stale
    assert (stale.source, "TOML" in stale.reason) == ("tides.md", True)


# ── what is changed ──────────────────────────────────────────────────────────────────────────────────────────────


def test_sources_are_on_disk_before_the_index_lists_them(fresh: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file that a generation lists, and its folder, is synced after its last change and before the pointer's."""
    folder = fresh.settings.corpus / "c"
    (folder / "deep").mkdir()
    (folder / "deep/by-hand.md").write_text(OWLS)
    told: list[tuple[str, str]] = []
    sync, rename = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        told.append(("sync", str(Path(f"/proc/self/fd/{descriptor}").readlink())))
        sync(descriptor)

    def renamed(old: os.PathLike[str], new: os.PathLike[str], **more: int) -> None:
        told.append(("rename", str(new)))
        rename(old, new, **more)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    fresh.add(None, "owls.md", OWLS.encode(), reference="")
    published = told.index(("rename", str(fresh.settings.index / "c" / store.CURRENT)))
    for path in (folder / "owls.md", folder / "owls.md.toml"):
        placed = told.index(("rename", str(path)))
        assert ("sync", str(folder)) in told[placed:published]
        assert ("sync", str(path)) in told[placed:published]
    for path in (folder / "deep/by-hand.md", folder / "deep"):
        assert ("sync", str(path)) in told[:published]


def test_what_a_failed_change_set_aside_comes_back_as_it_was(fresh: Workspace, folder: Path) -> None:
    """Contents, modes and links: all as before, nothing left over, whichever step the work stops at."""
    fresh.rebuild()
    (folder / "tides.md").chmod(0o640)
    before = {p.name: (p.read_bytes(), p.stat().st_mode) for p in folder.iterdir()}
    steps = 0

    def stop_at(limit: int) -> Callable[[], bool]:
        nonlocal steps
        steps = 0

        def cancelled() -> bool:
            nonlocal steps
            steps += 1
            return steps > limit

        return cancelled

    for limit in range(100):
        plan = fresh.plan(cancelled=stop_at(limit))
        two = [Incoming("tides.md", OWLS.encode(), ""), Incoming("owls.md", OWLS.encode())]
        try:
            build.add(plan, two, overwrite=True)
        except CancelledError:
            assert {p.name: (p.read_bytes(), p.stat().st_mode) for p in folder.iterdir()} == before
            continue
        break
    assert limit > 3
    assert {p.name for p in folder.iterdir()} == {"tides.md", "tides.md.toml", "owls.md"}


def test_a_journal_leads_nowhere_else(fresh: Workspace, folder: Path, tmp_path: Path) -> None:
    """A journal that somebody has put there, torn or forged, touches no file outside and stops no rebuild."""
    fresh.rebuild()
    (tmp_path / "victim.md").write_text("keep")
    sha = files.sha256(tmp_path / "victim.md")
    forged = [
        {"file": "../../victim.md", "before": None, "becomes": sha},
        {"file": str(tmp_path / "victim.md"), "before": None, "becomes": sha},
        {"file": "tides.md", "before": "../../victim.md", "becomes": files.sha256(folder / "tides.md")},
        {"file": "a\0b", "before": None, "becomes": None},
    ]
    for lines in (*([json.dumps(f)] for f in forged), ["[" * 100_000], ["7"], ["\xff"], ['{"file": "tides.md"']):
        (folder / journal.JOURNAL).write_text('{"live": null}\n' + "\n".join(lines) + "\n", encoding="latin-1")
        fresh.rebuild()
        assert [p.name for p in folder.iterdir()] == ["tides.md"]
        assert (tmp_path / "victim.md").read_text() == "keep"


def test_what_a_person_changed_after_a_crash_is_kept(fresh: Workspace, folder: Path) -> None:
    """Putting a change back spares files that hold neither what was before nor what was to be."""
    fresh.rebuild()
    changes = journal.Changes(folder, store.current(fresh.settings.index / "c"))
    changes.put(folder / "tides.md", OWLS.encode())
    changes.put(folder / "owls.md", OWLS.encode())
    (folder / "owls.md").write_text("# Mine\n\nWritten by hand after the lights came back on again.\n")
    del changes  # as if killed
    fresh.rebuild()
    assert "Kestrel" in (folder / "tides.md").read_text()
    assert "by hand" in (folder / "owls.md").read_text()
    assert {p.name for p in folder.iterdir()} == {"tides.md", "owls.md"}


def test_a_copy_takes_the_place_of_another_in_one_change(
    fresh: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer copy of another kind and the older one are never both there, nor neither, when the work fails."""
    (folder / "old.html").write_text("<p>The heron stands on one leg all day long in the shallow water.</p>")
    (folder / "old.html.toml").write_text('reference = "x"')
    before = {p.name: p.read_bytes() for p in folder.iterdir()}

    def full(self: journal.Changes) -> None:
        raise CancelledError("stopped")

    with monkeypatch.context() as patched:
        patched.setattr(journal.Changes, "keep", full)
        with pytest.raises(CancelledError):
            build.save(fresh.plan(), Incoming("new.md", OWLS.encode()), instead_of=folder / "old.html")
    fresh.rebuild()
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    build.save(fresh.plan(), Incoming("new.md", OWLS.encode()), instead_of=folder / "old.html")
    assert {p.name for p in folder.iterdir()} == {"tides.md", "new.md"}


def test_the_survey_is_sorted_and_gives_ids_that_stay(tmp_path: Path) -> None:
    """Ids do not depend on the order in which a disk lists its files, nor on what cannot be a source."""
    for name in ("b.md", "a.md", "a.txt", "deep/a.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(OWLS)
    os.mkfifo(tmp_path / "a.html")
    found = survey(tmp_path)
    assert [i for _, i in identified(tmp_path, found.files)] == ["a", "a-txt", "b", "deep-a"]
    assert documents.known_of(tmp_path / "a.md", tmp_path) == {}


def test_a_sidecar_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Endless nesting and another's file are a DocumentError like any other fault of a sidecar."""
    (tmp_path / "a.md").write_text(OWLS)
    (tmp_path / "a.toml").write_text("a = " + "[" * 100_000)
    with pytest.raises(DocumentError, match=r"a\.toml"):
        documents.known_of(tmp_path / "a.md", tmp_path)


def test_the_setting_is_off_by_default() -> None:
    """Nothing outside is read unless somebody says so."""
    assert Settings().follow_links is False
