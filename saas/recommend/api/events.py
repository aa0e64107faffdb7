"""The API of what customers did."""

from __future__ import annotations

from typing import Annotated

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import Field, RootModel
from rest_framework.request import Request
from rest_framework.response import Response

from saas.api import BatchResult, View, store_batch
from saas.recommend import events


class EventRows(RootModel[Annotated[list[events.EventRow], Field(min_length=1, max_length=1000)]]):
    """Up to 1,000 events."""


class Events(View):
    scopes = {"POST": "events:write"}

    @extend_schema(
        operation_id="write_events",
        request=EventRows,
        responses={200: BatchResult},
        examples=[
            OpenApiExample(
                "One view",
                [{"customer": "C0001", "item": "TEA-001", "kind": "view"}],
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Write events, up to 1,000. The very next recommendation knows them.

        One sent twice counts once, as long as it carries its time `at`.
        """
        return store_batch(events.KIND, request.data)
