"""The encoder without torch gives what sentence-transformers gives, or steps back for it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag import encoder
from rag.encoder import Encoder, exported
from rag.encoder.joined import Joined
from rag.encoder.reference import SentenceTransformerEncoder
from rag.workspace import Workspace

NAME = "all-MiniLM-L6-v2"


@pytest.fixture(scope="module")
def reference() -> Encoder:
    """The packaged model on sentence-transformers."""
    return encoder.load(NAME)


@pytest.fixture(scope="module")
def export(reference: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packaged model's export."""
    folder = tmp_path_factory.mktemp("exports")
    encoder.load(NAME, 1, folder)
    return folder


@pytest.fixture(scope="module")
def quick(export: Path) -> Encoder:
    """The packaged model without torch."""
    return encoder.load(NAME, 1, export)


def test_without_a_folder_for_exports_the_reference_runs(reference: Encoder) -> None:
    """A caller who names no folder gets sentence-transformers, and nothing is written anywhere."""
    assert isinstance(reference, SentenceTransformerEncoder)


def test_an_export_tells_the_same_of_itself(reference: Encoder, quick: Encoder) -> None:
    """Both engines have one fingerprint, so an index built by one is asked by the other."""
    assert isinstance(quick, exported.ExportedEncoder)
    for fact in ("name", "fingerprint", "dimension", "max_tokens", "multilingual"):
        assert getattr(quick, fact) == getattr(reference, fact)
    assert np.allclose(quick.scale, reference.scale, atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=400), min_size=1, max_size=5))
def test_any_text_has_the_same_vector_in_both(texts: list[str]) -> None:
    """Whatever the text, batch and length, vectors agree to 1e-5 and tokens are counted alike."""
    reference, quick = encoder.load(NAME), _QUICK[0]
    assert np.abs(quick.encode(texts) - reference.encode(texts)).max() <= 1e-5
    assert np.abs(quick.encode_questions(texts) - reference.encode_questions(texts)).max() <= 1e-5
    assert [quick.count_tokens(t) for t in texts] == [reference.count_tokens(t) for t in texts]


_QUICK: list[Encoder] = []


@pytest.fixture(autouse=True)
def _keep(quick: Encoder) -> None:
    _QUICK[:] = [quick]  # hypothesis calls a test many times, fixtures of a function's scope it refuses


def test_a_text_longer_than_the_model_is_cut_alike(reference: Encoder, quick: Encoder) -> None:
    """What both cannot read they leave out at the same token; the neighbours in a batch change nothing."""
    texts = ["tide " * 2000, "short", "x" * 5000, "潮汐" * 700]
    assert np.abs(quick.encode(texts) - reference.encode(texts)).max() <= 1e-5
    assert np.abs(quick.encode(texts)[1] - quick.encode(["short"])[0]).max() <= 1e-5
    assert quick.encode([]).shape == (0, quick.dimension)


def test_asking_imports_no_torch(fresh: Workspace) -> None:
    """A question from a cold start is answered without torch, transformers or sentence-transformers."""
    fresh.rebuild()
    program = (
        "import sys; from rag.settings import Settings; from rag.workspace import Workspace;"
        f"w = Workspace(Settings(index={str(fresh.settings.index)!r}, corpus={str(fresh.settings.corpus)!r},"
        f" models={str(fresh.exports)!r}, collection='c'));"
        "a = w.ask('How many homes does the turbine power?');"
        "print(a.status, *{'torch', 'transformers', 'sentence_transformers', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["answered"]


@pytest.mark.parametrize("name", ["weights.bin", "model.onnx", "tokenizer.json", "export.json"])
def test_a_damaged_export_is_never_used(export: Path, tmp_path: Path, name: str) -> None:
    """A flipped byte or a missing file in an export is noticed before it gives a wrong vector."""
    (folder,) = [p for p in export.iterdir() if p.is_dir()]
    copy = tmp_path / folder.name
    copy.mkdir()
    for path in folder.iterdir():
        (copy / path.name).symlink_to(path)
    damaged = bytearray((folder / name).read_bytes())
    damaged[len(damaged) // 2] ^= 0x20
    (copy / name).unlink()
    (copy / name).write_bytes(damaged)
    with pytest.raises(exported.ModelError):
        exported.ExportedEncoder(copy, 1)


def test_a_damaged_export_is_made_again(export: Path, tmp_path: Path) -> None:
    """The model is loaded from its own files instead, and the folder is whole again afterwards."""
    (folder,) = [p for p in export.iterdir() if p.is_dir()]
    copy = tmp_path / folder.name
    copy.mkdir()
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes()[: 1000 if path.suffix == ".bin" else None])
    made = encoder.load(NAME, 1, tmp_path)
    assert isinstance(made, exported.ExportedEncoder)
    assert exported.ExportedEncoder(copy, 1).fingerprint == made.fingerprint


def test_where_no_export_can_be_kept_the_reference_serves(tmp_path: Path) -> None:
    """A folder that cannot be written costs speed, not the answer."""
    (tmp_path / "file").write_text("in the way")
    assert isinstance(encoder.load(NAME, 1, tmp_path / "file" / "models"), SentenceTransformerEncoder)


def test_a_model_that_exports_unfaithfully_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Vectors that differ are never used; the reason is kept, so that the next start does not try again."""
    monkeypatch.setattr(exported, "TOLERANCE", 0.0)
    assert isinstance(encoder.load(NAME, 1, tmp_path), SentenceTransformerEncoder)
    (card,) = tmp_path.glob("*/export.json")
    assert "differ" in json.loads(card.read_bytes())["refused"]
    assert {p.name for p in card.parent.iterdir()} == {"export.json"}
    monkeypatch.setattr(exported, "make", lambda *_: pytest.fail("tried again"))
    encoder.load.cache_clear()
    assert isinstance(encoder.load(NAME, 1, tmp_path), SentenceTransformerEncoder)


def test_questions_that_arrive_together_are_embedded_together(quick: Encoder) -> None:
    """Callers in many threads share runs of the model, each gets its own vector, and a lone one waits for nobody."""
    texts = [f"What did keeper {n} count?" for n in range(24)]
    expected = dict(zip(texts, quick.encode_questions(texts), strict=True))
    batches: list[int] = []
    busy = threading.Event()

    def slowly(batch: list[str]) -> np.ndarray:
        batches.append(len(batch))
        busy.wait(0.05)
        return quick.encode_questions(batch)

    joined = Joined(slowly)
    with ThreadPoolExecutor(len(texts)) as threads:
        found = dict(zip(texts, threads.map(joined, texts), strict=True))
    assert all(np.abs(found[t] - expected[t]).max() <= 1e-5 for t in texts)
    assert len(batches) <= len(texts) // 3
    assert sum(batches) == len(texts)


def test_a_failed_run_fails_its_own_callers_only() -> None:
    """Whoever was in the batch is told; the next caller is served."""

    def encode(batch: list[str]) -> np.ndarray:
        if "bad" in batch:
            raise ValueError("no such text")
        return np.eye(len(batch), 3, dtype=np.float32)

    joined = Joined(encode)
    with pytest.raises(ValueError, match="no such text"):
        joined("bad")
    assert joined("good").tolist() == [1, 0, 0]


def test_an_exporter_that_is_not_installed_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing package is no reason to give a model up: the next load, with the package there, exports it."""
    monkeypatch.setitem(sys.modules, "onnx", None)
    encoder.load.cache_clear()
    assert not isinstance(encoder.load(NAME, 1, tmp_path), exported.ExportedEncoder)
    assert list(tmp_path.glob("*/export.json")) == []
    monkeypatch.undo()
    encoder.load.cache_clear()
    assert isinstance(encoder.load(NAME, 1, tmp_path), exported.ExportedEncoder)
