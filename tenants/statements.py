"""Hand-written statements, which PostgreSQL reads and plans once a session and not once a call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import connection
from django.db.backends.utils import CursorWrapper

PLACE = re.compile(r"%\((\w+)\)s")
# What psycopg2 says of a value's type. The others' follow from where they stand.
TYPES = {UUID: "uuid", datetime: "timestamptz", date: "date", timedelta: "interval"}
TYPES |= {float: "float8", bool: "boolean"}
UNKNOWN = "unknown"

# By session, whose end is theirs: the call of each statement with parameters of these types.
_prepared: WeakKeyDictionary[Any, dict[tuple[str, ...], str]] = WeakKeyDictionary()


class Statement(NamedTuple):
    """One statement, which names its parameters as `%(name)s`, and their values."""

    text: str
    parameters: Mapping[str, Any]


def run(*statements: Statement) -> list[tuple[Any, ...]]:
    """The rows of the last of these, which travel to the database together."""
    with connection.cursor() as cursor:
        calls = [cursor.mogrify(_call(cursor, one), one.parameters).decode() for one in statements]
        cursor.execute("; ".join(calls))
        return cursor.fetchall() if cursor.description else []


def _call(cursor: CursorWrapper, statement: Statement) -> str:
    known = _prepared.setdefault(cursor.connection, {})
    key = (statement.text, *(_type(value) for value in statement.parameters.values()))
    if key not in known:
        known[key] = _prepare(cursor, statement, name=f"statement_{len(known)}")
    return known[key]


def _prepare(cursor: CursorWrapper, statement: Statement, *, name: str) -> str:
    names = list(dict.fromkeys(PLACE.findall(statement.text)))
    numbered = PLACE.sub(lambda place: f"${names.index(place[1]) + 1}", statement.text)
    types = ", ".join(_type(statement.parameters[name]) for name in names)
    cursor.execute(f"PREPARE {name} {f'({types})' if types else ''} AS {numbered}")
    places = ", ".join(f"%({name})s" for name in names)
    return f"EXECUTE {name} ({places})" if places else f"EXECUTE {name}"


def _type(value: Any) -> str:
    if isinstance(value, list) and value:
        return f"{'text' if isinstance(value[0], str) else _type(value[0])}[]"
    return TYPES.get(type(value), UNKNOWN)
