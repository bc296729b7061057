"""Every example of the documentation, run: commands with what they print, programs, settings files, units."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from rag import cli
from rag.settings import Settings
from rag.workspace import Workspace

ROOT = Path(__file__).parents[2]
PAGES = sorted(p.name for p in (ROOT / "docs").glob("*.md") if "made by docs/generate.py" not in p.read_text("utf-8"))
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str, kind: str) -> list[str]:
    """The fenced blocks of one kind on a page."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return [body for found, body in _BLOCK.findall(text) if found == kind]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader of the documentation sits: a folder with the corpus that comes along."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copytree(ROOT / "corpus/china-generative-ai", folder / "corpus/china-generative-ai")
    Workspace(Settings(corpus=folder / "corpus", index=folder / "index")).rebuild()
    return folder


@pytest.fixture(scope="module")
def address(desk: Path, serving: Callable[[Workspace], AbstractContextManager[str]]) -> Iterator[str]:
    """The address of a service over that corpus."""
    with serving(Workspace(Settings(corpus=desk / "corpus", index=desk / "index"))) as address:
        yield address


@pytest.fixture(autouse=True)
def _at_the_desk(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk)


def run(command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """What a command prints; it must succeed."""
    words = shlex.split(command)
    if words[0] != "adfontes":
        return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, timeout=120).stdout
    monkeypatch.setattr(sys, "argv", words)
    status = 0
    try:
        cli.main()
    except SystemExit as stopped:
        status = int(stopped.code or 0)
    printed = capsys.readouterr()
    assert status == 0, f"{command}: {printed.err}"
    return printed.out


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "console")])
def test_the_commands_print_what_the_page_says(
    page: str, address: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command succeeds, and the lines below it are found in what it prints, `…` standing for anything."""
    for block in blocks(page, "console"):
        commands = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
        for one in commands:
            command, _, expected = one.partition("\n")
            printed = run(command.replace("127.0.0.1:8000", address.removeprefix("http://")), capsys, monkeypatch)
            for line in expected.splitlines():
                pattern = ".*?".join(re.escape(part.strip()) for part in line.split("…"))
                assert re.search(pattern, printed, re.DOTALL), f"{command}\nprinted: {printed}\nexpected: {line}"


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")])
def test_the_programs_run(page: str, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each program runs as it stands and prints something about the tigers it asks for."""
    for program in blocks(page, "python"):
        exec(compile(program.replace("http://127.0.0.1:8000", address), page, "exec"), {})  # noqa: S102
        assert "Baichuan" in capsys.readouterr().out


def test_settings_files_units_and_client_configurations_are_valid(tmp_path: Path) -> None:
    """What is to be copied into a file is read by what will read it."""
    for page in [p.name for p in (ROOT / "docs").glob("*.md")]:
        for block in blocks(page, "toml"):
            file = tmp_path / "adfontes.toml"
            file.write_text(block, encoding="utf-8")
            assert tomllib.loads(block)
            Settings.load(file=file)
        for block in blocks(page, "json"):
            json.loads(block)
        for block in blocks(page, "ini"):
            unit = configparser.ConfigParser(strict=False, interpolation=None)
            unit.optionxform = str  # type: ignore[assignment, method-assign]
            unit.read_string(block)
            started = shlex.split(unit["Service"]["ExecStart"])
            assert Path(started[0]).name == "adfontes"
            assert started[1] in {c.name or c.callback.__name__ for c in cli.app.registered_commands if c.callback}


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    """No relative link is broken, and every page can be reached from the first."""
    listed = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} → {target}"
        assert page.name == "README.md" or f"({page.name})" in listed
