"""What an agent needs of a conversation: what it is about, what was tried, what could be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from saas.chat import answers, replies, retrieval
from saas.chat.models import Message

if TYPE_CHECKING:
    from ml.types import Vectors

SUGGESTIONS = 3
SHOWN = 160  # characters of a message in a summary
SUMMARY = {
    "en": "Asked: “{first}”{last} The bot answered {answered} of {asked} messages.",
    "zh": "客户问：“{first}”{last}机器人回答了 {asked} 条消息中的 {answered} 条。",
}
LAST = {"en": " Last: “{text}”", "zh": "最后一条：“{text}”"}
ABOUT = {"en": " About: {intents}.", "zh": "相关意图：{intents}。"}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something to say: an approved reply, or a passage with where it comes from."""

    text: str
    source: str


def summary(messages: Sequence[Message], *, language: str) -> str:
    """A sentence or three about a conversation, of the words that are in it."""
    asked = [message.text for message in messages if message.author == Message.Author.CUSTOMER]
    said = [message for message in messages if message.author == Message.Author.BOT]
    if not asked:
        return ""
    last = LAST[language].format(text=_short(asked[-1])) if len(asked) > 1 else ""
    answered = sum(message.kind in answers.ANSWERS for message in said)
    text = SUMMARY[language].format(
        first=_short(asked[0]), last=last, answered=answered, asked=len(asked)
    )
    intents = list(dict.fromkeys(m.intent for m in said if m.intent and m.kind == "reply"))
    return text + (ABOUT[language].format(intents=", ".join(intents)) if intents else "")


def suggestions(
    text: str, *, plan: answers.Plan, vectors: Vectors, language: str
) -> list[Suggestion]:
    """What could answer a customer's message, the likeliest first."""
    found, reading = [], answers.Reading(text, vectors)
    prediction = plan.predict(reading)
    if prediction and prediction.in_scope and prediction.label:
        reply = replies.find(prediction.label, language)
        if reply:
            found.append(Suggestion(reply, prediction.label))
    sought = plan.sought(reading)
    hits = retrieval.search(sought, SUGGESTIONS, live=plan.live, adapter=plan.passages)
    found += [Suggestion(hit.answer, hit.source or hit.question) for hit in hits if hit.relevant]
    return found[:SUGGESTIONS]


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
