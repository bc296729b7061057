"""The README: what it shows is what happens."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from benchmarks import figures
from rag import cli
from rag.workspace import Workspace

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_answer_shown_is_a_real_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, workspace: Workspace
) -> None:
    """The command beside the answer prints that answer, but for the generation and the time taken."""
    shown = re.search(r'<!-- made by: adfontes ask "(.+?)" -->\n```\n(.+?)\n```', README, re.DOTALL)
    assert shown is not None
    folders = ["--corpus", str(workspace.settings.corpus), "--index", str(workspace.settings.index)]
    monkeypatch.setattr(sys, "argv", ["adfontes", *folders, "ask", shown[1]])
    with pytest.raises(SystemExit, match="0"):
        cli.main()
    printed = capsys.readouterr().out.rstrip().splitlines()
    assert printed[:-1] == shown[2].splitlines()[:-1]
    assert re.fullmatch(r"china-generative-ai \S+, \d+ ms", printed[-1])


def test_links_lead_somewhere() -> None:
    """Every link and picture of the README that points into the project points at a file."""
    root = Path(__file__).parent.parent
    local = [t for t in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in t]
    assert local
    assert [t for t in local if not (root / t).exists()] == []


def test_figures_are_those_that_were_kept() -> None:
    """The table of figures is the one made from the benchmarks' own files."""
    assert figures.BEGIN + figures.table() + figures.END in README


def test_the_peers_are_those_that_were_measured() -> None:
    """The table of the peers is the one made from the benchmark's own file, and says where we are behind."""
    assert figures.BEGIN_PEERS + figures.peers() + figures.END in README
