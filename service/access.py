"""Who asks, and what they may: keys, scopes, collections, limits.

    key (Authorization: Bearer, or the page's cookie) → scope of the operation → requests a minute → questions a day

`needs` is the one table of what each operation takes; what it does not know takes `admin`. Knows no route.
"""

from __future__ import annotations

import ipaddress
from contextvars import ContextVar
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers

from rag.errors import SettingsError
from rag.settings import Settings
from service import problems
from service.keys import Key, Keys, Scope, Spent

COOKIE = "adfontes_key"
MINUTE, DAY = 60, 86_400
caller: ContextVar[Key | None] = ContextVar("caller", default=None)
"""The key of the request being answered; None where keys are not required."""

_PUBLIC = frozenset({"/", "/healthz", "/readyz", "/openapi.json", "/v1/session"})
_QUESTIONS = frozenset({"/v1/ask", "/v1/search", "/v1/verify", "/v1/chat/completions"})
_ASKING = _QUESTIONS | {"/v1/export", "/mcp"}
_WRITING = ("/v1/documents", "/v1/documents/", "/v1/index/rebuild", "/v1/jobs/", "/v1/fetch")


def needs(method: str, path: str) -> Scope | None:
    """The scope that an operation takes; None for what everybody may see."""
    if path in _PUBLIC or path.startswith(("/page/", "/problems/")):
        return None
    if path == "/metrics":
        return "admin"
    if path in _ASKING or method in ("GET", "HEAD", "OPTIONS"):
        return "ask"
    if path in _WRITING or path.startswith(tuple(p for p in _WRITING if p.endswith("/"))):
        return "write"
    return "admin"


def required(settings: Settings) -> str | None:
    """Why the service asks for keys: it shall, or others than this machine can reach it; None where it does not.

    A host name of the settings is one that a proxy passes on, so whoever asks the proxy comes in by the loopback.
    """
    if settings.require_keys == "always":
        return "require_keys = 'always'"
    if not _local(settings.host):
        return f"binding {settings.host!r}"
    public = next((name for name in listed(settings.hosts) if not _local(name)), None)
    return None if public is None else f"answering to the host name {public!r}"


def listed(names: str) -> list[str]:
    """The names of a setting that separates them by commas."""
    return [name.strip() for name in names.split(",") if name.strip()]


def _local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class Access:
    """The check that every request passes."""

    def __init__(self, settings: Settings) -> None:
        """Raises SettingsError where keys are required and there is none that can be used."""
        why = required(settings)
        self.required = why is not None
        self.keys = Keys(settings.keys)
        self._rate, self._quota = settings.rate_limit, settings.daily_quota
        if self.required and not any(key.usable for key in self.keys.all()):
            raise SettingsError(
                f"{why} takes API keys, and {str(settings.keys)!r} holds none that can be used: make one with "
                "`adfontes keys add NAME`, or bind 127.0.0.1 and name no host"
            )

    def admit(
        self, method: str, path: str, headers: Headers
    ) -> tuple[Key | None, problems.ProblemDetails | None, dict[str, str]]:
        """The caller, what refuses the request if anything does, and headers that tell what is left."""
        if not self.required:
            return None, None, {}
        key = self.keys.check(_presented(headers))
        wanted = needs(method, path)
        if wanted is None:
            return key, None, {}
        if key is None:
            return None, problems.details("no-key"), {"WWW-Authenticate": 'Bearer realm="Ad Fontes"'}
        rate = key.rate or self._rate
        minute = self.keys.spend(key, rate, MINUTE) if rate else None
        told = _told(minute) if minute else {}
        if minute and minute.over:
            detail = f"This key may send {rate} requests a minute; the next minute begins in {minute.resets} s."
            return key, problems.details("too-many", detail), told | {"Retry-After": str(minute.resets)}
        if wanted not in key.scopes:
            return key, problems.details("no-scope", f"This key has not the scope {wanted!r}."), told
        if path in _QUESTIONS and (spent := self.question(key)) is not None:
            told |= _told(spent, "day") if minute is None or spent.left < minute.left else {}
            if spent.over:
                detail = f"This key may ask {spent.limit} questions a day; the next day begins in {spent.resets} s."
                return key, problems.details("too-many", detail), told | {"Retry-After": str(spent.resets)}
        return key, None, told

    def trusts(self) -> bool:
        """Whether the present caller may see how the service does: an admin, or anybody where no key is required."""
        key = caller.get()
        return not self.required or (key is not None and "admin" in key.scopes)

    def question(self, key: Key) -> Spent | None:
        """Count a question of the key's day; None where it has no quota."""
        quota = key.quota or self._quota
        return self.keys.spend(key, quota, DAY) if quota else None


def collections() -> frozenset[str] | None:
    """The collections that the present caller may see; None is all."""
    key = caller.get()
    return None if key is None else key.collections


def _presented(headers: Headers) -> str:
    kind, _, secret = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return secret.strip()
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _told(spent: Spent, name: str = "minute") -> dict[str, str]:
    """The headers of draft-ietf-httpapi-ratelimit-headers, and the older ones that clients know."""
    spell = MINUTE if name == "minute" else DAY
    return {
        "RateLimit-Policy": f'"{name}";q={spent.limit};w={spell}',
        "RateLimit": f'"{name}";r={spent.left};t={spent.resets}',
        "RateLimit-Limit": str(spent.limit),
        "RateLimit-Remaining": str(spent.left),
        "RateLimit-Reset": str(spent.resets),
    }
