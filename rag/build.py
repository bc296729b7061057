"""Corpus → generation: read, link, chunk, embed what is new, check, publish.

A rebuild happens aside: readers keep the old generation until one rename makes the new one live. Vectors are reused
by the hash of what was embedded, so a rebuild costs what changed. Knows no question and no HTTP.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import numpy as np

from rag import bibliography, chunks, citations, documents, store
from rag.encoder import Encoder
from rag.errors import CancelledError, DocumentError, IndexDamagedError, InputError, NotFoundError
from rag.types import BuildReport, Chunk, Document, Mention, Problem, Progress, Reference, Skipped

_PROBES = 16
_BIBLIOGRAPHY_KINDS: dict[str, Literal["bibtex", "ris", "csl"]] = {".bib": "bibtex", ".ris": "ris", ".json": "csl"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build needs to know, besides the sources."""

    corpus: Path
    """The collection's folder of sources."""
    index: Path
    """The collection's folder of generations."""
    load_encoder: Callable[[], Encoder]
    """Called only when something must be embedded or compared."""
    encoder_fingerprint: str
    chunk_tokens: int = 200
    keep_generations: int = 3
    progress: Callable[[Progress], None] = lambda _: None
    cancelled: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class _Read:
    document: Document
    references: tuple[Reference, ...]
    mentions: tuple[Mention, ...]
    problems: tuple[Problem, ...]


def rebuild(plan: Plan, *, force: bool = False) -> BuildReport:
    """Bring the index up to the sources and publish it; nothing is done when nothing changed.

    Raises BusyError when another process writes, NotFoundError when the collection's folder is missing, InputError
    when not one source of it can be read, CancelledError when stopped: the live generation then stays as it was.
    """
    with store.writing(plan.index):
        return _rebuild(plan, force=force)


def add(
    plan: Plan, files: Sequence[tuple[str, bytes]], *, overwrite: bool = False
) -> tuple[BuildReport | None, list[Skipped]]:
    """Put files, as (name, content), into the collection and rebuild once. Only the last part of a name is used.

    Returns the report, None when no file could be taken, and the files refused with their reasons: unreadable ones, and
    those whose name is taken by other content while `overwrite` is not set. No file suffers from another. When the
    rebuild itself fails, the collection is put back as it was.
    """
    with store.writing(plan.index):
        before: dict[Path, bytes | None] = {}
        skipped: list[Skipped] = []
        try:
            for done, (name, data) in enumerate(files):
                _stop_if_cancelled(plan)
                plan.progress(Progress("reading", done, len(files)))
                try:
                    target = _accepted(plan, name, data, overwrite=overwrite)
                except InputError as error:
                    skipped.append(Skipped(name, str(error)))
                    continue
                old = target.read_bytes() if target.exists() else None
                target.parent.mkdir(parents=True, exist_ok=True)
                before.setdefault(target, old)
                _write_whole(target, data)
            return (_rebuild(plan, force=False) if before else None), skipped
        except BaseException:
            # Sources that break or interrupt the build must not break every later one.
            for path, content in before.items():
                if content is None:
                    path.unlink(missing_ok=True)
                else:
                    _write_whole(path, content)
            raise


def _accepted(plan: Plan, name: str, data: bytes, *, overwrite: bool) -> Path:
    """Where the file is to go. Raises InputError when it cannot be read or would overwrite another unasked."""
    target = plan.corpus / safe_name(name)
    if target.exists() and not overwrite and target.read_bytes() != data:
        raise InputError(
            f"{target.name!r} is in the collection already with other content; replace it on purpose "
            "(--replace) or choose another name"
        )
    if documents.is_document(target):
        documents.read_isolated(target, data=data)
    elif documents.is_bibliography(target):
        entries, problems = bibliography.read_structured(data, _BIBLIOGRAPHY_KINDS[target.suffix.lower()])
        if not entries:
            raise DocumentError(f"{target.name}: {problems[0].message if problems else 'it holds no entries'}")
    else:
        raise DocumentError(f"{target.name}: no kind of source that can be read; the README lists those that can")
    return target


def remove(plan: Plan, document_id: str) -> BuildReport:
    """Take a document's file (and sidecar) out of the collection and rebuild. Raises NotFoundError."""
    with store.writing(plan.index):
        found = {i: path for path, i in _identified(plan.corpus)}
        if document_id not in found:
            raise NotFoundError(
                f"document {document_id!r} is not in the collection; it holds {', '.join(sorted(found)) or 'none'}"
            )
        path = found[document_id]
        path.unlink()
        path.with_suffix(".toml").unlink(missing_ok=True)
        return _rebuild(plan, force=False)


def safe_name(name: str) -> str:
    """A file name from an untrusted one: its last part, without control characters, never hidden, never a path."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    cleaned = "".join(c for c in last if c.isprintable() and c not in '<>:"|?*\x00').strip().lstrip(".")
    if not cleaned or len(cleaned.encode()) > 200:
        raise InputError(f"{name[:80]!r} cannot be a file's name; give one of 1 to 200 bytes such as 'report.pdf'")
    return cleaned


def _rebuild(plan: Plan, *, force: bool) -> BuildReport:
    started = time.monotonic()
    if not plan.corpus.is_dir():
        raise NotFoundError(
            f"collection {plan.corpus.name!r} has no folder {plan.corpus}; make it and put sources into it"
        )
    sources = _sources(plan.corpus)
    about = _about(plan, sources)
    live = _live(plan)
    if live is not None and not force and live.manifest.get("inputs_sha256") == about["inputs_sha256"]:
        return _report(plan, live.state.generation, live.manifest, 0, live.manifest["vectors"], started, unchanged=True)

    read, skipped = _read_all(plan, sources, _already_read(live, about))
    if not read and sources:
        reasons = "; ".join(f"{s.source}: {s.reason}" for s in skipped[:5])
        raise InputError(f"not one source of {plan.corpus.name!r} can be read ({reasons})")
    read = _with_unique_references(read)
    encoder = plan.load_encoder()
    by_document = [
        chunks.split(
            r.document,
            r.references,
            budget=plan.chunk_tokens,
            encoder_tokens=encoder.count_tokens,
            encoder_limit=encoder.max_tokens,
        )
        for r in read
    ]
    contents, embedded, reused = _embed(plan, encoder, read, by_document, live)
    plan.progress(Progress("indexing", 0, 1))
    about |= {
        "encoder": {"name": encoder.name, "fingerprint": encoder.fingerprint, "dimension": encoder.dimension},
        "skipped": [{"source": s.source, "reason": s.reason} for s in skipped],
        "vectors": embedded + reused,
    }
    generation = store.write(plan.index, contents, about)
    plan.progress(Progress("indexing", 1, 1))
    try:
        _check(plan, generation, contents)
        _stop_if_cancelled(plan)
    except BaseException:
        shutil.rmtree(plan.index / generation, ignore_errors=True)
        raise
    store.publish(plan.index, generation)
    plan.progress(Progress("publishing", 1, 1))
    store.prune(plan.index, plan.keep_generations)
    manifest = json.loads((plan.index / generation / store.MANIFEST).read_bytes())
    return _report(plan, generation, manifest, embedded, reused, started, unchanged=False)


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _sources(corpus: Path) -> list[Path]:
    return sorted(
        path
        for path in corpus.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(corpus).parts)
        and documents.is_source(path)
    )


def _identified(corpus: Path) -> list[tuple[Path, str]]:
    """Every document file with its id: the slug of its name, with its suffix or a number only where two would clash."""
    taken: set[str] = set()
    found = []
    for path in _sources(corpus):
        if not documents.is_document(path):
            continue
        base = documents.slug(path.relative_to(corpus).with_suffix("").as_posix())
        candidates = [base, f"{base}-{path.suffix.lstrip('.').lower()}", *(f"{base}-{n}" for n in range(2, 10_000))]
        document_id = next(c for c in candidates if c not in taken)
        taken.add(document_id)
        found.append((path, document_id))
    return found


def _already_read(live: store.Generation | None, about: Mapping[str, Any]) -> dict[str, _Read]:
    """What the live generation holds of sources that have not changed, by file name, if the same code read them.

    A list file (.bib, .ris, .json) may serve any document, so when one changed nothing is taken over.
    """
    if live is None or live.manifest.get("code") != about["code"]:
        return {}
    old, new = live.manifest.get("sources", {}), about["sources"]
    changed = {name for name in {*old, *new} if old.get(name) != new.get(name)}
    if any(documents.is_bibliography(Path(name)) for name in changed):
        return {}
    found = {}
    for brief in live.documents():
        if {brief.source, Path(brief.source).with_suffix(".toml").as_posix()} & changed or brief.source not in new:
            continue
        references = live.references(brief.id)
        plain = {r.id: r.id.removeprefix(f"{brief.id}:") for r in references}
        read = _Read(
            live.document(brief.id), tuple(references), tuple(live.mentions(brief.id)), tuple(live.problems(brief.id))
        )
        found[brief.source] = _renamed(read, plain)
    return found


def _read_all(plan: Plan, sources: Sequence[Path], already: Mapping[str, _Read]) -> tuple[list[_Read], list[Skipped]]:
    skipped: list[Skipped] = []
    lists: dict[Path, tuple[tuple[Reference, ...], tuple[Problem, ...]]] = {}
    for path in sources:
        if not documents.is_document(path):
            kind = _BIBLIOGRAPHY_KINDS[path.suffix.lower()]
            references, problems = bibliography.read_structured(path.read_bytes(), kind)
            if references:
                lists[path] = (references, problems)
            else:
                why = problems[0].message if problems else "it holds no entries"
                skipped.append(Skipped(path.relative_to(plan.corpus).as_posix(), why))
    found: list[_Read] = []
    identified = _identified(plan.corpus)
    for done, (path, document_id) in enumerate(identified):
        _stop_if_cancelled(plan)
        plan.progress(Progress("reading", done, len(identified)))
        kept = already.get(path.relative_to(plan.corpus).as_posix())
        if kept is not None and kept.document.id == document_id:
            found.append(kept)
            continue
        try:
            document = documents.read_isolated(path, known=documents.known_of(path), document_id=document_id)
        except DocumentError as error:
            skipped.append(Skipped(path.relative_to(plan.corpus).as_posix(), str(error)))
            continue
        document = replace(document, source=path.relative_to(plan.corpus).as_posix())
        found.append(_link(document, lists))
    plan.progress(Progress("reading", len(identified), len(identified)))
    return found, skipped


def _link(document: Document, lists: Mapping[Path, tuple[tuple[Reference, ...], tuple[Problem, ...]]]) -> _Read:
    """The document with its own bibliography, else with the list file of its name, else with every list file."""
    references: list[Reference] = []
    problems: list[Problem] = []
    for span in document.bibliography():
        entries, found = bibliography.parse(span.of(document.text), offset=span.start, language=document.language)
        references.extend(entries)
        problems.extend(found)
    if not references:
        own = [v for path, v in lists.items() if path.stem == Path(document.source).stem]
        for entries, found in own or lists.values():
            references.extend(entries)
            problems.extend(found)
    references = [replace(r, document_id=document.id) for r in _distinct_ids(references)]
    mentions, unresolved = citations.link(document, references)
    audited = citations.audit(document, references, mentions)
    seen = dict.fromkeys([*document.problems, *problems, *unresolved, *audited])
    return _Read(document, tuple(references), mentions, tuple(replace(p, document_id=document.id) for p in seen))


def _distinct_ids(references: Sequence[Reference]) -> list[Reference]:
    taken: set[str] = set()
    found = []
    for reference in references:
        name = next(c for c in (reference.id, *(f"{reference.id}-{n}" for n in range(2, 100_000))) if c not in taken)
        taken.add(name)
        found.append(replace(reference, id=name))
    return found


def _with_unique_references(read: Sequence[_Read]) -> list[_Read]:
    """Reference ids that two documents share get their document's name in front; the others stay short."""
    count: dict[str, int] = {}
    for r in read:
        for reference in r.references:
            count[reference.id] = count.get(reference.id, 0) + 1
    return [
        _renamed(r, {x.id: f"{r.document.id}:{x.id}" if count[x.id] > 1 else x.id for x in r.references}) for r in read
    ]


def _renamed(read: _Read, names: Mapping[str, str]) -> _Read:
    """The same with its references under other ids."""

    def renamed(problem: Problem) -> Problem:
        return replace(problem, reference_id=names.get(problem.reference_id or "", problem.reference_id))

    return _Read(
        read.document,
        tuple(replace(x, id=names[x.id], problems=tuple(map(renamed, x.problems))) for x in read.references),
        tuple(
            replace(
                m,
                reference_id=names.get(m.reference_id or "", m.reference_id),
                candidates=tuple(names.get(c, c) for c in m.candidates),
                problems=tuple(map(renamed, m.problems)),
            )
            for m in read.mentions
        ),
        tuple(map(renamed, read.problems)),
    )


# ── embedding ────────────────────────────────────────────────────────────────────────────────────────────────────


def _embed(
    plan: Plan,
    encoder: Encoder,
    read: Sequence[_Read],
    by_document: Sequence[Sequence[Chunk]],
    live: store.Generation | None,
) -> tuple[store.Contents, int, int]:
    """The generation's contents, the number of texts embedded now and of those reused."""
    all_chunks: list[Chunk] = []
    texts: list[str] = []
    sentence_texts: list[list[str]] = []
    for r, own in zip(read, by_document, strict=True):
        for chunk in own:
            cited = dict.fromkeys(
                m.reference_id for m in r.mentions if m.reference_id and m.start < chunk.end and chunk.start < m.end
            )
            all_chunks.append(replace(chunk, reference_ids=tuple(cited)))
            texts.append(chunks.embedded_text(r.document, chunk))
            sentence_texts.append([s.of(r.document.text) for s in chunk.sentences])
    keys = [_key(encoder, t) for t in texts]
    sentence_keys = [[_key(encoder, t) for t in own] for own in sentence_texts]

    known: dict[str, Any] = {}
    if live is not None and live.manifest.get("encoder", {}).get("fingerprint") == encoder.fingerprint:
        for found in live.vectors_by_key():
            known.update(found)
    wanted = dict(zip(keys, texts, strict=True))
    for own_keys, own_texts in zip(sentence_keys, sentence_texts, strict=True):
        wanted.update(zip(own_keys, own_texts, strict=True))
    new = [key for key in wanted if key not in known]

    def report(done: int) -> None:
        _stop_if_cancelled(plan)
        plan.progress(Progress("embedding", done, len(new)))

    if new:
        report(0)
        vectors = encoder.encode([wanted[key] for key in new], report)
        known.update(zip(new, vectors, strict=True))
    flat = [key for own in sentence_keys for key in own]
    empty = np.zeros((0, encoder.dimension), dtype=np.float32)
    contents = store.Contents(
        documents=[r.document for r in read],
        references=[x for r in read for x in r.references],
        mentions={r.document.id: r.mentions for r in read},
        problems=[p for r in read for p in r.problems],
        chunks=all_chunks,
        chunk_keys=keys,
        chunk_vectors=np.stack([known[k] for k in keys]) if keys else empty,
        sentence_keys=sentence_keys,
        sentence_vectors=np.stack([known[k] for k in flat]) if flat else empty,
    )
    return contents, len(new), len(wanted) - len(new)


def _key(encoder: Encoder, text: str) -> str:
    return hashlib.sha256(f"{encoder.fingerprint}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()


# ── checking ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _check(plan: Plan, generation: str, contents: store.Contents) -> None:
    """Open what was written and see that it holds: files, counts, offsets, and that probes find themselves."""
    opened = store.Generation.open(plan.index, generation)
    if opened.size != len(contents.chunks):
        raise IndexDamagedError(f"the new index holds {opened.size} chunks, {len(contents.chunks)} were written")
    texts = {d.id: d.text for d in contents.documents}
    for chunk in contents.chunks:
        if texts[chunk.document_id][chunk.start : chunk.end] != chunk.text:
            raise IndexDamagedError(f"chunk {chunk.id!r} is not the text at its offsets")
    step = max(1, len(contents.chunks) // _PROBES)
    probes = range(0, len(contents.chunks), step)
    for done, row in enumerate(probes):
        vector = contents.chunk_vectors[row]
        own = float(opened.dense_of(vector, [row])[0])
        best = opened.dense(vector, 1)
        if not best or best[0][1] > own + 1e-4:
            raise IndexDamagedError(f"chunk {contents.chunks[row].id!r} is not found by its own vector")
        plan.progress(Progress("checking", done + 1, len(probes)))


def _live(plan: Plan) -> store.Generation | None:
    """The live generation, or None when there is none to build on: a damaged one is rebuilt from the sources."""
    if store.current(plan.index) is None:
        return None
    try:
        return store.Generation.open(plan.index)
    except IndexDamagedError:
        return None


def _about(plan: Plan, sources: Sequence[Path]) -> dict[str, Any]:
    files: dict[str, str] = {}
    for path in sources:
        for part in (path, path.with_suffix(".toml")):
            if part.is_file():
                files[part.relative_to(plan.corpus).as_posix()] = hashlib.sha256(part.read_bytes()).hexdigest()
    settings = {"chunk_tokens": plan.chunk_tokens, "tokenizer": chunks.ENCODING}
    inputs = {"sources": files, "settings": settings, "encoder": plan.encoder_fingerprint, "code": _code()}
    digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
    return {"inputs_sha256": digest, "sources": files, "settings": settings, "code": _code(), "adfontes": _version()}


@lru_cache(maxsize=1)
def _code() -> str:
    """SHA-256 of the rooms that shape a generation: a rule mended is a reason to rebuild."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for room in (
        "documents",
        "bibliography",
        "citations",
        "sentences.py",
        "chunks.py",
        "lexical.py",
        "store.py",
        "build.py",
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
    counts = manifest["counts"]
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
        skipped=tuple(Skipped(**s) for s in manifest.get("skipped", [])),
        seconds=round(time.monotonic() - started, 3),
    )


def _stop_if_cancelled(plan: Plan) -> None:
    if plan.cancelled():
        raise CancelledError("the rebuild was stopped; the index is as it was before")


def _write_whole(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(data)
    temporary.replace(path)
