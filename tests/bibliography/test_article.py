"""The first article's bibliography, as printed: seventeen entries, their fields and their real faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.bibliography import parse
from rag.types import Problem, Reference

ARTICLE = Path(__file__).parents[3] / "shared" / "corpus" / "article.txt"

Read = tuple[str, tuple[Reference, ...], tuple[Problem, ...]]


@pytest.fixture(scope="module")
def article() -> Read:
    """The article's text, its references and its problems."""
    if not ARTICLE.exists():
        pytest.skip("../shared/corpus/article.txt is not here")
    text = ARTICLE.read_text(encoding="utf-8")
    begin = text.index("BIBLIOGRAPHY") + len("BIBLIOGRAPHY")
    return text, *parse(text[begin:], offset=begin)


def test_ids_are_readable_and_in_list_order(article: Read) -> None:
    """Every entry is found, in order, with an id that a reader can tell."""
    assert [r.id for r in article[1]] == [
        "allen-2022",
        "china-academy-of-information-and-communication-technology-2022",
        "cyberspace-administration-of-china-2021",
        "cyberspace-administration-of-china-2023",
        "deng-2024",
        "feng-2023",
        "global-times-2023",
        "huang-2023",
        "huang-2022",
        "jiang-2024a",
        "jiang-2024b",
        "li-2024",
        "the-decoder-2023",
        "tho-2023",
        "world-digital-technology-academy-nd",
        "ye-2023",
        "zhuang-2024",
    ]


def test_raw_is_the_exact_slice(article: Read) -> None:
    """What a reference calls its raw string is what stands in the document at its offsets."""
    text, references, _ = article
    assert all(text[r.start : r.end] == r.raw for r in references)


_WHO = {
    "allen-2022": [("Allen", "G. C.")],
    "china-academy-of-information-and-communication-technology-2022": [
        "China. China Academy of Information and Communication Technology"
    ],
    "cyberspace-administration-of-china-2021": ["China. Cyberspace Administration of China"],
    "cyberspace-administration-of-china-2023": ["China. Cyberspace Administration of China"],
    "deng-2024": [("Deng", "I.")],
    "feng-2023": [("Feng", "C.")],
    "global-times-2023": ["Global Times"],
    "huang-2023": [("Huang", "J."), ("Zhang", "J."), ("Zheng", "S.")],
    "huang-2022": [("Huang", "R."), ("Yao", "H.")],
    "jiang-2024a": [("Jiang", "B.")],
    "jiang-2024b": [("Jiang", "B.")],
    "li-2024": [("Li", "Qiang")],
    "the-decoder-2023": ["The Decoder"],
    "tho-2023": [("Tho", "M."), ("Gan", "N.")],
    "world-digital-technology-academy-nd": ["World Digital Technology Academy"],
    "ye-2023": [("Ye", "J.")],
    "zhuang-2024": [("Zhuang", "S.")],
}


@pytest.mark.parametrize("name", _WHO)
def test_authors(article: Read, name: str) -> None:
    """People are split into family and given names; bodies stay whole, the country they are entered under included."""
    csl = next(r.csl for r in article[1] if r.id == name)
    assert [a.get("literal") or (a["family"], a["given"]) for a in csl["author"]] == _WHO[name]


_WHEN = {
    "allen-2022": [2022],
    "cyberspace-administration-of-china-2021": [2021],
    "deng-2024": [2024, 4, 6],
    "feng-2023": [2023, 3, 26],
    "global-times-2023": [2023, 3, 5],
    "huang-2023": [2023, 8, 31],
    "huang-2022": [2022],
    "jiang-2024a": [2024, 4, 19],
    "jiang-2024b": [2024, 4, 16],
    "li-2024": [2024],
    "the-decoder-2023": [2023, 12, 29],
    "tho-2023": [2023, 12, 15],
    "ye-2023": [2023, 10, 24],
    "zhuang-2024": [2024, 5, 21],
}


@pytest.mark.parametrize("name", _WHEN)
def test_dates(article: Read, name: str) -> None:
    """The year stands behind the author, the day behind the newspaper: together they are the date."""
    csl = next(r.csl for r in article[1] if r.id == name)
    assert csl["issued"] == {"date-parts": [_WHEN[name]]}
    assert csl.get("year-suffix") == (name[-1] if name[-1].isalpha() else None)


_WHERE = {
    "allen-2022": (
        "Choking off China’s Access to the Future of AI",
        "publisher",
        "Center for Stratetic and International Studies",
    ),
    "china-academy-of-information-and-communication-technology-2022": (
        "White Paper on AI-Generated Content (AIGC)",
        "publisher-place",
        "Beijing",
    ),
    "cyberspace-administration-of-china-2021": (
        "Guiding Opinions on Strengthening the Comprehensive Governance of Network Information Service Algorithms",
        "publisher",
        "Ministry of Education of the People’s Republic of China",
    ),
    "cyberspace-administration-of-china-2023": (
        "Interim Measures for the Management of Generative Artificial Intelligent Services",
        "publisher",
        "Cyberspace Administration of China",
    ),
    "deng-2024": (
        "Baidu claims 200 million users for Ernie chatbot, in sign that generative AI investments are paying off",
        "container-title",
        "South China Morning Post",
    ),
    "global-times-2023": (
        "China to Launch AI Plus Initiative: Government Work Report",
        "container-title",
        "Global Times",
    ),
    "huang-2023": ("Baidu, Sense Time Among First Firms to Win China AI Approval", "container-title", "Bloomberg"),
    "li-2024": ("Report on the Work of the Government", "publisher", "Xinhua"),
    "the-decoder-2023": (
        "CCP releases politically approved LLM dataset with 50 billion tokens",
        "container-title",
        "The Decoder",
    ),
    "tho-2023": (
        "We asked GPT-4 and Chinese rival ERNIE the same questions. Here’s how they answered",
        "container-title",
        "CNN",
    ),
    "world-digital-technology-academy-nd": ("Generative AI Talent Development Framework", "publisher-place", "Geneva"),
    "ye-2023": (
        "Shares in China's iFlyTek tumble after reports AI-powered device criticised Mao",
        "container-title",
        "Reuters",
    ),
    "zhuang-2024": (
        "China rolls out large language model AI based on Xi Jinping Thought",
        "container-title",
        "South China Morning Post",
    ),
}


@pytest.mark.parametrize("name", _WHERE)
def test_titles_and_where_they_appeared(article: Read, name: str) -> None:
    """Titles end where the newspaper or the imprint begins, be they two sentences long or followed by a comma only."""
    csl = next(r.csl for r in article[1] if r.id == name)
    title, variable, value = _WHERE[name]
    assert csl["title"] == title
    assert csl[variable] == value


def test_the_entry_in_two_scripts(article: Read) -> None:
    """The journal article in Chinese keeps its pinyin, its characters and its bracketed translation apart."""
    csl = next(r.csl for r in article[1] if r.id == "huang-2022")
    assert csl["type"] == "article-journal"
    assert (csl["volume"], csl["issue"], csl["page"]) == ("41", "4", "82-106")
    assert csl["DOI"] == "10.14093/j.cnki.cn10-1132/d.2023.04.004"
    assert csl["container-title"].startswith("Guoji anquan yanjiu")
    assert csl["custom"]["original"] == {
        "author": ["黄日涵", "姚浩龙"],
        "title": "被重塑的世界?ChatGPT 崛起下人工智能与国家安全新特征",
        "container-title": "国际安全研究",
    }
    assert csl["custom"]["translated-title"].startswith("A reshaped world?")


def test_addresses_end_where_the_sentence_begins(article: Read) -> None:
    """A full stop behind an address is the list's; a missing space before it or a stray one behind it does no harm."""
    addresses = {r.id: r.csl.get("URL") for r in article[1]}
    assert addresses["global-times-2023"] == "https://www.globaltimes.cn/page/202403/1308210.shtml"
    assert str(addresses["china-academy-of-information-and-communication-technology-2022"]).endswith(
        "t20221111_411288.html"
    )
    assert addresses["zhuang-2024"] is None
    assert sum(url is not None for url in addresses.values()) == 15


def test_its_faults_are_named(article: Read) -> None:
    """The audit's entry-level finds: no date, no address, and three dates that contradict the address or DOI."""
    found = {(p.kind, p.reference_id, p.severity) for p in article[2] if p.kind != "unparsed-remainder"}
    assert found == {
        ("date-contradiction", "global-times-2023", "warning"),
        ("date-contradiction", "huang-2022", "warning"),
        ("date-contradiction", "huang-2023", "info"),
        ("missing-date", "world-digital-technology-academy-nd", "warning"),
        ("missing-address", "zhuang-2024", "warning"),
    }


def test_page_furniture_is_no_entry(article: Read) -> None:
    """What the web export leaves behind the last entry is reported as such and joins no reference."""
    text, references, problems = article
    assert references[-1].raw.endswith("21 May.")
    rest = [text[p.start : p.end] for p in problems if p.kind == "unparsed-remainder"]
    assert any("views" in r for r in rest)
