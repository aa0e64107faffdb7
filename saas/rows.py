"""Rows that come in by the batch: validated one by one, answered one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from django.db.models import Model
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

Language = Literal["en", "zh"]
# PostgreSQL stores no NUL characters; a clear message comes from here.
NO_NUL = r"^[^\x00]*$"
# What the documentation says of a text that must not be empty: there is more than spaces in it.
NOT_BLANK = r"^[^\x00]*[^\s\x00][^\x00]*$"
NAME = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
SHOWN = 80


def text(longest: int, *, says: str | None = None) -> Any:
    """A string column of 1 to `longest` characters, not only spaces; `says` documents it."""
    return Field(min_length=1, max_length=longest, pattern=NOT_BLANK, description=says)


def optional_text(longest: int, *, says: str | None = None) -> Any:
    """A string column of up to `longest` characters that may be left out."""
    return Field(default="", max_length=longest, pattern=NO_NUL, description=says)


Identifier = Annotated[str, Field(min_length=1, max_length=128, pattern=NAME)]


def _with_zone(value: object) -> object:
    """A time without a zone is UTC: what exports of databases usually hold."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value


def _in_utc(value: datetime) -> datetime:
    """As the database takes it, whatever the zone it was written in."""
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("There is no such time. Send when it was, in UTC") from error


Moment = Annotated[AwareDatetime, BeforeValidator(_with_zone), AfterValidator(_in_utc)]


class Row(BaseModel):
    """One row of a batch or a file."""

    model_config = ConfigDict(str_strip_whitespace=True, extra="forbid", frozen=True)


R = TypeVar("R", bound=Row)
Status = Literal["created", "updated", "unchanged", "failed"]


@dataclass(slots=True)
class Outcome:
    """What became of every row: `rows[i]` answers the i-th row that came in.

    Where there are very many, those that were stored may be `counted` without an answer of their own.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)

    @property
    def counts(self) -> dict[str, int]:
        found = self.counted + Counter(row["status"] for row in self.rows)
        return {status: found[status] for status in ("created", "updated", "unchanged", "failed")}


@dataclass(frozen=True, slots=True)
class Kind(Generic[R]):
    """A kind of rows: its name, form, writer, and the other names its columns are known by.

    `write` stores rows in the current tenant's scope and says of each what became of it. A file must
    have one of the columns of `either`.
    """

    name: str
    form: type[R]
    write: Callable[[Sequence[R]], list[Status]]
    aliases: Mapping[str, str] = field(default_factory=dict)
    either: tuple[str, ...] = ()


def write(kind: Kind[R], raw: Iterable[Any], *, first: int = 0) -> Outcome:
    """Validate and store rows; a bad row is answered with what is wrong and keeps no other back."""
    outcome = Outcome()
    valid: list[R] = []
    places: list[int] = []
    for number, item in enumerate(raw, start=first):
        try:
            valid.append(kind.form.model_validate(item))
            places.append(len(outcome.rows))
            outcome.rows.append({"row": number})
        except ValidationError as error:
            outcome.rows.append({"row": number, "status": "failed", "errors": explain(error)})
    for place, status in zip(places, kind.write(valid) if valid else [], strict=True):
        outcome.rows[place]["status"] = status
    return outcome


def upsert(
    model: type[Model],
    values: Sequence[Mapping[str, Any]],
    *,
    key: str,
    compare: Sequence[str],
) -> list[Status]:
    """Insert or update rows of the current tenant by their unique `key`, the last one of a key winning.

    `compare` names the columns whose change counts as an update. Nothing is written for rows that
    are there as given.
    """
    manager = model._default_manager
    keys = {row[key] for row in values}
    # Locked in one order, so that two batches with the same keys cannot block each other.
    there = manager.select_for_update().filter(**{f"{key}__in": keys}).order_by(key)
    current: dict[Any, Mapping[str, Any]] = {row[key]: row for row in there.values(key, *compare)}
    changed: dict[Any, Model] = {}
    statuses: list[Status] = []
    for row in values:
        old = current.get(row[key])
        if old is not None and all(old[name] == row[name] for name in compare):
            statuses.append("unchanged")
            continue
        statuses.append("created" if old is None else "updated")
        current[row[key]] = row
        changed[row[key]] = model(**row)
    manager.bulk_create(
        [changed[identity] for identity in sorted(changed)],
        update_conflicts=True,
        unique_fields=["tenant", key],
        update_fields=sorted({name for row in values for name in row if name != key}),
        batch_size=500,
    )
    return statuses


def explain(error: ValidationError, *, whole: str = "row") -> list[dict[str, str]]:
    """What is wrong with a row, field by field, with the beginning of what was sent.

    `whole` is what a mistake that is not in any one field is said of.
    """
    return [
        {
            "field": ".".join(str(part) for part in found["loc"] if part != "[key]") or whole,
            "message": _message(found),
        }
        for found in error.errors(include_url=False, include_context=True)
    ]


PLAINER = {
    "missing": "Must be given",
    "extra_forbidden": "There is no such field; leave it out or correct its name",
    "model_type": "Must be a JSON object, with the fields in it",
    "model_attributes_type": "Must be a JSON object, with the fields in it",
    "dict_type": "Must be a JSON object",
    "list_type": "Must be a JSON array",
    "string_type": "Must be a text (a JSON string)",
    "string_unicode": "Holds half a character (a lone surrogate); send whole characters",
}


def _message(found: Any) -> str:
    sent = found["input"]
    message: str = PLAINER.get(found["type"], found["msg"]).removeprefix("Value error, ")
    if found["type"] == "string_too_short" and found["ctx"]["min_length"] == 1:
        return "Must not be empty."
    if found["type"] == "string_pattern_mismatch":
        # Said by the form where the pattern is not the common one against control characters.
        if any(_is_control(character) for character in sent):
            message = "Holds a control character; remove it"
        else:
            message = f"Must look like {found['ctx']['pattern']}"
    if found["type"] in ("missing", "extra_forbidden"):
        return f"{message}."
    if isinstance(sent, str) and len(sent) > SHOWN:
        return f"{message}. It has {len(sent):,} characters and begins with {sent[:SHOWN]!r}."
    if isinstance(sent, str | int | float):
        return f"{message}. Got {repr(sent)[:SHOWN]}."
    return f"{message}."


def _is_control(character: str) -> bool:
    return character < " " or character == "\x7f"
