"""Asking: an answer with its citations, verdicts and history."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from rag.workspace import Workspace

USERS = "How many users had Ernie Bot attracted by April 2024?"
NOBODY = "What is the boiling point of nitrogen?"


def test_a_question_gets_an_answer_with_numbered_citations(page: Page, ask: Callable[..., None]) -> None:
    """The answer appears with citations numbered from one, and the sources are listed under the same numbers."""
    ask(USERS)
    expect(page.locator(".prose")).to_contain_text("200 million")
    expect(page.locator(".cite").first).to_have_text("1")
    expect(page.locator(".sources li").first).to_contain_text("as reported by Pietro Damiani (2024)")
    expect(page.locator(".sources .formatted").first).to_contain_text("South China Morning Post")


def test_each_sentence_shows_its_verdict_quietly(page: Page, ask: Callable[..., None]) -> None:
    """Every sentence bears a small mark whose meaning can be read and heard."""
    ask(USERS)
    assert page.locator(".sentence").count() == page.locator(".sentence .verdict").count() > 0
    assert "supported" in (page.locator(".verdict").first.get_attribute("aria-label") or "")


def test_hovering_a_citation_shows_the_quote(page: Page, ask: Callable[..., None]) -> None:
    """The quote and who says it appear beside the citation, and go when the pointer goes."""
    ask(USERS)
    page.locator(".cite").first.hover()
    expect(page.get_by_role("tooltip")).to_contain_text("200 million")
    expect(page.get_by_role("tooltip")).to_contain_text("Deng (2024), as reported by")
    page.mouse.move(2, 2)
    expect(page.get_by_role("tooltip")).to_be_hidden()


def test_a_click_opens_the_document_at_the_passage(
    page: Page, ask: Callable[..., None], in_view: Callable[[str], bool]
) -> None:
    """The document opens scrolled to the highlighted characters, which are the citation's own."""
    ask(USERS)
    page.locator(".cite").first.click()
    expect(page.locator("#pane mark").first).to_be_visible()
    quote = "".join(page.locator("#pane mark").all_text_contents())
    assert quote in page.locator(".prose").inner_text()
    assert in_view("#pane mark")


def test_the_question_stays_readable_beside_the_document(page: Page, ask: Callable[..., None]) -> None:
    """The question stands above its answer, also when the document takes its room."""
    ask(USERS)
    page.locator(".cite").first.click()
    expect(page.locator("#pane mark").first).to_be_visible()
    expect(page.locator(".asked-question")).to_be_in_viewport()
    assert page.locator(".asked-question").evaluate("(node) => node.scrollWidth <= node.clientWidth")


def test_the_document_says_which_section_and_page_the_passage_is_from(page: Page, ask: Callable[..., None]) -> None:
    """Above the text stands the section of the passage, as it stands in the list of sources."""
    ask(USERS)
    page.locator(".cite").first.click()
    expect(page.locator(".where-in")).to_contain_text("Background")
    expect(page.locator(".sources .where").first).to_contain_text("Background")


def test_the_bibliography_entry_stands_beside_the_passage(page: Page, ask: Callable[..., None]) -> None:
    """Beside the passage stands whom it relays, formatted, with the address as a link."""
    ask(USERS)
    page.locator(".cite").first.click()
    beside = page.get_by_role("complementary", name="Where this comes from")
    expect(beside).to_contain_text("Deng (2024), as reported by Pietro Damiani (2024)")
    assert "scmp.com" in (beside.locator(".formatted a").first.get_attribute("href") or "")
    text, entry = page.locator(".source").bounding_box(), beside.bounding_box()
    assert text
    assert entry
    assert entry["x"] >= text["x"] + text["width"] - 1  # beside, not below


def test_the_problems_of_an_entry_are_shown_with_it(page: Page, ask: Callable[..., None]) -> None:
    """What is wrong with an entry is said where the entry is shown."""
    ask("What do the demonstrations of the Xi Jinping Thought model suggest about its training data?")
    expect(page.locator(".sources .problems").first).to_contain_text("no address")


def test_what_the_sources_do_not_answer_is_said_plainly(page: Page, ask: Callable[..., None]) -> None:
    """An unanswerable question gets the plain sentence and the nearest passages, which can be opened."""
    ask(NOBODY)
    expect(page.locator("#answer")).to_contain_text("The sources do not answer this.")
    assert page.locator(".cite").count() == 0
    page.locator(".nearest a").first.click()
    expect(page.locator("#pane mark").first).to_be_visible()


def test_a_question_in_the_address_is_asked_at_once(page: Page, answered: Callable[[], None]) -> None:
    """A link with `?q=` shows its answer."""
    page.goto("/?q=Who+are+the+four+new+AI+tigers%3F")
    answered()
    expect(page.locator(".prose")).to_contain_text("Baichuan")


def test_the_way_back_leads_to_the_question_before(page: Page, ask: Callable[..., None]) -> None:
    """Each question is a step of the browser's history, and so is each opened passage."""
    ask(USERS)
    page.get_by_role("textbox", name="Your question").fill(NOBODY)
    page.keyboard.press("Enter")
    expect(page.locator(".abstained")).to_be_visible()
    page.go_back()
    expect(page.locator(".prose")).to_contain_text("200 million")
    page.locator(".cite").first.click()
    expect(page.locator("#pane")).to_be_visible()
    page.go_back()
    expect(page.locator("#pane")).to_be_hidden()


def test_earlier_questions_are_kept_in_the_browser_until_forgotten(page: Page, ask: Callable[..., None]) -> None:
    """Questions asked before are offered again, and one button forgets them."""
    ask(USERS)
    page.goto("/")
    earlier = page.get_by_role("region", name="Earlier questions")
    earlier.get_by_role("link", name=USERS).click()
    expect(page.locator(".prose")).to_contain_text("200 million")
    page.goto("/")
    earlier.get_by_role("button", name="Forget them").click()
    expect(earlier).to_be_hidden()
    page.reload()
    expect(page.locator("#about-sources")).not_to_be_empty()
    expect(earlier).to_be_hidden()


def test_a_refused_question_says_why(page: Page) -> None:
    """A question over the limit gets the service's own words."""
    page.goto("/")
    page.get_by_role("textbox", name="Your question").fill("why " * 600)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("2,000")


def test_what_other_documents_say_is_shown_for_and_against(
    page: Page, workspace: Workspace, ask: Callable[..., None]
) -> None:
    """Where two documents speak to one claim, agreement and conflict are told apart, each with its citation."""
    folder = workspace.settings.corpus / "wells"
    folder.mkdir(exist_ok=True)
    for name, depth in (("north", "ninety"), ("south", "ninety"), ("east", "forty")):
        text = f"# The {name} report\n\nThe well of Orm is {depth} feet deep, as the {name} survey found.\n"
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    workspace.rebuild("wells")
    told = page.request.post("/v1/ask", data={"question": "How deep is the well of Orm?", "collection": "wells"}).json()
    ask("How deep is the well of Orm?", "/?collection=wells")
    lines = page.locator(".elsewhere li")
    expect(lines).to_have_count(len(told["corroboration"]))
    for i, one in enumerate(told["corroboration"]):
        expect(lines.nth(i).locator(".cite")).to_have_count(len(one["supporting"]) + len(one["contradicting"]))
    assert told["corroboration"]
