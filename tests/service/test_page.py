"""The page in a real browser: ask, follow a citation to the passage and on to the bibliography.

Each test fails as well when the page logs an error, breaks its Content-Security-Policy or asks any other server.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

USERS = "How many users had Ernie Bot attracted by April 2024?"
NOBODY = "What is the boiling point of nitrogen?"
SCREENSHOTS = Path(__file__).parent / "screenshots"


def ask(page: Page, question: str, address: str = "/") -> None:
    """Type a question into the box and wait for the whole answer."""
    page.goto(address)
    expect(page.locator("#about-sources")).not_to_be_empty()
    page.get_by_role("textbox", name="Your question").fill(question)
    page.get_by_role("button", name="Ask", exact=True).click()
    answered(page)


def answered(page: Page) -> None:
    """Wait until the answer is complete."""
    expect(page.locator("#answer[aria-busy=false]")).to_be_visible()


def in_view(page: Page, selector: str) -> bool:
    """Whether the element can be seen without scrolling its own scroll area."""
    return page.locator(selector).first.evaluate(
        """(node) => {
            const at = node.getBoundingClientRect();
            const area = node.closest(".source, main").getBoundingClientRect();
            return at.top >= area.top && at.bottom <= Math.min(area.bottom, innerHeight);
        }"""
    )


# ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_question_gets_an_answer_with_numbered_citations(page: Page) -> None:
    """The answer appears with citations numbered from one, and the sources are listed under the same numbers."""
    ask(page, USERS)
    expect(page.locator(".prose")).to_contain_text("200 million")
    expect(page.locator(".cite").first).to_have_text("1")
    expect(page.locator(".sources li").first).to_contain_text("as reported by Pietro Damiani (2024)")
    expect(page.locator(".sources .formatted").first).to_contain_text("South China Morning Post")


def test_each_sentence_shows_its_verdict_quietly(page: Page) -> None:
    """Every sentence bears a small mark whose meaning can be read and heard."""
    ask(page, USERS)
    assert page.locator(".sentence").count() == page.locator(".sentence .verdict").count() > 0
    assert "supported" in (page.locator(".verdict").first.get_attribute("aria-label") or "")


def test_hovering_a_citation_shows_the_quote(page: Page) -> None:
    """The quote and who says it appear beside the citation, and go when the pointer goes."""
    ask(page, USERS)
    page.locator(".cite").first.hover()
    expect(page.get_by_role("tooltip")).to_contain_text("200 million")
    expect(page.get_by_role("tooltip")).to_contain_text("Deng (2024), as reported by")
    page.mouse.move(2, 2)
    expect(page.get_by_role("tooltip")).to_be_hidden()


def test_a_click_opens_the_document_at_the_passage(page: Page) -> None:
    """The document opens scrolled to the highlighted characters, which are the citation's own."""
    ask(page, USERS)
    page.locator(".cite").first.click()
    expect(page.locator("#pane mark").first).to_be_visible()
    quote = "".join(page.locator("#pane mark").all_text_contents())
    assert quote in page.locator(".prose").inner_text()
    assert in_view(page, "#pane mark")


def test_the_question_stays_readable_beside_the_document(page: Page) -> None:
    """When the document takes its room the box grows, so that the whole question can still be read."""
    ask(page, USERS)
    page.locator(".cite").first.click()
    expect(page.locator("#pane mark").first).to_be_visible()
    page.wait_for_function(
        "(() => { const q = document.querySelector('#question'); return q.scrollHeight <= q.clientHeight + 2; })"
    )


def test_the_bibliography_entry_stands_beside_the_passage(page: Page) -> None:
    """Beside the passage stands whom it relays, formatted, with the address as a link."""
    ask(page, USERS)
    page.locator(".cite").first.click()
    beside = page.get_by_role("complementary", name="Where this comes from")
    expect(beside).to_contain_text("Deng (2024), as reported by Pietro Damiani (2024)")
    assert "scmp.com" in (beside.locator(".formatted a").first.get_attribute("href") or "")
    text, entry = page.locator(".source").bounding_box(), beside.bounding_box()
    assert text
    assert entry
    assert entry["x"] >= text["x"] + text["width"] - 1  # beside, not below


def test_the_problems_of_an_entry_are_shown_with_it(page: Page) -> None:
    """What is wrong with an entry is said where the entry is shown."""
    ask(page, "What do the demonstrations of the Xi Jinping Thought model suggest about its training data?")
    expect(page.locator(".sources .problems").first).to_contain_text("no address")


def test_what_the_sources_do_not_answer_is_said_plainly(page: Page) -> None:
    """An unanswerable question gets the plain sentence and the nearest passages, which can be opened."""
    ask(page, NOBODY)
    expect(page.locator("#answer")).to_contain_text("The sources do not answer this.")
    assert page.locator(".cite").count() == 0
    page.locator(".nearest a").first.click()
    expect(page.locator("#pane mark").first).to_be_visible()


def test_a_question_in_the_address_is_asked_at_once(page: Page) -> None:
    """A link with `?q=` shows its answer."""
    page.goto("/?q=Who+are+the+four+new+AI+tigers%3F")
    answered(page)
    expect(page.locator(".prose")).to_contain_text("Baichuan")


def test_the_way_back_leads_to_the_question_before(page: Page) -> None:
    """Each question is a step of the browser's history, and so is each opened passage."""
    ask(page, USERS)
    page.get_by_role("textbox", name="Your question").fill(NOBODY)
    page.keyboard.press("Enter")
    expect(page.locator(".abstained")).to_be_visible()
    page.go_back()
    expect(page.locator(".prose")).to_contain_text("200 million")
    page.locator(".cite").first.click()
    expect(page.locator("#pane")).to_be_visible()
    page.go_back()
    expect(page.locator("#pane")).to_be_hidden()


def test_earlier_questions_are_kept_in_the_browser_until_forgotten(page: Page) -> None:
    """Questions asked before are offered again, and one button forgets them."""
    ask(page, USERS)
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


# ── taking it away ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_answer_is_copied_with_its_references(page: Page) -> None:
    """The clipboard holds the answer with its numbers and the references they lead to."""
    ask(page, USERS)
    page.get_by_role("button", name="Copy with references").click()
    expect(page.locator(".colophon [role=status]")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "200 million" in copied
    assert re.search(r"^\[1\] Deng \(2024\), as reported by Pietro Damiani", copied, re.MULTILINE)
    assert "South China Morning Post" in copied


def test_an_answer_is_exported_as_markdown(page: Page) -> None:
    """The Markdown file holds question, answer, sources and the generation they came from."""
    ask(page, USERS)
    with page.expect_download() as download:
        page.get_by_role("button", name="Markdown").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.startswith(f"## {USERS}")
    assert "[1]" in text
    assert "generation" in text


def test_references_of_an_answer_are_exported(page: Page) -> None:
    """The export holds the entries of the answer and no others."""
    ask(page, USERS)
    with page.expect_download() as download:
        page.get_by_role("link", name="BibTeX").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.count("@") == 1
    assert "Baidu claims 200 million users" in text


# ── documents, bibliography, index ───────────────────────────────────────────────────────────────────────────────


def test_a_link_to_a_span_opens_the_document_there(page: Page, server: str) -> None:
    """`#document/<id>/<start>-<end>` shows those characters, and works out whom they relay."""
    text = page.request.get(f"{server}/v1/documents/damiani-2024").json()["text"]
    start = text.index("Ernie Bot, and that 85,000")
    page.goto(f"/#document/damiani-2024/{start}-{start + 26}")
    expect(page.locator("#pane mark").first).to_be_visible()
    assert "".join(page.locator("#pane mark").all_text_contents()) == "Ernie Bot, and that 85,000"
    expect(page.locator(".beside")).to_contain_text("Deng (2024)")


def test_a_citation_in_the_document_leads_to_its_entry(page: Page) -> None:
    """Clicking an in-text citation highlights what it covers and shows the entry it points to."""
    page.goto("/#document/damiani-2024")
    page.locator(".mention", has_text="Allen, 2022").first.click()
    expect(page.locator(".beside")).to_contain_text("Choking off China")
    expect(page.locator("#pane mark").first).to_be_visible()


def test_offsets_count_code_points_beyond_the_basic_plane(page: Page, server: str) -> None:
    """Emoji before a passage do not shift its highlight."""
    text = page.request.get(f"{server}/v1/documents/traps?collection=harbour").json()["text"]
    start = text.index("The keeper of the southern gate")
    assert any(ord(c) > 0xFFFF for c in text[:start])
    end = text.index("every morning.") + len("every morning.")
    page.goto(f"/?collection=harbour#document/traps/{start}-{end}")
    expect(page.locator("#pane mark").first).to_be_visible()
    assert "".join(page.locator("#pane mark").all_text_contents()) == text[start:end]


def test_hostile_text_is_shown_as_text(page: Page) -> None:
    """Markup in titles, passages and entries stays text, and a javascript: address is no link."""
    ask(page, "How many barrels of tar does the keeper of the southern gate count?", "/?collection=harbour")
    page.goto("/?collection=harbour#document/traps")
    expect(page.locator(".source")).to_contain_text("<script>")
    page.goto("/?collection=harbour#bibliography")
    expect(page.locator(".entries")).to_contain_text("Lanterns")
    page.goto("/?collection=harbour#documents")
    expect(page.locator(".documents li")).to_have_count(2)
    assert page.locator("main img, main script, #pane script, main b, #pane b").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    assert "broken" not in page.title()


def test_a_question_that_is_markup_stays_text(page: Page) -> None:
    """A hostile link cannot make the page run anything."""
    page.goto("/?q=%3Cimg+src%3Dx+onerror%3D%22document.title%3D%27broken%27%22%3E+what%3F")
    answered(page)
    assert page.locator("main img").count() == 0
    assert page.title() != "broken"


def test_the_bibliography_shows_every_entry_and_its_problems(page: Page) -> None:
    """All entries stand in the list; choosing a kind of problem leaves those that have it."""
    page.goto("/#bibliography")
    expect(page.locator(".entries > li")).to_have_count(17)
    page.get_by_role("button", name=re.compile("^No date")).click()
    expect(page.locator(".entries > li")).to_have_count(1)
    expect(page.locator(".entries > li")).to_contain_text("World Digital Technology Academy")


def test_the_style_of_references_is_kept(page: Page) -> None:
    """A style chosen in the bibliography formats the answers too, and is there after a reload."""
    page.goto("/#bibliography")
    harvard = page.locator(".entries .formatted").first.inner_text()
    page.get_by_label("Style").select_option("apa")
    expect(page.locator(".entries .formatted").first).not_to_have_text(harvard)
    ask(page, USERS, "/?fresh")
    expect(page.locator(".sources .formatted").first).to_contain_text("(2024, April 6)")


def test_from_the_entry_beside_a_passage_to_the_bibliography(page: Page) -> None:
    """The way goes on from the entry beside the passage to its place in the whole list."""
    ask(page, USERS)
    page.locator(".cite").first.click()
    page.get_by_role("link", name="In the bibliography").click()
    expect(page.locator(".wanted")).to_contain_text("Baidu claims 200 million users")
    assert in_view(page, ".wanted")


def test_the_index_tells_its_state(page: Page) -> None:
    """The live generation, its encoder and its manifest are shown."""
    page.goto("/#index")
    expect(page.locator(".about")).to_contain_text("all-MiniLM-L6-v2")
    expect(page.locator(".generations .current")).to_contain_text("live")


def test_a_rebuild_reports_how_it_ended(page: Page) -> None:
    """The button starts a job, and its end is told in words."""
    page.goto("/#index")
    page.get_by_role("button", name="Rebuild").click()
    expect(page.locator("#view-index .jobs")).to_contain_text("nothing had changed")


def test_collections_can_be_changed(page: Page) -> None:
    """The choice of a collection changes what is asked."""
    page.goto("/")
    page.get_by_label("Collection").select_option("harbour")
    expect(page.locator("#about-sources")).to_contain_text("1 other document")
    page.get_by_role("textbox", name="Your question").fill("Who keeps the old lighthouse?")
    page.keyboard.press("Enter")
    answered(page)
    expect(page.locator("#answer")).to_contain_text("Tamsin Vale")


def test_a_filter_confines_the_answer(page: Page) -> None:
    """With one document chosen the other is not read."""
    page.goto("/?collection=harbour")
    page.get_by_text("In all documents").click()
    page.get_by_role("checkbox").last.check()
    only = page.locator(".filter label").last.inner_text()
    page.get_by_role("textbox", name="Your question").fill("Who keeps the old lighthouse?")
    page.keyboard.press("Enter")
    answered(page)
    shown = page.locator("#answer .where").all_inner_texts()
    assert shown
    assert all(only in where for where in shown)


def test_an_uploaded_file_is_asked_and_removed(page: Page, tmp_path: Path) -> None:
    """A file chosen on the page is indexed with progress, answers a question, and is removed after a question."""
    note = tmp_path / "ferry.md"
    note.write_text(
        "# The ferry\n\nThe ferry to Osmund Island leaves at nine from the stone jetty.\n", encoding="utf-8"
    )
    page.goto("/?collection=uploads#documents")
    page.get_by_label(re.compile("Add documents")).set_input_files(note)
    expect(page.locator(".jobs")).to_contain_text("done in", timeout=30_000)
    expect(page.locator(".documents")).to_contain_text("The ferry")
    ask(page, "When does the ferry to Osmund Island leave?", "/?collection=uploads")
    expect(page.locator("#answer")).to_contain_text("stone jetty")
    page.goto("/?collection=uploads#documents")
    page.get_by_role("button", name="Remove The ferry").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    expect(page.locator(".documents")).to_contain_text("The ferry")
    page.get_by_role("button", name="Remove The ferry").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator(".documents li")).to_have_count(0, timeout=30_000)


def test_a_dropped_file_begins_a_new_collection(page: Page) -> None:
    """A collection is begun by its name and filled by dropping a file on the page."""
    page.goto("/#documents")
    page.get_by_role("button", name="Begin a new collection").click()
    page.get_by_label(re.compile("Its name")).fill("dropped")
    page.get_by_role("button", name="Begin", exact=True).click()
    page.wait_for_url("**/?collection=dropped#documents")
    expect(page.get_by_role("alert")).to_contain_text("dropped")
    page.locator(".drop").evaluate(
        """(zone) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File(["# Bells\\n\\nThe bell of Saint Orm weighs two tons.\\n"], "bells.md"));
            zone.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }"""
    )
    expect(page.locator(".documents")).to_contain_text("Bells", timeout=30_000)
    expect(page.locator("#collection")).to_have_value("dropped")


def test_a_file_that_cannot_be_read_says_why(page: Page, tmp_path: Path) -> None:
    """A broken file leaves a line with its reason."""
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 nothing")
    page.goto("/?collection=harbour#documents")
    page.get_by_label(re.compile("Add documents")).set_input_files(broken)
    expect(page.locator(".jobs .error")).to_contain_text("broken.pdf")
    expect(page.locator(".documents li")).to_have_count(2)


# ── everybody ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_everything_goes_by_keyboard(page: Page) -> None:
    """Ask, open a citation, come back to it, all without a pointer."""
    page.goto("/")
    expect(page.locator("#about-sources")).not_to_be_empty()
    expect(page.get_by_role("textbox", name="Your question")).to_be_focused()
    page.keyboard.type(USERS)
    page.keyboard.press("Enter")
    answered(page)
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


def test_changes_are_announced(page: Page) -> None:
    """Who does not see the page hears the answer and the opened passage."""
    ask(page, USERS)
    expect(page.locator("#status")).to_contain_text("Answered with")
    page.locator(".cite").first.click()
    expect(page.locator("#status")).to_contain_text("Document opened at the passage")


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("view", ["", "?q=" + USERS.replace(" ", "+"), "#documents", "#bibliography", "#index"])
def test_nothing_stands_in_anybodys_way(page: Page, view: str, colours: str) -> None:
    """No view has a fault that axe can find, in light colours or in dark."""
    page.emulate_media(color_scheme=colours)
    page.goto("/" + view)
    if "?q=" in view:
        answered(page)
        page.locator(".cite").first.click()
        expect(page.locator("#pane mark").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    # The policy forbids the page to load the checker, so it is evaluated by the browser's own door.
    axe = Axe()
    page.evaluate(axe.axe_script)
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")
    assert [(fault["id"], fault["nodes"][0]["html"]) for fault in found["violations"]] == []


@pytest.mark.parametrize("view", ["", "?q=" + USERS.replace(" ", "+"), "#documents", "#bibliography", "#index"])
def test_a_phone_needs_no_sideways_scrolling(page: Page, view: str) -> None:
    """At 360 pixels every view fits, the opened document too."""
    page.set_viewport_size({"width": 360, "height": 700})
    page.goto("/" + view)
    page.wait_for_load_state("networkidle")
    if "?q=" in view:
        answered(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.locator(".cite").first.click()
        expect(page.locator("#pane mark").first).to_be_visible()
        assert in_view(page, "#pane mark")
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


def test_the_picture_in_the_readme(page: Page) -> None:
    """The page with an answer and its source is worth a picture, taken anew when ADFONTES_SCREENSHOTS is set."""
    page.set_viewport_size({"width": 1360, "height": 800})
    ask(page, USERS)
    page.locator(".cite").first.click()
    expect(page.locator("#pane mark").first).to_be_visible()
    picture = page.screenshot()
    if os.environ.get("ADFONTES_SCREENSHOTS"):
        SCREENSHOTS.mkdir(exist_ok=True)
        (SCREENSHOTS / "answer.png").write_bytes(picture)
    assert len(picture) > 20_000
