"""Documents → chunks → vectors: what is unchanged is neither cut nor embedded again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import islice

import numpy as np

from rag import chunks, store
from rag.build.cache import VectorCache, Vectors
from rag.build.drafts import Read
from rag.build.gathered import Gathered, Numbers, Scratch, Some
from rag.build.plan import Plan, stop_if_cancelled
from rag.build.texts import Texts, distinct
from rag.encoder import Encoder, SparseEncoder
from rag.types import Chunk, Progress

_LOOKED_UP_AT_ONCE = 5000
_KEPT_AT_ONCE = 32
"""Texts embedded before their vectors go into the cache: what an interrupted build may do again, for each core."""
_REPORTED_EVERY = 0.2
"""Seconds."""


def cut(plan: Plan, encoder: Encoder, read: Read, unchanged: Sequence[Chunk] | None) -> list[Chunk]:
    """The chunks of a document in order, each with the entries that the citations within it point to.

    `unchanged` holds them where the document need not be cut again. Raises CancelledError.
    """

    def counted(text: str) -> int:
        stop_if_cancelled(plan)  # here, because it comes with every sentence of a document of any length
        return encoder.count_tokens(text)

    own = unchanged
    if own is None:
        own = chunks.split(
            read.document,
            read.references,
            found=read.sentences,
            budget=plan.chunk_tokens,
            encoder_tokens=counted,
            encoder_limit=encoder.max_tokens,
        )
    found = []
    for chunk in own:
        cited = dict.fromkeys(
            m.reference_id for m in read.mentions if m.reference_id and m.start < chunk.end and chunk.start < m.end
        )
        found.append(replace(chunk, reference_ids=tuple(cited)))
    return found


@contextmanager
def embed(
    plan: Plan, encoder: Encoder, texts: Texts, live: store.Generation | None
) -> Iterator[tuple[store.Embedded, int, int]]:
    """The vectors of chunks and of their sentences, the number of texts embedded now and of those reused.

    Vectors are not held in memory: those of the live generation are read where they are, new ones lie in a file that
    is there as long as the context is. A text that occurs twice is embedded once.
    """
    keys, lengths = texts.keys, texts.lengths
    of_chunks, of_sentences = texts.chunks, texts.sentences
    shown, places = distinct(keys)
    sparse = plan.load_sparse()
    own = np.unique(places[of_chunks])  # of the distinct texts those of chunks
    weighed: Some | None = None
    with ExitStack() as scratches:
        with store.written_in(plan.index):
            scratch = scratches.enter_context(Scratch(plan.index, encoder.dimension))
            known = live.known_vectors() if live and _built_by(live, "encoder", encoder) else ()
            vectors, new = _vectors(plan, encoder, _Wanted(texts, keys, lengths, shown), known, scratch)
            if sparse is not None:
                scratch = scratches.enter_context(Scratch(plan.index, sparse.dimension))
                known = live.known_sparse() if live and _built_by(live, "sparse", sparse) else ()
                terms, _ = _vectors(plan, sparse, _Wanted(texts, keys, lengths, shown[own]), known, scratch)
                weighed = Some(terms, np.searchsorted(own, places[of_chunks]))
        yield (
            store.Embedded(
                chunk_keys=keys[of_chunks],
                chunk_vectors=Some(vectors, places[of_chunks]),
                sentence_keys=keys[of_sentences],
                sentence_vectors=Some(vectors, places[of_sentences]),
                chunk_sparse=weighed,
            ),
            new,
            len(shown) - new,
        )


class _Wanted:
    """Texts whose vectors are wanted, by a numbering of their own."""

    def __init__(self, texts: Texts, keys: store.Keys, lengths: Numbers, numbers: Numbers) -> None:
        self._texts, self._keys, self._lengths, self._numbers = texts, keys, lengths, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def keys(self, wanted: Numbers) -> store.Keys:
        """The keys of some."""
        return self._keys[self._numbers[wanted]]

    def digests(self, wanted: Numbers) -> list[bytes]:
        """The same, each whole: numpy takes zeros off the end."""
        return [bytes(key).ljust(32, b"\0") for key in self.keys(wanted)]

    def lengths(self, wanted: Numbers) -> Numbers:
        """Bytes of some."""
        return self._lengths[self._numbers[wanted]]

    def texts(self, wanted: Numbers) -> list[str]:
        """Some of them."""
        return [self._texts[int(number)] for number in self._numbers[wanted]]


def _built_by(live: store.Generation, role: str, model: Encoder | SparseEncoder) -> bool:
    return bool((live.manifest.get(role) or {}).get("fingerprint") == model.fingerprint)


def _vectors(
    plan: Plan,
    encoder: Encoder | SparseEncoder,
    wanted: _Wanted,
    known: Sequence[store.KnownVectors],
    scratch: Scratch,
) -> tuple[Gathered, int]:
    """The vectors wanted: of the live generation, of the cache, and the rest embedded; how many were."""
    vectors = Gathered(encoder.dimension, len(wanted))
    for here in known:
        source = vectors.source(here.of)
        for missing in _some(vectors.missing):
            rows = here.find(wanted.keys(missing))
            vectors.place(missing[rows >= 0], source, rows[rows >= 0])
    if not len(vectors.missing):
        return vectors, 0
    cache = VectorCache(plan.vectors, encoder.fingerprint, encoder.dimension)
    fresh = vectors.source(scratch.of)

    def keep(numbers: Numbers, some: Vectors) -> None:
        vectors.place(numbers, fresh, scratch.add(some))

    for missing in _some(vectors.missing):
        digests = wanted.digests(missing)
        cached = cache.find(digests)
        if cached:
            hit = [n for n, digest in enumerate(digests) if digest in cached]
            keep(missing[hit], np.stack([cached[digests[n]] for n in hit]))
    new = vectors.missing
    # Texts of like length share a batch; sorted here, because the encoder sees one stretch after the other. The longest
    # come first: at the end no core waits long for another, and the time that remains is not told too short.
    new = new[np.argsort(-wanted.lengths(new), kind="stable")]
    for some, embedded in _embedded(plan, encoder, new, wanted):
        cache.keep(wanted.digests(some), embedded)
        keep(some, embedded)
    cache.shrink()
    return vectors, len(new)


def _some(numbers: Numbers) -> Iterator[Numbers]:
    return (numbers[begin : begin + _LOOKED_UP_AT_ONCE] for begin in range(0, len(numbers), _LOOKED_UP_AT_ONCE))


def _embedded(
    plan: Plan, encoder: Encoder | SparseEncoder, numbers: Numbers, wanted: _Wanted
) -> Iterator[tuple[Numbers, Vectors]]:
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

        return encoder.encode(wanted.texts(stretches[place]), report)

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
