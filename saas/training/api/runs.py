"""The API of training runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field, model_validator
from rest_framework.request import Request
from rest_framework.response import Response

from saas.api import Body, PageQuery, View, page, page_of
from saas.training import runs
from saas.training.api import Kind
from saas.training.models import LogLine, Run

Switch = Literal["off", "on", "try"]
INSTANT = {"recall", "precision"}  # options of an instant run of intents
RECOMMENDING = {"epochs", "seed", "text"}  # options of a tuned run of recommendations


class Options(Body):
    """How a run trains. What is not given suits the number of examples.

    `recall` and `precision` are of every intent run, the others of a tuned one; a tuned run of
    recommendations takes `epochs`, `seed` and `text`. A switch is off, on, or tried: trained with and
    without it, and kept where it helps.
    """

    epochs: int | None = Field(default=None, ge=1, le=50)
    rank: int | None = Field(default=None, ge=1, le=64, description="Of the low-rank matrices")
    seed: int | None = Field(default=None, ge=0, le=2**31 - 1)
    recall: float | None = Field(
        default=None, ge=0.5, le=1, description="Least share of in-scope messages let through"
    )
    precision: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Least share of messages let through that get the right intent; for its sake "
        "more are turned away than `recall` says",
    )
    continual: bool | None = Field(
        default=None,
        description="What is new, with a replay of what is old: at most 200 of each old intent",
    )
    fairness_limit: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="No version where the exchange of names, places or gender moves more answers",
    )
    pretrain: Switch | None = Field(
        default=None, description="First adapt to your messages, without labels (SimCSE)"
    )
    contrastive: Switch | None = Field(default=None, description="Pairs of examples of one intent")
    adversarial: Switch | None = Field(default=None, description="Perturbed word vectors (FGM)")
    consistency: Switch | None = Field(
        default=None, description="Two readings with other dropout are to agree (R-Drop)"
    )
    typos: Switch | None = Field(default=None, description="Examples with typing errors")
    homophones: Switch | None = Field(
        default=None, description="Examples with Chinese characters of the same sound or shape"
    )
    paraphrase: Switch | None = Field(
        default=None, description="Examples in other words, where the operator has a language model"
    )
    hard_negatives: Switch | None = Field(
        default=None, description="Learn from your knowledge which passages answer a question"
    )
    self_training: Switch | None = Field(
        default=None, description="Learn from your messages without labels"
    )
    text: bool | None = Field(
        default=None,
        description="Also tune the encoder to the texts of your catalog, by what is taken one after "
        "the other; kept where it finds held-out purchases better",
    )


class RunIn(Body):
    kind: Kind = Field(
        description="`intent` learns from examples, `recommend` from items and events"
    )
    step: Literal["instant", "tuned"] = Field(
        default="instant",
        description="`instant` is live in seconds; `tuned` also trains, in minutes, the encoder for "
        "intents, and for recommendations a model of the order of events, kept where it wins",
    )
    options: Options | None = Field(default=None, description="Where not all is as usual")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.kind == "intent":
            tuned = set(Options.model_fields) - {"text"}
            allowed = tuned if self.step == "tuned" else INSTANT
        else:
            allowed = RECOMMENDING if self.step == "tuned" else set()
        if unfit := self._chosen() - allowed:
            raise ValueError(
                f"{self._named()} takes "
                f"{'the options ' + ', '.join(sorted(allowed)) if allowed else 'no options'}: leave "
                f"out {', '.join(sorted(unfit))}, or train another step"
            )
        return self

    def _named(self) -> str:
        return f"{'a tuned' if self.step == 'tuned' else 'an instant'} run of kind {self.kind}"

    def _chosen(self) -> set[str]:
        return set(self.options.model_dump(exclude_none=True)) if self.options else set()


class RunOut(BaseModel):
    """`progress` is a share, 0 to 1. `error` says why a run failed."""

    id: UUID
    kind: Kind
    step: Literal["instant", "tuned"]
    options: dict[str, Any]
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    progress: float
    error: str
    attempt: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def _run_out(row: Run) -> RunOut:
    return RunOut.model_validate(row, from_attributes=True)


class Runs(View):
    scopes = {"GET": "training:read", "POST": "training:write"}

    @extend_schema(
        operation_id="list_runs", parameters=[PageQuery], responses={200: page_of(RunOut)}
    )
    def get(self, request: Request) -> Response:
        """Training runs, the newest first."""
        return page(self, Run.objects.all(), _run_out, ordering="-created_at")

    @extend_schema(
        operation_id="start_run",
        request=RunIn,
        responses={202: RunOut},
        examples=[
            OpenApiExample("Intents", {"kind": "intent"}, request_only=True),
            OpenApiExample(
                "Tuned",
                {"kind": "intent", "step": "tuned", "options": {"typos": "on", "pretrain": "try"}},
                request_only=True,
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Start a training run. One of a kind at a time; billed as one training run.

        The new version goes live by itself unless the live one does better on held-out data, or on
        the messages that you corrected. Until then the live one goes on answering.
        """
        body = self.read(RunIn)
        run = runs.start(
            body.kind,
            actor=self.principal.actor,
            api_key=self.principal.key_id,
            step=body.step,
            options=body.options.model_dump(exclude_none=True) if body.options else {},
        )
        return self.answer(_run_out(run), 202)


class OneRun(View):
    scopes = {"GET": "training:read"}

    @extend_schema(operation_id="get_run", responses={200: RunOut})
    def get(self, request: Request, id: UUID) -> Response:
        """A training run: its state and progress. Ask again until `finished_at` is set."""
        return self.answer(_run_out(Run.objects.get(id=id)))


class LogLineOut(BaseModel):
    at: datetime
    line: str


class RunLog(View):
    scopes = {"GET": "training:read"}

    @extend_schema(
        operation_id="get_run_log", parameters=[PageQuery], responses={200: page_of(LogLineOut)}
    )
    def get(self, request: Request, id: UUID) -> Response:
        """What a run said about its work, the first line first."""
        run = Run.objects.only("id").get(id=id)
        return page(
            self,
            LogLine.objects.filter(run=run),
            lambda row: LogLineOut.model_validate(row, from_attributes=True),
            ordering="id",
        )


class CancelRun(View):
    scopes = {"POST": "training:write"}

    @extend_schema(operation_id="cancel_run", request=None, responses={202: RunOut})
    def post(self, request: Request, id: UUID) -> Response:
        """Cancel a queued run at once, a running one at its next step."""
        run = runs.cancel(id, actor=self.principal.actor)
        run.refresh_from_db()
        return self.answer(_run_out(run), 202)
