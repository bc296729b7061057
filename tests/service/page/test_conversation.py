"""A conversation: questions that lean on the ones before them, understood and shown."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

USERS = "How many users had Ernie Bot attracted by April 2024?"


def test_a_follow_up_question_is_understood_and_shown(page: Page, ask: Callable[..., None]) -> None:
    """What was made of the question stands above the answer, and becomes the address."""
    ask(USERS)
    ask("Who claimed that it attracted them?", None)
    expect(page.locator(".understood")).to_contain_text("Who claimed that Ernie Bot attracted them?")
    expect(page.locator(".asked-question")).to_have_text("Who claimed that it attracted them?")
    expect(page.locator(".prose")).to_contain_text("Li Yanhong")
    page.wait_for_url("**q=Who+claimed+that+Ernie+Bot+attracted+them%3F**")


def test_a_question_can_be_asked_as_it_was_typed(page: Page, ask: Callable[..., None], answered: Callable) -> None:
    """One button takes the question at its word."""
    ask(USERS)
    ask("When was it launched?", None)
    page.get_by_role("button", name="Ask it as typed").click()
    answered()
    expect(page.locator(".understood")).to_have_count(0)
    expect(page.locator(".asked-question")).to_have_text("When was it launched?")


def test_a_question_that_stands_alone_is_left_alone(page: Page, ask: Callable[..., None]) -> None:
    """Nothing is said to have been understood where nothing was changed."""
    ask(USERS)
    ask("Who are the four new AI tigers of China?", None)
    expect(page.locator(".prose")).to_contain_text("Baichuan")
    expect(page.locator(".understood")).to_have_count(0)


def test_the_conversation_so_far_can_be_read_and_ended(page: Page, ask: Callable[..., None]) -> None:
    """Earlier turns stand below the answer; a new conversation leans on none of them."""
    ask(USERS)
    ask("Who are the four new AI tigers of China?", None)
    turns = page.get_by_role("region", name="Earlier in this conversation")
    expect(turns.locator("li")).to_have_count(1)
    expect(turns).to_contain_text(USERS)
    expect(turns).to_contain_text("Li Yanhong")
    turns.get_by_role("button", name="Begin a new conversation").click()
    expect(page.locator("#answer")).to_be_hidden()
    expect(turns).to_be_hidden()
    ask("When was it launched?", None)
    expect(page.locator(".understood")).to_have_count(0)


def test_the_box_is_free_for_the_next_question(page: Page, ask: Callable[..., None]) -> None:
    """The question moves above the answer, and the box waits for the next one."""
    ask(USERS)
    expect(page.locator(".asked-question")).to_have_text(USERS)
    expect(page.get_by_role("textbox", name="Your question")).to_have_value("")
    expect(page.get_by_role("textbox", name="Your question")).to_have_attribute("placeholder", "Ask on …")
