"""Text → Address: the grammar of what may be fetched. Stricter than RFC 3986, so that no two readers can differ.

Names by UTS 46 (IDNA); a host whose last label is a number must be a plain dotted quad (WHATWG URL, "ends in a
number"), so decimal, octal, hexadecimal and short notations are refused before anybody resolves them.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin

import idna

from rag.errors import FetchError

LONGEST = 2000
"""Characters an address may have."""
PORTS = frozenset({80, 443, 8080, 8443})
"""The ports where the web is served; others would let us be used to knock on doors of other services."""
_DEFAULT = {"http": 80, "https": 443}
_PARTS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<target>[^#]*)")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_OURS = frozenset(
    ("localhost", "local", "localdomain", "internal", "intranet", "lan", "home", "corp", "private", "arpa", "onion")
)
"""Last labels that are never the public web's (RFC 6761, RFC 8375, RFC 9476, and names routers give)."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address that may be tried: what is asked of which host at which port. All ASCII."""

    scheme: str
    host: str
    """A lower-case name without final dot, or an IP address without brackets."""
    port: int
    target: str
    """Path and query, beginning with a slash."""

    @property
    def authority(self) -> str:
        """Host and, where it is not the scheme's own, port: the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{self.scheme}://{self.authority}"

    def __str__(self) -> str:
        return f"{self.origin}{self.target}"

    @classmethod
    def parse(cls, text: str, *, loopback: bool = False) -> Address:
        """Read an address. Raises FetchError saying why it will not be fetched.

        `loopback` lets this machine's own loopback through, at any port; nothing else private.
        """
        said = text.strip(" \t\r\n")
        if len(said) > LONGEST:
            raise _refused(said, f"it has {len(said)} characters; at most {LONGEST} are taken")
        if "\\" in said or any(not c.isprintable() or c.isspace() for c in said):
            raise _refused(said, "it holds blanks, backslashes or control characters")
        parts = _PARTS.fullmatch(said.partition("#")[0])
        if parts is None or parts["scheme"].lower() not in _DEFAULT:
            raise _refused(said, "only http:// and https:// addresses are fetched")
        scheme, authority = parts["scheme"].lower(), parts["authority"]
        if "@" in authority:
            raise _refused(said.replace(authority, "…@" + authority.rpartition("@")[2]), "it carries credentials")
        if "%" in authority:
            raise _refused(said, "its host is percent-encoded or names a network interface")
        host, port = _split(said, authority)
        host = _host(said, host, loopback=loopback)
        number = _port(said, port, _DEFAULT[scheme])
        if number not in PORTS and not (loopback and is_loopback(host)):
            raise _refused(said, f"port {number} is not one where the web is served ({_listed(PORTS)})")
        target = quote(parts["target"], safe="%/:?&=~+!$,;'()*@[]-._|")
        return cls(scheme, host, number, target if target.startswith("/") else f"/{target}")

    def join(self, location: str, *, loopback: bool = False) -> Address:
        """The address that a redirect from here leads to. Raises FetchError."""
        try:
            there = urljoin(str(self), location.strip(" \t\r\n"))
        except ValueError:
            raise _refused(location, "it is no address") from None
        return Address.parse(there, loopback=loopback)


def is_loopback(host: str) -> bool:
    """Whether a host, by its notation alone, is this machine's loopback."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(said: str, authority: str) -> tuple[str, str | None]:
    if authority.startswith("["):
        host, closed, rest = authority.partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise _refused(said, "its brackets do not close")
        return host + closed, rest[1:] if rest else None
    host, colon, port = authority.partition(":")
    return host, port if colon else None


def _port(said: str, port: str | None, default: int) -> int:
    if port is None or port == "":
        return default
    if not (port.isascii() and port.isdigit()) or not 1 <= int(port[:6]) <= 65535:
        raise _refused(said, f"{port[:20]!r} is no port")
    return int(port)


def _host(said: str, host: str, *, loopback: bool) -> str:
    if host.startswith("["):
        try:
            return str(ipaddress.IPv6Address(host[1:-1]))
        except ValueError:
            raise _refused(said, f"{host} is no IPv6 address") from None
    name = host.lower()
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True, transitional=False).decode("ascii").lower()
        except (idna.IDNAError, UnicodeError):
            raise _refused(said, "its host is no name that IDNA allows") from None
    name = name.removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _refused(said, "its host is no name")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            raise _refused(said, f"{name} is an odd notation of an IP address; write four decimal numbers") from None
    if loopback and name == "localhost":
        return name
    if len(labels) < 2 or labels[-1] in _OURS:
        raise _refused(said, f"{name} is a name of a local network")
    return name


def _refused(said: str, why: str) -> FetchError:
    return FetchError(f"{said[:200]!r} is not fetched: {why}", "refused")


def _listed(ports: frozenset[int]) -> str:
    return ", ".join(map(str, sorted(ports)))
