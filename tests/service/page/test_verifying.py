"""Verifying: a text of one's own is held to the sources on the page."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

TEXT = "Ernie Bot had attracted more than 200 million users by April 2024. Alibaba launched it in 2019."


def test_each_sentence_is_marked_and_what_carries_it_can_be_opened(
    page: Page, barriers: Callable[[], list[tuple[str, str]]]
) -> None:
    """Supported sentences lead to the passage and the entry, the others are marked, and nobody is kept out."""
    page.goto("/#verify")
    page.get_by_role("textbox", name="Text").fill(TEXT)
    page.get_by_role("button", name="Verify").click()
    expect(page.locator(".verify-summary")).to_have_text("2 sentences: 1 supported, 1 not supported.")
    expect(page.locator(".sentence.supported .cite")).to_have_text("1")
    assert "2019" in (page.locator(".sentence.unsupported .verdict").get_attribute("aria-label") or "")
    expect(page.locator(".sources .formatted").first).to_contain_text("South China Morning Post")
    assert barriers() == []
    page.locator(".sentence.supported .cite").click()
    expect(page.locator("#pane mark").first).to_be_visible()


def test_a_passage_of_ones_own_takes_the_place_of_the_collection(page: Page) -> None:
    """With a passage beside it the text is held to that alone."""
    page.goto("/#verify")
    page.get_by_role("textbox", name="Text").fill("The pier is 300 metres long. Ernie Bot had 200 million users.")
    page.get_by_text("Check against a passage of your own").click()
    page.get_by_role("textbox", name="Passage").fill("The pier, built in 1920, is 300 metres long.")
    page.get_by_role("button", name="Verify").click()
    expect(page.locator(".verify-summary")).to_have_text("2 sentences: 1 supported, 1 not supported.")
