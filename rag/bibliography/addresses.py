"""The part of an entry that says where it stands online: identifiers, the words before them, days of access.

Rules read this part better than a model does; both readers of entries take it from here.
"""

from __future__ import annotations

import re

from rag.bibliography import dates
from rag.bibliography.identifiers import Found
from rag.bibliography.segments import Segment

_LEAD = re.compile(
    r"(?:(?<![\s.,;(\[<])[\s.,;(\[<]++)?\b(?:(?:is\s+)?available\s+(?:online\s+)?(?:from|at|in|on|via)|"
    r"available(?=\s*:)|retrieved(?:\s++(?:on\s++)?[\w\s,]{4,24}?)?,?\s++from|accessed\s+(?:at|from|via)|"
    r"dispon[ií](?:vel|ble)(?:\s+(?:em|en))?|disponible\s+sur|verfügbar\s+unter|abrufbar\s+unter|url|doi|link|"
    r"online(?=\s*:))"
    r"\s*+(?:[:.]\s*+)?(?:[<(\[]\s*+)?(?:dispon[ií](?:vel|ble)\s++e[mn]\s*+:\s*+)?$",
    re.IGNORECASE,
)
_ACCESS = re.compile(
    r"(?:(?<![\s,;])[\s,;]++)?(?:[(\[<]\s*+)?\b(?:last\s+)?(?:accessed|access(?:\s+(?:date|on|in))?|retrieved|viewed|visited|cited|consulted|"
    r"acess(?:o|ado)(?:\s+em)?|acceso(?:\s+el)?|consulta(?:do|da)?(?:\s+(?:el|em|en))?|citado(?:\s+em)?|"
    r"fecha de consulta|"
    r"consulté(?:\s+le)?|zugegriffen(?:\s+am)?|abgerufen(?:\s+am)?|letzter\s+zugriff|zugriff(?:\s+am)?)\b"
    r"(?:\s*+(?:on|em|in|el|le|am|:))?\s*+(?::\s*+)?(?P<when>[^()\[\]<>]{4,40}?)"
    r"(?=\s*+(?:[)\]]|$|\.\s*+$|[.;]\s|,\s++from\b|[<(]?https?:)|\s++from\b)",
    re.IGNORECASE,
)


def segments(raw: str, found: list[Found]) -> list[Segment]:
    """Identifiers (labelled by their CSL variable), ``lead`` words before them and ``accessed`` days, in order."""
    result = [Segment(f.variable, f.start, f.end) for f in found]
    for match in _ACCESS.finditer(raw):
        if dates.find(match["when"]) and not any(
            f.start < match.end("when") and match.start("when") < f.end for f in found
        ):
            result.append(Segment("lead", match.start(), match.start("when")))
            result.append(Segment("accessed", match.start("when"), match.end("when")))
            break
    leads = ((_LEAD.search(raw, max(0, f.start - 60), f.start), f.start) for f in found)
    result.extend(Segment("lead", lead.start(), end) for lead, end in leads if lead)
    return sorted(result, key=lambda s: s.start)
