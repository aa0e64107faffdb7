"""Which arm of a running experiment an answer belongs to, and what it does differently there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from saas.recommend.demand import Demand
from saas.training import store


class ArmSettings(BaseModel):
    """What is done differently; nothing where all is left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Literal["live", "popular"] | UUID = Field(
        default="live",
        description="`live`, `popular` (no model: what is bought and viewed most), or the id of a "
        "model version of the kind recommend",
    )
    rules: bool = Field(default=True, description="Whether the business rules are applied")
    diversity: float | None = Field(
        default=None, ge=0, le=1, description="In place of that of the call"
    )
    explore: float | None = Field(
        default=None, ge=0, le=0.5, description="In place of that of the call; not in rerank"
    )

    def demand(self, asked: Demand) -> Demand:
        """What is asked for in this arm."""
        if self.diversity is not None:
            asked = replace(asked, diversity=self.diversity)
        if self.explore is not None and asked.kind != "rerank":
            asked = replace(asked, explore=self.explore)
        return asked

    def serving(self, live: store.Serving, *, encoder: str) -> store.Serving:
        """What answers instead of the live model; the live one where that cannot be read."""
        if self.model == "live":
            return live
        if self.model == "popular":
            return replace(live, version_id=None, model=None)
        model = store.model_of("recommend", self.model, encoder=encoder)
        return live if model is None else replace(live, version_id=self.model, model=model)


USUAL = ArmSettings()
# What is tried in a scenario, or was last and won.
TRIED = """
    SELECT id, ended_at IS NULL AS running, arms, outcome -> 'settings' AS won
    FROM recommend_experiment WHERE tenant_id = %(tenant)s AND scenario = %(scenario)s
      AND (ended_at IS NULL OR outcome ? 'settings')
    ORDER BY ended_at DESC NULLS FIRST LIMIT 1"""


class Arm(BaseModel):
    """A part of the customers and what is done for them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    share: float
    settings: ArmSettings = USUAL


@dataclass(frozen=True, slots=True)
class Seat:
    """Where an answer sits: its arm of an experiment, where one is running, and its settings."""

    settings: ArmSettings = USUAL
    experiment: UUID | None = None
    arm: str = ""


def seat(found: Sequence[Mapping[str, Any]], of: str) -> Seat:
    """Where an answer sits by what TRIED has found: the same for the same customer (`of`) as long as
    an experiment runs, anew in another one.

    Where none is running, the settings of the arm that won last.
    """
    if not found:
        return Seat()
    (experiment,) = found
    if not experiment["running"]:
        return Seat(ArmSettings.model_validate(experiment["won"]))
    id_ = UUID(experiment["id"])
    arm = _drawn([Arm.model_validate(entry) for entry in experiment["arms"]], id_, of)
    return Seat(arm.settings, id_, arm.name)


def _drawn(arms: list[Arm], experiment: UUID, of: str) -> Arm:
    place = store.drawn(experiment, of.encode())
    for arm in arms:
        place -= arm.share
        if place < 0:
            return arm
    return arms[-1]  # shares sum to 1 but for rounding
