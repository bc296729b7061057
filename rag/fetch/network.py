"""Name → public IP addresses, and a connection that goes to one that was checked.

httpcore opens its sockets through `Checked`: the name is resolved once, every answer must be public, the socket goes to
one of those answers, and who answered is looked at again. A second look-up, where DNS could say something else
(rebinding), never happens. The whole exchange ends at `deadline`, however slowly the other side drips.
Special-purpose networks: the IANA registries for IPv4 and IPv6 (RFC 6890 and its successors).
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpcore

from rag.errors import FetchError

Lookup = Callable[[str, int], Sequence[str]]
"""Host and port → its IP addresses, as text. Raises OSError."""

_NOT_PUBLIC_4 = [
    ipaddress.IPv4Network(n)
    for n in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",  # a public number that inside one cloud is the host's own control service
    )
]  # fmt: skip
_PUBLIC_6 = ipaddress.IPv6Network("2000::/3")  # the only global unicast there is; NAT64, ULA, mapped lie outside it
_NOT_PUBLIC_6 = [
    ipaddress.IPv6Network(n)
    for n in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32", "2002::/16",  # documentation; 6to4, which hides an IPv4 address
        "2620:4f:8000::/48", "3fff::/20",
    )
]  # fmt: skip
_ISATAP = {0x00005EFE, 0x02005EFE}


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet's, and hides none that is not."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _NOT_PUBLIC_4)
    if ip.scope_id is not None or ip not in _PUBLIC_6 or any(ip in network for network in _NOT_PUBLIC_6):
        return False
    return (int(ip) >> 32) & 0xFFFFFFFF not in _ISATAP


def look_up(host: str, port: int) -> list[str]:
    """The IP addresses of a host by the system's resolver. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Checked(httpcore.NetworkBackend):
    """The network as one exchange may use it: public addresses, until `deadline` (of `time.monotonic`)."""

    def __init__(self, deadline: float, *, loopback: bool = False, lookup: Lookup = look_up) -> None:
        self.deadline = deadline
        self.loopback = loopback
        self.lookup = lookup
        self.peer = ""
        """The IP address that was connected to."""
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Resolve, check, connect to what was checked, and look who is there. Raises FetchError."""
        addresses = self._resolved(host, port)
        error: Exception | None = None
        for address in addresses[:4]:
            seconds = _left(self.deadline, timeout)
            try:
                stream = self._network.connect_tcp(address, port, seconds, local_address, socket_options)
            except httpcore.ConnectError as refused:
                error = refused
                continue
            there = str((stream.get_extra_info("server_addr") or ("",))[0])
            if there != address or not self._allowed(there):
                stream.close()
                raise FetchError(f"{host} was answered from another address than the one checked", "refused")
            self.peer = there
            return _Timed(stream, self.deadline)
        raise error or httpcore.ConnectError("nothing to connect to")

    def connect_unix_socket(
        self,
        path: str,  # noqa: ARG002  (httpcore's own signature)
        timeout: float | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """Never: a socket of this machine is no address of the web."""
        raise FetchError("a socket of this machine is not fetched from", "refused")

    def _allowed(self, address: str) -> bool:
        return is_public(address) or (self.loopback and ipaddress.ip_address(address).is_loopback)

    def _resolved(self, host: str, port: int) -> list[str]:
        found = self._looked_up(host, port)
        if not found:
            raise FetchError(f"the host {host!r} has no address; check how it is spelt", "unknown-host")
        for address in found:
            # One private answer among public ones is how a name is turned against whoever resolves it.
            if not self._allowed(address):
                raise FetchError(
                    f"{host!r} leads to {address}, which is no address of the public internet; it is not fetched",
                    "refused",
                )
        return found

    def _looked_up(self, host: str, port: int) -> list[str]:
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            pass
        answers: list[str] = []
        failure: list[OSError] = []

        def ask() -> None:
            try:
                answers.extend(self.lookup(host, port))
            except (OSError, UnicodeError) as error:
                failure.append(error if isinstance(error, OSError) else OSError(str(error)))

        # The system's resolver cannot be interrupted: it is left behind when its time is over.
        asking = threading.Thread(target=ask, daemon=True, name="adfontes-lookup")
        asking.start()
        asking.join(_left(self.deadline, 10.0))
        if asking.is_alive():
            raise FetchError(f"the name server said nothing about {host!r} in time; try again later", "timeout")
        if failure:
            raise FetchError(f"the host {host!r} is not known ({failure[0]}); check how it is spelt", "unknown-host")
        return list(answers)


class _Timed(httpcore.NetworkStream):
    """A stream whose every read and write also ends at the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline, timeout))
        return _Timed(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  (httpcore's own signature)
        return self._stream.get_extra_info(info)


def _left(deadline: float, timeout: float | None) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time for the whole exchange is over")
    return left if timeout is None else min(left, timeout)
