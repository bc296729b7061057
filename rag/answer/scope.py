"""What a question names of the collection: its documents, entries and sections, told apart from what it asks of them.

"How many patients were screened in Erlwein et al. (2010)?" asks "How many patients were screened?" of one document. A
document is named by author and year, as the service itself prints it, by its title or the rare words of it ("the
Rituximab trial"), by its file, or as "this paper"; an entry by its authors, the body behind it, or its title. What
names is taken out of the question, whose words then find the answer and not the name. Knows no vectors.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from weakref import WeakKeyDictionary, ref

from rag.answer import wording
from rag.function_words import STOP
from rag.lexical import terms
from rag.store import Generation
from rag.types import Document, Reference, Section

WORKS = wording.said("works")
"""Nouns for a work: "this article", "the Rituximab trial"."""
_PARTS = wording.said("parts")
_THIS = wording.said("this")
_BEFORE_NAMES = wording.said("before_names")
_BEHIND_PARTS = wording.said("behind_parts")
_COMMON_PARTS = {
    "abstract": ("abstract", "summary"),
    "introduction": ("introduction", "background"),
    "conclusion": ("conclusion", "conclusions", "concluding", "closing", "outlook"),
    "conclusions": ("conclusion", "conclusions", "concluding", "closing", "outlook"),
    "discussion": ("discussion",),
    "methods": ("methods", "method", "methodology", "approach", "materials"),
    "results": ("results", "findings", "evaluation"),
}
"""Parts that papers have under one of several headings."""
_WORD = re.compile(r"[^\W_]+(?:[.'’-][^\W_]+)*")
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d[a-z]?")
_QUOTED = re.compile(r"[“\"«„]([^”\"»“]{3,200})[”\"»“]")
_QUOTES = '“"«„'
_RARE_TITLE = 2
"""Words of a title, in a row, that name it when it is the only one to have them."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a question names, and the question without it."""

    text: str
    documents: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()
    sections: tuple[tuple[str, Section], ...] = ()
    """With the document of each."""
    section_named: str = ""
    """The words that name a section, also where no document has one so called."""
    this: bool = False
    """Whether it speaks of "this article", or of the collection's texts as a whole."""


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    folded: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Named:
    """Somebody or something that can be named: surnames or the name of a body, year, title."""

    id: str
    names: tuple[tuple[str, ...], ...]
    """Of each author the words of the family name, or of the body's whole name, folded."""
    year: str
    title: tuple[str, ...]


class _Names:
    """Names to look up: by the first word of an author, by the telling words of a title."""

    def __init__(self, named: Sequence[_Named]) -> None:
        self.named = named
        self.starts: dict[str, list[tuple[_Named, tuple[str, ...]]]] = {}
        self._titled: dict[str, list[int]] = {}
        for n, one in enumerate(named):
            for name in one.names[:1]:
                self.starts.setdefault(name[0], []).append((one, name))
                if len(name) > 2 and (initials := "".join(w[0] for w in name if w not in STOP)) and len(initials) > 2:
                    self.starts.setdefault(initials, []).append((one, (initials,)))
            for word in {w for w in one.title if w not in STOP}:
                self._titled.setdefault(word, []).append(n)

    def with_words(self, words: Iterable[str]) -> list[_Named]:
        """Those whose title has one of the words, in their order."""
        return [self.named[n] for n in sorted({n for w in words for n in self._titled.get(w, ())})]


class Catalogue:
    """The names under which a generation's documents and entries go."""

    def __init__(self, generation: Generation) -> None:
        self._generation = ref(generation)  # else what is kept for a generation would keep it for ever
        self.documents = _Names([_of_document(d) for d in generation.documents()])

    @cached_property
    def entries(self) -> _Names:
        """Of every entry of every list."""
        return _Names([_of_entry(r) for r in self._of().references()])

    @cached_property
    def files(self) -> dict[str, str]:
        """Document ids by file name, with and without its ending."""
        found: dict[str, str] = {}
        for document in self._of().documents():
            for name in (document.source, document.source.rsplit(".", 1)[0], document.id):
                found.setdefault(name.casefold(), document.id)
        return found

    def _of(self) -> Generation:
        generation = self._generation()
        assert generation is not None  # noqa: S101  (whoever asks holds it)
        return generation


_catalogues: WeakKeyDictionary[Generation, Catalogue] = WeakKeyDictionary()


def catalogue(generation: Generation) -> Catalogue:
    """The catalogue of a generation, made once."""
    if generation not in _catalogues:
        _catalogues[generation] = Catalogue(generation)
    return _catalogues[generation]


def resolve(text: str, generation: Generation) -> Scope:
    """What `text` names, taken out of it. Never raises."""
    names = catalogue(generation)
    tokens = [_Token(m.group(), fold(m.group()), m.start(), m.end()) for m in _WORD.finditer(text)]
    cuts: list[tuple[int, int]] = []
    documents: dict[str, None] = {}
    entries: dict[str, None] = {}
    for found, start, end, _ in _by_author(names.documents, tokens):
        documents.setdefault(found.id)
        cuts.append(_with_lead(text, tokens, start, end))
    for document_id, start, end in _by_file(names, text):
        documents.setdefault(document_id)
        cuts.append((start, end))
    for document_id, start, end in _by_title(names.documents, tokens, text):
        documents.setdefault(document_id)
        if text[start : start + 1] in _QUOTES:  # without quotation marks a title may be what is asked about
            cuts.append((start, end))
    if not documents:
        for found, start, end, sure in _by_author(names.entries, tokens):
            entries.setdefault(found.id)
            if sure:
                cuts.append(_with_lead(text, tokens, start, end))
        for entry_id, _, _ in _by_title(names.entries, tokens, text):
            entries.setdefault(entry_id)
    section_named, at = _section_words(tokens)
    sections = _sections(generation, section_named, documents) if section_named else ()
    if sections and at:
        cuts.append(at)
    this = any(a.folded in _THIS and b.folded in WORKS for a, b in pairwise(tokens))
    if not documents and not sections:
        documents.update(dict.fromkeys(_by_rare_words(names.documents.named, tokens)))
    left = _without(text, cuts)
    return Scope(left if terms(left) else text, tuple(documents), tuple(entries), sections, section_named, this=this)


def fold(word: str) -> str:
    """A word without case, accents and possessive."""
    plain = unicodedata.normalize("NFKD", word.casefold().replace("’", "'"))
    return "".join(c for c in plain if not unicodedata.combining(c)).removesuffix("'s").rstrip("'")


def _of_document(document: Document) -> _Named:
    names = []
    for byline in document.authors:
        parts = [fold(w) for w in _WORD.findall(byline.name)]
        if parts:
            names.append((parts[-1],) if len(parts) <= 4 else tuple(parts))
    return _Named(document.id, tuple(names), (document.date or "")[:4], _folded(document.title or ""))


def _of_entry(reference: Reference) -> _Named:
    csl = reference.csl
    people = csl.get("author") or csl.get("editor") or ()
    names = [_folded(str(p.get("family") or p.get("literal") or "")) for p in people]
    parts = ((csl.get("issued") or {}).get("date-parts") or [[]])[0]
    year = f"{parts[0]}{csl.get('year-suffix') or ''}" if parts else ""
    return _Named(reference.id, tuple(n for n in names if n), year, _folded(str(csl.get("title") or "")))


def _folded(text: str) -> tuple[str, ...]:
    return tuple(fold(w) for w in _WORD.findall(text))


def _by_author(names: _Names, tokens: Sequence[_Token]) -> Iterator[tuple[_Named, int, int, bool]]:
    """Who is named by author, with the tokens that do it and whether year or co-authors make it sure.

    Where years are given, only works of that year are meant; where several works fit as well, all are.
    """
    for i, token in enumerate(tokens):
        if not token.text[:1].isupper():
            continue
        found: list[tuple[int, _Named, int, bool]] = []
        for one, name in names.starts.get(token.folded, ()):
            after = i + len(name)
            if tuple(t.folded for t in tokens[i:after]) != name:
                continue
            after, together = _co_authors(one, tokens, after)
            year = tokens[after].folded if after < len(tokens) and _YEAR.fullmatch(tokens[after].folded) else ""
            if year and one.year and year.rstrip("abcdefgh") != one.year.rstrip("abcdefgh"):
                continue
            if year and year[-1:].isalpha() and year != one.year:
                continue
            sure = together or bool(year) or len(name) > 2
            found.append((4 * bool(year) + 2 * together + len(name), one, after + bool(year), sure))
        best = max((score for score, *_ in found), default=0)
        for score, one, after, sure in found:
            if score == best:
                yield one, i, after, sure


def _co_authors(one: _Named, tokens: Sequence[_Token], after: int) -> tuple[int, bool]:
    """Where "et al." or "and Yao" behind the first name ends, and whether there is such a thing."""
    words = [t.folded.rstrip(".") for t in tokens[after : after + 2]]
    if words == ["et", "al"] or words[:1] == ["et.al"]:
        return after + 2, len(one.names) > 1
    at, together = after, False
    for name in one.names[1:]:
        # Given names may stand between: "Huang Rihan and Yao Haolong".
        for skip in range(4):
            between = tokens[at : at + skip]
            if not all(t.text[:1].isupper() or t.folded in {"and", "y", "und", "et"} for t in between):
                continue
            if tuple(t.folded for t in tokens[at + skip : at + skip + len(name)]) == name:
                at, together = at + skip + len(name), True
                break
        else:
            break
    return at, together


def _with_lead(text: str, tokens: Sequence[_Token], start: int, end: int) -> tuple[int, int]:
    """The characters of a name with "in", "the study by" before it, and the bracket behind its year."""
    first = start
    for _ in range(4):
        if first and tokens[first - 1].folded in (_BEFORE_NAMES | WORKS | _THIS):
            first -= 1
    stop = tokens[end - 1].end
    while stop < len(text) and text[stop] in ")].":
        stop += 1
    return tokens[first].start, stop


def _by_file(names: Catalogue, text: str) -> Iterator[tuple[str, int, int]]:
    folded = text.casefold()
    for name, document_id in names.files.items():
        if len(name) >= 5 and (at := folded.find(name)) >= 0:
            around = folded[max(0, at - 1) : at] + folded[at + len(name) : at + len(name) + 1]
            if not any(c.isalnum() for c in around) and (
                "." in name or "-" in name or "_" in name or any(c.isdigit() for c in name)
            ):
                yield document_id, at, at + len(name)


def _by_title(names: _Names, tokens: Sequence[_Token], text: str) -> Iterator[tuple[str, int, int]]:
    """Works whose title stands in the question: quoted, in part or whole, or four of its words in a row."""
    quoted = [(m.start(), m.end(), _folded(m.group(1))) for m in _QUOTED.finditer(text)]
    folded = [t.folded for t in tokens]
    # A run that names a title has telling words; only a quotation may be of none.
    bare = any(all(w in STOP for w in words) for *_, words in quoted)
    for one in names.named if bare else names.with_words(w for w in folded if w not in STOP):
        title = one.title
        if len(title) < _RARE_TITLE:
            continue
        for start, end, words in quoted:
            if len(words) >= _RARE_TITLE and _contains(title, words):
                yield one.id, start, end
        least = min(len(title), 4)
        at, longest = _longest_common(folded, title)
        telling = [w for w in folded[at : at + longest] if w not in STOP]
        if longest >= least and len(telling) >= 2 and telling != ["artificial", "intelligence"]:
            yield one.id, tokens[at].start, tokens[at + longest - 1].end


def _contains(whole: Sequence[str], part: Sequence[str]) -> bool:
    return any(tuple(whole[i : i + len(part)]) == tuple(part) for i in range(len(whole) - len(part) + 1))


def _longest_common(one: Sequence[str], other: Sequence[str]) -> tuple[int, int]:
    """Where in `one` the longest run of words that `other` has too begins, and how long it is."""
    best, length = 0, 0
    before = [0] * (len(other) + 1)
    for i, word in enumerate(one):
        row = [0] * (len(other) + 1)
        for j, theirs in enumerate(other):
            if word == theirs:
                row[j + 1] = before[j] + 1
                if row[j + 1] > length:
                    best, length = i - row[j + 1] + 1, row[j + 1]
        before = row
    return best, length


def _by_rare_words(named: Sequence[_Named], tokens: Sequence[_Token]) -> list[str]:
    """The document that "the Rituximab trial" means: the only one whose title has the words before the noun."""
    for i, token in enumerate(tokens):
        if token.folded.rstrip("s") not in WORKS and token.folded not in WORKS:
            continue
        first = i
        while first and i - first < 4 and tokens[first - 1].folded not in (STOP - {"s"}):
            first -= 1
        words = {t for w in tokens[first:i] for t in terms(w.folded)} or set(terms(token.folded))
        if not first or tokens[first - 1].folded not in _THIS:
            continue
        having = [one for one in named if words <= {t for w in one.title for t in terms(w)}]
        if len(having) == 1 and len(named) > 1:
            return [having[0].id]
    return []


def _section_words(tokens: Sequence[_Token]) -> tuple[str, tuple[int, int] | None]:
    """The words that name a section ("the section on copyright", "the conclusion") and their characters."""
    folded = [t.folded for t in tokens]
    for i, word in enumerate(folded):
        if word.rstrip("s") in _PARTS or word in _PARTS:
            if folded[i + 1 : i + 2] and folded[i + 1] in _BEHIND_PARTS:
                rest = tokens[i + 2 :]
                if rest:
                    return " ".join(t.text for t in rest), (tokens[max(0, i - 1)].start, rest[-1].end)
            if i and folded[i - 1] not in STOP:
                return tokens[i - 1].text, (tokens[max(0, i - 2)].start, tokens[i].end)
        if word in _COMMON_PARTS and i and folded[i - 1] in _THIS and folded[max(0, i - 2)] in _BEFORE_NAMES:
            return word, (tokens[max(0, i - 2)].start, tokens[i].end)
    return "", None


def _sections(generation: Generation, named: str, documents: dict[str, None]) -> tuple[tuple[str, Section], ...]:
    """The sections whose headings have the words, most of them; parents before children."""
    wanted = {t for t in terms(named) if t not in STOP}
    common = {t for w in _COMMON_PARTS.get(fold(named), ()) for t in terms(w)}
    found: list[tuple[float, str, Section]] = []
    for document in generation.documents():
        if documents and document.id not in documents:
            continue
        for section in document.sections:
            held = {t for t in terms(section.title) if t not in STOP}
            if section.kind == "bibliography" or not held:
                continue
            share = 1.0 if common & held else len(wanted & held) / max(1, len(wanted))
            if share >= 0.6:
                found.append((share, document.id, section))
    best = max((share for share, *_ in found), default=0.0)
    return tuple((d, s) for share, d, s in found if share == best)


def _without(text: str, cuts: Sequence[tuple[int, int]]) -> str:
    kept, position = [], 0
    for start, end in sorted(cuts):
        if start >= position:
            kept.append(text[position:start])
        position = max(position, end)
    kept.append(text[position:])
    return re.sub(r" ([?.,!])", r"\1", " ".join("".join(kept).split())).strip(" ,")
