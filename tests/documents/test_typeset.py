"""Articles set in type: what the text says of its citations, its PDF says too, however it is laid out."""

from __future__ import annotations

import html
import subprocess
from pathlib import Path

import pytest

from rag import bibliography, citations, documents
from rag.types import Document

ROOT = Path(__file__).parent.parent.parent
LAYOUTS = {
    "one column": "body { font: 11pt serif } p { text-align: justify }",
    "two columns": "body { font: 9pt serif } main { columns: 2; column-gap: 8mm; text-align: justify; hyphens: auto }",
    "two columns, hanging entries": """body { font: 10pt serif }
        main { columns: 2; column-gap: 8mm; text-align: justify; hyphens: auto }
        .entry { padding-left: 6mm; text-indent: -6mm; margin: 0 }""",
    "indents, no space between": "body { font: 10pt serif } p { margin: 0; text-indent: 5mm; text-align: justify }",
}
ARTICLES = {
    "harvard": "corpus/china-generative-ai/damiani-2024.md",
    "numbered": "tests/corpora/numeric/lantern-moss.md",
}


def print_pdf(chromium: str, document: Document, style: str, folder: Path) -> bytes:
    """The document printed by a real browser, under a running head, with page numbers."""
    body = []
    for section in document.sections:
        body.append(f"<h2>{html.escape(section.title)}</h2>" if section.level > 1 else f"<h1>{section.title}</h1>")
        end = min([s.start for s in document.sections if s.start > section.start] or [section.end])
        kind = "entry" if section.kind == "bibliography" else "text"
        paragraphs = document.text[section.body_start : end].split("\n\n")
        body += [f'<p class="{kind}">{html.escape(p.strip())}</p>' for p in paragraphs]
    page = (
        f'<html lang="{document.language}"><meta charset="utf-8"><style>@page {{ size: A4; margin: 22mm 18mm;'
        " @top-center { content: 'Journal of Set Type 12 (2023)' } @bottom-center { content: counter(page) } }"
        f"p {{ overflow-wrap: anywhere }} {style}</style><main>{''.join(body)}</main></html>"
    )
    (folder / "page.html").write_text(page, encoding="utf-8")
    quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    flags = [f"--user-data-dir={folder / 'profile'}", f"--print-to-pdf={folder / 'page.pdf'}", "--no-pdf-header-footer"]
    subprocess.run([chromium, *quiet, *flags, str(folder / "page.html")], check=True, capture_output=True, timeout=120)
    return (folder / "page.pdf").read_bytes()


def cited(document: Document) -> tuple[list[str], list[str | None]]:
    """The entries and, in text order, what each in-text citation leads to; titles in the text aside."""
    references = [
        entry
        for span in document.bibliography()
        for entry in bibliography.parse(span.of(document.text), offset=span.start, language=document.language)[0]
    ]
    mentions, _ = citations.link(document, references)
    return [r.id for r in references], [m.reference_id for m in mentions if m.kind != "title"]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("article", ARTICLES)
def test_a_printed_article_keeps_its_citations(chromium: str, article: str, layout: str, tmp_path: Path) -> None:
    """Columns, justified lines, hyphens, running heads and page turns lose no entry and no link, and add none."""
    source = documents.read(ROOT / ARTICLES[article], document_id="a")
    data = print_pdf(chromium, source, LAYOUTS[layout], tmp_path)
    printed = documents.read(Path("a.pdf"), data=data, document_id="a")
    assert len(printed.pages) > 1
    assert "Journal of Set Type" not in printed.text
    assert cited(printed) == cited(source)
