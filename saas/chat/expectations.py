"""Questions whose answers people have set right: no new version may answer fewer of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from ml.adapters import Adapter
from ml.language import language_of
from saas import engine
from saas.chat import decisions, knowledge, policy, retrieval
from saas.chat.answers import Plan, Reading
from saas.chat.cases import Case
from saas.chat.models import Passage
from saas.chat.retrieval import LIVE, Filters, Space
from saas.chat.talk import Asked, Talk
from saas.training import store
from tenants.scope import current_tenant_id, tenant_scope


def write(question: str, *, actor: str) -> None:
    """From now on the passage of this question must answer it."""
    taught = Passage.objects.filter(digest=knowledge.digest(question), document=None)
    taught.update(taught_by=actor[:200])


def read() -> Trial:
    """What the current tenant's versions are asked."""
    taught = Passage.objects.filter(document=None).exclude(taught_by="").order_by("digest")
    return Trial(current_tenant_id(), dict(taught.values_list("id", "question")))


@dataclass(frozen=True, slots=True)
class Trial:
    """A tenant's questions, by the passages that must answer them."""

    tenant_id: UUID
    questions: dict[UUID, str]

    def answered(self, model: Any) -> set[str]:
        """The questions that their passages would answer were this intent model live.

        They are asked as a customer's first message, of the knowledge as the model's adapter sees it,
        and decided as that is. No scope is open: it may take as long as encoding all passages does.
        """
        space = self._space(model.adapter)
        adapters = tuple(dict.fromkeys((*model.adapters, model.adapter, None)))
        plan = Plan(store.Serving(uuid4(), model, 0), model.adapter, adapters)
        readings = {id_: plan.read([text])[0] for id_, text in self.questions.items()}
        with tenant_scope(self.tenant_id):
            set_ = policy.get()
            return {
                reading.text
                for id_, reading in readings.items()
                if id_ == _answering(_case(reading, plan, set_, space))
            }

    def _space(self, adapter: Adapter | None) -> Space:
        with tenant_scope(self.tenant_id):
            revision = store.serving(
                "intent", rows=knowledge.NAME, encoder=engine.fingerprint()
            ).revision
            if knowledge.is_ready(adapter, revision=revision):
                return retrieval.stored(adapter, revision=revision)
            passages = list(
                knowledge.embedded().filter(LIVE).defer("vector", "tuned").order_by("id")
            )
        return retrieval.space_of(passages, adapter)


def _case(reading: Reading, plan: Plan, set_: policy.Policy, space: Space) -> Case:
    asked = Asked(uuid4(), reading.text, language_of(reading.text))
    crowding = space.crowding(plan.live, plan.passages)
    found = space.search(plan.sought(reading), decisions.SOURCES, Filters(), crowding=crowding)
    return Case(asked, Talk(), None, plan, set_, reading, plan.predict(reading), found)


def _answering(case: Case) -> UUID | None:
    """The passage that goes before all else; None where something else answers."""
    passages = decisions.answer(case).passages
    return passages[0].id if passages else None
