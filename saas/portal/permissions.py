"""Who may do what in the portal: one table, by role. Every page names its action."""

from __future__ import annotations

from tenants.models import Role

EVERYBODY = frozenset(Role.values)
MANAGERS = frozenset({Role.OWNER.value, Role.ADMIN.value})
DESK = MANAGERS | {Role.AGENT.value}

ACTIONS: dict[str, frozenset[str]] = {
    "home.see": EVERYBODY,
    "inbox.read": EVERYBODY,
    "inbox.write": DESK,
    "inbox.teach": DESK,
    "canned.write": MANAGERS,
    "metrics.read": EVERYBODY,
    "metrics.people": MANAGERS | {Role.ANALYST.value},  # others see their own
    "widget.manage": MANAGERS,
    "members.manage": MANAGERS,  # and whom each of them may, says members.MANAGES
    "name.write": EVERYBODY,
}


def may(role: str, action: str) -> bool:
    return role in ACTIONS[action]
