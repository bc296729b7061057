"""A run, or two compared, as one HTML file: tables and plots drawn as SVG, nothing fetched from anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from rag.evaluate.answers import Outcome
from rag.evaluate.runs import Run, differences
from rag.evaluate.sets import EvaluationSet
from rag.evaluate.statistics import Difference, Estimate

_STYLE = """
:root { color-scheme: light dark; --one: #2563eb; --two: #d97706; --line: #8886; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; } td, th { padding: .25rem .7rem; text-align: left;
vertical-align: top; border-bottom: 1px solid var(--line); }
td.n { text-align: right; font-variant-numeric: tabular-nums; }
svg { max-width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
.one { fill: var(--one); stroke: var(--one); } .two { fill: var(--two); stroke: var(--two); }
.axis { stroke: var(--line); } .bad { color: #b91c1c; } figure { margin: 1.5rem 0; } figcaption { opacity: .8; }
"""
_WORST = 30
_CLASSES = ("one", "two")


def page(given: EvaluationSet, runs: Sequence[Run], command: str = "") -> str:
    """The report of one run, or of two and their difference."""
    estimates = [r.estimates() for r in runs]
    parts = [
        f"<h1>{escape(given.name)}</h1>",
        f"<p>{len(given.queries)} questions"
        + (f", {len(given.documents)} documents" if given.documents else "")
        + f"; {escape(given.kind)}, SHA-256 {given.sha256[:16]}…</p>",
        f"<pre>{escape(command)}</pre>" if command else "",
        "<h2>Measures</h2>",
        _measures(runs, estimates),
        _intervals(estimates),
    ]
    if len(runs) == 2:
        parts += ["<h2>The second against the first</h2>", _comparison(differences(runs[0], runs[1])),
                  _question_by_question(runs[0], runs[1])]  # fmt: skip
    for number, run in enumerate(runs):
        if run.outcomes:
            parts += [f"<h2>Answers{_which(number, runs)}</h2>", _risk(run), _failures(run.outcomes)]
        parts.append(_weakest(given, run, f"Weakest searches{_which(number, runs)}"))
    parts += ["<h2>Settings</h2>", _settings(runs)]
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">\n'
        f"<title>Evaluation: {escape(given.name)}</title><style>{_STYLE}</style>\n{''.join(parts)}\n</html>\n"
    )


def _which(number: int, runs: Sequence[Run]) -> str:
    return f", setting {number + 1}" if len(runs) > 1 else ""


def _measures(runs: Sequence[Run], estimates: Sequence[Mapping[str, Estimate]]) -> str:
    names = list(dict.fromkeys(name for own in estimates for name in own))
    rows = []
    for name in names:
        cells = "".join(
            f'<td class="n">{own[name].mean:.4f}</td><td>{own[name].low:.3f} to {own[name].high:.3f}</td>'
            f'<td class="n">{own[name].n}</td>'
            if name in own else "<td></td><td></td><td></td>"
            for own in estimates
        )  # fmt: skip
        rows.append(f"<tr><th>{escape(name)}</th>{cells}</tr>")
    if any(r.separation is not None for r in runs):
        cells = "".join(f'<td class="n">{r.separation}</td><td></td><td></td>' for r in runs)
        rows.append(f"<tr><th>confidence tells answerable (AUC)</th>{cells}</tr>")
    head = "<th>mean</th><th>95% interval</th><th>questions</th>" * len(estimates)
    return f"<table><tr><th></th>{head}</tr>{''.join(rows)}</table>"


def _intervals(estimates: Sequence[Mapping[str, Estimate]]) -> str:
    """A dot with its interval for every measure, 0 to 1."""
    names = list(dict.fromkeys(name for own in estimates for name in own))
    height, left, width = 26, 130, 560
    drawn = []
    for row, name in enumerate(names):
        y = 20 + row * height
        drawn.append(f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{escape(name)}</text>')
        drawn.append(f'<line class="axis" x1="{left}" x2="{left + width}" y1="{y}" y2="{y}"/>')
        for number, own in enumerate(estimates):
            if name in own:
                e, at = own[name], y + (number * 8 - 4 if len(estimates) > 1 else 0)
                drawn.append(
                    f'<g class="{_CLASSES[number]}"><line stroke-width="3" x1="{left + e.low * width:.1f}" '
                    f'x2="{left + e.high * width:.1f}" y1="{at}" y2="{at}"/>'
                    f'<circle r="4" cx="{left + e.mean * width:.1f}" cy="{at}"/></g>'
                )
    total = 30 + len(names) * height
    ticks = "".join(
        f'<text x="{left + i / 4 * width}" y="{total + 6}" text-anchor="middle">{i / 4:g}</text>' for i in range(5)
    )
    return _figure(left + width + 20, total + 12, "".join(drawn) + ticks, "Means with 95% bootstrap intervals.")


def _comparison(found: Mapping[str, Difference]) -> str:
    rows = "".join(
        f'<tr><th>{escape(name)}</th><td class="n">{d.mean:+.4f}</td><td>{d.low:+.4f} to {d.high:+.4f}</td>'
        f'<td class="n">{d.p:.4f}</td><td class="n">{d.better}</td><td class="n">{d.worse}</td></tr>'
        for name, d in found.items()
    )
    return (
        "<table><tr><th></th><th>difference</th><th>95% interval</th><th>p (paired randomisation)</th><th>better</th>"
        f"<th>worse</th></tr>{rows}</table>"
    )


def _question_by_question(first: Run, second: Run) -> str:
    """The differences of the first measure, sorted, which shows a few large ones apart from many small ones."""
    name = next(iter(first.values), None)
    if name is None:
        return ""
    own, other = first.values[name], second.values.get(name, {})
    apart = sorted(other[q] - own[q] for q in own if q in other)
    if not apart:
        return ""
    width, middle = 640, 90
    step = width / len(apart)
    bars = "".join(
        f'<rect class="{"two" if d > 0 else "one"}" x="{30 + i * step:.2f}" width="{max(step, 0.5):.2f}" '
        f'y="{middle - max(d, 0) * 70:.1f}" height="{abs(d) * 70:.1f}" stroke="none"/>'
        for i, d in enumerate(apart) if abs(d) > 1e-12
    )  # fmt: skip
    axis = f'<line class="axis" x1="30" x2="{30 + width}" y1="{middle}" y2="{middle}"/>'
    return _figure(width + 60, 2 * middle, axis + bars, f"{name}, question by question: second minus first, sorted.")


def _risk(run: Run) -> str:
    """What share of answers is right when only the most confident are given, and where the threshold stands."""
    points = [(p.coverage, 1 - p.risk) for p in run.curve]
    if not points:
        return ""
    stands = [p for p in run.curve if run.threshold is not None and p.threshold >= run.threshold][-1:]
    mark = "".join(
        f'<circle class="two" r="5" cx="{50 + p.coverage * 560:.1f}" cy="{20 + p.risk * 180:.1f}"/>' for p in stands
    )
    line = " ".join(f"{50 + x * 560:.1f},{20 + (1 - y) * 180:.1f}" for x, y in points)
    frame = (
        '<line class="axis" x1="50" x2="610" y1="200" y2="200"/><line class="axis" x1="50" x2="50" y1="20" y2="200"/>'
    )
    ticks = "".join(
        f'<text x="44" y="{24 + (1 - i / 4) * 180}" text-anchor="end">{i / 4:g}</text>'
        f'<text x="{50 + i / 4 * 560}" y="216" text-anchor="middle">{i / 4:g}</text>' for i in range(5)
    )  # fmt: skip
    drawn = f'{frame}{ticks}<polyline class="one" style="fill:none" stroke-width="2" points="{line}"/>{mark}'
    caption = "Right answers among those given (up) by share of questions answered (right), the most confident first"
    dot = f"; the dot is the threshold {run.threshold:g}" if stands else ""
    return _figure(640, 224, drawn, f"{caption}{dot}.")


def _failures(outcomes: Sequence[Outcome]) -> str:
    rows = "".join(
        f'<tr><td>{escape(o.id)}</td><td>{escape(o.question)}</td><td class="bad">{escape("; ".join(o.failures))}</td>'
        f'<td>{escape(o.answer[:300])}</td><td class="n">{o.confidence:.3f}</td></tr>'
        for o in outcomes if o.failures
    )  # fmt: skip
    return f"<details><summary>Failures</summary><table>{rows}</table></details>" if rows else "<p>No failures.</p>"


def _weakest(given: EvaluationSet, run: Run, title: str) -> str:
    own = run.values.get("nDCG@10", {})
    texts = {q.id: q for q in given.queries}
    rows = "".join(
        f'<tr><td>{escape(q)}</td><td>{escape(texts[q].text)}</td><td class="n">{value:.3f}</td></tr>'
        for q, value in sorted(own.items(), key=lambda item: (item[1], item[0]))[:_WORST]
        if value < 1
    )
    return f"<details><summary>{escape(title)} (nDCG@10)</summary><table>{rows}</table></details>" if rows else ""


def _settings(runs: Sequence[Run]) -> str:
    names = list(dict.fromkeys(name for r in runs for name in (*r.settings, *r.models)))
    rows = ""
    for name in names:
        cells = [str(r.settings.get(name, r.models.get(name, ""))) for r in runs]
        mark = ' class="bad"' if len(set(cells)) > 1 else ""
        rows += f"<tr><th>{escape(name)}</th>{''.join(f'<td{mark}>{escape(c)}</td>' for c in cells)}</tr>"
    return f"<table>{rows}</table>"


def _figure(width: float, height: float, drawn: str, caption: str) -> str:
    return (
        f'<figure><svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" role="img" aria-label="{escape(caption)}">'
        f"{drawn}</svg><figcaption>{escape(caption)}</figcaption></figure>"
    )
