"""Fetching from a server that misbehaves: each vice ends with its reason, in time and within bounds."""

from __future__ import annotations

import gzip
import io
import ssl
import time
from collections.abc import Callable

import pytest
import trustme
from misbehaving import BOMB, PAGE, Handler, Site, deflated

from rag.errors import FetchError
from rag.fetch import Fetched, Fetcher, Limits, Validators, file_name

DEFLATE_BOMB = deflated(bytes(64 << 20), raw=True)
LIMITS = Limits(max_bytes=200_000, seconds=2.0, idle_seconds=0.7, redirects=3)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


def fetch(address: str, **how: object) -> tuple[Fetched, bytes]:
    """Fetch from loopback within small limits."""
    body = io.BytesIO()
    trust = how.pop("trust", None)
    fetcher = Fetcher("adfontes-test/1", limits=LIMITS, loopback=True, trust=trust)  # type: ignore[arg-type]
    return fetcher.get(address, body, **how), body.getvalue()  # type: ignore[arg-type]


def test_a_page_comes_whole(site: Site) -> None:
    """Bytes, type, addresses, date and validators arrive as they were sent; we say who we are and no more."""
    address = site.page("/a", ETag='"v1"', **{"Last-Modified": "Tue, 02 Jan 2024 00:00:00 GMT"})
    found, body = fetch(address + "?q=1#part")
    assert body == PAGE
    assert (found.address, found.final_address) == (address + "?q=1", address + "?q=1")
    assert (found.media_type, found.charset, found.size) == ("text/html", "utf-8", len(PAGE))
    assert (found.etag, found.last_modified) == ('"v1"', "Tue, 02 Jan 2024 00:00:00 GMT")
    assert found.retrieved.startswith("20")
    (sent,) = site.headers
    assert sent["user-agent"] == "adfontes-test/1"
    assert not {"cookie", "authorization", "referer", "proxy-authorization"} & set(sent)


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("gzip", lambda d: gzip.compress(d[:100]) + gzip.compress(d[100:])),
        ("deflate", lambda d: deflated(d, raw=False)),
        ("deflate", lambda d: deflated(d, raw=True)),
        ("identity", bytes),
    ],
)
def test_a_packed_page_is_unpacked(site: Site, coding: str, pack: Callable[[bytes], bytes]) -> None:
    """gzip, in one member or several, and deflate in both of its readings."""
    address = site.page("/z", pack(PAGE * 40), **{"Content-Encoding": coding})
    assert fetch(address)[1] == PAGE * 40


def test_redirects_are_followed_and_told(site: Site) -> None:
    """A few redirects, relative ones too, lead to the page; where it came from in the end is told."""
    site.route("/1", lambda h: h.say(301, b"", {"Location": "two/2"}))
    site.route("/two/2", lambda h: h.say(302, b"", {"Location": "../end"}))
    site.page("/end")
    found, body = fetch(site.origin + "/1")
    assert body == PAGE
    assert (found.address, found.final_address) == (site.origin + "/1", site.origin + "/end")
    assert found.hops == (site.origin + "/1", site.origin + "/two/2")


def drip(h: Handler) -> None:
    """A byte now and then, for ever, never silent long enough."""
    h.say_raw(HEAD + b"Content-Length: 100000\r\n\r\n", *[b"x"] * 100, seconds=0.2)


def drip_head(h: Handler) -> None:
    """A header that never ends, a letter at a time."""
    h.say_raw(b"HTTP/1.1 200 OK\r\nX-Slow: ", *[b"x"] * 100, seconds=0.2)


def endless(h: Handler) -> None:
    """A body without length or end."""
    h.say_raw(HEAD + b"Connection: close\r\n\r\n")
    while True:
        h.wfile.write(b"x" * 65536)


def endless_chunks(h: Handler) -> None:
    """Chunk upon chunk."""
    h.say_raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        h.wfile.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")


def endless_headers(h: Handler) -> None:
    """Header upon header."""
    h.say_raw(b"HTTP/1.1 200 OK\r\n")
    while True:
        h.wfile.write(b"X-More: " + b"x" * 1000 + b"\r\n")


def packed(coding: str, body: Callable[[], bytes]) -> Callable[[Handler], None]:
    """A body that calls itself packed."""
    return lambda h: h.say(200, body(), {"Content-Type": "text/html", "Content-Encoding": coding})


def redirect(to: str, status: int = 302) -> Callable[[Handler], None]:
    """A redirect."""
    return lambda h: h.say(status, b"", {"Location": to})


VICES: dict[str, tuple[Callable[[Handler], None], str]] = {
    "silent": (lambda _: time.sleep(1.2), "timeout"),
    "dripping": (drip, "timeout"),
    "dripping head": (drip_head, "timeout"),
    "endless": (endless, "too-large"),
    "endless chunks": (endless_chunks, "too-large"),
    "endless headers": (endless_headers, "broken"),
    "announced too large": (lambda h: h.say_raw(HEAD + b"Content-Length: 999999999999\r\n\r\n"), "too-large"),
    "gzip bomb": (packed("gzip", lambda: BOMB), "too-large"),
    "deflate bomb": (packed("deflate", lambda: DEFLATE_BOMB), "too-large"),
    "packed twice": (packed("gzip, gzip", lambda: gzip.compress(PAGE)), "broken"),
    "packed strangely": (packed("br", lambda: PAGE), "broken"),
    "not packed at all": (packed("gzip", lambda: PAGE), "broken"),
    "gzip cut off": (packed("gzip", lambda: gzip.compress(PAGE)[:-20]), "broken"),
    "cut off": (lambda h: h.say_raw(HEAD + b"Content-Length: 5000\r\n\r\n<p>half"), "broken"),
    "chunk cut off": (lambda h: h.say_raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n500\r\n<p>"), "broken"),
    "no HTTP": (lambda h: h.say_raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "broken"),
    "nothing": (lambda _: None, "broken"),
    "two lengths": (lambda h: h.say_raw(HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), "broken"),
    "picture": (lambda h: h.say(200, b"\x89PNG", {"Content-Type": "image/png"}), "wrong-type"),
    "film": (lambda h: h.say(200, b"....", {"Content-Type": "video/mp4"}), "wrong-type"),
    "redirects to itself": (redirect("/vice"), "redirects"),
    "redirects inside": (redirect("http://169.254.169.254/latest/meta-data/"), "refused"),
    "redirects to a private name": (redirect("http://db.internal/"), "refused"),
    "redirects to a file": (redirect("file:///etc/passwd"), "refused"),
    "redirects with a login": (redirect("http://a:b@example.org/"), "refused"),
    "redirects to an odd notation": (redirect("http://2130706433/"), "refused"),
    "redirects to a backslash": (redirect("/\\169.254.169.254/"), "refused"),
    "redirects to another port": (redirect("http://example.org:6379/"), "refused"),
    "redirects nowhere": (redirect("http://"), "redirects"),
    "partial": (lambda h: h.say(206, PAGE), "status"),
    "login": (lambda h: h.say(401, b""), "status"),
    "forbidden": (lambda h: h.say(403, b""), "status"),
    "gone": (lambda h: h.say(410, b""), "status"),
    "broken server": (lambda h: h.say(500, b""), "status"),
    "busy": (lambda h: h.say(429, b"", {"Retry-After": "120"}), "wait"),
    "resting": (lambda h: h.say(503, b"", {"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"}), "wait"),
}


@pytest.mark.parametrize("vice", VICES)
def test_a_vice_ends_with_its_reason(site: Site, vice: str) -> None:
    """Slow, endless, bombed, cut off, mistyped, misdirected: a FetchError of its kind, within the time allowed."""
    answer, failure = VICES[vice]
    address = site.route("/vice", answer)
    began = time.monotonic()
    with pytest.raises(FetchError) as failed:
        fetch(address)
    assert failed.value.failure == failure, str(failed.value)
    assert time.monotonic() - began < LIMITS.seconds + 1.0


def test_the_bomb_is_never_held(site: Site) -> None:
    """What a bomb unpacks to is counted as it comes; no more than the limit is written."""
    body = io.BytesIO()
    address = site.route("/bomb", VICES["gzip bomb"][0])
    with pytest.raises(FetchError):
        Fetcher("t", limits=LIMITS, loopback=True).get(address, body)
    assert len(body.getvalue()) <= LIMITS.max_bytes


def test_too_many_redirects_end(site: Site) -> None:
    """A chain that goes nowhere twice, but on and on, ends at the limit."""
    for n in range(9):
        site.route(f"/{n}", redirect(f"/{n + 1}"))
    with pytest.raises(FetchError) as failed:
        fetch(site.origin + "/0")
    assert failed.value.failure == "redirects"
    assert site.asked == ["/0", "/1", "/2", "/3"]


def test_how_long_to_stay_away_is_told(site: Site) -> None:
    """Retry-After, in seconds or as a date, comes with the error; a week is the most that is believed."""
    for value, seconds in (("120", 120.0), ("Wed, 21 Oct 2099 07:28:00 GMT", 604800.0), ("99999999999", 604800.0)):
        address = site.route("/busy", lambda h, v=value: h.say(429, b"", {"Retry-After": v}))
        with pytest.raises(FetchError) as failed:
            fetch(address)
        assert failed.value.retry_after == seconds
        assert failed.value.again
    address = site.route("/busy", lambda h: h.say(429, b"", {"Retry-After": "soon"}))
    with pytest.raises(FetchError) as failed:
        fetch(address)
    assert failed.value.retry_after is None


def test_a_held_copy_is_not_sent_again(site: Site) -> None:
    """With its ETag or date the site is asked only for what is newer; another address is never sent them."""

    def answer(h: Handler) -> None:
        if h.headers.get("If-None-Match") == '"v1"':
            h.say_raw(b'HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\n\r\n')
        else:
            h.say(200, PAGE, {"Content-Type": "text/html", "ETag": '"v1"'})

    address = site.route("/held", answer)
    first, _ = fetch(address)
    again, body = fetch(address, held=Validators(first.final_address, first.etag, first.last_modified))
    assert (again.unchanged, body) == (True, b"")
    site.page("/other")
    fetch(site.origin + "/other", held=Validators(address, '"v1"'))
    assert "if-none-match" not in site.headers[-1]


def test_tls_is_verified(secure_site: Site, wrong_site: Site, authority: trustme.CA) -> None:
    """A certificate nobody vouches for, and one for another name, are refused; a good one is taken."""
    secure_site.page("/a")
    with pytest.raises(FetchError) as failed:
        fetch(secure_site.origin + "/a")
    assert failed.value.failure == "tls"
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    assert fetch(secure_site.origin + "/a", trust=trust)[1] == PAGE
    with pytest.raises(FetchError) as failed:
        fetch(wrong_site.origin + "/a", trust=trust)
    assert failed.value.failure == "tls"
    assert "/a" not in wrong_site.asked


def test_a_plain_server_under_https_is_a_tls_error(site: Site) -> None:
    """Somebody who speaks no TLS cannot prove who it is."""
    with pytest.raises(FetchError) as failed:
        fetch(site.origin.replace("http:", "https:") + "/a")
    assert failed.value.failure == "tls"


def test_nobody_there_is_said(site: Site) -> None:
    """A closed port is unreachable, not a traceback."""
    with pytest.raises(FetchError) as failed:
        fetch("http://127.0.0.1:1/")
    assert failed.value.failure == "unreachable"


def test_proxies_of_the_environment_are_not_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would resolve names itself, past every check; settings for one are not followed."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert fetch(site.page("/a"))[1] == PAGE


def test_before_may_refuse_every_hop(site: Site) -> None:
    """Whoever fetches is asked before each address, the redirects' too."""
    seen: list[str] = []
    site.route("/1", redirect("/2"))
    site.page("/2")
    fetch(site.origin + "/1", before=lambda at: seen.append(at.target))
    assert seen == ["/1", "/2"]


@pytest.mark.parametrize(
    ("address", "disposition", "kind", "stem", "name"),
    [
        ("https://example.org/papers/tides.pdf", "", "application/pdf", "", "tides.pdf"),
        ("https://example.org/papers/tides.php?x=1", "", "text/html", "", "tides.html"),
        ("https://www.example.org/", "", "text/html", "", "example.org.html"),
        ("https://example.org/x", 'attachment; filename="../../etc/passwd"', "text/plain", "", "etc-passwd.txt"),
        ("https://example.org/x", "attachment; filename*=UTF-8''%E8%B7%AF.pdf", "application/pdf", "", "路.pdf"),
        ("https://example.org/..%2f..%2fx", "", "text/html", "", "x.html"),
        ("https://example.org/data.toml", "", "text/plain", "caict-2022", "caict-2022.txt"),
    ],
)
def test_a_name_is_told_from_the_answer(address: str, disposition: str, kind: str, stem: str, name: str) -> None:
    """A plain name with the suffix of what it is; never a path."""
    assert file_name(Fetched(address, address, "", disposition=disposition), kind, stem=stem) == name
