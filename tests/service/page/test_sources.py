"""Documents, bibliography and index: read, filtered, added to and rebuilt."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from rag.workspace import Workspace

USERS = "How many users had Ernie Bot attracted by April 2024?"


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


def test_hostile_text_is_shown_as_text(page: Page, ask: Callable[..., None]) -> None:
    """Markup in titles, passages and entries stays text, and a javascript: address is no link."""
    ask("How many barrels of tar does the keeper of the southern gate count?", "/?collection=harbour")
    page.goto("/?collection=harbour#document/traps")
    expect(page.locator(".source")).to_contain_text("<script>")
    page.goto("/?collection=harbour#bibliography")
    expect(page.locator(".entries")).to_contain_text("Lanterns")
    page.goto("/?collection=harbour#documents")
    expect(page.locator(".documents li")).to_have_count(2)
    assert page.locator("main img, main script, #pane script, main b, #pane b").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    assert "broken" not in page.title()


def test_a_question_that_is_markup_stays_text(page: Page, answered: Callable[[], None]) -> None:
    """A hostile link cannot make the page run anything."""
    page.goto("/?q=%3Cimg+src%3Dx+onerror%3D%22document.title%3D%27broken%27%22%3E+what%3F")
    answered()
    assert page.locator("main img").count() == 0
    assert page.title() != "broken"


def test_the_bibliography_shows_every_entry_and_its_problems(page: Page) -> None:
    """All entries stand in the list; choosing a kind of problem leaves those that have it."""
    page.goto("/#bibliography")
    expect(page.locator(".entries > li")).to_have_count(17)
    page.get_by_role("button", name=re.compile("^No date")).click()
    expect(page.locator(".entries > li")).to_have_count(1)
    expect(page.locator(".entries > li")).to_contain_text("World Digital Technology Academy")


def test_the_style_of_references_is_kept(page: Page, ask: Callable[..., None]) -> None:
    """A style chosen in the bibliography formats the answers too, and is there after a reload."""
    page.goto("/#bibliography")
    harvard = page.locator(".entries .formatted").first.inner_text()
    page.get_by_label("Style").select_option("apa")
    expect(page.locator(".entries .formatted").first).not_to_have_text(harvard)
    ask(USERS, "/?fresh")
    expect(page.locator(".sources .formatted").first).to_contain_text("(2024, April 6)")


def test_from_the_entry_beside_a_passage_to_the_bibliography(
    page: Page, ask: Callable[..., None], in_view: Callable[[str], bool]
) -> None:
    """The way goes on from the entry beside the passage to its place in the whole list."""
    ask(USERS)
    page.locator(".cite").first.click()
    page.get_by_role("link", name="In the bibliography").click()
    expect(page.locator(".wanted")).to_contain_text("Baidu claims 200 million users")
    assert in_view(".wanted")


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


def test_collections_can_be_changed(page: Page, answered: Callable[[], None]) -> None:
    """The choice of a collection changes what is asked."""
    page.goto("/")
    page.get_by_label("Collection").select_option("harbour")
    expect(page.locator("#about-sources")).to_contain_text("1 other document")
    page.get_by_role("textbox", name="Your question").fill("Who keeps the old lighthouse?")
    page.keyboard.press("Enter")
    answered()
    expect(page.locator("#answer")).to_contain_text("Tamsin Vale")


def test_a_filter_confines_the_answer(page: Page, answered: Callable[[], None]) -> None:
    """With one document chosen the other is not read, and the line says so."""
    page.goto("/?collection=harbour")
    page.get_by_text("In everything there is").click()
    page.get_by_role("checkbox").last.check()
    only = page.locator(".filter fieldset label").last.inner_text()
    expect(page.locator(".filter summary")).to_have_text("Only 1 document")
    page.get_by_role("textbox", name="Your question").fill("Who keeps the old lighthouse?")
    page.keyboard.press("Enter")
    answered()
    shown = page.locator("#answer .where").all_inner_texts()
    assert shown
    assert all(only in where for where in shown)


def test_authors_years_and_sections_confine_too(page: Page, ask: Callable[..., None]) -> None:
    """Each filter goes to the service; one that leaves nothing leaves nothing to answer from."""
    page.goto("/")
    page.get_by_text("In everything there is").click()
    page.get_by_label("Author").select_option("Pietro Damiani")
    page.get_by_label("From year").fill("2020")
    expect(page.locator(".filter summary")).to_have_text("Only by Pietro Damiani, from 2020")
    ask(USERS, None)
    expect(page.locator(".prose")).to_contain_text("200 million")
    page.get_by_label("From year").fill("2025")
    ask(USERS, None)
    expect(page.locator("#answer")).to_contain_text("The sources do not answer this.")
    page.get_by_role("button", name="Search everything").click()
    expect(page.locator(".filter summary")).to_have_text("In everything there is")


def test_from_an_entry_to_the_passages_that_cite_it(page: Page, ask: Callable[..., None]) -> None:
    """The bibliography leads back to asking, confined to where an entry is cited."""
    page.goto("/#bibliography")
    entry = page.locator(".entries > li", has_text="Baidu claims 200 million users")
    entry.get_by_role("link", name="Ask only where it is cited").click()
    expect(page.locator(".filter summary")).to_have_text("Only citing Deng (2024)")
    ask(USERS, None)
    expect(page.locator(".prose")).to_contain_text("200 million")
    ask("Who are the four new AI tigers of China?", None)
    cited = page.locator(".sources .formatted").all_inner_texts()
    assert all("Deng" in text or "Jiang" in text for text in cited)


def test_a_page_of_the_web_is_added_by_its_address(page: Page, workspace: Workspace) -> None:
    """An address that the service may not fetch is refused in words; the line stays."""
    page.goto("/?collection=harbour#documents")
    page.get_by_label("Or fetch one from the web").fill("http://127.0.0.1:1/private")
    page.get_by_role("button", name="Fetch").click()
    expect(page.locator(".jobs .error")).to_contain_text("127.0.0.1")
    expect(page.locator(".documents li")).to_have_count(2)


def test_what_was_left_out_stands_in_the_list_with_its_reason(page: Page, workspace: Workspace) -> None:
    """A file in the folder that cannot be read is named below the documents, and why."""
    folder = workspace.settings.corpus / "leftovers"
    folder.mkdir(exist_ok=True)
    (folder / "good.md").write_text("# Good\n\nThis one can be read without any trouble.\n", encoding="utf-8")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    workspace.rebuild("leftovers")
    page.goto("/?collection=leftovers#documents")
    left = page.get_by_role("region", name="Left out")
    expect(left).to_contain_text("broken.pdf")
    assert len(left.locator("li").inner_text()) > len("broken.pdf") + 10


def test_an_earlier_generation_is_made_live_again(page: Page, workspace: Workspace) -> None:
    """Rolling back is one button, and the page follows at once."""
    folder = workspace.settings.corpus / "versions"
    folder.mkdir(exist_ok=True)
    for weight in ("nine", "eleven"):
        (folder / "anchor.md").write_text(f"# Anchor\n\nThe anchor weighs {weight} tons.\n", encoding="utf-8")
        workspace.rebuild("versions")
    page.goto("/?collection=versions#index")
    expect(page.locator(".generations li")).to_have_count(2)
    before = page.locator(".generations .current code").inner_text()
    page.get_by_role("button", name="Make live").click()
    expect(page.locator(".generations .current code")).not_to_have_text(before)
    page.goto("/?collection=versions#document/anchor")
    expect(page.locator(".source")).to_contain_text("nine tons")


def test_an_uploaded_file_is_asked_and_removed(page: Page, tmp_path: Path, ask: Callable[..., None]) -> None:
    """A file chosen on the page is indexed with progress, answers a question, and is removed after a question."""
    note = tmp_path / "ferry.md"
    note.write_text(
        "# The ferry\n\nThe ferry to Osmund Island leaves at nine from the stone jetty.\n", encoding="utf-8"
    )
    page.goto("/?collection=uploads#documents")
    page.get_by_label(re.compile("Add documents")).set_input_files(note)
    expect(page.locator(".jobs")).to_contain_text("done in", timeout=30_000)
    expect(page.locator(".documents")).to_contain_text("The ferry")
    ask("When does the ferry to Osmund Island leave?", "/?collection=uploads")
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


def test_cited_works_are_fetched_from_the_bibliography(page: Page, workspace: Workspace) -> None:
    """One button tries to have a copy of each work, and each entry tells what came of it: here, a forbidden address."""
    folder = workspace.settings.corpus / "unreachable"
    folder.mkdir(exist_ok=True)
    entry = "Ode, B., 1912. Ice of the bay. Bergen: Fjord Press. Available from: http://127.0.0.1:1/ice.html"
    text = f"# Ice\n\nThe bay froze (Ode, 1912).\n\n## References\n\n{entry}\n"
    (folder / "ice.md").write_text(text, encoding="utf-8")
    workspace.rebuild("unreachable")
    page.goto("/?collection=unreachable#bibliography")
    expect(page.locator("#view-bibliography")).to_contain_text("None of the cited works is in the collection")
    page.get_by_role("button", name="Fetch the cited works").click()
    expect(page.locator(".entries > li")).to_contain_text("could not be fetched", timeout=20_000)
