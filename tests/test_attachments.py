"""Attachments: which documents are works that other documents list, how surely, and how it is revoked."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from benchmarks.sources import measure
from rag import attachments, documents
from rag.build import Incoming
from rag.errors import DocumentError, NotFoundError
from rag.types import Byline, Document, Reference
from rag.workspace import Workspace

ROOT = Path(__file__).parent.parent

SOURCE = """# Turning tides

Tom Marlowe, 2019

The first tidal turbine of Kestrel Bay went into the water in May 2019. It supplies four thousand homes with power.
"""


def document(
    title: str, *authors: str, date: str | None = None, address: str | None = None, text: str = ""
) -> Document:
    """A document as a reader gives it."""
    body = text or f"{title}\n\n{', '.join(authors)}\n\nSome text that says nothing more of it."
    return Document("source", body, title, tuple(Byline(a) for a in authors), date=date, address=address)


def entry(title: str, *authors: str, year: int | None = None, **more: object) -> Reference:
    """A bibliography entry of another document."""
    issued = {"issued": {"date-parts": [[year]]}} if year else {}
    people = [{"family": a.split()[-1], "given": a.split()[0]} for a in authors]
    return Reference("x-1", {"type": "book", "title": title, "author": people, **issued, **more}, document_id="article")


LONG = "The regulation of generative models in coastal provinces"


@pytest.mark.parametrize(
    ("found", "listed", "how"),
    [
        (document(LONG, "Ida Varga", date="2018"), entry(LONG, "Ida Varga", year=2018), "title, authors, year"),
        (document(LONG), entry(LONG, "Ida Varga", year=2018), "title"),
        (document(f"{LONG}: a survey", "Ida Varga"), entry(LONG, "Ida Varga", year=2018), "title, authors"),
        (
            document("Roof gulls", "Ida Varga", date="2018"),
            entry("Roof gulls", "I Varga", year=2018),
            "title, authors, year",
        ),
        (
            document("Birds", "Ida Varga", date="2018", text="Birds\n\nIda Varga\n\ndoi:10.1234/abc.5\n\nRoofs."),
            entry("Gulls", "Ida Varga", year=2018, DOI="10.1234/abc.5"),
            "doi, authors, year",
        ),
        (
            document(LONG, "Ida Varga", date="2018"),
            entry(f"{LONG}, with what fishermen make of it", "Ida Varga", year=2018),
            "title, authors, year",
        ),
        (document("Untitled", address="https://doi.org/10.1234/abc.5"), entry("Gulls", DOI="10.1234/ABC.5"), "doi"),
        (
            document("Gulls", address="http://www.example.org/a/"),
            entry("Gull life", URL="https://example.org/a"),
            "address",
        ),
        (
            document("沿海省份生成式模型的监管", date="2023"),
            entry("沿海省份生成式模型的监管", year=2023),
            "title, year",
        ),
    ],
)
def test_a_listed_work_is_recognised(found: Document, listed: Reference, how: str) -> None:
    """By DOI, address, or a title that its authors or year bear out; and it is told what spoke for it."""
    (attachment,) = attachments.attach([found], [listed], {})[0]["source"]
    assert attachment.confidence >= attachments.LEAST
    assert attachment.how == how


@pytest.mark.parametrize(
    ("found", "listed"),
    [
        (document("Annual report", "Ida Varga", date="2012"), entry("Annual report", "Li Wei", year=2018)),
        (document("Introduction"), entry("Introduction", year=2018)),
        (document(f"A reply to “{LONG}”", "Li Wei", date="2021"), entry(LONG, "Ida Varga", year=2018)),
        (document(f"Ida Varga: {LONG}. A review", "Li Wei", date="2019"), entry(LONG, "Ida Varga", year=2018)),
        (
            document("Notes", text="Notes on the coast\n\nSee doi:10.1234/abc.5 for more of it."),
            entry(LONG, "Ida Varga", year=2018, DOI="10.1234/abc.5"),
        ),
        (
            document("Notes", text=f"Notes on the coast\n\nAs Ida Varga says in {LONG}, it is not easy."),
            entry(LONG, "Ida Varga", year=2018),
        ),
        (document("Gulls", address="https://example.org/"), entry("Terns", URL="https://example.org")),
        (document(LONG, address="https://doi.org/10.1234/one"), entry(LONG, "Ida Varga", DOI="10.1234/two")),
        (document("Nothing alike at all", "Ida Varga", date="2018"), entry(LONG, "Ida Varga", year=2018)),
    ],
)
def test_another_work_is_not_taken_for_it(found: Document, listed: Reference) -> None:
    """A common title, a reply, a site's front page, another DOI or the same author alone attach nothing."""
    assert attachments.attach([found], [listed], {}) == ({}, [])


def test_a_document_is_never_its_own_source() -> None:
    """An article that lists itself is not attached to its own entry."""
    listed = entry(LONG, "Ida Varga", year=2018)
    own = Reference("x-1", listed.csl, document_id="source")
    assert attachments.attach([document(LONG, "Ida Varga", date="2018")], [own], {})[0] == {}


def test_what_a_person_says_wins() -> None:
    """A given entry is certain, "" forbids what would be matched, an entry nobody lists is a problem."""
    listed, found = entry(LONG, "Ida Varga", year=2018), document(LONG, "Ida Varga", date="2018")
    assert attachments.attach([found], [listed], {"source": ""}) == ({}, [])
    other = document("Something else")
    (given,) = attachments.attach([other], [listed], {"source": "article:x-1"})[0]["source"]
    assert (given.reference_id, given.confidence, given.how) == ("x-1", 1.0, "given")
    kept, problems = attachments.attach([other], [listed], {"source": "nobody-1999"})
    assert kept == {}
    assert [p.kind for p in problems] == [attachments.UNKNOWN]
    assert "nobody-1999" in problems[0].message


def test_a_source_joins_in_by_itself_and_can_be_taken_away(fresh: Workspace) -> None:
    """A listed work dropped into the collection is attached; detach revokes it, attach without an entry restores it."""
    fresh.rebuild()
    fresh.add(None, "found.md", SOURCE.encode())
    (attachment,) = fresh.generation().document("found").attachments
    assert attachment.reference_id == "marlowe-2019"
    assert fresh.generation().attached("marlowe-2019") == ("found",)
    fresh.attach(None, "found", "")
    assert fresh.generation().document("found").attachments == ()
    assert fresh.rebuild().unchanged
    fresh.attach(None, "found", "osei-2021")
    given = {a.reference_id: a.how for a in fresh.generation().document("found").attachments}
    assert given == {"osei-2021": "given"}
    fresh.attach(None, "found", None)
    assert fresh.generation().document("found").attachments == (attachment,)
    assert not (fresh.settings.corpus / "c/found.md.toml").exists()


def test_a_source_is_attached_as_it_is_added(fresh: Workspace, tmp_path: Path) -> None:
    """`add --reference` keeps the entry beside the file, by an id that lasts; an entry nobody lists is refused."""
    fresh.rebuild()
    path = tmp_path / "paper.txt"
    path.write_text("The harbour board paid thirty-one million crowns. Nobody was asked.")
    fresh.add(None, path.name, path, reference="osei-2021")
    assert documents.known_of(fresh.settings.corpus / "c/paper.txt") == {"reference": "tides:osei-2021"}
    # Another list that uses the same id does not loosen it.
    (fresh.settings.corpus / "c/again.md").write_text((fresh.settings.corpus / "c/tides.md").read_text() + "\nMore.")
    fresh.rebuild()
    assert [a.reference_id for a in fresh.generation().document("paper").attachments] == ["tides:osei-2021"]
    live = fresh.generation().state.generation
    with pytest.raises(DocumentError, match="nobody-1999"):
        fresh.add(None, "other.txt", b"Some other words entirely.", reference="nobody-1999")
    assert not (fresh.settings.corpus / "c/other.txt").exists()
    assert fresh.generation().state.generation == live
    with pytest.raises(NotFoundError, match="osei-2021"):
        fresh.attach(None, "again", "osei-2021x")
    fresh.remove(None, "paper")
    assert not list((fresh.settings.corpus / "c").glob("paper*"))


def test_an_entry_that_is_gone_is_reported(fresh: Workspace) -> None:
    """When the list loses the entry, the document stays, unattached, and the audit says why; once, not every time."""
    fresh.rebuild()
    fresh.add(None, "paper.txt", b"The harbour board paid. Nobody was asked.", reference="osei-2021")
    article = fresh.settings.corpus / "c/tides.md"
    article.write_text(article.read_text().partition("Osei, A. and Lind")[0])
    for _ in range(2):
        fresh.rebuild(force=True)
        kinds = [p.kind for p in fresh.generation().problems("paper")]
        assert kinds.count("unknown-attachment") == 1


def test_every_document_tells_where_it_came_from(fresh: Workspace) -> None:
    """Origin, date, hashes of file and text and the reader stand in the index and in its manifest; the file is kept."""
    fresh.rebuild()
    when, address = "2026-01-02T03:04:05+00:00", "https://example.org/t"
    origin = {"address": address, "final_address": f"{address}/", "retrieved": when}
    fresh.add_all([Incoming("found.md", SOURCE.encode(), None, origin)])
    found, plain = fresh.generation().document("found"), fresh.generation().document("tides")
    kept = (fresh.settings.corpus / "c/found.md").read_bytes()
    assert kept == SOURCE.encode()
    assert found.sha256 == hashlib.sha256(kept).hexdigest()
    assert found.text_sha256 == hashlib.sha256(found.text.encode()).hexdigest()
    assert (found.origin, found.address) == (address, f"{address}/")
    assert found.added == when
    assert (plain.origin, plain.reader, bool(plain.added)) == ("tides.md", plain.reader, True)
    rows = {row["id"]: row for row in fresh.generation().manifest["provenance"]}
    for d in (found, plain):
        said = rows[d.id]
        assert [said[k] for k in ("origin", "added", "sha256", "text_sha256", "reader")] == [
            d.origin, d.added, d.sha256, d.text_sha256, d.reader,
        ]  # fmt: skip
    added = plain.added
    fresh.rebuild(force=True)
    assert fresh.generation().document("tides").added == added


def test_files_of_one_stem_do_not_share_what_we_write(fresh: Workspace) -> None:
    """Provenance of `a.txt` is not `a.md`'s; removing one leaves a person's note to the other."""
    folder = fresh.settings.corpus / "c"
    fresh.rebuild()
    fresh.add(None, "a.txt", b"The tern is a sea bird. It dives.", reference="osei-2021")
    fresh.add(None, "a.md", b"# Terns\n\nAnother text on terns and their dives.")
    assert documents.known_of(folder / "a.md") == {}
    (folder / "a.toml").write_text('title = "Terns"\n')
    fresh.remove(None, "a-txt")
    assert {p.name for p in folder.glob("a*")} == {"a.md", "a.toml"}


def test_articles_are_recognised_as_well_as_when_the_floor_was_set(shared: Path) -> None:
    """Of real articles, listed in five styles without DOI, as many find their entry as did, and none another's."""
    floors = json.loads((ROOT / "benchmarks/sources/FLOORS.json").read_text(encoding="utf-8"))
    found = measure.recognised(shared / "data", floors["at_most"])
    for read in ("with metadata", "bare text"):
        assert found[read]["recall"] >= floors[read], read
        assert found[read]["another_articles_entry"] == 0
        assert found[read]["entries_of_other_articles_lists"] == []
