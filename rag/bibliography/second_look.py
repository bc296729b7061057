"""Labels that the model cannot have meant, put right by rules of its own trade.

Each rule looks at the segments of one entry in order and returns them mended; none fires where the model's reading is
complete. Knows nothing of CSL.
"""

from __future__ import annotations

import re
from itertools import pairwise

from rag.bibliography import names
from rag.bibliography.segments import Segment

_UPPER = r"[^\W\d_a-zß-öø-ÿа-я]"
_ENDS_IN_INITIAL = re.compile(rf"\s{_UPPER}\Z")
_MORE_INITIALS = re.compile(rf"\.\s?(?:{_UPPER}\.\s?){{1,3}}(?=[^\W\d_]{{2}})")
_NAMES = re.compile(
    rf"(?:{_UPPER}[\w'’-]+,?\s+(?:{_UPPER}\.\s?){{1,3}}(?:[,;]\s*|(?:and|und|et|и|y|e|&)\s+|(?={_UPPER})))+"
)
"""Family names with their initials, one behind the other."""
_OTHER_LETTER = re.compile(r"[^\W\d_A-Za-zÀ-ɏ]")
_BODY_FIRST = re.compile(rf"({_UPPER}[\w&'’-]*(?:\s[\w&'’-]+){{1,7}})\.\s+(?={_UPPER}\S*\s)")
_VANCOUVER = rf"{_UPPER}[\w'’-]+(?:\s{_UPPER}[\w'’-]+)?\s{_UPPER}{{1,3}}"
_AUTHORS_AND_TITLE = re.compile(rf"({_VANCOUVER}(?:,\s{_VANCOUVER})*)\.\s+({_UPPER}[^.?!]{{2,150}}[?!]?)(?:[.?!]|\Z)")
_INVERTED_AND_TITLE = re.compile(
    rf"({_UPPER}[\w'’-]+(?:\s{_UPPER}[\w'’-]+)?,\s(?:{_UPPER}\.\s?){{1,4}})\s*({_UPPER}[^.?!]{{2,150}})\Z"
)
_THREE_WORDS = re.compile(r"\S+\s\S+\s\S")
_INTERNET = re.compile(r"\s?\[(?:Internet|on-?line|software|dataset)\]", re.IGNORECASE)
_ENDS_IN_DATE = re.compile(r"(?<!\s)\s++((?:1[5-9]|20)\d\d\s[A-Z][a-z]{2}(?:-[A-Z][a-z]{2})?(?:\s\d{1,2})?)\Z")
_BODY_AND_TITLE = re.compile(rf"({_UPPER}[^.?!]{{4,160}})\.\s+({_UPPER}[^.?!]{{2,150}})\Z")
_UNREAD = re.compile(
    r"[)\].,:;\s]{1,4}((?!Available|Retrieved|Accessed|Dispon|https?:|www\.|doi\b)[^\W\d_][^.?!:]{2,150}[?!]?)[.:]?"
)
_EDITION = re.compile(
    r",\s+((?:(?:completely\s)?rev(?:ised|\.)|enlarged|expanded|updated|new|first|second|third|fourth|fifth|"
    r"\d{1,2}(?:st|nd|rd|th))"
    r"(?:\s(?:and|&)\s\w+)?\s+ed(?:ition|n|\.))\.?\Z",
    re.IGNORECASE,
)
_PLACE_AND_PUBLISHER = re.compile(rf",\s+({_UPPER}[\w.’' -]{{1,30}}):\s+({_UPPER}[^:;,]{{1,60}})\Z")
_GERMAN_DATE = re.compile(r"[\])]{0,2}\)\s*:")
_ONE_WORD = re.compile(rf"{_UPPER}[\w-]+(?:/{_UPPER}[\w-]+)?")
_LAST_WORD = re.compile(rf"\.\s+({_UPPER}[\w-]+(?:/{_UPPER}[\w-]+)?)\.?\Z")
_FIRST_SENTENCE = re.compile(r"[^.?!]{6,}?(?=[.?!](?:\s|\Z)|\Z)")


def mended(text: str, read: list[Segment]) -> list[Segment]:
    """The segments of `text` with every rule applied once."""
    for rule in (
        _initials,
        _body_first,
        _body_before_date,
        _title_behind_names,
        _title_behind_date,
        _title_in_author,
        _title_unread,
        _nothing_but_a_name,
        _date_in_container,
        _body_before_title,
        _edition,
        _strokes,
        _after_places,
        _place_in_container,
        _place_alone,
    ):
        read = rule(text, read)
    return read


def _initials(text: str, read: list[Segment]) -> list[Segment]:
    """Give a last author the initials that the title would begin with ("Family I" + ". I. Title")."""
    for i, (a, b) in enumerate(pairwise(read)):
        if a.label == "author" and b.label == "title" and _ENDS_IN_INITIAL.search(text, a.start, a.end):
            more = _MORE_INITIALS.match(text, a.end)
            if more and b.start < more.end() < b.end:
                return [*read[:i], a._replace(end=more.end()), b._replace(start=more.end()), *read[i + 2 :]]
    return read


def _body_first(text: str, read: list[Segment]) -> list[Segment]:
    """A publisher that begins the entry is who speaks in it."""
    labels = {s.label for s in read}
    if (
        read
        and read[0].label == "publisher"
        and not labels & {"author", "editor"}
        and not text[: read[0].start].strip()
    ):
        return [read[0]._replace(label="author"), *read[1:]]
    return read


def _body_before_date(text: str, read: list[Segment]) -> list[Segment]:
    """Of two titles, one before the date at the head and one behind it, the first is who speaks."""
    labels = [s.label for s in read[:3]]
    nobody = not any(s.label in {"author", "editor"} for s in read)
    if nobody and labels == ["title", "date", "title"] and not text[: read[0].start].strip():
        return [read[0]._replace(label="author"), *read[1:]]
    return read


def _title_behind_names(text: str, read: list[Segment]) -> list[Segment]:
    """Where the authors run on and no title is left, the title is the first sentence behind the last initial.

    For alphabets that the model was not taught; of Latin letters it knows better.
    """
    if not read or read[0].label != "author" or any(s.label in {"title", "container"} for s in read):
        return read
    if not _OTHER_LETTER.match(text, read[0].start):
        return read
    people = _NAMES.match(text, read[0].start, read[0].end)
    title = _FIRST_SENTENCE.match(text, people.end(), read[0].end) if people else None
    if people is None or title is None:
        return read
    first = [read[0]._replace(end=people.end()), Segment("title", title.start(), title.end())]
    rest = text[title.end() : read[0].end].strip(" .")
    if rest and text[read[0].end :].lstrip(" ")[:1] == ":":
        at = text.index(rest, title.end())
        first.append(Segment("place", at, at + len(rest)))
    return [*first, *read[1:]]


def _title_behind_date(text: str, read: list[Segment]) -> list[Segment]:
    """Where no title was told, what stands right behind the date at the head, whatever it was taken for, is it."""
    labels = {s.label for s in read}
    if "title" in labels:
        return read
    taken = {"genre", "note", "publisher"} | ({"container"} if not labels & {"volume", "issue", "page"} else set())
    taken |= {"place"} if any(s.label == "place" and _THREE_WORDS.match(text, s.start, s.end) for s in read) else set()
    if "container" in labels and "container" not in taken:
        return read
    for i, (a, b) in enumerate(pairwise(read)):
        if a.label == "date" and b.label in taken and not text[a.end : b.start].strip(" )].,:;"):
            title = _FIRST_SENTENCE.match(text, b.start) if b.label != "place" else None
            end = max(b.end, title.end()) if title else b.end
            return [*read[: i + 1], Segment("title", b.start, end), *(s for s in read[i + 2 :] if s.start >= end)]
    return read


def _title_in_author(text: str, read: list[Segment]) -> list[Segment]:
    """Where no title was told and the authors run over a stop behind a whole name, what follows it is the title."""
    if not read or read[0].label != "author" or any(s.label == "title" for s in read):
        return read
    whole = _AUTHORS_AND_TITLE.match(text, read[0].start, read[0].end)
    whole = whole or _INVERTED_AND_TITLE.match(text, read[0].start, read[0].end)
    if whole is None:
        body = _BODY_AND_TITLE.match(text, read[0].start, read[0].end)
        whole = body if body and names.is_body(body[1]) else None
    if whole is None:
        return read
    head = [Segment("author", *whole.span(1)), Segment("title", *whole.span(2))]
    rest = text[whole.end() : read[0].end].strip(" .")
    if rest and len(read) > 1 and read[1].label == "publisher":
        return [*head, read[1]._replace(start=text.index(rest, whole.end())), *read[2:]]
    return [*head, *read[1:]]


def _nothing_but_a_name(text: str, read: list[Segment]) -> list[Segment]:
    """A name with nothing beside it but an address, or with "[Internet]" behind it, is what is cited, not who."""
    if not read or read[0].label != "author" or any(s.label == "title" for s in read):
        return read
    alone = len(read) == 1 and not names.is_body(text[read[0].start : read[0].end])
    if alone or _INTERNET.match(text, read[0].end):
        return [read[0]._replace(label="title"), *read[1:]]
    return read


def _date_in_container(text: str, read: list[Segment]) -> list[Segment]:
    """A journal's name that ends in year and months, "J Staff Dev. 2008 Sep-Oct", holds the date."""
    if any(s.label == "date" for s in read):
        return read
    for i, segment in enumerate(read):
        if segment.label == "container" and (said := _ENDS_IN_DATE.search(text, segment.start, segment.end)):
            return [*read[:i], segment._replace(end=said.start()), Segment("date", *said.span(1)), *read[i + 1 :]]
    return read


def _title_unread(text: str, read: list[Segment]) -> list[Segment]:
    """Where no title was told, a sentence behind the date that nothing explains is it: "(2011) FishBase."."""
    if any(s.label in {"title", "container"} for s in read):
        return read
    for i, segment in enumerate(read):
        end = read[i + 1].start if i + 1 < len(read) else len(text)
        if segment.label == "date" and i > 0 and (said := _UNREAD.match(text, segment.end, end)):
            return [*read[: i + 1], Segment("title", *said.span(1)), *read[i + 1 :]]
    return read


def _body_before_title(text: str, read: list[Segment]) -> list[Segment]:
    """A title that begins the entry, of nobody, with a body's name as its first sentence: who speaks, and the title."""
    if not read or read[0].label != "title" or any(s.label in {"author", "editor"} for s in read):
        return read
    body = _BODY_FIRST.match(text, read[0].start, read[0].end)
    if body is None or text[: read[0].start].strip() or not names.is_body(body[1]):
        return read
    return [Segment("author", body.start(1), body.end(1)), read[0]._replace(start=body.end()), *read[1:]]


def _edition(text: str, read: list[Segment]) -> list[Segment]:
    """What a title says last of its edition is no part of it."""
    for i, segment in enumerate(read):
        if segment.label == "title" and (said := _EDITION.search(text, segment.start, segment.end)):
            if any(s.label == "edition" for s in read):
                return [*read[:i], segment._replace(end=said.start()), *read[i + 1 :]]
            edition = Segment("edition", said.start(1), said.end(1))
            return [*read[:i], segment._replace(end=said.start()), edition, *read[i + 1 :]]
    return read


def _strokes(text: str, read: list[Segment]) -> list[Segment]:
    """Russian lists put a double stroke between a title and what it stands in: "Title // Journal"."""
    for i, segment in enumerate(read):
        at = text.find(" // ", segment.start, segment.end) if segment.label == "title" else -1
        if at > 0 and not any(s.label == "container" for s in read):
            return [*read[:i], segment._replace(end=at), Segment("container", at + 4, segment.end), *read[i + 1 :]]
    return read


def _after_places(text: str, read: list[Segment]) -> list[Segment]:
    """What stands behind "Place: " is who published there, whatever the model took it for."""
    if any(s.label == "publisher" for s in read):
        return read
    published = {b for a, b in pairwise(read) if a.label == "place" and text[a.end : b.start].strip() == ":"}
    return [s._replace(label="publisher") if s in published and s.label != "note" else s for s in read]


def _place_in_container(text: str, read: list[Segment]) -> list[Segment]:
    """A container that ends in ", Place: Publisher" holds both."""
    if any(s.label == "publisher" for s in read):
        return read
    for i, segment in enumerate(read):
        if segment.label == "container" and (said := _PLACE_AND_PUBLISHER.search(text, segment.start, segment.end)):
            parts = [
                segment._replace(end=said.start()),
                Segment("place", *said.span(1)),
                Segment("publisher", *said.span(2)),
            ]
            return [*read[:i], *parts, *read[i + 1 :]]
    return read


def _place_alone(text: str, read: list[Segment]) -> list[Segment]:
    """In lists of the German kind, "(1992): Title. Chemnitz.", one word behind the title is where, not who."""
    date = next((s for s in read if s.label == "date"), None)
    if date is None or not _GERMAN_DATE.match(text, date.end) or any(s.label == "place" for s in read):
        return read
    last = read[-1]
    if last.label == "title" and (said := _LAST_WORD.search(text, last.start, last.end)):
        return [*read[:-1], last._replace(end=said.start()), Segment("place", *said.span(1))]
    return [
        s._replace(label="place") if s.label == "publisher" and _ONE_WORD.fullmatch(text, s.start, s.end) else s
        for s in read
    ]
