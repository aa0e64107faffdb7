"""Who answers a message, the bot or a person: because the customer asks, by a rule, or unsure answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from saas.chat import answers, decisions, policy, safety, smalltalk
from saas.chat.answers import Answer
from saas.chat.handoffs import URGENT
from saas.chat.hours import Hours
from saas.chat.models import HandOff, Message
from saas.chat.products import Wish
from saas.chat.talk import Asked, Talk

Reason = HandOff.Reason
# Short messages that ask for a person, and those that accept the offer of one.
ASKS = re.compile(
    r"转.{0,4}人工|人工(客服|服务|坐席)?$|^人工(客服|服务|坐席)|真人|找.{0,3}(客服|人工)|"
    r"^(a |an )?(human|representative|operator|agent)( please| agent)?$|"
    r"\b(speak|talk|chat|connect me) (to|with) (a |an )?(human|representative|operator)\b|"
    r"\b(speak|talk|chat) (to|with) (a |an |some)?(real )?(person|someone|somebody|agent)\b|"
    r"\b(real|live) (person|agent)\b",
    re.IGNORECASE,
)
ACCEPTS = re.compile(
    r"(yes|yes,? please|please( do)?|ok|okay|sure|do (it|that))|好的?|可以|是的?|行|嗯+|要|需要|好啊",
    re.IGNORECASE,
)
HANDOFF = {
    "en": "I am handing you over to a colleague, who will answer you here.",
    "zh": "正在为您转接人工客服，同事会在这里回复您。",
}
CLOSED = {
    "en": "I have passed this on to a colleague. Nobody is here right now; you will get an answer "
    "here as soon as we are back.",
    "zh": "已为您转交人工客服。目前不在服务时间，上班后同事会在这里尽快回复您。",
}
LONGEST = 60  # characters: who writes more has a question, and may speak of people in it


def wants(text: str, *, offered: bool) -> bool:
    """Whether a message asks for a person, or accepts the offer that the bot made before it."""
    plain = text.strip(" .!?。！？~～")
    if len(plain) > LONGEST or smalltalk.kind_of(plain) == "who_are_you":
        return False
    return bool(ASKS.search(plain) or (offered and ACCEPTS.fullmatch(plain)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Why, and how urgently, a person should answer."""

    reason: str
    priority: int


def decide(
    asked: Asked,
    *,
    plan: answers.Plan,
    talk: Talk,
    readings: list[answers.Reading],
    wish: Wish | None,
) -> tuple[answers.Draft, Wanted | None]:
    """What answers a message; or that a person takes over, and why."""
    set_ = policy.get(asked.widget)
    itself = readings[0]
    if wants(asked.text, offered=talk.kind == "fallback"):
        found, wanted, reading = None, Wanted(Reason.ASKED, URGENT), itself
    elif refused := safety.check(
        asked.text, plan.of(itself.vectors, None)[0], language=asked.language
    ):
        said = answers.refusing(refused, language=asked.language, words=_words(asked, set_))
        priority = policy.HIGHEST if refused.kind == "self_harm" else URGENT
        due = Wanted(Reason.SAFETY, priority) if refused.action == "handoff" else None
        return answers.Draft(said, itself), due
    else:
        draft = decisions.decide(
            asked, plan=plan, talk=talk, readings=readings, wish=wish, policy=set_
        )
        due = _due(asked, draft.answer, set_)
        if due is None:
            return draft, None
        found, wanted, reading = draft.answer, due, draft.reading
    said = answers.handing_over(found, language=asked.language, words=_words(asked, set_))
    return answers.Draft(said, reading), wanted


def _words(asked: Asked, known: Hours) -> str:
    """What a customer is told who is handed over, by whether people are there."""
    if known.is_open():
        return HANDOFF[asked.language]
    own: str = getattr(known.away, asked.language, "")
    return own or CLOSED[asked.language]


def _due(asked: Asked, found: Answer, set_: policy.Policy) -> Wanted | None:
    intent = found.intent if found.in_scope else None
    priority = set_.priority(intent=intent, audience=asked.audience, sentiment=asked.sentiment)
    if priority is not None:
        return Wanted(Reason.RULE, priority)
    if found.kind != "fallback" or not set_.unsure_after:
        return None
    before = owed(asked.conversation_id, set_.unsure_after)
    return Wanted(Reason.UNSURE, 0) if before + 1 >= set_.unsure_after else None


def owed(conversation_id: UUID, most: int) -> int:
    """How many of the bot's last answers in a row were none, counted up to `most`."""
    said = Message.objects.filter(conversation_id=conversation_id, author=Message.Author.BOT)
    kinds = list(said.order_by("-created_at").values_list("kind", flat=True)[:most])
    return next((place for place, kind in enumerate(kinds) if kind != "fallback"), len(kinds))
