"""Settings: four layers, each value with its origin, and every mistake named."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import SettingsError
from rag.settings import Settings, misspelt


def test_the_first_layer_that_says_something_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flag over environment over file over default, and each value tells where it comes from."""
    file = tmp_path / "adfontes.toml"
    file.write_text("passages = 3\nthreads = 2\nport = 9000\n", encoding="utf-8")
    monkeypatch.setenv("ADFONTES_SETTINGS", str(file))
    monkeypatch.setenv("ADFONTES_THREADS", "4")
    monkeypatch.setenv("ADFONTES_PORT", "9001")
    chosen = Settings.load(port=9002, host=None)
    assert (chosen.passages, chosen.threads, chosen.port, chosen.host) == (3, 4, 9002, "127.0.0.1")
    origins = [chosen.origin(name) for name in ("passages", "threads", "port", "host")]
    assert origins == [f"file {file}", "environment", "flag", "default"]


def test_the_file_where_the_program_starts_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`adfontes.toml` needs no naming; without one the defaults stand."""
    monkeypatch.chdir(tmp_path)
    assert Settings.load().passages == Settings().passages
    (tmp_path / "adfontes.toml").write_text("passages = 3\n", encoding="utf-8")
    assert Settings.load().passages == 3


def test_paths_of_a_file_start_from_its_folder(tmp_path: Path) -> None:
    """A relative path in a settings file means the same wherever the program is started."""
    file = tmp_path / "team.toml"
    file.write_text('corpus = "sources"\nindex = "/srv/index"\n', encoding="utf-8")
    chosen = Settings.load(file=file)
    assert (chosen.corpus, chosen.index) == (tmp_path / "sources", Path("/srv/index"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pasages = 3", ["pasages", "passages", "team.toml"]),
        ("passages = 'many'", ["passages", "many", "team.toml"]),
        ("passages = 0", ["passages", "0"]),
        ("passages = ", ["team.toml", "cannot be read"]),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, words: list[str]) -> None:
    """The setting, its value, the file, and what was probably meant."""
    file = tmp_path / "team.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as raised:
        Settings.load(file=file)
    assert all(word in str(raised.value) for word in words), raised.value


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A settings file that was named must exist."""
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        Settings.load(file=tmp_path / "nowhere.toml")


def test_misspelt_variables_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment variable that looks like ours and is none is told, not passed over."""
    monkeypatch.setenv("ADFONTES_PASAGES", "3")
    monkeypatch.setenv("ADFONTES_PASSAGES", "3")
    assert misspelt() == ["ADFONTES_PASAGES"]
