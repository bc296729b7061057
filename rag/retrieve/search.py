"""Question → passages: dense and lexical candidates, scored exactly on both sides, fused by a weighted sum.

Each side looks at more than the passage as a whole. By meaning: the cosine of the passage and of its best sentence, for
a passage that answers in one sentence and goes on about something else is lost in its average; half of each is the best
of its document, whose other passages speak for it (but not for one part of a question, which tells no document). By
words: BM25 of the passage, of its best sentence, where the words stand together, and of its whole document, which may
name its subject elsewhere. Learned sparse vectors know words that the passage does not say; they are asked of the
candidates only, and only in a language that their model reads. Cosines count by their place between the encoder's own
averages (`Encoder.scale`); lexical scores, which have no scale of their own, by their share of the question's best
match. Sums of scores against sums of ranks: Bruch, Gai and Ingber (2023); how these were chosen, and what did not help,
stands in benchmarks/retrieval. Knows no answer and no file.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from rag.encoder import MULTILINGUAL, Across, Encoder, Reranker, SparseEncoder, across
from rag.errors import InputError, ModelError
from rag.function_words import language_of
from rag.lexical import question_terms
from rag.retrieve.filters import Filters
from rag.retrieve.parts import parts
from rag.store import Generation
from rag.store.words import Words
from rag.types import Passage, Scores

log = logging.getLogger(__name__)

T = TypeVar("T")
Vectors = npt.NDArray[np.float32]
_CANDIDATES = 300
"""Candidates taken from each side before fusion."""
_READ = 20
"""Passages for each part of a question that a re-ranker puts in its own order."""
_WEIGHED = 8
"""Those that one reads whose score is added: of more it orders the first no better."""
_OF_PASSAGE = 0.55
"""The passage's share of the cosine; the rest is its best sentence's."""
_OF_OWN = 0.5
"""The passage's own share of both cosines and the sparse score; the rest is its document's best, of the candidates."""
_OF_WORDS = (0.5, 0.25, 0.25)
"""Shares of the BM25 of document, passage and best sentence."""
_LEARNED = 0.3
"""Share of learned sparse vectors in the lexical side, where question and passages have them."""
_LARGE = 50_000
"""Chunks among which words are looked for while vectors are; among fewer, to hand over takes as long as to look."""
_BESIDE = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="adfontes-beside")
"""Where a question's sparse vector is made while its dense one is (one after the other they take half as long again),
and where words and sentences are looked for while vectors are."""


def search(
    generation: Generation,
    encoder: Encoder,
    query: str,
    *,
    vector: Vectors | Callable[[], Vectors] | None = None,
    embedded: Embedded | None = None,
    limit: int = 10,
    dense_weight: float = 0.5,
    filters: Filters | None = None,
    kinds: Sequence[str] | None = None,
    sparse: SparseEncoder | None = None,
    reranker: Reranker | None = None,
    notices: list[str] | None = None,
) -> list[Passage]:
    """Return at most `limit` passages, best first, only of what the filters leave and of these chunk kinds.

    A question of several parts (`rag.retrieve.parts`) gets the best passages of each part in turn. `vector` is the
    query's, shape (d,), where the caller has it already or makes it itself: then it is asked for it while the sparse
    vector is made. A question in another language than the sources is asked across (`speaking`); a caller who makes its
    vector makes it so. `embedded` is the query as `embed` made it by `encoder`, used unless it is asked across.
    `notices` is told of a question asked across or that cannot be, and of a re-ranker that failed, where the order
    stays as it was. Raises InputError for an empty query and when the index was built with another encoder,
    NotFoundError for a filter that names what does not exist.
    """
    if not query.strip():
        raise InputError("the question is empty; ask something in words")
    built_with = generation.manifest["encoder"]
    if built_with["fingerprint"] != encoder.fingerprint:
        raise InputError(
            f"the index was built with the encoder {built_with['name']!r}, the settings name {encoder.name!r}; "
            "rebuild with `adfontes rebuild` or set the encoder back"
        )
    if generation.size == 0:
        return []
    rows = (filters or Filters()).rows(generation, kinds)
    if rows is not None and len(rows) == 0:
        return []

    if sparse and generation.weighed_by != sparse.fingerprint:
        sparse = None
    # A part may be in another language than the whole: of "比较 Ernie Bot 和 ChatGPT" the names are anybody's.
    ways = [_way(generation, encoder, sparse, text, dense_weight) for text in (query, *parts(query))]
    if notices is not None and ways[0].foreign:
        notices.append(_of_languages(ways[0].foreign, generation.languages, ways[0].encoder))
    known = [embedded] if embedded is not None and ways[0].encoder is encoder else []
    new = ways[len(known) :]
    learning = [_BESIDE.submit(way.sparse.encode_question, way.text) if way.sparse else None for way in new]
    vectors = [one.vector for one in known]
    for way in new:
        if way is ways[0] and vector is not None:
            vectors.append(vector() if callable(vector) else vector)
        else:
            vectors.append(way.encoder.encode_question(way.text))
    learned = [one.weights if ways[0].sparse else None for one in known]
    learned += [future.result() if future else None for future in learning]
    read = max(limit, _read(reranker)) if reranker is not None else limit
    lists = [
        _ranked(generation, way, of_text, terms, rows, read, _OF_OWN if way is ways[0] else 1.0)
        for way, of_text, terms in zip(ways, vectors, learned, strict=True)
    ]
    if reranker is not None:
        try:
            lists = [_reread(generation, reranker, way.text, own) for way, own in zip(ways, lists, strict=True)]
        except ModelError as error:
            log.warning("%s; the order stays as it was", error)
            if notices is not None:
                notices.append(f"{error}; the passages stand as they were found")
    chosen = _interleaved(lists)[:limit]
    return generation.passages([row for row, _ in chosen], [scores for _, scores in chosen])


@dataclass(frozen=True, slots=True)
class Embedded:
    """A question as the encoders read it."""

    vector: Vectors
    """Shape (d,)."""
    weights: Vectors | None
    """Of every term of the sparse model's vocabulary; None where it is not used or cannot read the question."""


def embed(encoder: Encoder, sparse: SparseEncoder | None, questions: Sequence[str]) -> list[Embedded]:
    """Questions embedded in one run of each model, one beside the other."""
    learning = _BESIDE.submit(sparse.encode_questions, questions) if sparse else None
    vectors = encoder.encode_questions(questions)
    weights = learning.result() if learning else [None] * len(questions)
    return [Embedded(*both) for both in zip(vectors, weights, strict=True)]


def speaking(generation: Generation, encoder: Encoder, query: str) -> Encoder:
    """`encoder`, or what asks it across languages where a question is in none of the sources' and that can be had."""
    return _speaking(generation, encoder, language_of(query))


def _speaking(generation: Generation, encoder: Encoder, spoken: str | None) -> Encoder:
    if spoken is None or not _foreign(spoken, generation.languages):
        return encoder
    return across(encoder, spoken, {x.split("-")[0] for x in generation.languages})


@dataclass(frozen=True, slots=True)
class _Way:
    """How one text is asked."""

    text: str
    encoder: Encoder
    sparse: SparseEncoder | None
    dense_weight: float
    foreign: str | None
    """Its language, where that is none of the sources'."""


def _way(
    generation: Generation, encoder: Encoder, sparse: SparseEncoder | None, text: str, dense_weight: float
) -> _Way:
    spoken = language_of(text)
    foreign = spoken if _foreign(spoken, generation.languages) else None
    own = encoder.own if isinstance(encoder, Across) else encoder
    asking = _speaking(generation, own, spoken)
    if isinstance(asking, Across):
        # Words that the sources cannot say tell nothing, yet the best of them would count in full.
        dense_weight = 1.0
    return _Way(text, asking, sparse if spoken in {None, "en"} else None, dense_weight, foreign)


def _of_languages(spoken: str, languages: Sequence[str], encoder: Encoder) -> str:
    theirs = ", ".join(sorted(set(languages)))
    told = f"the question is in another language ({spoken}) than the sources ({theirs}), and "
    if isinstance(encoder, Across):
        return f"{told}was compared with them by meaning alone, which is less sure: ask in theirs to have them read"
    return (
        f"{told}the encoder {encoder.name!r} is not known to read across: ask in theirs, or set a multilingual encoder "
        f"such as {MULTILINGUAL!r} and rebuild"
    )


def _foreign(spoken: str | None, languages: Sequence[str]) -> bool:
    """Whether a question is surely in none of the sources' languages."""
    return spoken is not None and all(languages) and spoken not in {x.split("-")[0] for x in languages}


def _reread(
    generation: Generation, reranker: Reranker, query: str, ranked: Sequence[tuple[int, Scores]]
) -> list[tuple[int, Scores]]:
    """The first passages ordered with the re-ranker's help, the others behind them as they were."""
    most = _read(reranker)
    first = ranked[:most]
    passages = generation.passages([row for row, _ in first])
    relevance = reranker.relevance(query, [p.text for p in passages])
    weight = reranker.weight
    total = (
        relevance
        if weight is None
        else [(s.fused or 0.0) + weight * r for (_, s), r in zip(first, relevance, strict=True)]
    )
    order = sorted(range(len(first)), key=lambda i: (-total[i], i))
    return [
        *((first[i][0], replace(first[i][1], rerank=round(relevance[i], 6))) for i in order),
        *ranked[most:],
    ]


def _read(reranker: Reranker) -> int:
    return _READ if reranker.weight is None else _WEIGHED


def _interleaved(lists: Sequence[Sequence[tuple[int, Scores]]]) -> list[tuple[int, Scores]]:
    """The best of each part, then the second best of each, and so on; the whole question's own come last in a round."""
    if len(lists) == 1:
        return list(lists[0])
    found: dict[int, Scores] = {}
    for place in range(max(map(len, lists))):
        for own in (*lists[1:], lists[0]):
            if place < len(own):
                found.setdefault(*own[place])
    return list(found.items())


def _ranked(  # noqa: PLR0917  (one caller)
    generation: Generation,
    way: _Way,
    vector: Vectors,
    weights: Vectors | None,
    rows: npt.NDArray[np.int64] | None,
    limit: int,
    of_own: float,
) -> list[tuple[int, Scores]]:
    """The best rows for one text with their scores, best first."""
    terms = question_terms(way.text, generation.languages)
    width = min(max(_CANDIDATES, limit), generation.size)
    every = generation.size if rows is None else len(rows)

    def find_by_words() -> tuple[Words, list[int]]:
        words = generation.words(terms, _OF_WORDS, rows)
        return words, words.best(width).tolist() if every > width else []

    beside = _BESIDE.submit if generation.size > _LARGE else _at_once
    found = beside(find_by_words)
    if every > width:
        near = {row for row, _ in generation.dense(vector, width, rows)}
    else:  # as many as are wanted: nobody need be looked for
        near = set(range(every) if rows is None else rows.tolist())
    by_words, best = found.result()
    union = sorted(near.union(best))
    of_sentences = beside(generation.sentence_of, vector, union)
    words, bm25 = by_words.of(union)
    dense = generation.dense_of(vector, union)
    _, of_document = np.unique(generation.documents_of(union), return_inverse=True)
    sentence = of_sentences.result()
    learned = _learned(generation, way.sparse, weights, union)

    def backed(own: Vectors) -> Vectors:
        """The passages' own scores with the best of their documents."""
        best = np.full(len(own), -np.inf, dtype=np.float32)
        np.maximum.at(best, of_document, own)
        return of_own * own + (1 - of_own) * best[of_document]

    if learned is not None:
        words = (1 - _LEARNED) * words + _LEARNED * backed(learned)
    low, high = way.encoder.scale
    meaning = (_OF_PASSAGE * backed(dense) + (1 - _OF_PASSAGE) * backed(sentence) - low) / max(high - low, 1e-6)
    fused = way.dense_weight * meaning + (1 - way.dense_weight) * words
    order = sorted(range(len(union)), key=lambda i: (-fused[i], union[i]))[:limit]
    return [
        (
            union[i],
            Scores(
                dense=round(float(dense[i]), 6),
                sentence=round(float(sentence[i]), 6),
                lexical=round(float(bm25[i]), 6),
                sparse=None if learned is None else round(float(learned[i]), 6),
                fused=round(float(fused[i]), 6),
            ),
        )
        for i in order
    ]


def _at_once(work: Callable[..., T], *given: object) -> Future[T]:
    """What an executor's `submit` gives, without a thread."""
    done: Future[T] = Future()
    done.set_result(work(*given))
    return done


def _learned(
    generation: Generation, sparse: SparseEncoder | None, asked: Vectors | None, rows: Sequence[int]
) -> Vectors | None:
    """The sparse score of these chunks, as shares of the best; None where question or index has no such vectors."""
    if sparse is None or asked is None or not rows:
        return None
    found = sparse.scores(asked, generation.sparse_of(rows))
    best = float(found.max())
    return found / np.float32(best) if best > 0 else None
