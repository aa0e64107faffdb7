"""Events of a file by the ten thousand: each distinct cell is checked once, by the form's own rules."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, get_origin

from pydantic import TypeAdapter, ValidationError

from saas import rows
from saas.recommend import arrivals, events
from saas.recommend.arrivals import Line
from saas.recommend.customers import SESSION
from saas.recommend.events import WORDED, EventRow

KEPT = 500_000  # distinct cells of a column that are remembered


class _Column(dict[Any, str | None]):
    """From a cell of a field to its word; None where the form itself must say what is wrong."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._field = EventRow.model_fields[name]
        self._is_map = get_origin(self._field.annotation) is dict
        annotation: Any = self._field.rebuild_annotation()
        self._form = TypeAdapter[Any](annotation, config=EventRow.model_config)

    def __missing__(self, cell: Any) -> str | None:
        if len(self) >= KEPT:
            self.clear()
        try:
            word = events.word(self._form.validate_python(cell))
        except ValidationError:
            word = None
        self[cell] = word
        return word

    def words(self, cells: list[Any] | None, count: int) -> list[str | None]:
        """The words of cells, of which None is none; of a column that is not there the default's."""
        default = None
        if not self._field.is_required():
            default = events.word(self._field.get_default(call_default_factory=True))
        if cells is None:
            return [default] * count
        self[None] = default
        if {dict, list, bool}.isdisjoint(map(type, cells)):
            return list(map(self.__getitem__, cells))
        return [self._word(cell) for cell in cells]

    def _word(self, cell: Any) -> str | None:
        """Of a cell that may be no key, or the same one as another: true is 1."""
        if isinstance(cell, dict | list):
            return self[json.dumps(cell)] if self._is_map else None
        return None if isinstance(cell, bool) else self[cell]


class Loader:
    """Reads the events of one file."""

    size = 50_000

    def __init__(self) -> None:
        self._columns = {name: _Column(name) for name in WORDED}

    def read(self, table: dict[str, list[Any]], *, first: int) -> Callable[[], rows.Outcome]:
        """Check rows, counted from `first`; what is returned stores them, in a tenant's scope."""
        count = len(next(iter(table.values())))
        columns = [column.words(table.get(name), count) for name, column in self._columns.items()]
        failed: list[dict[str, Any]] = []
        lines: list[Line] = []
        for place, words in enumerate(zip(*columns, strict=True)):
            if None in words or not _is_plain(*words[:5]):
                cells = {column: cells[place] for column, cells in table.items()}
                lines += _checked(cells, first + place, failed)
            else:
                lines.append(events.line(*words))
        return partial(_store, lines, failed)


def _is_plain(customer: str, session: str, item: str, kind: str, name: str) -> bool:
    """Whether fields that are good are good together: the rules of EventRow._is_whole."""
    known = not (session and customer.startswith(SESSION)) if customer else bool(session)
    return known and (kind != "custom" or bool(name))


def _checked(cells: dict[str, Any], row: int, failed: list[dict[str, Any]]) -> list[Line]:
    """A row read by the form; none, and what is wrong with it, where it does not fit."""
    given = {name: cell for name, cell in cells.items() if cell is not None}
    try:
        return [events.line_of(EventRow.model_validate(given))]
    except ValidationError as error:
        failed.append({"row": row, "status": "failed", "errors": rows.explain(error)})
        return []


def _store(lines: list[Line], failed: list[dict[str, Any]]) -> rows.Outcome:
    return rows.Outcome(failed, Counter(arrivals.store(lines)))
