"""Why a text gets its intent: by the gradients of the live model, and the examples like it."""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings

from ml import explain
from ml.errors import ArtifactError, DataError
from ml.types import Example, Prediction, Vectors
from saas import engine
from saas.errors import Conflict, Problem, Unavailable
from saas.training import store
from saas.training.models import Example as Row
from saas.training.models import Kind, ModelVersion
from tenants.scope import tenant_scope

if TYPE_CHECKING:
    from ml.adapters import Adapter
    from ml.explain import Explainer

NEAREST = 5
SEARCHED = 200  # examples of each of the likeliest intents
_busy = threading.Lock()


@dataclass(frozen=True, slots=True)
class Explained:
    """One answer: what the model makes of the text, which words moved it, which examples are near."""

    version_id: UUID
    prediction: Prediction
    words: explain.Explanation
    nearest: list[explain.Neighbour]


def make(tenant_id: UUID, text: str, version_id: UUID | None = None) -> Explained:
    """Explain the intent of a text, by a version or else the live one.

    Takes up to a few seconds of the processor, so one at a time in a process: Unavailable while
    another one is made. No transaction is open meanwhile. Raises ModelVersion.DoesNotExist, Conflict
    where there is no model, and Problem for a text without a word.
    """
    if not _busy.acquire(blocking=False):
        raise Unavailable("Another explanation is being made. Try again.", code="busy", wait=2)
    try:
        version_id, model = _model(tenant_id, version_id)
        read = model.read([text], engine.encode)
        prediction = model.predict(read, [text])[0]
        return Explained(
            version_id,
            prediction,
            _words(text, model, prediction),
            _nearest(tenant_id, model.own(read), prediction, model.adapter),
        )
    finally:
        _busy.release()


def _model(tenant_id: UUID, version_id: UUID | None) -> tuple[UUID, Any]:
    with tenant_scope(tenant_id):
        versions = ModelVersion.objects.filter(kind=Kind.INTENT)
        live = versions.filter(active=True)
        version = versions.get(pk=version_id) if version_id else live.first()
        if version is None:
            raise Conflict("There is no live intent model. Start a training run.", code="no_model")
        if version.encoder != engine.fingerprint():
            raise Conflict(
                "This version was trained with another encoder. Train again.", code="other_encoder"
            )
        try:
            return version.pk, store.load(Kind.INTENT, version.pk)
        except ArtifactError as error:
            raise Conflict(
                "The files of this version are gone or damaged. Train again.", code="version_gone"
            ) from error


def _words(text: str, model: Any, prediction: Prediction) -> explain.Explanation:
    try:
        return _explainer().explain(
            text,
            head=model.head,
            spelling=model.spelling,
            labels=model.labels,
            intent=str(prediction.label),
            adapters=model.adapters,
        )
    except DataError as error:
        raise Problem(f"{str(error).capitalize()}.", code="nothing_to_explain") from error


@functools.cache
def _explainer() -> Explainer:
    from ml import weights

    folder = weights.locate(settings.ENCODER, cache=settings.ENCODER_CACHE)
    return explain.Explainer.load(folder)


def _nearest(
    tenant_id: UUID, vector: Vectors, prediction: Prediction, adapter: Adapter | None
) -> list[explain.Neighbour]:
    """Among the examples of the likeliest intents, the stored ones, whatever the run saw."""
    with tenant_scope(tenant_id):
        examples = [
            Example(text, guess.label)
            for guess in prediction.alternatives
            for text in Row.objects.filter(intent=guess.label)
            .order_by("digest")
            .values_list("text", flat=True)[:SEARCHED]
        ]
    if not examples:
        return []
    vectors = _vectors(tuple(example.text for example in examples), adapter)
    return explain.nearest(vector, vectors, examples, count=NEAREST)


@functools.lru_cache(maxsize=32)
def _vectors(texts: tuple[str, ...], adapter: Adapter | None) -> Vectors:
    """Kept for the next text of the same intents."""
    return engine.encode_all(texts, "query", adapter=adapter)
