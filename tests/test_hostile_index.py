"""An index by another hand, its manifest signed anew: refused, or used without harm, never the end of the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("kind", ["flat", "lists"])
def test_forged_files_neither_end_the_process_nor_raise_anything_else(tmp_path: Path, kind: str) -> None:
    """Numbers, sizes, links and rows replaced at random: a damaged index is said to be one, and nothing crashes."""
    command = [sys.executable, "tests/hostile.py", str(tmp_path), kind, "0", "120"]
    done = subprocess.run(
        command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-200:] + done.stderr[-2000:]
    refused = int(done.stdout.split("forgeries, ")[1].split()[0])
    assert refused >= 20
