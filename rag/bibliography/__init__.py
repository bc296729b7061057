"""Reference lists in any form → references and problems; never raises on bad input.

`parse` reads running text, `parse_entry` one entry, `read_structured` BibTeX, RIS, CSL-JSON and JATS
(`read_structured_isolated` in a process that can be stopped);
`format_reference` and `export` write them. What an entry means is one CSL-JSON item
(https://docs.citationstyles.org/en/stable/specification.html); what CSL has no place for stands under
its ``custom`` (see `rag.bibliography.entry`). Knows nothing of documents, mentions or passages.
"""

from __future__ import annotations

from rag.bibliography.entry import parse_entry
from rag.bibliography.export import export
from rag.bibliography.formatting import STYLES, format_reference
from rag.bibliography.isolated import read_structured_isolated
from rag.bibliography.listing import parse
from rag.bibliography.structured import read_structured

__all__ = [
    "STYLES",
    "export",
    "format_reference",
    "parse",
    "parse_entry",
    "read_structured",
    "read_structured_isolated",
]
