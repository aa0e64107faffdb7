"""What the bot must not do: which messages it refuses, with which words, and by whose policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from saas import engine, rows
from saas.chat.models import Refusal, SafetyPolicy
from tenants import audit

if TYPE_CHECKING:
    from ml.safety import Danger
    from ml.types import Vectors

Kind = Literal["injection", "other_data", "self_harm", "harm", "abuse", "blocked"]
Action = Literal["refuse", "handoff", "allow"]
OWN = "blocked"  # the kind of what a tenant's own words refuse
TEXTS: dict[str, dict[str, str]] = {
    "injection": {
        "en": "I can only help with questions about us and what we offer. What would you like to know?",
        "zh": "我只能回答与我们的业务有关的问题。请问有什么可以帮您？",
    },
    "other_data": {
        "en": "I cannot give out data of other people or of our systems. If it is about your own order "
        "or account, tell me what you need.",
        "zh": "我不能提供他人或系统内部的信息。如果是您自己的订单或账号，请告诉我需要什么。",
    },
    "self_harm": {
        "en": "I am sorry that you are going through this. You are not alone, and it can get better. If you "
        "are in danger now, please call your local emergency number, or talk to a crisis line or somebody "
        "you trust.",
        "zh": "听到您这样说，我很难过。您不是一个人，情况是可以好转的。如果您现在有危险，请立即拨打120或110，"
        "也可以拨打心理援助热线12356，或者和您信任的人聊一聊。",
    },
    "harm": {
        "en": "I cannot help with that. If you have a question about us, I am glad to answer it.",
        "zh": "这个问题我不能提供帮助。如果有业务方面的问题，我很乐意解答。",
    },
    "abuse": {
        "en": "I am sorry that you are upset. Please tell me what happened, and I will do what I can.",
        "zh": "很抱歉让您不愉快。请告诉我发生了什么，我会尽力帮您解决。",
    },
    OWN: {
        "en": "I cannot talk about that here. Is there something else that I can help with?",
        "zh": "这个话题我在这里不方便回答。还有什么可以帮您？",
    },
}


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Text = Annotated[str, rows.text(1_000)]
# Two characters at least: one is in almost every message.
Word = Annotated[str, Field(max_length=100, pattern=r"^\s*[^\s\x00][^\x00]*[^\s\x00]\s*$")]


class Response(Part):
    """What is done with one kind of message: refused with a text, handed to a person, or let through."""

    action: Action = "refuse"
    text: dict[rows.Language, Text] = Field(default={}, description="Instead of the usual words")

    def words(self, kind: str, language: str) -> str:
        return self.text.get(language) or TEXTS[kind][language]  # type: ignore[call-overload]


class KeptResponse(Response):
    """The same of what protects other customers and tenants: it is never let through."""

    action: Literal["refuse", "handoff"] = "refuse"


class Policy(Part):
    """What is done with each kind of message, and the tenant's own words that are refused."""

    injection: Response = Field(
        default=Response(), description="Orders to the bot to leave its role"
    )
    other_data: KeptResponse = Field(
        default=KeptResponse(), description="Other people's data, or the systems'"
    )
    self_harm: Response = Field(
        default=Response(action="handoff"), description="Suicide and self-harm"
    )
    harm: Response = Field(
        default=Response(), description="Violence, crime, hatred, sexual content"
    )
    abuse: Response = Field(default=Response(), description="Insults")
    blocked: Response = Field(default=Response(), description="What has one of `words`")
    words: list[Word] = Field(
        default=[], max_length=500, description="Words and phrases that you do not talk about"
    )

    def response(self, kind: str) -> Response:
        found: Response = getattr(self, kind)
        return found


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a message is not answered, and what is said and done instead."""

    kind: str
    reason: str
    score: float
    action: str
    text: str


def check(text: str, vector: Vectors, *, language: str) -> Refused | None:
    """What the current tenant refuses in a customer's message; None where it may be answered.

    `vector` is float32[d] of the encoder as it is, without an adapter.
    """
    set_ = get()
    for danger in _urgent_first(engine.guard().judge(text, vector)):
        response = set_.response(danger.kind)
        if response.action != "allow":
            words = response.words(danger.kind, language)
            return Refused(danger.kind, danger.reason, danger.score, response.action, words)
    return _blocked(text, set_, language)


def is_suspect(text: str) -> bool:
    """Whether a text gives orders to a language model that may read it: none is given it then."""
    from ml import safety

    return safety.addresses_models(text)


def get() -> Policy:
    """The current tenant's; the defaults where none was set."""
    row = SafetyPolicy.objects.first()
    return Policy.model_validate(row.rules) if row else Policy()


def put(policy: Policy, *, actor: str) -> Policy:
    """Set it."""
    SafetyPolicy.objects.update_or_create(defaults={"rules": policy.model_dump(mode="json")})
    audit.record(actor=actor, action="safety_policy.set", target="")
    return policy


def log(refused: Refused, answer_id: UUID) -> None:
    """Keep why a message was refused, with the answer that said so, in the same transaction."""
    Refusal.objects.create(
        message_id=answer_id,
        kind=refused.kind,
        reason=refused.reason,
        score=refused.score,
        action=refused.action,
    )


def _urgent_first(dangers: list[Danger]) -> list[Danger]:
    """Who is in danger is answered as that, whatever else they write."""
    return sorted(dangers, key=lambda danger: danger.kind != "self_harm")


def _blocked(text: str, set_: Policy, language: str) -> Refused | None:
    from ml import safety

    word = next((word for word in set_.words if safety.mentions(text, word)), None)
    if word is None or set_.blocked.action == "allow":
        return None
    words = set_.blocked.words(OWN, language)
    return Refused(OWN, f"has “{word.strip()}”", 1.0, set_.blocked.action, words)
