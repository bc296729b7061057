"""A web server on loopback that misbehaves, one path a vice; real sockets, real TLS."""

from __future__ import annotations

import gzip
import ssl
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = (
    "<html><head><title>Turning tides</title><meta name='author' content='Tom Marlowe'></head><body><article>"
    "<h1>Turning tides</h1><p>By Tom Marlowe, 2019</p><p>The first tidal turbine of Kestrel Bay went into the water in "
    "May 2019. It supplies four thousand homes with power, said the harbour board.</p></article></body></html>"
).encode("ascii")


class Site:
    """What the server answers, path by path, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.count: Counter[str] = Counter()
        self.routes: dict[str, Callable[[Handler], None]] = {"/robots.txt": lambda h: h.say(404, b"")}
        self.origin = ""

    def page(self, path: str, body: bytes = PAGE, kind: str = "text/html; charset=utf-8", **headers: str) -> str:
        """Serve a body under a path; returns its address."""
        return self.route(path, lambda h: h.say(200, body, {"Content-Type": kind, **headers}))

    def route(self, path: str, answer: Callable[[Handler], None]) -> str:
        """Let `answer` speak for a path; returns its address."""
        self.routes[path] = answer
        return self.origin + path


class Handler(BaseHTTPRequestHandler):
    """Hands each request to the route of its path."""

    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        """Answer by the route."""
        self.site.asked.append(self.path)
        self.site.headers.append({k.lower(): v for k, v in self.headers.items()})
        self.site.times.append(time.monotonic())
        self.site.count[self.path] += 1
        route = self.site.routes.get(self.path.partition("?")[0])
        self.close_connection = True
        if route is None:
            self.say(404, b"nothing here")
            return
        try:
            route(self)
        except (BrokenPipeError, ConnectionResetError):
            return  # whoever asked has had enough

    def say(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        """A whole answer."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def say_raw(self, *pieces: bytes, seconds: float = 0.0) -> None:
        """These bytes and no others, with a pause after each."""
        for piece in pieces:
            self.wfile.write(piece)
            self.wfile.flush()
            time.sleep(seconds)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


BOMB = gzip.compress(bytes(64 << 20), 1)
"""64 MiB of nothing in less than one."""


def deflated(data: bytes, *, raw: bool) -> bytes:
    """`data` as some servers deflate: with zlib's frame, or without."""
    engine = zlib.compressobj(wbits=-15 if raw else 15)
    return engine.compress(data) + engine.flush()


def serving(site: Site, context: ssl.SSLContext | None = None) -> Iterator[Site]:
    """Let `site` be asked on a free port of 127.0.0.1 until the generator is done."""
    handler = type("Handler", (Handler,), {"site": site})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that hangs up is what we test
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    scheme = "http" if context is None else "https"
    site.origin = f"{scheme}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
