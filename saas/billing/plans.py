"""Price lists, and which tenant is on which."""

from django.db.models import Prefetch

from saas.billing.models import Plan, Price, Quota, Subscription
from tenants import audit

DEFAULT = "free"


def current() -> Plan:
    """The plan of the current tenant, with its prices."""
    prices = Prefetch("prices", Price.objects.order_by("kind"))
    plan = Plan.objects.prefetch_related(prices)
    subscription = Subscription.objects.first()
    return plan.get(code=subscription.plan_id if subscription else DEFAULT)


def subscribe(code: str, *, actor: str) -> None:
    """Put the current tenant on a plan; limits of the running month follow at once."""
    plan = Plan.objects.prefetch_related("prices").get(code=code)
    Subscription.objects.update_or_create(defaults={"plan": plan})
    for price in plan.prices.all():
        Quota.objects.filter(kind=price.kind).update(limit=price.limit)
    audit.record(actor=actor, action="plan.chosen", target=code)
