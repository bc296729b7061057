"""Rich Text Format → blocks; striprtf (BSD) takes the text out, and the layout of plain text is then read from it."""

from __future__ import annotations

import logging

from rag.documents.blocks import Draft
from rag.documents.text import draft_of
from rag.errors import DocumentError

READER = "rtf/1"


def read_rtf(data: bytes, name: str) -> Draft:
    """Read an RTF file. Raises DocumentError when it is damaged."""
    from striprtf.striprtf import rtf_to_text

    try:
        logging.getLogger("striprtf").setLevel(logging.ERROR)
        text: str = rtf_to_text(data.decode("latin-1"), errors="replace")  # type: ignore[no-untyped-call]
    except Exception as error:
        raise DocumentError(f"{name}: the RTF is damaged ({error}); save it anew as .docx.") from error
    # One paragraph a line: RTF knows no wrapped lines.
    draft = draft_of("\n\n".join(line for line in text.split("\n") if line.strip()))
    draft.reader, draft.media_type = READER, "application/rtf"
    return draft
