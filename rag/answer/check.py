"""A text that somebody wrote or was given → for each of its sentences whether the sources carry it, and where.

    text ─► sentences ─► passages for each ─► verify ─► Checked

The passages are given, or searched for in a collection, sentence by sentence. What states nothing (a question, a
heading, an order) is not checked and said to be so. Verdicts, citations and references are those of an answer.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator, Sequence

from rag import sentences
from rag.answer import evidence
from rag.answer.attribute import Sources
from rag.answer.gather import languages_of
from rag.answer.orders import orders
from rag.answer.verify import Verified, states, verify
from rag.answer.writing import Writing
from rag.encoder.judge import Judge
from rag.errors import InputError, NotFoundError
from rag.function_words import language_of
from rag.store import Generation
from rag.types import Checked, CheckedSentence, Document, IndexState, Mention, Passage, Reference, Scores, Span

MOST_SENTENCES = 200
LONGEST = 100_000
"""Characters of a text."""
MOST_PASSAGES, LONGEST_PASSAGE = 50, 20_000
"""Passages that may be given, and characters of one."""
READ = 5
"""Passages that are searched for for each sentence."""
_UNREAD = "no model here reads this language: only sentences that stand in the sources word for word are `supported`"
_LEANING = re.compile(
    r"(?:he|she|it|they|this|that|these|those|its|his|her|their|such|both|the (?:former|latter))\b", re.IGNORECASE
)

_HEADING = re.compile(r"#{1,6}\s|[^.!?…。！？:;,]{1,80}\Z")
"""A line of its own that is marked as a heading, or is short and has no mark of a sentence."""
_ITEM = re.compile(r"[-*•–]\s|\d+[.)]\s")

Find = Callable[[str], Sequence[Passage]]
Tell = Callable[[str, object], None]


class Given:
    """Passages that came with the text, each a document of its own: `passage-1`, `passage-2` and so on."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Raises InputError for too many, an empty or too long a one."""
        if len(texts) > MOST_PASSAGES:
            raise InputError(f"{len(texts)} passages are given; at most {MOST_PASSAGES} are taken")
        self._documents = {}
        for number, text in enumerate(texts, 1):
            if not text.strip():
                raise InputError(f"passage {number} is empty; leave it out")
            if len(text) > LONGEST_PASSAGE:
                raise InputError(
                    f"passage {number} has {len(text):,} characters; at most {LONGEST_PASSAGE:,} are taken"
                )
            name = f"passage-{number}"
            self._documents[name] = Document(id=name, text=text, title=f"passage {number}", source=name)

    def passages(self, _: str) -> list[Passage]:
        """All of them, whatever is asked."""
        return [
            Passage(
                id=f"{one.id}:0-{len(one.text)}",
                document_id=one.id,
                text=one.text,
                start=0,
                end=len(one.text),
                section=None,
                page=None,
                kind="text",
                scores=Scores(),
                sentences=tuple(sentences.split(one.text)),
            )
            for one in self._documents.values()
        ]

    def document(self, document_id: str) -> Document:
        """A passage as a document."""
        return self._documents[document_id]

    def mentions(self, _: str) -> tuple[Mention, ...]:
        """None: nobody has linked them."""
        return ()

    def reference(self, reference_id: str) -> Reference:
        """None is there."""
        raise NotFoundError(f"there is no reference {reference_id!r} among passages that were given")


def claims(text: str) -> list[Span]:
    """The sentences of a text. Raises InputError where there are none or too many."""
    if len(text) > LONGEST:
        raise InputError(f"the text has {len(text):,} characters; at most {LONGEST:,} are checked: send it in parts")
    found = sentences.split(text)
    if not found:
        raise InputError("the text is empty; send the sentences to be checked")
    if len(found) > MOST_SENTENCES:
        raise InputError(
            f"the text has {len(found):,} sentences; at most {MOST_SENTENCES} are checked: send it in parts"
        )
    return found


def against_passages(
    text: str, passages: Sequence[str], judge: Judge | None, *, style: str = "harvard", on_event: Tell | None = None
) -> Checked:
    """Hold each sentence of `text` to all of `passages`. Raises InputError; see `against_collection` for the rest."""
    given = Given(passages)
    english = all(language_of(one) in {None, "en"} for one in (text, *passages))
    return _check(text, given, given.passages, judge if english else None, None, style, on_event)


def against_collection(
    text: str, generation: Generation, search: Find, judge: Judge | None, *, style: str, on_event: Tell | None = None
) -> Checked:
    """Hold each sentence of `text` to the passages that `search` finds for it. Raises InputError for too long a text.

    `on_event` is told of `citation.added` (Citation) and `sentence.checked` (CheckedSentence) as they come.
    """
    english = language_of(text) in {None, "en"} and "en" in languages_of(generation)
    return _check(text, generation, search, judge if english else None, generation.state, style, on_event)


def _check(  # noqa: PLR0917  (two callers)
    text: str,
    sources: Sources,
    find: Find,
    judge: Judge | None,
    index: IndexState | None,
    style: str,
    on_event: Tell | None,
) -> Checked:
    began = time.perf_counter()
    tell = on_event or (lambda _name, _data: None)
    writing = Writing(sources, style, lambda name, data: tell(name, data) if name == "citation.added" else None)
    checked: list[CheckedSentence] = []
    for span, claim, asked in _claims(text, claims(text)):
        sentence = (
            CheckedSentence(span.start, span.end, "unchecked", 0.0)
            if claim is None
            else _sentence(span, verify(claim, (), find(asked), judge), writing)
        )
        checked.append(sentence)
        tell("sentence.checked", sentence)
    return Checked(
        id=f"ver_{uuid.uuid4().hex}",
        text=text,
        index=index,
        sentences=tuple(checked),
        citations=tuple(writing.citations),
        passages=tuple(writing.passages.values()),
        references=writing.references(),
        models={"judge": judge.name} if judge else {},
        notices=() if judge else (_UNREAD,),
        usage={"sentences": len(checked), "passages": len(writing.passages)},
        timings_ms={"verify": round((time.perf_counter() - began) * 1000, 2)},
    )


def _claims(text: str, spans: Sequence[Span]) -> Iterator[tuple[Span, str | None, str]]:
    """Each sentence, the claim that it makes if it makes one, and what to look for: with the one before it leans on."""
    before = ""
    for span in spans:
        said = " ".join(evidence.bare(span.of(text)).split())
        states_something = states(said) and not orders(said) and not (len(spans) > 1 and _heads(text, span))
        asked = f"{before} {said}" if before and _LEANING.match(said) else said
        yield span, said if states_something else None, asked
        before = said if states_something else before


def _heads(text: str, span: Span) -> bool:
    """Whether a span is a heading: alone on its line, with something below it."""
    line = text[text.rfind("\n", 0, span.start) + 1 : span.end]
    alone = line.strip() == span.of(text).strip() and text[span.end : span.end + 1] == "\n"
    return alone and not _ITEM.match(line.lstrip()) and _HEADING.match(line.strip()) is not None


def _sentence(span: Span, found: Verified, writing: Writing) -> CheckedSentence:
    """The verdict with what it rests on; what merely comes nearest is not cited for what it does not say."""
    numbers = () if found.verdict == "unsupported" else tuple(dict.fromkeys(map(writing.cite, found.cited)))
    return CheckedSentence(
        span.start, span.end, found.verdict, round(found.score, 4), numbers, tuple(dict.fromkeys(found.missing))
    )
