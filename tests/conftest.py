"""What tests share: real collections, built once with the real encoder."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from rag.settings import Settings
from rag.store import Generation
from rag.workspace import Workspace

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(Path(__file__).parent))
SHARED = ROOT.parent / "shared"
COLLECTIONS = {
    "china-generative-ai": ROOT / "corpus/china-generative-ai",
    "numeric": ROOT / "tests/corpora/numeric",
    "report-notes": ROOT / "tests/corpora/report-notes",
    "authoryear-es": ROOT / "tests/corpora/authoryear-es",
}


@pytest.fixture(autouse=True, scope="session")
def _no_settings_from_outside(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A developer's own ADFONTES_ variables must not change what the tests see; the encoder is exported once."""
    for name in [n for n in os.environ if n.startswith("ADFONTES_") and n != "ADFONTES_SCREENSHOTS"]:
        del os.environ[name]
    models = tmp_path_factory.mktemp("models")
    os.environ["ADFONTES_MODELS"] = str(models)
    Workspace.exports = property(lambda self: self.settings.models or models)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared data; tests that need it skip, saying so, where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the shared data folder ../shared is absent")
    return SHARED


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a real browser. Where there is none the tests are skipped, but not where CI runs them."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium: set CHROMIUM to the browser's path or install Debian's package `chromium`")
        pytest.skip("no Chromium here; set CHROMIUM to a browser's path")
    return path


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Every collection of our own, built once; tests read it and never write to it."""
    base = tmp_path_factory.mktemp("collections")
    for name, folder in COLLECTIONS.items():
        shutil.copytree(folder, base / "corpus" / name)
    built = Workspace(Settings(corpus=base / "corpus", index=base / "index"))
    for name in COLLECTIONS:
        built.rebuild(name)
    return built


@pytest.fixture(scope="session")
def digest(workspace: Workspace) -> Generation:
    """The live generation of the default collection."""
    return workspace.generation("china-generative-ai")


@pytest.fixture(scope="session")
def raw(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The first article's web export, added to a fresh collection as a user would."""
    base = tmp_path_factory.mktemp("raw")
    made = Workspace(Settings(corpus=base / "corpus", index=base / "index", collection="raw"))
    made.add(None, "article.txt", (shared / "corpus/article.txt").read_bytes())
    return made


@pytest.fixture
def fresh(tmp_path: Path) -> Workspace:
    """An empty workspace whose collection `c` has one small article of ours."""
    folder = tmp_path / "corpus/c"
    folder.mkdir(parents=True)
    (folder / "tides.md").write_text(TIDES, encoding="utf-8")
    return Workspace(Settings(corpus=tmp_path / "corpus", index=tmp_path / "index", collection="c"))


TIDES = """# Tidal power in Kestrel Bay

Kestrel Bay opened its first tidal turbine in 2019 (Marlowe, 2019). The turbine powers 4,000 homes.

## Costs

The harbour board paid 31 million crowns for it (Osei and Lind, 2021). Critics called the price too high.

## References

Marlowe, T., 2019. Turning tides. Harbour Review, 12(3), pp. 4-19.

Osei, A. and Lind, B., 2021. What tidal power costs. Bergen: Fjord Press.
"""
