"""Whatever moment the process dies at, the index is whole and no source is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*arguments: str) -> str:
    """What one of the benchmarks prints that kill processes; it ends with an error when anything was lost."""
    command = [sys.executable, *arguments, "--models", os.environ["ADFONTES_MODELS"]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_index_survives_sigkill_at_any_moment_and_full_disks(tmp_path: Path) -> None:
    """Changes killed or starved midway: old or new, never half, nothing lost, nothing left behind."""
    said = run("benchmarks/index/crash.py", "--runs", "30", "--seed", "2401", "--folder", str(tmp_path))
    assert "30 runs, all held" in said
    assert said.count("killed") >= 3


@pytest.mark.parametrize("area", ["index", "sources"])
def test_writing_survives_sigkill_between_any_two_file_operations(tmp_path: Path, area: str) -> None:
    """A dozen moments of the hundreds that the benchmark goes through: each lands, and old or new stands whole."""
    said = run("benchmarks/index/moments.py", "--runs", "12", "--of", area, "--folder", str(tmp_path))
    assert "12 runs, 12 killed, all held" in said
