"""Rebuilds: what changed is embedded, what failed changes nothing, readers never see half of anything."""

from __future__ import annotations

import errno
import hashlib
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag import store
from rag.build import drafts, embedding, gathered, reading, texts
from rag.build.cache import VectorCache
from rag.errors import (
    BusyError,
    CancelledError,
    DocumentError,
    IndexDamagedError,
    IndexWriteError,
    InputError,
    NotFoundError,
)
from rag.store import postings, vectors, writer
from rag.types import Document, Progress
from rag.workspace import Workspace


def test_an_unchanged_rebuild_embeds_nothing_and_says_so(fresh: Workspace) -> None:
    """A second rebuild with nothing changed keeps the generation and embeds nothing."""
    first = fresh.rebuild()
    second = fresh.rebuild()
    assert first.embedded > 0
    assert (second.unchanged, second.embedded, second.generation) == (True, 0, first.generation)


def test_a_forced_rebuild_reuses_every_vector(fresh: Workspace) -> None:
    """Building anew from the same sources publishes another generation without embedding one text."""
    first = fresh.rebuild()
    again = fresh.rebuild(force=True)
    assert again.generation != first.generation
    assert (again.embedded, again.reused) == (0, first.embedded)


def test_a_changed_document_embeds_only_what_is_new(fresh: Workspace) -> None:
    """One new sentence costs itself and its chunk, not the document."""
    before = fresh.rebuild()
    path = fresh.settings.corpus / "c/tides.md"
    path.write_text(path.read_text().replace("4,000 homes.", "4,000 homes. It hums at night."))
    after = fresh.rebuild()
    assert 0 < after.embedded <= 3
    assert after.reused >= before.embedded - 2


def test_add_and_remove_leave_no_trace_of_a_document(fresh: Workspace) -> None:
    """A document added is found, a document removed is found nowhere: not in the corpus, not in the index."""
    fresh.rebuild()
    fresh.add(None, "owls.txt", b"Owls of Zembla\n\nThe Zemblan owl sleeps eleven hours a day.\n")
    assert fresh.ask("How many hours does the Zemblan owl sleep?").status == "answered"
    fresh.remove(None, "owls")
    assert not (fresh.settings.corpus / "c/owls.txt").exists()
    assert [d.id for d in fresh.generation().documents()] == ["tides"]
    assert not any("owl" in p.text for p in fresh.search("Zemblan owl")[1])


def test_a_file_that_cannot_be_read_is_refused_and_nothing_changes(fresh: Workspace) -> None:
    """A broken file is named with its reason, and neither corpus nor index keep anything of it."""
    live = fresh.rebuild().generation
    with pytest.raises(DocumentError, match=r"void\.txt"):
        fresh.add(None, "void.txt", b"\x00\x00\x00")
    assert not (fresh.settings.corpus / "c/void.txt").exists()
    assert fresh.generation().state.generation == live


def test_another_file_of_the_same_name_is_not_overwritten_unasked(fresh: Workspace) -> None:
    """Nothing is lost: other content under a taken name needs a word that says so."""
    fresh.rebuild()
    with pytest.raises(InputError, match="other content"):
        fresh.add(None, "tides.md", b"Something else entirely.")
    assert "Kestrel" in (fresh.settings.corpus / "c/tides.md").read_text()
    fresh.add(None, "tides.md", b"Something else entirely is written here.", overwrite=True)
    assert "Kestrel" not in fresh.generation().document("tides").text


@pytest.mark.parametrize("name", ["../../x.txt", "/etc/x.txt", "a\\..\\x.txt", ".x.txt", "x.txt\x00"])
def test_a_name_is_never_a_path(fresh: Workspace, name: str) -> None:
    """Whatever an uploaded file is called, it lands in the collection's own folder."""
    fresh.add(None, name, b"The heron stands on one leg all day long.")
    assert {p.name for p in (fresh.settings.corpus / "c").iterdir()} == {"tides.md", "x.txt"}


def test_one_broken_source_does_not_harm_the_others(fresh: Workspace) -> None:
    """A source that cannot be read is reported as skipped with its reason; the rest is indexed."""
    (fresh.settings.corpus / "c/broken.docx").write_bytes(b"PK\x03\x04 no archive")
    report = fresh.rebuild()
    assert report.documents == 1
    assert [s.source for s in report.skipped] == ["broken.docx"]
    assert report.skipped[0].reason


def test_a_cancelled_rebuild_leaves_the_old_index_and_no_half(fresh: Workspace) -> None:
    """Stopping a rebuild raises, keeps the live generation and leaves nothing behind."""
    live = fresh.rebuild().generation
    (fresh.settings.corpus / "c/new.txt").write_text("A wholly new sentence about gulls on the pier.")
    with pytest.raises(CancelledError):
        fresh.rebuild(cancelled=lambda: True)
    folder = fresh.settings.index / "c"
    assert [g.id for g in store.generations(folder)] == [live]
    assert not list(folder.glob(".building-*"))


def test_two_writers_are_told(fresh: Workspace) -> None:
    """While one rebuild runs, another is told so at once and harms nothing."""
    inside, leave = threading.Event(), threading.Event()

    def slowly(_: Progress) -> None:
        inside.set()
        leave.wait(20)

    thread = threading.Thread(target=lambda: fresh.rebuild(progress=slowly))
    thread.start()
    try:
        assert inside.wait(20)
        with pytest.raises(BusyError, match="being rebuilt"):
            fresh.rebuild()
    finally:
        leave.set()
        thread.join(60)
    assert fresh.rebuild().unchanged


def test_a_failed_self_check_publishes_nothing(fresh: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the new index does not hold what was written, the old one stays live and the new one is gone."""
    live = fresh.rebuild().generation
    written = writer.write_vectors
    monkeypatch.setattr(writer, "write_vectors", lambda f, n, vectors, *more: written(f, n, vectors[:-1], *more))
    with pytest.raises(IndexDamagedError):
        fresh.rebuild(force=True)
    assert [g.id for g in store.generations(fresh.settings.index / "c")] == [live]


def test_readers_follow_the_swap(fresh: Workspace) -> None:
    """An open workspace answers from the new generation as soon as it is published, and can go back."""
    first = fresh.rebuild().generation
    assert fresh.generation().state.generation == first
    second = fresh.rebuild(force=True).generation
    assert fresh.generation().state.generation == second
    assert fresh.rollback().id == first
    assert fresh.generation().state.generation == first
    with pytest.raises(NotFoundError):
        fresh.rollback(generation="20000101T000000-000000")


def test_old_generations_are_pruned_but_never_the_live_one(fresh: Workspace) -> None:
    """Only as many generations stay as the settings keep, the live one always among them."""
    for _ in range(5):
        live = fresh.rebuild(force=True).generation
    kept = store.generations(fresh.settings.index / "c")
    assert len(kept) == fresh.settings.keep_generations
    assert [g.id for g in kept if g.current] == [live]


def test_a_build_killed_before_its_pruning_leaves_no_generation_for_long(fresh: Workspace) -> None:
    """What a killed build did not prune goes with the next rebuild, even one that finds nothing to do."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(store, "prune", lambda *_: [])
        for _ in range(5):
            fresh.rebuild(force=True)
    assert len(store.generations(fresh.settings.index / "c")) > fresh.settings.keep_generations
    assert fresh.rebuild().unchanged
    assert len(store.generations(fresh.settings.index / "c")) == fresh.settings.keep_generations


def test_a_bibliography_file_of_the_same_name_is_the_documents(fresh: Workspace) -> None:
    """A .bib beside a document without a list is its bibliography, and its citations resolve into it."""
    folder = fresh.settings.corpus / "c"
    (folder / "gulls.md").write_text("# Gulls\n\nGulls nest on roofs (Varga, 2018). They return each March.\n")
    (folder / "gulls.bib").write_text(
        "@article{v, author={Varga, Ida}, title={Roof gulls}, journal={Birds}, year={2018}}\n"
    )
    fresh.rebuild()
    generation = fresh.generation()
    (mention,) = generation.mentions("gulls")
    assert generation.reference(mention.reference_id or "").csl["title"] == "Roof gulls"


def test_two_documents_may_list_the_same_work(fresh: Workspace) -> None:
    """Ids that two lists share are told apart by their document; every citation still resolves to its own list."""
    folder = fresh.settings.corpus / "c"
    (folder / "again.md").write_text((folder / "tides.md").read_text().replace("Kestrel", "Osprey"))
    fresh.rebuild()
    generation = fresh.generation()
    for document_id in ("again", "tides"):
        for mention in generation.mentions(document_id):
            assert generation.reference(mention.reference_id or "").document_id == document_id


def test_step_by_step_is_the_same_as_from_nothing(fresh: Workspace, tmp_path: Path) -> None:
    """After each change the index holds what one built from the sources alone holds: ids, links, chunks, vectors."""
    folder = fresh.settings.corpus / "c"
    tides, again = folder / "tides.md", folder / "again.md"
    work = "# Turning tides\n\nT. Marlowe, 2019\n\nA turbine in Kestrel Bay powers 4,000 homes.\n"
    steps: list[Callable[[], object]] = [
        lambda: again.write_text(tides.read_text().replace("Kestrel", "Osprey")),  # shares both ids with the first
        lambda: (folder / "work.md").write_text(work),  # is an entry of both lists
        lambda: tides.write_text(tides.read_text().replace("4,000 homes.", "4,000 homes. It hums at night.")),
        lambda: tides.write_text(tides.read_text().replace("Marlowe, T., 2019", "Marlow, T., 2018")),
        lambda: (folder / "work.md.toml").write_text('reference = ""\n'),
        again.unlink,
    ]
    fresh.rebuild()
    for number, step in enumerate(steps):
        step()
        fresh.rebuild()
        nothing = Workspace(fresh.settings.model_copy(update={"index": tmp_path / f"index{number}"}))
        nothing.rebuild()
        assert held(fresh.generation()) == held(nothing.generation())


def test_of_documents_read_already_only_the_changed_are_linked_again(
    fresh: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an evaluation set gives them: what is as it was is taken over, and a language that none names is told."""
    german = "Der Hafen von Kestrel wurde im Jahr 1911 gebaut und hat seither drei Kräne und einen Leuchtturm."
    tides = (fresh.settings.corpus / "c" / "tides.md").read_text()
    given = [Document("harbour", german, source="harbour"), Document("tides", tides, "Tides", source="tides")]
    fresh.index_documents(given)
    linked: list[str] = []
    real = reading.analyse_isolated
    monkeypatch.setattr(
        reading, "analyse_isolated", lambda d, *more, **how: (linked.append(d.id), real(d, *more, **how))[1]
    )
    given[1] = replace(given[1], text=tides.replace("4,000 homes.", "4,000 homes. It hums at night."))
    fresh.index_documents(given)
    assert linked == ["tides"]
    assert [d.language for d in fresh.generation().documents()] == ["de", "en"]
    nothing = Workspace(fresh.settings.model_copy(update={"index": tmp_path / "other"}))
    nothing.index_documents(given)
    assert held(fresh.generation()) == held(nothing.generation())


def test_a_document_may_have_the_name_of_a_file_that_was_indexed(fresh: Workspace) -> None:
    """Given documents are looked for by their own ids, also where a file of that name and text stood in the index."""
    text = (fresh.settings.corpus / "c" / "tides.md").read_text()
    fresh.rebuild()
    fresh.index_documents([Document("tides.md", text, source="tides.md"), Document("more", text, source="more")])
    assert [d.id for d in fresh.generation().documents()] == ["tides.md", "more"]


def held(generation: store.Generation) -> list[object]:
    """All that a generation holds, but for the time at which sources came."""
    ids = [d.id for d in generation.documents()]
    passages = generation.passages(range(generation.size))
    return [
        [replace(generation.document(i), added="") for i in ids],
        generation.references(),
        [generation.mentions(i) for i in ids],
        generation.problems(),
        passages,
        generation.vectors_of(range(generation.size)).round(5).tolist(),
        [generation.sentence_vectors(p.id).round(5).tolist() for p in passages],
        generation.lexical(["turbin", "marlow", "tide"]).tolist(),
    ]


def test_every_stored_span_is_the_text_it_claims(workspace: Workspace) -> None:
    """Sections, chunks, sentences, entries and citations, sliced from the stored text, are what they say."""
    for name in workspace.collections():
        generation = workspace.generation(name)
        for brief in generation.documents():
            text = generation.document(brief.id).text
            for section in brief.sections:
                assert 0 <= section.start <= section.body_start <= section.end <= len(text)
                assert "".join(section.title.split()) in "".join(text[section.start : section.body_start].split())
            for reference in generation.references(brief.id):
                assert reference.start is None or text[reference.start : reference.end] == reference.raw
            for mention in generation.mentions(brief.id):
                assert 0 <= mention.scope_start <= mention.start < mention.end <= mention.scope_end <= len(text)
        for passage in generation.passages(range(generation.size)):
            text = generation.document(passage.document_id).text
            assert passage.text == text[passage.start : passage.end]
            assert all(passage.start <= s.start < s.end <= passage.end for s in passage.sentences)


def test_the_folder_is_the_collection(fresh: Workspace) -> None:
    """Dropping a file into the folder and rebuilding is all it takes; a missing folder is named."""
    fresh.rebuild()
    Path(fresh.settings.corpus / "c/kites.txt").write_text("Red kites came back to the valley in 2004.")
    assert fresh.rebuild().documents == 2
    with pytest.raises(NotFoundError, match="nowhere"):
        fresh.rebuild("nowhere")


def test_a_collection_may_become_empty(fresh: Workspace) -> None:
    """Taking the last document out leaves an index that holds nothing, finds nothing and can be built on."""
    fresh.rebuild()
    fresh.remove(None, "tides")
    assert fresh.generation().size == 0
    assert fresh.search("tidal power")[1] == []
    fresh.add(None, "owls.txt", b"The Zemblan owl sleeps eleven hours a day.")
    assert fresh.search("How long does the owl sleep?")[1]


def test_a_text_is_embedded_once_across_collections_and_for_ever(fresh: Workspace) -> None:
    """The same document in another collection, and one that comes back, embed nothing; deleting the cache is safe."""
    first = fresh.rebuild()
    shutil.copytree(fresh.settings.corpus / "c", fresh.settings.corpus / "d")
    other = fresh.rebuild("d")
    assert (other.embedded, other.reused) == (0, first.embedded)
    shutil.rmtree(fresh.settings.index / "d")
    assert fresh.rebuild("d").embedded == 0
    shutil.rmtree(fresh.settings.index / ".vectors")
    shutil.rmtree(fresh.settings.index / "d")
    assert fresh.rebuild("d").embedded == first.embedded


def test_a_damaged_vector_in_the_cache_is_embedded_again(fresh: Workspace) -> None:
    """A flipped bit in the cache never gets into an index; a file that is no database is done without."""
    first = fresh.rebuild()
    file = fresh.settings.index / f".vectors/{fresh.encoder().fingerprint[:16]}.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        key, vector = connection.execute("SELECT key, vector FROM vectors LIMIT 1").fetchone()
        connection.execute("UPDATE vectors SET vector = ? WHERE key = ?", (bytes([vector[0] ^ 1]) + vector[1:], key))
        connection.commit()
    shutil.rmtree(fresh.settings.index / "c")
    assert fresh.rebuild().embedded == 1
    file.write_bytes(b"no database, whatever its name says" * 200)
    shutil.rmtree(fresh.settings.index / "c")
    assert fresh.rebuild().embedded == first.embedded


def test_the_cache_stays_within_its_bounds(tmp_path: Path) -> None:
    """What was used longest ago goes first when the cache grows over its limit."""
    cache = VectorCache(tmp_path, "f" * 64, 4)
    keys = [hashlib.sha256(bytes([n])).digest() for n in range(100)]
    cache.keep(keys, np.eye(100, 4, dtype=np.float32))
    (file,) = tmp_path.glob("*.sqlite")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE vectors SET used = 5")
        connection.commit()
    assert set(cache.find(keys[:10])) == set(keys[:10])
    cache.shrink(limit=50 * 16)
    kept = cache.find(keys)
    assert 40 <= len(kept) <= 50
    assert set(keys[:10]) <= set(kept)


def test_an_interrupted_build_goes_on_where_it_stopped(fresh: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was embedded before a build was stopped is not embedded again, but for the stretch each core was at."""
    monkeypatch.setattr(embedding, "_KEPT_AT_ONCE", 4)
    sentences = (f"Gull number {n} flew over the pier at noon." for n in range(100))
    (fresh.settings.corpus / "c" / "gulls.md").write_text(f"# Gulls\n\n{' '.join(sentences)}\n", encoding="utf-8")
    seen: list[Progress] = []

    def stop() -> bool:
        return any(p.stage == "embedding" and p.done >= 40 for p in seen)

    with pytest.raises(CancelledError):
        fresh.rebuild(progress=seen.append, cancelled=stop)
    done = max(p.done for p in seen if p.stage == "embedding")
    report = fresh.rebuild()
    assert report.reused > done - 4 * fresh.plan().workers
    assert report.reused >= 20
    assert report.embedded >= 20


def test_a_full_disk_is_told_and_harms_nothing(fresh: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a file of the new generation cannot be written, the old one stays live and nothing is left of the new."""
    live = fresh.rebuild().generation
    (fresh.settings.corpus / "c/new.txt").write_text("A wholly new sentence about gulls on the pier.")
    folder = fresh.settings.index / "c"
    writes: list[tuple[object, str]] = [
        (drafts.Drafts, "_put"),
        (texts, "TemporaryFile"),
        (gathered, "TemporaryFile"),
        (gathered.Scratch, "add"),
        (postings, "TemporaryFile"),
        (postings.PostingsWriter, "add"),
        (postings.PostingsWriter, "write"),
        (writer.Writer, "_add_rows"),
        (writer, "write_vectors"),
        (writer, "write_text"),
    ]
    for owner, name in writes:
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, _full)
            with pytest.raises(IndexWriteError, match="No space left"):
                fresh.rebuild()
        assert [g.id for g in store.generations(folder)] == [live]
        assert {p.name for p in folder.iterdir()} == {live, "current", ".lock"}
    assert fresh.rebuild().documents == 2


def _full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_damaged_generation_is_stepped_back_from(fresh: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    """When the live generation is not what was written, the one before answers, and the log and the status say so."""
    before = fresh.rebuild().generation
    live = fresh.rebuild(force=True).generation
    path = fresh.settings.index / "c" / live / "store.sqlite"
    data = bytearray(path.read_bytes())
    data[5000] ^= 4
    path.write_bytes(data)
    assert fresh.ask("How many homes does the turbine power?").index.generation == before
    assert "store.sqlite" in fresh.damaged()["c"]
    assert "store.sqlite" in caplog.text
    healed = fresh.rebuild(force=True).generation
    assert fresh.generation().state.generation == healed
    assert fresh.damaged() == {}
    (fresh.settings.index / "c/current").write_text("../elsewhere")
    assert fresh.generation().state.generation in {healed, before}


def test_a_vector_that_rots_while_it_is_served_is_noticed_when_it_is_read(
    fresh: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    """A flipped bit in a file too large to hash at the start gives no wrong answer: the generation before answers."""
    before = fresh.rebuild().generation
    live = fresh.rebuild(force=True).generation
    assert fresh.ask("How many homes does the turbine power?").index.generation == live
    path = fresh.settings.index / "c" / live / "sentences.npy"
    with path.open("r+b") as file:
        data = bytearray(file.read())
        for at in range(300, len(data), 1536):
            data[at] ^= 16
        file.seek(0)
        file.write(data)
    assert "sentences.npy" in fresh.verify()[live]
    for _ in range(2):
        assert fresh.ask("How many homes does the turbine power?").index.generation == before
        assert fresh.search("tidal turbine homes")[0].state.generation == before
    assert "sentences.npy" in fresh.damaged()["c"]
    assert "sentences.npy" in caplog.text
    healed = fresh.rebuild()
    assert not healed.unchanged
    assert fresh.ask("How many homes does the turbine power?").index.generation == healed.generation
    assert fresh.damaged() == {}


def test_what_a_killed_process_left_is_cleared_away(fresh: Workspace) -> None:
    """Unfinished builds, pointers and generations half deleted are gone at the next start; whole ones are kept."""
    first = fresh.rebuild().generation
    second = fresh.rebuild(force=True).generation
    folder = fresh.settings.index / "c"
    shutil.copytree(folder / second, folder / f".building-{second[:-6]}aaaaaa")
    shutil.copytree(folder / second, folder / f"{second[:-6]}bbbbbb")
    (folder / f"{second[:-6]}bbbbbb" / store.MANIFEST).unlink()
    (folder / ".current-0a0a0a").write_text(first)
    store.sweep(folder)
    assert {p.name for p in folder.iterdir()} == {first, second, "current", ".lock"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["lists"])
def test_a_larger_collection_changes_its_kind_of_index_by_itself(
    fresh: Workspace, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Asking, rebuilding and reusing work alike whatever kind of vector index the number of chunks calls for."""
    flat = fresh.rebuild()
    before = fresh.search("tidal turbine homes")[1]
    chosen = next(k for k in vectors.KINDS if k.name == kind)
    monkeypatch.setattr(writer, "choose", lambda *_: chosen)
    larger = fresh.rebuild(force=True)
    assert (larger.embedded, larger.reused) == (0, flat.embedded)
    assert fresh.generation().manifest["vector_index"]["chunks"] == kind
    assert [p.id for p in fresh.search("tidal turbine homes")[1]] == [p.id for p in before]
    assert fresh.ask("How many homes does the turbine power?").status == "answered"
    monkeypatch.undo()
    shutil.rmtree(fresh.settings.index / ".vectors")
    assert fresh.rebuild(force=True).embedded == 0
