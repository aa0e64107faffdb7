"""A tenant's own endpoints that answer an intent with live data: set, asked for, called."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self
from uuid import UUID, uuid4

import structlog
from django.utils import timezone
from pydantic import Field, StringConstraints, model_validator

from saas import outside
from saas.chat.breaker import Breaker
from saas.chat.models import Action
from saas.chat.slots import Part, Slot, Texts
from saas.errors import Conflict
from saas.outside import OutsideError
from saas.webhooks import signing
from tenants import audit
from tenants.scope import current_tenant_id

log = structlog.get_logger(__name__)
MOST = 50  # actions of a tenant
SCHEMES = ("https",)
LARGEST = 16_384  # bytes of an endpoint's answer
FIELDS, LONGEST = 50, 500  # of it: values, and characters of each
FIELD = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class Setting(Part):
    """What an action is set to."""

    url: Annotated[
        str, StringConstraints(pattern=r"^https?://[^\s\x00-\x1f\x7f]+$", max_length=500)
    ] = Field(description="Of your server, public and with https; called with POST")
    slots: list[Slot] = Field(default=[], max_length=10, description="Asked for in this order")
    answer: Texts = Field(
        description="What the bot says; {name} is replaced by a field of your server's answer, or "
        "by a slot's value"
    )
    timeout: float = Field(default=3.0, ge=0.2, le=8.0, description="Seconds")

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        names = [slot.name for slot in self.slots]
        if len(set(names)) < len(names):
            raise ValueError("two slots have the same name")
        return self


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an endpoint, ready to be made where no transaction is open."""

    tenant_id: UUID
    url: str
    secret: str
    timeout: float
    body: Mapping[str, Any]
    values: Mapping[str, str]
    answer: str


class Failed(Exception):
    """The endpoint gave no answer that can be used."""


class NotFound(Failed):
    """It answered that there is no such thing (404)."""


def put(intent: str, setting: Setting, *, actor: str) -> tuple[Action, str | None]:
    """Set an intent's action; a new one with its secret, which signs all calls.

    Raises OutsideError where no call may go, and Conflict where there are too many.
    """
    outside.check(setting.url, SCHEMES)
    values = setting.model_dump(mode="json") | {"updated_at": timezone.now()}
    audit.record(actor=actor, action="action.set", target=intent)
    if Action.objects.filter(intent=intent).update(**values):
        return Action.objects.get(intent=intent), None
    if Action.objects.count() >= MOST:
        raise Conflict(f"There are {MOST} actions already. Delete one.", code="too_many_actions")
    secret = signing.new_secret()
    made: Action = Action.objects.create(intent=intent, secret=signing.seal(secret), **values)
    return made, secret


def rotate(intent: str, *, actor: str) -> tuple[Action, str]:
    """A new secret, at once. Raises Action.DoesNotExist."""
    action = Action.objects.select_for_update().get(intent=intent)
    secret = signing.new_secret()
    action.secret = signing.seal(secret)
    action.save(update_fields=["secret"])
    audit.record(actor=actor, action="action.rotated", target=intent)
    return action, secret


def remove(intent: str, *, actor: str) -> None:
    """Delete an action. Raises Action.DoesNotExist."""
    Action.objects.get(intent=intent).delete()
    audit.record(actor=actor, action="action.removed", target=intent)


def find(intent: str) -> Action | None:
    found: Action | None = Action.objects.filter(intent=intent).first()
    return found


def every() -> list[Action]:
    """By intent."""
    return list(Action.objects.order_by("intent"))


def slots_of(action: Action) -> list[Slot]:
    return [Slot.model_validate(slot) for slot in action.slots]


def call(
    action: Action,
    values: Mapping[str, str],
    *,
    conversation_id: UUID,
    customer: str,
    language: str,
) -> Call:
    """What is to be sent. `customer` is who the page or the program says it is."""
    body = {
        "intent": action.intent,
        "slots": dict(values),
        "conversation_id": str(conversation_id),
        "customer": customer,
        "language": language,
    }
    answer = Texts.model_validate(action.answer).of(language)
    return Call(
        current_tenant_id(), action.url, action.secret, action.timeout, body, dict(values), answer
    )


def carry_out(call: Call) -> str:
    """What the endpoint's answer makes the bot say. Takes a while: no transaction is to be open.

    Tried again once, with the same id, after an error of the connection or the server. Raises
    Failed, at once while the endpoint's circuit is open, and NotFound.
    """
    breaker = Breaker(f"{call.tenant_id} {call.url}")
    if not breaker.lets_through():
        raise Failed
    try:
        answer = _send(call)
    except (OutsideError, signing.SealBroken) as error:
        breaker.note(failed=True)
        log.warning("an action failed", intent=call.body["intent"], error=str(error))
        raise Failed from error
    breaker.note(failed=answer.status >= 500)
    if answer.status == 404:
        raise NotFound
    if answer.status != 200:
        log.warning("an action failed", intent=call.body["intent"], status=answer.status)
        raise Failed
    return _filled(call.answer, {**call.values, **_fields(answer.body)})


def _send(call: Call) -> outside.Answer:
    body, id_ = json.dumps(call.body, ensure_ascii=False), str(uuid4())
    for left in (1, 0):
        signed = signing.headers([call.secret], id=id_, at=timezone.now(), body=body)
        try:
            answer = outside.fetch(
                call.url,
                method="POST",
                headers={**signed, "content-type": "application/json"},
                body=body.encode(),
                most=LARGEST,
                seconds=call.timeout,
                schemes=SCHEMES,
            )
        except outside.TookTooLong:
            raise
        except OutsideError:
            if not left:
                raise
            continue
        if answer.status < 500 or not left:
            return answer
    raise AssertionError  # the last try returned, or raised


def _fields(body: bytes) -> dict[str, str]:
    """Of a JSON object its texts and numbers, as plain words. Raises Failed where it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Failed from error
    if not isinstance(found, dict) or len(found) > FIELDS:
        raise Failed
    if not all(isinstance(value, str | int | float) for value in found.values()):
        raise Failed
    return {name: CONTROL.sub(" ", str(value))[:LONGEST] for name, value in found.items()}


def _filled(template: str, fields: Mapping[str, str]) -> str:
    """The template's fields replaced once, as text. Raises Failed where one is missing."""
    missing = set(FIELD.findall(template)) - set(fields)
    if missing:
        raise Failed
    return FIELD.sub(lambda match: fields[match.group(1)], template)
