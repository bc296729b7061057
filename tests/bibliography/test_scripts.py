"""Entries that the model was not taught: marked kinds, other alphabets, family names in capitals."""

from __future__ import annotations

import pytest

from rag.bibliography import parse_entry


@pytest.mark.parametrize(
    ("raw", "fields"),
    [
        (
            "[1] 陈伟，李强．河流治理研究[J]．水利研究，2022，41(4)：82-106．",
            {
                "type": "article-journal",
                "author": [{"family": "陈", "given": "伟"}, {"family": "李", "given": "强"}],
                "title": "河流治理研究",
                "container-title": "水利研究",
                "volume": "41",
                "issue": "4",
                "page": "82-106",
            },
        ),
        (
            "王芳．水的历史[M]．北京：河流出版社，2021．",
            {"title": "水的历史", "publisher": "河流出版社", "publisher-place": "北京"},
        ),
        (
            "SMITH J, DOE B. Deep water[J]. Hydrology, 2020, 580(1): 1-9.",
            {
                "author": [{"family": "SMITH", "given": "J"}, {"family": "DOE", "given": "B"}],
                "title": "Deep water",
                "container-title": "Hydrology",
            },
        ),
        (
            "国家水务办公室．河流管理暂行办法[EB/OL]．(2023-07-13)[2024-01-05]．http://www.shuiwu.example.cn/c_1.htm．",
            {
                "title": "河流管理暂行办法",
                "issued": {"date-parts": [[2023, 7, 13]]},
                "URL": "http://www.shuiwu.example.cn/c_1.htm",
            },
        ),
        (
            "Петров П. П., Сидоров С. С. Экономика моста // Вопросы мостов. 2015. № 3. С. 12–25.",
            {"title": "Экономика моста", "container-title": "Вопросы мостов"},
        ),
        (
            "Иванов И. И. Социология реки. М.: Берег, 2010. 320 с.",
            {"author": [{"family": "Иванов", "given": "И. И."}], "title": "Социология реки", "publisher": "Берег"},
        ),
        (
            "LAFOUR Bruno, WOOLF Steve, La vie de quai, Paris, La Découverte, 1988, 299 p.",
            {"author": [{"family": "LAFOUR", "given": "Bruno"}, {"family": "WOOLF", "given": "Steve"}]},
        ),
        (
            "佐藤花子・鈴木一郎 (2018). 水の歴史. 歴史研究, 12(3), 45–60.",
            {"author": [{"family": "佐藤", "given": "花子"}, {"family": "鈴木", "given": "一郎"}]},
        ),
        (
            "이영희·박민수 (2018). 물의 역사. 역사연구, 12(3), 45–60.",
            {"author": [{"family": "이", "given": "영희"}, {"family": "박", "given": "민수"}]},
        ),
        (
            "Kabir, M.H., Hasan, N., Rahman, M.M.; Jahan, R. (2014). Of herbs. Herbal, 3, 1–9.",
            {
                "author": [
                    {"family": "Kabir", "given": "M.H."},
                    {"family": "Hasan", "given": "N."},
                    {"family": "Rahman", "given": "M.M."},
                    {"family": "Jahan", "given": "R."},
                ]
            },
        ),
    ],
)
def test_what_rules_read_better_is_read_by_rules(raw: str, fields: dict[str, object]) -> None:
    """Each field is what the entry says, in its own script and without its marks."""
    csl, _ = parse_entry(raw)
    assert {name: csl.get(name) for name in fields} == fields
