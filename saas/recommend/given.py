"""Answers that were given: kept with their usage, given back with why each item was in them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.utils import timezone

from saas.recommend import reasons
from saas.recommend.arrangement import Candidate
from saas.recommend.models import Item, Recommendation
from saas.recommend.picks import Answer
from tenants.scope import statement
from tenants.statements import Statement


@dataclass(frozen=True, slots=True)
class Explained:
    """An item of an answer and why it was there; `title` is None once it left the catalog."""

    item: str
    title: str | None
    score: float
    source: str
    because: str | None
    reason: str


def kept(answer: Answer) -> Statement:
    """What keeps an answer, in the transaction that bills it."""
    demand, seat = answer.demand, answer.seat
    items = [
        [choice.item.external_id, choice.source, choice.because, choice.score, choice.detail]
        for choice in answer.choices
    ]
    return statement(
        """INSERT INTO recommend_recommendation
               (tenant_id, id, customer, kind, scenario, items, version, experiment, arm, at)
           VALUES (%(tenant)s, %(id)s, %(customer)s, %(kind)s, %(scenario)s, %(items)s, %(version)s,
                   %(experiment)s, %(arm)s, %(at)s)""",
        id=demand.id,
        customer=demand.customer or "",
        kind=demand.kind,
        scenario=demand.place,
        items=json.dumps(items),
        version=answer.version_id,
        experiment=seat.experiment,
        arm=seat.arm,
        at=timezone.now(),
    )


def explain(answer: Recommendation, *, language: str) -> list[Explained]:
    """Why each item was in an answer, by what was kept of it, in the catalog's words of today."""
    shown = [
        Candidate(item, score, source, because, detail)
        for item, source, because, score, detail in answer.items
    ]
    named = {id_ for pick in shown for id_ in (pick.item, pick.because) if id_}
    listed = Item.objects.filter(external_id__in=named).only("external_id", "title", "translations")
    titles = {item.external_id: reasons.title(item, language) for item in listed}
    return [
        Explained(
            pick.item,
            titles.get(pick.item),
            round(pick.score, 6),
            pick.source,
            pick.because,
            reasons.say(pick, titles.get(pick.because or "", pick.because), language),
        )
        for pick in shown
    ]
