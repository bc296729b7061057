"""The container and compose files: parsed, and true to the commands and settings they use."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from rag import cli
from rag.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Containerfile, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Containerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line.strip()]  # type: ignore[misc]


def test_the_containerfile_builds_from_what_is_there() -> None:
    """It starts from an image, copies only what exists, ends as no root, and starts a command that there is."""
    found = instructions()
    known = {
        "FROM",
        "ARG",
        "ENV",
        "WORKDIR",
        "COPY",
        "RUN",
        "USER",
        "VOLUME",
        "EXPOSE",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    }
    assert {name for name, _ in found} <= known
    assert found[0][0] == "FROM"
    for name, rest in found:
        if name == "COPY":
            *sources, _ = [word for word in rest.split() if not word.startswith("--")]
            assert all((ROOT / source).exists() for source in sources), rest
    last = dict(found)
    assert last["USER"] not in ("root", "0")
    assert json.loads(last["ENTRYPOINT"]) == ["adfontes"]
    commands = {c.name or c.callback.__name__ for c in cli.app.registered_commands if c.callback}
    assert json.loads(last["CMD"])[0] in commands


def test_the_image_is_the_same_tomorrow() -> None:
    """The image that it starts from is named by its digest, and what is installed is what is locked."""
    found = dict(instructions())
    assert re.fullmatch(r"docker\.io/library/python:3\.\d+-slim-\w+@sha256:[0-9a-f]{64}", found["FROM"])
    (installed,) = [rest for name, rest in instructions() if name == "RUN" and "pip install" in rest]
    assert installed.split(" && ") == [
        "pip install --no-deps --require-hashes -r requirements.txt",
        "pip install --no-build-isolation .",
    ]


def test_their_variables_are_settings() -> None:
    """No variable in either file is misspelt."""
    used = " ".join((ROOT / name).read_text(encoding="utf-8") for name in ("Containerfile", "compose.yaml"))
    names = set(re.findall(rf"{PREFIX}[A-Z_]+", used))
    assert names
    assert names <= {PREFIX + name.upper() for name in Settings.model_fields}


def test_the_compose_file_is_one() -> None:
    """It parses, builds our file, publishes on the loopback only, and keeps its data in a volume."""
    composed = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    service = composed["services"]["adfontes"]
    assert (ROOT / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert {volume.split(":")[0] for volume in service["volumes"]} == set(composed["volumes"])
    environment = {name.removeprefix(PREFIX).lower(): value for name, value in service["environment"].items()}
    Settings(**environment)
