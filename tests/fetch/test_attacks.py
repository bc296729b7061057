"""Attempts to aim the fetcher at what is not the public web; not one may open a connection."""

from __future__ import annotations

import io
import ipaddress

import httpcore
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.errors import FetchError
from rag.fetch import Address, Fetcher
from rag.fetch.client import retry_after
from rag.fetch.network import Checked, is_public

PUBLIC = "93.184.215.14"
SCHEMES = [
    "file:///etc/passwd", "ftp://example.org/", "gopher://example.org:70/_", "data:text/plain,hi",
    "javascript:alert(1)",
    "dict://example.org:11211/", "ldap://example.org/", "jar:http://example.org!/",
    "ws://example.org/", "blob:http://x.org/1",
    "//example.org/", "example.org/paper", "http:example.org", "http:/example.org",
    "http:///example.org", "https://", "", " ",
]  # fmt: skip
LITERALS = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255",  # noqa: S104
    "100.64.0.1", "100.100.100.200",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "168.63.129.16",
    "[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[::ffff:0:127.0.0.1]", "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]", "[2001:db8::1]", "[3fff::1]", "[fc00::1]",
    "[fd00:ec2::254]", "[fe80::1]",
    "[fe80::1%25eth0]", "[fec0::1]", "[ff02::1]", "[100::1]", "[5f00::1]", "[2a00:1450::5efe:7f00:1]",
    "[2a00:1450::200:5efe:a00:1]", "[::1", "[127.0.0.1]", "[v1.fe80::a]", "[]",
]  # fmt: skip
NOTATIONS = [
    "2130706433", "0x7f000001", "0x7f.0x0.0x0.0x1", "0177.0.0.1", "017700000001", "127.1",
    "127.0.1", "0", "1", "127.0.0.01",
    "0x7f.1", "127.0.0.1.", "2852039166", "0xA9FEA9FE", "169.254.43518", "127.0.0.0x1",
    "99999999999", "1.2.3.4.5", "256.1.1.1",
    "１２７.0.0.1", "127。0。0。1", "①②⑦.0.0.1", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "localhost。", "8.8.8", "134744072", "0x08080808",
]  # fmt: skip
NAMES = [
    "localhost", "LOCALHOST", "localhost.", "a.localhost", "localhost.localdomain",
    "printer.local", "nas.lan", "router.home.arpa",
    "metadata.google.internal", "db.corp", "wiki.intranet", "x.onion", "intranet", "example..org", ".example.org",
    "-a.example.org", "exa mple.org", "exa\tmple.org", "example.org\r\nX: 1", "ex_ample.org",
    "xn--.org", "a" * 64 + ".org",
    "exam%70le.org", "127.0.0.1%2eexample.org", "example.org\\@127.0.0.1", "ex\u0000ample.org", "ex\u202eample.org",
]  # fmt: skip
PARTS = [
    "http://user@example.org/", "http://user:secret@example.org/",
    "http://example.org@127.0.0.1/", "http://@example.org/",
    "http://127.0.0.1#@example.org/", "http://127.0.0.1?@example.org/", "http://127.0.0.1\\.example.org/",
    "http://example.org:22/", "http://example.org:25/", "http://example.org:6379/", "http://example.org:0/",
    "http://example.org:65536/", "http://example.org:99999999999999/",
    "http://example.org:80:80/", "http://example.org:-80/",
    "http://example.org:٨٠/", "http://example.org:0x50/", "http://[::1]:80/",
    "http://127.0.0.1:80/", "https://127.0.0.1:443/",
    "http://127.0.0.1:8000/", f"http://example.org/{'a' * 2100}", "http://example.org/a b",
    "http://example.org/\nHost: x",
]  # fmt: skip
ATTACKS = [
    *SCHEMES,
    *(f"http://{host}/" for host in [*LITERALS, *NOTATIONS, *NAMES]),
    *(f"https://{host}:443/latest/meta-data/" for host in LITERALS[:12]),
    *PARTS,
]


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Every connection that would be opened; none is."""
    asked: list[tuple[str, int]] = []

    def connect(_: object, host: str, port: int, *_rest: object, **_more: object) -> None:
        asked.append((host, port))
        raise httpcore.ConnectError("the test opens no connection")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    return asked


def resolver(host: str, _port: int) -> list[str]:
    """A resolver as the system's is: it understands odd notations, and knows every name."""
    try:
        return [str(ipaddress.ip_address(int(host, 0)))]
    except ValueError:
        return [PUBLIC]


@pytest.mark.parametrize("address", ATTACKS)
def test_an_attack_opens_no_connection(address: str, connected: list[tuple[str, int]]) -> None:
    """The address is refused, with a reason, before anything is connected to."""
    with pytest.raises(FetchError) as refused:
        Fetcher("test", lookup=resolver).get(address, io.BytesIO())
    assert refused.value.failure == "refused"
    assert not refused.value.again
    assert connected == []


@pytest.mark.parametrize("hidden", [x.strip("[]") for x in LITERALS if ":" in x or x[0].isdigit()][:47])
def test_a_name_that_leads_inside_is_refused(hidden: str, connected: list[tuple[str, int]]) -> None:
    """A public name whose address is not public is refused, alone and among public ones."""
    for answers in ([hidden], [PUBLIC, hidden], [hidden, PUBLIC]):
        with pytest.raises(FetchError):
            Fetcher("test", lookup=lambda _host, _port, found=answers: found).get("http://example.org/", io.BytesIO())
    assert connected == []


def test_a_name_is_resolved_once(connected: list[tuple[str, int]]) -> None:
    """Rebinding: the connection goes to the address that was checked, whatever DNS says a moment later."""
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return [PUBLIC] if len(asked) == 1 else ["127.0.0.1"]

    with pytest.raises(FetchError) as failed:
        Fetcher("test", lookup=rebinding).get("http://example.org/", io.BytesIO())
    assert failed.value.failure == "unreachable"
    assert asked == ["example.org"]
    assert connected == [(PUBLIC, 80)]


def test_who_answers_is_looked_at_again() -> None:
    """A connection that ends elsewhere than at the checked address is closed unread."""

    class Elsewhere(httpcore.NetworkStream):
        closed = False

        def get_extra_info(self, info: str) -> object:
            return ("127.0.0.1", 80) if info == "server_addr" else None

        def close(self) -> None:
            self.closed = True

    stream = Elsewhere()
    network = Checked(float("inf"), lookup=lambda _host, _port: [PUBLIC])
    network._network.connect_tcp = lambda *_, **__: stream  # type: ignore[method-assign]
    with pytest.raises(FetchError, match="another address"):
        network.connect_tcp("example.org", 80)
    assert stream.closed


def test_this_machines_sockets_are_never_used() -> None:
    """A unix socket is no address of the web."""
    with pytest.raises(FetchError):
        Checked(float("inf")).connect_unix_socket("/run/docker.sock")


def test_loopback_opens_loopback_only() -> None:
    """The setting for tests lets this machine through, and nothing else that is private."""
    assert str(Address.parse("http://127.0.0.1:4711/x", loopback=True)) == "http://127.0.0.1:4711/x"
    assert Address.parse("http://localhost:4711/", loopback=True).host == "localhost"
    with pytest.raises(FetchError):
        Address.parse("http://127.1:4711/", loopback=True)
    for host in ("10.0.0.1", "169.254.169.254", "[fd00::1]", "[::ffff:127.0.0.1]", "0.0.0.0"):  # noqa: S104
        with pytest.raises(FetchError):
            Fetcher("test", loopback=True).get(f"http://{host}/", io.BytesIO())


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("http://example.org", "http://example.org/"),
        ("HTTPS://Example.ORG:443/A%20b?q=ä#part", "https://example.org/A%20b?q=%C3%A4"),
        ("http://example.org.:8080/", "http://example.org:8080/"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://doi.org/10.1002/(SICI)1097<1::AID>3.0", "https://doi.org/10.1002/(SICI)1097%3C1::AID%3E3.0"),
        ("http://93.184.215.14/", "http://93.184.215.14/"),
        ("https://[2606:4700::6810:84e5]/", "https://[2606:4700::6810:84e5]/"),
        ("https://例え.テスト/路", "https://xn--r8jz45g.xn--zckzah/%E8%B7%AF"),
        ("https://example.org?a=1", "https://example.org/?a=1"),
    ],
)
def test_a_public_address_is_read(said: str, read: str) -> None:
    """What is public is let through, in one spelling: lower-case ASCII host, percent-encoded path."""
    assert str(Address.parse(said)) == read


@pytest.mark.parametrize("ip", ["8.8.8.8", "1.1.1.1", PUBLIC, "2606:4700::6810:84e5", "2a00:1450:4001:82b::200e"])
def test_public_addresses_are_public(ip: str) -> None:
    """The table of special networks keeps nobody out who is not in it."""
    assert is_public(ip)


@given(st.text(max_size=60) | st.builds("{}://{}/{}".format, *[st.text(max_size=20)] * 3))
@example("http://[::1")
@example("http://\u2100.org/")
@example("https://example.org:\u0661/")
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever is given for an address is one, in a spelling that stays itself, or a FetchError; nothing else."""
    try:
        address = Address.parse(text)
    except FetchError:
        return
    assert str(address).isascii()
    assert Address.parse(str(address)) == address


@given(st.text(max_size=40))
def test_any_retry_after_is_seconds_or_nothing(value: str) -> None:
    """Whatever a site writes there, waiting has an end."""
    seconds = retry_after(value)
    assert seconds is None or 0 <= seconds <= 7 * 24 * 3600


def test_there_are_enough_attacks() -> None:
    """At least sixty, all different."""
    assert len(set(ATTACKS)) >= 60
