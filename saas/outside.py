"""The door to other people's servers: nothing inside this network is reached through it."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore2 as httpcore
from django.conf import settings

PORTS = (80, 443)
REDIRECTS = 5
CONNECT = 5.0  # seconds
# Addresses of IPv6 that lead to one of IPv4, which may be an inner one.
TUNNELS = tuple(
    map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
)
AGENT = "Frontdesk"
INNER = "The address does not belong to a public server."


class OutsideError(Exception):
    """What could not be fetched, in words for the tenant: nothing about this network is in them."""


class TookTooLong(OutsideError):
    """The time was over."""

    def __init__(self) -> None:
        super().__init__("The server took too long to answer.")


@dataclass(frozen=True, slots=True)
class Answer:
    """`url` is where it came from after redirects; names of `headers` are in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    most: int,
    seconds: float,
    redirects: int = 0,
    schemes: tuple[str, ...] = ("https", "http"),
) -> Answer:
    """One call to a public server, up to `most` bytes of answer within so many seconds.

    With 0 the answer is its status and headers; what follows them is not waited for.

    Each connection goes to an address that was looked at after the name was resolved, so that no
    name can change its mind in between, and no redirect leads inside. Raises `OutsideError`.
    """
    deadline = time.monotonic() + seconds
    with httpcore.ConnectionPool(network_backend=_Guard(deadline), ssl_context=trusted()) as pool:
        for _ in range(redirects + 1):
            check(url, schemes)
            answer = _call(pool, method, url, headers or {}, body, most)
            target = answer.headers.get("location")
            if answer.status not in (301, 302, 303, 307, 308) or target is None or not redirects:
                return answer
            url = urljoin(url, target)
    raise OutsideError(f"It leads on and on: more than {redirects} redirects.")


@cache
def trusted() -> ssl.SSLContext:
    """The certificates that are believed; reading them takes longer than a call."""
    return ssl.create_default_context()


def check(url: str, schemes: tuple[str, ...]) -> None:
    """Raises `OutsideError` for an address that is never called, whatever its name comes to mean.

    Servers of the operator's list may be called by http always.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError as error:
        raise OutsideError("This is not a web address.") from error
    listed = _is_listed(parts.hostname or "", port or 0)
    allowed = (*schemes, "http") if listed else schemes
    if parts.scheme not in allowed or not parts.hostname:
        raise OutsideError(
            f"The address must begin with {' or '.join(f'{s}://' for s in schemes)}."
        )
    if parts.username or parts.password:
        raise OutsideError("The address must not hold a password.")
    if port not in PORTS and not listed:
        raise OutsideError(f"Only ports {' and '.join(map(str, PORTS))} are called.")
    if not listed and _is_inner(parts.hostname):
        raise OutsideError(INNER)


def _call(
    pool: httpcore.ConnectionPool,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    most: int,
) -> Answer:
    # Compressed answers could be bombs: none are asked for.
    sent = {"User-Agent": AGENT, "Accept-Encoding": "identity", **headers}
    try:
        with pool.stream(method, url, headers=list(sent.items()), content=body) as response:
            found = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in response.headers}
            content = _read(response.iter_stream(), most) if most else b""
            return Answer(url, response.status, found, content)
    except httpcore.TimeoutException as error:
        raise TookTooLong from error
    except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, UnicodeError) as error:
        raise OutsideError("The server could not be reached, or did not speak HTTP.") from error


def _read(parts: Iterable[bytes], most: int) -> bytes:
    content = bytearray()
    for part in parts:
        content += part
        if len(content) > most:
            raise OutsideError(f"The answer is larger than {most:,} bytes.")
    return bytes(content)


class _Guard(httpcore.NetworkBackend):
    """Connects to public addresses only, and for no longer than until the deadline."""

    def __init__(self, deadline: float) -> None:
        self._real = httpcore.SyncBackend()
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        address = _public_address(host, port)
        seconds = min(CONNECT, _left(self._deadline))
        made = self._real.connect_tcp(address, port, seconds, local_address, socket_options)
        return _Stream(made, self._deadline)


class _Stream(httpcore.NetworkStream):
    """A connection that ends at the deadline, however slowly its bytes trickle in."""

    def __init__(self, real: httpcore.NetworkStream, deadline: float) -> None:
        self._real = real
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._real.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._real.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._real.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        made = self._real.start_tls(ssl_context, server_hostname, _left(self._deadline))
        return _Stream(made, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._real.get_extra_info(info)


def _left(deadline: float) -> float:
    """Seconds until then; raises httpcore's time-out where there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout
    return left


def _public_address(host: str, port: int) -> str:
    """Of the host's addresses the first; raises `OutsideError` where one of them is an inner one."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise OutsideError("There is no server of that name.") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not _is_listed(host, port) and not all(map(_is_public, addresses)):
        raise OutsideError(INNER)
    return addresses[0]


def _is_inner(host: str) -> bool:
    """Of an address in numbers; a name is looked up when it is called."""
    try:
        return not _is_public(host)
    except ValueError:
        return False


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            found = found.ipv4_mapped
        elif any(found in network for network in TUNNELS):
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved


def _is_listed(host: str, port: int) -> bool:
    """Whether the operator lets tenants reach this one, as `host:port`."""
    return f"{host}:{port}" in settings.OUTSIDE_ALLOWED
