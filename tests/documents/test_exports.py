"""Exports as sites make them: the site's name, menus, counters and the pages it wants read next are not the article."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.documents import read
from rag.documents.dates import parse_date
from rag.documents.furniture import is_furniture
from rag.types import Document

LETTER = """The Long Weir
Subscribe
Sign in

Why small dams are coming back
A quiet return, and what it costs the eels

Joan Ferrer
Feb 11, 2022

42

7

Share

In the spring of 2019 a farmer near Vic dug out the sluice his grandfather had closed. "I wanted to hear it," he said.

The eels' side of the story

Eels need to pass. A weir of forty centimetres is a wall to them, says Marta Roig of Girona (Roig & Pla, 2018).

Sources:
ACA (2021). Annual permits report. Barcelona: Agència Catalana de l'Aigua.
Roig, M., & Pla, J. (2018). Eels and small weirs. Journal of River Life, 14(2), 33–51. https://example.org/33

42 Likes
∙
3 Restacks

Discussion about this post

Comments

Write a comment...

© 2022 Joan Ferrer
Privacy ∙ Terms ∙ Collection notice
The home of great culture
"""

NEWSPAPER = """Skip to main content
The River Times
Home > Opinion > Water
Advertisement
OPINION
The dam that nobody ordered
By Priya Nair, Environment Correspondent
Published 3:12 PM EST, Tue March 14, 2023
4 minute read
A dam went up on the Kessel in the winter of 2021, and to this day no office can say who ordered it.
A lake without papers
Papers matter in water law. Without a permit nobody has to let water through in August (Brandt, 2022).
Priya Nair is the Environment Correspondent of The River Times.
References
Brandt, L. 2022. Falling wells. Kessel: District Office.
Ministry of Water. 2022. Answer to question 7712. https://example.org/7712
Search
World
US Politics
© 2023 The River Times. All Rights Reserved.
"""

KOREAN = """본문 바로가기
메뉴

물은 누구의 것인가

김하늘 기자
입력 2023.05.06. 오전 9:12
댓글 3

작은 댐이 다시 늘고 있다. 지난해 허가를 받은 보는 모두 1,200개로, 2015년의 세 배에 이른다(수자원청, 2022).

장어의 사정

장어는 강을 거슬러 올라가야 한다. 연구자들은 물길을 따로 내야 한다고 말한다(이서연, 2021).

참고문헌
수자원청. 2022. 허가 현황 보고서. 세종: 수자원청.
이서연. 2021. "장어와 작은 보". 강과 삶, 14(2), 33-51.

공유하기
좋아요 12
다음 글
"""

SPANISH = """Saltar al contenido
Inicio
Quiénes somos

LAS PRESAS QUE NADIE PIDIÓ

Por Lucía Vidal Moreno
15 de marzo de 2023 | 4 min de lectura

Una presa se levantó en el Kessel en el invierno de 2021 y hoy ninguna oficina sabe decir quién la pidió.

1. UN LAGO SIN PAPELES

Los papeles importan en el derecho de aguas. Sin permiso, nadie deja pasar agua en agosto (Brandt, 2022: 14).

Sobre la autora: Lucía Vidal Moreno es periodista y vive en Girona.

REFERENCIAS BIBLIOGRÁFICAS

BRANDT, L. (2022): Pozos que bajan. Kessel: Oficina Comarcal.

MINISTERIO DE AGUAS (2022): Respuesta a la pregunta 7712. Disponible en: https://example.org/7712

Compartir:
Facebook
Deja un comentario
"""


def document(text: str) -> Document:
    """What `read` makes of an export."""
    return read(Path("export.txt"), data=text.encode())


@pytest.mark.parametrize(
    ("text", "title", "author", "date", "language"),
    [
        (LETTER, "Why small dams are coming back", "Joan Ferrer", "2022-02-11", "en"),
        (NEWSPAPER, "The dam that nobody ordered", "Priya Nair", "2023-03-14", "en"),
        (KOREAN, "물은 누구의 것인가", "김하늘", "2023-05-06", "ko"),
        (SPANISH, "LAS PRESAS QUE NADIE PIDIÓ", "Lucía Vidal Moreno", "2023-03-15", "es"),
    ],
)
def test_opening(text: str, title: str, author: str, date: str, language: str) -> None:
    """The title is the article's and not the site's; author and date are found beside it; both entries are listed."""
    found = document(text)
    assert (found.title, [a.name for a in found.authors], found.date, found.language) == (
        title,
        [author],
        date,
        language,
    )
    (span,) = found.bibliography()
    assert len(span.of(found.text).split("\n\n")) == 2


@pytest.mark.parametrize(
    ("text", "outline"),
    [
        (LETTER, ["The eels' side of the story", "Sources:"]),
        (NEWSPAPER, ["A lake without papers", "", "References"]),
        (KOREAN, ["장어의 사정", "참고문헌"]),
        (SPANISH, ["1. UN LAGO SIN PAPELES", "", "REFERENCIAS BIBLIOGRÁFICAS"]),
    ],
)
def test_sections(text: str, outline: list[str]) -> None:
    """After the opening come the article's own headings, and nothing after the reference list."""
    sections = [s for s in document(text).sections if s.kind != "front"]
    assert [s.title for s in sections[1:]] == outline
    assert sections[-1].kind == "bibliography"


def test_the_end_of_a_page_goes() -> None:
    """Below the article, labels among furniture go with it; above it, counters beside furniture do."""
    text = document(LETTER).text
    for gone in ["42", "Restacks", "Discussion", "Privacy", "great culture"]:
        assert gone not in text
    assert text.endswith("https://example.org/33")


def test_a_list_at_the_end_stays() -> None:
    """Items and short lines at the end of a text without furniture are the text's own."""
    end = "What to bring\n\n- boots\n- a lamp\n\nRope"
    assert document(f"On caves\n\nThey are dark, and the way is long and wet.\n\n{end}").text.endswith(end)


@pytest.mark.parametrize(
    "line",
    [
        "top of page",
        "5 min read",
        "12 views0 comments",
        "1.2K views",
        "Share on Facebook",
        "Lesezeit: 7 Minuten",
        "댓글 0개",
        "조회수 138회",
        "阅读 1024",
        "3 条评论",
        "Última actualización: 3 de mayo de 2021",
        "更新日：2021年5月3日",
        "コメントを残す",
        "▲ Наверх",
        "▲ Back to top",
        "Publié le 3 mai 2021 · 4 min de lecture",
    ],
)
def test_furniture_anywhere(line: str) -> None:
    """What nobody writes as prose is furniture wherever it stands alone."""
    assert is_furniture(line, edge=False)


@pytest.mark.parametrize(
    "line",
    [
        "Home is where the meter is.",
        "Sharing water",
        "Comments on the draft",
        "The top of the page",
        "About five minutes later",
        "2 Methods",
        "1984",
        "Date palms of the north",
        "Updated models of the river",
        "Search for the source",
        "News from nowhere",
        "Views of the lake in 40 colours",
        "12 angry men",
        "3 comments were read aloud in court.",
    ],
)
def test_no_furniture_in_the_middle(line: str) -> None:
    """Headings and sentences that begin like furniture are none."""
    assert not is_furniture(line, edge=False)


@pytest.mark.parametrize(
    ("said", "date"),
    [
        ("Jun 18", None),
        ("Jun 18, 2024", "2024-06-18"),
        ("June 2024", "2024-06"),
        ("2024", "2024"),
        ("18 de junho de 2024", "2024-06-18"),
        ("18. Juni 2024", "2024-06-18"),
        ("2024年6月18日", "2024-06-18"),
        ("2024년 6월 18일", "2024-06-18"),
        ("2024. 6. 18.", "2024-06-18"),
        ("03/04/2024", "2024"),
        ("25/12/2024", "2024-12-25"),
        ("2024-06-18T10:00:00Z", "2024-06-18"),
        ("Elections 2024", None),
        ("Chapter 3", None),
        ("12345", None),
        ("", None),
    ],
)
def test_dates(said: str, date: str | None) -> None:
    """A date is as precise as it is written and no more; one that can be read two ways keeps its year."""
    assert parse_date(said) == date


def test_a_name_below_the_title() -> None:
    """A name alone under the title is a byline when a note at the end is about that person, else a heading."""
    body = "They are dark, and the way through them is long and wet for all who go."
    found = document(f"On caves\n\nAna Sousa\n\n{body}\n\nAbout the author\n\nAna Sousa is a lecturer in Lisbon.")
    assert [a.name for a in found.authors] == ["Ana Sousa"]
    assert found.text[found.authors[0].start : found.authors[0].end] == "Ana Sousa"
    assert "Ana Sousa" not in [s.title for s in found.sections]
    assert "Early Finds" in [s.title for s in document(f"On caves\n\nEarly Finds\n\n{body}").sections]


def test_the_address_above_the_article() -> None:
    """An address on a line of its own above the article is where it was published."""
    found = document(
        "https://example.org/caves\n\nOn caves\n\nThey are dark, and the way through them is long and wet."
    )
    assert found.address == "https://example.org/caves"
    assert found.title == "On caves"
