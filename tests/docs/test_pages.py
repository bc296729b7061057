"""The pages that the code writes: as the code is now."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
SPEC = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
assert SPEC is not None
assert SPEC.loader is not None
generate = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(generate)


@pytest.mark.parametrize("name", list(generate.PAGES))
def test_the_page_is_what_the_code_says(name: str) -> None:
    """Settings, commands and HTTP reference are never older than the code; `make docs` renews them."""
    assert (DOCS / name).read_text(encoding="utf-8") == generate.PAGES[name](), f"docs/{name} is old: run `make docs`"
