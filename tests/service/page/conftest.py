"""What the tests of the page share.

Each fails as well when the page logs an error, breaks its Content-Security-Policy or asks any other server; see
`tests/service/conftest.py`.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect


@pytest.fixture
def answered(page: Page) -> Callable[[], None]:
    """A function that waits until the answer is complete."""
    return lambda: expect(page.locator("#answer[aria-busy=false]")).to_be_visible()


@pytest.fixture
def ask(page: Page, answered: Callable[[], None]) -> Callable[..., None]:
    """A function that goes to an address (unless it is None), types a question and waits for the whole answer."""

    def asked(question: str, address: str | None = "/") -> None:
        if address is not None:
            page.goto(address)
        expect(page.locator("#about-sources")).not_to_be_empty()
        page.get_by_role("textbox", name="Your question").fill(question)
        page.get_by_role("button", name="Ask", exact=True).click()
        answered()

    return asked


@pytest.fixture
def in_view(page: Page) -> Callable[[str], bool]:
    """A function that tells whether an element can be seen without scrolling its own scroll area."""
    return lambda selector: page.locator(selector).first.evaluate(
        """(node) => {
            const at = node.getBoundingClientRect();
            const area = node.closest(".source, main").getBoundingClientRect();
            return at.top >= area.top && at.bottom <= Math.min(area.bottom, innerHeight);
        }"""
    )


@pytest.fixture
def barriers(page: Page) -> Callable[[], list[tuple[str, str]]]:
    """A function that lists what axe finds in the way of people; the policy forbids the page itself to load it."""

    def found() -> list[tuple[str, str]]:
        page.evaluate(Axe().axe_script)
        result = page.evaluate("axe.run({ resultTypes: ['violations'] })")
        return [(fault["id"], fault["nodes"][0]["html"]) for fault in result["violations"]]

    return found
