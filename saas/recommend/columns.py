"""One state of the current tenant's catalog by columns, and which of its items a filter admits.

A column holds each distinct value once, so a comparison is made once a value and not once an item.
What a filter admits is worked out once for each state of the catalog.
"""

from __future__ import annotations

import functools
import json
import operator
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saas.recommend import expression
from saas.recommend.expression import Comparison, Condition, Field, Not
from tenants.scope import query

KEPT = 256
Mask = NDArray[np.bool_]
ORDER = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


class Memo:
    """What was worked out so far; where it becomes too much, all of it is let go."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, Any] = {}

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        found = self._kept.get(key)
        if found is None:
            found = make()
            if len(self._kept) >= KEPT:
                self._kept.clear()
            self._kept[key] = found
        return found


@dataclass(frozen=True, slots=True)
class Column:
    """The distinct values of a field (None: missing), and int32[items] which of them each item has."""

    values: list[Any]
    codes: NDArray[np.int32]

    @classmethod
    def of(
        cls, raw: Iterable[Hashable], read: Callable[[Any], Any] = lambda value: value
    ) -> Column:
        places: dict[Hashable, int] = {}
        codes = [places.setdefault(value, len(places)) for value in raw]
        return cls([read(value) for value in places], np.array(codes, np.int32))


@dataclass(frozen=True, slots=True)
class Targets:
    """The items that a filter admits, or these; none where neither is given."""

    filter: str = ""
    items: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Columns:
    """All items of one state of a catalog, by id; a column is read when it is first asked for."""

    ids: list[str]
    places: dict[str, int]
    _memo: Memo = field(default_factory=Memo)

    @classmethod
    def of_items(cls, items: Iterable[str]) -> Columns:
        ids = sorted(items)
        return cls(ids, {item: place for place, item in enumerate(ids)})

    def column(self, of: Field) -> Column:
        found: Column = self._memo.get(of, lambda: self._load(of))
        return found

    def of(self, name: str, items: Iterable[str]) -> dict[str, Any]:
        """A field of some items, of those that are there; None where the value is missing."""
        column = self.column(Field(name))
        places = {item: self.places[item] for item in items if item in self.places}
        return {item: column.values[column.codes[place]] for item, place in places.items()}

    def mask(self, items: Iterable[str]) -> Mask:
        """bool[items]: those of these that are there."""
        chosen = np.zeros(len(self.ids), bool)
        chosen[[self.places[item] for item in items if item in self.places]] = True
        return chosen

    def admitted(self, filter: str) -> Mask:
        """bool[items]: what a filter admits. Raises ExpressionError."""
        found: Mask = self._memo.get(
            filter, lambda: evaluate(expression.parse(filter), self.column)
        )
        return found

    def targeted(self, targets: Targets) -> Mask:
        return self.admitted(targets.filter) if targets.filter else self.mask(targets.items)

    @functools.cached_property
    def newest(self) -> NDArray[np.intp]:
        """Places of the items, those first that came last."""
        column = self.column(Field("created_at"))
        return np.argsort(-np.array(column.values, float)[column.codes], kind="stable")

    def _load(self, of: Field) -> Column:
        column = {"id": "external_id", expression.OWN: "attributes -> %(key)s"}.get(
            of.name, of.name
        )
        # The name is one of expression.FIELDS: nothing from outside is part of the statement.
        statement = f"SELECT external_id, {column} FROM recommend_item WHERE tenant_id = %(tenant)s"  # noqa: S608
        found = dict(query(statement, key=of.key))
        if of.name == "tags":
            found = {item: tuple(tags) for item, tags in found.items()}
        read = attribute if of.name == expression.OWN else _plain
        return Column.of((found.get(item) for item in self.ids), read)


def evaluate(condition: Condition, column: Callable[[Field], Column]) -> Mask:
    """bool[items]: for which of them the condition holds."""
    if isinstance(condition, Comparison):
        found = column(condition.field)
        holds = [_holds(condition, value) for value in found.values]
        return np.array(holds, bool)[found.codes]
    if isinstance(condition, Not):
        return ~evaluate(condition.part, column)
    join = np.logical_or if condition.any else np.logical_and
    masks = [evaluate(part, column) for part in condition.parts]
    return np.asarray(functools.reduce(join, masks))


def _holds(condition: Comparison, value: Any) -> bool:
    """A comparison with what is missing, or with a value of another kind, does not hold."""
    sign, wanted = condition.sign, condition.value
    if sign in ("has", "has not"):
        if isinstance(value, tuple):
            return any(_alike(wanted, part) and wanted == part for part in value) == (sign == "has")
        if isinstance(value, str) and isinstance(wanted, str):
            return (wanted.casefold() in value.casefold()) == (sign == "has")
        return False
    if sign in ("in", "not in"):
        if value is None or isinstance(value, tuple):
            return False
        return any(_alike(value, one) and value == one for one in wanted) == (sign == "in")
    return _alike(value, wanted) and bool(ORDER[sign](value, wanted))


def _alike(one: Any, other: Any) -> bool:
    """Whether both are numbers, both texts, or both true or false."""
    return _sort(one) is not None and _sort(one) is _sort(other)


def _sort(value: Any) -> type | None:
    if isinstance(value, bool | str):
        return type(value)
    return float if isinstance(value, int | float) else None


def _plain(value: Any) -> Any:
    """Of a column, as an expression compares it."""
    if isinstance(value, Decimal):
        return float(value)
    return value.timestamp() if isinstance(value, datetime) else value


def attribute(raw: Any) -> Any:
    """Of an attribute: a scalar, or a list as a tuple; objects are not looked into."""
    value = None if raw is None else json.loads(raw)
    return tuple(value) if isinstance(value, list) else None if isinstance(value, dict) else value
