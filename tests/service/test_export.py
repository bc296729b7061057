"""Answers to take away: every form says the same, and holds nothing but text."""

from __future__ import annotations

import io
from collections.abc import Callable

import docx
import pytest
from fastapi.testclient import TestClient
from markdown_it import MarkdownIt

USERS = "How many users had Ernie Bot attracted by April 2024?"


@pytest.fixture(scope="module")
def answer(client: TestClient) -> dict:
    """A real answer, as it came over the wire."""
    return client.post("/v1/ask", json={"question": USERS}).json()


@pytest.fixture(scope="module")
def export(client: TestClient) -> Callable[..., bytes]:
    """A function that exports an answer."""

    def exported(answer: dict, form: str, **more: str) -> bytes:
        response = client.post("/v1/export", json={"answer": answer, "format": form, **more})
        assert response.status_code == 200, response.text
        assert response.headers["content-disposition"].startswith('attachment; filename="answer.')
        return response.content

    return exported


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_text_holds_question_answer_and_both_hops(answer: dict, export: Callable[..., bytes], form: str) -> None:
    """Question, numbered answer, whose claim it is, the quote, the entry, the generation."""
    text = export(answer, form).decode()
    plain = text.replace("\\", "")
    assert USERS in plain
    assert "(Deng, 2024). [1]" in plain
    assert "citing Deng (2024)" in plain
    assert answer["citations"][0]["cited_text"] in plain
    assert "South China Morning Post" in plain
    assert answer["index"]["generation"] in plain


def test_the_style_can_be_chosen_afterwards(answer: dict, export: Callable[..., bytes]) -> None:
    """References are set in the style asked for, whatever style the answer came in."""
    assert "(2024, April 6)" in export(answer, "text", style="apa").decode()
    assert "(2024, April 6)" not in export(answer, "text", style="mla").decode()


def test_a_word_file_opens_and_its_addresses_can_be_followed(answer: dict, export: Callable[..., bytes]) -> None:
    """The file holds the same words, numbers in superscript, and the entry's address as a link."""
    document = docx.Document(io.BytesIO(export(answer, "docx")))
    words = [paragraph.text for paragraph in document.paragraphs]
    assert words[0] == USERS
    assert any("200 million" in text for text in words)
    raised = [run.text for paragraph in document.paragraphs for run in paragraph.runs if run.font.superscript]
    assert raised == ["1"]
    links = [link.url for paragraph in document.paragraphs for link in paragraph.hyperlinks]
    assert any("scmp.com" in link for link in links)


@pytest.mark.parametrize(("form", "mark"), [("bibtex", "@"), ("ris", "TY  -"), ("csl", '"DOI"')])
def test_references_go_to_a_reference_manager(answer: dict, export: Callable[..., bytes], form: str, mark: str) -> None:
    """The entries of the answer and no others."""
    text = export(answer, form).decode()
    assert "Baidu claims 200 million users" in text
    assert text.count(mark) == (0 if form == "csl" else 1)


def test_what_the_sources_do_not_answer_is_exported_as_that(client: TestClient, export: Callable[..., bytes]) -> None:
    """An abstention exports its plain sentence and no sources."""
    abstained = client.post("/v1/ask", json={"question": "What is the boiling point of nitrogen?"}).json()
    text = export(abstained, "markdown").decode()
    assert "The sources do not answer this." in text
    assert "Sources\n" not in text
    assert len(docx.Document(io.BytesIO(export(abstained, "docx"))).paragraphs) >= 3


def test_hostile_answers_stay_text(answer: dict, export: Callable[..., bytes]) -> None:
    """Markup, control characters and offsets out of range do no harm in any form."""
    evil = "<script>alert(1)</script> ![x](http://evil.example/x.png) \x00\x1b[31m"
    sentence = {**answer["sentences"][0], "start": 900, "end": 5}
    bad = {**answer, "question": evil, "answer": evil * 2, "sentences": [sentence] * 2}
    bad["citations"] = [{**answer["citations"][0], "cited_text": evil, "relation": evil, "document_id": evil}]
    bad["references"] = [{**answer["references"][0], "id": "gone", "formatted": evil}]
    html = MarkdownIt().render(export(bad, "markdown").decode())
    assert "<script" not in html
    assert "<img" not in html
    assert "\x1b" not in export(bad, "text").decode()
    docx.Document(io.BytesIO(export(bad, "docx")))
    assert export(bad, "bibtex").decode().count("@") == 0


def test_an_answer_longer_than_any_is_not_exported(client: TestClient, answer: dict) -> None:
    """An answer that somebody made up with thousands of citations is refused, not set."""
    many = answer | {"citations": answer["citations"] * 501}
    refused = client.post("/v1/export", json={"answer": many, "format": "docx"})
    assert refused.status_code == 422
    assert "lists of more than 500 values" in refused.json()["detail"]
