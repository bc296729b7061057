"""How a program behaves that fetches many pages: robots.txt (RFC 9309), a pause for each host, Retry-After.

Rules are read by Protego, once a host. Knows no reference and no document.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable

from protego import Protego

from rag.errors import CancelledError, FetchError
from rag.fetch.addresses import Address
from rag.fetch.client import Fetcher, Limits

_ROBOTS = Limits(max_bytes=512 << 10, seconds=20, idle_seconds=10)
_LONGEST_PAUSE = 30.0
"""Seconds; a site that wants more between two requests is left alone beyond the first."""


class Manners:
    """What is known of each host while fetching: its rules, and when it was last asked."""

    def __init__(
        self, fetcher: Fetcher, *, seconds_between: float = 2.0, cancelled: Callable[[], bool] = lambda: False
    ) -> None:
        self._fetcher = fetcher
        self._between = seconds_between
        self._cancelled = cancelled
        self._rules: dict[str, Protego | FetchError] = {}
        self._last: dict[str, float] = {}
        self._closed_until: dict[str, float] = {}

    def before(self, address: Address) -> None:
        """Wait for the host's turn. Raises FetchError where its robots.txt says no, or it asked to come back later."""
        closed = self._closed_until.get(address.host, 0.0) - time.monotonic()
        if closed > 0:
            raise FetchError(f"{address.host} asked to come back in {closed:.0f} s", "wait", retry_after=closed)
        rules = self._rules_of(address)
        if isinstance(rules, FetchError):
            raise rules
        if not rules.can_fetch(str(address), self._fetcher.user_agent):
            raise FetchError(f"{address} is closed to programs by {address.origin}/robots.txt", "robots")
        delay = rules.crawl_delay(self._fetcher.user_agent)
        pause = max(self._between, float(delay or 0.0))
        if pause > _LONGEST_PAUSE and address.host in self._last:
            raise FetchError(f"{address.host} wants {pause:.0f} s between two requests", "wait", retry_after=pause)
        self._wait(self._last.get(address.host, -pause) + pause - time.monotonic())
        self._last[address.host] = time.monotonic()

    def asked_to_wait(self, host: str, seconds: float) -> None:
        """Leave a host alone for as long as it asked."""
        self._closed_until[host] = time.monotonic() + seconds

    def _rules_of(self, address: Address) -> Protego | FetchError:
        known = self._rules.get(address.origin)
        if known is None or (isinstance(known, FetchError) and known.failure == "wait"):
            known = self._rules[address.origin] = self._read_rules(address)
        return known

    def _read_rules(self, address: Address) -> Protego | FetchError:
        body = io.BytesIO()
        try:
            self._fetcher.get(f"{address.origin}/robots.txt", body, limits=_ROBOTS)
        except FetchError as error:
            if error.failure in {"status", "redirects", "wrong-type"} and (error.status or 400) < 500:
                return Protego.parse("")  # no rules are no prohibition (RFC 9309, 2.3.1.3)
            if error.failure in {"refused", "wait", "unknown-host", "tls"}:
                return error  # the same would come of any page of it
            if error.failure != "too-large":  # of which what fitted is read (2.5)
                # Where the rules cannot be had, everything is closed (2.3.1.4).
                why = f"{address.origin} is left alone: its robots.txt cannot be had ({error})"
                return FetchError(why, "unreachable" if error.again else "robots")
        return Protego.parse(body.getvalue().decode("utf-8", "replace").lstrip("\ufeff"))

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._cancelled():
                raise CancelledError("fetching was stopped")
            time.sleep(min(left, 0.2))
