"""A receiver of the tests' own, as a tenant would run it: it checks what comes with the package."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.utils import timezone
from standardwebhooks.webhooks import Webhook as Checker

from saas.webhooks import tasks
from saas.webhooks.models import Delivery, Webhook
from tests import web


@pytest.fixture
def site(settings: Any) -> Iterator[web.Site]:
    with web.serve() as site:
        settings.OUTSIDE_ALLOWED = [site.address]
        site.pages["/hook"] = ("text/plain", b"thank you")
        yield site


@dataclass
class Hook:
    """A webhook of a tenant whose server is `site`, and what is done with it."""

    business: Any
    site: web.Site
    worked_off: Callable[..., Any]
    id: str
    secret: str
    seen: int = field(default=0)

    def heard(self) -> list[dict[str, Any]]:
        """What has arrived since the last look, each with a signature that is right."""
        posted, self.seen = self.site.posted[self.seen :], len(self.site.posted)
        return [Checker(self.secret).verify(call.body, call.headers) for call in posted]

    def types(self) -> list[str]:
        return [told["type"] for told in self.heard()]

    def post(self, path: str, body: Any = None) -> Any:
        """Call the API about the webhook, and let the workers finish."""
        with self.worked_off():
            answer = self.business.call.post(f"webhooks/{self.id}{path}", body)
        assert answer.status_code in (201, 202), answer.content
        return answer.json()

    def change(self, **changes: Any) -> Any:
        with self.worked_off():
            answer = self.business.call("PATCH", f"webhooks/{self.id}", changes)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def now(self) -> dict[str, Any]:
        found: dict[str, Any] = self.business.call.get(f"webhooks/{self.id}").json()
        return found

    def deliveries(self, state: str = "") -> list[dict[str, Any]]:
        query = f"?state={state}" if state else ""
        answer = self.business.call.get(f"webhooks/{self.id}/deliveries{query}")
        return list(answer.json()["results"])

    def later(self) -> None:
        """So much time passes that all that waits is due again, and the beat has come round."""
        with self.business.scope():
            Webhook.objects.update(busy_until=timezone.now())
            Delivery.objects.filter(state="waiting").update(due_at=timezone.now())
        with self.worked_off():
            tasks.catch_up()


@pytest.fixture
def hook(shop: Any, site: web.Site, worked_off: Any) -> Hook:
    return make(shop, site, worked_off)


def make(business: Any, site: web.Site, worked_off: Any, **given: Any) -> Hook:
    answer = business.call.post("webhooks", {"url": f"{site.url}/hook"} | given)
    assert answer.status_code == 201, answer.content
    body = answer.json()
    return Hook(business, site, worked_off, body["id"], body["secret"])
