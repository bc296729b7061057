"""Manners: robots.txt, a pause for each host, and staying away when asked to."""

from __future__ import annotations

import io
from itertools import pairwise

import pytest
from misbehaving import PAGE, Handler, Site

from rag.errors import CancelledError, FetchError
from rag.fetch import Fetcher, Limits, Manners


def visit(manners: Manners, fetcher: Fetcher, address: str) -> bytes:
    """Fetch with manners."""
    body = io.BytesIO()
    fetcher.get(address, body, before=manners.before)
    return body.getvalue()


@pytest.fixture
def fetcher() -> Fetcher:
    """One that may ask this machine."""
    return Fetcher("adfontes/1 (+mailto:me@example.org)", limits=Limits(seconds=3, idle_seconds=1), loopback=True)


def test_robots_are_obeyed(site: Site, fetcher: Fetcher) -> None:
    """What a site closes to us, or to all, is left alone, wildcards and exceptions included."""
    ours = b"User-agent: adfontes\nDisallow: /private/\nAllow: /private/open$\nDisallow: /*.zip\n\n"
    rules = ours + b"User-agent: *\nDisallow: /\n"
    site.page("/robots.txt", rules, "text/plain")
    for path in ("/a", "/private/open", "/private/x", "/x/y.zip"):
        site.page(path)
    manners = Manners(fetcher, seconds_between=0)
    assert visit(manners, fetcher, site.origin + "/a") == PAGE
    assert visit(manners, fetcher, site.origin + "/private/open") == PAGE
    for path in ("/private/x", "/x/y.zip"):
        with pytest.raises(FetchError) as failed:
            visit(manners, fetcher, site.origin + path)
        assert failed.value.failure == "robots"
        assert path not in site.asked
    assert site.count["/robots.txt"] == 1
    stranger = Fetcher("somebody/1", loopback=True)
    with pytest.raises(FetchError):
        visit(Manners(stranger, seconds_between=0), stranger, site.origin + "/a")


@pytest.mark.parametrize(
    ("answer", "open_"),
    [
        (lambda h: h.say(404, b""), True),
        (lambda h: h.say(403, b""), True),
        (lambda h: h.say(200, b"<html>not rules</html>"), True),
        (lambda h: h.say(200, b""), True),
        (lambda h: h.say(500, b""), False),
        (lambda h: h.say(503, b"", {"Retry-After": "60"}), False),
        (lambda h: h.say_raw(b"nonsense\r\n\r\n"), False),
        (lambda h: h.say(302, b"", {"Location": "http://169.254.169.254/robots.txt"}), False),
    ],
)
def test_no_rules_are_no_prohibition_but_a_broken_site_is(
    site: Site, fetcher: Fetcher, answer: object, open_: bool
) -> None:
    """A missing robots.txt allows all; one that cannot be had closes the site (RFC 9309)."""
    site.route("/robots.txt", answer)  # type: ignore[arg-type]
    site.page("/a")
    manners = Manners(fetcher, seconds_between=0)
    if open_:
        assert visit(manners, fetcher, site.origin + "/a") == PAGE
        return
    with pytest.raises(FetchError):
        visit(manners, fetcher, site.origin + "/a")
    assert "/a" not in site.asked


def test_endless_rules_are_read_as_far_as_they_fit(site: Site, fetcher: Fetcher) -> None:
    """A robots.txt without end is no way to keep us busy; what fitted is obeyed."""

    def answer(h: Handler) -> None:
        h.say_raw(b"HTTP/1.1 200 OK\r\n\r\nUser-agent: *\nDisallow: /private\n")
        while True:
            h.wfile.write(b"# more\n" * 10000)

    site.route("/robots.txt", answer)
    site.page("/a")
    manners = Manners(fetcher, seconds_between=0)
    assert visit(manners, fetcher, site.origin + "/a") == PAGE
    with pytest.raises(FetchError):
        visit(manners, fetcher, site.origin + "/private")


def test_a_redirect_asks_the_rules_too(site: Site, fetcher: Fetcher) -> None:
    """A redirect into what is closed is not followed."""
    site.page("/robots.txt", b"User-agent: *\nDisallow: /private\n", "text/plain")
    site.route("/a", lambda h: h.say(302, b"", {"Location": "/private/x"}))
    with pytest.raises(FetchError) as failed:
        visit(Manners(fetcher, seconds_between=0), fetcher, site.origin + "/a")
    assert failed.value.failure == "robots"
    assert "/private/x" not in site.asked


def test_a_host_is_asked_now_and_then(site: Site, fetcher: Fetcher) -> None:
    """Between two requests to one host lies the pause, or the longer one that its rules ask for."""
    site.page("/a")
    manners = Manners(fetcher, seconds_between=0.3)
    for _ in range(3):
        visit(manners, fetcher, site.origin + "/a")
    times = [t for t, path in zip(site.times, site.asked, strict=True) if path == "/a"]
    assert all(later - earlier > 0.2 for earlier, later in pairwise(times))  # the clock is the server's
    site.page("/robots.txt", b"User-agent: *\nCrawl-delay: 0.6\n", "text/plain")
    slower = Manners(fetcher, seconds_between=0.1)
    site.times.clear()
    site.asked.clear()
    for _ in range(2):
        visit(slower, fetcher, site.origin + "/a")
    first, second = (t for t, path in zip(site.times, site.asked, strict=True) if path == "/a")
    assert second - first > 0.5


def test_waiting_can_be_stopped(site: Site, fetcher: Fetcher) -> None:
    """Whoever waits for a host's turn can be told to stop."""
    site.page("/a")
    manners = Manners(fetcher, seconds_between=20, cancelled=lambda: True)
    visit(manners, fetcher, site.origin + "/a")
    with pytest.raises(CancelledError):
        visit(manners, fetcher, site.origin + "/a")


def test_a_host_that_asked_is_left_alone(site: Site, fetcher: Fetcher) -> None:
    """After Retry-After nothing is asked of the host until then."""
    site.page("/a")
    manners = Manners(fetcher, seconds_between=0)
    manners.asked_to_wait("127.0.0.1", 60)
    with pytest.raises(FetchError) as failed:
        visit(manners, fetcher, site.origin + "/a")
    assert failed.value.failure == "wait"
    assert 50 < (failed.value.retry_after or 0) <= 60
    assert site.asked == []
