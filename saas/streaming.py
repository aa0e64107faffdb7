"""Server-sent events, by either kind of server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import cast

from asgiref.sync import sync_to_async
from django.db import connections
from django.http import StreamingHttpResponse

MEDIA_TYPE = "text/event-stream"


class EventStream(StreamingHttpResponse):
    """Pieces of text as they come: an ASGI server waits for them in its own loop.

    A WSGI server's thread waits in a loop made for it, so that there is one way to follow an answer.
    """

    def __init__(self, pieces: AsyncIterator[str]) -> None:
        super().__init__(pieces, content_type=f"{MEDIA_TYPE}; charset=utf-8")
        self["Cache-Control"] = "no-store"
        self["X-Accel-Buffering"] = "no"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        # The request's thread waits until the stream has ended; its connection should not.
        await sync_to_async(connections.close_all)()
        async for piece in self._pieces():
            yield piece

    def _pieces(self) -> AsyncIterator[bytes]:
        return cast(AsyncIterator[bytes], self.streaming_content)

    def __iter__(self) -> Iterator[bytes]:
        pieces = self._pieces()

        async def following() -> bytes | None:
            return await anext(pieces, None)

        with asyncio.Runner() as loop:
            while (piece := loop.run(following())) is not None:
                yield piece
