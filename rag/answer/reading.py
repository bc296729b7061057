"""Candidates → the few that the judge, having read, believes most.

The judge reads the most promising passages whole (`scan`), then the best sentences one by one (`settle`): the first
is quick and finds, the second is sure and decides. Each opinion joins what form says in a logistic regression whose
weights are learned on public questions (`weights.json`; benchmarks/training/train_selector.py). Knows no prose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import exp, log

from rag.answer.evidence import FEATURES, Candidate, bare, covered, learned, present
from rag.answer.question import Question, bounds, counts, meets, subject
from rag.encoder.judge import Judge
from rag.types import Passage

SCANNED = ("first", "holds", "behind", "cosine", "stands_out", "names_around", "figures_around")
"""The features once the judge has read the passage: the log-odds so far, the judge's log-odds that this sentence holds
the answer, how far it stands behind the passage's best, and what the judge cannot see."""
SETTLED = (
    "first",
    "behind",
    "reads",
    "answers",
    "span",
    "cosine",
    "stands_out",
    "words",
    "words_around",
    "rest_around",
    "names",
    "names_around",
    "figures",
    "expected",
    "counted",
    "length",
)
"""… and once it has looked at the sentence alone: the passage's answer logit, the sentence's, its best span's log-odds;
words (all, and those that are no names), names and figures of the question that the sentence, its surroundings or the
passage have; the kind and the thing asked for."""
PASSAGES, SENTENCES = 3, 3
"""How many passages are read whole, how many sentences looked at: about 200 ms on one core."""
_WITHOUT_KIND = 0.4
"""What is left of the probability of a sentence that lacks the kind of thing asked for: a time, a number, a person."""
_ANOTHER_SUBJECT = 0.3
"""… and of one that has the kind, but names nothing of what the question is about: another thing's date or number."""
_TELLING = 0.5
"""Least rarity (idf) of a term that tells a subject, as a share of its rarest's."""
_SAID_SO = 1.2
"""Log-odds for a sentence that says "since …" to "since when", or "until …" to "until when": the judge, trained on
dates, does not take an event for a time."""
_OF_ONE = frozenset({"when", "quantity", "person", "place"})
_WIDEST = 12.0
"""Log-odds beyond which an opinion counts no more."""


def scan(question: Question, found: Sequence[Candidate], judge: Judge) -> list[Candidate]:
    """Let the judge read the most promising passages; only their sentences remain, the most probable first."""
    chosen: dict[str, Passage] = {}
    for candidate in found:
        if len(chosen) < PASSAGES:
            chosen.setdefault(candidate.passage.id, candidate.passage)
    sentences = {i: [c for c in found if c.passage.id == i] for i in chosen}
    texts, spans = [], []
    for own in sentences.values():
        own.sort(key=lambda c: c.span.start)
        text, places = "", []
        for candidate in own:
            text += " " if text else ""
            places.append((len(text), len(text) + len(candidate.bare)))
            text += candidate.bare
        texts.append(text)
        spans.append(places)
    judged = []
    for own, (_, _, each, _) in zip(sentences.values(), judge.read_raw(question.text, texts, spans), strict=True):
        best = max((margin for _, margin in each), default=0.0)
        for candidate, (answers, holds) in zip(own, each, strict=True):
            values = (
                log_odds_of(candidate.probability),
                _clipped(holds),
                _clipped(holds - best),
                *(candidate.features[FEATURES.index(name)] for name in SCANNED[3:]),
            )
            chance = learned("scanned", SCANNED, values)
            judged.append(replace(candidate, judged=(*values, _clipped(answers)), probability=chance))
    return _ordered(judged)


def settle(
    question: Question,
    scanned: Sequence[Candidate],
    judge: Judge,
    idf: Callable[[str], float],
    most: int = SENTENCES,
) -> list[Candidate]:
    """Let the judge look at the best sentences one by one, each with its passage; only these remain, best first."""
    best = scanned[:most]
    contexts = [
        " ".join(c.bare for c in sorted(scanned, key=lambda c: c.span.start) if c.passage.id == one.passage.id)
        for one in best
    ]
    looks = judge.looks(question.text, [c.bare for c in best], contexts)
    # Each rare word once: what a question asks *about* its names ("founded", "captain") must be spoken of too.
    rest = dict.fromkeys((t for t in question.content if t not in question.names and t not in question.figures), 1.0)
    about = _telling(subject(question), idf)
    settled = []
    for candidate, (answers, margin, _) in zip(best, looks, strict=True):
        held = present(f"{candidate.passage.section or ''}\n{candidate.passage.text}", question.language)
        form = dict(zip(FEATURES, candidate.features, strict=True))
        first, _, behind, *_, reads = candidate.judged
        values = (
            first,
            behind,
            reads,
            _clipped(answers),
            _clipped(margin),
            form["cosine"],
            form["stands_out"],
            form["words"],
            form["words_around"],
            covered(rest, present(f"{candidate.passage.section or ''}\n{_near(candidate)}", question.language)),
            covered(dict.fromkeys(question.names, 1.0), held),
            form["names_around"],
            covered(dict.fromkeys(question.figures, 1.0), held),
            min(0.5, meets(question.expects, candidate.bare, question)),  # only the lack of it says something
            counts(candidate.bare, question),
            form["length"],
        )
        chance = learned("settled", SETTLED, values)
        around = bare(_near(candidate), question) if candidate.hangs else candidate.bare
        if meets(question.expects, around, question) == 0:
            chance *= _WITHOUT_KIND
        chance = _shifted(chance, _SAID_SO * bounds(question, candidate.bare))
        if question.expects in _OF_ONE and not _speaks_of(about, candidate, _where(question, candidate, around, rest)):
            chance *= _ANOTHER_SUBJECT
        settled.append(replace(candidate, judged=values, probability=chance))
    return _ordered(settled)


def _telling(about: Sequence[str], idf: Callable[[str], float]) -> list[str]:
    """The terms that tell a subject from others: of "Moonshot AI", in sources on AI, only the first."""
    rarity = {term: idf(term) for term in about}
    return [term for term, rare in rarity.items() if rare >= _TELLING * max(rarity.values())]


def _where(question: Question, candidate: Candidate, around: str, rest: Mapping[str, float]) -> str:
    """Where the subject must be named: in the sentence before, where that alone says what is asked, else in either.

    A sentence that leans on none and lacks the kind asked for names it nowhere: it loses twice, as it should, for it
    speaks of the thing and not of its date or person. (Left to lose once, no judged question changed.)
    """
    before = around[: len(around) - len(candidate.bare)]
    asked, own = (covered(rest, present(text, question.language)) for text in (before, candidate.bare))
    return before if asked > own or not meets(question.expects, candidate.bare, question) else around


def _speaks_of(about: Sequence[str], candidate: Candidate, around: str) -> bool:
    """Whether a sentence, or what it leans on, names anything of what the question is about."""
    if not about:
        return True
    held = present(f"{candidate.passage.section or ''}\n{around}")
    return any(t in held or t.rstrip("s") in held for t in about)


def _near(candidate: Candidate) -> str:
    """The sentence and the one before it."""
    start = candidate.before.start if candidate.before else candidate.span.start
    return candidate.passage.text[start - candidate.passage.start : candidate.span.end - candidate.passage.start]


def _ordered(candidates: Sequence[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda c: (-c.probability, c.passage.document_id, c.span.start))


def _clipped(log_odds: float) -> float:
    return max(-_WIDEST, min(_WIDEST, log_odds))


def _shifted(p: float, log_odds: float) -> float:
    return 1 / (1 + exp(-(log_odds_of(p) + log_odds)))


def log_odds_of(p: float) -> float:
    """The log-odds of a probability, kept finite."""
    return log(max(p, 1e-6) / max(1 - p, 1e-6))
