"""What looks wrong about the tenant's examples, and what to do about it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from saas import engine
from saas.errors import Conflict
from saas.labelling.models import Finding
from saas.training import examples
from saas.training.models import Example

if TYPE_CHECKING:
    from ml.types import Vectors


def read() -> list[Example]:
    return list(Example.objects.order_by("digest"))


def find(read_: list[Example]) -> list[dict[str, Any]]:
    """The fields of findings that are not stored yet. Encodes: no scope is open."""
    if not read_:
        return []
    vectors = engine.encode_all([row.text for row in read_], "query")
    return list(_found(read_, vectors))


def _found(read_: list[Example], vectors: Vectors) -> Iterator[dict[str, Any]]:
    from ml import labelnoise

    for doubt in labelnoise.errors(vectors, [row.intent for row in read_]):
        row = read_[doubt.place]
        yield _finding(Finding.Kind.LABEL, row, doubt.suggested, doubt.certainty)
    for twin in labelnoise.twins(vectors):
        row = read_[twin.place]
        yield _finding(Finding.Kind.DUPLICATE, row, read_[twin.other].text, twin.cosine)


def _finding(kind: str, row: Example, other: str, score: float) -> dict[str, Any]:
    said = "\0".join((kind, row.digest, row.intent, other))
    return {
        "kind": kind,
        "digest": hashlib.sha256(said.encode()).hexdigest()[:32],
        "example": row.id,
        "text": row.text,
        "intent": row.intent,
        "other": other,
        "score": score,
    }


def keep(found: list[dict[str, Any]]) -> None:
    """In place of the open ones; what was dismissed or accepted once is not asked again."""
    Finding.objects.filter(state=Finding.State.OPEN).delete()
    Finding.objects.bulk_create(
        [Finding(**fields) for fields in found], ignore_conflicts=True, batch_size=500
    )


def close(finding: Finding, state: str) -> None:
    """Accepted: the example takes the suggested intent, or is deleted where it stands there twice."""
    if finding.state != Finding.State.OPEN:
        raise Conflict(f"The finding is {finding.state} already.", code="finding_closed")
    if state == Finding.State.ACCEPTED:
        row = Example.objects.get(id=finding.example)
        if finding.kind == Finding.Kind.DUPLICATE:
            examples.remove(row.id)
        else:
            examples.write([examples.ExampleRow(text=row.text, intent=finding.other)])
    finding.state = state
    finding.save(update_fields=["state"])
