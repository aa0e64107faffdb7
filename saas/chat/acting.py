"""What an action says in a conversation: what it asks for, and what its endpoint answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

from django.utils import timezone

from saas.chat import actions, forms
from saas.chat.answers import UNSURE, Answer, Draft
from saas.chat.cases import Case
from saas.chat.forms import Ask, Filled, Form
from saas.chat.models import Action
from saas.chat.slots import Slot

SURELY = 0.9  # confidence in another intent where whatever is written could be the answer
UNAVAILABLE = {
    "en": "I cannot look that up right now. A colleague can help: shall I hand you over?",
    "zh": "现在暂时查不到。需要我为您转接人工客服吗？",
}
UNKNOWN = {
    "en": "I could not find anything for {}. Please check it and write it again.",
    "zh": "没有查到与 {} 相关的信息，请核对后重新输入。",
}


def begin(case: Case, *texts: str) -> Draft | None:
    """The action of the likeliest intent, with what the texts say of its slots; None without one.

    A passage that is nearer goes before an action that would have to ask for everything.
    """
    if case.intent is None or case.confidence < UNSURE:
        return None
    action = actions.find(case.intent)
    if action is None:
        return None
    needed = actions.slots_of(action)
    step = forms.begin(action.intent, needed, texts, language=case.language, today=_today(case))
    if case.is_nearer() and isinstance(step, Ask) and step.form and not step.form.values:
        return None
    return _draft(case, action, step)


def go_on(case: Case) -> Draft | None:
    """After what was asked; None where nothing was, or the customer speaks of something else."""
    form = Form(**case.talk.form) if case.talk.form else None
    action = actions.find(form.intent) if form else None
    if form is None or action is None:
        return None
    needed = actions.slots_of(action)
    slot = next((slot for slot in needed if slot.name == form.slot), None)
    if slot is None:  # the action was changed meanwhile
        return None
    text = case.asked.text
    step = forms.go_on(form, needed, text, language=case.language, today=_today(case))
    if _is_elsewhere(case, slot, form, step):
        return None
    return _draft(case.meaning(form.intent), action, step)


def carry_out(draft: Draft) -> Draft:
    """The answer with what the endpoint says. No transaction is to be open."""
    call, answer = draft.call, draft.answer
    if call is None:
        return draft
    try:
        answer = replace(answer, text=actions.carry_out(call))
    except actions.NotFound:
        answer = _not_found(answer, call)
    except actions.Failed:
        answer = replace(answer, kind="fallback", text=UNAVAILABLE[answer.language])
    return replace(draft, answer=answer, call=None)


def _not_found(answer: Answer, call: actions.Call) -> Answer:
    """Asked for anew, where there is anything to ask for."""
    if not call.values:
        return replace(answer, kind="fallback", text=UNAVAILABLE[answer.language])
    *_, last = call.values
    left = {name: value for name, value in call.values.items() if name != last}
    text = UNKNOWN[answer.language].format(call.values[last])
    form = Form(call.body["intent"], last, 1, left)
    return replace(answer, kind="ask", text=text, form=form.as_json())


def _is_elsewhere(case: Case, slot: Slot, form: Form, step: Ask | Filled) -> bool:
    """Whether a message is about another intent instead of answering what was asked."""
    if case.intent in (None, form.intent) or forms.is_cancelled(case.asked.text):
        return False
    unfit = isinstance(step, Ask) and (
        step.given_up or (step.form is not None and step.form.slot == form.slot)
    )
    return case.confidence >= (UNSURE if unfit else SURELY) and (unfit or slot.kind == "text")


def _draft(case: Case, action: Action, step: Ask | Filled) -> Draft:
    if isinstance(step, Filled):
        asked = case.asked
        call = actions.call(
            action,
            step.values,
            conversation_id=asked.conversation_id,
            customer=asked.customer,
            language=case.language,
        )
        return case.draft("action", "", call=call)
    if step.given_up:
        return case.draft("fallback", step.text)
    if step.form is None:
        return case.draft("talk", step.text)
    options = [{"text": choice} for choice in step.options]
    return case.draft("ask", step.text, options=options, form=step.form.as_json())


def _today(case: Case) -> date:
    """By the clock of the tenant."""
    return timezone.now().astimezone(ZoneInfo(case.policy.timezone)).date()
