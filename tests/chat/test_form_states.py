"""Whatever a customer writes in whatever order, an action is called once all it needs is known."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saas.chat import forms
from tests.chat.test_actions import DAY, ORDER, put, site  # noqa: F401  (a fixture)
from tests.chat.test_handoffs import tell
from tests.chat.test_replies import trained  # noqa: F401  (a fixture)

ASK = {"order": ORDER["ask"]["en"], "day": DAY["ask"]["en"]}
GOOD = {"order": "it is 10023", "day": "the day before yesterday"}
BAD = {"order": "no idea", "day": "tomorrow"}
STEPS = st.lists(
    st.sampled_from(["begin", "begin with order", "good", "bad", "cancel", "elsewhere"]),
    min_size=1,
    max_size=7,
)


@dataclass
class Expected:
    """What a conversation must have come to: the slot asked for, its tries, the calls made."""

    slot: str = ""
    tries: int = 0
    known: set[str] = field(default_factory=set)
    calls: int = 0

    def step(self, name: str) -> tuple[str, str]:
        """The kind of the answer, and what its text ends with."""
        if name == "elsewhere":
            self.slot, self.known = "", set()
            return "reply", "Refunds take five days."
        if name == "cancel":
            self.slot, self.known = "", set()
            return "talk", ""
        if name == "bad":
            self.tries += 1
            if self.tries <= forms.TRIES:
                return "ask", ASK[self.slot]
            self.slot, self.known = "", set()
            return "fallback", ""
        self.known |= {self.slot} if name == "good" else set()
        self.known |= {"order"} if name == "begin with order" else set()
        return self._next()

    def _next(self) -> tuple[str, str]:
        missing = [name for name in ASK if name not in self.known]
        self.slot, self.tries = (missing[0], 1) if missing else ("", 0)
        if missing:
            return "ask", ASK[self.slot]
        self.calls, self.known = self.calls + 1, set()
        return "action", "Order 10023 is on its way."


def says(name: str, slot: str) -> str:
    if name in ("good", "bad"):
        return (GOOD if name == "good" else BAD)[slot]
    return {
        "begin": "Where is my order?",
        "begin with order": "Where is my order 10023?",
        "cancel": "never mind",
        "elsewhere": "I want my money back",
    }[name]


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
def test_a_form_is_filled_step_by_step(trained, site, steps) -> None:  # noqa: F811
    put(trained, f"{site.url}/status", ORDER, DAY)
    expected, before = Expected(), len(site.posted)
    talk = tell(trained, "hello")["conversation_id"]
    for name in steps:
        # What answers a question makes no sense without one, nor does the question within itself.
        if (name in ("good", "bad", "cancel")) != bool(expected.slot) and name != "elsewhere":
            continue
        text = says(name, expected.slot)
        kind, end = expected.step(name)
        answer = tell(trained, text, talk)["answer"]
        assert answer["kind"] == kind
        assert answer["text"].endswith(end)
        assert len(site.posted) - before == expected.calls
    assert all(set(json.loads(p.body)["slots"]) == set(ASK) for p in site.posted)
