"""Taking an answer away: copied and exported with its references."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

USERS = "How many users had Ernie Bot attracted by April 2024?"


def test_an_answer_is_copied_with_its_references(page: Page, ask: Callable[..., None]) -> None:
    """The clipboard holds the answer with its numbers and the references they lead to."""
    ask(USERS)
    page.get_by_role("button", name="Copy with references").click()
    expect(page.locator(".colophon [role=status]")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "200 million" in copied
    assert re.search(r"^\[1\] Deng \(2024\), as reported by Pietro Damiani", copied, re.MULTILINE)
    assert "South China Morning Post" in copied


def test_an_answer_is_exported_as_markdown(page: Page, ask: Callable[..., None]) -> None:
    """The Markdown file holds question, answer, sources and the generation they came from."""
    ask(USERS)
    with page.expect_download() as download:
        page.get_by_role("button", name="Markdown").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.startswith(f"## {USERS}")
    assert "[1]" in text
    assert "generation" in text


def test_references_of_an_answer_are_exported(page: Page, ask: Callable[..., None]) -> None:
    """The export holds the entries of the answer and no others."""
    ask(USERS)
    with page.expect_download() as download:
        page.get_by_role("link", name="BibTeX").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.count("@") == 1
    assert "Baidu claims 200 million users" in text
