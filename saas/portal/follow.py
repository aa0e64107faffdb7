"""What happens in a tenant's conversations, as it happens, to the pages of its agents."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from saas.chat import live
from saas.portal import frame
from saas.streaming import EventStream
from tenants import members
from tenants.models import User

CHECK = 30.0  # seconds, after which it is asked again whether the reader is a member


@frame.page("inbox.read", scoped=False)
def events(request: HttpRequest) -> HttpResponseBase:
    member = frame.member_of(request)
    return EventStream(_told(member.user, member.tenant.slug, member.tenant.id))


async def _told(user: User, slug: str, tenant_id: UUID) -> AsyncIterator[str]:
    checked = time.monotonic()
    async for hint in live.follow(tenant_id):
        somebody_left = hint is not None and hint.name == live.LEFT
        if somebody_left or time.monotonic() - checked > CHECK:
            if not await sync_to_async(_is_member)(user, slug):
                return
            checked = time.monotonic()
        if hint is None or somebody_left:
            yield ": still here\n\n"
            continue
        data = json.dumps({"conversation": hint.conversation_id, **hint.data}, ensure_ascii=False)
        yield f"event: {hint.name}\ndata: {data}\n\n"


def _is_member(user: User, slug: str) -> bool:
    try:
        return members.find(user, slug) is not None
    finally:
        connections.close_all()
