"""A tenant with something of everything: at least one row in every tenant-owned table."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from saas.billing import quota, usage
from saas.chat.models import (
    Attachment,
    Conversation,
    Document,
    FaqProposal,
    Feedback,
    HandOff,
    Passage,
    Rating,
    Refusal,
    Spending,
    Tag,
)
from saas.chat.streams import Event, Log
from saas.labelling.models import Annotation, Finding, Proposal, Turn
from saas.recommend.models import Experiment, Recommendation, Rule
from saas.training import store
from saas.training.models import Alarm, Challenge, Observation, Run
from tenants import members
from tenants.models import Member


def give(business: Any) -> dict[str, str]:
    """Fill the tenant's tables; returns the id of one object for each route that takes an id."""
    call, mark = business.call, business.slug
    question = {"question": f"{mark} question?", "answer": f"{mark} answer."}
    answered = call.post("chat/messages", {"text": f"{mark} asks", "customer": f"{mark}-customer"})
    call.post("knowledge", [question], **{"Idempotency-Key": "first"})
    call.post("replies", [{"intent": f"{mark}_hi", "language": "en", "text": f"{mark} hi"}])
    call.post("corrections", {"text": f"{mark} hey", "intent": f"{mark}_hi"})
    call.post("examples", [{"text": f"{mark} hello", "intent": f"{mark}_hi"}])
    call.post("items", [{"id": f"{mark}-item", "title": f"{mark} tea"}])
    seen = {"item": f"{mark}-item", "kind": "view"}
    call.post("events", [seen | {"customer": f"{mark}-{who}"} for who in ("customer", "visitor")])
    call.post("customers", [{"id": f"{mark}-customer", "attributes": {"said": mark}}])
    call.post(
        "labelling/turns",
        [
            {"conversation": mark, "author": "customer", "text": f"{mark} asks {n}"}
            | {"at": f"2026-01-01T00:00:0{n}Z"}
            for n in range(2)
        ],
    )
    call.post("labelling/jobs", {"kind": "discover"})
    call("PUT", "training/schedule", {"every": "day"})
    call("PUT", "inbox/policy", {"unsure_after": 2})
    call("PUT", "safety/policy", {"words": [f"{mark} rival"]})
    call.post("composition/prompts", {"text": f"{mark} tone"})
    action = {"url": f"https://{mark}.example/action", "answer": {"en": mark}}
    call("PUT", f"actions/{mark}_hi", action)
    webhook = call.post("webhooks", {"url": f"https://{mark}.example/hook"}).json()["id"]
    ping = call.post(f"webhooks/{webhook}/test").json()["id"]
    page = {"name": mark, "kind": "pk", "origins": [f"https://{mark}.example"]}
    widget = call.post("keys", page).json()["id"]
    call("PUT", f"widgets/{widget}", {"title": {"en": mark}})
    run = call.post("training/runs", {"kind": "intent"}).json()["id"]
    with business.scope():
        made = store.Made(metrics={"accuracy": 1.0}, fingerprint=mark, encoder=mark)
        version = store.register(Run.objects.get(id=run), made)
        challenge = Challenge.objects.create(
            kind="intent", version=version, champion=version, mode="shadow"
        )
        alarm = Alarm.objects.create(version=version, sign="scope", value=1, limit=0, messages=1)
        Observation.objects.create(version=run, confidence=1, in_scope=True, answered=True)
        talk = Conversation.objects.create(language="en", state="waiting")
        rated = Conversation.objects.get(id=answered.json()["conversation_id"])
        Rating.objects.create(conversation=rated, score=5)
        answer = rated.messages.get(author="bot")
        Refusal.objects.create(message=answer, kind="harm", reason=mark, score=1, action="refuse")
        Attachment.objects.create(message=answer, name=mark, type="text/plain", size=1, digest=mark)
        Feedback.objects.create(message=answer, helpful=True, comment=mark)
        hand_off = HandOff.objects.create(conversation=talk, reason="call")
        Tag.objects.create(conversation=talk, name=mark)
        Spending.objects.create(month="2026-01-01")
        document = Document.objects.create(name=f"{mark}.md", digest=mark, size=1)
        suspect = Passage.objects.create(
            digest=mark, question=mark, answer=mark, document=document, suspect=True
        )
        asked = FaqProposal.objects.create(
            digest=mark, question=mark, answer=mark, language="en", count=1
        )
        turn = Turn.objects.first()
        Annotation.objects.create(turn=turn, annotator=mark, intent=f"{mark}_hi")
        proposal = Proposal.objects.create(name=f"{mark}_hi", quality=1, size=1)
        finding = Finding.objects.create(
            kind="label", digest=mark, example=turn.id, text=mark, intent=mark, other=mark, score=1
        )
        rule = Rule.objects.create(name=mark, action="pin", items=[f"{mark}-item"])
        arms = [{"name": name, "share": 0.5} for name in ("one", "model")]
        experiment = Experiment.objects.create(name=mark, scenario="home", arms=arms, metric="ctr")
        shown = Recommendation.objects.create(
            kind="for_you", scenario="home", items=[[f"{mark}-item", "popular", None, 1.0, ""]]
        )
        members.invite(by=Member.objects.get(), email=f"guest@{mark}.example", role="agent")
        usage.roll_up(timezone.now() + timedelta(hours=2))
        quota.reserve("recommendation")
    call.post(f"inbox/{hand_off.id}/notes", {"agent": mark, "text": mark})
    canned = call.post("inbox/canned", {"name": mark, "language": "en", "text": mark}).json()
    Log(business.id, UUID(answered.json()["message_id"])).append(Event("done", answered.json()))
    return {
        "chat/messages": answered.json()["message_id"],
        "conversations": answered.json()["conversation_id"],
        "messages": answered.json()["message_id"],
        "documents": str(document.id),
        "inbox": str(hand_off.id),
        "inbox/canned": canned["id"],
        "actions": f"{mark}_hi",
        "webhooks": webhook,
        "widgets": widget,
        "webhooks/deliveries": ping,
        "items": f"{mark}-item",
        "customers": f"{mark}-customer",
        "recommendation-rules": str(rule.id),
        "recommendations": str(shown.id),
        "experiments": str(experiment.id),
        "events": call.get(f"events?customer={mark}-visitor").json()["results"][0]["id"],
        "training/runs": run,
        "versions": run,
        "challenges": str(challenge.id),
        "alarms": str(alarm.id),
        "knowledge/proposals": str(asked.id),
        "knowledge/suspects": str(suspect.id),
        "labelling/turns": str(turn.id),
        "labelling/proposals": str(proposal.id),
        "labelling/findings": str(finding.id),
    } | {
        kind: call.get(kind).json()["results"][0]["id"]
        for kind in ("knowledge", "replies", "examples", "keys", "corrections")
    }
