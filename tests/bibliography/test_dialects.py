"""What reference managers and BibTeX's users really write: dialects of RIS, TeX in fields, other tools' exports."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rag.bibliography import format_reference, parse, read_structured
from rag.bibliography.structured import Kind


def entries(text: str | bytes, kind: Kind) -> dict[str, Any]:
    """The items by the keys that the file gives them, or by title."""
    references, _ = read_structured(text if isinstance(text, bytes) else text.encode(), kind)
    return {str((r.csl.get("custom") or {}).get("key") or r.csl.get("title")): r.csl for r in references}


def test_bibtex_inherits_joins_and_tells_others() -> None:
    """Crossref, "#", "and others", subtitles and macros of journals mean what BibTeX and biber make of them."""
    found = entries(
        r"""@inproceedings{kim, author={Kim, P.}, title={Text}, pages={2--9}, crossref={ns}}
        @proceedings{ns, editor={Ruiz, Ana}, title={Natural Systems}, publisher={Quay}, year={2005}}
        @article{vas, author={Vas, Ada and others}, title="Con" # "catenated", journal={\apj}, year={2017}}
        @book{sub, author={Doe, Jo}, title={Main}, subtitle={And more}, date={1850~}}
        @article{soon, author={Doe, Jo}, title={Soon}, journal={J}, year={in press}}
        @article{soon, author={Roe, Al}, title={100% sure}, journal={J}, year={2019/2020}}""",
        "bibtex",
    )
    assert (found["kim"]["issued"], found["kim"]["container-title"]) == (
        {"date-parts": [[2005]]},
        "Natural Systems",
    )
    assert format_reference(found["vas"]) == "Vas, A. et al. (2017) ‘Concatenated’, Astrophysical Journal [Preprint]."
    assert (found["sub"]["title"], found["sub"]["issued"]) == ("Main: And more", {"date-parts": [[1850]]})
    references, problems = read_structured(
        b"@article{a, author={Doe, Jo}, title={T}, journal={J}, year={in press}}", "bibtex"
    )
    assert format_reference(references[0].csl).startswith("Doe, J. (in press)")
    assert {p.severity for p in problems} <= {"info"}
    assert found["soon"]["title"] == "100% sure"  # the second of one key is an entry too


def test_bibtex_of_mendeley_and_jabref() -> None:
    """Escaped signs in addresses are signs, markup goes, an address in `howpublished` is one, encodings are believed."""
    found = entries(
        r"""@article{a, author={Lee, K.}, title={{On {\textless}i{\textgreater}E. coli{\textless}/i{\textgreater} at 5{\%}}},
          doi={10.1007/978-3{\_}28}, url={http://x.example.org/{~}lee/a{\_}b?x=1{\&}y=$\sim$z}, year={2015}}
        @misc{b, author={{WHO}}, title={Facts}, howpublished={\url{https://who.example/noise}}, note={Accessed: 2020-03-04}}""",
        "bibtex",
    )
    assert found["a"]["title"] == "On E. coli at 5%"
    assert (found["a"]["DOI"], found["a"]["URL"]) == ("10.1007/978-3_28", "http://x.example.org/~lee/a_b?x=1&y=~z")
    assert (found["b"]["URL"], found["b"]["accessed"]) == ("https://who.example/noise", {"date-parts": [[2020, 3, 4]]})
    ansi = "% Encoding: Cp1252\n@article{m, author={Müller, Jörg}, title={Straßen – heute}, year={2011}}"
    assert entries(ansi.encode("cp1252"), "bibtex")["m"]["title"] == "Straßen – heute"


ONE = "TY  - JOUR\nTI  - Müller counts\nAU  - Müller, Jörg\nPY  - 2020\n"


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (f"{ONE}\n{ONE}".encode(), 2),
        (f"1.\n{ONE}ER  - \n\n2.\n{ONE}ER  -".encode(), 2),
        (ONE.replace("  - ", " - ").encode() + b"ER - \n", 1),
        (ONE.replace("\n", "\r").encode(), 1),
        (ONE.encode("utf-16"), 1),
        (ONE.encode("cp1252"), 1),
    ],
    ids=["no ER", "numbered", "one blank", "CR", "UTF-16", "ANSI"],
)
def test_ris_in_its_real_dialects(data: bytes, count: int) -> None:
    """Records without an end, with one blank before the dash, in any encoding and with any line ends are records."""
    references, _ = read_structured(data, "ris")
    assert [r.csl["author"] for r in references] == [[{"family": "Müller", "given": "Jörg"}]] * count


EXPORTS = {
    "pubmed": "PMID- 23\nTI  - Effects of sleep on\n      memory.\nFAU - Okoro, Ngozi A\nAU  - Okoro NA\nJT  - Sleep\nDP  - 2013 May\n"
    "VI  - 40\nPG  - 210-8\nLID - 10.1000/jsm [doi]\nPT  - Journal Article\n\nPMID- 24\nTI  - Second.\nFAU - Li, Wei\nDP  - 2014\n",
    "refer": "%0 Journal Article\n%A Okoro, Ngozi A\n%T Effects of sleep on memory\n%J Sleep\n%D 2013\n%V 40\n%P 210-8\n%R 10.1000/jsm\n"
    "\n%0 Book\n%A Li, Wei\n%T Second\n%D 2014\n",
    "wos": "FN Clarivate Analytics Web of Science\nVR 1.0\nPT J\nAU Okoro, Ngozi A\nTI Effects of sleep on\n   memory\nSO Sleep\nPY 2013\n"
    "VL 40\nBP 210\nEP 8\nDI 10.1000/jsm\nER\n\nPT J\nAU Li, Wei\n   Roe, Bo\nTI Second\nPY 2014\nER\n\nEF\n",
}


@pytest.mark.parametrize("name", EXPORTS)
def test_exports_of_tagged_lines(name: str) -> None:
    """PubMed, EndNote's refer format and Web of Science are told by content and read into the same fields."""
    first, second = (r.csl for r in read_structured(EXPORTS[name].encode(), "ris")[0])
    assert first["author"] == [{"family": "Okoro", "given": "Ngozi A"}]
    assert (first["type"], first["title"], first["container-title"]) == (
        "article-journal",
        "Effects of sleep on memory",
        "Sleep",
    )
    assert (first["volume"], first["page"], first["DOI"]) == ("40", "210-8", "10.1000/jsm")
    assert first["issued"]["date-parts"][0][0] == 2013
    assert (second["title"], second["issued"]["date-parts"][0][0]) == ("Second", 2014)
    assert [p["family"] for p in second["author"]] == (["Li", "Roe"] if name == "wos" else ["Li"])


WORK = {"author": [{"family": "Ng", "given": "Ada"}], "DOI": "10.1000/x"}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"status": "ok", "message": {**WORK, "type": "journal-article", "title": ["Fens"], "container-title": ["Bogs"],
                                                "issued": {"date-parts": [[2019, 5]]}}}),
        json.dumps({"config": {}, "items": [{"itemType": "journalArticle", "title": "Fens", "publicationTitle": "Bogs", "date": "2019-05-03",
                                             "DOI": "10.1000/x", "creators": [{"firstName": "Ada", "lastName": "Ng", "creatorType": "author"}]},
                                            {"itemType": "attachment", "title": "Fens.pdf"}]}),
        json.dumps([{"key": "AB", "data": {"itemType": "journalArticle", "title": "Fens", "publicationTitle": "Bogs", "date": "May 2019",
                                           "DOI": "10.1000/x", "creators": [{"name": "", "firstName": "Ada", "lastName": "Ng"}]}}]),
        json.dumps([{**WORK, "type": "article-journal", "title": "<i>Fens</i>", "container-title": "Bogs", "issued": {"raw": "2019-05"},
                     "DOI": "https://doi.org/10.1000/x"}]),
        "references:\n- id: ng\n  type: article-journal\n  title: Fens\n  container-title: Bogs\n  DOI: 10.1000/x\n  author: [{family: Ng, given: Ada}]\n  issued: {date-parts: [[2019]]}\n",
    ],
    ids=["Crossref", "Better BibTeX", "Zotero API", "raw date", "YAML"],
)  # fmt: skip
def test_relatives_of_csl_json(text: str) -> None:
    """Crossref's answers, Zotero's items and CSL YAML give the item that CSL-JSON would."""
    (item,) = (r.csl for r in read_structured(text.encode(), "csl")[0])
    assert (item["type"], item["title"], item["container-title"]) == ("article-journal", "Fens", "Bogs")
    assert (item["author"], item["DOI"]) == ([{"family": "Ng", "given": "Ada"}], "10.1000/x")
    assert item["issued"]["date-parts"][0][0] == 2019


def test_zotero_rdf() -> None:
    """An item of Zotero RDF takes journal, volume and DOI from the journal described beside it."""
    rdf = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:z="http://www.zotero.org/namespaces/export#"
      xmlns:dcterms="http://purl.org/dc/terms/" xmlns:bib="http://purl.org/net/biblio#" xmlns:foaf="http://xmlns.com/foaf/0.1/"
      xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:prism="http://prismstandard.org/namespaces/1.2/basic/">
      <bib:Article rdf:about="http://example.org/x"><z:itemType>journalArticle</z:itemType><dcterms:isPartOf rdf:resource="urn:issn:1"/>
      <bib:authors><rdf:Seq><rdf:li><foaf:Person><foaf:surname>Okoro</foaf:surname><foaf:givenName>Ngozi</foaf:givenName></foaf:Person>
      </rdf:li></rdf:Seq></bib:authors><dc:title>Sleep</dc:title><dc:date>2013</dc:date><bib:pages>2-9</bib:pages></bib:Article>
      <bib:Journal rdf:about="urn:issn:1"><prism:volume>40</prism:volume><dc:title>Bogs</dc:title><dc:identifier>DOI 10.1000/x</dc:identifier>
      </bib:Journal></rdf:RDF>"""
    (item,) = (r.csl for r in read_structured(rdf.encode(), "rdf")[0])
    assert (item["type"], item["title"], item["container-title"]) == ("article-journal", "Sleep", "Bogs")
    assert (item["volume"], item["page"], item["DOI"]) == ("40", "2-9", "10.1000/x")
    assert item["author"] == [{"family": "Okoro", "given": "Ngozi"}]


@pytest.mark.parametrize(
    ("entry", "families"),
    [
        ("Xiao Ling, Sameer Singh, and Daniel S. Weld. 2015. Design challenges for linking. Transactions, 3:315–328.", ["Ling", "Singh", "Weld"]),
        ("Hal Daumé. 2007. Frustratingly easy adaptation. In Proceedings of the Meeting, pages 256–263.", ["Daumé"]),
        ("[1] Ada Ng and Bo Roe, “Fens of the north,” Bogs, vol. 3, pp. 2–9, 2015.", ["Ng", "Roe"]),
    ],
)  # fmt: skip
def test_lists_that_give_family_names_last(entry: str, families: list[str]) -> None:
    """Of names with the family name last, one is a person and three are three."""
    assert [p.get("family") for p in parse(entry)[0][0].csl["author"]] == families


def test_a_lone_name_in_a_list_of_inverted_names_is_a_body() -> None:
    """Among "Family, Given", a name without a comma is a body's."""
    listed = (
        "Ng, Ada (2019) Fens. Oslo: Quay.\n\nRoe, B. (2018) Nets. Oslo: Quay.\n\nGreen Harbour (2020) Report. Oslo.\n"
    )
    assert [r.csl["author"][0].get("literal") for r in parse(listed)[0]] == [None, None, "Green Harbour"]


def test_a_lone_name_that_nothing_places_is_told_by_the_given_name() -> None:
    """Where no entry tells which name comes first, a given name makes a person, and none a body."""
    listed = (
        "Anna Novak. 2019. Fens of the north. Oslo: Quay.\n\nHalvard Consultants. 2022. Boats by night. Oslo: Quay.\n"
    )
    first, second = (r.csl["author"][0] for r in parse(listed)[0])
    assert first == {"family": "Novak", "given": "Anna"}
    assert second == {"literal": "Halvard Consultants"}


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ("Teich, I./Preiser, E. (1992): Deiche und Dörfer im Wandel. Chemnitz.", {"publisher": None, "publisher-place": "Chemnitz"}),
        ("Said, E. (1979/1994): Riverism. New York.", {"title": "Riverism", "publisher": None}),
        ("Homann, K. (2002): Sinn der Deiche, in: Lutz, C. (Hrsg.): Vorteile und Anreize, Tübingen: Moor, 106-135.", {"container-title": "Vorteile und Anreize", "publisher": "Moor"}),
        ("Rivers, Ann. “Locks of the Valley.” Water Letters 35.11 (1979): 27-31.", {"volume": "35", "issue": "11"}),
        ("R Core Team. R: A Language for Statistical Computing; 2015. Available from: https://www.R-project.org", {"title": "R: A Language for Statistical Computing"}),
        ("Wigott, L. (1986 [1934]). Rivers and language, revised edition. Cambridge, MA: The Lake Press.", {"title": "Rivers and language"}),
        ("Clare C. City of Glass. Margaret K. McElderry Books; 2009.", {"title": "City of Glass", "publisher": "Margaret K. McElderry Books"}),
        ("SEARLE, J. R. Mind, Language and Society. New York: Basic Books, 1998.", {"title": "Mind, Language and Society"}),
        ("Luhanga F, Yonge O. Precepting the unsafe student. J Nurses Staff Dev. 2008 Sep-Oct;24(5):214-9.", {"issued": {"date-parts": [[2008, 9]]}}),
        ("Froese R, Pauly D (2011) FishBase. Available: http://www.fishbase.org. Accessed: August 2011", {"title": "FishBase"}),
    ],
)  # fmt: skip
def test_entries_of_lists_of_other_kinds(entry: str, wanted: dict[str, Any]) -> None:
    """Strokes between authors, a place alone, two years, volume and number in one, a body before the title."""
    (found,) = parse(entry)[0]
    assert {variable: found.csl.get(variable) for variable in wanted} == wanted
    assert found.csl.get("author")
