"""Experiments: started, ended, and what may be concluded from them at any moment."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from saas import engine
from saas.errors import Conflict, Problem
from saas.recommend.arms import Arm, ArmSettings
from saas.recommend.models import Experiment
from saas.training import store
from tenants import audit

Metric = Literal["ctr", "conversion", "revenue"]


def start(*, name: str, scenario: str, metric: Metric, arms: list[Arm], actor: str) -> Experiment:
    """Spread a scenario's customers over arms from now on. Raises Conflict, and Problem `no_version`."""
    for arm in arms:
        if isinstance(arm.settings.model, UUID):
            store.version("recommend", arm.settings.model, encoder=engine.fingerprint())
    clash = Experiment.objects.filter(Q(name=name) | Q(scenario=scenario, ended_at=None)).first()
    if clash is not None and clash.name == name:
        raise Conflict("There is an experiment of this name. Take another.", code="name_taken")
    if clash is not None:
        raise Conflict(
            f"“{clash.name}” is running in this scenario. End it first.", code="experiment_running"
        )
    experiment: Experiment = Experiment.objects.create(
        name=name,
        scenario=scenario,
        metric=metric,
        arms=[arm.model_dump(mode="json") for arm in arms],
    )
    audit.record(actor=actor, action="experiment.started", target=str(experiment.id), name=name)
    return experiment


def arms_of(experiment: Experiment) -> list[Arm]:
    """Its arms; the first one is what the others are compared with."""
    return [Arm.model_validate(arm) for arm in experiment.arms]


def end(experiment: Experiment, *, winner: str | None, actor: str) -> None:
    """Stop spreading. The winner's settings hold from now on; its model version goes live.

    Raises Conflict where it has ended, Problem where no arm is called that.
    """
    if experiment.ended_at is not None:
        raise Conflict("The experiment has ended already.", code="experiment_over")
    experiment.ended_at = timezone.now()
    if winner is not None:
        settings = _settings_of(winner, experiment)
        if isinstance(settings.model, UUID):
            version = store.version("recommend", settings.model, encoder=engine.fingerprint())
            store.check(version)
            store.activate(version, actor=actor)
            settings = settings.model_copy(update={"model": "live"})
        experiment.outcome = {"winner": winner, "settings": settings.model_dump(mode="json")}
    experiment.save(update_fields=["ended_at", "outcome"])
    audit.record(
        actor=actor, action="experiment.ended", target=str(experiment.id), winner=winner or ""
    )


def delete(experiment: Experiment, *, actor: str) -> None:
    """Forget it; customers are spread no more, and its winner's settings hold no more."""
    audit.record(actor=actor, action="experiment.deleted", target=str(experiment.id))
    experiment.delete()


def _settings_of(winner: str, experiment: Experiment) -> ArmSettings:
    arms = {arm.name: arm.settings for arm in arms_of(experiment)}
    if winner not in arms:
        raise Problem(f"No arm has this name. There are: {', '.join(arms)}.", code="no_arm")
    return arms[winner]
