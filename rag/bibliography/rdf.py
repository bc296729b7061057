"""Zotero RDF → CSL-JSON: items that stand in journals and books described beside them, as Zotero exports them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rag.bibliography import csl
from rag.documents.archive import parse_xml

_IN = {"bookSection": "bookTitle", "conferencePaper": "proceedingsTitle"}


def read(data: bytes) -> list[tuple[str, dict[str, Any]]]:
    """(address, CSL item) of every item. Raises DocumentError for what is no XML."""
    root = parse_xml(data, "the RDF file")
    about = {_attribute(e, "about"): e for e in root if _attribute(e, "about")}
    found = []
    for element in root:
        kind = _text(element, "itemType")
        if kind and kind not in {"attachment", "note"}:
            found.append((_attribute(element, "about"), csl.item(_item(element, kind, about))[1]))
    return found


def _item(element: Any, kind: str, about: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401
    """The item as Zotero itself names its fields."""
    one: dict[str, Any] = {"itemType": kind, "title": _text(element, "title"), "date": _text(element, "date")}
    one |= {
        "pages": _text(element, "pages"),
        "language": _text(element, "language"),
        "abstractNote": _text(element, "abstract"),
    }
    one |= {"volume": _text(element, "volume"), "issue": _text(element, "number"), "place": _text(element, "adr")}
    one["creators"] = [
        {
            "creatorType": role,
            "lastName": _text(person, "surname"),
            "firstName": _text(person, "givenName") or _text(person, "givenname"),
        }
        for role in ("author", "editor", "translator")
        for group in element
        if _name(group) == f"{role}s"
        for person in group.iter()
        if _name(person) == "Person"
    ]
    one["publisher"] = next((_text(e, "name") for e in element.iter() if _name(e) == "Organization"), "")
    wholes = [about.get(_attribute(e, "resource"), e) for e in element if _name(e) == "isPartOf"]
    for whole in (
        w for holder in wholes for w in holder.iter() if _name(w) in {"Journal", "Book", "Periodical", "isPartOf"}
    ):
        one[_IN.get(kind, "publicationTitle")] = one.get(_IN.get(kind, "publicationTitle")) or _text(whole, "title")
        one["volume"] = one["volume"] or _text(whole, "volume")
        one["issue"] = one["issue"] or _text(whole, "number")
        _identifiers(one, whole)
    _identifiers(one, element)
    return {k: v for k, v in one.items() if v}


def _identifiers(one: dict[str, Any], element: Any) -> None:  # noqa: ANN401
    for said in (_all(e) for e in element if _name(e) == "identifier"):
        name, _, value = said.partition(" ")
        if name in {"DOI", "ISBN", "ISSN"} and value:
            one[name] = value
        elif said.startswith(("http://", "https://")):
            one["url"] = said


def _name(element: Any) -> str:  # noqa: ANN401
    return element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""


def _attribute(element: Any, name: str) -> str:  # noqa: ANN401
    return next((str(v) for k, v in element.attrib.items() if k.rsplit("}", 1)[-1] == name), "")


def _children(element: Any, name: str) -> Iterator[Any]:  # noqa: ANN401
    return (e for e in element if _name(e) == name)


def _text(element: Any, name: str) -> str:  # noqa: ANN401
    return next((_all(e) for e in _children(element, name)), "")


def _all(element: Any) -> str:  # noqa: ANN401
    return " ".join("".join(element.itertext()).split())
