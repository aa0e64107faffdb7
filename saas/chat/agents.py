"""Who an agent is to customers: who they chose to be called, and never an address."""

from __future__ import annotations

from collections.abc import Iterable

from tenants import members

TEAM = {"en": "Our team", "zh": "客服"}


def names(agents: Iterable[str], language: str) -> dict[str, str]:
    """By who they are at the desk: a member's own name, or else nobody in particular.

    An id without @ is a business's own name for somebody, given by its API, and stays.
    """
    everybody = set(agents)
    addresses = {agent for agent in everybody if "@" in agent}
    own = members.names(addresses) if addresses else {}
    nobody = dict.fromkeys(addresses, TEAM[language])
    return {agent: agent for agent in everybody} | nobody | own


def name(agent: str, language: str) -> str:
    return names([agent], language)[agent]
