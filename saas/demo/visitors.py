"""Who looks at the demo page. The page sets no cookie: its forms and addresses carry this."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, QueryDict
from django.utils.translation import get_language_from_request

NEW = "new"
PERSONAS = (NEW, "C0007", "C0041")  # and two customers of the demo data (saas/demo/events.py)
LANGUAGES = ("en", "zh")
VISITOR = re.compile(r"visitor-[0-9a-f]{16}")
ITEM = re.compile(r"[^\x00-\x1f\x7f]{1,128}")


@dataclass(frozen=True, slots=True)
class Visitor:
    """What the page remembers from one request to the next."""

    language: str
    persona: str
    id: str
    conversation: UUID | None
    item: str

    @property
    def customer(self) -> str:
        """In whose name events, messages and recommendations are."""
        return self.id if self.persona == NEW else self.persona

    @property
    def is_new(self) -> bool:
        return self.persona == NEW

    @property
    def fields(self) -> dict[str, str]:
        return {
            "lang": self.language,
            "persona": self.persona,
            "visitor": self.id,
            "conversation": str(self.conversation or ""),
            "item": self.item,
        }

    def address(self, part: str, **changes: Any) -> str:
        """Where to see the page after these changes, scrolled to that part of it."""
        fields = replace(self, **changes).fields
        return "/?" + urlencode({name: value for name, value in fields.items() if value}) + part


def read(request: HttpRequest) -> Visitor:
    """The visitor whom a request tells of; what does not fit is replaced, not complained about."""
    given = request.POST if request.method == "POST" else request.GET
    return Visitor(
        language=_language(request, given),
        persona=_one_of(PERSONAS, given.get("persona", "")),
        id=_matching(VISITOR, given.get("visitor", "")) or f"visitor-{secrets.token_hex(8)}",
        conversation=_uuid(given.get("conversation", "")),
        item=_matching(ITEM, given.get("item", "")),
    )


def _language(request: HttpRequest, given: QueryDict) -> str:
    wanted = given.get("lang") or get_language_from_request(request)
    return "zh" if wanted.startswith("zh") else "en"


def _one_of(known: tuple[str, ...], value: str) -> str:
    return value if value in known else known[0]


def _matching(pattern: re.Pattern[str], value: str) -> str:
    return value if pattern.fullmatch(value) else ""


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
