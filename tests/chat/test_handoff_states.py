"""Whatever is done in whatever order, a conversation keeps to its states."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saas.chat import handoffs
from saas.chat.models import Conversation, HandOff
from saas.errors import Conflict

AGENTS = ("mei", "lee")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["request", "take", "release", "hand_back", "close", "finish", "say"]),
        st.sampled_from(AGENTS),
    ),
    max_size=12,
)
# What may follow from a state, and where it leads; with `own` only by the agent who has it.
ALLOWED: dict[tuple[str, str], str] = {
    ("bot", "request"): "waiting",
    ("bot", "finish"): "closed",
    ("waiting", "request"): "waiting",
    ("waiting", "take"): "agent",
    ("waiting", "hand_back"): "bot",
    ("waiting", "close"): "closed",
    ("waiting", "finish"): "closed",
    ("agent", "request"): "agent",
    ("agent", "take own"): "agent",
    ("agent", "say own"): "agent",
    ("agent", "release own"): "waiting",
    ("agent", "hand_back own"): "bot",
    ("agent", "close own"): "closed",
    ("agent", "finish"): "closed",
}


def step(conversation_id: UUID, hand_off: HandOff | None, name: str, agent: str) -> Any:
    if name == "request":
        return handoffs.request(conversation_id, reason="call")
    if name == "finish":
        return handoffs.finish(conversation_id)
    if hand_off is None:
        raise Conflict("there is nothing to act on")
    if name == "say":
        return handoffs.say(hand_off.id, "hello", agent=agent)
    return getattr(handoffs, name)(hand_off.id, agent=agent)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
def test_only_what_the_states_allow_happens(shop, steps) -> None:
    with shop.scope():
        talk = Conversation.objects.create(language="en")
        state, holder = "bot", ""
        for name, agent in steps:
            hand_off = HandOff.objects.filter(conversation=talk, ended_at=None).first()
            own = f"{name} own" if state == "agent" and agent == holder else name
            after = ALLOWED.get((state, own)) or ALLOWED.get((state, name))
            if after is None:
                with pytest.raises(Conflict):
                    step(talk.id, hand_off, name, agent)
            else:
                step(talk.id, hand_off, name, agent)
                holder = agent if (state, name) == ("waiting", "take") else holder
                holder = holder if after == "agent" else ""
                state = after
            talk.refresh_from_db()
            assert talk.state == state
            still = HandOff.objects.filter(conversation=talk, ended_at=None)
            assert still.count() == (state in handoffs.WITH_PEOPLE)
            assert [h.agent for h in still] == ([holder] if state in handoffs.WITH_PEOPLE else [])
