"""What the business wants in its recommendations: items pinned, boosted, buried or hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from saas.errors import Conflict
from saas.recommend.columns import Targets
from saas.recommend.models import Rule
from tenants import audit

MOST = 100
# Those that hold now in a scenario, the oldest first.
IN_FORCE = """
    SELECT action, filter, items, weight, position FROM recommend_rule
    WHERE tenant_id = %(tenant)s AND active AND scenario IN ('', %(scenario)s)
      AND coalesce(starts_at, now()) <= now() AND coalesce(ends_at, 'infinity') > now()
    ORDER BY created_at, id"""


@dataclass(frozen=True, slots=True)
class InForce:
    """A rule that holds now, where it is asked."""

    action: str
    targets: Targets
    weight: float = 1.0
    position: int = 1


def create(values: Mapping[str, Any], *, actor: str) -> Rule:
    """A new rule. Raises Conflict where there is one of its name, or too many."""
    if Rule.objects.count() >= MOST:
        raise Conflict(f"There are {MOST} rules already. Delete one.", code="too_many_rules")
    return _save(Rule(**values), actor, "created")


def replace(rule_id: UUID, values: Mapping[str, Any], *, actor: str) -> Rule:
    """The same rule, with these values. Raises Rule.DoesNotExist, and Conflict as `create`."""
    rule: Rule = Rule.objects.select_for_update().get(id=rule_id)
    for name, value in values.items():
        setattr(rule, name, value)
    return _save(rule, actor, "changed")


def remove(rule_id: UUID, *, actor: str) -> None:
    """Raises Rule.DoesNotExist."""
    Rule.objects.get(id=rule_id).delete()
    audit.record(actor=actor, action="rule.deleted", target=str(rule_id))


def read(found: Sequence[Mapping[str, Any]]) -> list[InForce]:
    """The rules that IN_FORCE has found."""
    return [
        InForce(
            rule["action"],
            Targets(rule["filter"], tuple(rule["items"])),
            rule["weight"],
            rule["position"],
        )
        for rule in found
    ]


def _save(rule: Rule, actor: str, done: str) -> Rule:
    if Rule.objects.filter(name=rule.name).exclude(id=rule.id).exists():
        raise Conflict("There is a rule of this name. Take another.", code="name_taken")
    rule.save()
    audit.record(actor=actor, action=f"rule.{done}", target=str(rule.id), name=rule.name)
    return rule
