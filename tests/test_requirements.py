"""The locked versions: all that pyproject.toml asks for, within its ranges, and nothing that leads elsewhere."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = ("dev", "multilingual", "local-model")
TORCH = re.compile(r"torch$|triton$|cuda-|nvidia-")
"""What is installed as the index and the machine have it; pyproject.toml pins torch itself."""


def locked(name: str) -> dict[str, Requirement]:
    """The requirements of a file, each of which is one version with the hashes of its files."""
    joined = re.sub(r"\\\n\s*", " ", (ROOT / name).read_text(encoding="utf-8"))
    found = {}
    for line in joined.splitlines():
        requirement, *hashes = (part.strip() for part in line.split("--hash="))
        assert hashes, line
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes), line
        parsed = Requirement(requirement)
        (specifier,) = parsed.specifier
        assert specifier.operator == "==", line
        assert parsed.url is None, line
        found[canonicalize_name(parsed.name)] = parsed
    return found


RUN, DEV = locked("requirements.txt"), locked("requirements-dev.txt")


@pytest.mark.parametrize("extra", [None, *EXTRAS])
def test_what_the_project_asks_for_is_locked_within_its_range(extra: str | None) -> None:
    """`make lock` was run since pyproject.toml was changed."""
    asked = PROJECT["dependencies"] if extra is None else PROJECT["optional-dependencies"][extra]
    has = RUN if extra is None else RUN | DEV
    for requirement in map(Requirement, asked):
        name = canonicalize_name(requirement.name)
        if not TORCH.match(name):
            assert name in has, f"{name} is not locked: run `make lock`"
            (pinned,) = has[name].specifier
            assert requirement.specifier.contains(pinned.version, prereleases=True), f"{has[name]}: run `make lock`"


def test_what_that_asks_for_in_turn_is_locked_too() -> None:
    """Everything that is installed here because of the project is listed, so that nothing is left to the day."""
    left = [("adfontes", frozenset(EXTRAS))]
    seen: set[tuple[str, frozenset[str]]] = set()
    while left:
        name, extras = left.pop()
        if (name, extras) in seen or TORCH.match(name):
            continue
        seen.add((name, extras))
        assert name == "adfontes" or name in RUN | DEV, f"{name} is not locked: run `make lock`"
        try:
            asked = map(Requirement, requires(name) or ())
        except PackageNotFoundError:  # of another system
            continue
        for requirement in asked:
            wanted = [dict(default_environment(), extra=extra) for extra in ("", *extras)]
            if requirement.marker is None or any(map(requirement.marker.evaluate, wanted)):
                left.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    assert len(seen) > 100


def test_the_lock_leaves_torch_alone_and_names_no_place() -> None:
    """Which build of torch is installed is the index's affair; which index is everybody's own."""
    assert not any(TORCH.match(name) for name in RUN | DEV)
    assert not RUN.keys() & DEV.keys()
    whole = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("requirements.txt", "requirements-dev.txt"))
    assert "://" not in whole
    assert "index" not in re.sub(r"^\S+==.*", "", whole, flags=re.MULTILINE)
