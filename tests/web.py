"""A web site of the tests' own, on a port of this machine."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True)
class Posted:
    path: str
    headers: dict[str, str]
    body: bytes


class Site:
    """`pages` has for each path its content type and content; what is not there is answered 404.

    A path below `/to/` redirects to what follows, `/slow` takes five seconds, and so does `/drip` for
    its headers alone; `/junk` is no HTTP. What is posted is kept in `posted`, and answered by the
    first of `statuses` that is left, or else as a GET would be.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.url = f"http://{address}"
        self.pages: dict[str, tuple[str, bytes]] = {}
        self.posted: list[Posted] = []
        self.statuses: list[int] = []
        self.stopping = threading.Event()


def certificate(folder: Path) -> Path:
    """A file with a key, and a certificate for `localhost` that this key has signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file = folder / "certificate.pem"
    parts = (
        key.private_bytes(serialization.Encoding.PEM, *form),
        made.public_bytes(serialization.Encoding.PEM),
    )
    file.write_bytes(b"".join(parts))
    return file


@contextmanager
def serve(certificate: Path | None = None) -> Iterator[Site]:
    """With a certificate (and its key in the same file) over TLS, by the name `localhost`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site = Site(f"127.0.0.1:{server.server_port}")
    if certificate:
        site.address = f"localhost:{server.server_port}"
        site.url = f"https://{site.address}"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.site = site  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield site
    finally:
        site.stopping.set()
        server.shutdown()
        server.server_close()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        site: Site = self.server.site  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        site.posted.append(Posted(self.path, headers, body))
        if not site.statuses:
            return self.do_GET()
        self.send_response(site.statuses.pop(0))
        self.end_headers()

    def do_GET(self) -> None:
        site: Site = self.server.site  # type: ignore[attr-defined]
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
        elif self.path == "/slow":
            self.send_response(200)
            self.end_headers()
            self._trickle(site)
        elif self.path == "/drip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
            self._trickle(site)
        elif self.path == "/junk":
            self.wfile.write(b"this is not HTTP\r\n\r\n")
        else:
            kind, content = site.pages.get(self.path, ("text/plain", b"gone"))
            self.send_response(200 if self.path in site.pages else 404)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(content)

    def _trickle(self, site: Site) -> None:
        for _ in range(100):
            self.wfile.write(b".")
            self.wfile.flush()
            site.stopping.wait(0.05)

    def log_message(self, *parts: Any) -> None:
        """Says nothing in the tests' output."""
