"""Other people's servers are called; nothing inside this network is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from saas import outside
from saas.outside import OutsideError, fetch
from tests import web

PAGE = b"<h1>Hello</h1>"


@pytest.fixture
def site(settings: Any) -> Iterator[str]:
    with web.serve() as site:
        settings.OUTSIDE_ALLOWED = [site.address]
        site.pages["/page"] = ("text/html", PAGE)
        yield site.url


def get(url: str, **more: Any) -> outside.Answer:
    return fetch(url, **({"most": 1_000, "seconds": 5.0} | more))


def test_a_listed_server_answers(site: str) -> None:
    answer = get(f"{site}/page")

    assert (answer.status, answer.body, answer.url) == (200, PAGE, f"{site}/page")
    assert get(f"{site}/gone").status == 404
    assert get(f"{site}/to/{site}/page", redirects=3).url == f"{site}/page"
    assert get(f"{site}/to/{site}/page").status == 302


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "10.1.2.3", "192.168.0.1", "172.16.5.5", "169.254.169.254"),
        *("0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "[fd00::1]", "[fe80::1]", "[64:ff9b::7f00:1]"),
        *("100.64.0.1", "224.0.0.1", "2130706433", "0x7f.1", "127.1"),
    ],
)
def test_nothing_inside_is_reached(host: str) -> None:
    with pytest.raises(OutsideError, match=r"public server|no server"):
        get(f"http://{host}/")


def test_a_name_that_means_an_inner_address_is_refused(monkeypatch) -> None:
    found = [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", ("10.0.0.1", 443))]
    monkeypatch.setattr("saas.outside.socket.getaddrinfo", lambda *_, **__: found)
    with pytest.raises(OutsideError, match="public server"):
        get("https://rebinding.example/")


def test_a_redirect_leads_to_nothing_inside(site: str) -> None:
    for target in ("http://127.0.0.1/", "http://169.254.169.254/latest", "file:///etc/passwd"):
        with pytest.raises(OutsideError):
            get(f"{site}/to/{target}", redirects=3)
    with pytest.raises(OutsideError, match="leads on and on"):
        get(f"{site}/to//to//to/{site}/to/{site}/to/{site}/page", redirects=1)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://example.com/", "must begin with"),
        ("file:///etc/passwd", "must begin with"),
        ("https://", "must begin with"),
        ("https://me:secret@example.com/", "password"),
        ("https://example.com:6379/", "ports 80 and 443"),
        ("https://example.com:99999/", "not a web address"),
        ("http://[::1/", "not a web address"),
    ],
)
def test_what_is_no_public_web_address_is_refused(url: str, says: str) -> None:
    with pytest.raises(OutsideError, match=says):
        get(url)


def test_too_much_too_slow_and_nonsense_end(site: str) -> None:
    with pytest.raises(OutsideError, match="larger than 5 bytes"):
        get(f"{site}/page", most=5)
    with pytest.raises(OutsideError, match="too long"):
        get(f"{site}/slow", seconds=0.3)
    with pytest.raises(OutsideError, match="too long"):
        get(f"{site}/drip", seconds=0.3)
    with pytest.raises(OutsideError, match="did not speak HTTP"):
        get(f"{site}/junk")


def test_a_certificate_is_checked(settings, tmp_path, monkeypatch) -> None:
    file = web.certificate(tmp_path)
    with web.serve(file) as site:
        settings.OUTSIDE_ALLOWED = [site.address]
        site.pages["/page"] = ("text/html", PAGE)
        with pytest.raises(OutsideError, match="could not be reached"):
            get(f"{site.url}/page")

        outside.trusted.cache_clear()
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        try:
            assert get(f"{site.url}/page").body == PAGE
            with pytest.raises(OutsideError, match="too long"):
                get(f"{site.url}/slow", seconds=0.5)
        finally:
            outside.trusted.cache_clear()


def test_a_call_may_want_the_status_alone(site: str) -> None:
    answer = get(f"{site}/slow", most=0)

    assert (answer.status, answer.body) == (200, b"")


def test_https_alone_may_be_wanted(site: str) -> None:
    """A listed server is the operator's own, and may do without."""
    assert get(f"{site}/page", schemes=("https",)).status == 200
    with pytest.raises(OutsideError, match="begin with https://"):
        get("http://example.com/", schemes=("https",))
