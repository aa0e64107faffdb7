"""From a customer's words to an answer, by one vector: the intent head and the search read the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from saas.chat import acting, clarifying, products, replies, retrieval, smalltalk
from saas.chat.answers import CLOSE, FALLBACK, UNSURE, Draft, Plan, Reading
from saas.chat.cases import Case
from saas.chat.policy import Policy
from saas.chat.products import Wish
from saas.chat.retrieval import Filters
from saas.chat.talk import Asked, Talk
from saas.training import rollout

SOURCES = 3
SURE = 0.9  # confidence in an intent that goes before items that fit only just
OWED = ("fallback", "clarify")  # kinds that answer nothing yet


def decide(
    asked: Asked,
    *,
    plan: Plan,
    talk: Talk,
    readings: list[Reading],
    wish: Wish | None,
    policy: Policy,
) -> Draft:
    """What answers a message of the current tenant's customer."""
    cases = [_case(asked, talk, wish, plan, policy, reading) for reading in readings]
    going_on = acting.go_on(cases[0])
    if going_on:
        return going_on
    chosen = clarifying.pick(asked.text, talk)
    if chosen:
        return _chosen(cases[0], chosen)
    case = max(cases, key=lambda case: case.sureness)
    draft = answer(case)
    _observe(case, answered=draft.answer.kind not in OWED)
    return draft


def answer(case: Case) -> Draft:
    """By the first way that has one."""
    drafts = (draft for way in WAYS if (draft := way(case)) is not None)
    return next(drafts, None) or case.draft("fallback", FALLBACK[case.language])


def rerank(draft: Draft, text: str) -> Draft:
    """Its best passages by the cross-encoder where there is one; takes time and no transaction."""
    return replace(draft, passages=retrieval.best(text, draft.passages, SOURCES))


def _case(
    asked: Asked, talk: Talk, wish: Wish | None, plan: Plan, policy: Policy, reading: Reading
) -> Case:
    found = retrieval.search(
        plan.sought(reading),
        retrieval.candidates(SOURCES),
        live=plan.live,
        adapter=plan.passages,
        filters=Filters(product=asked.product, audience=asked.audience),
    )
    prediction = plan.predict(reading)
    return Case(asked, talk, wish, plan, policy, reading, prediction, found)


def _chosen(case: Case, option: dict[str, str]) -> Draft:
    """What answers the intent that the customer has chosen."""
    picked = case.meaning(option["intent"])
    draft = acting.begin(picked, picked.talk.question) or _reply(picked)
    draft = draft or picked.draft("fallback", FALLBACK[case.language])
    return replace(draft, answer=replace(draft.answer, understood=option["text"]))


def _small_talk(case: Case) -> Draft | None:
    own = case.confidence >= UNSURE and replies.find(case.intent or "", case.language) is not None
    text = None if own else smalltalk.reply_to(case.asked.text, case.language)
    return case.draft("talk", text) if text else None


def _items(case: Case) -> Draft | None:
    """Before an intent that the model is sure of, only where an item fits surely, too."""
    if case.wish is None or (case.found and case.found[0].certainty >= CLOSE):
        return None
    surely = case.confidence >= SURE and replies.find(case.intent or "", case.language) is not None
    hits = products.find(case.wish, customer=case.asked.customer, surely=surely)
    if not hits:
        return None
    shown = products.show(hits, case.language)
    return case.draft("items", shown.text, items=shown.items)


def _clarify(case: Case) -> Draft | None:
    if case.intent is None or case.prediction is None or case.is_nearer():
        return None
    if case.talk.kind == "clarify":  # once a question
        return None
    choice = clarifying.ask(case.prediction, case.language)
    return case.draft("clarify", choice.text, options=choice.options) if choice else None


def _action(case: Case) -> Draft | None:
    return acting.begin(case, case.asked.text, case.reading.text)


def _reply(case: Case) -> Draft | None:
    if case.intent is None or case.is_nearer():
        return None
    text = replies.find(case.intent, case.language)
    return case.draft("reply", text) if text is not None else None


def _hours(case: Case) -> Draft | None:
    """When people are there, unless the knowledge says surely when the shop is open."""
    if case.found and case.found[0].certainty >= CLOSE:
        return None
    text = smalltalk.hours(case.asked.text, case.language, case.policy)
    return case.draft("talk", text) if text else None


def _passage(case: Case) -> Draft | None:
    relevant = [hit for hit in case.found if hit.relevant]
    if not relevant or not case.found[0].relevant:
        return None
    return case.draft("passage", "", passages=relevant)


WAYS: tuple[Callable[[Case], Draft | None], ...] = (
    _small_talk,
    _items,
    _clarify,
    _action,
    _reply,
    _hours,
    _passage,
)


def _observe(case: Case, *, answered: bool) -> None:
    """What the live model's watch and a challenger's trial need of this answer."""
    live = case.plan.live
    if case.prediction:
        watched = live.challenger and case.plan.view(case.reading, live.challenger)
        rollout.observe(
            live,
            case.prediction,
            text=case.reading.bare,
            answered=answered,
            watched=watched,
        )
