"""Whatever moment the process dies at, the index is whole and no source is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_index_survives_sigkill_at_any_moment_and_full_disks(tmp_path: Path) -> None:
    """Forty changes killed or starved midway: old or new, never half, nothing lost, nothing left behind."""
    command = [sys.executable, "benchmarks/index/crash.py", "--runs", "40", "--seed", "2401", "--folder", str(tmp_path)]
    command += ["--models", os.environ["ADFONTES_MODELS"]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "40 runs, all held" in done.stdout
    assert done.stdout.count("killed") >= 3
