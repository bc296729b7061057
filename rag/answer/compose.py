"""The answer as a whole: from a question and a generation to the object on the wire.

    question ─► understand ─► gather ─► plan ─► write ─► verify ─► Answer

`scope` and `question` understand, `gather` finds, one of `kinds` plans, `closest` where none is sure, `writing` writes;
a language model words what a plan allows it to (`generate`), held to the passages by `verify`.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from rag import retrieve
from rag.answer import closest, evidence, gather, question, scope, select, several, spelling, verify
from rag.answer.attribute import names_of
from rag.answer.gather import Evidence, Models
from rag.answer.generate import Drafted, Generated, generate
from rag.answer.kinds import KINDS
from rag.answer.model import LanguageModel
from rag.answer.orders import orders
from rag.answer.plan import Told, words_of
from rag.answer.sources import Counterparts
from rag.answer.writing import Cited, Tell, Writing
from rag.bibliography import format_reference
from rag.encoder import Across, Encoder, Reranker, SparseEncoder
from rag.encoder.judge import Judge
from rag.store import Generation
from rag.types import Answer, Corroboration, Status

NOT_ANSWERED = "The sources do not answer this."
CLOSEST = "No passage answers this directly. Closest: "
_DENIED = "The sources contradict the question: "


@dataclass(frozen=True, slots=True)
class Options:
    """What a question may choose."""

    limit: int = 8
    """Passages retrieved."""
    dense_weight: float = 0.5
    style: str = "harvard"
    filters: retrieve.Filters | None = None
    judge: Judge | None = None
    """Reads the most promising passages; without it only form speaks."""
    sparse: SparseEncoder | None = None
    """Weighs the question's terms; None goes by its words alone."""
    reranker: Reranker | None = None
    """Orders the best passages anew; None leaves them as they were found."""
    threshold: float | None = None
    """Least probability for an answer; None takes the calibrated one."""
    model: LanguageModel | None = None
    """Words the answer, held to the same checks; None leaves it verbatim."""
    show_unsupported: bool = False
    """Whether what a language model says without support is shown, marked as such, instead of being left out."""


@dataclass(slots=True)
class _Clock:
    """Milliseconds since the last reading, by stage."""

    started: float = field(default_factory=time.perf_counter)
    timings: dict[str, float] = field(default_factory=dict)

    def read(self, stage: str) -> None:
        now = time.perf_counter()
        self.timings[stage] = round((now - self.started) * 1000, 2)
        self.started = now


def warm(judge: Judge | None = None) -> None:
    """Load what the first answer would otherwise wait for."""
    if judge is not None:
        judge.answers("Ready?", ["Ready."])
    evidence.probability([0.0] * len(evidence.FEATURES))
    format_reference({"type": "book", "title": "ready"})


def ask(
    generation: Generation,
    encoder: Encoder,
    text: str,
    options: Options | None = None,
    *,
    on_event: Tell | None = None,
) -> Answer:
    """Answer `text` from `generation`. Raises InputError for a question that cannot be asked."""
    chosen = options or Options()
    tell = on_event or (lambda _name, _body: None)
    clock = _Clock()
    found = _gather(generation, encoder, text, chosen)
    clock.read("understand")
    passages = found.passages  # searched for at once: whoever waits sees them, and what cannot be asked is told
    clock.read("retrieve")
    tell("retrieval.completed", passages)
    told = several.answer_each(retrieve.questions(text), lambda part: _plan(_gather(generation, encoder, part, chosen)))
    told = told or _plan(found)
    clock.read("select")

    writing = Writing(generation, chosen.style, tell)
    generated = _generate(found, told, chosen, writing)
    clock.read("generate")
    beside = Counterparts(generation, chosen.judge, encoder.scale, _citable(generation, chosen))
    corroboration = _quote(told, writing, beside) if generated is None else ()
    if not writing.text:
        tell("answer.delta", NOT_ANSWERED)
    references = writing.references()
    clock.read("verify")
    shown = {p.id: p for p in passages} | writing.passages
    asking = found.models.encoder
    return Answer(
        id=f"ans_{uuid.uuid4().hex}",
        status=_status(told, writing) if generated is None else _status_of(generated, told, writing),
        question=text,
        answer=writing.text or NOT_ANSWERED,
        index=generation.state,
        confidence=round(told.confidence, 4),
        sentences=tuple(writing.sentences),
        citations=tuple(writing.citations),
        passages=tuple(shown.values()),
        references=references,
        corroboration=corroboration,
        generator="extractive" if generated is None else "llm",
        models={"encoder": asking.name}
        | ({"across": asking.reader} if isinstance(asking, Across) else {})
        | ({"judge": chosen.judge.name} if chosen.judge else {})
        | ({"sparse": chosen.sparse.name} if chosen.sparse else {})
        | ({"reranker": chosen.reranker.name} if chosen.reranker else {})
        | ({"llm": chosen.model.name} if chosen.model and generated else {}),
        settings={
            "limit": chosen.limit,
            "dense_weight": chosen.dense_weight,
            "style": chosen.style,
            "threshold": told.threshold,
            "kind": told.kind,
        },
        notices=(
            *found.notices,
            *told.notices,
            *(generated.notices if generated else ()),
            *(f"the passages cited do not speak of {part}" for part in told.missing),
            *(f"the sources do not answer “{part}”" for part in told.open),
        ),
        usage={"passages": len(passages), "sentences": len(writing.sentences)},
        timings_ms=clock.timings,
    )


def _gather(generation: Generation, encoder: Encoder, text: str, options: Options) -> Evidence:
    """What there is for a question: what it names, what is left of it to ask, and where."""
    language = gather.language_of(generation)
    empty = encoder.count_tokens("")
    # What the encoder's vocabulary has whole is a word.
    text, slips = spelling.corrected(text, generation, language, lambda w: encoder.count_tokens(w) == empty + 1)
    named = scope.resolve(text, generation)
    return Evidence(
        generation,
        Models(retrieve.speaking(generation, encoder, text), options.judge, options.sparse, options.reranker),
        question.read(named.text, language),
        question.read(text, language),
        named,
        options.filters or retrieve.Filters(),
        limit=options.limit,
        dense_weight=options.dense_weight,
        worded=options.model is not None,
        threshold=options.threshold,
        notices=[f"“{typed}” is read as “{taken}”, which the sources have" for typed, taken in slips],
    )


def _plan(found: Evidence) -> Told:
    """What the first kind that has something to say makes of it, else the closest there is."""
    nothing: Told | None = None
    for kind in KINDS:
        told = kind(found)
        if told is not None:
            # Whoever planned it: what gives orders to a machine is never quoted.
            told.pieces = [p for p in told.pieces if p.entry or not orders(" ".join(words_of(p)))]
        if told is not None and told.pieces:
            return told
        if told is not None and told.sure:
            return told
        if told is not None and nothing is None:
            nothing = told
    near = closest.tell(found)
    if nothing is not None:
        near.threshold, near.confidence, near.wordable = nothing.threshold, nothing.confidence, nothing.wordable
        near.notices += nothing.notices if not near.pieces else []
    return near


def _status(told: Told, writing: Writing) -> Status:
    if not writing.sentences or told.outcome in {"denied", "none"}:
        return "abstained"
    if told.outcome == "found":
        return "found"
    return "partial" if told.missing or told.open else "answered"


def _status_of(generated: Generated, told: Told, writing: Writing) -> Status:
    if not generated.kept:
        return "abstained"
    whole = all(s.verdict == "supported" for s in writing.sentences) and not generated.dropped
    return "answered" if whole and not told.missing and not told.open else "partial"


def _generate(found: Evidence, told: Told, options: Options, writing: Writing) -> Generated | None:
    """The model's answer; None where none is wanted, where it may not be asked, or where it failed.

    What is looked up in tables and what the sources deny or do not answer is not the model's to word: small models
    invent an answer to most of the questions that they should decline.
    """
    model, passages = options.model, found.passages
    if model is None or not told.wordable or not told.pieces or told.outcome == "denied":
        return None
    if told.outcome == "found" and told.confidence < max(select.WORDED.values()):
        return None

    def check(drafted: Drafted) -> verify.Verified:
        return verify.verify(drafted.text, drafted.passages, passages, found.reader, found.asked.content)

    made = generate(model, found.asked.text, passages, check, writing, show_unsupported=options.show_unsupported)
    if made.failed or (not made.kept and not writing.sentences):
        why = made.failed or ("it declined" if made.refused else "nothing it said had full support")
        told.notices.append(f"the language model gave no answer ({why}); this one is extractive")
        return None
    return made


def _quote(told: Told, writing: Writing, beside: Counterparts) -> tuple[Corroboration, ...]:
    """Write the pieces down, and what other documents say to the sentence that answers."""
    answering = next((i for i, p in enumerate(told.pieces) if p.span == told.answering), 0)
    supporting = [Cited(p.passage, p.span) for p in told.compared.supporting]
    before = {"denied": _DENIED, "found": CLOSEST}.get(told.outcome, f"{told.says}. " if told.says else "")
    for number, piece in enumerate(told.pieces):
        cited = Cited(piece.passage, piece.span, piece.entry)
        others = (
            []
            if cited.entry or told.kind != "fact"
            else beside.of(writing.document(piece.passage), (piece.passage, piece.span), writing.claim(cited))
        )
        writing.quote(
            cited,
            beside=[*(Cited(*o) for o in others), *(supporting if number == answering else ())],
            lead=(before if number == 0 else "") + piece.lead,
            item=piece.item,
            text=piece.text,
        )
    if not supporting and not told.compared.contradicting:
        return ()
    for number, piece in enumerate(told.compared.contradicting):
        writing.quote(Cited(piece.passage, piece.span), lead="" if number else "But the sources disagree. ")
    against = [Cited(p.passage, p.span) for p in told.compared.contradicting]
    told.notices += [
        f"{_who(cited, writing)} {what}"
        for cited, what in ((supporting, "also supports this"), (against, "says otherwise"))
        if cited
    ]
    return (Corroboration(answering, tuple(map(writing.cite, supporting)), tuple(map(writing.cite, against))),)


def _who(cited: Sequence[Cited], writing: Writing) -> str:
    return "; ".join(dict.fromkeys(names_of(writing.document(one.passage)) for one in cited))


def _citable(generation: Generation, options: Options) -> Collection[str] | None:
    """The documents that the filters leave for what is cited beside an answer; None for all."""
    filters = options.filters or retrieve.Filters()
    return () if filters.within_documents else filters.document_ids(generation)
