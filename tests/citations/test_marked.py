"""What the format itself says of a citation is a fact: keys lead to their entries, signs of notes to nothing else."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from rag import bibliography
from rag.analysis import Analysis, analyse
from rag.documents import BIBLIOGRAPHY_KINDS, is_bibliography, is_document, read
from rag.errors import DocumentError
from rag.types import Document

BIB = rb"""@article{moss01, author={Moss, Rosa}, title={Peat}, journal={Bogs}, year={2001}}
@book{hahn04, author={Hahn, Ivo}, title={Salt}, year={2004}}
@report{nad17, author={{National Academy of Dikes}}, title={Norms}, year={2017}}"""
TRIALS = Path(__file__).parents[3] / "shared/trials/documents"


def analysed(name: str, source: str, bib: bytes | None = BIB) -> tuple[Document, Analysis]:
    """A file, read and linked to the list beside it."""
    document = read(Path(name), data=source.encode())
    return document, analyse(document, [bibliography.read_structured(bib, "bibtex")] if bib else [])


def links(name: str, source: str, bib: bytes | None = BIB) -> list[tuple[str, str | None, str]]:
    """Each mention: its characters, its entry, its kind."""
    document, found = analysed(name, source, bib)
    return [(document.text[m.start : m.end], m.reference_id, m.kind) for m in found.mentions]


def test_latex_cites_by_key() -> None:
    r"""Every command of the `\cite` family leads to its entries; `\nocite` is no citation of the text."""
    said = (
        r"\documentclass{article}\begin{document}Peat burns \autocite[see][p.~4]{moss01,hahn04}. \textcite{hahn04} adds "
        r"salt\footcite{nad17}. \parencites[12]{moss01}[see][]{nad17} \nocite{*}\end{document}"
    )
    assert links("a.tex", said) == [
        ("moss01", "moss-2001", "parenthetical"),
        ("hahn04", "hahn-2004", "parenthetical"),
        ("Hahn04", "hahn-2004", "narrative"),
        ("nad17", "national-academy-of-dikes-2017", "parenthetical"),
        ("moss01", "moss-2001", "parenthetical"),
        ("nad17", "national-academy-of-dikes-2017", "parenthetical"),
    ]


def test_pandoc_cites_by_key() -> None:
    """A key in brackets, in the sentence and in a note is a citation; addresses, code and cross-references are none."""
    text = (
        "# Fens\n\nPeat burns [see @moss01, p. 4; -@hahn04]. @nad17 [ch. 2] says so.[^a] Ask ann@moss01.org, `@moss01` or"
        " @fig-map.\n\n[^a]: As @{hahn04} has it.\n"
    )
    assert [(said, entry) for said, entry, _ in links("a.qmd", text)] == [
        ("moss01", "moss-2001"),
        ("hahn04", "hahn-2004"),
        ("Nad17", "national-academy-of-dikes-2017"),
        ("Hahn04", "hahn-2004"),
    ]


def test_a_key_that_nobody_lists_is_told() -> None:
    """A key without an entry is a citation that leads nowhere, and a problem at its place."""
    document, found = analysed("a.md", "# Fens\n\nPeat burns [@moss01; @moss02].\n")
    (missing,) = [m for m in found.mentions if m.reference_id is None]
    assert document.text[missing.start : missing.end] == "moss02"
    assert [p.message for p in missing.problems] == [
        "The text cites moss02, but the bibliography has no entry of that key."
    ]


NUMBERED = """# Rivers

Gauges vanish [1].[^1] Satellites help [2]. This paper counts 4,200 of them.[^2]

## References

[1] J. Smith, "The lost gauges," Hydrology, vol. 3, pp. 1-9, 2019.

[2] A. Lee, "Satellites," Rem. Sens., vol. 4, pp. 3-9, 2020.

[^1]: A gauge is a staffed station.
[^2]: The form is available on request.
"""


def test_the_sign_of_a_note_is_no_number_of_the_list() -> None:
    """Beside numbered citations, notes keep their numbers to themselves, in the text and before the notes."""
    assert [said for said, _, kind in links("a.md", NUMBERED, None) if kind == "numeric"] == ["1", "2"]


def test_notes_in_plain_text_are_no_citations() -> None:
    """Raised numbers that lines below explain are signs of notes; the text cites by years."""
    text = (
        "Peat\n\nThe debate began early.¹ Moss (2001) treats it.² Others disagree (Hahn 2004).³\n\n¹ I thank the"
        " readers.\n² Used loosely here.\n³ See section two.\n\nReferences\n\nAdler, B. (1999) Tin. Oslo: Quay.\n\n"
        "Hahn, I. (2004) Salt. Oslo: Quay.\n\nMoss, R. (2001) Peat. Oslo: Quay.\n"
    )
    assert [entry for _, entry, _ in links("a.txt", text, None)] == ["moss-2001", "hahn-2004"]


JATS = """<article article-type="x"><front><article-meta><title-group><article-title>Fens</article-title></title-group>
</article-meta></front><body><p>One<xref ref-type="bibr" rid="b1">1</xref>, three <sup>[<xref ref-type="bibr" rid="b1">1</xref>–<xref
ref-type="bibr" rid="b3">3</xref>]</sup>, Moss <xref ref-type="bibr" rid="b2">(2001)</xref>, a note<xref ref-type="fn"
rid="f2"><sup>2</sup></xref>, and 3 gauges [2].</p></body><back><ref-list><title>References</title>
<ref id="b1"><label>1</label><mixed-citation>Adler B. Tin in the old mines. Bogs. 1999;3:1-9.</mixed-citation></ref>
<ref id="b2"><label>2</label><mixed-citation><name><surname>Moss</surname><given-names>R</given-names></name>. Peat and its uses. Bogs. 2001;4:1-9.</mixed-citation></ref>
<ref id="b3"><label>3</label><mixed-citation>Hahn I. Salt at the coast. Bogs. 2004;5:1-9.</mixed-citation></ref></ref-list></back></article>"""


def test_jats_cross_references_are_facts() -> None:
    """A cross-reference leads to its entry, whatever its text; a note's does not, and no other number is a citation."""
    found = {(said, entry) for said, entry, _ in links("a.xml", JATS, None)}
    assert {("1", "adler-1999"), ("(2001)", "moss-2001")} <= found
    assert ("2", "moss-2001") not in found
    assert {entry for _, entry, _ in links("a.xml", JATS, None)} == {"adler-1999", "moss-2001", "hahn-2004"}


def test_what_the_format_does_not_mark_is_no_accusation() -> None:
    """Beside marked citations, an author and a year that nobody lists, as behind the name of a species, is a note only."""
    _, found = analysed("a.xml", JATS.replace("and 3 gauges [2]", "and Rana arvalis (Nilsson, 1842)"), None)
    assert [p.severity for p in found.problems if p.kind == "cited-but-not-listed"] == ["info"]


def test_latex_with_its_own_list() -> None:
    r"""A `thebibliography` with labels in nested braces, as natbib writes them, is a list of one entry a key."""
    source = (
        r"\documentclass{article}\begin{document}Nets learn \citep{lee20}. \begin{thebibliography}{2}"
        r"\bibitem[{Lee et~al.(2020)Lee, Roe, and Garc{\'{\i}}a}]{lee20} Ann Lee, Bo~Roe, and Jos{\'e} Garc{\'{\i}}a. 2020."
        r"\newblock \href{https://doi.org/10.1000/abc} {Satellites}. \newblock \emph{Sensing}, 4:3--9."
        r"\bibitem[{Roe(2018)}]{roe18} Bo Roe and Ann Lee. 2018. \newblock Nets. \newblock Oslo Press."
        r"\end{thebibliography}\end{document}"
    )
    _, found = analysed("a.tex", source, None)
    assert [[p.get("family") for p in r.csl["author"]] for r in found.references] == [
        ["Lee", "Roe", "García"],
        ["Roe", "Lee"],
    ]
    assert [m.reference_id for m in found.mentions] == [found.references[0].id]


def _wanted(expected: Any) -> list[str]:
    return [key for group in expected for key in ([group] if isinstance(group, str) else group)]


@pytest.mark.parametrize("folder", ["latex-bib-keys", "pandoc-markdown-keys", "arxiv-bbl"])
def test_the_trials_are_linked_by_key(folder: str) -> None:
    """In the inputs made from other tools' reports, every citation leads to the entry of its key and none elsewhere."""
    place = TRIALS / folder
    if not place.is_dir():
        pytest.skip("../shared is absent")
    files = [p for p in sorted(place.iterdir()) if p.name != "expected.json"]
    lists = [
        bibliography.read_structured(p.read_bytes(), BIBLIOGRAPHY_KINDS[p.suffix]) for p in files if is_bibliography(p)
    ]
    found = [analyse(read(p), lists) for p in files if is_document(p)]
    keys = {r.id: r.csl["custom"]["key"] for references, _ in lists for r in references}
    expected = json.loads((place / "expected.json").read_text())["expected"]
    assert [keys.get(m.reference_id or "") for a in found for m in a.mentions] == _wanted(expected["links"])


@pytest.mark.parametrize("name", ["legal.md", "legal_before.md"])
def test_the_trial_of_notes_before_an_alphabetical_list(name: str) -> None:
    """Note n is not the n-th entry: signs lead to the works that their notes name, also by a piece of the title."""
    place = TRIALS / "markdown-notes-alphabetical-bibliography"
    if not place.is_dir():
        pytest.skip("../shared is absent")
    document = read(place / name)
    found = analyse(document)
    by_note: dict[str, list[str]] = {}
    for mention in found.mentions:
        if mention.kind == "note":
            by_note.setdefault(document.text[mention.start : mention.end].strip("[]"), []).append(
                str(mention.reference_id).split("-", maxsplit=1)[0].title()
            )
    expected = json.loads((place / "expected.json").read_text())["expected"]["links_by_note"]
    assert by_note == {n: [names] if isinstance(names, str) else names for n, names in expected.items()}
    assert not [p for p in found.problems if p.kind == "cited-but-not-listed"]


NOTES = """# Rivers and law

Gauges vanish.[^1] Half are gone.[^2] Satellites help.[^3] Smith counted again.[^4] Others wait.[^5]

[^1]: Jane Smith, "The Lost Gauges," *Hydrology* 3 (2019): 4.
[^2]: Smith, "Lost Gauges," 7; see also Ann Lee, *Satellites and Rivers* (London: Quay, 2020), 3.
[^3]: Lee, supra note 2, at 8.
[^4]: Smith (n 1) 7.
[^5]: The court has not said so since 2020, and it may never say it.
"""


def test_notes_are_the_bibliography_where_none_is_printed() -> None:
    """The works that notes cite in full are the entries; signs lead to them, and a list beside the text comes first."""
    document, found = analysed("a.md", NOTES, None)
    assert [document.text[r.start : r.end] for r in found.references] == [r.raw for r in found.references]
    assert [(r.id, r.csl["title"]) for r in found.references] == [
        ("smith-2019", "The Lost Gauges"),
        ("lee-2020", "Satellites and Rivers"),
    ]
    assert [(document.text[m.start : m.end], m.reference_id) for m in found.mentions] == [
        ("[1]", "smith-2019"),
        ("[2]", "smith-2019"),
        ("[2]", "lee-2020"),
        ("[3]", "lee-2020"),
        ("[4]", "smith-2019"),
    ]
    assert {r.id for r in analysed("a.md", NOTES)[1].references} == {
        "moss-2001",
        "hahn-2004",
        "national-academy-of-dikes-2017",
    }


def _field(instruction: str, shown: str) -> str:
    said = instruction.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    sign = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'
    return (
        sign.format("begin") + f"<w:r><w:instrText>{said}</w:instrText></w:r>" + sign.format("separate")
        + f"<w:r><w:t>{shown}</w:t></w:r>" + sign.format("end")
    )  # fmt: skip


ITEM = {"id": 1, "uris": ["http://zotero.org/users/1/items/A"], "itemData": {"type": "article-journal", "title": "The lost gauges",
        "container-title": "Hydrology", "author": [{"family": "Smith", "given": "Jane"}], "issued": {"date-parts": [["2019"]]}}}  # fmt: skip
ENDNOTE = (
    "<EndNote><Cite><Author>Lee</Author><Year>2020</Year><RecNum>7</RecNum><record><rec-number>7</rec-number>"
    '<ref-type name="Journal Article">17</ref-type><contributors><authors><author>Lee, Ann</author></authors></contributors>'
    "<titles><title>Satellites and rivers</title><secondary-title>Sensing</secondary-title></titles>"
    "<dates><year>2020</year></dates></record></Cite></EndNote>"
)
WORD = (
    '<b:Sources xmlns:b="http://schemas.openxmlformats.org/officeDocument/2006/bibliography"><b:Source><b:Tag>Roe18</b:Tag>'
    "<b:SourceType>Book</b:SourceType><b:Author><b:Author><b:NameList><b:Person><b:Last>Roe</b:Last><b:First>Bo</b:First></b:Person>"
    "</b:NameList></b:Author></b:Author><b:Title>Training nets</b:Title><b:Year>2018</b:Year></b:Source></b:Sources>"
)


def test_fields_of_reference_managers_are_citations_with_their_works() -> None:
    """Zotero's, EndNote's and Word's own fields lead to the works in the file, whatever they show, printed or not."""
    body = (
        "<w:p><w:r><w:t>Gauges vanish </w:t></w:r>"
        + _field(f"ADDIN ZOTERO_ITEM CSL_CITATION {json.dumps({'citationItems': [ITEM]})}", "[1]")
        + "<w:r><w:t>. Satellites help </w:t></w:r>" + _field(f"ADDIN EN.CITE {ENDNOTE}", "[2]")
        + '<w:r><w:t>. Nets learn </w:t></w:r><w:fldSimple w:instr="CITATION Roe18 \\l 1033"><w:r><w:t>[3]</w:t></w:r></w:fldSimple></w:p>'
    )  # fmt: skip
    found = analyse(read(Path("a.docx"), data=_docx(body)))
    assert [(r.csl["title"], r.csl["author"][0]["family"]) for r in found.references] == [
        ("The lost gauges", "Smith"),
        ("Satellites and rivers", "Lee"),
        ("Training nets", "Roe"),
    ]
    assert [m.reference_id for m in found.mentions] == ["smith-2019", "lee-2020", "roe-2018"]
    heading = '<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Rivers</w:t></w:r></w:p>'
    listed = (
        '<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>References</w:t></w:r></w:p>'
        "<w:p><w:r><w:t>Adler, B. (2011) Salt of the coast. Oslo: Quay.</w:t></w:r></w:p>"
        "<w:p><w:r><w:t>Lee, A. (2020) Satellites and rivers. Sensing, 4(1), 3-9.</w:t></w:r></w:p>"
        "<w:p><w:r><w:t>Smith, J. (2019) The lost gauges. Hydrology, 3(1), 1-9.</w:t></w:r></w:p>"
    )
    printed = analyse(read(Path("a.docx"), data=_docx(heading + body + listed)))
    assert [r.id for r in printed.references] == ["adler-2011", "lee-2020", "smith-2019"]
    assert [m.reference_id for m in printed.mentions] == ["smith-2019", "lee-2020", None]


def _docx(body: str) -> bytes:
    document = f'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{body}</w:body></w:document>'
    styles = (
        '<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:style w:styleId="Heading1">'
        '<w:name w:val="heading 1"/></w:style></w:styles>'
    )
    parts = {
        "[Content_Types].xml": "<Types/>",
        "word/document.xml": document,
        "word/styles.xml": styles,
        "customXml/item1.xml": WORD,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return out.getvalue()


MAIN = r"""\documentclass{article}\title{Rivers}\begin{document}\maketitle\input{parts/intro}
% \input{gone}
\include{parts/method.tex}\input{lost}\bibliography{refs}\end{document}"""
BBL = r"\begin{thebibliography}{1}\bibitem[Moss(2001)]{moss01} Rosa Moss. 2001. \newblock Peat and its uses. \newblock Oslo Press.\end{thebibliography}"


def _archive(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def test_an_archive_of_latex_source_is_one_document() -> None:
    """Parts stand where they are taken in, the .bbl is the list, else the .bib; what is missing is told."""
    parts = {
        "parts/intro.tex": r"\section{Introduction}Peat burns \cite{moss01}.",
        "parts/method.tex": r"\section{Method}We count fires \citep{moss01}. \input{../../etc/passwd}",
        "fig.png": "no text",
    }
    for beside in ({"main.bbl": BBL}, {"refs.bib": BIB.decode()}):
        document = read(Path("2301.00001.tar.gz"), data=_archive({"main.tex": MAIN, **parts, **beside}))
        found = analyse(document)
        assert (document.title, [s.title for s in document.sections][1:3]) == ("Rivers", ["Introduction", "Method"])
        assert [m.reference_id for m in found.mentions] == ["moss-2001"] * 2
        assert {p.message.split("'")[1] for p in document.problems} == {"lost", "../../etc/passwd"}
    one = read(Path("a.gz"), data=gzip.compress(rb"\documentclass{article}\begin{document}Peat burns.\end{document}"))
    assert one.text == "Peat burns."
    with pytest.raises(DocumentError, match="without LaTeX source"):
        read(Path("a.tgz"), data=_archive({"a.txt": "Peat"}))
    again = {"main.tex": r"\documentclass{a}\begin{document}Peat \input{main} \input{main}\end{document}"}
    assert "Peat" in read(Path("a.tgz"), data=_archive(again)).text
