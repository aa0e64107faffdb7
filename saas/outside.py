"""The door to other people's servers: nothing inside this network is reached through it."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


class OutsideError(Exception):
    """What could not be fetched, in words for the tenant: nothing about this network is in them."""


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

    Each connection goes to an address that was looked at after the name was resolved, so that no
    name can change its mind in between, and no redirect leads inside. Raises `OutsideError`.
    """
    deadline = time.monotonic() + seconds
    with httpcore.ConnectionPool(
        network_backend=_Guard(), ssl_context=ssl.create_default_context()
    ) as pool:
        for _ in range(redirects + 1):
            _check(url, schemes)
            answer = _call(pool, method, url, headers or {}, body, most, deadline)
            target = answer.headers.get("location")
            if answer.status not in (301, 302, 303, 307, 308) or target is None or not redirects:
                return answer
            url = urljoin(url, target)
    raise OutsideError(f"It leads on and on: more than {redirects} redirects.")


def _check(url: str, schemes: tuple[str, ...]) -> None:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError as error:
        raise OutsideError("This is not a web address.") from error
    if parts.scheme not in schemes or not parts.hostname:
        raise OutsideError(
            f"The address must begin with {' or '.join(f'{s}://' for s in schemes)}."
        )
    if parts.username or parts.password:
        raise OutsideError("The address must not hold a password.")
    if port not in PORTS and not _is_listed(parts.hostname, port or 0):
        raise OutsideError(f"Only ports {' and '.join(map(str, PORTS))} are called.")


def _call(
    pool: httpcore.ConnectionPool,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    most: int,
    deadline: float,
) -> Answer:
    left = deadline - time.monotonic()
    if left <= 0:
        raise OutsideError("The server took too long to answer.")
    timeout = {"connect": min(CONNECT, left), "read": left, "write": left, "pool": left}
    # Compressed answers could be bombs: none are asked for.
    sent = {"User-Agent": AGENT, "Accept-Encoding": "identity", **headers}
    try:
        with pool.stream(
            method, url, headers=list(sent.items()), content=body, extensions={"timeout": timeout}
        ) as response:
            found = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in response.headers}
            content = _read(response.iter_stream(), most, deadline)
            return Answer(url, response.status, found, content)
    except httpcore.TimeoutException as error:
        raise OutsideError("The server took too long to answer.") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, UnicodeError) as error:
        raise OutsideError("The server could not be reached, or did not speak HTTP.") from error


def _read(parts: Iterable[bytes], most: int, deadline: float) -> bytes:
    content = bytearray()
    for part in parts:
        content += part
        if len(content) > most:
            raise OutsideError(f"The answer is larger than {most:,} bytes.")
        if time.monotonic() > deadline:
            raise OutsideError("The server took too long to answer.")
    return bytes(content)


class _Guard(httpcore.NetworkBackend):
    """Connects to public addresses only."""

    def __init__(self) -> None:
        self._real = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        return self._real.connect_tcp(
            _public_address(host, port), port, timeout, local_address, socket_options
        )


def _public_address(host: str, port: int) -> str:
    """Of the host's addresses the first; raises `OutsideError` where one of them is an inner one."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise OutsideError("There is no server of that name.") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not _is_listed(host, port) and not all(map(_is_public, addresses)):
        raise OutsideError("The address does not belong to a public server.")
    return addresses[0]


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
