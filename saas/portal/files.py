"""Files that customers have sent, for the members who read the inbox."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from saas.chat import attachments
from saas.portal import frame


@frame.page("inbox.read", cached=True)
def file(request: HttpRequest, id: UUID) -> HttpResponseBase:
    """A thread is read anew again and again: its pictures are asked for each time, and sent once."""
    try:
        found, path = attachments.own(id)
    except attachments.Gone as gone:
        raise Http404 from gone
    etag = quote_etag(found.digest)
    response = get_conditional_response(request, etag) or attachments.serve(found, path)
    response["ETag"], response["Cache-Control"] = etag, "private, no-cache"
    return response
