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
from functools import cached_property

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


@dataclass(frozen=True)
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

    @cached_property
    def first_chunk(self) -> npt.NDArray[np.int64]:
        """Where each document's chunks begin, and the end of the last, shape (documents + 1,)."""
        counts = np.bincount(self.document_of, minlength=self.documents.size)
        return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)


class _Asked:
    """One level's postings and a question's terms: the sum of all terms in some texts, in all, and the highest."""

    def __init__(self, postings: Postings, terms: Sequence[int], order: Sequence[int]) -> None:
        self.postings, self.terms = postings, terms
        self._order = order
        self._sums: Floats | None = None

    def add_up(self) -> Floats:
        """BM25 of every text, shape (size,)."""
        if self._sums is None:
            self._sums = self.postings.scores(self.terms)
        return self._sums

    def of(self, rows: Rows) -> Floats:
        """BM25 of these texts, ascending rows; read where all have been added up, else looked up."""
        return summed(self.postings.each(self.terms, rows)) if self._sums is None else self._sums[rows]

    def highest(self, kept: npt.NDArray[np.bool_] | None = None) -> float:
        """The highest BM25 of any text that is kept."""
        if self._sums is not None:
            return float((self._sums if kept is None else self._sums[kept]).max(initial=0))
        postings, terms = self.postings, self._order
        rest = np.cumsum([0.0, *(postings.most(t) for t in reversed(terms))])[::-1]
        total = np.zeros(postings.size, dtype=np.float32)
        touched: list[Rows] = []
        best = 0.0
        for n, term in enumerate(terms):
            if best > rest[n] + _SLACK:
                break
            if postings.frequency(term) * _FREQUENT > postings.size:
                self.add_up()
                return self.highest(kept)
            postings.add(term, total)
            rows, _ = postings.listed(term)
            if kept is not None:
                rows = rows[kept[rows]]
            if len(rows):
                touched.append(rows)
                top = int(rows[np.argmax(total[rows])])
                best = max(best, float(self.of(np.array([top]))[0]))
        else:
            n = len(terms)
        left = np.float32(rest[n] + _SLACK)
        for rows in touched:
            sums = total[rows] + left
            if len(rows) > _GLIMPSED:
                best = max(best, self._exactly(rows[np.argpartition(-sums, _GLIMPSED)[:_GLIMPSED]]))
            best = max(best, self._exactly(rows[sums >= best]))
        return best

    def _exactly(self, rows: Rows) -> float:
        return float(self.of(np.sort(rows)).max(initial=0))


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
        self._order = sorted(self._terms, key=levels.chunks.frequency)
        self._three = tuple(
            _Asked(level, self._terms, self._order) for level in (levels.documents, levels.chunks, levels.sentences)
        )
        self._added_up = not self._few and sum(a.postings.cost(t) for a in self._three for t in terms) <= _SHORT
        if self._added_up:
            for asked in self._three:
                asked.add_up()
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
        documents, chunks, sentences = self._scores(wanted)
        total = np.zeros(len(wanted), dtype=np.float32)
        for share, best, scores in zip(self._shares, self._best, (documents, chunks, sentences), strict=True):
            if best > 0:
                total += np.float32(share) * (scores / np.float32(best))
        return total, chunks

    def _scores(self, rows: Rows) -> tuple[Floats, Floats, Floats]:
        """BM25 of each row's document, of itself and of its best sentence, 0 where it has none."""
        _, chunks, sentences = self._three
        within, places = ranges(self._levels.first_sentence, rows)
        return self._documents(rows), chunks.of(rows), best_of(sentences.of(within), places)

    def _documents(self, rows: Rows) -> Floats:
        documents = self._levels.document_of[rows]  # ascending, as the rows are
        new = np.diff(documents, prepend=-1) > 0
        found: Floats = self._three[0].of(documents[new].astype(np.int64))[np.cumsum(new) - 1]
        return found

    # ── the best of each level ───────────────────────────────────────────────────────────────────────────────

    def _best_of_levels(self) -> tuple[float, float, float]:
        if not self._terms:
            return 0.0, 0.0, 0.0
        if self._rows is not None and self._few:
            documents, chunks, sentences = (float(s.max(initial=0)) for s in self._scores(self._rows))
        else:
            three = zip(self._three, self._masks(), strict=True)
            documents, chunks, sentences = (asked.highest(mask) for asked, mask in three)
        return documents, chunks, sentences

    def _masks(self) -> tuple[npt.NDArray[np.bool_] | None, ...]:
        """Which documents, chunks and sentences the rows that are kept have part in; None is all."""
        if self._kept is None:
            return None, None, None
        levels = self._levels
        documents = np.zeros(levels.documents.size, dtype=np.bool_)
        documents[levels.document_of[self._kept]] = True
        return documents, self._kept, np.repeat(self._kept, np.diff(levels.first_sentence))

    # ── the best rows ────────────────────────────────────────────────────────────────────────────────────────

    def best(self, k: int) -> Rows:
        """The `k` best rows whose weighted sum is above zero, ties by row, ascending by row."""
        if not self._terms or not any(self._best):
            return np.zeros(0, dtype=np.int64)
        if self._rows is not None and self._few:
            return self._top(self._rows, k)
        candidates = None if self._added_up else self._candidates(k)
        return self._top(self._promising(k) if candidates is None else candidates, k)

    def _promising(self, k: int) -> Rows:
        """Rows, ascending, among which the `k` best are: all documents and chunks are weighed, sentences bounded."""
        levels, (of_document, of_chunk, of_sentence) = self._levels, self._weights
        documents, chunks = (asked.add_up() for asked in self._three[:2])
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
        bounds += np.repeat(of_document * documents, np.diff(levels.first_chunk))
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
        terms = self._order
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
        rows, _ = ranges(levels.first_chunk, documents)
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
