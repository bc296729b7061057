"""Taking an answer away: copied and exported with its references."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import docx
from playwright.sync_api import Page, expect

USERS = "How many users had Ernie Bot attracted by April 2024?"


def test_an_answer_is_copied_with_its_references(page: Page, ask: Callable[..., None]) -> None:
    """The clipboard holds the answer with its numbers and the references they lead to."""
    ask(USERS)
    page.get_by_role("button", name="Copy with references").click()
    expect(page.locator(".colophon [role=status]")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "200 million" in copied
    assert re.search(r"^\[1\] .*citing Deng \(2024\)", copied, re.MULTILINE)
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
        page.get_by_role("button", name="BibTeX").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.count("@") == 1
    assert "Baidu claims 200 million users" in text


def test_an_answer_is_saved_as_a_word_file(page: Page, ask: Callable[..., None]) -> None:
    """The file opens and holds the answer and the entry behind it."""
    ask(USERS)
    with page.expect_download() as download:
        page.get_by_role("button", name="Word").click()
    assert download.value.suggested_filename == "answer.docx"
    words = "\n".join(paragraph.text for paragraph in docx.Document(str(download.value.path())).paragraphs)
    assert "200 million" in words
    assert "South China Morning Post" in words


def test_the_references_of_an_answer_take_the_style_chosen(page: Page, ask: Callable[..., None]) -> None:
    """Choosing a style sets the entries anew, on the page and in what is copied."""
    ask(USERS)
    page.get_by_label("Style of the references").select_option("apa")
    expect(page.locator(".sources .formatted").first).to_contain_text("(2024, April 6)")
    page.get_by_role("button", name="Copy with references").click()
    expect(page.locator(".colophon [role=status]")).to_have_text("Copied")
    assert "(2024, April 6)" in page.evaluate("navigator.clipboard.readText()")
    page.reload()
    expect(page.locator(".sources .formatted").first).to_contain_text("(2024, April 6)")
