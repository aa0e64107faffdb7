"""Web pages: what they say answers, what is gone from them or from the sitemap does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from saas.chat import pages
from saas.chat.models import Document, Passage
from tests import web
from tests.chat import papers
from tests.chat.test_knowledge import ask

ASKED = "Can batteries be shipped?"
OPENING = "<h1>Opening hours</h1><p>The shop in Leeds opens at nine on Sundays.</p>"


@pytest.fixture
def site(settings: Any) -> Iterator[web.Site]:
    with web.serve() as site:
        settings.OUTSIDE_ALLOWED = [site.address]
        site.pages["/help"] = ("text/html; charset=utf-8", papers.HTML)
        site.pages["/hours"] = ("text/html", OPENING.encode())
        yield site


@pytest.fixture
def fetch(worked_off: Any) -> Any:
    """Asks for pages and has them read; returns them, without their sitemaps, by their names."""

    def fetch(business: Any, **body: Any) -> Any:
        with worked_off():
            answer = business.call.post("pages", body)
        assert answer.status_code == 202, answer.content
        found = business.call.get("documents").json()["results"]
        return {d["name"]: d for d in found if d["name"] != d["sitemap"]}

    return fetch


def sitemaps(business: Any) -> list[Any]:
    found = business.call.get("documents").json()["results"]
    return [document for document in found if document["name"] == document["sitemap"]]


def sitemap(site: web.Site, *paths: str, kind: str = "urlset", path: str = "/sitemap.xml") -> str:
    places = "".join(f"<url><loc>{site.url}{p}</loc></url>" for p in paths)
    text = f'<{kind} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{places}</{kind}>'
    site.pages[path] = ("application/xml", text.encode())
    return f"{site.url}{path}"


def test_a_page_answers_with_its_address(shop, site, fetch) -> None:
    (document,) = fetch(shop, urls=[f"{site.url}/help"]).values()

    assert (document["state"], document["error"]) == ("ready", "")
    assert ask(shop, ASKED)["sources"][0]["document"] == f"{site.url}/help"


def test_a_page_that_has_changed_answers_anew(shop, site, fetch) -> None:
    fetch(shop, urls=[f"{site.url}/help"])
    site.pages["/help"] = ("text/html", OPENING.encode())

    fetch(shop, urls=[f"{site.url}/help"])

    assert ask(shop, ASKED)["kind"] == "fallback"
    assert "nine" in ask(shop, "When does the shop in Leeds open on Sunday?")["text"]
    with shop.scope():
        assert Document.objects.count() == 1


def test_a_page_that_is_gone_answers_no_more(shop, site, fetch) -> None:
    fetch(shop, urls=[f"{site.url}/help"])
    del site.pages["/help"]

    (document,) = fetch(shop, urls=[f"{site.url}/help"]).values()

    assert document["state"] == "failed"
    assert "gone" in document["error"]
    assert ask(shop, ASKED)["kind"] == "fallback"


def test_a_sitemaps_pages_come_and_go_with_it(shop, site, fetch) -> None:
    address = sitemap(site, "/help", "/hours")
    assert set(fetch(shop, sitemap=address)) == {f"{site.url}/help", f"{site.url}/hours"}
    assert ask(shop, ASKED)["kind"] == "passage"

    sitemap(site, "/hours")

    assert set(fetch(shop, sitemap=address)) == {f"{site.url}/hours"}
    assert ask(shop, ASKED)["kind"] == "fallback"
    with shop.scope():
        assert Passage.objects.exclude(source=f"{site.url}/hours").count() == 0


def test_an_index_of_sitemaps_is_followed_on_its_own_host_only(shop, site, fetch) -> None:
    sitemap(site, "/help", path="/one.xml")
    address = sitemap(site, "/one.xml", "/sitemap.xml", kind="sitemapindex")
    elsewhere = b"<urlset><url><loc>http://169.254.169.254/latest</loc></url></urlset>"

    assert set(fetch(shop, sitemap=address)) == {f"{site.url}/help"}
    site.pages["/other.xml"] = ("application/xml", elsewhere)
    assert set(fetch(shop, sitemap=f"{site.url}/other.xml")) == {f"{site.url}/help"}


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://169.254.169.254/latest/meta-data", "public server"),
        ("http://localhost/admin", "public server"),
        ("{site}/to/http://127.0.0.1/", "public server"),
        ("{site}/slow-or-not-there", "gone"),
        ("{site}/junk", "did not speak HTTP"),
        ("{site}/film.mp4", "no known format"),
        ("{site}/not.pdf", "not a whole PDF"),
    ],
)
def test_what_cannot_be_read_says_why(shop, site, fetch, url: str, says: str) -> None:
    site.pages["/film.mp4"] = ("video/mp4", b"moving")
    site.pages["/not.pdf"] = ("application/pdf", b"not at all")

    (document,) = fetch(shop, urls=[url.format(site=site.url)]).values()

    assert document["state"] == "failed"
    assert says in document["error"]


@pytest.mark.parametrize(
    "bomb",
    [
        b'<!DOCTYPE s [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><urlset>&b;</urlset>',
        b"<urlset><url>",
        b"<html><body>We are back soon</body></html>",
        b"\x00\x01",
    ],
)
def test_a_sitemap_that_is_none_changes_nothing(shop, site, fetch, bomb: bytes) -> None:
    address = sitemap(site, "/help")
    fetch(shop, sitemap=address)
    site.pages["/sitemap.xml"] = ("application/xml", bomb)

    assert set(fetch(shop, sitemap=address)) == {f"{site.url}/help"}
    assert ask(shop, ASKED)["kind"] == "passage"
    (document,) = sitemaps(shop)
    assert document["state"] == "failed"
    assert "sitemap" in document["error"]


def test_a_sitemap_tells_how_much_of_it_was_read(shop, site, fetch, monkeypatch) -> None:
    monkeypatch.setattr(pages, "MOST", 1)
    fetch(shop, sitemap=sitemap(site, "/help", "/hours", "/sitemap.xml"))

    (document,) = sitemaps(shop)
    assert (document["state"], document["pages"], document["progress"]) == ("ready", 1, 1.0)
    assert "left out" in document["error"]


def test_a_sitemap_goes_with_its_pages(shop, site, fetch) -> None:
    fetch(shop, urls=[f"{site.url}/hours"], sitemap=sitemap(site, "/help"))
    (document,) = sitemaps(shop)

    assert shop.call.delete(f"documents/{document['id']}").status_code == 204

    assert ask(shop, ASKED)["kind"] == "fallback"
    (left,) = shop.call.get("documents").json()["results"]
    assert left["name"] == f"{site.url}/hours"


def test_pages_are_the_tenants_own(shop, bank, site, fetch) -> None:
    fetch(shop, urls=[f"{site.url}/help"])

    assert ask(bank, ASKED)["kind"] == "fallback"
    assert bank.call.get("documents").json()["results"] == []


@pytest.mark.parametrize("body", [{}, {"urls": ["ftp://example.com"]}, {"sitemap": "help"}])
def test_no_address_is_no_page(shop, body) -> None:
    assert shop.call.post("pages", body).status_code == 400
