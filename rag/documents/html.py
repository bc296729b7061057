"""Web pages → blocks: the main content alone, with what the page's head says of title, authors, date and language.

Main content is what the page itself marks as such (main, article), less what it marks as something else (nav, aside,
footer, share and comment boxes). A library for this (trafilatura) was measured and left out: it drops reference lists.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from itertools import chain, takewhile
from typing import Any

from rag.documents import furniture
from rag.documents.blocks import Block, Draft
from rag.documents.dates import parse_date
from rag.documents.decode import decode, labelled
from rag.documents.markup import blocks_of, is_hidden, tag_of, text_of
from rag.documents.people import bare_names, names_in_byline
from rag.documents.text import removed_problems
from rag.errors import DocumentError
from rag.types import Problem

READER = "html/1"
_CHARSET = re.compile(
    rb"<meta[^>]{1,300}charset\s{0,9}=\s{0,9}[\"']?\s{0,9}([\w.:-]+)|<\?xml[^>]{1,300}encoding\s{0,9}=\s{0,9}[\"']([\w.:-]+)",
    re.IGNORECASE,
)
_BOILERPLATE = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|navbox|menu|breadcrumbs?|sidebar|share|sharing|social|sharedaddy|comments?|disqus|related|recommend\w*"
    r"|newsletter|subscribe|subscription|cookies?|consent|gdpr|advert\w*|ads?|promo|sponsor\w*|banner|popup|modal|pagination|pager|skip-link|skiplink"
    r"|footer|masthead|toolbar|tags|taglist|print-only|noprint|mw-editsection|mw-cite-backlink|mw-jump-link|catlinks|printfooter|screen-reader-text|sr-only"
    r"|visually-hidden|hash-link|toc|table-of-contents|mw-indicators|vector-toc|siteSub|hatnote|ambox|metadata)(?:$|[\s_-])",
    re.IGNORECASE,
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ASIDE_TAGS = {"nav", "aside", "footer", "form", "dialog"}
_ARTICLE = re.compile(r"Article|BlogPosting|Report|Thesis|CreativeWork|WebPage|Book", re.IGNORECASE)
_LEAST_SHARE = 0.5
_MOST_PRUNED = 0.35
_MOST_COMMENTS = 0.8
_COMMENTS = re.compile(r"(?:^|[\s_-])(?:comments?|disqus)(?:$|[\s_-])", re.IGNORECASE)


def read_html(data: bytes, name: str) -> Draft:
    """Read a web page. Raises DocumentError when nothing in it can be parsed."""
    from lxml import etree, html

    text, problems = _decoded(data, name)
    text = _CONTROL.sub("", text)
    if not text.strip():
        raise DocumentError(f"{name}: the page is empty.")
    try:
        root = html.document_fromstring(
            re.sub(r"^\s*<\?xml[^>]*\?>", "", text), parser=html.HTMLParser(recover=True, huge_tree=False)
        )
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, AssertionError) as error:
        raise DocumentError(f"{name}: the page cannot be parsed ({error}); save it again from the browser.") from error
    draft = Draft([], READER, "text/html", problems=problems)
    exact = _read_head(root, draft)
    hidden = sum(1 for e in root.iter() if tag_of(e) and is_hidden(e) and len(text_of_hidden(e)) > 40)
    if hidden:
        draft.problems.append(
            Problem("hidden-text-removed", f"{hidden} stretches of text that the page hides were left out.", "info")
        )
    body = root.find("body")
    body = body if body is not None else root
    visible = len(text_of(body))
    main = _main(body)
    heading = _heading_outside(body, main)
    _prune(main)
    aside = visible - len(text_of(main))
    if aside:
        message = f"{aside} characters beside the article (menus, footers, shared and related pages) were left out."
        draft.problems.append(Problem("furniture-removed", message, "info"))
    blocks = blocks_of(main)
    if heading and not any(b.role == "heading" and b.level == 1 for b in blocks):
        blocks.insert(0, Block(heading, "heading", 1))
    _tidy(draft, blocks, exact=exact)
    return draft


def _heading_outside(body: Any, main: Any) -> str | None:  # noqa: ANN401
    """The page's one heading of level 1, when it stands outside the main content, in the page's header."""
    found = [e for e in body.iter("h1") if not is_hidden(e) and text_of(e)]
    if len(found) == 1 and main not in found[0].iterancestors() and main is not body:
        return text_of(found[0])
    return None


def text_of_hidden(element: Any) -> str:  # noqa: ANN401
    """The text of a hidden element, of no use but to say that there was some."""
    return (
        ""
        if tag_of(element) in {"script", "style", "template", "svg"}
        else " ".join("".join(element.itertext()).split())
    )


def _decoded(data: bytes, name: str) -> tuple[str, list[Problem]]:
    found = _CHARSET.search(data[:4096])
    if found and not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        try:
            return labelled(data, (found[1] or found[2]).decode("ascii", "replace")), []
        except (LookupError, UnicodeError):
            pass
    return decode(data, name)


def _main(body: Any) -> Any:  # noqa: ANN401
    """The smallest marked container that holds most of the page's running text, else the body."""
    total = _prose(body)
    marked = [e for e in body.iter() if tag_of(e) in {"main", "article"} or e.get("role") == "main"]
    good = [e for e in marked if _prose(e) >= _LEAST_SHARE * total and not _inside_aside(e)]
    # An article inside the main wins only when it is the page's one article; the deepest such element is the answer.
    return min(good, key=_prose, default=body) if total else body


def _prose(element: Any) -> int:  # noqa: ANN401
    """Characters of paragraphs, lists and headings that are not links."""
    size = 0
    for e in element.iter("p", "li", "blockquote", "td", "dd", "pre", "h1", "h2", "h3"):
        size += len(" ".join((e.text or "").split())) + sum(len((c.tail or "").strip()) for c in e)
        size += sum(len(text_of(c)) for c in e if tag_of(c) in {"em", "strong", "b", "i", "span", "code", "sup", "sub"})
    return size


def _inside_aside(element: Any) -> bool:  # noqa: ANN401
    return any(tag_of(a) in _ASIDE_TAGS for a in element.iterancestors())


def _prune(main: Any) -> None:  # noqa: ANN401
    """Drop what the page marks as something else than its content, unless that would drop the content."""
    total = max(1, _prose(main))
    dropped: dict[Any, None] = {}
    for element in main.iter():
        tag = tag_of(element)
        if not tag or element is main or element.getparent() is None:
            continue
        marks = f"{element.get('class') or ''} {element.get('id') or ''}"
        aside = tag in _ASIDE_TAGS or element.get("role") in {
            "navigation",
            "complementary",
            "search",
            "banner",
            "contentinfo",
        }
        if tag == "header" and not any(tag_of(e) == "h1" for e in element.iter()) and tag_of(main) == "body":
            aside = True
        if (
            (aside or _BOILERPLATE.search(marks))
            and _prose(element) <= (_MOST_COMMENTS if _COMMENTS.search(marks) else _MOST_PRUNED) * total
            and not _holds_references(element)
        ):
            dropped[element] = None
    _drop(dropped)


def _holds_references(element: Any) -> bool:  # noqa: ANN401
    return bool(
        re.search(
            r"reference|citation|bibliograph|footnote",
            f"{element.get('class') or ''} {element.get('id') or ''}",
            re.IGNORECASE,
        )
    )


def _drop(elements: Collection[Any]) -> None:
    """Take elements out of their tree; the text behind them stays."""
    for element in elements:
        before = element.getprevious()
        if before in elements:
            continue  # its text went with that of the first of the row
        row = takewhile(elements.__contains__, chain((element,), element.itersiblings()))
        tails = "".join(e.tail or "" for e in row)
        if before is not None:
            before.tail = (before.tail or "") + tails
        else:
            element.getparent().text = (element.getparent().text or "") + tails
    for element in elements:
        element.getparent().remove(element)


def _tidy(draft: Draft, blocks: list[Block], *, exact: bool) -> None:
    """Take furniture off the edges, mark title and bylines. `exact`: the head gave the title for citing the page."""
    stripped = furniture.strip(
        [b.text.split("\n") for b in blocks], fixed=[b.role in {"heading", "table"} for b in blocks]
    )
    draft.problems.extend(removed_problems(stripped))
    for index, lines in zip(stripped.kept, stripped.blocks, strict=True):
        blocks[index].text = "\n".join(lines)
    draft.blocks = [blocks[i] for i in stripped.kept]
    draft.date = draft.date or (stripped.dates[0] if stripped.dates else None)
    title = next((b for b in draft.blocks if b.role == "heading" and b.level == 1), None)
    if title is not None and sum(b.role == "heading" and b.level == 1 for b in draft.blocks) == 1:
        title.role = "title"
        draft.title = title.text if not exact else draft.title
        start = draft.blocks.index(title) + 1
        for block in draft.blocks[start : start + 3]:
            if block.role != "paragraph" or not (
                names_in_byline(block.text) or bare_names(block.text) or parse_date(block.text)
            ):
                break
            block.role = "byline"


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _read_head(root: Any, draft: Draft) -> bool:  # noqa: ANN401
    """Title, authors, date, language and address as the head tells them, the most exact source first.

    Returns whether the title is one meant for citing, which no heading of the page betters.
    """
    metas: dict[str, list[str]] = {}
    for meta in root.iter("meta"):
        key = (meta.get("name") or meta.get("property") or meta.get("itemprop") or "").lower()
        content = " ".join((meta.get("content") or "").split())
        if key and content:
            metas.setdefault(key, []).append(content)
    linked = next((item for item in _linked_data(root)), {})

    def first(*keys: str) -> str | None:
        return next((metas[k][0] for k in keys if k in metas), None)

    page_title = root.find(".//title")
    cited = first("citation_title", "dc.title", "dcterms.title")
    draft.title = (
        cited
        or _plain(linked.get("headline"))
        or first("og:title", "twitter:title")
        or (text_of(page_title) if page_title is not None else None)
        or None
    )
    draft.authors = (
        metas.get("citation_author")
        or metas.get("dc.creator")
        or _people(linked.get("author"))
        or metas.get("author")
        or []
    )
    draft.authors = [a for a in draft.authors if "://" not in a and len(a) < 120]
    date = first(
        "citation_publication_date", "citation_date", "article:published_time", "dc.date", "dcterms.date", "date"
    ) or _plain(linked.get("datePublished"))
    draft.date = parse_date(date.replace("/", "-")) if date else None
    language = (
        root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or first("og:locale", "dc.language")
    )
    draft.language = (
        language.replace("_", "-").strip() or None if language and re.match(r"^[A-Za-z]{2,3}\b", language) else None
    )
    canonical = next((e.get("href") for e in root.iter("link") if (e.get("rel") or "").lower() == "canonical"), None)
    doi = first("citation_doi", "dc.identifier")
    address = (
        f"https://doi.org/{doi.removeprefix('doi:')}"
        if doi and re.match(r"(?:doi:)?10\.\d{4,}/", doi)
        else canonical or first("og:url")
    )
    draft.address = address if address and address.startswith(("http://", "https://")) else None
    return cited is not None


def _linked_data(root: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    """The articles that JSON-LD scripts describe."""
    for script in root.iter("script"):
        if "ld+json" not in (script.get("type") or ""):
            continue
        try:
            found = json.loads(script.text or "")
        except (ValueError, RecursionError):
            continue
        items = found if isinstance(found, list) else found.get("@graph", [found]) if isinstance(found, dict) else []
        for item in items if isinstance(items, list) else []:
            if isinstance(item, dict) and _ARTICLE.search(str(item.get("@type", ""))):
                yield item


def _plain(value: object) -> str | None:
    return " ".join(value.split()) or None if isinstance(value, str) else None


def _people(value: object) -> list[str]:
    items = value if isinstance(value, list) else [value]
    names = [item.get("name") if isinstance(item, dict) else item for item in items]
    return [name for name in map(_plain, names) if name]
