"""Labels by hand: several annotators, what they disagree on, and the last word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from saas import rows
from saas.errors import Conflict, Problem
from saas.labelling.models import Annotation, Turn
from saas.training import examples
from saas.training.models import Example


class AnnotationRow(rows.Row):
    turn: UUID
    intent: str = rows.text(128, says="What the customer wants, as in your examples")
    annotator: rows.Identifier


def write(given: Sequence[AnnotationRow]) -> list[rows.Status]:
    """Store labels. Of one mind, they make an example; a disagreement takes it back until resolved.

    Raises Problem where a turn is not there, not a customer's, or too long for an example.
    """
    known = {
        turn.id: turn
        for turn in Turn.objects.select_for_update().filter(
            id__in={row.turn for row in given}, author=Turn.Author.CUSTOMER
        )
    }
    statuses: list[rows.Status] = []
    for row in given:
        turn = known.get(row.turn)
        if turn is None or len(turn.text) > 2_000:
            raise Problem(f"There is no customer's turn {row.turn} to label.", code="no_turn")
        there = Annotation.objects.filter(turn=turn, annotator=row.annotator).first()
        if there is not None and there.intent == row.intent:
            statuses.append("unchanged")
            continue
        Annotation.objects.update_or_create(
            turn=turn, annotator=row.annotator, defaults={"intent": row.intent}
        )
        statuses.append("updated" if there else "created")
        _settle(turn)
    return statuses


def _settle(turn: Turn) -> None:
    intents = set(turn.annotations.values_list("intent", flat=True))
    if len(intents) == 1:
        resolve(turn, intents.pop())
        return
    Example.objects.filter(digest=examples.digest(turn.text)).delete()
    turn.state = Turn.State.DISPUTED
    turn.save(update_fields=["state"])


def resolve(turn: Turn, intent: str) -> None:
    """The last word: the turn is an example of this intent."""
    examples.write([examples.ExampleRow(text=turn.text, intent=intent)])
    turn.state = Turn.State.LABELLED
    turn.save(update_fields=["state"])


def skip(turn: Turn) -> None:
    """Not worth a label; raises Conflict where it has one."""
    if turn.state not in (Turn.State.OPEN, Turn.State.SKIPPED):
        raise Conflict("The turn has a label. Resolve it instead.", code="labelled")
    turn.state = Turn.State.SKIPPED
    turn.save(update_fields=["state"])


def agreement() -> tuple[float | None, int]:
    """Krippendorff's alpha over all turns with two labels or more, and how many those are."""
    from ml.agreement import alpha

    units: dict[UUID, list[str]] = defaultdict(list)
    for turn, intent in Annotation.objects.values_list("turn_id", "intent"):
        units[turn].append(intent)
    paired = [unit for unit in units.values() if len(unit) > 1]
    return alpha(paired), len(paired)
