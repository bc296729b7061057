"""How well listed works are recognised, and their sentences found: `python -m benchmarks.sources.measure --json FILE`.

*Recognised*: open-access articles in JATS are the documents; each is listed once in another article's bibliography, in
five styles and without its DOI, among all entries that the articles themselves list. Read as a file with metadata, and
as bare text, as a PDF gives it.
*Found*: claims of SciFact (train) are the sentences of an invented article, each citing an abstract that is a document
of the collection and attached to its entry. Experts said which sentences of the abstract bear the claim, which deny it,
and of which abstracts neither.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from string import ascii_lowercase
from typing import Any

from rag import attachments, bibliography, documents
from rag.answer.attribute import attribute
from rag.answer.sources import Counterparts
from rag.build import Incoming
from rag.settings import Settings
from rag.types import Document, Reference, Span
from rag.workspace import Workspace

DATA = Path(__file__).parents[3] / "shared/data"
STYLES = ("harvard", "apa", "chicago", "mla", "ieee")
CLAIMS = {"SUPPORT": 120, "CONTRADICT": 60, "neither": 120}


def main() -> None:
    """Measure and print, or keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="keep the figures here")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--part", choices=["recognised", "found"])
    chosen = parser.parse_args()
    figures: dict[str, Any] = {"command": "python -m benchmarks.sources.measure --json benchmarks/sources/FIGURES.json"}
    if chosen.part != "found":
        figures["recognised"] = recognised(chosen.data)
    if chosen.part != "recognised":
        figures["found"] = found(chosen.data)
    text = json.dumps(figures, indent=1, ensure_ascii=False) + "\n"
    print(text)
    if chosen.json:
        chosen.json.write_text(text, encoding="utf-8")


def recognised(data: Path, at_most: int | None = None) -> dict[str, Any]:
    """Of each article (`at_most` so many of a collection), whether it is attached to its own entry and to others'."""
    articles = [
        documents.read(path)
        for folder in ("elife_jats", "plos_jats", "scielo_jats")
        for path in sorted((data / folder).glob("*.xml"))[:at_most]
    ]
    articles = [a for a in articles if a.title and a.authors]
    strangers = [
        replace(entry, id=f"{a.id}-{n}", document_id=a.id) for a in articles for n, entry in enumerate(_listed(a))
    ]
    ours = [entry for a in articles for entry in _own(a)]
    figures: dict[str, Any] = {"articles": len(articles), "other_entries": len(strangers), "styles": len(STYLES)}
    for name, read in (("with metadata", articles), ("bare text", [_bare(a) for a in articles])):
        given, _ = attachments.attach(read, [*ours, *strangers], {})
        pairs = [(i, a.reference_id) for i, own in given.items() for a in own]
        right = sum(1 for i, entry in pairs if entry.startswith(f"own:{i}:"))
        wrong = [entry for i, entry in pairs if entry.startswith("own:") and not entry.startswith(f"own:{i}:")]
        others = sorted({f"{i} {entry}" for i, entry in pairs if not entry.startswith("own:")})
        figures[name] = {
            "recall": round(right / len(ours), 4),
            "another_articles_entry": len(wrong),
            "entries_of_other_articles_lists": others,
        }
    return figures


def _listed(article: Document) -> Iterator[Reference]:
    for span in article.bibliography():
        yield from bibliography.parse(span.of(article.text), offset=span.start, language=article.language)[0]


def _own(article: Document) -> Iterator[Reference]:
    """The article as others would list it, formatted and read again, without its DOI."""
    people = [
        {"given": " ".join(b.name.split()[:-1]), "family": b.name.split()[-1]}
        for b in article.authors
        if b.name.split()
    ]
    csl: dict[str, Any] = {"type": "article-journal", "title": article.title, "author": people}
    csl |= {"container-title": "Journal of Examples", "volume": "3", "page": "1-9"}
    if article.date:
        csl["issued"] = {"date-parts": [[int(article.date[:4])]]}
    for style in STYLES:
        raw = bibliography.format_reference(csl, style)
        entry, _ = bibliography.parse_entry(raw)
        number = f"own:{article.id}:{style}"
        yield Reference(number, entry, raw=raw, document_id=f"list-{number}")


def _bare(article: Document) -> Document:
    """The same as its text alone shows it."""
    return replace(article, title=None, authors=(), date=None, address=None)


def found(data: Path) -> dict[str, Any]:
    """Of claims that cite an abstract at hand, whether its own sentence is cited beside them, and the right one."""
    abstracts = {a["_id"]: a for a in map(json.loads, (data / "scifact/corpus.jsonl").open(encoding="utf-8"))}
    claims = _claims(data)
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        workspace = Workspace(Settings(corpus=base / "corpus", index=base / "index", collection="c"))
        (base / "corpus/c").mkdir(parents=True)
        names = ["".join(letters).title() for letters in product(ascii_lowercase[:12], repeat=4)]
        random.Random(1).shuffle(names)  # noqa: S311  (names, not secrets)
        text, entries = [], []
        for (claim, doc, _), name in zip(claims, names, strict=False):
            text.append(f"{claim.rstrip(' .')} ({name}son, 2020).")
            entries.append(
                f"{name}son, A., 2020. {abstracts[doc]['title'].rstrip('.')}. Journal of Examples, 3(1), pp. 1-9."
            )
        body = "\n\n".join(text)
        listing = "\n\n".join(entries)
        (base / "corpus/c/article.md").write_text(
            f"# An article\n\n{body}\n\n## References\n\n{listing}\n", encoding="utf-8"
        )
        workspace.rebuild()
        files = [
            Incoming(
                f"{name.lower()}.txt",
                f"{abstracts[doc]['title']}\n\n{' '.join(abstracts[doc]['sentences'])}\n".encode(),
                f"{name.lower()}son-2020",
            )
            for (_, doc, _), name in zip(claims, names, strict=False)
        ]
        _, refused = workspace.add_all(files)
        assert not any(refused), [r for r in refused if r][:3]
        generation = workspace.generation()
        article = generation.document("article")
        finder = Counterparts(generation, workspace.judge(), workspace.encoder().scale)
        counts = {label: {"claims": 0, "found": 0, "right": 0} for label in CLAIMS}
        for (claim, doc, evidence), name in zip(claims, names, strict=False):
            start = article.text.index(f"{claim.rstrip(' .')} ({name}son")
            passage = generation.passage_at("article", start)
            assert passage is not None
            span = next(s for s in passage.sentences if s.start <= start + 2 < s.end)
            others = finder.of(article, (passage, span), attribute(generation, article, span))
            row = counts[evidence["label"]]
            row["claims"] += 1
            row["found"] += bool(others)
            row["right"] += any(
                _within(s.of(generation.document(p.document_id).text), s, abstracts[doc], evidence) for p, s in others
            )
    return counts


def _within(cited: str, _: Span, abstract: Mapping[str, Any], evidence: Mapping[str, Any]) -> bool:
    gold = [" ".join(abstract["sentences"][i].split()) for i in evidence.get("sentences", ())]
    said = " ".join(cited.split())
    return any(said in g or g in said for g in gold)


def _claims(data: Path) -> list[tuple[str, str, dict[str, Any]]]:
    queries = [json.loads(line) for line in (data / "scifact/queries.jsonl").open(encoding="utf-8")]
    cited: dict[str, str] = {}
    for line in (data / "scifact/qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, doc, _ = line.split("\t")
        cited.setdefault(query, doc)
    rng = random.Random(7)  # noqa: S311  (a sample)
    rng.shuffle(queries)
    chosen: list[tuple[str, str, dict[str, Any]]] = []
    left = dict(CLAIMS)
    for q in queries:
        evidence = q["evidence"][0] if q["evidence"] else {"label": "neither", "doc": cited.get(q["_id"], "")}
        if evidence["doc"] and left[evidence["label"]] and len(q["text"]) > 30:
            left[evidence["label"]] -= 1
            chosen.append((q["text"], evidence["doc"], evidence))
    return chosen


if __name__ == "__main__":
    main()
