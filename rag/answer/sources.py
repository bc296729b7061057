"""A sentence of the answer → the sentence that stands behind it, or before it, where the listed work is at hand.

Where the article relays a work and that work is a document of the collection too, the work's own sentence is cited
beside the article's; where the work itself answers, the article's sentence that relays it is. Nothing is taken for the
same claim by its place alone: the two must be near in meaning, and in English the judge must find that one carries the
other. Across languages nothing is found yet. Thresholds: benchmarks/sources, where the judge at 0.5 found 78 of 120
claims borne out, but also 14 of 60 denied and 7 of 120 left open; at 0.7 it is 47, 8 and none. Knows no question.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rag.answer.attribute import Claim
from rag.citations import covering
from rag.encoder.judge import Judge
from rag.store import Generation
from rag.types import Document, Passage, Span

_NEAR, _ALIKE = 0.6, 0.95
"""Least nearness, by the encoder's own scale: for the judge to be asked, and where nobody can be."""
_SUPPORTED = 0.7
_SURE = 0.85
"""Least probability of support; the second where the two give different figures, or only a clause is carried."""
_PASSAGES, _JUDGED, _MENTIONS, _MOST = 6, 4, 20, 3
_CLOSE, _FEWEST_WORDS = 0.8, 5
"""Least nearness, and words, of a sentence of which only a clause is carried."""
_CLAUSES = re.compile(r"\sthat\s|[,;]\s(?:and|but|while|whereas)\s(?:that\s)?|;\s|\sand\sthat\s", re.IGNORECASE)
"""What joins the clauses of a sentence that is on one line."""
_FIGURE = re.compile(r"\d[\d.,]*\d|\d")
_EMPTY = re.compile(r"[(\[（【][\s;,；，、and&]*[)\]）】]")

Found = tuple[Passage, Span]


@dataclass(frozen=True, slots=True)
class Counterparts:
    """What finds them: the index, who judges, the encoder's scale, and which documents may be cited."""

    generation: Generation
    judge: Judge | None
    """Reads English only."""
    scale: tuple[float, float]
    """See `Encoder.scale`."""
    within: Collection[str] | None = None
    """Ids of documents; None for all."""

    def of(self, document: Document, cited: Found, claim: Claim) -> list[Found]:
        """The sentences of other documents that the cited one relays, or that relay it; at most three, often none."""
        found: list[Found] = []
        for source_id, pairs in self._places(document, cited, claim):
            if self.within is None or source_id in self.within:
                best = self._best(document, cited, claim, source_id, pairs)
                if best is not None and best not in found:
                    found.append(best)
        return found[:_MOST]

    def _places(
        self, document: Document, cited: Found, claim: Claim
    ) -> Iterator[tuple[str, list[tuple[Found, float]]]]:
        """Where a counterpart may stand: a document, and candidates in it with their cosine."""
        generation = self.generation
        vector = _vector(generation, cited)
        if vector is None:
            return
        if claim.attribution == "relayed":
            for reference_id in claim.reference_ids:
                for document_id in generation.attached(reference_id)[:1]:
                    rows = generation.rows(documents=[document_id], kinds=["text"])
                    near = generation.passages([row for row, _ in generation.dense(vector, _PASSAGES, rows)])
                    yield document_id, _measured(generation, vector, ((p, s) for p in near for s in p.sentences))
            return
        for attachment in document.attachments:
            citing = generation.reference(attachment.reference_id).document_id
            mentions = generation.mentions(citing)
            places: dict[tuple[int, int], Found] = {}
            for mention in [m for m in mentions if m.reference_id == attachment.reference_id][:_MENTIONS]:
                passage = generation.passage_at(citing, mention.start)
                for s in passage.sentences if passage else ():
                    if passage is not None and mention in covering(mentions, s.start, s.end):
                        places[s.start, s.end] = (passage, s)
            yield citing, _measured(generation, vector, places.values())

    def _best(
        self, document: Document, cited: Found, claim: Claim, source_id: str, pairs: Sequence[tuple[Found, float]]
    ) -> Found | None:
        low, high = self.scale
        near = [(found, (cosine - low) / (high - low)) for found, cosine in pairs]
        near = sorted((n for n in near if n[1] >= _NEAR), key=lambda n: -n[1])[:_JUDGED]
        english = (self.generation.document(i).language or "" for i in (document.id, source_id))
        if self.judge is None or not all(language.startswith("en") for language in english):
            return next((found for found, nearness in near if nearness >= _ALIKE), None)
        if not near:
            return None
        said = _bare(document, cited[1], [(m.start, m.end) for m in claim.mentions])
        relays = claim.attribution == "relayed"
        texts = [_text(self.generation, found) for found, _ in near]
        claims = [(said, text) if relays else (text, said) for text in texts]
        contexts = [found[0].text if relays else cited[0].text for found, _ in near]
        judged: list[tuple[float, Found]] = []
        verdicts = self.judge.supports(claims, contexts)
        for (found, nearness), pair, verdict in zip(near, claims, verdicts, strict=True):
            least = _SURE if _figures_differ(*pair) else _SUPPORTED
            if verdict.supported >= least and verdict.supported > verdict.contradicted:
                judged.append((verdict.supported + nearness, found))
        if not judged:
            closest = [
                (found, pair) for (found, nearness), pair in zip(near, claims, strict=True) if nearness >= _CLOSE
            ]
            judged = [(0.0, found) for found, pair in closest[:2] if self._carries_a_part(*pair)][:1]
        return max(judged, key=lambda j: j[0])[1] if judged else None

    def _carries_a_part(self, claim: str, evidence: str) -> bool:
        """Whether the evidence carries a clause of a sentence that claims several things, its figures included."""
        clauses = [part for part in _CLAUSES.split(claim) if len(part.split()) >= _FEWEST_WORDS]
        figures = [set(_figures(part)) for part in clauses]
        if any(figures):
            clauses = [c for c, own in zip(clauses, figures, strict=True) if own and own <= _figures(evidence)]
        clauses = [c for c in clauses if len(c) < len(claim)]
        verdicts = self.judge.supports([(c, evidence) for c in clauses]) if self.judge and clauses else []
        return any(v.supported >= _SURE for v in verdicts)


def _vector(generation: Generation, cited: Found) -> np.ndarray | None:
    """The mean direction of the cited sentences."""
    passage, span = cited
    vectors = generation.sentence_vectors(passage.id)
    own = [v for v, s in zip(vectors, passage.sentences, strict=False) if s.overlaps(span.start, span.end)]
    if not own:
        return None
    total = np.sum(own, axis=0)
    return np.asarray(total / (np.linalg.norm(total) or 1.0), dtype=np.float32)


def _measured(generation: Generation, vector: np.ndarray, places: Iterable[Found]) -> list[tuple[Found, float]]:
    """The places with the cosine of their sentences."""
    found: list[tuple[Found, float]] = []
    known: dict[str, np.ndarray] = {}
    for passage, span in places:
        if passage.id not in known:
            known[passage.id] = generation.sentence_vectors(passage.id) @ vector
        found.append(((passage, span), float(known[passage.id][passage.sentences.index(span)])))
    return found


def _text(generation: Generation, found: Found) -> str:
    passage, span = found
    inside = [(m.start, m.end) for m in generation.mentions(passage.document_id) if span.overlaps(m.start, m.end)]
    return _bare(generation.document(passage.document_id), span, inside)


def _bare(document: Document, span: Span, mentions: Sequence[tuple[int, int]]) -> str:
    """The sentence without its citations, which are no part of what it claims."""
    text = span.of(document.text)
    for start, end in sorted(mentions, reverse=True):
        begin, stop = max(start - span.start, 0), min(end - span.start, len(text))
        outside = begin > 0 and text[begin - 1 : begin] in "([（【; ；"
        if begin < stop and outside:
            text = text[:begin] + text[stop:]
    return " ".join(_EMPTY.sub("", text).replace(" .", ".").split())


def _figures(text: str) -> set[str]:
    return {m.replace(",", "") for m in _FIGURE.findall(text)}


def _figures_differ(one: str, other: str) -> bool:
    """Whether both give figures and share none."""
    return bool(_figures(one) and _figures(other) and not _figures(one) & _figures(other))
