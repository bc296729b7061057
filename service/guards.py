"""What every request passes before a route sees it: host and origin checks, the body limit, security headers.

Pure ASGI, so that streams pass through unbuffered. Knows no route and no workspace.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import problems
from service.access import Access, caller
from service.metrics import Metrics

log = logging.getLogger("adfontes.service")

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_AUTHORITY = re.compile(
    r"(?:(?P<name>[A-Za-z0-9._-]{1,255})|\[(?P<v6>[0-9A-Fa-f:.]{2,45})\])(?::(?P<port>[0-9]{1,5}))?"
)
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
JSON_LIMIT = 1 << 20
"""Bytes that a body may have where no file is uploaded."""

MOST_VALUES = 50_000
"""Values that a body may hold, counted as the marks before them: a mebibyte of answers has fewer, and what holds more
takes long to refuse."""
_MARKS = (b",", b"[", b"{")
UPLOADS = "/v1/documents"

GONE = 499
"""The status that the log and the metrics have for a client that left before its request was whole, as nginx has it."""

FORM_SLACK = 1 << 16
"""Bytes that a form may have around its file; the route checks the file itself."""

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def hosts_for(bound: str, others: Iterable[str] = ()) -> frozenset[str] | None:
    """The host names under which a service bound to `bound` is asked; None where it can be any name.

    A page of a foreign site can point its own name at 127.0.0.1 and then reach a local service (DNS rebinding);
    it cannot change the Host header, so a service on loopback answers loopback names only.
    """
    more = frozenset(_plain(name) for name in others)
    if _plain(bound) in ("0.0.0.0", "::"):  # noqa: S104
        return LOOPBACK | more if more else None
    return LOOPBACK | more | {_plain(bound)}


def _plain(name: str) -> str:
    """A host name as it is compared: an address in its one form, a name in small letters."""
    try:
        return str(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        return name.lower()


def _host_of(authority: str | None) -> str:
    """The name in a Host header or an origin; empty where it is not a name or an address with at most a port."""
    match = _AUTHORITY.fullmatch(authority or "")
    if match is None or int(match["port"] or 0) > 65_535:
        return ""
    if match["v6"] is None:
        return match["name"].lower()
    try:
        return str(ipaddress.IPv6Address(match["v6"]))
    except ValueError:
        return ""


class Guard:
    """The ASGI middleware that holds the checks."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Iterable[str] | None,
        upload_limit: int,
        metrics: Metrics,
        access: Access,
        origins: Iterable[str] = (),
    ) -> None:
        self.app = app
        self.access = access
        self.origins = frozenset(origins)
        self.metrics = metrics
        self.hosts = None if hosts is None else frozenset(hosts)
        self.upload_limit = upload_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then pass on with the body counted and the answer's headers completed."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, began = 0, time.perf_counter()
        request_id = Headers(scope=scope).get("x-request-id", "")
        if not REQUEST_ID.fullmatch(request_id):
            request_id = secrets.token_hex(8)
        token = problems.request_id.set(request_id)

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                headers.update(more)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                # The page's files are asked for again by their ETag; answers are nobody's to keep.
                headers.setdefault("Cache-Control", "no-cache" if scope["path"].startswith("/page/") else "no-store")
            await send(message)

        key, more = None, self._shared(Headers(scope=scope))
        try:
            problem = self._refusal(scope)
            if problem is None and not _preflight(scope):
                key, problem, told = self.access.admit(scope["method"], scope["path"], Headers(scope=scope))
                more |= told
            as_caller = caller.set(key)
            await self._pass(scope, receive, send_guarded, lambda: status != 0, problem)
            caller.reset(as_caller)
        except ClientDisconnect:  # in the middle of its body: nobody is there to be told
            status = GONE
        finally:
            route, seconds = getattr(scope.get("route"), "path", "other"), time.perf_counter() - began
            self.metrics.requested(scope["method"], route, status, seconds)
            # The route and not the path, no query and no body: what somebody asked is not ours to keep.
            told_of = {"method": scope["method"], "route": route, "status": status, "ms": round(seconds * 1000)}
            log.info(
                "%s %s %d %.0f ms request=%s%s",
                scope["method"], route, status, seconds * 1000, request_id, f" key={key.id}" if key else "",
                extra={"fields": told_of | ({"key": key.id} if key else {})},
            )  # fmt: skip
            problems.request_id.reset(token)

    async def _pass(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        started: Callable[[], bool],
        problem: problems.ProblemDetails | None,
    ) -> None:
        if problem is not None:
            self.metrics.refused(problem.type.rpartition("/")[2])
            # Of a request that is not for us or not to be understood, nobody can say where it ends.
            unclear = problem.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.MISDIRECTED_REQUEST)
            closing = {"Connection": "close"} if unclear else {}
            await problems.response(problem, closing)(scope, receive, send)
            return
        if _preflight(scope) and Headers(scope=scope).get("origin") in self.origins:
            await Response(status_code=204)(scope, receive, send)
            return
        limit, uploading = self._limit(scope), scope["path"] == UPLOADS
        read = values = 0

        async def receive_counted() -> Message:
            nonlocal read, values
            message = await receive()
            body = message.get("body", b"")
            read += len(body)
            values += 0 if uploading else sum(map(body.count, _MARKS))
            # FastAPI lets this one through where it reads the body.
            if read > limit:
                raise HTTPException(413, f"The body is larger than the {limit:,} bytes taken here.")
            if values > MOST_VALUES:
                raise HTTPException(413, f"The body holds more than the {MOST_VALUES:,} values taken here.")
            return message

        try:
            await self.app(scope, receive_counted, send)
        except ClientDisconnect:
            raise
        except Exception as error:
            if started():  # nothing can be said any more but by breaking the connection
                raise
            await problems.response(problems.of_error(error))(scope, receive, send)

    def _refusal(self, scope: Scope) -> problems.ProblemDetails | None:
        headers = Headers(scope=scope)
        if "transfer-encoding" in headers and ("content-length" in headers or scope["http_version"] == "1.0"):
            # Whoever stands before us may have taken the other for the body's end.
            return problems.details("bad-request", "The length of the body is told in two ways.")
        if not (scope.get("raw_path") or b"/").startswith(b"/"):
            return problems.details("bad-request", "The target of a request begins with a slash.")
        hosts = headers.getlist("host")
        host = hosts[0] if hosts else ""
        named = _host_of(host)
        if len(hosts) > 1 or not (named in self.hosts if self.hosts is not None else named or not host):
            return problems.details("foreign-host", f"This service does not answer to the host name {host!r}.")
        if scope["method"] not in SAFE_METHODS:
            origins = headers.getlist("origin")
            foreign = any(_origin_host(origin) != host.lower() for origin in origins)
            elsewhere = foreign or headers.get("sec-fetch-site", "none") not in ("same-origin", "none")
            if elsewhere and not (len(origins) == 1 and origins[0] in self.origins):
                return problems.details("foreign-origin")
        limit = self._limit(scope)
        length = headers.get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length[:20]) > limit:
            return problems.details("too-large", f"The body is larger than the {limit:,} bytes taken here.")
        return None

    def _shared(self, headers: Headers) -> dict[str, str]:
        """The CORS headers for the sites that the settings name; for all others there are none."""
        origin = headers.get("origin", "")
        if origin not in self.origins:
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": "GET, POST, DELETE",
            "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Request-ID",
            "Access-Control-Expose-Headers": "X-Request-ID, Location, Retry-After, RateLimit, RateLimit-Policy",
            "Access-Control-Max-Age": "600",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Vary": "Origin",
        }

    def _limit(self, scope: Scope) -> int:
        return self.upload_limit + FORM_SLACK if scope["path"] == UPLOADS else JSON_LIMIT


def _preflight(scope: Scope) -> bool:
    """Whether a browser asks before it asks: it may not send the key along."""
    return scope["method"] == "OPTIONS" and "access-control-request-method" in Headers(scope=scope)


def _origin_host(origin: str) -> str | None:
    """The host and port of an Origin header; None for `null` and nonsense."""
    scheme, _, authority = origin.lower().partition("://")
    return authority if scheme in ("http", "https") and _host_of(authority) else None
