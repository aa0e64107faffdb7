"""A message in one of its readings, with what the models make of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from saas.chat.actions import Call
from saas.chat.answers import KNOWN, UNSURE, Answer, Draft, Plan, Reading
from saas.chat.policy import Policy
from saas.chat.products import Wish
from saas.chat.retrieval import Found
from saas.chat.talk import Asked, Talk

if TYPE_CHECKING:
    from ml.types import Prediction


@dataclass(frozen=True, slots=True)
class Case:
    """A message in one of its readings, with what the models make of it, and what it looks for."""

    asked: Asked
    talk: Talk
    wish: Wish | None
    plan: Plan
    policy: Policy
    reading: Reading
    prediction: Prediction | None
    found: list[Found]

    @property
    def intent(self) -> str | None:
        """The likeliest one, where the message seems to be one of the tenant's at all."""
        return self.prediction.label if self.prediction and self.prediction.in_scope else None

    @property
    def confidence(self) -> float:
        return self.prediction.confidence if self.prediction and self.intent else 0.0

    @property
    def sureness(self) -> tuple[float, float]:
        certainty = self.found[0].certainty if self.found and self.found[0].relevant else 0.0
        return self.confidence, certainty

    @property
    def language(self) -> str:
        return self.asked.language

    def meaning(self, intent: str) -> Case:
        """The same, of which the customer has said what it means: the models' word counts no more."""
        from ml.types import Guess, Prediction

        said = Prediction(intent, 1.0, in_scope=True, alternatives=(Guess(intent, 1.0),))
        return replace(self, prediction=said, found=[])

    def is_nearer(self) -> bool:
        """Whether a passage answers more surely than the reply to the likeliest intent would.

        The more a message is like what the intents' examples ask, the more certain it must be.
        """
        if not self.found or not self.found[0].relevant:
            return False
        known = self.prediction.familiarity if self.prediction and self.intent else 0.0
        return self.found[0].certainty >= KNOWN * known or self.confidence < UNSURE

    def draft(
        self,
        kind: str,
        text: str,
        *,
        passages: list[Found] | None = None,
        call: Call | None = None,
        **more: Any,
    ) -> Draft:
        """An answer with what the models said of the message."""
        likely = self.prediction.alternatives if self.prediction else ()
        answer = Answer(
            kind=kind,
            text=text,
            language=self.language,
            intent=self.prediction.label if self.prediction else None,
            confidence=round(self.prediction.confidence, 4) if self.prediction else None,
            in_scope=bool(self.prediction and self.prediction.in_scope),
            alternatives=[(guess.label, round(guess.probability, 4)) for guess in likely],
            sources=[],
            model_version=self.plan.live.version_id,
            understood=self.reading.text if self.reading.text != self.asked.text else "",
            **more,
        )
        return Draft(answer, self.reading, passages or [], call)
