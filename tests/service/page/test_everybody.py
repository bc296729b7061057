"""Everybody: by keyboard, by screen reader, on a phone, in any script and colour."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from rag.workspace import Workspace

USERS = "How many users had Ernie Bot attracted by April 2024?"
SCREENSHOTS = Path(__file__).parent.parent / "screenshots"


def test_everything_goes_by_keyboard(page: Page, answered: Callable[[], None]) -> None:
    """Ask, open a citation, come back to it, all without a pointer."""
    page.goto("/")
    expect(page.locator("#about-sources")).not_to_be_empty()
    expect(page.get_by_role("textbox", name="Your question")).to_be_focused()
    page.keyboard.type(USERS)
    page.keyboard.press("Enter")
    answered()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('cite')"):
            break
    expect(page.locator(".cite").first).to_be_focused()
    expect(page.get_by_role("tooltip")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#pane-title")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#pane")).to_be_hidden()
    expect(page.locator(".cite").first).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.press("ControlOrMeta+A")
    expect(page.get_by_role("textbox", name="Your question")).to_be_focused()


def test_changes_are_announced(page: Page, ask: Callable[..., None]) -> None:
    """Who does not see the page hears the answer and the opened passage."""
    ask(USERS)
    expect(page.locator("#status")).to_contain_text("Answered with")
    page.locator(".cite").first.click()
    expect(page.locator("#status")).to_contain_text("Document opened at the passage")


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("view", ["", "?q=" + USERS.replace(" ", "+"), "#documents", "#bibliography", "#index"])
def test_nothing_stands_in_anybodys_way(
    page: Page, view: str, colours: str, answered: Callable[[], None], barriers: Callable
) -> None:
    """No view has a fault that axe can find, in light colours or in dark."""
    page.emulate_media(color_scheme=colours)
    page.goto("/" + view)
    if "?q=" in view:
        answered()
        page.locator(".cite").first.click()
        expect(page.locator("#pane mark").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert barriers() == []


def test_nothing_new_stands_in_anybodys_way(page: Page, ask: Callable[..., None], barriers: Callable) -> None:
    """A conversation with open filters, a dialog: axe finds no fault there either."""
    ask(USERS)
    ask("Who claimed that it attracted them?", None)
    page.locator(".filter summary").click()
    assert barriers() == []
    page.goto("/#documents")
    page.get_by_role("button", name="Begin a new collection").click()
    assert barriers() == []


@pytest.mark.parametrize("view", ["", "?q=" + USERS.replace(" ", "+"), "#documents", "#bibliography", "#index"])
def test_a_phone_needs_no_sideways_scrolling(
    page: Page, view: str, answered: Callable[[], None], in_view: Callable[[str], bool]
) -> None:
    """At 360 pixels every view fits, the opened document too."""
    page.set_viewport_size({"width": 360, "height": 700})
    page.goto("/" + view)
    page.wait_for_load_state("networkidle")
    if "?q=" in view:
        answered()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.locator(".cite").first.click()
        expect(page.locator("#pane mark").first).to_be_visible()
        assert in_view("#pane mark")
        assert page.evaluate("document.querySelector('.source').scrollWidth") <= 360
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_colours_can_be_chosen(page: Page) -> None:
    """The button goes through the system's, light and dark colours, and the choice is kept."""
    page.goto("/")
    button = page.get_by_role("button", name=re.compile("^Colours"))
    button.click()
    button.click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    button.click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
    button.click()
    button.click()
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark


def test_chinese_text_is_shown_and_found(page: Page, server: str) -> None:
    """A Chinese passage is highlighted to the character."""
    text = page.request.get(f"{server}/v1/documents/chinese?collection=harbour").json()["text"]
    start = text.index("北门")
    page.goto(f"/?collection=harbour#document/chinese/{start}-{start + 11}")
    expect(page.locator("#pane mark").first).to_have_text("北门由四十盏灯笼照亮。")


def test_without_javascript_the_page_says_where_the_answers_are(browser: Browser, server: str) -> None:
    """A reader without scripts is told about the API."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server)
    assert "/v1/ask" in page.inner_text("body")
    context.close()


def test_right_to_left_text_runs_from_right_to_left(page: Page, workspace: Workspace) -> None:
    """Arabic in questions, titles and passages is set from the right, and the page around it stays as it is."""
    folder = workspace.settings.corpus / "minaa"
    folder.mkdir(exist_ok=True)
    text = "# حارس المنارة\n\nيحرس سالم المنارة القديمة منذ ثلاثين عاما. كان الميناء مغلقا في عام 1911.\n"
    (folder / "manara.md").write_text(text, encoding="utf-8")
    workspace.rebuild("minaa")
    page.goto("/?collection=minaa#document/manara/18-40")
    expect(page.locator("#pane mark").first).to_be_visible()
    expect(page.locator("#pane-title")).to_have_css("direction", "rtl")
    expect(page.locator(".source")).to_have_css("direction", "rtl")
    page.goto("/?collection=minaa")
    page.get_by_role("textbox", name="Your question").fill("من يحرس المنارة القديمة؟")
    expect(page.locator("#question")).to_have_css("direction", "rtl")
    page.keyboard.press("Enter")
    expect(page.locator(".asked-question")).to_have_text("من يحرس المنارة القديمة؟")
    expect(page.locator(".asked-question")).to_have_css("direction", "rtl")
    expect(page.locator("body")).to_have_css("direction", "ltr")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(
    ("name", "colours", "size"),
    [("answer", "light", (1360, 800)), ("dark", "dark", (1360, 800)), ("phone", "light", (390, 844))],
)
def test_the_pictures_in_the_readme(
    page: Page, ask: Callable[..., None], name: str, colours: str, size: tuple[int, int]
) -> None:
    """The page with an answer and its source is worth a picture, taken anew when ADFONTES_SCREENSHOTS is set."""
    page.emulate_media(color_scheme=colours)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    ask(USERS)
    if name != "phone":
        page.locator(".cite").first.click()
        expect(page.locator("#pane mark").first).to_be_visible()
    picture = page.screenshot()
    if os.environ.get("ADFONTES_SCREENSHOTS"):
        SCREENSHOTS.mkdir(exist_ok=True)
        (SCREENSHOTS / f"{name}.png").write_bytes(picture)
    assert len(picture) > 20_000
