"""The whole way from sources to a published generation."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path
from typing import Any

from rag import chunks, store
from rag.build.checking import check, check_offsets
from rag.build.drafts import Drafts, Read
from rag.build.embedding import cut, embed
from rag.build.folder import survey
from rag.build.journal import unwritable, writing
from rag.build.plan import Plan, stop_if_cancelled
from rag.build.provenance import attached, provenance
from rag.build.reading import Left, already_read, analysed, hashed, read_all
from rag.build.texts import Texts
from rag.encoder import Encoder
from rag.errors import IndexDamagedError, InputError, NotFoundError
from rag.files import settle
from rag.types import BuildReport, Chunk, Document, Progress, Skipped


def rebuild(plan: Plan, *, force: bool = False) -> BuildReport:
    """Bring the index up to the sources and publish it; nothing is done when nothing changed.

    Raises BusyError when another process writes, IndexWriteError when nothing can be written, IndexDamagedError and
    IndexRejectedError when the new generation may not go live, NotFoundError when the collection's folder is missing,
    InputError when not one source of it can be read, CancelledError when stopped: what is live then stays as it was.
    """
    with writing(plan.corpus, plan.index):
        return bring_up_to_date(plan, force=force)


def bring_up_to_date(plan: Plan, *, force: bool, fresh: Mapping[Path, Document] | None = None) -> BuildReport:
    """The rebuild itself, for a caller that holds the write lock; `fresh` as `read_all` takes it."""
    started = time.monotonic()
    if not plan.corpus.is_dir():
        raise NotFoundError(
            f"collection {plan.corpus.name!r} has no folder {plan.corpus}; make it and put sources into it"
        )
    seen = survey(plan.corpus, follow_links=plan.follow_links)
    hashes, unread = hashed(plan, seen.files)
    about = _inputs(plan, hashes, seen.refused, unread.values())
    live = _live(plan)
    same = live is not None and not force and live.manifest.get("inputs_sha256") == about["inputs_sha256"]
    before = Left.of(live.manifest) if live is not None else Left()
    if live is not None and same and not before.again:
        return _as_it_was(plan, live, started)

    kept = already_read(_reusable(plan, live, about), about)
    if len(kept) < len(seen.files):  # something will be cut: the table for it loads while the first source is read
        threading.Thread(target=chunks.count_tokens, args=("",)).start()
    with Drafts(plan.index) as drafts:
        left = read_all(plan, seen, hashes, unread, live, kept, fresh or {}, drafts)
        if not drafts and (seen.files or left.skipped):
            reasons = "; ".join(f"{s.source}: {s.reason}" for s in left.skipped[:5])
            raise InputError(f"not one source of {plan.corpus.name!r} can be read ({reasons})")
        if live is not None and same and drafts.as_live and left.same_as(before):
            return _as_it_was(plan, live, started)  # tried again, with no better luck
        about = _inputs(plan, hashes, seen.refused, unread.values())  # of what was read: a file may have changed
        about |= {"skipped": list(map(asdict, left.skipped)), "stale": list(map(asdict, left.stale))}
        _settle(plan, live, hashes)
        return _publish(plan, about, live, attached(plan, drafts), len(drafts), started)


def index(plan: Plan, given: Sequence[Document]) -> BuildReport:
    """Build and publish a generation of documents that are read already, as evaluation sets have them.

    All that follows reading is done as in a rebuild; the collection's folder of sources is not looked at. The language
    of a document that names none is told here.
    """
    with writing(plan.corpus, plan.index):
        started = time.monotonic()
        about = _inputs(
            plan, {d.id: hashlib.sha256(d.text.encode("utf-8", "surrogatepass")).hexdigest() for d in given}
        )
        live = _live(plan)
        if live is not None and live.manifest.get("inputs_sha256") == about["inputs_sha256"]:
            return _as_it_was(plan, live, started)
        known = _reusable(plan, live, about)
        taken = {d.id for d in given if known is not None and _known(known, d, about["sources"][d.id])}
        with Drafts(plan.index) as drafts, closing(analysed(plan, [d for d in given if d.id not in taken])) as found:
            for document in given:
                stop_if_cancelled(plan)
                if known is not None and document.id in taken:
                    drafts.take_over(known, document.id, document.source)
                else:
                    drafts.add(next(found))
            return _publish(plan, about | {"skipped": [], "stale": []}, live, drafts, len(drafts), started)


def _known(live: store.Generation, document: Document, sha256: str) -> bool:
    """Whether the live generation has this document, of this text, as it is given."""
    if live.manifest["sources"].get(document.id) != sha256:
        return False
    before = _before(live, document)
    return before is not None and replace(document, language=document.language or before.language) == before


def _as_it_was(plan: Plan, live: store.Generation, started: float) -> BuildReport:
    # A build killed between its publishing and its pruning has left a generation too many.
    store.prune(plan.index, plan.keep_generations)
    return _report(plan, live.state.generation, live.manifest, 0, live.manifest["vectors"], started, unchanged=True)


def _publish(  # noqa: PLR0917  (two callers)
    plan: Plan,
    about: dict[str, Any],
    live: store.Generation | None,
    read: Iterable[Read],
    count: int,
    started: float,
) -> BuildReport:
    """From what was read to the published generation: chunk, write aside, embed, check, one rename."""
    encoder = plan.load_encoder()
    about |= {
        "encoder": {"name": encoder.name, "fingerprint": encoder.fingerprint, "dimension": encoder.dimension},
        "sparse": {"fingerprint": plan.sparse_fingerprint} if plan.sparse_fingerprint else None,
    }
    with (
        store.Writer(plan.index) as writer,
        Texts(plan.index, encoder.fingerprint) as texts,
    ):
        about["provenance"] = _written(plan, encoder, read, count, live, about, writer, texts)

        def indexed(done: int) -> None:
            stop_if_cancelled(plan)
            plan.progress(Progress("indexing", done, writer.chunks))

        with embed(plan, encoder, texts, live) as (embedded, new, reused):
            about["vectors"] = new + reused
            written = writer.finish(about, embedded, memory=plan.vector_memory, progress=indexed)
            plan.progress(Progress("indexing", writer.chunks, writer.chunks))
            plan.accepted(check(plan, written, writer.chunks, embedded.chunk_vectors))
            stop_if_cancelled(plan)
            generation = store.publish(plan.index, written)
    plan.progress(Progress("publishing", 1, 1))
    store.prune(plan.index, plan.keep_generations)
    manifest = json.loads((plan.index / generation / store.MANIFEST).read_bytes())
    return _report(plan, generation, manifest, new, reused, started, unchanged=False)


def _written(  # noqa: PLR0917  (one caller)
    plan: Plan,
    encoder: Encoder,
    read: Iterable[Read],
    count: int,
    live: store.Generation | None,
    about: Mapping[str, Any],
    writer: store.Writer,
    texts: Texts,
) -> list[dict[str, Any]]:
    """Cut and write one document after the other, and keep what is to be embedded; what the manifest says of each."""
    said = []
    reusable = _reusable(plan, live, about)
    for done, r in enumerate(read):
        stop_if_cancelled(plan)
        plan.progress(Progress("chunking", done, count))
        found = cut(plan, encoder, r, _unchanged(reusable if r.sentences is not None else live, r))
        check_offsets(r.document, found)
        writer.add(r.document, found, references=r.references, mentions=r.mentions, problems=r.problems)
        for chunk in found:
            texts.add(chunks.embedded_text(r.document, chunk), [s.of(r.document.text) for s in chunk.sentences])
        said.append(provenance(r.document))
    texts.done()
    plan.progress(Progress("chunking", count, count))
    return said


def _reusable(plan: Plan, live: store.Generation | None, about: Mapping[str, Any]) -> store.Generation | None:
    """The live generation, if its documents may be taken over: those of another code, budget or encoder may not."""
    if live is None or any(live.manifest.get(name) != about[name] for name in ("code", "settings")):
        return None
    return live if live.manifest["encoder"]["fingerprint"] == plan.encoder_fingerprint else None


def _unchanged(live: store.Generation | None, read: Read) -> list[Chunk] | None:
    """The live generation's chunks of a document that is taken over, or is what it was in all that shapes them."""
    own = read.document.id
    if live is None:
        return None
    before = live.references(own)
    if read.sentences is not None and (
        _shape(_before(live, read.document)) != _shape(read.document)
        or [(x.start, x.end) for x in before] != [(x.start, x.end) for x in read.references]
    ):
        return None
    names = {old.id: new.id for old, new in zip(before, read.references, strict=True)}
    return [replace(c, reference_id=names.get(c.reference_id or "")) for c in live.chunks(own)]


def _shape(document: Document | None) -> Document | None:
    """Of a document what its chunks are made of."""
    return None if document is None else replace(document, problems=(), attachments=(), added="")


def _before(live: store.Generation, document: Document) -> Document | None:
    """The live generation's document of this id, if it has one."""
    try:
        return live.document(document.id)
    except NotFoundError:
        return None


def _live(plan: Plan) -> store.Generation | None:
    """The live generation, or None when there is none to build on: a damaged one is rebuilt from the sources."""
    if store.current(plan.index) is None:
        return None
    try:
        return store.Generation.open(plan.index, every_byte=True)
    except IndexDamagedError:
        return None


def _settle(plan: Plan, live: store.Generation | None, hashes: Mapping[str, str]) -> None:
    """Wait until every new source is on disk, whoever put it there: it must outlast what the index says of it."""
    before = live.manifest["sources"] if live is not None else {}
    new = [plan.corpus / name for name, found in hashes.items() if before.get(name) != found]
    try:
        for path in chain(new, {path.parent for path in new}):
            settle(path)
    except OSError as error:
        raise unwritable(plan.corpus, error) from error


def _inputs(
    plan: Plan, files: Mapping[str, str], refused: Iterable[Skipped] = (), unread: Iterable[str] = ()
) -> dict[str, Any]:
    """What a generation is made of; `files` are sources by name with their hashes, the others could not be had."""
    settings = {"chunk_tokens": plan.chunk_tokens, "tokenizer": chunks.ENCODING}
    models = {"encoder": plan.encoder_fingerprint, "sparse": plan.sparse_fingerprint}
    without = [*(f"{s.source}: {s.reason}" for s in refused), *unread]
    inputs = {"sources": files, "without": without, "settings": settings, **models, "code": _code()}
    digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
    return {
        "inputs_sha256": digest,
        "sources": dict(files),
        "settings": settings,
        "code": _code(),
        "adfontes": _version(),
    }


@lru_cache(maxsize=1)
def _code() -> str:
    """SHA-256 of the rooms that shape a generation: a rule mended is a reason to rebuild."""
    digest = hashlib.sha256()
    here = Path(__file__).parent.parent
    for room in (
        "documents",
        "bibliography",
        "citations",
        "analysis.py",
        "attachments.py",
        "sentences.py",
        "chunks.py",
        "lexical.py",
        "store",
        "build",
    ):
        path = here / room
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.relative_to(here).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _version() -> str:
    try:
        return version("adfontes")
    except PackageNotFoundError:
        return "unknown"


def _report(  # noqa: PLR0917  (one caller's worth of facts)
    plan: Plan,
    generation: str,
    manifest: Mapping[str, Any],
    embedded: int,
    reused: int,
    started: float,
    *,
    unchanged: bool,
) -> BuildReport:
    counts, left = manifest["counts"], Left.of(manifest)
    return BuildReport(
        collection=plan.corpus.name,
        generation=generation,
        unchanged=unchanged,
        documents=counts["documents"],
        references=counts["references"],
        mentions=counts["mentions"],
        problems=counts["problems"],
        chunks=counts["chunks"],
        embedded=embedded,
        reused=reused,
        skipped=tuple(left.skipped),
        stale=tuple(left.stale),
        seconds=round(time.monotonic() - started, 3),
    )
