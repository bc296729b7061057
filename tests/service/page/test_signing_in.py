"""A service that asks for keys: the page signs in, shows what the key may see, and signs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from rag.workspace import Workspace
from service.keys import Keys


@pytest.fixture
def secret(tmp_path: Path) -> str:
    """A key for one collection."""
    return Keys(tmp_path / "keys.sqlite").add("Ana", collections=["harbour"])[1]


@pytest.fixture
def server(
    workspace: Workspace, tmp_path: Path, secret: str, serve: Callable[[Workspace], AbstractContextManager[str]]
) -> Iterator[str]:
    """The address of a service behind keys."""
    changes = {"keys": tmp_path / "keys.sqlite", "require_keys": "always"}
    with serve(Workspace(workspace.settings.model_copy(update=changes))) as address:
        yield address


def test_the_page_asks_for_a_key_and_keeps_it_from_scripts(page: Page, secret: str, barriers: Callable) -> None:
    """Without a key nothing is shown; with one its collections are, and after signing out nothing again."""
    page.goto("/")
    dialog = page.get_by_role("dialog", name="Sign in")
    expect(dialog).to_be_visible()
    assert barriers() == []
    dialog.get_by_label("This service asks for an API key").fill("af_00000000_wrong")
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog.get_by_role("alert")).to_contain_text("no key of this service")
    expect(page.locator("#about-sources")).to_be_empty()
    dialog.get_by_label("This service asks for an API key").fill(secret)
    dialog.get_by_role("button", name="Sign in").click()
    expect(page.locator("#session")).to_contain_text("Ana")
    expect(page.locator("#about-sources")).to_contain_text("1 other document")
    assert page.evaluate("document.cookie") == ""
    assert secret not in page.evaluate("JSON.stringify({ ...localStorage, ...sessionStorage })")
    page.get_by_role("textbox", name="Your question").fill("Who keeps the old lighthouse?")
    page.keyboard.press("Enter")
    expect(page.locator("#answer[aria-busy=false]")).to_contain_text("Tamsin Vale")
    page.get_by_role("button", name="Sign out").click()
    expect(dialog).to_be_visible()
