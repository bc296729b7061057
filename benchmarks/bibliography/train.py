"""Train the model that ships in ``rag/bibliography/model``: ``python -m benchmarks.bibliography.train``.

Reads ``../shared/data/anystyle`` and ``../shared/data/grobid_citations`` (their training part, see `corpora`),
adds renderings of the same works in styles those sets lack (see `render`), and writes the model. Never reads SciELO.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import pycrfsuite

from benchmarks.bibliography import corpora, render
from rag.bibliography import tagger


def labels_of(item: corpora.Labelled, cut: list[tagger.Token]) -> list[str]:
    """One label a token; O where a token is in no field. Tokens that identifiers claim keep the label of their own."""
    labels = ["O"] * len(cut)
    spans = sorted((s for s in item.spans if s[0] != "web"), key=lambda s: s[1])
    k = 0
    for i, token in enumerate(cut):
        while k < len(spans) and spans[k][2] <= token.start:
            k += 1
        if k < len(spans) and spans[k][1] <= token.start < spans[k][2]:
            labels[i] = spans[k][0]
        if token.text[0] == "<" and len(token.text) > 1:
            labels[i] = "web"
    return labels


def main() -> None:
    """Train and write the model."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--iterations", type=int, default=110)
    arguments.add_argument("--rendered", type=int, default=14000)
    arguments.add_argument("--recombined", type=int, default=16000)
    arguments.add_argument("--c1", type=float, default=0.7)
    arguments.add_argument("--c2", type=float, default=1.0)
    arguments.add_argument("--minfreq", type=float, default=4)
    arguments.add_argument("--model", type=Path, default=tagger.MODEL)
    given = arguments.parse_args()
    train, _, _ = corpora.split()
    rng = random.Random(7)  # noqa: S311 - the same strings every time
    rendered = list(render.rendered(train, given.rendered, rng))
    mixed = list(render.recombined(train, given.recombined, rng))
    trainer = pycrfsuite.Trainer(verbose=True)
    begun = time.perf_counter()
    for item in [*train, *rendered, *mixed]:
        cut = tagger.tokens(item.raw)[:400]
        if cut:
            trainer.append(tagger.features(cut), labels_of(item, cut))
    seconds = time.perf_counter() - begun
    print(f"{len(train)} strings, {len(rendered)} rendered, {len(mixed)} recombined, {seconds:.0f} s", flush=True)
    trainer.select("lbfgs")
    trainer.set_params(
        {
            "c1": given.c1,
            "c2": given.c2,
            "max_iterations": given.iterations,
            "feature.minfreq": given.minfreq,
            "feature.possible_transitions": True,
        }
    )
    given.model.parent.mkdir(exist_ok=True)
    trainer.train(str(given.model))
    print(f"{given.model}: {given.model.stat().st_size / 1e6:.1f} MB, {time.perf_counter() - begun:.0f} s in all")


if __name__ == "__main__":
    main()
