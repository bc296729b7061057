"""The best chunks by words: a weighted sum of BM25 of the chunk, of its best sentence and of its document.

Each counts as a share of the question's best match. Exact, yet common terms are only looked up: MaxScore (Turtle and
Flood 1995; Broder et al. 2003), on three levels at once. Terms are taken from the rarest on. As soon as those that are
left cannot lift a chunk over the best `k` found, only chunks that hold one of the terms taken, or whose document does,
can be among them; these few are then scored whole, by binary search in the remaining postings. The same numbers come
out, to the last bit, as from adding up every posting (tests/test_words.py). Knows no text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rag.store.layout import best_of, ranges
from rag.store.postings import Floats, Postings, summed
from rag.store.rows import Rows

_SLACK = 1e-4
"""What is added to bounds, because sums in another order differ in their last bits."""
_TRIED, _GLIMPSED = 512, 64
"""Promising rows scored whole, so that there is something to be better than: for all levels together, and for one."""
_MANY = 5_000
"""Rows that are scored whole without another term being taken."""
_SHORT = 1_000_000
"""Postings that are simply added up: to leave some of them out would take longer."""
_FREQUENT = 16
"""A term in every so many texts: from there on all postings are added up, for little could still be left out. At least
`COMMON`, so that all other terms have postings."""
_SAMPLE = 16_384
"""Bounds looked at to tell which ones are high."""
_TINY = np.float32(1e-30)


@dataclass(frozen=True, slots=True)
class Levels:
    """The postings of a generation, and how its rows belong together."""

    documents: Postings
    chunks: Postings
    sentences: Postings
    document_of: npt.NDArray[np.int32]
    """The document of each chunk, shape (chunks,), ascending: the chunks of a document stand together."""
    first_sentence: npt.NDArray[np.int64]
    """Where each chunk's sentences begin, and the end of the last, shape (chunks + 1,). A chunk and its document hold
    every term of its sentences."""


class Words:
    """A question's terms against one generation, among some rows or all."""

    def __init__(
        self, levels: Levels, terms: Sequence[int], shares: tuple[float, float, float], rows: Rows | None = None
    ) -> None:
        """`shares` are the weights of document, chunk and sentence; `rows`, ascending, confine the search."""
        self._levels, self._terms = levels, list(terms)
        self._rows = rows
        self._few = rows is not None and len(rows) <= _MANY
        self._kept: npt.NDArray[np.bool_] | None = None
        if rows is not None and not self._few:
            self._kept = np.zeros(levels.chunks.size, dtype=np.bool_)
            self._kept[rows] = True
        # From the rarest on; a term that is asked twice counts twice.
        self._order = sorted(range(len(self._terms)), key=lambda i: (levels.chunks.frequency(self._terms[i]), i))
        self._whole: tuple[Floats, Floats, Floats] | None = None
        """BM25 of every document, chunk and sentence, where all postings have been added up."""
        every = (levels.documents, levels.chunks, levels.sentences)
        if not self._few and sum(level.cost(t) for level in every for t in self._terms) <= _SHORT:
            self._whole = self._added_up()
        self._best = self._best_of_levels()
        self._weights = tuple(
            np.float32(share) / np.float32(best) if best > 0 else np.float32(0)
            for share, best in zip(shares, self._best, strict=True)
        )
        self._shares = shares

    # ── scores of given rows ─────────────────────────────────────────────────────────────────────────────────

    def of(self, rows: Sequence[int] | Rows) -> tuple[Floats, Floats]:
        """The weighted sum and the chunk's own BM25 of these rows, which are ascending; shape (len(rows),) each."""
        wanted = np.asarray(rows, dtype=np.int64)
        if self._whole is not None:
            documents, chunks, sentences = self._whole
            within, places = ranges(self._levels.first_sentence, wanted)
            own = chunks[wanted]
            of_sentences = best_of(sentences[within], places)
            return self._together(documents[self._levels.document_of[wanted]], own, of_sentences), own
        chunks = summed(self._levels.chunks.each(self._terms, wanted))
        return self._together(self._documents(wanted), chunks, self._sentences(wanted)), chunks

    def _together(self, documents: Floats, chunks: Floats, sentences: Floats) -> Floats:
        total = np.zeros(len(chunks), dtype=np.float32)
        for share, best, scores in zip(self._shares, self._best, (documents, chunks, sentences), strict=True):
            if best > 0:
                total += np.float32(share) * (scores / np.float32(best))
        return total

    def _documents(self, rows: Rows) -> Floats:
        documents = self._levels.document_of[rows]  # ascending, as the rows are
        new = np.diff(documents, prepend=-1) > 0
        scores = summed(self._levels.documents.each(self._terms, documents[new].astype(np.int64)))
        found: Floats = scores[np.cumsum(new) - 1]
        return found

    def _sentences(self, rows: Rows) -> Floats:
        """BM25 of each row's best sentence; 0 where it has none."""
        wanted, places = ranges(self._levels.first_sentence, rows)
        return best_of(summed(self._levels.sentences.each(self._terms, wanted)), places)

    def _added_up(self) -> tuple[Floats, Floats, Floats]:
        levels, terms = self._levels, self._terms
        return levels.documents.scores(terms), levels.chunks.scores(terms), levels.sentences.scores(terms)

    # ── the best of each level ───────────────────────────────────────────────────────────────────────────────

    def _best_of_levels(self) -> tuple[float, float, float]:
        if not self._terms:
            return 0.0, 0.0, 0.0
        levels = self._levels
        if self._rows is not None and self._few:
            return (
                float(self._documents(self._rows).max(initial=0)),
                float(summed(levels.chunks.each(self._terms, self._rows)).max(initial=0)),
                float(self._sentences(self._rows).max(initial=0)),
            )
        masks = self._masks()
        if self._whole is not None:
            documents, chunks, sentences = (
                float((scores if mask is None else scores[mask]).max(initial=0))
                for scores, mask in zip(self._whole, masks, strict=True)
            )
            return documents, chunks, sentences
        documents, chunks, sentences = (
            self._highest(level, mask)
            for level, mask in zip((levels.documents, levels.chunks, levels.sentences), masks, strict=True)
        )
        return documents, chunks, sentences

    def _masks(self) -> tuple[npt.NDArray[np.bool_] | None, ...]:
        """Which documents, chunks and sentences the rows that are kept have part in; None is all."""
        if self._kept is None:
            return None, None, None
        levels = self._levels
        documents = np.zeros(levels.documents.size, dtype=np.bool_)
        documents[levels.document_of[self._kept]] = True
        return documents, self._kept, np.repeat(self._kept, np.diff(levels.first_sentence))

    def _highest(self, postings: Postings, kept: npt.NDArray[np.bool_] | None = None) -> float:
        """The highest sum of any text of one level that is kept."""
        terms = [self._terms[i] for i in self._order]
        rest = np.cumsum([0.0, *(postings.most(t) for t in reversed(terms))])[::-1]
        total = np.zeros(postings.size, dtype=np.float32)
        touched: list[Rows] = []
        best = 0.0
        for n, term in enumerate(terms):
            if best > rest[n] + _SLACK:
                break
            if postings.frequency(term) * _FREQUENT > postings.size:
                scores = postings.scores(self._terms)
                return float((scores if kept is None else scores[kept]).max(initial=0))
            postings.add(term, total)
            rows, _ = postings.listed(term)
            if kept is not None:
                rows = rows[kept[rows]]
            if len(rows):
                touched.append(rows)
                top = int(rows[np.argmax(total[rows])])
                best = max(best, float(summed(postings.each(self._terms, np.array([top])))[0]))
        else:
            n = len(terms)
        left = np.float32(rest[n] + _SLACK)
        for rows in touched:
            sums = total[rows] + left
            if len(rows) > _GLIMPSED:
                best = max(best, self._exactly(postings, rows[np.argpartition(-sums, _GLIMPSED)[:_GLIMPSED]]))
            best = max(best, self._exactly(postings, rows[sums >= best]))
        return best

    def _exactly(self, postings: Postings, rows: Rows) -> float:
        """The highest whole sum of these rows."""
        return float(summed(postings.each(self._terms, np.sort(rows))).max(initial=0))

    # ── the best rows ────────────────────────────────────────────────────────────────────────────────────────

    def best(self, k: int) -> Rows:
        """The `k` best rows whose weighted sum is above zero, ties by row, ascending by row."""
        if not self._terms or not any(self._best):
            return np.zeros(0, dtype=np.int64)
        if self._rows is not None and self._few:
            return self._top(self._rows, k)
        candidates = None if self._whole is not None else self._candidates(k)
        if candidates is not None:
            return self._top(candidates, k)
        if self._whole is None:
            self._whole = self._added_up()
        return self._top(self._promising(k), k)

    def _promising(self, k: int) -> Rows:
        """Rows, ascending, among which the `k` best are, where all postings have been added up.

        Documents and chunks are weighed everywhere; to look at every sentence would take as long again.
        """
        assert self._whole is not None  # noqa: S101  (the caller has seen to it)
        levels, (of_document, of_chunk, of_sentence) = self._levels, self._weights
        documents, chunks, _ = self._whole
        bounds, always = np.zeros(len(chunks), dtype=np.float32), np.float32(0)
        for term in self._terms:  # the most that sentences of a chunk that holds these terms can be worth
            most = np.float32(levels.sentences.most(term))
            if levels.chunks.common(term):
                always += most
            else:
                bounds[levels.chunks.listed(term)[0]] += most
        np.minimum(bounds, max(np.float32(self._best[2]) - always, np.float32(0)), out=bounds)
        bounds *= of_sentence
        bounds += of_chunk * chunks
        bounds += (of_document * documents).take(levels.document_of, mode="clip")
        if self._kept is not None:
            bounds[~self._kept] = 0
        best = _some_of_the_highest(bounds, max(_TRIED, 2 * k))
        enough = self._reached(best, bounds[best], k) - of_sentence * min(always, np.float32(self._best[2])) - _SLACK
        found: Rows = np.flatnonzero(bounds >= max(np.float32(enough), _TINY))
        return found

    def _top(self, rows: Rows, k: int) -> Rows:
        scores, _ = self.of(rows)
        if len(rows) > 2 * k:
            good = np.flatnonzero(scores >= np.partition(scores, len(scores) - k)[len(scores) - k])
            rows, scores = rows[good], scores[good]
        order = np.lexsort((rows, -scores))[:k]
        return np.sort(rows[order[scores[order] > 0]])

    def _candidates(self, k: int) -> Rows | None:
        """Rows, ascending, among which the `k` best are; None where they are so many that all may as well be scored."""
        levels, (of_document, of_chunk, of_sentence) = self._levels, self._weights
        terms = [self._terms[i] for i in self._order]
        # Where documents are few, what they give is known of all at once and leaves nothing to be bounded.
        few = sum(map(levels.documents.frequency, terms)) <= levels.chunks.size // 4
        most = [
            float(
                (0 if few else of_document * levels.documents.most(t))
                + of_chunk * levels.chunks.most(t)
                + of_sentence * levels.sentences.most(t)
            )
            for t in terms
        ]
        rest = np.cumsum([0.0, *reversed(most)])[::-1]
        by_document = np.zeros(levels.documents.size, dtype=np.float32)
        by_chunk = np.zeros(levels.chunks.size, dtype=np.float32)
        """Upper bounds from the terms taken."""
        if few:
            by_document = of_document * levels.documents.scores(terms)
        reached, taken = 0.0, 0
        for n, term in enumerate(terms, 1):
            if levels.chunks.frequency(term) * _FREQUENT > levels.chunks.size:
                return None
            if not few:
                levels.documents.add(term, by_document, of_document)
            rows, scores = levels.chunks.listed(term)
            by_chunk[rows] += of_chunk * scores + of_sentence * np.float32(levels.sentences.most(term))
            left, taken, last = float(rest[n]), taken + len(rows), n == len(terms)
            if taken < k or (reached and left + float(by_document.max()) >= reached):
                continue  # nothing can be left out yet
            touched = np.flatnonzero(by_chunk > 0)
            if self._kept is not None:
                touched = touched[self._kept[touched]]
            bounds = by_chunk[touched] + by_document[levels.document_of[touched]]
            reached = max(reached, self._reached(touched, bounds, k))
            enough = np.float32(reached - left - _SLACK)
            if enough <= 0 and not last:
                continue
            chosen = touched[bounds >= enough]
            if len(chosen) > _MANY:
                continue
            others = self._untouched(by_document, by_chunk, enough)
            if len(chosen) + len(others) <= _MANY:
                return self._narrowed(np.sort(np.concatenate((chosen, others))), k, reached)
        return None

    def _reached(self, rows: Rows, bounds: Floats, k: int) -> float:
        """What the `k`-th best of the most promising rows scores; 0 where there are not so many."""
        if len(rows) < k:
            return 0.0
        tried = max(_TRIED, 2 * k)
        if len(rows) > tried:
            rows = np.sort(rows[np.argpartition(-bounds, tried)[:tried]])
        scores, _ = self.of(rows)
        return float(np.partition(scores, len(scores) - k)[len(scores) - k])

    def _untouched(self, by_document: Floats, by_chunk: Floats, enough: np.float32) -> Rows:
        """Rows that hold none of the terms taken, of documents that may lift them high enough all the same."""
        levels = self._levels
        documents = np.flatnonzero(by_document >= max(enough, _TINY))
        # Where the chunks of each document begin: they stand together.
        first = np.searchsorted(levels.document_of, np.arange(levels.documents.size + 1, dtype=np.int32))
        rows, _ = ranges(first, documents)
        new = by_chunk[rows] == 0
        if self._kept is not None:
            new &= self._kept[rows]
        found: Rows = rows[new]
        return found

    def _narrowed(self, rows: Rows, k: int, reached: float) -> Rows:
        """Fewer of these rows: document and chunk are scored whole, the sentences are bounded by their terms."""
        if len(rows) <= _TRIED:
            return rows
        levels, (of_document, of_chunk, of_sentence) = self._levels, self._weights
        each = levels.chunks.each(self._terms, rows)
        most = np.array([levels.sentences.most(t) for t in self._terms], dtype=np.float32)
        sentences = np.minimum((each > 0).T.astype(np.float32) @ most, np.float32(self._best[2]))
        bounds = of_document * self._documents(rows) + of_chunk * summed(each) + of_sentence * sentences
        reached = max(reached, self._reached(rows, bounds, k))
        narrowed: Rows = rows[bounds >= np.float32(reached - _SLACK)]
        return narrowed


def _some_of_the_highest(bounds: Floats, wanted: int) -> Rows:
    """About so many rows of the highest bounds above zero, ascending, told from a sample.

    To take exactly the highest needs a partition of all, which takes twenty times as long where many are equal.
    """
    sample = bounds[:: max(1, len(bounds) // _SAMPLE)]
    rank = min(len(sample), -(-wanted * len(sample) // max(len(bounds), 1)) + 1)
    least = np.partition(sample, len(sample) - rank)[len(sample) - rank] if rank else np.float32(0)
    found: Rows = np.flatnonzero(bounds >= max(least, _TINY))[: 4 * wanted]
    return found
