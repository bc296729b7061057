"""Judged questions → measures: answered, right, rightly cited, rightly referred, rightly declined.

The format is one JSON object a line: id, question, answerable, answers (any one must appear in the answer or its cited
text), evidence (a verbatim slice that a citation must overlap, or null), references (fragments that must appear in
the entries the citations lead to). Knows no HTTP.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rag.errors import InputError
from rag.store import Generation
from rag.types import Answer

UNSURE = frozenset({"found", "abstained"})
"""Statuses that claim no answer: the closest passages are quoted as that, or nothing is."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A question with what a good answer must have."""

    id: str
    question: str
    answerable: bool
    answers: tuple[str, ...] = ()
    evidence: str | None = None
    references: tuple[str, ...] = ()
    kind: str = "fact"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one question went. The three checks are None where the question does not ask for them."""

    id: str
    kind: str
    question: str
    answerable: bool
    status: str
    answer: str
    confidence: float
    string: bool | None
    evidence: bool | None
    references: bool | None
    coverage: float | None
    """Share of the listed answers that appear; for lists more is better."""
    milliseconds: float
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measures:
    """Shares of a set of judged questions; None where no question bears on it."""

    questions: int
    answerable: int
    unanswerable: int
    answered: float | None
    """Of the answerable ones, those not declined."""
    string: float | None
    evidence: float | None
    string_and_evidence: float | None
    references: float | None
    """Of the answerable ones with references listed."""
    references_given_evidence: float | None
    coverage: float | None
    declined: float | None
    """Of the unanswerable ones."""
    sentences: float | None
    """Mean length of an answer, in sentences."""
    median_ms: float


def load(path: Path) -> list[Judged]:
    """Read judged questions. Raises InputError naming the line that cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the questions {str(path)!r} cannot be read ({error}); give a file of JSON lines") from error
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            body = json.loads(line)
            found.append(
                Judged(
                    id=str(body.get("id", number)),
                    question=str(body["question"]),
                    answerable=bool(body["answerable"]),
                    answers=tuple(map(str, body.get("answers") or ())),
                    evidence=body.get("evidence"),
                    references=tuple(map(str, body.get("references") or ())),
                    kind=str(body.get("kind", "fact")),
                )
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"line {number} of {str(path)!r} is no judged question ({error!r}); "
                "each needs 'question' and 'answerable'"
            ) from error
    if not found:
        raise InputError(f"{str(path)!r} holds no questions")
    return found


def run(
    questions: Sequence[Judged],
    ask: Callable[[str], Answer],
    generation: Generation,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Outcome]:
    """Ask every question and judge its answer."""
    texts = {d.id: squeezed(generation.document(d.id).text) for d in generation.documents()}
    outcomes = []
    for done, judged in enumerate(questions, 1):
        started = time.perf_counter()
        answer = ask(judged.question)
        outcomes.append(judge(judged, answer, texts, (time.perf_counter() - started) * 1000))
        progress(done)
    return outcomes


def judge(
    judged: Judged, answer: Answer, texts: Mapping[str, tuple[str, Sequence[int]]], milliseconds: float
) -> Outcome:
    """Judge one answer. `texts` holds each document's text without white space, and where each character stood."""
    failures: list[str] = []
    string = evidence = references = None
    coverage = None
    declined = answer.status == "abstained"
    if not judged.answerable:
        if answer.status not in UNSURE:
            failures.append("answered, though the sources do not")
    else:
        if declined:
            failures.append("declined")
        if judged.answers:
            said = " ".join([answer.answer, *(c.cited_text for c in answer.citations)]).casefold()
            hits = [a for a in judged.answers if " ".join(a.split()).casefold() in " ".join(said.split())]
            string, coverage = bool(hits) and not declined, len(hits) / len(judged.answers)
            if not string:
                failures.append(f"none of {list(judged.answers)} in the answer")
        if judged.evidence:
            evidence = any(
                any(
                    c.location.start_char_index < e and s < c.location.end_char_index
                    for s, e in places(texts[c.document_id], judged.evidence)
                )
                for c in answer.citations
            )
            if not evidence:
                failures.append("no citation overlaps the evidence")
        if judged.references:
            listed = " ".join(f"{r.formatted} {json.dumps(r.csl, ensure_ascii=False)}" for r in answer.references)
            held = _letters(listed)
            references = all(_letters(fragment) in held for fragment in judged.references)
            if not references:
                failures.append(f"references {[r.id for r in answer.references]} lack one of {list(judged.references)}")
    return Outcome(
        id=judged.id, kind=judged.kind, question=judged.question, answerable=judged.answerable, status=answer.status,
        answer=answer.answer, confidence=answer.confidence, string=string, evidence=evidence, references=references,
        coverage=coverage, milliseconds=round(milliseconds, 1), failures=tuple(failures),
    )  # fmt: skip


def measure(outcomes: Sequence[Outcome], sentences: Sequence[int] = ()) -> Measures:
    """The shares over a set of outcomes."""
    able = [o for o in outcomes if o.answerable]
    times = sorted(o.milliseconds for o in outcomes)
    return Measures(
        questions=len(outcomes),
        answerable=len(able),
        unanswerable=len(outcomes) - len(able),
        answered=_share([o.status not in UNSURE for o in able]),
        string=_share([o.string for o in able]),
        evidence=_share([o.evidence for o in able]),
        string_and_evidence=_share(
            [
                o.string is not False and o.evidence is not False
                for o in able
                if o.string is not None or o.evidence is not None
            ]
        ),
        references=_share([o.references for o in able]),
        references_given_evidence=_share([o.references for o in able if o.evidence]),
        coverage=_mean([o.coverage for o in able if o.coverage is not None]),
        declined=_share([o.status in UNSURE for o in outcomes if not o.answerable]),
        sentences=_mean([float(n) for n in sentences]),
        median_ms=times[len(times) // 2] if times else 0.0,
    )


def report(outcomes: Sequence[Outcome], measures: Measures) -> dict[str, Any]:
    """Everything as JSON-ready values."""
    return {"measures": asdict(measures), "outcomes": [asdict(o) for o in outcomes]}


def _share(values: Sequence[bool | None]) -> float | None:
    return _mean([float(v) for v in values if v is not None])


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None


def squeezed(text: str) -> tuple[str, list[int]]:
    """A text without white space, and where each remaining character stood: for `judge`."""
    kept = [(c, i) for i, c in enumerate(text) if not c.isspace()]
    return "".join(c for c, _ in kept), [i for _, i in kept]


def places(squeezed: tuple[str, Sequence[int]], fragment: str) -> list[tuple[int, int]]:
    """Where `fragment` stands in the original text, white space aside."""
    wanted = "".join(fragment.split())
    found = []
    at = squeezed[0].find(wanted) if wanted else -1
    while at >= 0:
        found.append((squeezed[1][at], squeezed[1][at + len(wanted) - 1] + 1))
        at = squeezed[0].find(wanted, at + len(wanted))
    return found


def _letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())
