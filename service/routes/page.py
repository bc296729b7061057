"""GET / and /page/…: the page. GET /problems/{kind}: what a kind of problem means, in plain words."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles

from rag.errors import NotFoundError
from service.problems import KINDS

FOLDER = Path(__file__).parent.parent / "page"
router = APIRouter(include_in_schema=False)
files = StaticFiles(directory=FOLDER)


@router.get("/")
def page() -> FileResponse:
    """The page itself; all it needs lies under /page."""
    return FileResponse(FOLDER / "index.html", headers={"Cache-Control": "no-cache"})


@router.get("/problems/{kind}")
def problem(kind: str) -> PlainTextResponse:
    """Explain a kind of problem."""
    if kind not in KINDS:
        raise NotFoundError(f"there is no kind of problem {kind!r}")
    known = KINDS[kind]
    return PlainTextResponse(f"{known.title} (HTTP {known.status})\n\n{known.mend}\n")
