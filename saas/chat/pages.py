"""Web pages as documents: fetched by a worker, and again whenever they are asked for again."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Annotated, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone
from pydantic import Field, StringConstraints

from saas import outside, rows
from saas.chat import documents, knowledge
from saas.chat.models import Document
from saas.chat.reading.blocks import ReadError
from saas.chat.reading.formats import FORMATS
from tenants import audit

SECONDS = 30.0
REDIRECTS = 5
SITEMAP_BYTES = 50 * 1024**2  # as the protocol allows (sitemaps.org)
MOST = 5_000  # pages of one sitemap
DEPTH = 50  # sitemaps that an index names
LONGEST = 200  # characters of an address
LEFT_OUT = (
    f"It names more than {MOST:,} pages or {DEPTH} sitemaps; what is beyond them was left out. "
    "Ask for its parts, each as a sitemap of its own."
)
GONE = (404, 410)
KINDS = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "application/pdf": ".pdf",
    "text/markdown": ".md",
    "text/plain": ".txt",
}

Url = Annotated[
    str, StringConstraints(pattern=r"^https?://[^\s\x00-\x1f\x7f]+$", max_length=LONGEST)
]


class PagesForm(knowledge.ApplicableRow):
    """Pages by their addresses, or all that a sitemap names."""

    urls: list[Url] = Field(default=[], max_length=500)
    sitemap: Url | None = Field(
        default=None, description="A document too; the pages that it names no more are deleted"
    )
    language: rows.Language | None = None


class Gone(ReadError):
    """The page is not there any more."""


def ask(form: PagesForm, *, actor: str) -> list[Document]:
    """Have pages fetched and read; what was read of them before answers until then."""
    fields = {"language": form.language or "", **form.applies()}
    found = _put([form.sitemap], fields | {"sitemap": form.sitemap}) if form.sitemap else []
    found += _put(form.urls, fields | {"sitemap": ""})
    audit.record(actor=actor, action="pages.asked", target=form.sitemap or "", pages=len(found))
    return found


def settle(sitemap: Document, urls: Iterable[str]) -> None:
    """The pages that a sitemap names now: those are read, and others of it are deleted."""
    fields = {name: getattr(sitemap, name) for name in ("sitemap", *documents.INHERITED)}
    kept = _put(urls, fields)
    for document in sitemap.named().exclude(id__in=[d.id for d in kept]):
        documents.remove(document.id, actor="sitemap")


def named_by(sitemap: str) -> tuple[list[str], str]:
    """The addresses in a sitemap, or in those that an index of sitemaps names; of its own host only.

    With them comes what was left out, empty for nothing. Raises `OutsideError` or `ReadError`.
    """
    host, waiting = urlsplit(sitemap).hostname, [sitemap]
    found: dict[str, None] = {}
    for _ in range(DEPTH):
        if not waiting or len(found) > MOST:
            break
        kind, places = _places(waiting.pop(0))
        places = [p for p in places if urlsplit(p).hostname == host and len(p) <= LONGEST]
        if kind == "sitemapindex":
            waiting += places
        else:
            found |= dict.fromkeys(places)
    found.pop(sitemap, None)
    left = LEFT_OUT if waiting or len(found) > MOST else ""
    return list(found)[:MOST], left


def fetch(url: str) -> tuple[io.BytesIO, str]:
    """What a page holds, and its format as a file's ending; raises `OutsideError` or `ReadError`."""
    answer = outside.fetch(url, most=settings.UPLOAD_LIMIT, seconds=SECONDS, redirects=REDIRECTS)
    if answer.status in GONE:
        raise Gone(f"The page is gone: its server answered {answer.status}.")
    if answer.status != 200:
        raise ReadError(f"The page's server answered {answer.status}. Ask for it again later.")
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    endings = (e for e in FORMATS if urlsplit(answer.url).path.lower().endswith(e))
    suffix = KINDS.get(kind) or next(endings, None)
    if suffix is None:
        raise ReadError("The page is of no known format.")
    return io.BytesIO(answer.body), suffix


def _put(urls: Iterable[str], fields: dict[str, Any]) -> list[Document]:
    found = []
    for url in dict.fromkeys(urls):
        now = {"state": Document.State.QUEUED, "error": "", "updated_at": timezone.now()}
        document, _ = Document.objects.update_or_create(
            name=url,
            defaults=fields | now | {"url": url},
            create_defaults=fields | {"url": url, "size": 0},
        )
        documents.queue(document)
        found.append(document)
    return found


def _places(sitemap: str) -> tuple[str, list[str]]:
    from defusedxml import ElementTree
    from defusedxml.common import DefusedXmlException

    answer = outside.fetch(sitemap, most=SITEMAP_BYTES, seconds=SECONDS, redirects=REDIRECTS)
    if answer.status != 200:
        raise ReadError(f"The sitemap's server answered {answer.status}.")
    try:
        root = ElementTree.fromstring(answer.body)
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as error:
        raise ReadError("The sitemap is not XML.") from error
    # Names of elements stand behind their namespace.
    kind = root.tag.rpartition("}")[2]
    if kind not in ("urlset", "sitemapindex"):
        raise ReadError("The address holds XML, but no sitemap.")
    places = (e.text.strip() for e in root.iter() if e.tag.rpartition("}")[2] == "loc" and e.text)
    return kind, list(places)
