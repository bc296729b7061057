"""The page of figures, written from them: Markdown tables with the commands beside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.bibliography.scoring import FIELDS

_HEAD = """# References: figures

Made by `python -m benchmarks.references` from the repository's root; it needs the shared data in `../shared` and takes
some minutes on one core. The numbers are kept in `FIGURES.json`, floors under them in `FLOORS.json`;
`tests/bibliography/test_floors.py` and `tests/citations/test_citation_floors.py` hold them. `--floors` raises the
floors; nothing lowers them.

The model is trained by `python -m benchmarks.bibliography.train` (see `rag/bibliography/model/CARD.md`). Faults one by
one: `python -m benchmarks.citations.measure --show ARTICLE`.
"""


def written(figures: Mapping[str, Any]) -> str:
    """The whole page."""
    parts = [_HEAD, _parsing(figures["parsing"]), _linking(figures["linking"]), _scope(figures["scope"])]
    parts += [_audit(figures["audit"], figures["planted faults"]), _trips(figures["round trips"])]
    return "\n".join([*parts, _speed(figures["speed"])])


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(map(str, row))} |" for row in [head, ["---"] * len(head), *rows]]
    return "\n".join(lines) + "\n"


def _parsing(found: Mapping[str, Any]) -> str:
    rows = [
        [name, found["strings"][name], *(f"{table[k]:.3f}" for k in ("micro", "precision", "recall", *FIELDS))]
        for name, table in found["f1"].items()
    ]
    rules = found["rules"]
    articles = found["scielo by article"]
    return f"""## Reference strings → fields

F1 of whole values, white space and final punctuation normalised. SciELO was never trained on; "left out" is what of
AnyStyle and GROBID training did not see: 15 % by file, and two collections whole.

{_table(["strings of", "count", "F1", "precision", "recall", *FIELDS], rows)}
Of SciELO's articles the median is {articles["median"]:.3f}, the worst {min(articles["worst five"].values()):.3f}.
Rules decide {rules["scielo"]["decided by rules"]:.1%} of the values on SciELO and
{rules["left out"]["decided by rules"]:.1%} on what was left out (identifiers, addresses, days of access,
entries marked "[Online]"); without them F1 would be
{rules["scielo"]["without rules"]:.3f} and {rules["left out"]["without rules"]:.3f}.

Entries of SciELO that come back whole when the list is laid out so (F1):

{_table(["layout", "F1"], found["entries found by layout"].items())}"""


def _linking(found: Mapping[str, Any]) -> str:
    rows = [
        [
            name,
            how,
            s["links"],
            *(f"{s[k]:.3f}" for k in ("precision", "recall", "f1", "f1_tagged")),
            f"{row['worst'][1]:.3f} {row['worst'][0]}",
        ]
        for how, sets in found.items()
        for name, row in sets.items()
        for s in (row["all"],)
    ]
    return f"""## In-text citations → entries

From running text; the list as plain strings ("end to end") or with the XML's own fields ("gold list"). A link is right
when the gold has one to the same entry at that place. "F1, tagged" does not count against us what the gold left
untagged while it links the same work elsewhere in the text. `translations` are second-language bodies that print the
original's list: one of them cites English editions that this list does not hold, so its links cannot be told from the
two texts, and it stays a row of its own. `with translations` pools both.

{_table(["set", "list", "links", "precision", "recall", "F1", "F1, tagged", "worst article"], rows)}"""


def _scope(found: Mapping[str, Any]) -> str:
    rows = [[name, row["judged"], row["right"]] for name, row in found.items()]
    return f"""## Scope

Judged pieces of evidence that lie under exactly the entries they should lead to (`rag.citations.covering`).

{_table(["document", "judged", "right"], rows)}"""


def _audit(found: Sequence[Sequence[str]], planted: Mapping[str, Mapping[str, float]]) -> str:
    faults = [
        [kind, int(row["planted"]), int(row["found"]), f"{row['share']:.3f}"]
        for kind, row in planted.items()
        if "share" in row
    ]
    alarms = [row for row in planted.values() if "alarms" in row]
    said = (
        f"Of {alarms[0]['citations']} citations that the gold links, {alarms[0]['alarms']} are called unlisted."
        if alarms
        else ""
    )
    return f"""## The audit

What it finds in the raw article:

{_table(["kind", "severity", "entry"], found)}
Faults planted in eLife's and SciELO's articles, one at a time, and found at their place
(`benchmarks/citations/planted.py`):

{_table(["kind", "planted", "found", "share"], faults)}
{said}
"""


def _trips(found: Mapping[str, Any]) -> str:
    rows = [
        [name, row["items"], row["fields"], ", ".join(f"{k} {n}" for k, n in row["lost"].items()) or "nothing"]
        for name, row in found.items()
    ]
    return f"""## Round trips

Real items written and read again; a field is lost when it does not come back the same. A property test
(`tests/bibliography/test_structured.py`) sends invented items the same ways.

{_table(["path", "items", "fields", "lost"], rows)}"""


def _speed(rows: Sequence[Mapping[str, Any]]) -> str:
    head = ["references", "mentions", "cited by", "parse, s", "link, s", "audit, s", "s in all"]
    body = [
        [
            r["references"],
            r["mentions"],
            r["cited by"],
            r["parse"],
            r["link"],
            r["audit"],
            round(r["parse"] + r["link"] + r["audit"], 2),
        ]
        for r in rows
    ]
    return f"""## Speed

One core, from running text and plain list.

{_table(head, body)}"""
