"""Lists and texts in many styles, languages and scripts: each citation leads to its entry, end to end."""

from __future__ import annotations

import pytest

from rag.bibliography import parse
from rag.citations import link
from rag.types import Document

ENGLISH = """Adler, R. (2011). Salt and its uses. Journal of Minerals, 12(3), 45–60.
Berg, A., & Crane, B. (2015). Tin mines of the north. River Press.
Doe, J. (2019a). Small rivers. River Press.
Doe, J. (2019b). Large rivers. River Press.
Garcia-Lopez, M., Smith, J., & van der Berg, K. (2020). Deep water. Hydrology, 580, 1–9.
Smith, A., Brown, D., & White, E. (2010). Others of us. River Press.
Smith, A., Jones, B., & Lee, C. (2010). Three of us. River Press.
Smith, J. (2020). Of stones. River Press.
World Harbour Organization. (2021). World harbour report 2021. WHO.
Yamada, T. (forthcoming). Rice and rain. River Press.
"""
AUTHOR_PAGE = """Barrow, Roland. Of Myths. Paris: Quay, 1957.
Bunting, Judith. The Trouble with Birds. New York: Quay, 1990.
---. Birds That Matter. New York: Quay, 1993.
"""
FRENCH = """BARRAULT, Pierre. La distance. Paris : Quai, 1979.
INSTAT. Recensement des ponts. Paris : INSTAT, 2012.
"""
GERMAN = """Adler, R. (2011). Salz. Berlin: Kai.
Müller, H. & Schmidt, K. (2015). Zinn. München: Kai.
Wegener, M. (1922/1980). Wirtschaft am Fluss. Tübingen: Kai.
"""
CHINESE = """陈伟，李强．河流治理研究[J]．水利研究，2022，41(4)：82-106．
王芳．水的历史[M]．北京：河流出版社，2021．
国家水务办公室．河流管理暂行办法[EB/OL]．(2023-07-13)[2024-01-05]．http://www.shuiwu.example.cn/2023-07/13/c_1.htm．
"""
RUSSIAN = """Иванов И. И. Социология реки. М.: Берег, 2010. 320 с.
Петров П. П., Сидоров С. С. Экономика моста // Вопросы мостов. 2015. № 3. С. 12–25.
"""
JAPANESE = """山田太郎 (2015). 日本の川. 東京: 川書店.
佐藤花子・鈴木一郎 (2018). 水の歴史. 歴史研究, 12(3), 45–60.
"""
KOREAN = """김철수 (2015). 한국의 강. 서울: 강변.
이영희·박민수 (2018). 물의 역사. 역사연구, 12(3), 45–60.
"""
ARABIC = """أحمد، محمد. (2015). المياه في الشرق. القاهرة: دار النهر.
خالد، علي. (2018). الأنهار. بيروت: دار النهر.
"""
OTHERS = """Ågren, Ö. (2003). Snö. Stockholm: Kaj.
Çelik, A. ve Yılmaz, B. (2014). Su. Ankara: Rıhtım.
Kowalski, J., i Nowak, P. (2011). Rzeki. Warszawa: Brzeg.
Nguyễn, V. A. (2018). Nước. Hà Nội: Bến.
"""


def links(text: str, listed: str, language: str) -> dict[str, str | None]:
    """Citation as it stands → how its entry begins; None where it leads nowhere."""
    references, _ = parse(listed, language=language)
    assert len(references) == len(listed.strip().splitlines())
    raw = {r.id: " ".join(r.raw.split()[:3]) for r in references}
    mentions, _ = link(Document("d", text, language=language), references)
    return {text[m.start : m.end]: raw.get(m.reference_id or "") for m in mentions}


@pytest.mark.parametrize(
    ("language", "listed", "text", "wanted"),
    [
        (
            "en",
            ENGLISH,
            (
                "Nonetheless, Adler (2011) agrees. Both Doe (2019a, 2019b) and Smith’s (2020) stones are grey (see "
                "Garcia-Lopez et al., 2020, p. 4; but cf. Berg & Crane, 2015). Rice needs rain (Yamada, forthcoming)."
            ),
            {
                "Adler (2011)": "Adler, R. (2011).",
                "Doe (2019a": "Doe, J. (2019a).",
                "2019b": "Doe, J. (2019b).",
                "Smith’s (2020)": "Smith, J. (2020).",
                "Garcia-Lopez et al., 2020": "Garcia-Lopez, M., Smith,",
                "Berg & Crane, 2015": "Berg, A., &",
                "Yamada, forthcoming": "Yamada, T. (forthcoming).",
            },
        ),
        (
            "en",
            ENGLISH,
            "Three (Smith, Jones, et al., 2010) and others (Smith, Brown, et al., 2010). Harbours (WHO, 2021).",
            {
                "Smith, Jones, et al., 2010": "Smith, A., Jones,",
                "Smith, Brown, et al., 2010": "Smith, A., Brown,",
                "WHO, 2021": "World Harbour Organization.",
            },
        ),
        (
            "en",
            AUTHOR_PAGE,
            "A myth is told (Barrow 109). Birds are trouble (Bunting, The Trouble 25), and matter (Bunting, Birds 12).",
            {
                "Barrow 109": "Barrow, Roland. Of",
                "Bunting, The Trouble 25": "Bunting, Judith. The",
                "Bunting, Birds 12": "---. Birds That",
            },
        ),
        (
            "pt",
            AUTHOR_PAGE,
            "Para Barrow, o mito é fala, e “sabe alguma coisa” (1957, p. 19).",
            {"1957": "Barrow, Roland. Of"},
        ),
        (
            "fr",
            FRENCH,
            "D’après l’Instat (2012), les ponts croissent (cf. Barrault, 1979, p. 6).",
            {"Instat (2012)": "INSTAT. Recensement des", "Barrault, 1979": "BARRAULT, Pierre. La"},
        ),
        (
            "de",
            GERMAN,
            "Salz ist alt (vgl. Adler 2011, S. 45; s. auch Müller/Schmidt 2015: 12 ff.). Wegener (1922) irrt.",
            {
                "Adler 2011": "Adler, R. (2011).",
                "Müller/Schmidt 2015": "Müller, H. &",
                "Wegener (1922)": "Wegener, M. (1922/1980).",
            },
        ),
        (
            "zh",
            CHINESE,
            "治理很重要（陈伟、李强，2022）。王芳（2021）认为水十分关键。国家水务办公室（2023）发布了办法。",
            {
                "陈伟、李强，2022": "陈伟，李强．河流治理研究[J]．水利研究，2022，41(4)：82-106．",
                "王芳（2021）": "王芳．水的历史[M]．北京：河流出版社，2021．",
            },
        ),
        (
            "ru",
            RUSSIAN,
            "Река растёт (Иванов, 2010). По мнению Петрова и Сидорова (2015), мост стареет.",
            {"Иванов, 2010": "Иванов И. И.", "Петрова и Сидорова (2015)": "Петров П. П.,"},
        ),
        (
            "ja",
            JAPANESE,
            "川は長い（山田，2015）。佐藤・鈴木（2018）によれば、水は重要である。",
            {"山田，2015": "山田太郎 (2015). 日本の川.", "佐藤・鈴木（2018）": "佐藤花子・鈴木一郎 (2018). 水の歴史."},
        ),
        (
            "ko",
            KOREAN,
            "강은 길다(김철수, 2015). 이영희와 박민수(2018)는 물이 중요하다고 하였다.",
            {"김철수, 2015": "김철수 (2015). 한국의", "이영희와 박민수(2018)": "이영희·박민수 (2018). 물의"},
        ),
        (
            "ar",
            ARABIC,
            "المياه مهمة (أحمد، 2015). وذكر خالد (2018) ذلك.",
            {"أحمد، 2015": "أحمد، محمد. (2015).", "خالد (2018)": "خالد، علي. (2018)."},
        ),
        (
            "en",
            OTHERS,
            "Snow (Ågren, 2003), water (Nguyen, 2018), Çelik ve Yılmaz (2014), Kowalski i Nowak (2011).",
            {
                "Ågren, 2003": "Ågren, Ö. (2003).",
                "Nguyen, 2018": "Nguyễn, V. A.",
                "Çelik ve Yılmaz (2014)": "Çelik, A. ve",
                "Kowalski i Nowak (2011)": "Kowalski, J., i",
            },
        ),
    ],
)
def test_every_style_leads_to_its_entry(language: str, listed: str, text: str, wanted: dict[str, str]) -> None:
    """Whatever the style and the script, a citation has its exact span and its own entry."""
    found = links(text, listed, language)
    assert {cited: found.get(cited) for cited in wanted} == wanted


def test_a_lost_space_hides_no_author() -> None:
    """A name that an export has glued to the word before it is found behind it."""
    assert links("They are many (sensuAdler, 2011).", ENGLISH, "en") == {"Adler, 2011": "Adler, R. (2011)."}


@pytest.mark.parametrize(
    "text",
    [
        "According to Miller (1999), it rains.",
        "As shown by Kowalski (2005), it pours.",
        "Moreover, Miller (1999) argues so.",
    ],
)
def test_who_is_credited_and_not_listed_is_reported(text: str) -> None:
    """A name in the running text that something is credited to counts as cited, though no entry bears it."""
    assert list(links(text, ENGLISH, "en").values()) == [None]


@pytest.mark.parametrize(
    "text", ["In Brazil (2004) it rained.", "During March (2003) it did.", "The census (2010) says so."]
)
def test_places_months_and_things_are_no_authors(text: str) -> None:
    """A capitalised word before a year in brackets is not yet a citation."""
    assert links(text, ENGLISH, "en") == {}


def test_a_year_alone_belongs_to_nobody_where_two_could_be_meant() -> None:
    """Where two listed authors of that year stand before a bare year, it leads to neither."""
    both = "Adler, R. (2011). Salt. River Press.\nBerg, A. (2011). Tin. River Press.\nCrane, B. (1999). Iron. Quay.\n"
    assert links("Adler met Berg, and salt was found (2011, p. 3).", both, "en") == {}
