"""Documents → chunks → what a generation holds: what is unchanged is neither cut nor embedded again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import islice

import numpy as np
import numpy.typing as npt

from rag import chunks, store
from rag.build.cache import VectorCache, Vectors
from rag.build.gathered import Gathered, Scratch, Some
from rag.build.plan import Plan, stop_if_cancelled
from rag.build.reading import Read
from rag.encoder import Encoder, SparseEncoder
from rag.types import Chunk, Progress

_LOOKED_UP_AT_ONCE = 5000
_KEPT_AT_ONCE = 32
"""Texts embedded before their vectors go into the cache: what an interrupted build may do again, for each core."""
_REPORTED_EVERY = 0.2
"""Seconds."""


def cut(plan: Plan, encoder: Encoder, read: Sequence[Read], unchanged: Mapping[str, Sequence[Chunk]]) -> list[Chunk]:
    """The chunks of all documents in order, each with the entries that the citations within it point to.

    `unchanged` holds by document the chunks of those that need not be cut again.
    """
    found: list[Chunk] = []
    for done, r in enumerate(read):
        stop_if_cancelled(plan)
        own = unchanged.get(r.document.id)
        if own is None:
            plan.progress(Progress("chunking", done, len(read)))
            own = chunks.split(
                r.document,
                r.references,
                budget=plan.chunk_tokens,
                encoder_tokens=encoder.count_tokens,
                encoder_limit=encoder.max_tokens,
            )
        for chunk in own:
            cited = dict.fromkeys(
                m.reference_id for m in r.mentions if m.reference_id and m.start < chunk.end and chunk.start < m.end
            )
            found.append(replace(chunk, reference_ids=tuple(cited)))
    plan.progress(Progress("chunking", len(read), len(read)))
    return found


@contextmanager
def embed(
    plan: Plan, encoder: Encoder, read: Sequence[Read], found: Sequence[Chunk], live: store.Generation | None
) -> Iterator[tuple[store.Contents, int, int]]:
    """The generation's contents, the number of texts embedded now and of those reused.

    Vectors are not held in memory: those of the live generation are read where they are, new ones lie in a file that
    is there as long as the context is.
    """
    documents = {r.document.id: r.document for r in read}
    begin = f"{encoder.fingerprint}\0"

    def key(text: str) -> bytes:
        return hashlib.sha256((begin + text).encode("utf-8", "surrogatepass")).digest()

    def text_of(number: int) -> str:
        """The text of a chunk, or of a sentence: they are numbered after the chunks, in their order."""
        if number < len(found):
            return chunks.embedded_text(documents[found[number].document_id], found[number])
        row = int(np.searchsorted(first, number - len(found), side="right")) - 1
        chunk = found[row]
        return chunk.sentences[number - len(found) - int(first[row])].of(documents[chunk.document_id].text)

    first = np.concatenate(([0], np.cumsum([len(c.sentences) for c in found]))).astype(np.int64)
    total = len(found) + int(first[-1])
    keys = np.fromiter((key(text_of(n)) for n in range(len(found))), dtype="S32", count=len(found))
    sentence_keys = np.fromiter(
        (key(s.of(documents[c.document_id].text)) for c in found for s in c.sentences), "S32", total - len(found)
    )
    distinct, shown, places = np.unique(np.concatenate((keys, sentence_keys)), return_index=True, return_inverse=True)
    sparse = plan.load_sparse()
    own = np.unique(places[: len(found)])  # the texts of chunks, as numbered among the distinct ones
    weighed: Some | None = None
    with ExitStack() as scratches:
        with store.written_in(plan.index):
            scratch = scratches.enter_context(Scratch(plan.index, encoder.dimension))
            known = live.known_vectors() if live and _built_by(live, "encoder", encoder) else ()
            vectors, new = _vectors(plan, encoder, distinct, lambda n: text_of(int(shown[n])), known, scratch)
            if sparse is not None:
                scratch = scratches.enter_context(Scratch(plan.index, sparse.dimension))
                known = live.known_sparse() if live and _built_by(live, "sparse", sparse) else ()
                terms, _ = _vectors(plan, sparse, distinct[own], lambda n: text_of(int(shown[own[n]])), known, scratch)
                weighed = Some(terms, np.searchsorted(own, places[: len(found)]))
        yield (
            store.Contents(
                documents=[r.document for r in read],
                references=[x for r in read for x in r.references],
                mentions={r.document.id: r.mentions for r in read},
                problems=[p for r in read for p in r.problems],
                chunks=found,
                chunk_keys=keys,
                chunk_vectors=Some(vectors, places[: len(found)]),
                chunk_sparse=weighed,
                sentence_keys=sentence_keys,
                sentence_vectors=Some(vectors, places[len(found) :]),
            ),
            new,
            len(distinct) - new,
        )


def _built_by(live: store.Generation, role: str, model: Encoder | SparseEncoder) -> bool:
    return bool((live.manifest.get(role) or {}).get("fingerprint") == model.fingerprint)


def _vectors(  # noqa: PLR0917  (one caller)
    plan: Plan,
    encoder: Encoder | SparseEncoder,
    keys: npt.NDArray[np.bytes_],
    text_of: Callable[[int], str],
    known: Sequence[store.KnownVectors],
    scratch: Scratch,
) -> tuple[Gathered, int]:
    """The vectors of these keys: of the live generation, of the cache, and the rest embedded; how many were."""
    vectors = Gathered(encoder.dimension, len(keys))
    for here in known:
        missing = vectors.missing
        rows = here.find(keys[missing])
        vectors.place(missing[rows >= 0], vectors.source(here.of), rows[rows >= 0])
    missing = vectors.missing
    if not len(missing):
        return vectors, 0
    cache = VectorCache(plan.vectors, encoder.fingerprint, encoder.dimension)
    fresh = vectors.source(scratch.of)

    def keep(numbers: Sequence[int], some: Vectors) -> None:
        vectors.place(np.array(numbers, dtype=np.int64), fresh, scratch.add(some))

    def digest(number: int) -> bytes:
        return bytes(keys[number]).ljust(32, b"\0")  # numpy takes zeros off the end

    new: list[int] = []
    for begin in range(0, len(missing), _LOOKED_UP_AT_ONCE):
        some = missing[begin : begin + _LOOKED_UP_AT_ONCE].tolist()
        cached = cache.find([digest(n) for n in some])
        hits = [n for n in some if digest(n) in cached]
        if hits:
            keep(hits, np.stack([cached[digest(n)] for n in hits]))
        new += [n for n in some if digest(n) not in cached]
    # Texts of like length share a batch; sorted here, because the encoder sees one stretch after the other. The longest
    # come first: at the end no core waits long for another, and the time that remains is not told too short.
    lengths = {n: len(text_of(n)) for n in new}
    new.sort(key=lengths.__getitem__, reverse=True)
    for some, embedded in _embedded(plan, encoder, new, text_of):
        cache.keep([digest(n) for n in some], embedded)
        keep(some, embedded)
    cache.shrink()
    return vectors, len(new)


def _embedded(
    plan: Plan, encoder: Encoder | SparseEncoder, numbers: Sequence[int], text_of: Callable[[int], str]
) -> Iterator[tuple[Sequence[int], Vectors]]:
    """The vectors of these texts, a stretch at a time, begun in their order and given as they are done.

    Each core runs a stretch of its own: a model that shares a batch among threads has them wait for each other. Of a
    build that is stopped, whatever was done is given before CancelledError is raised.
    """
    stretches = [numbers[begin : begin + _KEPT_AT_ONCE] for begin in range(0, len(numbers), _KEPT_AT_ONCE)]
    done = [0] * len(stretches)

    def encode(place: int) -> Vectors:
        def report(count: int) -> None:
            stop_if_cancelled(plan)
            done[place] = count

        return encoder.encode([text_of(n) for n in stretches[place]], report)

    waiting = iter(range(len(stretches)))
    at_work: dict[Future[Vectors], int] = {}
    plan.progress(Progress("embedding", 0, len(numbers)))
    pool = ThreadPoolExecutor(plan.workers, thread_name_prefix="embedding")
    try:
        while True:
            # One more than there are cores, so that none is idle while what is done is being kept.
            for place in islice(waiting, plan.workers + 1 - len(at_work)):
                at_work[pool.submit(encode, place)] = place
            if not at_work:
                return
            if plan.cancelled():
                pool.shutdown(cancel_futures=True)
            ready = wait(at_work, timeout=_REPORTED_EVERY, return_when=FIRST_COMPLETED).done
            whole = [future for future in ready if not future.cancelled() and future.exception() is None]
            for future in whole:
                yield stretches[at_work[future]], future.result()
            stop_if_cancelled(plan)
            for future in ready:
                future.result()
                del at_work[future]
            plan.progress(Progress("embedding", sum(done), len(numbers)))
    finally:
        pool.shutdown(cancel_futures=True)
