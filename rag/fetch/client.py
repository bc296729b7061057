"""One address → its bytes, within limits of time, size and redirects; every hop is checked like the first.

No cookies, no credentials, no proxy, no referrer. Only a whole 200 answer counts.
"""

from __future__ import annotations

import ssl
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import IO

import httpcore
import httpx

from rag.errors import FetchError
from rag.fetch.addresses import Address
from rag.fetch.network import Checked, Lookup, look_up

_REDIRECTS = {301, 302, 303, 307, 308}
_NEVER_TEXT = ("image/", "audio/", "video/", "font/")
_ACCEPT = "text/html,application/xhtml+xml,application/pdf;q=0.9,text/plain;q=0.8,application/xml;q=0.7,*/*;q=0.5"
_LONGEST_WAIT = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one exchange may cost."""

    max_bytes: int = 50 << 20
    """Of the body, as sent and as unpacked."""
    seconds: float = 60.0
    """For everything, from the first look-up to the last byte, redirects included."""
    idle_seconds: float = 15.0
    """For the other side to say anything more."""
    redirects: int = 5


@dataclass(frozen=True, slots=True)
class Validators:
    """What a copy we hold was sent with: the site is asked only for what is newer."""

    address: str
    """The final address the copy came from."""
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: what it was, where it came from in the end, and when. The bytes went to the caller's file."""

    address: str
    final_address: str
    retrieved: str
    """ISO 8601, UTC."""
    media_type: str = ""
    charset: str = ""
    size: int = 0
    etag: str = ""
    last_modified: str = ""
    disposition: str = ""
    """The header Content-Disposition, which may propose a name."""
    unchanged: bool = False
    """The copy that `Validators` spoke of is still the newest (304); nothing was written."""
    hops: tuple[str, ...] = ()
    """The addresses that redirected, in order."""


class Fetcher:
    """Fetches addresses under one set of limits and one name. Holds no connection between two calls."""

    def __init__(
        self,
        user_agent: str,
        *,
        limits: Limits | None = None,
        loopback: bool = False,
        lookup: Lookup = look_up,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self.user_agent = user_agent
        self.limits = limits or Limits()
        self.loopback = loopback
        self._lookup = lookup
        self._trust = trust

    def check(self, address: str) -> Address:
        """Read an address without fetching it. Raises FetchError when it may not be fetched."""
        return Address.parse(address, loopback=self.loopback)

    def get(
        self,
        address: str,
        into: IO[bytes],
        *,
        held: Validators | None = None,
        before: Callable[[Address], None] = lambda _: None,
        limits: Limits | None = None,
    ) -> Fetched:
        """Fetch `address`, writing the unpacked body to `into`. Raises FetchError saying why it could not be had.

        `before` is called with every address about to be asked, the redirects' too; it may wait, or refuse by raising.
        """
        limits = limits or self.limits
        at = first = self.check(address)
        deadline = time.monotonic() + limits.seconds
        hops: list[str] = []
        while True:
            began = time.monotonic()
            before(at)
            deadline += time.monotonic() - began  # manners take time that is not the site's
            with self._answer(at, deadline, limits, held) as response:
                headers = _headers(response)
                if response.status in _REDIRECTS and headers.get("location"):
                    hops.append(str(at))
                    after = at.join(headers["location"], loopback=self.loopback)
                    if str(after) in hops:
                        raise FetchError(f"{first} redirects in a circle, by way of {after}", "redirects")
                    if len(hops) > limits.redirects:
                        raise FetchError(f"{first} redirects more than {limits.redirects} times", "redirects")
                    at = after
                    continue
                if response.status == 304 and held is not None:
                    return _fetched(first, at, headers, 0, hops, unchanged=True)
                _check_status(at, response.status, headers)
                _check_head(at, headers, limits)
                size = _body(at, response, headers, into, limits)
                return _fetched(first, at, headers, size, hops)

    @contextmanager
    def _answer(
        self, at: Address, deadline: float, limits: Limits, held: Validators | None
    ) -> Iterator[httpcore.Response]:
        network = Checked(deadline, loopback=self.loopback, lookup=self._lookup)
        headers = {
            "Host": at.authority,
            "User-Agent": self.user_agent,
            "Accept": _ACCEPT,
            "Accept-Encoding": "gzip, deflate",
            "Connection": "close",
        }
        if held is not None and held.address == str(at):
            headers |= {"If-None-Match": held.etag} if held.etag else {}
            headers |= {"If-Modified-Since": held.last_modified} if held.last_modified else {}
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), limits.idle_seconds)
        url = httpcore.URL(scheme=at.scheme, host=at.host, port=at.port, target=at.target)
        try:
            with (
                httpcore.ConnectionPool(
                    ssl_context=self._trusted() if at.scheme == "https" else None,
                    network_backend=network,
                    max_connections=1,
                ) as pool,
                pool.stream("GET", url, headers=list(headers.items()), extensions={"timeout": timeouts}) as response,
            ):
                yield response
        except httpcore.TimeoutException:
            raise FetchError(
                f"{at} took too long: {limits.idle_seconds:g} s of silence or {limits.seconds:g} s in all are allowed; "
                "try again later",
                "timeout",
            ) from None
        except httpcore.ConnectError as error:
            if "SSL" in str(error) or "CERTIFICATE" in str(error) or isinstance(error.__cause__, ssl.SSLError):
                raise FetchError(f"{at.authority} cannot prove who it is (TLS: {str(error)[:200]})", "tls") from None
            raise FetchError(f"{at.authority} cannot be reached ({str(error)[:200]})", "unreachable") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
            raise FetchError(f"{at} broke off or spoke no proper HTTP ({str(error)[:200]})", "broken") from None
        except ssl.SSLError as error:
            raise FetchError(f"{at.authority} broke the TLS connection ({str(error)[:200]})", "tls") from None
        except OSError as error:
            raise FetchError(f"{at.authority} cannot be reached ({str(error)[:200]})", "unreachable") from None

    def _trusted(self) -> ssl.SSLContext:
        if self._trust is None:
            self._trust = httpx.create_ssl_context()
        return self._trust


def _headers(response: httpcore.Response) -> dict[str, str]:
    """Headers by lower-case name, the first of each; never a control character."""
    found: dict[str, str] = {}
    for name, value in response.headers:
        text = "".join(c for c in value.decode("latin-1") if c.isprintable())
        found.setdefault(name.decode("latin-1").lower(), text[:4000])
    return found


def _check_status(at: Address, status: int, headers: Mapping[str, str]) -> None:
    if status == 200:
        return
    wait = retry_after(headers.get("retry-after", ""))
    if status == 429 or (status == 503 and wait is not None):
        when = "later" if wait is None else f"in {wait:.0f} s"
        raise FetchError(f"{at} asks to come back {when} (HTTP {status})", "wait", status=status, retry_after=wait)
    why = {401: "wants a login", 402: "wants payment", 403: "refuses", 404: "is not there", 410: "is gone"}.get(status)
    raise FetchError(f"{at} {why or 'answers with an error'} (HTTP {status})", "status", status=status)


def _check_head(at: Address, headers: Mapping[str, str], limits: Limits) -> None:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type.startswith(_NEVER_TEXT):
        raise FetchError(f"{at} is {media_type}, which holds no text", "wrong-type")
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:20]) > limits.max_bytes:
        raise _too_large(at, limits)


def _body(at: Address, response: httpcore.Response, headers: Mapping[str, str], into: IO[bytes], limits: Limits) -> int:
    """Write the body, unpacked, and return its size. Never holds more than a piece of it."""
    coding = headers.get("content-encoding", "").strip().lower()
    if coding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
        raise FetchError(f"{at} is packed as {coding[:40]!r}, which was not asked for", "broken")
    unpack = _Unpacked(coding) if coding not in {"", "identity"} else None
    sent = size = 0
    for piece in response.iter_stream():
        sent += len(piece)
        if sent > limits.max_bytes:
            raise _too_large(at, limits)
        try:
            parts = iter((piece,)) if unpack is None else unpack.feed(piece)
            for part in parts:
                size += len(part)
                if size > limits.max_bytes:
                    raise _too_large(at, limits)
                into.write(part)
        except zlib.error:
            raise FetchError(f"{at} cannot be unpacked ({coding})", "broken") from None
    if unpack is not None and sent and not unpack.whole:
        raise FetchError(f"{at} was cut off ({coding})", "broken")
    return size


class _Unpacked:
    """gzip or deflate, a bounded piece at a time, so that a bomb goes off in the caller's count and not in memory."""

    _PIECE = 1 << 16

    def __init__(self, coding: str) -> None:
        self._gzip = coding != "deflate"
        self._engine = self._new()
        self._begun = False
        self.whole = False

    def _new(self, *, raw: bool = False) -> zlib._Decompress:
        return zlib.decompressobj(31 if self._gzip else -15 if raw else 15)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What `data` unpacks to. Raises zlib.error."""
        while data:
            if self.whole:
                if not (self._gzip and data.startswith(b"\x1f\x8b")):
                    return  # padding after the end is nobody's text
                self._engine, self.whole = self._new(), False
            try:
                part = self._engine.decompress(data, self._PIECE)
            except zlib.error:
                if self._gzip or self._begun:
                    raise
                self._engine = self._new(raw=True)  # some servers leave out zlib's frame
                part = self._engine.decompress(data, self._PIECE)
            self._begun = True
            if part:
                yield part
            self.whole = self._engine.eof
            data = self._engine.unused_data if self.whole else self._engine.unconsumed_tail
            if not data and len(part) == self._PIECE and not self.whole:
                while rest := self._engine.decompress(b"", self._PIECE):
                    yield rest
                self.whole = self._engine.eof


def retry_after(value: str) -> float | None:
    """Seconds that a Retry-After header asks to wait (RFC 9110, 10.2.3), at most a week; None when it says nothing."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), _LONGEST_WAIT)
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return min(max(0.0, (when - datetime.now(UTC)).total_seconds()), _LONGEST_WAIT)


def _too_large(at: Address, limits: Limits) -> FetchError:
    return FetchError(f"{at} is larger than the {limits.max_bytes:,} bytes that are taken", "too-large")


def _fetched(
    first: Address, at: Address, headers: Mapping[str, str], size: int, hops: list[str], *, unchanged: bool = False
) -> Fetched:
    kind, _, parameters = headers.get("content-type", "").partition(";")
    charset = next(
        (v.strip("\"' ") for k, _, v in (p.partition("=") for p in parameters.split(";")) if k.strip() == "charset"), ""
    )
    return Fetched(
        address=str(first),
        final_address=str(at),
        retrieved=datetime.now(UTC).isoformat(timespec="seconds"),
        media_type=kind.strip().lower(),
        charset=charset,
        size=size,
        etag=headers.get("etag", ""),
        last_modified=headers.get("last-modified", ""),
        disposition=headers.get("content-disposition", ""),
        unchanged=unchanged,
        hops=tuple(hops),
    )
