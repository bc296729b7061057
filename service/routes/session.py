"""GET, POST and DELETE /v1/session: who the page's user is, signing in with a key, signing out."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from service.access import COOKIE, caller
from service.dependencies import ServiceDep
from service.problems import NoKeyError

router = APIRouter(tags=["session"])


class Session(BaseModel):
    """What the caller may do."""

    required: bool = Field(description="Whether this service asks for keys.")
    name: str | None = Field(default=None, description="Whose key it is; null where none was sent or is needed.")
    scopes: list[str]
    collections: list[str] | None = Field(default=None, description="The collections it may see; null is all.")


class SignIn(BaseModel):
    """A key, to be kept by the browser where no script can read it."""

    key: str = Field(max_length=200)


@router.get("/v1/session")
def session(service: ServiceDep) -> Session:
    """Who is asking, and what they may."""
    key = caller.get()
    needed = service.access is not None and service.access.required
    if key is None:
        return Session(required=needed, scopes=[] if needed else ["admin", "ask", "write"])
    shown = key.shown()
    return Session(required=needed, name=key.name, scopes=shown["scopes"], collections=shown["collections"])


@router.post("/v1/session", status_code=204)
def sign_in(request: Request, body: SignIn, service: ServiceDep) -> Response:
    """Keep a key in a cookie that only this site gets and no script reads."""
    if service.access is None or service.access.keys.check(body.key.strip()) is None:
        raise NoKeyError("this is no key of this service, or one that was revoked or has expired")
    answer = Response(status_code=204)
    answer.set_cookie(
        COOKIE, body.key.strip(), httponly=True, samesite="strict", secure=request.url.scheme == "https", path="/"
    )
    return answer


@router.delete("/v1/session", status_code=204)
def sign_out() -> Response:
    """Forget the key."""
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict", path="/")
    return answer
