"""The command line: what it prints, and its exit status."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rag import cli
from rag.settings import Settings
from rag.workspace import Workspace

ROOT = Path(__file__).parent.parent


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: object) -> tuple[int, str, str]:
    """Run `adfontes` with these words in this process: exit status, standard output, standard error."""
    monkeypatch.setattr(sys, "argv", ["adfontes", *map(str, words)])
    status = 0
    try:
        cli.main()
    except SystemExit as stopped:
        status = int(stopped.code or 0)
    printed = capsys.readouterr()
    return status, printed.out, printed.err


@pytest.fixture
def at(fresh: Workspace) -> list[object]:
    """The flags that lead to a fresh collection."""
    return ["--corpus", fresh.settings.corpus, "--index", fresh.settings.index, "--collection", "c"]


def test_from_files_to_a_cited_answer(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, at: list[object], tmp_path: Path
) -> None:
    """Add a file, rebuild, ask, search, audit, list: each does its work and exits 0."""
    more = tmp_path / "owls.txt"
    more.write_text("Owls of Zembla\n\nThe Zemblan owl sleeps eleven hours a day.\n")
    assert run(capsys, monkeypatch, *at, "add", more)[0] == 0
    status, said, _ = run(capsys, monkeypatch, *at, "rebuild")
    assert (status, "nothing changed" in said, "nothing embedded" in said) == (0, True, True)
    status, said, _ = run(capsys, monkeypatch, *at, "ask", "How many homes does the turbine in Kestrel Bay power?")
    assert status == 0
    assert "4,000 homes" in said
    status, said, _ = run(
        capsys, monkeypatch, *at, "ask", "--json", "How much did the harbour board pay for the turbine?"
    )
    answer = json.loads(said)
    assert (status, answer["status"]) == (0, "answered")
    assert [r["id"] for r in answer["references"]] == ["osei-2021"]
    assert json.loads(run(capsys, monkeypatch, *at, "search", "--json", "owl")[1])["passages"]
    assert "kestrel" in run(capsys, monkeypatch, *at, "search", "tidal turbine")[1].casefold()
    assert json.loads(run(capsys, monkeypatch, *at, "audit", "--json")[1])["problems"] is not None
    assert "Marlowe" in run(capsys, monkeypatch, *at, "references")[1]
    one = run(capsys, monkeypatch, *at, "references", "--id", "osei-2021", "--format", "bibtex")[1]
    assert "What tidal power costs" in one
    assert "Marlowe" not in one
    kept = tmp_path / "answer.json"
    kept.write_text(json.dumps(answer))
    used = run(capsys, monkeypatch, *at, "references", "--answer", kept, "--format", "ris")[1]
    assert (used.count("TY  -"), "osei-2021" in used) == (1, True)
    sarif = json.loads(run(capsys, monkeypatch, *at, "audit", "--format", "sarif")[1])
    assert sarif["version"] == "2.1.0"
    assert run(capsys, monkeypatch, *at, "audit", "--format", "csv")[1].startswith("severity,kind,document")
    assert json.loads(run(capsys, monkeypatch, *at, "index", "--json")[1])[0]["current"]
    assert run(capsys, monkeypatch, *at, "index", "verify")[0] == 0
    assert run(capsys, monkeypatch, *at, "index", "rollback")[0] == 1
    assert run(capsys, monkeypatch, *at, "doctor")[0] == 0
    assert run(capsys, monkeypatch, *at, "remove", "owls")[0] == 0


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["ask", "Who?"], "adfontes rebuild"),
        (["ask", "  "], "empty"),
        (["add", "no/such/file.txt"], "no/such/file.txt"),
        (["eval", "no-such.jsonl"], "no-such.jsonl"),
        (["remove", "nobody"], "nobody"),
        (["references", "--format", "word"], "word"),
        (["references", "--style", "tabloid"], "tabloid"),
        (["references", "--answer", "no-such.json"], "no-such.json"),
        (["audit", "--format", "word"], "word"),
        (["index", "rollback", "20000101"], "20000101"),
    ],
)
def test_what_fails_exits_1_and_names_the_thing(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    at: list[object],
    words: list[str],
    named: str,
) -> None:
    """Failure is exit status 1 and one clear line, never a traceback."""
    if words[0] in {"references", "audit"}:
        run(capsys, monkeypatch, *at, "rebuild")
    status, said, complained = run(capsys, monkeypatch, *at, *words)
    assert status == 1
    assert named in said + complained
    assert "Traceback" not in said + complained


def test_a_wrong_setting_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting of the wrong kind stops the program with its name, its value and where it comes from."""
    monkeypatch.setenv("ADFONTES_CHUNK_TOKENS", "many")
    status, _, complained = run(capsys, monkeypatch, "rebuild")
    assert status == 1
    assert "chunk_tokens" in complained
    assert "many" in complained
    assert "ADFONTES_CHUNK_TOKENS" in complained


def test_folders_come_from_the_environment_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, fresh: Workspace
) -> None:
    """ADFONTES_CORPUS, ADFONTES_INDEX and ADFONTES_COLLECTION do what the flags do."""
    monkeypatch.setenv("ADFONTES_CORPUS", str(fresh.settings.corpus))
    monkeypatch.setenv("ADFONTES_INDEX", str(fresh.settings.index))
    monkeypatch.setenv("ADFONTES_COLLECTION", "c")
    assert run(capsys, monkeypatch, "rebuild")[0] == 0
    assert (fresh.settings.index / "c/current").is_file()


def test_strict_audit_fails_on_findings(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, workspace: Workspace
) -> None:
    """`audit --strict` exits 1 when the bibliography has faults, so that a script can tell."""
    at = ["--corpus", workspace.settings.corpus, "--index", workspace.settings.index]
    status, said, _ = run(capsys, monkeypatch, *at, "audit", "--strict")
    assert status == 1
    assert "year-mismatch" in said
    assert run(capsys, monkeypatch, *at, "audit")[0] == 0


def test_if_missing_builds_where_there_is_no_whole_index(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, at: list[object], fresh: Workspace
) -> None:
    """`rebuild --if-missing` builds where nothing is built, or not in this version's format, and else does nothing."""
    assert "documents" in run(capsys, monkeypatch, *at, "rebuild", "--if-missing")[1]
    assert run(capsys, monkeypatch, *at, "rebuild", "--if-missing")[1] == ""
    live = fresh.generation().state.generation
    manifest = fresh.settings.index / "c" / live / "manifest.json"
    manifest.write_text(re.sub(r'"format": ?\d+', '"format": 1', manifest.read_text("utf-8")), encoding="utf-8")
    assert "documents" in run(capsys, monkeypatch, *at, "rebuild", "--if-missing")[1]
    assert run(capsys, monkeypatch, *at, "ask", "What does the turbine power?")[0] == 0


def test_help_is_quick_and_loads_no_model() -> None:
    """`adfontes --help` imports neither torch nor faiss."""
    script = (
        "import sys; from rag import cli; sys.argv = ['adfontes', '--help']\n"
        "try: cli.main()\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'faiss', 'sentence_transformers', 'fastapi'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "rebuild" in done.stdout


def test_a_batch_adds_up(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, at: list[object], tmp_path: Path
) -> None:
    """Of a batch each file ends as indexed or as skipped with a reason, in the order given, and none harms another."""
    (tmp_path / "more").mkdir()
    good = {
        "a.txt": b"The tern dives for fish.",
        "b.md": b"# Gulls\n\nGulls nest on roofs.",
        "c.bib": b"@book{v, title={T}}",
    }
    bad = {
        "void.txt": b"", "broken.docx": b"PK\x03\x04 no archive", "noise.bin": bytes(range(256)) * 9,
        "cut.pdf": b"%PDF-1.7\n1 0 obj", "more/a.txt": b"Other words under that name.", "nothing.ris": b"words",
    }  # fmt: skip
    for name, data in {**good, **bad}.items():
        (tmp_path / name).write_bytes(data)
    names = ["gone.txt", *good, *bad, "more"]
    status, said, _ = run(capsys, monkeypatch, *at, "add", "--json", *(tmp_path / n for n in names))
    told = json.loads(said)
    assert status == 1
    assert [Path(s["source"]).name for s in told["sources"]] == [Path(n).name for n in names]
    assert [s["state"] for s in told["sources"]] == ["skipped", *["indexed"] * 3, *["skipped"] * 7]
    assert all(s["reason"] for s in told["sources"] if s["state"] == "skipped")
    assert (told["report"]["documents"], told["report"]["skipped"]) == (3, [])
    kept = {p.name for p in (Path(str(at[1])) / "c").iterdir()}
    assert kept == {"tides.md", *good}


def test_every_command_and_setting_is_documented() -> None:
    """README names every command, and docs/settings.md every setting; `make docs` writes the latter."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = {c.name or c.callback.__name__ for c in cli.app.registered_commands if c.callback} | {"index", "keys"}
    settings = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    assert not [c for c in sorted(commands) if not re.search(rf"`adfontes [^`]*\b{c}\b", readme)]
    assert not [n for n in Settings.model_fields if f"`ADFONTES_{n.upper()}`" not in settings]


def test_doctor_fails_where_a_question_could_not_be_answered(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, at: list[object]
) -> None:
    """Without an index, or with a misspelt setting, the check names it and the exit status is 1."""
    monkeypatch.setenv("ADFONTES_PASAGES", "3")
    status, said, _ = run(capsys, monkeypatch, *at, "doctor", "--json")
    checks = {check["check"]: check for check in json.loads(said)}
    assert status == 1
    assert not checks["index c"]["ok"]
    assert "adfontes rebuild" in checks["index c"]["detail"]
    assert "ADFONTES_PASAGES" in checks["settings"]["detail"]
    assert checks["encoder"]["ok"]
    assert checks["versions"]["ok"]


def test_settings_tell_where_they_come_from(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every setting is listed with its value and origin; a secret is not shown."""
    monkeypatch.setenv("ADFONTES_LLM_KEY", "very-secret")
    status, said, _ = run(capsys, monkeypatch, "--set", "passages=9", "settings", "--json")
    rows = {row["setting"]: row for row in json.loads(said)}
    assert status == 0
    assert set(rows) == set(Settings.model_fields)
    assert (rows["passages"]["value"], rows["passages"]["origin"]) == ("9", "flag")
    assert rows["llm_key"]["origin"] == "environment"
    assert "very-secret" not in said


def test_keys_are_made_listed_and_revoked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The key is printed once, alone on standard output; the list shows whose it is and never the key."""
    at_keys = ["--set", f"keys={tmp_path / 'keys.sqlite'}", "keys"]
    status, secret, told = run(capsys, monkeypatch, *at_keys, "add", "Ana", "--scope", "write", "--only", "notes")
    assert (status, secret.count("\n")) == (0, 1)
    key_id = secret.split("_")[1]
    assert key_id in told
    listed = run(capsys, monkeypatch, *at_keys, "list")[1]
    assert "Ana" in listed
    assert "notes" in listed
    assert secret.strip() not in listed
    assert run(capsys, monkeypatch, *at_keys, "revoke", key_id)[0] == 0
    assert "revoked" in run(capsys, monkeypatch, *at_keys, "list")[1]
    assert run(capsys, monkeypatch, *at_keys, "revoke", "nobody")[0] == 1
    assert run(capsys, monkeypatch, *at_keys, "add", "Bo", "--scope", "root")[0] == 1
